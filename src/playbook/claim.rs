//! Questions of a playbook to the chain, as written: values to read and claims to check. They become [`Subject`]s and
//! [`Check`]s when the arguments are known.

use std::collections::BTreeSet;

use alloy::dyn_abi::{DynSolType, DynSolValue, JsonAbiExt};
use alloy::json_abi::{Event, Function, Param};
use alloy::primitives::{Address, B256, Bytes};

use super::each::{Each, turns};
use super::language::expression::{EvalStop, Values};
use super::language::template::Template;
use super::language::value::{param_type, param_types};
use super::postcheck::{CallCheck, Check, Ending, EventCheck, Expectation, Relation, Subject};
use crate::evm::{Query, called, render};

/// A value on chain: a view's result, a storage slot or a balance.
#[derive(Clone, Debug, PartialEq, derive_more::Display)]
pub enum ValueSource {
    /// The result of a view.
    View(StaticCall),
    /// A storage slot, read as a type.
    #[display("{on} slot {slot}")]
    Slot { on: Template, slot: Template, ty: DynSolType },
    /// A balance of ETH in wei, or of an ERC-20 token in its smallest unit.
    #[display("{of} balance {}", token.as_ref().map_or_else(|| "in wei".into(), |token| format!("of {token}")))]
    Balance { of: Template, token: Option<Template> },
    /// keccak256 of the code at this address, zero where there is none.
    #[display("{of} code hash")]
    Code { of: Template },
    /// The block's time.
    #[display("{TIME}")]
    Time,
}

/// A call that is asked and not sent.
#[derive(Clone, Debug, PartialEq, derive_more::Display)]
#[display("{on} {}({})", function.name, listed(args))]
pub struct StaticCall {
    pub on: Template,
    pub function: Function,
    pub args: Vec<Template>,
    pub from: Option<Template>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The lists over which it is repeated; once where there are none.
    pub each: Option<Each>,
    pub to: Template,
    pub function: Function,
    pub args: Vec<Template>,
    /// In wei.
    pub value: Option<Template>,
    /// An address whose 20 bytes follow the arguments, for a contract that reads its target there.
    pub append: Option<Template>,
    /// The call, from the Safe and alone, must not revert before anybody signs.
    pub tried: bool,
    /// The step is left out when all of these hold already; never where there are none.
    pub skip_if: Vec<Claim>,
}

impl Step {
    /// Returns the calldata, the values of the arguments in it, and the address that follows them.
    pub(super) fn calldata(
        &self,
        values: &Values,
    ) -> Result<(Bytes, Vec<DynSolValue>, Option<Address>), EvalStop> {
        let (data, args) = encode(&self.function, &self.args, values)?;
        let appended = self.append.as_ref().map(|address| address.address(values)).transpose()?;
        let tail = appended.as_ref().map(|address| address.as_slice()).unwrap_or_default();
        Ok(([&data, tail].concat().into(), args, appended))
    }

    /// Adds the names that the calls depend on.
    pub(super) fn names(&self, into: &mut BTreeSet<String>) {
        if let Some(each) = &self.each {
            each.names(into);
        }
        self.to.names(into);
        self.args.iter().chain(&self.value).chain(&self.append).for_each(|template| template.names(into));
        self.skip_if.iter().for_each(|claim| claim.names(into));
    }
}

/// A claim that must be true, once or for each item of a list.
#[derive(Clone, Debug, PartialEq, derive_more::Display)]
#[display("{}{fact}", each.as_ref().map(|each| format!("{each}: ")).unwrap_or_default())]
pub struct Claim {
    pub each: Option<Each>,
    /// For a check after the steps: the reason why it may hold before them already.
    pub kept: Option<String>,
    pub fact: Fact,
}

/// Something that must be true.
#[derive(Clone, Debug, PartialEq, derive_more::Display)]
pub enum Fact {
    #[display("{source} {} {expected}", relation.phrase())]
    Value { source: ValueSource, relation: Relation, expected: Template },
    #[display("{on} emits {}({})", event.name, listed(args))]
    Event { on: Template, event: Event, args: Vec<Template> },
    #[display("{call} {ending}")]
    Call { call: StaticCall, ending: Ending },
}

const TIME: &str = "the block's time";

