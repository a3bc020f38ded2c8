//! Parts that are repeated over lists.

use alloy::primitives::Bytes;

use super::*;
use crate::playbook::{Change, Check, Piece};

const HEAD: &str = r#"
schema = 1
id = "pause/pools"
kind = "pause"
title = "Stop pools"
severity = "P1"
does_not_stop = "n"
cost = "c"
undo = { none = "w" }
source = "s"
"#;

/// A manager that knows its pools, and the fee of each.
const POOLS: &str = r#"
[[param]]
name = "pools"
type = "address[]"

[[read]]
name = "fees"
view = "fee()(uint256)"
on = "{pool}"
for = { pool = "{pools}" }

[[step]]
to = "{pool}"
call = "stop(uint256)"
args = ["{add(fee, 1)}"]
for = { pool = "{pools}", fee = "{fees}" }
skip_if = { view = "stopped()(bool)", on = "{pool}", expect = "true" }

[[after]]
view = "stopped()(bool)"
on = "{pool}"
for = { pool = "{pools}" }
expect = "true"
"#;

fn pools() -> Playbook {
    Playbook::parse("pools.toml", &format!("{HEAD}{POOLS}")).unwrap()
}

/// Fees by the last byte of the pool's address; bob's is stopped.
fn chain(query: &Query) -> Answer {
    let Query::Call { to, data, .. } = query else { return Answer::Reverted(Bytes::new()) };
    let is_fee = data.get(..4) == Some(&alloy::primitives::keccak256("fee()")[..4]);
    if is_fee { number(u64::from(to[0])) } else { number(u64::from(*to == a(3))) }
}

#[test]
fn a_step_is_a_call_for_each_item_that_is_not_done() {
    let (plan, rounds) = plan_with(&pools(), &[("pools", "[alice, bob, carol]")], chain).unwrap();
    assert_eq!(rounds, 1, "all items are asked together");
    let calls: Vec<_> = plan.calls.iter().map(|c| (c.call.to, c.arguments[0].1.as_str(), c.step)).collect();
    assert_eq!(calls, [(a(2), "3", 0), (a(4), "5", 0)]);
    let [skipped] = &plan.skipped[..] else { panic!("{:?}", plan.skipped) };
    assert_eq!((skipped.step, skipped.reason.as_str()), (0, "bob stopped() is true"));
    let after: Vec<String> = plan.after.iter().map(Check::describe).collect();
    assert_eq!(after, ["alice stopped() is true", "bob stopped() is true", "carol stopped() is true"]);
    assert_eq!(
        (plan.reads[0].source.as_str(), plan.reads[0].shown.as_str()),
        ("{pool} fee() for each pool of {pools}", "[2, 3, 4]")
    );
    assert_eq!(plan.rests_on.iter().count(), 6);
    // The chain's part in a step is reported once.
    let decided: Vec<String> = plan.decided.iter().map(ToString::to_string).collect();
    assert_eq!(decided.len(), 3, "{decided:#?}");
    assert_eq!(decided[0], "that stop(uint256) is left out, because bob stopped() is true");
    assert!(decided[1].starts_with("that stop(uint256) is called, because "), "{decided:#?}");
    assert!(
        decided[2].starts_with("uint256 of stop(uint256), because alice fee() is 2 and "),
        "{decided:#?}"
    );
}

#[test]
fn an_impossible_list_is_refused() {
    for (list, why) in [
        ("[alice, bob, alice]", "is in the list twice"),
        ("[]", "the steps: their lists are empty: nothing is called"),
        ("[bob]", "already done: bob stopped() is true"),
        ("[alice, bo]", "no address is called \"bo\""),
    ] {
        let error = plan_with(&pools(), &[("pools", list)], chain).expect_err(list).to_string();
        assert!(error.contains(why), "{list}: {error}");
    }
    let long: Vec<String> = (0..1001_u32).map(|n| format!("0x{n:040x}")).collect();
    let error =
        plan_with(&pools(), &[("pools", &format!("[{}]", long.join(", ")))], chain).expect_err("long");
    assert!(error.to_string().contains("{pools} has 1001 items, and at most 1000 are taken"), "{error}");
}

#[test]
fn lists_side_by_side_are_equally_long() {
    let text = format!("{HEAD}{POOLS}").replace(
        "[[read]]\nname = \"fees\"\nview = \"fee()(uint256)\"\non = \"{pool}\"\nfor = { pool = \"{pools}\" }",
        "[[param]]\nname = \"fees\"\ntype = \"uint256[]\"",
    );
    let playbook = Playbook::parse("pools.toml", &text).unwrap();
    let given = [("pools", "[alice, carol]"), ("fees", "[7]")];
    let error = plan_with(&playbook, &given, chain).expect_err("two and one").to_string();
    assert_eq!(error, "step 1: {fees} has 1 items and {pools} has 2: they must be equally long");
}

