//! The changes of a call of a Safe on a fork: the views of the contract that return another value afterwards.

use std::collections::BTreeMap;

use alloy::dyn_abi::{DynSolType, DynSolValue, FunctionExt, JsonAbiExt, Specifier};
use alloy::json_abi::Function;
use alloy::primitives::{Bytes, U256};

use crate::ceremony::desk::Desk;
use crate::ceremony::discovery::contract::ContractLocation;
use crate::ceremony::rehearsal_result;
use crate::chain::Ask;
use crate::clock;
use crate::council;
use crate::error::{Error, Exit};
use crate::evm::{AddressBook, Answer, BlockTag, Query, render};
use crate::fork::ExecTransaction;
use crate::playbook::{ObservedChange, argument, params_of};
use crate::safe::{Operation, SafeTx};

/// The most views that are asked; each reads a few values of the state.
const MOST_VIEWS: usize = 200;

/// The result of rehearsing one call.
pub struct ObservedChanges {
    pub changes: Vec<ObservedChange>,
    /// The number of the contract's slots that were written.
    pub slots: usize,
}

impl Desk<'_> {
    /// Rehearses a call by a Safe on a fork, and compares the values of these views before and after it. It sends
    /// nothing. Fails if the arguments do not fit the function, the chain cannot be asked, or the call fails from the
    /// Safe.
    pub fn observed_changes(
        &self,
        place: ContractLocation<'_>,
        safe: &council::Safe,
        function: &Function,
        given: &BTreeMap<String, String>,
        views: &[Function],
    ) -> Result<ObservedChanges, Error> {
        if safe.chain != place.chain.name {
            let message =
                format!("{} is on {}, and {} on {}", safe.name, safe.chain, place.address, place.chain.name);
            return Err(Error::new(Exit::Usage, message).hint("name a Safe of that chain with --safe NAME"));
        }
        let names = self.council.names_on(&place.chain.name);
        let data = calldata(function, given, &names)?;
        let queries: Vec<Query> = views.iter().take(MOST_VIEWS).map(|view| view_query(place, view)).collect();
        let link = self.connect_to(place.chain)?;
        let ask = Ask { safe: safe.address, ..Ask::default() };
        let reading = format!("reading {} on {}", safe.name, place.chain.name);
        let seen = self.progress.wait(&reading, || link.snapshot(&ask, BlockTag::Latest))?;
        let mut fork = link.forked(&seen, clock::seconds());
        let before = self.progress.wait("asking its views", || fork.answers(&queries))?;
        let state = &seen.state;
        let tx = SafeTx::new(place.address, U256::ZERO, data, Operation::Call, state.nonce);
        let exec = ExecTransaction::unsigned(state, &tx);
        let ran = self.progress.wait("rehearsing", || fork.run(&exec, &queries))?;
        rehearsal_result::check_success(&ran, None, &names).map_err(|why| {
            let message = format!("{} fails from {}: {why}", function.signature(), safe.name);
            Error::new(Exit::Failed, message)
                .hint("give the Safe its role, or pass other arguments with --set")
        })?;
        let change = |(view, query): (&Function, &Query)| {
            let (before, after) = (before.get(query)?, ran.answers.get(query)?);
            (before != after)
                .then(|| {
                    Some(ObservedChange {
                        view: view.clone(),
                        before: text(view, before)?,
                        after: text(view, after)?,
                    })
                })
                .flatten()
        };
        let changes = views.iter().zip(&queries).filter_map(change).collect();
        let slots = ran.writes.iter().filter(|write| write.address == place.address).count();
        Ok(ObservedChanges { changes, slots })
    }
}

fn view_query(place: ContractLocation<'_>, view: &Function) -> Query {
    Query::Call { from: None, to: place.address, data: Bytes::copy_from_slice(view.selector().as_slice()) }
}

