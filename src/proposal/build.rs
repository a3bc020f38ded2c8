//! Calls into a Safe transaction, and back.

use alloy::primitives::{Address, U256};

use crate::evm::{Answer, Query, Readings};
use crate::safe::deployments::{Deployment, batch_contracts, known_at};
use crate::safe::{
    BatchError, Call, Nonce, Operation, SafeTx, SafeVersion, decode_batch, deployments, encode_batch,
    published_batch_contract,
};

/// The reason that calls do not become a Safe transaction.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BuildError {
    #[error(
        "Safe {0} can burn its nonce when a call fails; transactions are built only for 1.3.0, 1.4.1 and 1.5.0"
    )]
    Version(SafeVersion),
    #[error("there is no call to make")]
    Empty,
    #[error(
        "no MultiSendCallOnly of Safe {version} has its published code on this chain (looked at {tried})"
    )]
    NoBatchContract { version: SafeVersion, tried: String },
    #[error(
        "several calls go through a MultiSendCallOnly, and Safe has published none of {0} for this chain: write \
         batch = \"0x…\" into that Safe's part of breakglass.toml (`breakglass init` looks for it), or sign online"
    )]
    BatchContractUnknown(SafeVersion),
}

/// The MultiSendCallOnly that a Safe's batches go through, as far as it is known before anything is asked. No file but
/// the reader's own council file has a say in it.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchContract {
    /// By the reader's council file, or else by the constants for its chain.
    Known(&'static Deployment),
    /// Neither names one: only the chain can tell.
    Open(SafeVersion),
}

/// The source of the batch contract's address if [`BatchContract`] leaves it open.
#[derive(Clone, Copy, Debug)]
pub enum BatchSource<'r> {
    /// The chain's own answers to [`BatchContract::queries`]. The contract must have its published code, known or not.
    Chain(&'r Readings),
    /// Nobody was asked.
    Offline,
    /// An address to be held against the chain later: good for a guess, and for finding out what a file is about.
    Assumed(Address),
}

impl BatchContract {
    /// `named` is the address in the reader's council file.
    pub fn of(chain_id: u64, version: SafeVersion, named: Option<Address>) -> Self {
        let named = named.and_then(|address| batch_contracts(version).find(|d| d.address == address));
        let known = named.or_else(|| published_batch_contract(chain_id, version));
        known.map_or(Self::Open(version), Self::Known)
    }

    /// Returns it as if nobody had named one.
    pub const fn all(self) -> Self {
        Self::Open(self.version())
    }

    const fn version(self) -> SafeVersion {
        match self {
            Self::Known(d) => d.version,
            Self::Open(version) => version,
        }
    }

    fn candidates(self) -> Vec<&'static Deployment> {
        match self {
            Self::Known(one) => vec![one],
            Self::Open(version) => batch_contracts(version).collect(),
        }
    }

    /// The contract that is most likely to be the one.
    pub fn likely(self) -> Option<Address> {
        self.candidates().first().map(|d| d.address)
    }

    /// The questions whose answers show that the published code is on the chain.
    pub fn queries(self) -> Vec<Query> {
        self.candidates().iter().map(|d| Query::CodeHash { address: d.address }).collect()
    }

    /// Fails if the published code is not on the chain or, where nobody was asked, if the contract is open.
    pub fn address(self, source: BatchSource) -> Result<Address, BuildError> {
        let candidates = self.candidates();
        let has_its_code = |d: &&Deployment, readings: &Readings| {
            let answer = readings.get(&Query::CodeHash { address: d.address });
            matches!(answer, Some(Answer::Value(word)) if word[..] == d.code_hash[..])
        };
        let found = match (self, source) {
            (_, BatchSource::Chain(readings)) => candidates.iter().find(|d| has_its_code(d, readings)),
            (Self::Known(_), _) => candidates.first(),
            (Self::Open(_), BatchSource::Assumed(address)) => {
                candidates.iter().find(|d| d.address == address)
            }
            (Self::Open(version), BatchSource::Offline) => {
                return Err(BuildError::BatchContractUnknown(version));
            }
        };
        found.map(|d| d.address).ok_or_else(|| {
            let version = self.version();
            let tried = candidates.iter().map(|d| d.address.to_string()).collect::<Vec<_>>().join(", ");
            BuildError::NoBatchContract { version, tried }
        })
    }
}

/// One call goes direct, several through the MultiSendCallOnly of the Safe. No refund fields, ever.
/// Fails if the version can't be built for, there is no call, or the batch contract is not known, see
/// [`BatchContract::address`].
pub fn build_tx(
    version: SafeVersion,
    calls: &[Call],
    nonce: Nonce,
    batch: BatchContract,
    source: BatchSource,
) -> Result<SafeTx, BuildError> {
    if !version.can_build() {
        return Err(BuildError::Version(version));
    }
    match calls {
        [] => Err(BuildError::Empty),
        [one] => Ok(SafeTx::new(one.to, one.value, one.data.clone(), Operation::Call, nonce)),
        several => {
            let (to, data) = (batch.address(source)?, encode_batch(several));
            Ok(SafeTx::new(to, U256::ZERO, data, Operation::DelegateCall, nonce))
        }
    }
}

