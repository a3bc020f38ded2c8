//! Values by name: the flags of a number, the fields of a tuple.

use alloy::primitives::Bytes;

use super::*;

const TEXT: &str = r#"
schema = 1
id = "pause/market"
kind = "pause"
title = "Stop parts of a market"
severity = "P1"
does_not_stop = "n"
cost = "c"
undo = { none = "w" }
source = "s"

[[param]]
name = "target"
type = "address"

[[param]]
name = "parts"
type = "uint8"
flags = { deposit = 1, mint = 2, withdraw = 4 }
zero = "refuse"

[[read]]
name = "state"
view = "state()(uint8 stopped,bool frozen,address admin)"
on = "{target}"

[[before]]
view = "state()(uint8 stopped,bool frozen,address admin)"
on = "{target}"
expect = { admin = "{safe}", frozen = "false" }

[[step]]
to = "{target}"
call = "stop(uint8 parts,uint8 only)"
args = ["{or(item(state, 0), parts)}", "{parts}"]

[[after]]
view = "state()(uint8 stopped,bool frozen,address admin)"
on = "{target}"
expect = { stopped = "{or(item(state, 0), parts)}" }
"#;

fn market() -> Playbook {
    Playbook::parse("market.toml", TEXT).unwrap()
}

fn state(stopped: u64, frozen: u64, admin: Address) -> Answer {
    let words = [U256::from(stopped), U256::from(frozen), U256::from_be_slice(admin.as_slice())];
    Answer::Value(Bytes::from(words.map(|word| word.to_be_bytes::<32>()).concat()))
}

#[test]
fn flags_are_chosen_and_shown_by_name() {
    let chosen =
        |parts| plan_with(&market(), &[("target", "vault"), ("parts", parts)], |_| state(4, 0, SAFE));
    let (plan, _) = chosen("[mint, deposit]").unwrap();
    assert_eq!(plan.args[1].shown, "deposit, mint (3)");
    let shown: Vec<_> = plan.calls[0].arguments.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(shown, ["deposit, mint, withdraw (7)", "deposit, mint (3)"]);
    assert!(chosen("[]").expect_err("none").to_string().contains("zero is refused"));
    assert!(chosen("256").expect_err("too large").to_string().contains("256 does not fit in uint8"));
    let typo = chosen("deposits").expect_err("typo").to_string();
    assert_eq!(typo, "parts=deposits: no flag is called \"deposits\"; did you mean \"deposit\"?");
    let missing = plan_with(&market(), &[("target", "vault")], |_| state(4, 0, SAFE)).expect_err("missing");
    assert!(missing.to_string().contains("parts (uint8, any of deposit, mint, withdraw)"), "{missing}");
}

/// An enum of Solidity, and a call for each of a list.
#[test]
fn choices_are_chosen_and_shown_by_name() {
    let flags = "type = \"uint8\"\nflags = { deposit = 1, mint = 2, withdraw = 4 }";
    let choices = "type = \"uint8[]\"\nchoices = { none = 0, deposit = 1, mint = 2, withdraw = 4 }";
    let text = TEXT.replace(flags, choices).replace("zero = \"refuse\"", "");
    let text = text.replace(
        "\"{or(item(state, 0), parts)}\", \"{parts}\"]",
        "\"{mul(part, 2)}\", \"{part}\"]\nfor = { part = \"{parts}\" }",
    );
    let text = text.replace("{or(item(state, 0), parts)}", "{item(parts, 0)}");
    let playbook = Playbook::parse("market.toml", &text).unwrap_or_else(|fault| panic!("{fault}"));
    let chosen =
        |parts| plan_with(&playbook, &[("target", "vault"), ("parts", parts)], |_| state(4, 0, SAFE));
    let (plan, _) = chosen("[mint, none]").unwrap();
    assert_eq!(plan.args[1].shown, "[mint (2), none (0)]");
    let shown: Vec<_> =
        plan.calls.iter().flat_map(|call| &call.arguments).map(|(_, value)| value.as_str()).collect();
    assert_eq!(shown, ["4", "mint (2)", "0", "none (0)"]);
    let why = |parts| chosen(parts).expect_err(parts).to_string();
    assert_eq!(why("[mint, 3]"), "parts=[mint, 3]: 3 is none of the choices: none, deposit, mint, withdraw");
    assert_eq!(why("mind"), "parts=mind: no choice is called \"mind\"; did you mean \"mint\"?");
    let missing = plan_with(&playbook, &[("target", "vault")], |_| state(4, 0, SAFE)).expect_err("missing");
    assert!(
        missing.to_string().contains("parts (uint8[], one of none, deposit, mint, withdraw)"),
        "{missing}"
    );
    for (from, to, message) in [
        ("uint8[]", "bytes1[]", "choices are values of an unsigned number, and parts is bytes1[]"),
        ("choices =", "flags = { deposit = 1 }\nchoices =", "a param has one of them"),
        ("mint = 2", "mint = 1", "deposit and mint are both 1"),
    ] {
        let fault = Playbook::parse("market.toml", &text.replace(from, to)).unwrap_err().to_string();
        assert!(fault.contains(message), "{to}: {fault}");
    }
}

#[test]
fn fields_are_compared_by_name_and_the_others_are_ignored() {
    let judged = |answer: Answer| {
        let (plan, _) =
            plan_with(&market(), &[("target", "vault"), ("parts", "1")], |_| answer.clone()).unwrap();
        let readings = plan.before[0].queries().into_iter().map(|q| (q, answer.clone())).collect();
        (plan.before[0].judge(&readings, &[]), plan.after[0].judge(&readings, &[]))
    };
    let (before, after) = judged(state(4, 0, SAFE));
    assert_eq!(before.sentence, format!("vault state() is admin {SAFE}, frozen false"));
    assert_eq!((after.holds, after.sentence.as_str()), (false, "vault state() is stopped 4, not stopped 5"));
    let (before, after) = judged(state(5, 1, SAFE));
    assert_eq!(
        (before.holds, before.sentence),
        (false, format!("vault state() is admin {SAFE}, frozen true, not admin {SAFE}, frozen false"))
    );
    assert!(after.holds);
}

#[test]
fn the_author_is_told_what_is_wrong_with_a_name() {
    for (from, to, message) in [
        ("{ admin = ", "{ amdin = ", "the view returns no \"amdin\"; did you mean \"admin\"?"),
        ("frozen = \"false\" }", "frozen = \"5\" }", "\"5\" is not of type bool"),
        ("frozen = \"false\" }", "frozen = false }", "frozen: write the value as text in quotes"),
        ("{ stopped = \"{or(item(state, 0), parts)}\" }", "{}", "no field is named"),
        ("{ stopped = \"{or(item(state, 0), parts)}\" }", "5", "expect is a text in quotes"),
        (
            "[[after]]\nview = \"state()(uint8 stopped,bool frozen,address admin)\"",
            "[[after]]\nview = \"state()(uint8,bool,address)\"",
            "the view does not name what it returns",
        ),
        ("deposit = 1,", "deposit = 0,", "deposit is 0, which is not a bit"),
        ("zero = \"refuse\"", "min = \"1\"", "has no unit and no bounds"),
        ("type = \"uint8\"", "type = \"int8\"", "flags are the bits of an unsigned number"),
    ] {
        assert!(TEXT.contains(from), "{from}");
        let fault = Playbook::parse("market.toml", &TEXT.replace(from, to)).unwrap_err().to_string();
        assert!(fault.contains(message), "{to}: {fault}");
    }
}