/// Returns the only value of a view, as a playbook writes it; `None` for several, or for lists and texts.
fn text(view: &Function, answer: &Answer) -> Option<String> {
    let Answer::Value(data) = answer else { return None };
    match &view.abi_decode_output(data).ok()?[..] {
        [
            value @ (DynSolValue::Bool(_)
            | DynSolValue::Uint(..)
            | DynSolValue::Int(..)
            | DynSolValue::Address(_)
            | DynSolValue::FixedBytes(..)),
        ] => Some(render(value, None)),
        _ => None,
    }
}

/// Returns the call with the arguments that were given by the names of a playbook's params.
fn calldata(
    function: &Function,
    given: &BTreeMap<String, String>,
    names: &AddressBook,
) -> Result<Bytes, Error> {
    let wrong = |message: String| Error::new(Exit::Usage, message);
    let params = params_of(function);
    if let Some(name) = given.keys().find(|name| params.iter().all(|(param, _)| param != *name)) {
        let known = params.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(wrong(format!("{} has no argument {name:?}; known: {known}", function.name)));
    }
    let mut values = Vec::new();
    for (input, (name, ty)) in function.inputs.iter().zip(&params) {
        let text = given.get(name).ok_or_else(|| {
            wrong(format!("{} needs {name} ({ty})", function.name)).hint(format!("--set {name}=…"))
        })?;
        let ty: DynSolType = input.resolve().map_err(|e| wrong(e.to_string()))?;
        values.push(argument(&ty, text, names).map_err(|why| wrong(format!("{name}={text}: {why}")))?);
    }
    function.abi_encode_input(&values).map(Bytes::from).map_err(|e| wrong(e.to_string()))
}

#[cfg(test)]
mod tests {
    use alloy::sol_types::SolValue;

    use super::*;

    fn function(signature: &str) -> Function {
        Function::parse(signature).unwrap()
    }

    fn given(all: &[(&str, &str)]) -> BTreeMap<String, String> {
        all.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string())).collect()
    }

    #[test]
    fn a_call_takes_its_own_arguments_and_no_others() {
        let set = function("setFee(uint256 fee, address to)");
        let zero = "0x0000000000000000000000000000000000000000";
        let names = [("treasury".to_string(), alloy::primitives::Address::ZERO)].into_iter().collect();
        let call = |all: &[(&str, &str)]| calldata(&set, &given(all), &names).map_err(|error| error.message);
        let data = call(&[("fee", "7"), ("to", zero)]).unwrap();
        assert_eq!(data[..4], set.selector()[..]);
        assert_eq!(data[4..], (U256::from(7), alloy::primitives::Address::ZERO).abi_encode()[..]);
        assert_eq!(call(&[("fee", "7"), ("to", "treasury")]).unwrap(), data);
        assert_eq!(call(&[("fee", "7")]).unwrap_err(), "setFee needs to (address)");
        let message = call(&[("fee", "7"), ("too", zero), ("to", zero)]).unwrap_err();
        assert_eq!(message, "setFee has no argument \"too\"; known: fee, to");
        assert!(call(&[("fee", "x"), ("to", zero)]).unwrap_err().starts_with("fee=x: "));
    }

    #[test]
    fn only_a_single_plain_value_can_stand_in_a_playbook() {
        let of = |view: &str, data: Vec<u8>| text(&function(view), &Answer::Value(data.into()));
        assert_eq!(of("paused()(bool)", true.abi_encode()).as_deref(), Some("true"));
        assert_eq!(of("fee()(uint256)", U256::from(30).abi_encode()).as_deref(), Some("30"));
        assert_eq!(of("name()(string)", "x".to_string().abi_encode()), None);
        assert_eq!(of("pair()(bool,bool)", (true, true).abi_encode()), None);
        assert_eq!(of("paused()(bool)", Vec::new()), None);
        assert_eq!(text(&function("paused()(bool)"), &Answer::Reverted(Bytes::new())), None);
    }
}
