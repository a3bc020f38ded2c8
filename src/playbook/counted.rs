//! Alarms about the events of the last blocks: their number, or the sum of one of their values. Pure.

use alloy::dyn_abi::{DynSolType, DynSolValue, Specifier};
use alloy::json_abi::Event;
use alloy::primitives::{Log, U256};
use toml::{Table, Value};

use super::alarm_look::{AlarmEvaluation, NeededReadings};
use super::plan::Plan;
use super::postcheck::EventCheck;
use super::{Check, Verdict};
use crate::evm::FoundLogs;
use crate::excerpt::Fault;
use crate::near::hint;

/// The most blocks that are searched at each evaluation.
const MOST_BLOCKS: i64 = 5_000;
/// The fields that name the events, as a playbook's check does.
const EVENT: [&str; 3] = ["event", "on", "args"];

/// The number that an alarm is about.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    blocks: u64,
    /// The place of the value that is summed up; `None` where the events are counted.
    sum: Option<usize>,
}

/// The parts of an alarm about events, before the names in them are resolved.
pub(super) struct EventAlarmParts {
    /// The check for the events.
    pub event: Table,
    blocks: u64,
    sum: Option<String>,
}

/// Takes what is about events out of a claim, which is then about a number; `None` for a claim about something else.
/// The error has the field at fault.
pub(super) fn take(origin: &str, claim: &mut Table) -> Result<Option<EventAlarmParts>, Fault> {
    let fault = |message: &str| Fault::whole(origin, message);
    let (blocks, sum) = (claim.remove("blocks"), claim.remove("sum"));
    if !claim.contains_key("event") {
        return if blocks.is_some() || sum.is_some() {
            Err(fault("blocks and sum are for an event: event = \"Transfer(address indexed from,…)\""))
        } else {
            Ok(None)
        };
    }
    let blocks = match blocks {
        Some(Value::Integer(blocks)) if (1..=MOST_BLOCKS).contains(&blocks) => blocks.unsigned_abs(),
        Some(_) => return Err(fault(&format!("blocks is a number from 1 to {MOST_BLOCKS}"))),
        None => return Err(fault("blocks is missing: in how many of the last blocks? blocks = 50")),
    };
    let sum = match sum {
        None => None,
        Some(Value::String(name)) => Some(name),
        Some(_) => return Err(fault("sum is the name of one of the event's values, in quotes")),
    };
    let event = EVENT.iter().filter_map(|key| Some(((*key).to_string(), claim.remove(*key)?))).collect();
    Ok(Some(EventAlarmParts { event, blocks, sum }))
}

impl EventAlarmParts {
    /// Fails if the event has no such number to sum up.
    pub(super) fn counted(self, origin: &str, event: &Event) -> Result<Counted, Fault> {
        let place = |name: String| {
            let Some(at) = event.inputs.iter().position(|input| input.name == name) else {
                let named: Vec<&str> = event.inputs.iter().map(|input| input.name.as_str()).collect();
                let near = hint(&name, named.into_iter().filter(|name| !name.is_empty()));
                let message = format!("sum: the event names no value {name:?}; {near}");
                return Err(Fault::whole(origin, message));
            };
            match event.inputs[at].resolve() {
                Ok(DynSolType::Uint(_)) => Ok(at),
                _ => Err(Fault::whole(origin, format!("sum: {name} is not an unsigned number"))),
            }
        };
        Ok(Counted { blocks: self.blocks, sum: self.sum.map(place).transpose()? })
    }
}

impl Counted {
    /// Judges the claims of a plan, all of which are about this number.
    pub(super) fn evaluate(&self, plan: &Plan, logs: &FoundLogs) -> AlarmEvaluation {
        let Some(Check::Event(event)) = plan.after.first() else {
            return AlarmEvaluation::Unreadable("it names no event".into());
        };
        let filter = event.filter(self.blocks);
        let found = match logs.get(&filter) {
            None => {
                return AlarmEvaluation::Needs(NeededReadings {
                    events: [filter].into(),
                    ..NeededReadings::default()
                });
            }
            Some(Err(why)) => return AlarmEvaluation::Unreadable(why.clone()),
            Some(Ok(logs)) => self.number(event, logs),
        };
        let number = DynSolValue::Uint(found, 256);
        let label = self.label(event);
        let verdicts = plan.before.iter().filter_map(|check| match check {
            Check::Value { expectation, .. } => Some(expectation.judge(&label, Ok(number.clone()))),
            Check::Event(_) | Check::Call(_) => None,
        });
        AlarmEvaluation::of(verdicts.collect::<Vec<Verdict>>())
    }

    fn number(&self, event: &EventCheck, logs: &[Log]) -> U256 {
        let fitting = event.matching_events(logs);
        let Some(at) = self.sum else { return U256::from(fitting.len()) };
        let values = fitting.iter().filter_map(|values| values.get(at)?.as_uint());
        values.fold(U256::ZERO, |sum, (value, _)| sum.saturating_add(value))
    }

    /// `number of Transfer(…) of usdc in 50 blocks`
    fn label(&self, event: &EventCheck) -> String {
        let what = match self.sum.and_then(|at| event.event.inputs.get(at)) {
            Some(input) => format!("sum of {} in", input.name),
            None => "number of".into(),
        };
        let blocks = if self.blocks == 1 { "block" } else { "blocks" };
        format!("{what} {} of {} in {} {blocks}", event.signature(), event.label, self.blocks)
    }
}
