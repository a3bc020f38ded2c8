//! The reader's own names for storage slots and the values in them.

use std::collections::{BTreeSet, HashMap};

use alloy::dyn_abi::DynSolValue;
use alloy::primitives::{Address, B256, U256};

use crate::ceremony::judged::Judged;
use crate::evm::Write;
use crate::fork::{Rehearsal, SlotNames, SlotTable};
use crate::playbook::Plan;
use crate::safe::SENTINEL;

/// Names of the slots of a rehearsal.
pub struct Names<'a> {
    judged: &'a Judged<'a>,
    table: SlotTable,
    /// The slots that the checks read, with their names.
    read_by: HashMap<(Address, B256), String>,
}

impl<'a> Names<'a> {
    pub fn new(judged: &'a Judged<'a>, rehearsal: &'a Rehearsal) -> Self {
        let mut addresses: Vec<Address> = judged.state().owners.list().to_vec();
        let written = rehearsal.writes.iter().flat_map(|w| [w.old, w.new]).filter_map(as_address);
        addresses.extend(written.collect::<BTreeSet<_>>());
        let mut modules = judged.state().modules.clone();
        modules.extend(&addresses);
        let table = SlotTable::new(&SlotNames {
            safe: judged.derived.safe.address,
            owners: &addresses,
            modules: &modules,
            hash: Some(judged.proposal().hash()),
            read_by_checks: &[],
            roles: &judged.plan().map(|plan| roles(plan, &addresses)).unwrap_or_default(),
        });
        let mut read_by = HashMap::new();
        for check in judged.plan().into_iter().flat_map(|plan| &plan.after) {
            let queries = check.queries();
            for place in queries.iter().filter_map(|query| rehearsal.read_by.get(query)).flatten() {
                read_by.entry(*place).or_insert_with(|| format!("read by {}", check.label()));
            }
        }
        Self { judged, table, read_by }
    }

    /// Returns its name by its place in a known contract, or by the check that reads it.
    pub fn name(&self, write: &Write) -> Option<String> {
        self.by_place(write).or_else(|| self.read_by.get(&(write.address, write.slot)).cloned())
    }

    /// Returns `true` if a check after the calls reads it.
    pub fn is_read(&self, write: &Write) -> bool {
        self.read_by.contains_key(&(write.address, write.slot))
    }

    /// Returns its name by its place in a known contract.
    pub fn by_place(&self, write: &Write) -> Option<String> {
        let name = self.table.name(write.address, write.slot)?;
        // If the name ends in an address, the reader's own name is added.
        let own = name.rsplit_once(' ').and_then(|(what, last)| {
            let word = self.judged.derived.names.name(last.parse().ok()?)?;
            Some(format!("{what} {word} {last}"))
        });
        Some(own.unwrap_or_else(|| name.to_string()))
    }
}

/// Returns the role memberships that may change: each role with each address among the arguments.
fn roles(plan: &Plan, known: &[Address]) -> Vec<(B256, Address, String)> {
    let given = plan.args.iter().filter_map(|arg| arg.value.as_address());
    let accounts: Vec<Address> = given.chain(known.iter().copied()).collect();
    let roles = plan.args.iter().filter_map(|arg| match &arg.value {
        DynSolValue::FixedBytes(word, 32) => Some((*word, format!("{} {}", arg.name, arg.text))),
        _ => None,
    });
    roles.flat_map(|(role, name)| accounts.iter().map(move |who| (role, *who, name.clone()))).collect()
}

/// Returns the address in a word, if it can be one.
pub fn as_address(word: B256) -> Option<Address> {
    let number = U256::from_be_bytes(word.0);
    (word[..12].iter().all(|byte| *byte == 0) && number >> 64 != U256::ZERO).then(|| Address::from_word(word))
}

/// Returns old and new, both as numbers, both as addresses, or else as raw words.
pub fn shown(judged: &Judged, write: &Write) -> [String; 2] {
    let words = [write.old, write.new];
    let numbers = words.map(|word| U256::from_be_bytes(word.0));
    if numbers.iter().all(|number| *number >> 64 == U256::ZERO) {
        return numbers.map(|number| number.to_string());
    }
    let end = |word: B256| word.is_zero() || word == SENTINEL.into_word();
    if words.iter().all(|word| end(*word) || as_address(*word).is_some()) {
        return words.map(|word| match as_address(word) {
            Some(address) => judged.derived.names.with_address(address),
            None => Address::from_word(word).to_string(),
        });
    }
    words.map(|word| word.to_string())
}