/// The calls that a transaction makes: itself, or the entries of its batch.
/// Fails if it is a delegatecall to anything but a known MultiSendCallOnly, or the batch is not plain calls: nothing
/// can then be said about what it does.
pub fn calls_of(tx: &SafeTx) -> Result<Vec<Call>, BatchError> {
    match tx.operation {
        Operation::Call => Ok(vec![Call { to: tx.to, value: tx.value, data: tx.data.clone() }]),
        Operation::DelegateCall => match known_at(tx.to) {
            Some(d) if d.contract == deployments::Contract::MultiSendCallOnly => decode_batch(&tx.data),
            _ => Err(BatchError::NotMultiSend),
        },
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::Bytes;

    use super::*;
    use BatchSource::{Assumed, Chain, Offline};

    const BUILT: [SafeVersion; 3] = [SafeVersion::V1_3_0, SafeVersion::V1_4_1, SafeVersion::V1_5_0];
    /// A chain that Safe publishes nothing for.
    const UNLISTED: u64 = 31_337;

    fn call(n: u8) -> Call {
        Call { to: Address::repeat_byte(n), value: U256::from(n), data: Bytes::from(vec![n; 4]) }
    }

    fn answer(address: Address, word: &[u8]) -> (Query, Answer) {
        (Query::CodeHash { address }, Answer::Value(Bytes::copy_from_slice(word)))
    }

    fn two(batch: BatchContract, version: SafeVersion, source: BatchSource) -> Result<SafeTx, BuildError> {
        build_tx(version, &[call(7), call(8)], Nonce::from(3), batch, source)
    }

    #[test]
    fn one_call_goes_direct_and_several_through_the_versions_own_batch_contract() {
        for version in BUILT {
            let open = BatchContract::of(UNLISTED, version, None);
            let one = build_tx(version, &[call(7)], Nonce::from(3), open, Offline).unwrap();
            assert_eq!((one.to, one.operation), (Address::repeat_byte(7), Operation::Call));
            for batch in [open, BatchContract::of(1, version, None)] {
                let all =
                    batch_contracts(version).map(|d| answer(d.address, d.code_hash.as_slice())).collect();
                let tx = two(batch, version, Chain(&all)).unwrap();
                assert_eq!(known_at(tx.to).unwrap().version, version);
                assert_eq!(calls_of(&tx).unwrap(), [call(7), call(8)]);
            }
        }
    }

    /// Online and offline, one hash: and no reading of a file can change it.
    #[test]
    fn the_batch_contract_is_the_same_online_and_offline_where_constants_or_the_council_file_know_it() {
        let [canonical, eip155] =
            ["40A2aCCbd92BCA938b02010E17A5b8929b49130D", "A1dabEF33b3B82c7814B6D82A79e50F4AC44102B"]
                .map(|text| text.parse::<Address>().unwrap());
        let version = SafeVersion::V1_3_0;
        for (chain_id, named, expected) in [
            (1, None, canonical),
            (10, None, eip155),
            (1, Some(eip155), eip155),
            (UNLISTED, Some(eip155), eip155),
        ] {
            let batch = BatchContract::of(chain_id, version, named);
            let both = batch_contracts(version).map(|d| answer(d.address, d.code_hash.as_slice())).collect();
            for source in [Chain(&both), Offline, Assumed(canonical)] {
                assert_eq!(two(batch, version, source).unwrap().to, expected, "{chain_id} {source:?}");
            }
        }
    }

    #[test]
    fn an_unknown_batch_contract_is_asked_of_the_chain() {
        let version = SafeVersion::V1_3_0;
        let open = BatchContract::of(UNLISTED, version, None);
        assert_eq!(two(open, version, Offline), Err(BuildError::BatchContractUnknown(version)));
        let second = batch_contracts(version).nth(1).unwrap();
        let found = [answer(second.address, second.code_hash.as_slice())].into_iter().collect();
        assert_eq!(two(open, version, Chain(&found)).unwrap().to, second.address);
        assert_eq!(two(open, version, Assumed(second.address)).unwrap().to, second.address);
        assert!(two(open, version, Assumed(Address::repeat_byte(9))).is_err());
        // Another version, or no batch contract at all, counts as if the council file named none.
        for other in [batch_contracts(SafeVersion::V1_4_1).next().unwrap().address, Address::repeat_byte(9)] {
            assert_eq!(BatchContract::of(UNLISTED, version, Some(other)), open);
        }
    }

    /// A batch through an address without code succeeds and does nothing.
    #[test]
    fn no_batch_through_an_address_without_the_published_code() {
        let version = SafeVersion::V1_4_1;
        for batch in [BatchContract::of(1, version, None), BatchContract::of(UNLISTED, version, None)] {
            let empty: Readings = batch_contracts(version).map(|d| answer(d.address, &[0; 32])).collect();
            for readings in [empty, Readings::default()] {
                let fault = two(batch, version, Chain(&readings)).unwrap_err();
                assert!(fault.to_string().contains("0x9641d764fc13c8B624c04430C7356C1C7C8102e2"), "{fault}");
            }
        }
    }

    #[test]
    fn no_transaction_is_built_for_safes_that_lose_the_nonce_of_a_failed_one() {
        let version = SafeVersion::V1_2_0;
        let batch = BatchContract::of(1, version, None);
        let built = build_tx(version, &[call(1)], Nonce::from(0), batch, Offline);
        assert_eq!(built, Err(BuildError::Version(version)));
    }

    #[test]
    fn an_unknown_delegatecall_says_nothing_about_its_calls() {
        let version = SafeVersion::V1_4_1;
        let mut tx = two(BatchContract::of(1, version, None), version, Offline).unwrap();
        tx.to = Address::repeat_byte(9);
        assert_eq!(calls_of(&tx), Err(BatchError::NotMultiSend));
    }
}
