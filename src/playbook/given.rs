//! The arguments that a lever gives to its playbook, checked without the chain. Pure.

use alloy::dyn_abi::DynSolValue;
use alloy::primitives::U256;

use super::language::expression::{EvalStop, Values};
use super::piece::{PIECE, Piece};
use super::plan::{Inputs, PlanError};
use super::{Param, Playbook};
use crate::near::hint;

/// Returns everything that is wrong with these arguments as far as it is known without the chain: names that the playbook
/// does not have, values that are not of their type, out of bounds, or call an address by a name that it does not have on
/// this chain. A parameter that is left open is not a fault.
pub fn argument_faults(playbook: &Playbook, inputs: &Inputs) -> Vec<PlanError> {
    let mut faults = unknown_names(playbook, inputs);
    let chain_id = DynSolValue::Uint(U256::from(inputs.chain_id), 256);
    let map = [("safe".to_string(), DynSolValue::Address(inputs.safe)), ("chain_id".into(), chain_id)].into();
    let mut values = Values::new(map, inputs.names);
    let in_order = playbook.order.iter().filter_map(|name| playbook.params.iter().find(|p| p.name == *name));
    let given: Vec<(&Param, &String)> =
        in_order.filter_map(|param| Some((param, inputs.args.get(&param.name)?))).collect();
    for (param, text) in &given {
        let read = param.unit(&values).and_then(|unit| param.read(text, unit, &values));
        match read {
            Ok(value) => drop(values.map.insert(param.name.clone(), value)),
            Err(stop) => faults.extend(fault(param, text, stop)),
        }
    }
    for (param, text) in &given {
        let Some(value) = values.map.get(&param.name) else { continue };
        if let Err(stop) = param.check(value, text, &values) {
            faults.extend(fault(param, text, stop));
        }
    }
    faults
}

fn unknown_names(playbook: &Playbook, inputs: &Inputs) -> Vec<PlanError> {
    let known: Vec<&str> = playbook.params.iter().map(|p| p.name.as_str()).collect();
    let mut faults = Vec::new();
    for (name, text) in inputs.args {
        let why = match (name.as_str(), playbook.can_be_cut()) {
            (PIECE, true) => Piece::parse(text).err(),
            (PIECE, false) => Some("it repeats no step over a list, so it cannot be cut".into()),
            (name, _) if known.contains(&name) => None,
            (name, _) => {
                let hint = hint(name, known.clone());
                faults.push(PlanError::Unknown {
                    playbook: playbook.id.to_string(),
                    name: name.into(),
                    hint,
                });
                None
            }
        };
        faults.extend(why.map(|why| PlanError::Argument { name: name.clone(), text: text.clone(), why }));
    }
    faults
}

/// `None` for what only the chain can tell.
fn fault(param: &Param, text: &str, stop: EvalStop) -> Option<PlanError> {
    match stop {
        EvalStop::Missing => None,
        EvalStop::Wrong(why) => {
            Some(PlanError::Argument { name: param.name.clone(), text: text.into(), why })
        }
    }
}
