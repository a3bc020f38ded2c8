//! The room as its users see it: what a playbook's author is told, what a plan comes to, and when a check holds.

mod author;
mod checks;
mod combined;
mod counted;
mod each;
mod encoded;
mod library;
mod mistakes;
mod named;
mod plans;
mod proof;

use std::collections::BTreeMap;

use alloy::dyn_abi::DynSolValue;
use alloy::primitives::{Address, U256};

use super::{Catalogue, Derivation, Inputs, Plan, PlanError, Playbook, derive};
use crate::evm::{AddressBook, Answer, Query, Readings};

const SAFE: Address = Address::repeat_byte(0x5a);
const VAULT: Address = Address::repeat_byte(0x7a);

fn a(n: u8) -> Address {
    Address::repeat_byte(n)
}

fn book() -> AddressBook {
    [("vault", VAULT), ("alice", a(2)), ("bob", a(3)), ("carol", a(4)), ("guardian", SAFE)]
        .into_iter()
        .map(|(name, address)| (name.to_string(), address))
        .collect()
}

fn args(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect()
}

fn number(n: u64) -> Answer {
    Answer::Value(U256::from(n).to_be_bytes_vec().into())
}

fn addresses(list: &[Address]) -> Answer {
    let items = list.iter().map(|a| DynSolValue::Address(*a)).collect();
    Answer::Value(DynSolValue::Array(items).abi_encode().into())
}

/// Derives to the end, each question answered by `chain`; the plan and the rounds of questions it took.
fn plan_with(
    playbook: &Playbook,
    given: &[(&str, &str)],
    chain: impl Fn(&Query) -> Answer,
) -> Result<(Plan, usize), PlanError> {
    let (args, names) = (args(given), book());
    let inputs = Inputs { args: &args, names: &names, safe: SAFE, chain_id: 1 };
    let mut readings = Readings::default();
    for round in 0..10 {
        match derive(playbook, &inputs, &readings)? {
            Derivation::Ready(plan) => return Ok((plan, round)),
            Derivation::Needs(queries) => {
                assert!(!queries.is_empty());
                readings.extend(queries.into_iter().map(|q| (q.clone(), chain(&q))).collect());
            }
        }
    }
    panic!("no plan after ten rounds");
}

fn shipped(id: &str) -> Playbook {
    Catalogue::new(vec![]).get(id).unwrap().playbook.clone()
}

/// The first four bytes of a call's data.
fn selector(query: &Query) -> Option<[u8; 4]> {
    match query {
        Query::Call { data, .. } => data.get(..4)?.try_into().ok(),
        _ => None,
    }
}
