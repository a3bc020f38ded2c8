//! The values that an undo brings back: what was in force when the act was made. Pure.
//!
//! They are read from the block before the act and not from a council file, which may be behind: a param of the act with
//! `was` says which. No act asks for them; whoever proves the act reads them.

use std::collections::{BTreeMap, BTreeSet};

use alloy::dyn_abi::DynSolValue;
use alloy::primitives::Address;

use super::derive::DerivationState;
use super::param::{Param, Zero};
use super::plan::{Inputs, PlanError};
use super::{Playbook, Read};
use crate::evm::{Query, Readings, render};

/// The former values of an act by param, as its undo takes them, or what must be asked first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Formerly {
    Needs(Vec<Query>),
    Ready(BTreeMap<String, String>),
}

/// Returns the values that the undo of this act brings back. Call again with the answers added until they are ready.
/// Fails for an argument that is missing or wrong, a value that cannot be read, or that no argument can say.
pub fn former_values(
    playbook: &Playbook,
    inputs: &Inputs,
    readings: &Readings,
) -> Result<Formerly, PlanError> {
    let mut work = DerivationState::new(playbook, inputs, readings)?;
    work.settle(playbook, inputs, |_| true)?;
    if !work.needs.is_empty() {
        return Ok(Formerly::Needs(work.needs.into_iter().collect()));
    }
    let mut found = BTreeMap::new();
    for param in &playbook.params {
        let Some(was) = &param.was else { continue };
        let value = was
            .eval(&work.values)
            .map_err(|stop| PlanError::Read { name: param.name.clone(), why: super::derive::why(stop) })?;
        let text = written(param, &value);
        let back = param.unit(&work.values).and_then(|unit| param.read(&text, unit, &work.values));
        if back != Ok(value) {
            let why = format!("{text} cannot be given as an argument");
            return Err(PlanError::Read { name: param.name.clone(), why });
        }
        found.insert(param.name.clone(), text);
    }
    Ok(Formerly::Ready(found))
}

/// The value as a person would give it.
fn written(param: &Param, value: &DynSolValue) -> String {
    let is_zero = value.as_uint().is_some_and(|(n, _)| n.is_zero());
    match (&param.zero, value, param.fixed_unit()) {
        (Zero::Word(word), ..) if is_zero => word.clone(),
        (_, DynSolValue::Address(address), _) => Address::to_string(address),
        (_, DynSolValue::Uint(number, _), Some(unit)) => unit.natural(*number),
        _ => render(value, None),
    }
}

/// Returns the reads that nothing but the former values need: no act asks for them.
pub(super) fn for_former_only(
    params: &[Param],
    reads: &[Read],
    mut needed: BTreeSet<String>,
) -> BTreeSet<String> {
    let mut former = BTreeSet::new();
    params.iter().filter_map(|param| param.was.as_ref()).for_each(|was| was.names(&mut former));
    with_reads(reads, &mut needed);
    with_reads(reads, &mut former);
    former.retain(|name| reads.iter().any(|read| read.name == *name) && !needed.contains(name));
    former
}

/// Adds what the reads among the names depend on.
fn with_reads(reads: &[Read], names: &mut BTreeSet<String>) {
    let mut size = 0;
    while names.len() > size {
        size = names.len();
        for read in reads.iter().filter(|read| names.contains(&read.name)).collect::<Vec<_>>() {
            read.names(names);
        }
    }
}