fn listed(args: &[Template]) -> String {
    args.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl StaticCall {
    fn query(&self, values: &Values) -> Result<(String, Query), EvalStop> {
        let to = self.on.address(values)?;
        let (data, args) = encode(&self.function, &self.args, values)?;
        let args = args.iter().map(|a| render(a, None)).collect::<Vec<_>>().join(", ");
        let label = format!("{} {}({args})", called(to, values.names), self.function.name);
        let from = self.from.as_ref().map(|f| f.address(values)).transpose()?;
        Ok((label, Query::Call { from, to, data }))
    }

    fn names(&self, into: &mut BTreeSet<String>) {
        self.on.names(into);
        self.args.iter().chain(&self.from).for_each(|t| t.names(into));
    }
}

/// Calldata and the values in it.
pub(super) fn encode(
    function: &Function,
    args: &[Template],
    values: &Values,
) -> Result<(Bytes, Vec<DynSolValue>), EvalStop> {
    let args = args.iter().map(|a| a.eval(values)).collect::<Result<Vec<_>, _>>()?;
    let data = function.abi_encode_input(&args).map_err(|e| e.to_string())?;
    Ok((data.into(), args))
}

impl ValueSource {
    /// The type of the value: a tuple where a view returns several.
    pub(super) fn ty(&self) -> DynSolType {
        match self {
            Self::View(call) => {
                let mut types = param_types(&call.function.outputs);
                if types.len() == 1 { types.remove(0) } else { DynSolType::Tuple(types) }
            }
            Self::Slot { ty, .. } => ty.clone(),
            Self::Balance { .. } | Self::Time => DynSolType::Uint(256),
            Self::Code { .. } => DynSolType::FixedBytes(32),
        }
    }

    /// The fields of the value, by the names that the signature gives them; none for a single value.
    pub(super) fn fields(&self) -> Vec<(String, DynSolType)> {
        let Self::View(call) = self else { return Vec::new() };
        let outputs = match &call.function.outputs[..] {
            [one] => &one.components,
            several => several,
        };
        let field = |output: &Param| Some((output.name.clone(), param_type(output).ok()?));
        outputs.iter().filter_map(field).collect()
    }

    pub(super) fn resolve(&self, values: &Values) -> Result<Subject, EvalStop> {
        match self {
            Self::View(call) => {
                let (label, query) = call.query(values)?;
                let errors = values.errors.to_vec();
                Ok(Subject { errors, ..Subject::new(label, query, param_types(&call.function.outputs)) })
            }
            Self::Slot { on, slot, ty } => {
                let address = on.address(values)?;
                let slot = slot.eval(values)?;
                let word = slot.as_word().ok_or_else(|| format!("{} is not a slot", render(&slot, None)))?;
                let label = format!("{} slot {word}", called(address, values.names));
                Ok(Subject::new(label, Query::Storage { address, slot: word }, vec![ty.clone()]))
            }
            Self::Balance { of, token } => {
                let address = of.address(values)?;
                let token = token.as_ref().map(|t| t.address(values)).transpose()?;
                Ok(balance(address, token, values))
            }
            Self::Code { of } => {
                let address = of.address(values)?;
                let label = format!("{} code hash", called(address, values.names));
                let types = vec![DynSolType::FixedBytes(32)];
                Ok(Subject::new(label, Query::CodeHash { address }, types))
            }
            Self::Time => Ok(Subject::new(TIME.into(), Query::Time, vec![DynSolType::Uint(256)])),
        }
    }

    pub(super) fn names(&self, into: &mut BTreeSet<String>) {
        match self {
            Self::View(call) => call.names(into),
            Self::Slot { on, slot, .. } => {
                on.names(into);
                slot.names(into);
            }
            Self::Balance { of, token } => {
                of.names(into);
                if let Some(token) = token {
                    token.names(into);
                }
            }
            Self::Code { of } => of.names(into),
            Self::Time => {}
        }
    }
}

fn balance(address: Address, token: Option<Address>, values: &Values) -> Subject {
    /// `balanceOf(address)`
    const BALANCE_OF: [u8; 4] = [0x70, 0xa0, 0x82, 0x31];
    let who = called(address, values.names);
    let types = vec![DynSolType::Uint(256)];
    match token {
        None => Subject::new(format!("{who} balance in wei"), Query::Balance { address }, types),
        Some(to) => {
            let label = format!("{who} balance of {}", called(to, values.names));
            let data = [BALANCE_OF.as_slice(), address.into_word().as_slice()].concat().into();
            Subject::new(label, Query::Call { from: None, to, data }, types)
        }
    }
}

impl Claim {
    /// The names that the claim depends on, besides those that it gives itself.
    pub(super) fn names(&self, into: &mut BTreeSet<String>) {
        if let Some(each) = &self.each {
            each.names(into);
        }
        self.fact.names(into);
    }

    /// Returns one check for each turn.
    pub(super) fn resolve(&self, values: &Values) -> Result<Vec<Check>, EvalStop> {
        let turns = turns(self.each.as_ref(), values)?;
        turns.into_iter().map(|turn| self.fact.resolve(&values.with(turn))).collect()
    }
}

impl Fact {
    fn names(&self, into: &mut BTreeSet<String>) {
        match self {
            Self::Value { source, expected, .. } => {
                source.names(into);
                expected.names(into);
            }
            Self::Event { on, args, .. } => {
                on.names(into);
                for arg in args {
                    arg.names(into);
                }
            }
            Self::Call { call, .. } => call.names(into),
        }
    }

    fn resolve(&self, values: &Values) -> Result<Check, EvalStop> {
        match self {
            Self::Value { source, relation, expected } => Ok(Check::Value {
                subject: source.resolve(values)?,
                expectation: Expectation { relation: *relation, pattern: expected.pattern(values)? },
            }),
            Self::Event { on, event, args } => {
                let address = on.address(values)?;
                let args = args.iter().map(|a| a.pattern(values)).collect::<Result<Vec<_>, _>>()?;
                let label = called(address, values.names);
                Ok(Check::Event(EventCheck { label, address, event: event.clone(), args }))
            }
            Self::Call { call, ending } => {
                let (label, query) = call.query(values)?;
                let errors = values.errors.to_vec();
                Ok(Check::Call(CallCheck { label, query, ending: *ending, errors }))
            }
        }
    }
}

/// A slot number as the word that storage is asked with.
pub(super) fn slot_number(text: &str) -> Option<DynSolValue> {
    let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let number = digits.then(|| crate::safe::parse_uint(text)).flatten()?;
    Some(DynSolValue::FixedBytes(B256::from(number), 32))
}
