//! Several plans in one transaction.

use super::*;
use crate::playbook::{CombinedPlan, LeverPlan, Repeat};
use crate::safe::Call;

const BRIDGE: Address = Address::repeat_byte(0x7b);

/// Every number on the chain is 50; the Safe has three owners.
fn chain(query: &Query) -> Answer {
    match query {
        Query::Call { to: SAFE, data, .. } if data.len() == 4 && data[0] == 0xa0 => {
            addresses(&[a(2), a(3), a(4)])
        }
        Query::Call { to: SAFE, .. } => number(2),
        _ => number(50),
    }
}

fn lever(name: &str, playbook: &str, given: &[(&str, &str)]) -> LeverPlan {
    let (plan, _) = plan_with(&shipped(playbook), given, chain).unwrap();
    LeverPlan { lever: Some(name.into()), plan }
}

fn pause(name: &str, target: Address) -> LeverPlan {
    lever(name, "pause/oz-pausable", &[("target", &target.to_string())])
}

fn fee(name: &str, target: Address) -> LeverPlan {
    lever(name, "param/fee-bps", &[("target", &target.to_string()), ("fee", "55"), ("was", "50")])
}

fn swap(name: &str, old: &str, new: u8) -> LeverPlan {
    lever(name, "rotate/safe-swap-owner", &[("old", old), ("new", &a(new).to_string())])
}

fn together(levers: &[LeverPlan]) -> CombinedPlan {
    CombinedPlan::new(levers.to_vec()).unwrap()
}

#[test]
fn each_call_and_check_stays_with_its_lever_and_the_whole_is_one_plan() {
    let levers = [pause("vault", VAULT), fee("fee", BRIDGE), swap("key", "bob", 9)];
    let all = together(&levers);
    let calls: Vec<_> = all.calls().map(|(lever, call)| (lever.unwrap(), call.call.to)).collect();
    assert_eq!(calls, [("vault", VAULT), ("fee", BRIDGE), ("key", SAFE)]);
    let merged = all.merged();
    assert_eq!(merged.calls, levers.iter().flat_map(|one| one.plan.calls.clone()).collect::<Vec<_>>());
    assert_eq!(merged.after[0].describe(), "vault paused() is true");
    assert_eq!(merged.before, levers.iter().flat_map(|one| one.plan.before.clone()).collect::<Vec<_>>());
    assert_eq!(merged.after, levers.iter().flat_map(|one| one.plan.after.clone()).collect::<Vec<_>>());
    assert_eq!(merged.decided, levers.iter().flat_map(|one| one.plan.decided.clone()).collect::<Vec<_>>());
    let names: Vec<&str> = merged.args.iter().map(|arg| arg.name.as_str()).collect();
    assert!(names.contains(&"vault.target") && names.contains(&"fee.fee"), "{names:?}");
    for (query, answer) in levers.iter().flat_map(|one| one.plan.rests_on.iter()) {
        assert_eq!(merged.rests_on.get(query), Some(answer));
    }
    assert_eq!(
        all.calls_before(2),
        levers[..2].iter().map(|l| l.plan.calls[0].call.clone()).collect::<Vec<Call>>()
    );
    assert_eq!(CombinedPlan::new(vec![]), None);
    assert_eq!(together(&levers[1..2]).merged(), levers[1].plan, "one lever is its own plan, names and all");
}

#[test]
fn a_lever_that_reads_what_an_earlier_one_changes_is_named() {
    let conflicts = |levers: &[LeverPlan]| {
        let found = together(levers).conflicts(SAFE);
        found.iter().map(|c| format!("{} before {} ({})", c.earlier, c.later, c.at)).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(conflicts(&[pause("vault", VAULT), pause("bridge", BRIDGE), fee("fee", a(9))]), none);
    // The previous owner of bob is another one if alice was swapped before.
    let keys = [swap("first", "alice", 8), swap("second", "bob", 9)];
    let found = together(&keys).conflicts(SAFE);
    let named = found.iter().find(|c| c.value.contains("getOwners")).unwrap().to_string();
    assert!(named.starts_with("first and second cannot be combined: second rests on"), "{named}");
    // The other way round nothing is read after a call.
    assert_eq!(conflicts(&[fee("fee", VAULT), pause("vault", VAULT)]), none);
    assert_eq!(conflicts(&[pause("vault", VAULT), fee("fee", VAULT)])[0], "vault before fee (1)");
}

/// Only running the transaction shows that the same contract has another value.
#[test]
fn a_conflict_is_settled_by_the_value_at_its_turn() {
    let all = together(&[pause("vault", VAULT), fee("fee", VAULT)]);
    let [conflict, ..] = &all.conflicts(SAFE)[..] else { panic!("none") };
    let readings = |answer| [(conflict.query.clone(), answer)].into_iter().collect::<Readings>();
    assert!(conflict.is_settled(&readings(number(50)), &readings(number(50))));
    assert!(!conflict.is_settled(&readings(number(50)), &readings(number(51))));
    assert!(!conflict.is_settled(&Readings::default(), &Readings::default()), "nobody was asked");
}

#[test]
fn a_call_that_reverts_when_repeated_is_named_with_its_lever() {
    let all = together(&[pause("vault", VAULT), fee("fee", BRIDGE)]);
    let repeats = all.repeats(SAFE);
    assert!(repeats.iter().all(|r| matches!(&r.query, Query::Call { from: Some(SAFE), .. })));
    let answers = [
        (repeats[0].query.clone(), Answer::Reverted(vec![0xd9, 0x3c, 0x06, 0x65].into())),
        (repeats[1].query.clone(), Answer::Value(vec![].into())),
    ];
    let after: Readings = answers.into_iter().collect();
    let reverting = Repeat::reverting(&repeats, &after);
    assert_eq!(
        reverting.iter().map(|r| (r.call, r.signature.as_str())).collect::<Vec<_>>(),
        [(0, "pause()")]
    );
    assert_eq!(reverting[0].lever.as_deref(), Some("vault"));
}
