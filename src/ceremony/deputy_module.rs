//! The module by which one key's signature makes a Safe act: what is asked of it, and its answers.

use alloy::primitives::{Address, B256, Bytes};
use alloy::sol_types::SolCall;

use crate::check::Module;
use crate::evm::{Answer, Query, Readings};
use crate::safe::{IDeputyGuardianModule, IDeputyPauseModule, IModules, Pause, PauseForm};

/// The longest answer that is decoded: a short text.
const LONGEST: usize = 512;

/// Returns the questions that can be asked at once. In the second version the Safe itself says the rest.
#[must_use]
pub fn queries(module: Address, safe: Address, nonce: B256) -> Vec<Query> {
    vec![
        ask(module, &IDeputyPauseModule::versionCall {}),
        deputy_query(module),
        ask(module, &IDeputyPauseModule::usedNoncesCall { nonce }),
        ask(module, &IDeputyPauseModule::guardianSafeCall {}),
        ask(module, &IDeputyPauseModule::foundationSafeCall {}),
        ask(module, &IDeputyPauseModule::deputyGuardianModuleCall {}),
        is_enabled(safe, module),
    ]
}

/// Returns the questions that depend on the answers: in the first version another module stands between.
#[must_use]
pub fn more_queries(module: Address, safe: Address, form: PauseForm, said: &Readings) -> Vec<Query> {
    if form != PauseForm::First {
        return Vec::new();
    }
    let between = address(said, &ask(module, &IDeputyPauseModule::deputyGuardianModuleCall {}));
    let foundation = address(said, &ask(module, &IDeputyPauseModule::foundationSafeCall {}));
    let of_between =
        between.map(|between| [ask(between, &IDeputyGuardianModule::safeCall {}), is_enabled(safe, between)]);
    let of_foundation = foundation.map(|foundation| is_enabled(foundation, module));
    of_between.into_iter().flatten().chain(of_foundation).collect()
}

/// Returns the question whose answer is the deputy.
#[must_use]
pub fn deputy_query(module: Address) -> Query {
    ask(module, &IDeputyPauseModule::deputyCall {})
}

/// Returns the answers.
#[must_use]
pub fn read(pause: &Pause, safe: Address, named: (&str, Address), said: &Readings) -> Module {
    let (module, nonce, form) = (pause.module, pause.nonce, pause.form);
    let of = |query: &Query| address(said, query);
    let between = of(&ask(module, &IDeputyPauseModule::deputyGuardianModuleCall {}));
    let foundation = of(&ask(module, &IDeputyPauseModule::foundationSafeCall {}));
    let (acts_for, is_enabled) = match form {
        PauseForm::First => {
            let acts_for = between.and_then(|between| of(&ask(between, &IDeputyGuardianModule::safeCall {})));
            let enabled = |safe: Option<Address>, module: Option<Address>| {
                safe.zip(module).is_some_and(|(safe, module)| is_true(said, &is_enabled(safe, module)))
            };
            (acts_for, enabled(foundation, Some(module)) && enabled(Some(safe), between))
        }
        PauseForm::Second { .. } => {
            let acts_for = of(&ask(module, &IDeputyPauseModule::guardianSafeCall {}));
            (acts_for, is_true(said, &is_enabled(safe, module)))
        }
    };
    let used = ask(module, &IDeputyPauseModule::usedNoncesCall { nonce });
    let version =
        returned::<IDeputyPauseModule::versionCall>(said, &ask(module, &IDeputyPauseModule::versionCall {}));
    Module {
        address: module,
        version: version.map(|text| text.chars().filter(|c| !c.is_control()).collect()),
        deputy: of(&deputy_query(module)),
        acts_for,
        is_enabled,
        is_used: returned::<IDeputyPauseModule::usedNoncesCall>(said, &used),
        nonce,
        form,
        named: (named.0.into(), named.1),
    }
}

fn ask(to: Address, call: &impl SolCall) -> Query {
    Query::Call { from: None, to, data: call.abi_encode().into() }
}

fn is_enabled(safe: Address, module: Address) -> Query {
    ask(safe, &IModules::isModuleEnabledCall { module })
}

fn is_true(said: &Readings, query: &Query) -> bool {
    returned::<IModules::isModuleEnabledCall>(said, query) == Some(true)
}

fn address(said: &Readings, query: &Query) -> Option<Address> {
    returned::<IDeputyPauseModule::deputyCall>(said, query)
}

fn returned<C: SolCall>(said: &Readings, query: &Query) -> Option<C::Return> {
    let Some(Answer::Value(data)) = said.get(query) else { return None };
    let data: &Bytes = Some(data).filter(|data| data.len() <= LONGEST)?;
    C::abi_decode_returns_validate(data).ok()
}
