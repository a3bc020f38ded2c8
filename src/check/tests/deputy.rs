//! One key acts by a module: what the module says, and what it makes the Safe do.

use super::*;
use crate::check::{Module, of_deputy};
use crate::fork::{End, Frame, FrameKind};
use crate::safe::PauseForm;

const PAUSER: Address = Address::repeat_byte(0x20);

fn module() -> Module {
    Module {
        address: PAUSER,
        version: Some("2.1.0".into()),
        deputy: Some(OWNER),
        acts_for: Some(SAFE),
        is_enabled: true,
        is_used: Some(false),
        nonce: B256::repeat_byte(7),
        form: PauseForm::Second { identifier: VAULT },
        named: ("alice".into(), OWNER),
    }
}

fn frame(from: Address, to: Address, kind: FrameKind) -> Frame {
    Frame {
        depth: 1,
        kind,
        from,
        to,
        value: U256::from(10),
        input: Bytes::new(),
        output: Bytes::new(),
        end: End::Returned,
        gas_used: 1,
    }
}

/// The Safe makes the playbook's call, through its singleton.
fn case() -> Case {
    let mut ran = rehearsal();
    ran.writes.clear();
    ran.trace.frames = vec![
        frame(PAUSER, SAFE, FrameKind::Call),
        frame(SAFE, Address::repeat_byte(6), FrameKind::DelegateCall),
        frame(SAFE, VAULT, FrameKind::Call),
    ];
    Case::new(ran)
}

fn found(case: &Case, module: &Module) -> Vec<(String, Level)> {
    let kinds = ["module-", "deputy"];
    let all = case.all(|facts| of_deputy(facts, Some(module))).into_iter();
    let own = all.filter(|f| kinds.iter().any(|kind| f.kind.starts_with(kind)) && f.level != Level::Pass);
    own.map(|f| (f.kind.to_string(), f.level)).collect()
}

#[test]
fn each_value_that_the_module_states_differently_is_refused() {
    assert_eq!(found(&case(), &module()), []);
    let wrong: [(&str, Module); 8] = [
        ("module-version", Module { version: Some("1.0.1".into()), ..module() }),
        ("module-version", Module { version: None, ..module() }),
        ("module-version", Module { is_used: None, ..module() }),
        ("deputy", Module { deputy: Some(THIEF), ..module() }),
        ("deputy", Module { deputy: None, ..module() }),
        ("module-safe", Module { acts_for: Some(THIEF), ..module() }),
        ("module-enabled", Module { is_enabled: false, ..module() }),
        ("deputy-nonce", Module { is_used: Some(true), ..module() }),
    ];
    for (kind, module) in wrong {
        assert_eq!(found(&case(), &module), refused(kind), "{module:?}");
    }
    let first = Module { version: Some("1.0.0-beta.2".into()), form: PauseForm::First, ..module() };
    assert_eq!(found(&case(), &first), []);
}

#[test]
fn the_safe_makes_the_playbooks_call_and_no_other() {
    let calls = |change: fn(&mut Vec<Frame>)| {
        let mut case = case();
        change(&mut case.rehearsal.trace.frames);
        found(&case, &module())
    };
    let refused = refused("module-call");
    assert_eq!(calls(|frames| frames.push(frame(SAFE, THIEF, FrameKind::Call))), refused, "one more");
    assert_eq!(calls(|frames| frames.truncate(2)), refused, "none");
    assert_eq!(calls(|frames| frames[2].input = Bytes::from_static(&[1])), refused, "other data");
    assert_eq!(calls(|frames| frames[2].value = U256::ZERO), refused, "other ether");
    assert_eq!(calls(|frames| frames[2].to = THIEF), refused, "another contract");
    let mut cut = case();
    cut.rehearsal.trace.cut = true;
    assert_eq!(found(&cut, &module()), refused, "not all of it was seen");
    // Calls that only read are allowed.
    assert_eq!(calls(|frames| frames.push(frame(SAFE, THIEF, FrameKind::StaticCall))), []);
}

/// A single key needs no module, and the pins of a Safe do not apply.
#[test]
fn an_act_of_one_key_is_checked_against_its_playbook_and_its_effects() {
    let mut case = case();
    let innocent = case.found(|facts| of_deputy(facts, None));
    let refused = |case: &Case| {
        let all = case.found(|facts| of_deputy(facts, None)).into_iter();
        all.filter(|found| found.1 == Level::Refuse && !innocent.contains(found)).count()
    };
    case.rehearsal.writes = vec![write(THIEF, B256::ZERO, 1)];
    assert_eq!(refused(&case), 1, "a change that nobody declared");
    case.rehearsal.outcome = RunResult::Reverted;
    let all = case.found(|facts| of_deputy(facts, None));
    assert!(all.contains(&("rehearsal-fails".to_string(), Level::Refuse)), "{all:?}");
}

/// A module acts for the Safe that the council file pins. The act of a single key does not check a Safe.
#[test]
fn the_safe_that_a_module_acts_for_is_as_pinned() {
    let mut case = case();
    case.council_safe.version = Some(SafeVersion::V1_3_0);
    let refused = |module: Option<&Module>| {
        let found = case.all(|facts| of_deputy(facts, module));
        found.iter().any(|finding| finding.kind == "safe-version" && finding.level == Level::Refuse)
    };
    assert!(refused(Some(&module())) && !refused(None));
}