#[test]
fn a_piece_is_the_same_run_of_items_for_everybody() {
    let given = |piece| [("pools", "[alice, vault, carol]"), ("piece", piece)];
    let called = |piece| {
        let (plan, _) = plan_with(&pools(), &given(piece), chain).unwrap();
        let calls: Vec<Address> = plan.calls.iter().map(|c| c.call.to).collect();
        assert_eq!(plan.after.len(), calls.len(), "what is not called is not proven");
        assert_eq!((plan.args[1].name.as_str(), plan.args[1].shown.as_str()), ("piece", piece));
        calls
    };
    assert_eq!(called("1/2"), [a(2)]);
    assert_eq!(called("2/2"), [VAULT, a(4)]);
    let (whole, _) = plan_with(&pools(), &given("1/1"), chain).unwrap();
    assert_eq!((whole.calls.len(), whole.args.len(), whole.piece), (3, 1, Some(Piece::WHOLE)));
    for (piece, why) in [("3/2", "such as 1/2"), ("1/4", "the list has only 3 items")] {
        let error = plan_with(&pools(), &given(piece), chain).expect_err(piece).to_string();
        assert!(error.contains(why), "{error}");
    }
    let error = plan_with(&shipped("pause/oz-pausable"), &[("target", "vault"), ("piece", "1/2")], chain);
    let error = error.expect_err("one call").to_string();
    assert_eq!(error, "piece=1/2: pause/oz-pausable repeats no step over a list, so it cannot be cut");
}

#[test]
fn a_list_may_be_read_from_the_chain() {
    let text = format!("{HEAD}changes = [\"safe.owners\"]\n{POOLS}").replace(
        "[[param]]\nname = \"pools\"\ntype = \"address[]\"",
        "[[read]]\nname = \"pools\"\nview = \"getOwners()(address[])\"\non = \"{safe}\"",
    );
    let playbook = Playbook::parse("pools.toml", &text).unwrap();
    let listed = |query: &Query| match query {
        Query::Call { to, .. } if *to == SAFE => addresses(&[a(2), a(4)]),
        other => chain(other),
    };
    let (plan, _) = plan_with(&playbook, &[], listed).unwrap();
    assert_eq!((plan.calls.len(), &plan.changes[..]), (2, &[Change::SafeOwners][..]));
    assert!(plan.decided.iter().any(|d| {
        d.to_string().starts_with("which contract stop(uint256) goes to, because guardian getOwners() is [")
    }));
    let (half, _) = plan_with(&playbook, &[("piece", "2/2")], listed).unwrap();
    assert_eq!(half.calls.iter().map(|c| c.call.to).collect::<Vec<_>>(), [a(4)]);
    let none = |query: &Query| {
        if matches!(query, Query::Call { to, .. } if *to == SAFE) { addresses(&[]) } else { chain(query) }
    };
    assert_eq!(
        plan_with(&playbook, &[], none).expect_err("none").to_string(),
        "the steps: their lists are empty: nothing is called"
    );
}

#[test]
fn the_author_is_told_what_is_wrong_with_a_list() {
    for (from, to, message) in [
        (
            "for = { pool = \"{pools}\" }\nexpect",
            "for = { pools = \"{pools}\" }\nexpect",
            "\"pools\" is the name of something else already",
        ),
        (
            "for = { pool = \"{pools}\" }\nexpect",
            "for = { len = \"{pools}\" }\nexpect",
            "\"len\" is the name of a function",
        ),
        (
            "for = { pool = \"{pools}\" }\nexpect",
            "for = { pool = \"{safe}\" }\nexpect",
            "this is address, and a list is needed here",
        ),
        (
            "for = { pool = \"{pools}\" }\nexpect",
            "for = { pool = \"pools\" }\nexpect",
            "write a list in braces, such as {pools}",
        ),
        ("for = { pool = \"{pools}\" }\nexpect", "for = {}\nexpect", "for needs a name and a list"),
        ("for = { pool = \"{pools}\" }\nexpect", "expect", "\"pool\" is neither a param nor a read"),
        ("name = \"pools\"", "name = \"piece\"", "\"piece\" is the name of something else already"),
    ] {
        let text = format!("{HEAD}{POOLS}");
        assert!(text.contains(from));
        let fault = Playbook::parse("pools.toml", &text.replace(from, to)).unwrap_err().to_string();
        assert!(fault.contains(message), "{to}: {fault}");
    }
    let unproven =
        format!("{HEAD}{POOLS}").replace("for = { pool = \"{pools}\" }\nexpect", "expect").replace(
            "[[after]]\nview = \"stopped()(bool)\"\non = \"{pool}\"",
            "[[after]]\nview = \"stopped()(bool)\"\non = \"{safe}\"",
        );
    let lint = Catalogue::new(vec![]).lint(&Playbook::parse("pools.toml", &unproven).unwrap());
    assert!(lint.iter().any(|l| l.contains("what it did to each item is not proven")), "{lint:?}");
}
