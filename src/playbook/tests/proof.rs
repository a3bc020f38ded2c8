//! Warnings for the author of a playbook: small files that break one rule each.

use super::super::Playbook;

/// A playbook whose proof is good; the blocks replace or follow its own.
const GOOD: &str = r#"schema = 1
id = "pause/x"
kind = "pause"
title = "t"
severity = "P1"
does_not_stop = "n"
cost = "c"
undo = { none = "w" }
source = "s"
[[param]]
name = "market"
type = "address"
[[read]]
name = "queue"
view = "queue()(uint256[])"
on = "{market}"
[[before]]
view = "paused()(bool)"
on = "{market}"
expect = "false"
[[step]]
to = "{market}"
call = "pause()"
[[after]]
view = "paused()(bool)"
on = "{market}"
expect = "true"
"#;

fn warnings(text: &str) -> Vec<String> {
    Playbook::parse("a.toml", text).unwrap_or_else(|fault| panic!("{fault}")).warnings()
}

/// The warnings of one more claim.
fn of(after: &str) -> Vec<String> {
    warnings(&format!("{GOOD}[[after]]\n{after}"))
}

#[test]
fn a_claim_that_nothing_compares_before_the_steps_is_warned_of() {
    assert_eq!(warnings(GOOD), Vec::<String>::new());
    let before = "[[before]]\nview = \"paused()(bool)\"\non = \"{market}\"\nexpect = \"false\"\n";
    let found = warnings(&GOOD.replace(before, ""));
    assert_eq!(
        found,
        [
            "[[after]] {market} paused() is true: it may hold before the steps already, for nothing compares it there. \
          Compare it in [[before]] or skip_if, or say in kept why it is looked at"
        ]
    );
    let skip =
        "call = \"pause()\"\nskip_if = { view = \"paused()(bool)\", on = \"{market}\", expect = \"true\" }";
    assert!(warnings(&GOOD.replace(before, "").replace("call = \"pause()\"", skip)).is_empty());
    for after in [
        "view = \"owner()(address)\"\non = \"{market}\"\nexpect = \"{safe}\"\n",
        // Any value fulfils it, read before or not.
        "view = \"queue()(uint256[])\"\non = \"{market}\"\nexpect = \"_\"\n",
        "view = \"queue()(uint256[])\"\non = \"{safe}\"\nexpect = \"[]\"\n",
        "reverts = \"deposit(uint256)\"\non = \"{market}\"\nargs = [\"1\"]\n",
        "balance = \"{market}\"\nexpect = \"0\"\n",
    ] {
        assert_eq!(of(after).len(), 1, "{after}: {:?}", of(after));
        assert!(of(after)[0].contains("may hold before the steps"), "{after}");
        assert!(of(&format!("{after}kept = \"it must stay so\"\n")).is_empty(), "{after}");
    }
    assert!(of("event = \"Paused()\"\non = \"{market}\"\n").is_empty());
    // It reverted before, and does not now.
    let failed = "[[before]]\nreverts = \"price()\"\non = \"{market}\"\n";
    assert!(
        of(&format!("view = \"price()(uint256)\"\non = \"{{market}}\"\nexpect = \"_\"\n{failed}")).is_empty()
    );
}

#[test]
fn a_claim_about_a_part_of_a_list_is_warned_of() {
    let queue = |rest: &str| format!("view = \"queue()(uint256[])\"\non = \"{{market}}\"\n{rest}\n");
    for after in [
        queue("contains = \"5\""),
        queue("lacks = \"5\""),
        queue("expect = \"[_, 5]\""),
        "view = \"queueLength()(uint256)\"\non = \"{market}\"\nexpect = \"{len(queue)}\"\nkept = \"k\"\n".into(),
        "view = \"queue(uint256)(bytes32)\"\non = \"{market}\"\nargs = [\"0\"]\nexpect_not = \"0x\"\nkept = \"k\"\n"
            .replace("\"0x\"", &format!("\"0x{}\"", "00".repeat(32))),
    ] {
        let found = of(&after);
        assert_eq!(found.len(), 1, "{after}: {found:?}");
        assert!(found[0].contains("it looks at a part of a list"), "{found:?}");
    }
    for after in [
        queue("expect = \"{without(queue, 5)}\""),
        queue("same_items = \"[]\""),
        format!("{}[[after]]\n{}", queue("contains = \"5\""), queue("same_items = \"{with(queue, 5)}\"")),
        // An empty list has no other part.
        "view = \"queueLength()(uint256)\"\non = \"{market}\"\nexpect = \"0\"\nkept = \"k\"\n".into(),
        "view = \"queueLength()(uint256)\"\non = \"{market}\"\nexpect = \"{len(queue)}\"\nkept = \"k\"\n[[after]]\n\
         view = \"queue(uint256)(uint256)\"\non = \"{market}\"\nargs = [\"{at}\"]\nexpect = \"{was}\"\n\
         for = { at = \"{indices(len(queue))}\", was = \"{queue}\" }\nkept = \"k\"\n"
            .into(),
        // It is not a place in a list, but the flags of an id that the act names.
        "view = \"paused(uint8)(bool)\"\non = \"{market}\"\nargs = [\"0\"]\nexpect = \"true\"\nkept = \"k\"\n".into(),
    ] {
        assert_eq!(of(&after), Vec::<String>::new(), "{after}");
    }
}

#[test]
fn a_proof_by_the_switch_alone_is_warned_of() {
    let text = GOOD
        .replace("source = \"s\"\n", "source = \"s\"\nchanges = [\"{oracle}\"]\n")
        .replace("[[read]]", "[[param]]\nname = \"oracle\"\ntype = \"address\"\n[[read]]");
    assert_eq!(
        warnings(&text),
        ["changes names {oracle}, and every [[after]] asks only the contract that is called. \
          Ask the contract that users depend on too"]
    );
    let asks = "[[before]]\nview = \"stopped()(bool)\"\non = \"{oracle}\"\nexpect = \"false\"\n\
                [[after]]\nview = \"stopped()(bool)\"\non = \"{oracle}\"\nexpect = \"true\"\n";
    assert!(warnings(&format!("{text}{asks}")).is_empty());
    let emits = "[[after]]\nevent = \"Stopped()\"\non = \"{oracle}\"\n";
    assert!(warnings(&format!("{text}{emits}")).is_empty());
}
