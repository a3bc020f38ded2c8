//! The hash of a transaction, computed by Foundry's `cast` from the fields alone, to compare with this program's. Pure:
//! `cast` is given as a function.

use alloy::primitives::{Address, B256, b256};

use super::told::{GapReport, not_ready, warning};
use crate::safe::{SafeId, SafeTx, SafeTxHash};

/// Source: Safe.sol, `DOMAIN_SEPARATOR_TYPEHASH`, the same from 1.3.0 on.
pub const DOMAIN_TYPE: B256 = b256!("47e79534a245952e8b16893a336b85a3d9ea9fa8c573f3d803afb92a79469218");
/// Source: Safe.sol, `SAFE_TX_TYPEHASH`, the same from 1.0.0 on.
pub const SAFE_TX_TYPE: B256 = b256!("bb8310d486368db6bd6f849402fdd73ad53d316b5a4b2644ad6efe0f941286d8");
const DOMAIN: &str = "f(bytes32,uint256,address)";
const MESSAGE: &str =
    "f(bytes32,address,uint256,bytes32,uint8,uint256,uint256,uint256,address,address,uint256)";

/// A hash by this program and by `cast`. `Not`: it is not installed, or there was nothing to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    Not,
    Same(SafeTxHash),
    Differs { own: SafeTxHash, cast: String },
    Failed(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CastGap {
    Differs { own: SafeTxHash, cast: String },
    Failed(String),
}

impl CastGap {
    pub(super) fn report(&self) -> GapReport {
        match self {
            Self::Differs { own, cast } => not_ready(
                "cast-differs",
                format!("this program computes safeTxHash {own}, and cast of your PATH {cast}"),
                "sign nothing on this machine: one of the two programs was tampered with",
            ),
            Self::Failed(why) => warning(
                "cast-failed",
                format!("cast of your PATH could not compute a hash: {why}"),
                "update Foundry, or take it out of PATH",
            ),
        }
    }
}

impl Compared {
    pub fn gap(&self) -> Option<CastGap> {
        match self {
            Self::Not | Self::Same(_) => None,
            Self::Differs { own, cast } => Some(CastGap::Differs { own: *own, cast: cast.clone() }),
            Self::Failed(why) => Some(CastGap::Failed(why.clone())),
        }
    }
}

/// Compares the hash of a transaction with that of `cast`, which returns what it printed; `None` if it is not installed.
pub fn compare(
    safe: &SafeId,
    tx: &SafeTx,
    cast: impl Fn(&[&str]) -> Result<Option<String>, String>,
) -> Compared {
    if !safe.version.domain_has_chain_id() {
        return Compared::Not;
    }
    let own = safe.hashes(tx).safe_tx;
    match by_cast(safe, tx, |args| cast(args).map(|printed| printed.map(|text| text.trim().to_string()))) {
        Ok(None) => Compared::Not,
        Ok(Some(printed)) => match printed.parse::<B256>() {
            Ok(hash) if hash == *own.word() => Compared::Same(own),
            Ok(hash) => Compared::Differs { own, cast: hash.to_string() },
            Err(_) => {
                Compared::Failed(format!("it printed {:?}", printed.chars().take(66).collect::<String>()))
            }
        },
        Err(why) => Compared::Failed(why),
    }
}

fn by_cast(
    safe: &SafeId,
    tx: &SafeTx,
    cast: impl Fn(&[&str]) -> Result<Option<String>, String>,
) -> Result<Option<String>, String> {
    let keccak = |data: &str| cast(&["keccak", data]);
    let data = tx.data.to_string();
    let Some(data) = keccak(&data)? else { return Ok(None) };
    let zero = Address::ZERO.to_string();
    let (domain_type, tx_type) = (DOMAIN_TYPE.to_string(), SAFE_TX_TYPE.to_string());
    let (to, value, operation) = (tx.to.to_string(), tx.value.to_string(), tx.operation.as_u8().to_string());
    let (nonce, chain, address) = (tx.nonce.to_string(), safe.chain_id.to_string(), safe.address.to_string());
    let (gas, token) = ("0", zero.as_str());
    let message = [
        "abi-encode",
        MESSAGE,
        &tx_type,
        &to,
        &value,
        &data,
        &operation,
        gas,
        gas,
        gas,
        token,
        token,
        &nonce,
    ];
    let Some(message) = cast(&message)? else { return Ok(None) };
    let Some(domain) = cast(&["abi-encode", DOMAIN, &domain_type, &chain, &address])? else {
        return Ok(None);
    };
    let (Some(message), Some(domain)) = (keccak(&message)?, keccak(&domain)?) else { return Ok(None) };
    let bare = |hash: &str| hash.trim_start_matches("0x").to_string();
    keccak(&format!("0x1901{}{}", bare(&domain), bare(&message)))
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{U256, hex, keccak256};

    use super::*;
    use crate::safe::{Nonce, Operation, SafeVersion};

    fn example(version: SafeVersion) -> (SafeId, SafeTx) {
        let safe = SafeId { chain_id: 1, address: Address::repeat_byte(5), version };
        let data = vec![0x84, 0x56, 0xcb, 0x59].into();
        (safe, SafeTx::new(Address::repeat_byte(6), U256::ZERO, data, Operation::Call, Nonce::from(42)))
    }

    /// As `cast keccak` and `cast abi-encode` of static types do it.
    fn honest(args: &[&str]) -> String {
        let word = |text: &&str| match text.strip_prefix("0x") {
            Some(digits) => format!("{digits:0>64}"),
            None => format!("{:064x}", text.parse::<U256>().unwrap()),
        };
        match args {
            ["keccak", data] => format!("{}\n", keccak256(hex::decode(data).unwrap())),
            ["abi-encode", _, words @ ..] => format!("0x{}\n", words.iter().map(word).collect::<String>()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_honest_cast_computes_the_same_hash_and_another_hash_is_a_gap() {
        let (safe, tx) = example(SafeVersion::V1_4_1);
        let own = safe.hashes(&tx).safe_tx;
        assert_eq!(compare(&safe, &tx, |args| Ok(Some(honest(args)))), Compared::Same(own));
        let lie = compare(&safe, &tx, |_| Ok(Some(format!("{}\n", B256::repeat_byte(1)))));
        assert_eq!(lie.gap().unwrap().report().id, "cast-differs");
        assert_eq!(compare(&safe, &tx, |_| Ok(None)), Compared::Not, "not installed");
        let failed = compare(&safe, &tx, |_| Err("it ended with 1".into()));
        assert_eq!(failed.gap().unwrap().report().id, "cast-failed");
        let odd = compare(&safe, &tx, |_| Ok(Some("error: unknown command".into())));
        assert_eq!(odd.gap().unwrap().report().id, "cast-failed");
        let (old, tx) = example(SafeVersion::V1_1_1);
        assert_eq!(
            compare(&old, &tx, |args| Ok(Some(honest(args)))),
            Compared::Not,
            "its domain has no chain id"
        );
    }
}
