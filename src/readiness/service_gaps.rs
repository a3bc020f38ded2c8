//! Gaps of the Transaction Service that a council names: it must answer, and show the Safes as the chain has them,
//! because Safe{Wallet} shows what it says. Pure.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, U256};

use super::told::{GapReport, not_ready, warning};
use crate::chain::{EndpointFault, PendingTransaction, ServiceAnswer, ServiceSays};
use crate::proposal::calls_of;
use crate::safe::{Call, Nonce, SafeId, SafeState, SafeTxHash};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceGap {
    /// It does not answer, or its answer cannot be used.
    Away { chain: String, service: String, why: String },
    /// It serves another chain.
    OtherChain { chain: String, service: String, found: String },
    /// It does not know the Safe.
    Unknown { service: String, safe: String },
    /// It states something else about a Safe than the chain.
    Differs { service: String, safe: String, what: &'static str, says: String, is: String },
    /// It is behind the chain, or ahead of the block that was read.
    OtherNonce { service: String, safe: String, says: U256, is: Nonce },
    /// A transaction for the next nonce that no lever gives.
    Strange { safe: String, nonce: Nonce, to: String, hash: String },
}

impl ServiceGap {
    pub(super) fn report(&self) -> GapReport {
        match self {
            Self::Away { chain, service, why } => warning(
                "service",
                format!("{chain}: Transaction Service {service} {why}"),
                "nothing here depends on it; if you use its web pages, find out why",
            ),
            Self::OtherChain { chain, service, found } => not_ready(
                "service-chain",
                format!("{chain}: Transaction Service {service} is of chain {found}"),
                "fix service in the council file",
            ),
            Self::Unknown { service, safe } => warning(
                "service-safe",
                format!("Transaction Service {service} does not know {safe}"),
                "add the Safe there, or remove service from the council file",
            ),
            Self::Differs { service, safe, what, says, is } => not_ready(
                "service-differs",
                format!("{safe}: {what}: Transaction Service {service} says {says}, and the chain {is}"),
                "believe the chain; sign nothing on web pages that show what this service says",
            ),
            Self::OtherNonce { service, safe, says, is } => warning(
                "service-nonce",
                format!("{safe}: Transaction Service {service} says nonce {says}, and the chain {is}"),
                "wait a minute and ask again; web pages propose the wrong nonce while it is so",
            ),
            Self::Strange { safe, nonce, to, hash } => warning(
                "service-pending",
                format!(
                    "{safe}: a transaction to {to} waits for nonce {nonce}, and no lever gives it: {hash}"
                ),
                "ask who proposed it; look at it before you sign anything there",
            ),
        }
    }
}

/// The calls of a council's own levers and proposals, by the Safe that makes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnCalls(pub BTreeMap<Address, Vec<Call>>);

impl OwnCalls {
    /// Returns `true` if a transaction makes calls of levers and nothing else: its hash is that of its fields, it pays
    /// no gas refund, and a batch goes through Safe's own contract.
    fn gives(&self, safe: &SafeId, pending: &PendingTransaction) -> bool {
        let Some(tx) = &pending.tx else { return false };
        let is_its_hash = safe.hashes(tx).safe_tx == SafeTxHash::claimed(pending.hash);
        let pays_nobody = tx.gas_price.is_zero() && tx.gas_token.is_zero() && tx.refund_receiver.is_zero();
        let own = self.0.get(&safe.address).map(Vec::as_slice).unwrap_or_default();
        let makes_own =
            calls_of(tx).is_ok_and(|calls| !calls.is_empty() && calls.iter().all(|call| own.contains(call)));
        is_its_hash && pays_nobody && makes_own
    }
}

/// Returns the gaps of a service's answers about a chain's Safes. `name` gives an address's name.
pub fn gaps(
    chain: &str,
    says: &ServiceSays,
    safes: &[(&str, &SafeState)],
    own: &OwnCalls,
    name: impl Fn(Address) -> String,
) -> Vec<ServiceGap> {
    let service = || says.shown.clone();
    match &says.latency {
        Err(EndpointFault::WrongChain { found }) => {
            return vec![ServiceGap::OtherChain {
                chain: chain.into(),
                service: service(),
                found: found.clone(),
            }];
        }
        Err(fault) => {
            return vec![ServiceGap::Away {
                chain: chain.into(),
                service: service(),
                why: fault.to_string(),
            }];
        }
        Ok(_) => {}
    }
    let mut gaps = Vec::new();
    for (address, said) in &says.safes {
        let Some((safe, state)) = safes.iter().find(|(_, state)| state.id.address == *address) else {
            continue;
        };
        match said {
            Ok(said) => gaps.extend(of_safe(&says.shown, (safe, state), said, own, &name)),
            Err(fault) => {
                let why = format!("tells nothing of {safe}: it {fault}");
                gaps.push(ServiceGap::Away { chain: chain.into(), service: service(), why });
            }
        }
    }
    gaps
}

fn of_safe(
    service: &str,
    (safe, state): (&str, &SafeState),
    said: &ServiceAnswer,
    own: &OwnCalls,
    name: impl Fn(Address) -> String,
) -> Vec<ServiceGap> {
    let (service, safe) = (service.to_string(), safe.to_string());
    let Some(known) = &said.known else { return vec![ServiceGap::Unknown { service, safe }] };
    let mut gaps = Vec::new();
    let mut differs = |what, says: String, is: String| {
        gaps.push(ServiceGap::Differs { service: service.clone(), safe: safe.clone(), what, says, is });
    };
    let list =
        |owners: &BTreeSet<Address>| owners.iter().map(|owner| name(*owner)).collect::<Vec<_>>().join(", ");
    let said_owners: BTreeSet<Address> = known.owners.iter().copied().collect();
    let owners: BTreeSet<Address> = state.owners.list().iter().copied().collect();
    if said_owners != owners {
        differs("owners", list(&said_owners), list(&owners));
    }
    let threshold = state.owners.threshold().get();
    if usize::try_from(known.threshold).ok() != Some(threshold) {
        differs("threshold", known.threshold.to_string(), threshold.to_string());
    }
    if known.nonce != state.nonce.0 {
        let (service, safe) = (service.clone(), safe.clone());
        gaps.push(ServiceGap::OtherNonce { service, safe, says: known.nonce, is: state.nonce });
    }
    let strange = said.pending.iter().filter(|pending| !own.gives(&state.id, pending));
    gaps.extend(strange.map(|pending| ServiceGap::Strange {
        safe: safe.clone(),
        nonce: state.nonce,
        to: name(pending.to),
        hash: pending.hash.to_string(),
    }));
    gaps
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use alloy::primitives::{B256, Bytes};

    use super::super::GapLevel;
    use super::*;
    use crate::chain::StatedSafe;
    use crate::safe::{Operation, SafeTx, SafeVersion, encode_batch, published_batch_contract};

    fn address(seed: u8) -> Address {
        Address::repeat_byte(seed)
    }

    fn guardian() -> SafeState {
        crate::safe::tests::safe(address(1), &[11, 12, 13].map(address), 2, 7)
    }

    fn known(owners: &[u8], threshold: u64, nonce: u64) -> StatedSafe {
        let owners = owners.iter().map(|seed| address(*seed)).collect();
        StatedSafe { owners, threshold, nonce: U256::from(nonce) }
    }

    fn pending(to: u8, data: &[u8], operation: u8) -> PendingTransaction {
        let operation = Operation::from_u8(operation).unwrap();
        stated(SafeTx::new(
            address(to),
            U256::ZERO,
            Bytes::copy_from_slice(data),
            operation,
            guardian().nonce,
        ))
    }

    /// Returns a transaction as an honest service states it.
    fn stated(tx: SafeTx) -> PendingTransaction {
        PendingTransaction { hash: *guardian().id.hashes(&tx).safe_tx.word(), to: tx.to, tx: Some(tx) }
    }

    /// Returns a batch of the lever's call through a contract.
    fn batch(by: Address) -> PendingTransaction {
        let data = encode_batch(&[pause()]);
        stated(SafeTx::new(by, U256::ZERO, data, Operation::DelegateCall, guardian().nonce))
    }

    fn pause() -> Call {
        Call { to: address(5), value: U256::ZERO, data: Bytes::from_static(&[0x84, 0x56]) }
    }

    fn told(says: &ServiceSays) -> Vec<(&'static str, GapLevel, String)> {
        let own = OwnCalls(BTreeMap::from([(address(1), vec![pause()])]));
        let gaps = gaps("mainnet", says, &[("guardian", &guardian())], &own, |who| format!("{}", who[0]));
        gaps.iter().map(ServiceGap::report).map(|told| (told.id, told.level, told.sentence)).collect()
    }

    fn says(safe: Result<ServiceAnswer, EndpointFault>) -> ServiceSays {
        let latency = Ok(Duration::from_millis(80));
        ServiceSays { shown: "https://s.example".into(), latency, safes: vec![(address(1), safe)] }
    }

    fn knows(known: StatedSafe, pending: Vec<PendingTransaction>) -> ServiceSays {
        says(Ok(ServiceAnswer { known: Some(known), pending }))
    }

    #[test]
    fn a_service_that_agrees_with_the_chain_has_no_gap_in_any_order_of_owners() {
        let lever = pending(5, &[0x84, 0x56], 0);
        assert_eq!(told(&knows(known(&[13, 11, 12], 2, 7), vec![lever])), []);
    }

    #[test]
    fn each_difference_is_a_gap_with_both_values() {
        let all = told(&knows(known(&[11, 12, 14], 1, 6), Vec::new()));
        assert_eq!(
            all,
            [
                (
                    "service-differs",
                    GapLevel::NotReady,
                    "guardian: owners: Transaction Service https://s.example says 11, 12, 14, and the chain 11, 12, 13"
                        .into()
                ),
                (
                    "service-differs",
                    GapLevel::NotReady,
                    "guardian: threshold: Transaction Service https://s.example says 1, and the chain 2".into()
                ),
                (
                    "service-nonce",
                    GapLevel::Warning,
                    "guardian: Transaction Service https://s.example says nonce 6, and the chain 7".into()
                ),
            ]
        );
        assert_eq!(told(&says(Ok(ServiceAnswer::default())))[0].0, "service-safe");
    }

    #[test]
    fn a_pending_transaction_that_no_lever_gives_is_a_gap() {
        let lever = || pending(5, &[0x84, 0x56], 0);
        let published = published_batch_contract(1, SafeVersion::V1_4_1).unwrap().address;
        let with = |change: fn(&mut SafeTx)| {
            let mut tx = lever().tx.unwrap();
            change(&mut tx);
            stated(tx)
        };
        assert_eq!(told(&knows(known(&[11, 12, 13], 2, 7), vec![lever(), batch(published)])), []);
        for (what, strange) in [
            ("another contract", pending(6, &[0x84, 0x56], 0)),
            ("another call", pending(5, &[0x84, 0x57], 0)),
            ("the call as a delegatecall", pending(5, &[0x84, 0x56], 1)),
            ("no operation of a Safe", PendingTransaction { tx: None, ..lever() }),
            ("the lever's call through a contract of nobody's", batch(address(9))),
            ("a price for gas", with(|tx| tx.gas_price = U256::from(1))),
            ("a token for gas", with(|tx| tx.gas_token = address(9))),
            ("somebody to be paid", with(|tx| tx.refund_receiver = address(9))),
            ("the hash of another", PendingTransaction { hash: B256::repeat_byte(9), ..lever() }),
        ] {
            let all = told(&knows(known(&[11, 12, 13], 2, 7), vec![strange]));
            assert_eq!((all.len(), all[0].0, all[0].1), (1, "service-pending", GapLevel::Warning), "{what}");
            assert!(all[0].2.contains("waits for nonce 7"), "{}", all[0].2);
        }
    }

    #[test]
    fn a_silent_service_is_a_warning_and_one_of_another_chain_is_not_ready() {
        let mut away = says(Err(EndpointFault::Http(500)));
        assert_eq!(told(&away)[0].0, "service");
        assert!(told(&away)[0].2.contains("tells nothing of guardian"), "{}", told(&away)[0].2);
        away.latency = Err(EndpointFault::TimedOut(8));
        assert_eq!((told(&away).len(), told(&away)[0].1), (1, GapLevel::Warning));
        away.latency = Err(EndpointFault::WrongChain { found: "5".into() });
        assert_eq!((told(&away)[0].0, told(&away)[0].1), ("service-chain", GapLevel::NotReady));
    }
}
