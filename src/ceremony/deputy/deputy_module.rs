//! The module by which one key's signature makes a Safe act: what is asked of it, and its answers.

use alloy::primitives::{Address, B256, Bytes};
use alloy::sol_types::SolCall;

use crate::check::Module;
use crate::evm::{Answer, Query, Readings};
use crate::safe::{IDeputyGuardianModule, IDeputyPauseModule, IModules, Pause, PauseForm};

/// The longest answer that is decoded: a short text.
const LONGEST: usize = 512;

/// Returns the questions that can be asked at once. In the second version the Safe itself says the rest.
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
pub fn deputy_query(module: Address) -> Query {
    ask(module, &IDeputyPauseModule::deputyCall {})
}

/// Returns the answers.
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

#[cfg(test)]
mod tests {
    use alloy::sol_types::SolValue;

    use super::*;

    const MODULE: Address = Address::repeat_byte(1);
    const SAFE: Address = Address::repeat_byte(2);
    const BETWEEN: Address = Address::repeat_byte(3);
    const FOUNDATION: Address = Address::repeat_byte(4);
    const DEPUTY: Address = Address::repeat_byte(5);

    fn answer(said: &mut Readings, query: Query, value: &impl SolValue) {
        said.insert(query, Answer::Value(value.abi_encode().into()));
    }

    fn pause(form: PauseForm) -> Pause {
        Pause { chain_id: 1, module: MODULE, nonce: B256::repeat_byte(9), form }
    }

    /// The answers of an honest module of the second version, with another one to one question.
    fn said(change: impl FnOnce(&mut Readings)) -> Readings {
        let mut said = Readings::default();
        answer(&mut said, ask(MODULE, &IDeputyPauseModule::versionCall {}), &"2.1.0".to_string());
        answer(&mut said, deputy_query(MODULE), &DEPUTY);
        let nonce = B256::repeat_byte(9);
        answer(&mut said, ask(MODULE, &IDeputyPauseModule::usedNoncesCall { nonce }), &false);
        answer(&mut said, ask(MODULE, &IDeputyPauseModule::guardianSafeCall {}), &SAFE);
        answer(&mut said, is_enabled(SAFE, MODULE), &true);
        change(&mut said);
        said
    }

    fn read_with(form: PauseForm, said: &Readings) -> Module {
        read(&pause(form), SAFE, ("alice", DEPUTY), said)
    }

    #[test]
    fn a_module_says_for_whom_it_acts_and_who_its_deputy_is() {
        let second = PauseForm::Second { identifier: Address::ZERO };
        let module = read_with(second, &said(|_| ()));
        assert_eq!((module.version.as_deref(), module.deputy), (Some("2.1.0"), Some(DEPUTY)));
        assert_eq!((module.acts_for, module.is_enabled, module.is_used), (Some(SAFE), true, Some(false)));
        let module = read_with(second, &said(|said| answer(said, is_enabled(SAFE, MODULE), &false)));
        assert!(!module.is_enabled);
        let silent = read_with(second, &Readings::default());
        assert!(!silent.is_enabled && silent.deputy.is_none() && silent.is_used.is_none());
        let used = ask(MODULE, &IDeputyPauseModule::usedNoncesCall { nonce: B256::repeat_byte(9) });
        let reverted =
            read_with(second, &said(|said| said.insert(used.clone(), Answer::Reverted(Bytes::new()))));
        assert_eq!(reverted.is_used, None);
        // A text with control characters in it, and one that is too long.
        let version = ask(MODULE, &IDeputyPauseModule::versionCall {});
        let control =
            read_with(second, &said(|said| answer(said, version.clone(), &"2\u{1b}.1".to_string())));
        assert_eq!(control.version.as_deref(), Some("2.1"));
        let long = read_with(second, &said(|said| answer(said, version.clone(), &"2".repeat(600))));
        assert_eq!(long.version, None);
        let longest = read_with(second, &said(|said| answer(said, version.clone(), &"2".repeat(448))));
        assert!(longest.version.is_some());
    }

    /// In the first version another module stands between: both have to be enabled, each in its Safe.
    #[test]
    fn in_the_first_version_both_modules_are_enabled() {
        let first = |enabled: [bool; 2]| {
            let said = said(|said| {
                answer(said, ask(MODULE, &IDeputyPauseModule::deputyGuardianModuleCall {}), &BETWEEN);
                answer(said, ask(MODULE, &IDeputyPauseModule::foundationSafeCall {}), &FOUNDATION);
                answer(said, ask(BETWEEN, &IDeputyGuardianModule::safeCall {}), &SAFE);
                answer(said, is_enabled(FOUNDATION, MODULE), &enabled[0]);
                answer(said, is_enabled(SAFE, BETWEEN), &enabled[1]);
            });
            (read_with(PauseForm::First, &said), said)
        };
        let (module, said) = first([true, true]);
        assert_eq!((module.acts_for, module.is_enabled), (Some(SAFE), true));
        assert!(!first([false, true]).0.is_enabled && !first([true, false]).0.is_enabled);
        let more = more_queries(MODULE, SAFE, PauseForm::First, &said);
        assert_eq!(more.len(), 3);
        assert!(more.contains(&is_enabled(SAFE, BETWEEN)) && more.contains(&is_enabled(FOUNDATION, MODULE)));
        let second = PauseForm::Second { identifier: Address::ZERO };
        assert!(more_queries(MODULE, SAFE, second, &said).is_empty());
        assert_eq!(queries(MODULE, SAFE, B256::ZERO).len(), 7);
    }
}
