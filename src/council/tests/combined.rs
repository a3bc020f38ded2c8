//! Levers that pull others.

use proptest::prelude::*;

use super::*;
use crate::council::{PullError, expand};

/// Two Safes; the levers of `guardian` are vault, bridge and oracle, in this order, and those of `admin` fee and owner.
const LEVERS: &str = r#"
schema = 1
name = "Example"
[chains.mainnet]
id = 1
[safes.guardian]
chain = "mainnet"
address = "0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4"
[safes.admin]
chain = "mainnet"
address = "0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552"
[levers.all]
title = "Stop everything"
pull = ["freeze", "fee", "freeze"]
[levers.vault]
playbook = "p"
safe = "guardian"
[levers.owner]
playbook = "p"
safe = "admin"
[levers.bridge]
playbook = "p"
safe = "guardian"
[levers.freeze]
pull = ["oracle", "vault", "bridge"]
alone = ["bridge"]
[levers.oracle]
playbook = "p"
safe = "guardian"
[levers.fee]
playbook = "p"
safe = "admin"
"#;

fn council() -> Council {
    Council::parse("breakglass.toml", LEVERS).unwrap()
}

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// `freeze: guardian[vault oracle]+0 guardian[bridge]+1`
fn written(expansion: &Expansion) -> String {
    let part = |p: &Part| format!("{}[{}]+{}", p.safe, p.levers.join(" "), p.after);
    let parts = expansion.parts.iter().map(part).collect::<Vec<_>>().join(" ");
    format!("{}: {parts}", expansion.pull.words().unwrap())
}

fn expanded(names: &[&str], without: &[&str]) -> Result<String, PullError> {
    expand(&council(), &list(names), &list(without), false).map(|expansion| written(&expansion))
}

#[test]
fn the_calls_are_in_the_order_of_the_council_file() {
    let one = "freeze: guardian[vault oracle]+0 guardian[bridge]+1";
    for (names, without, expected) in [
        (&["freeze"][..], &[][..], one),
        (&["oracle", "freeze", "vault"], &[], one),
        (&["oracle", "bridge", "vault"], &[], "vault bridge oracle: guardian[vault bridge oracle]+0"),
        (&["fee", "oracle"], &[], "oracle fee: guardian[oracle]+0 admin[fee]+0"),
        (&["all"], &[], "all: guardian[vault oracle]+0 guardian[bridge]+1 admin[fee]+0"),
        (
            &["fee", "owner", "all"],
            &[],
            "all owner: guardian[vault oracle]+0 guardian[bridge]+1 admin[owner fee]+0",
        ),
        (
            &["all"],
            &["oracle", "vault"],
            "all --without vault --without oracle: guardian[bridge]+0 admin[fee]+0",
        ),
        (&["all"], &["freeze"], "all --without vault --without bridge --without oracle: admin[fee]+0"),
    ] {
        assert_eq!(expanded(names, without).as_deref(), Ok(expected), "{names:?} {without:?}");
    }
    assert_eq!(council().combined["all"].title.as_deref(), Some("Stop everything"));
}

#[test]
fn a_wrong_name_is_reported_with_the_nearest_one() {
    for (names, without, expected) in [
        (&["frezee"][..], &[][..], "no lever is called \"frezee\"; did you mean \"freeze\"?"),
        (&["freeze"], &["brigde"], "no lever is called \"brigde\"; did you mean \"bridge\"?"),
        (&["freeze"], &["fee"], "--without fee: freeze does not pull it; known: bridge, oracle, vault"),
        (&["freeze", "bridge"], &["bridge"], "lever bridge is named and left out"),
        (&["bridge", "vault"], &["freeze"], "--without freeze: vault + bridge does not pull it"),
        (&["freeze"], &["vault", "bridge", "oracle"], "nothing is left of freeze"),
        (&[], &[], "no lever is named"),
    ] {
        let error = expanded(names, without).unwrap_err().to_string();
        assert!(error.contains(expected), "{names:?} {without:?}: {error}");
    }
}

