//! One set of arguments and readings for a playbook, and exactly the calldata that they give: a golden vector for tests
//! and for `playbook check`, and an example for the reader.

use std::collections::BTreeMap;

use alloy::dyn_abi::{DynSolType, DynSolValue};
use alloy::primitives::{Address, Bytes, U256, hex};
use toml::Spanned;

use super::playbook_toml::{Text, WireExample};
use super::source::Source;
use crate::evm::{AddressBook, render};
use crate::excerpt::Fault;
use crate::playbook::Read;
use crate::playbook::claim::Step;
use crate::playbook::each::{Item, turns};
use crate::playbook::language::expression::{EvalStop, Values};
use crate::playbook::language::template::{Allowed, Template};
use crate::playbook::param::Param;

const SAFE: Address = Address::repeat_byte(0x5a);

/// A playbook's example: it gives this calldata, or the playbook cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Name → text.
    pub set: BTreeMap<String, String>,
    /// In order.
    pub calls: Vec<ExampleCall>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleCall {
    /// `setFee(uint256)`
    pub signature: String,
    /// As text: `0x…`, `7`, `true`, `[1, 2]`, `(1, true)`.
    pub args: Vec<String>,
    /// The address that follows the arguments.
    pub appended: Option<Address>,
    pub data: Bytes,
}

pub(in crate::playbook) fn read_example(
    source: &Source,
    wire: &Spanned<WireExample>,
    params: &[Param],
    reads: &[Read],
    steps: &[Step],
) -> Result<Example, Fault> {
    let example = wire.get_ref();
    let names = AddressBook::default();
    let safe = DynSolValue::Address(SAFE);
    let map = [("safe".to_string(), safe), ("chain_id".into(), DynSolValue::Uint(U256::ONE, 256))].into();
    let mut values = Values::new(map, &names);
    for (name, text) in &example.read {
        let Some(read) = reads.iter().find(|r| r.name == *name) else {
            return Err(source.fault(text.span(), format!("{name:?} is not a read of this playbook")));
        };
        let value = literal(source, text, &read.ty())?;
        values.map.insert(name.clone(), value);
    }
    if let Some((name, text)) = example.set.iter().find(|(name, _)| !params.iter().any(|p| p.name == **name))
    {
        return Err(source.fault(text.span(), format!("{name:?} is not a param of this playbook")));
    }
    for param in params {
        let given = example.set.get(&param.name);
        let Some(text) = given.map(|t| t.get_ref().as_str()).or(param.default.as_deref()) else {
            if param.for_undo {
                continue;
            }
            return Err(source.fault(wire.span(), format!("the example gives no {}", param.name)));
        };
        let span = given.map_or(wire.span(), Spanned::span);
        let read = param.unit(&values).and_then(|unit| param.read(text, unit, &values));
        let value = read.and_then(|value| match param.check(&value, text, &values) {
            Ok(()) | Err(EvalStop::Missing) => Ok(value),
            Err(wrong) => Err(wrong),
        });
        let value =
            value.map_err(|stop| source.fault(span, format!("{}={text}: {}", param.name, why(stop))))?;
        values.map.insert(param.name.clone(), value);
    }
    let calls = calls(source, wire, steps, &values)?;
    let set = example.set.iter().map(|(name, text)| (name.clone(), text.get_ref().clone())).collect();
    Ok(Example { set, calls })
}

fn literal(source: &Source, text: &Text, ty: &DynSolType) -> Result<DynSolValue, Fault> {
    let template =
        Template::parse(text.get_ref(), ty, Allowed::Literals).map_err(|flaw| source.flaw(text, flaw))?;
    let names = AddressBook::default();
    let value = template.eval(&Values::new(BTreeMap::new(), &names));
    value.map_err(|stop| source.fault(text.span(), why(stop)))
}

fn calls(
    source: &Source,
    wire: &Spanned<WireExample>,
    steps: &[Step],
    values: &Values,
) -> Result<Vec<ExampleCall>, Fault> {
    let stated = &wire.get_ref().calldata;
    let mut made = Vec::new();
    for step in steps {
        let items = turns(step.each.as_ref(), values)
            .map_err(|stop| source.fault(wire.span(), format!("for: {}", why(stop))))?;
        made.extend(items.into_iter().map(|item| (step, item)));
    }
    if stated.get_ref().len() != made.len() {
        let message = format!("{} calldata for {} calls", stated.get_ref().len(), made.len());
        return Err(source.fault(stated.span(), message));
    }
    let call = |((step, item), text): ((&Step, Item), &Text)| {
        let signature = step.function.signature();
        let (data, args, appended) = step
            .calldata(&values.with(item))
            .map_err(|stop| source.fault(wire.span(), format!("{signature}: {}", why(stop))))?;
        if hex::encode_prefixed(&data) != *text.get_ref() {
            let message = format!("{signature} gives {data} and not this");
            return Err(source.fault(text.span(), message));
        }
        Ok(ExampleCall { signature, args: args.iter().map(|a| render(a, None)).collect(), appended, data })
    };
    made.into_iter().zip(stated.get_ref()).map(call).collect()
}

fn why(stop: EvalStop) -> String {
    match stop {
        EvalStop::Missing => "the example gives too few reads".into(),
        EvalStop::Wrong(why) => why,
    }
}