/// The program suggests this command if some of the levers are done already.
#[test]
fn levers_already_done_are_left_out_by_name_or_by_without() {
    let council = council();
    for (names, without, done, expected) in [
        (
            &["freeze"][..],
            &[][..],
            &["bridge"][..],
            Some("freeze --without bridge: guardian[vault oracle]+0"),
        ),
        (&["vault", "bridge"], &[], &["bridge"], Some("vault: guardian[vault]+0")),
        (
            &["all"],
            &["vault"],
            &["fee"],
            Some("all --without vault --without fee: guardian[oracle]+0 guardian[bridge]+1"),
        ),
        (&["vault", "bridge"], &[], &["bridge", "vault"], None),
        (&["freeze"], &["vault"], &["bridge", "oracle"], None),
    ] {
        let before = expand(&council, &list(names), &list(without), false).unwrap();
        let after = before.leaving_out(&council, done).ok().map(|after| written(&after));
        assert_eq!(after.as_deref(), expected, "{names:?} without {done:?}");
    }
}

#[test]
fn a_lever_that_pulls_what_is_not_there_or_itself_is_refused_at_its_line() {
    for (from, to, expected) in [
        ("\"freeze\", \"fee\"", "\"freeze\", \"fees\"", "no lever is called \"fees\"; did you mean \"fee\"?"),
        ("\"oracle\", \"vault\"", "\"oracle\", \"all\"", "\"all\" pulls itself: all pulls freeze pulls all"),
        ("\"oracle\", \"vault\"", "\"freeze\"", "\"freeze\" pulls itself: freeze pulls freeze"),
        ("alone = [\"bridge\"]", "alone = [\"fee\"]", "\"fee\" is not a simple lever that is pulled here"),
        (
            "alone = [\"bridge\"]",
            "alone = [\"freeze\"]",
            "\"freeze\" is not a simple lever that is pulled here",
        ),
        ("[\"oracle\", \"vault\", \"bridge\"]\nalone = [\"bridge\"]", "[]", "pull names no lever"),
        ("alone = [\"bridge\"]", "set = { a = 1 }", "a combined lever has no set"),
    ] {
        assert!(LEVERS.contains(from), "{from}");
        let fault = Council::parse("breakglass.toml", &LEVERS.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(fault.contains(expected) && fault.contains('^'), "{expected:?} not in\n{fault}");
    }
}

/// Each lever pulls the two after it, in 200 floors: the ways are 2^200, and the levers 200.
#[test]
fn many_ways_to_one_lever_cost_no_more_than_one() {
    let floor = |n: usize| format!("[levers.l{n}]\npull = [\"l{}\", \"l{}\"]\n", n + 1, n + 2);
    let pulling: String = (0..200).map(floor).collect();
    let ends = "[levers.l200]\npull = [\"vault\"]\n[levers.l201]\npull = [\"oracle\"]\n";
    let council = Council::parse("breakglass.toml", &format!("{LEVERS}{pulling}{ends}")).unwrap();
    let expansion = expand(&council, &list(&["l0"]), &[], false).unwrap();
    assert_eq!(written(&expansion), "l0: guardian[vault oracle]+0");
}

proptest! {
    /// Whatever the order of the words, and however often each is said: one pull and one list of parts.
    #[test]
    fn any_typed_order_gives_the_same(
        words in prop::sample::subsequence(vec!["all", "vault", "owner", "bridge", "freeze", "oracle", "fee"], 1..7).prop_shuffle(),
        again in 0_usize..7,
    ) {
        let council = council();
        let mut sorted = words.clone();
        sorted.sort_unstable();
        let repeated: Vec<&str> = words.iter().copied().chain(words.get(again).copied()).collect();
        let once = expand(&council, &list(&sorted), &[], false).unwrap();
        prop_assert_eq!(&expand(&council, &list(&repeated), &[], false).unwrap(), &once);
        // Its own words give it again.
        prop_assert_eq!(&expand(&council, &once.pull.names, &once.pull.without, false).unwrap(), &once);
    }
}
