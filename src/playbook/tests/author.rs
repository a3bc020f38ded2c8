//! The messages about an author's mistakes: the words and the place.

use super::super::{Playbook, Undo};

pub(super) const GOOD: &str = r#"schema = 1
id = "param/limit"
kind = "param"
title = "Set a limit"
severity = "P2"
does_not_stop = "withdrawals"
cost = "deposits above the limit fail"
undo = { playbook = "param/limit", set = { target = "{target}", cap = "{was}" } }
source = "Vault.sol"
delay = "after {was} seconds"
changes = ["safe.owners", "{target}"]

[[param]]
name = "target"
type = "address"

[[param]]
name = "cap"
type = "uint256"
unit = "token"
decimals = "{decimals}"
max_change = "20 %"
current = "{cap_now}"
zero = "unlimited"

[[param]]
name = "was"
type = "uint16"
unit = "bps"
min = "0"
max = "10 %"
default = "5"

[[read]]
name = "decimals"
view = "decimals()(uint8)"
on = "{target}"

[[read]]
name = "cap_now"
view = "cap(address)(uint256)"
on = "{target}"
args = ["{safe}"]

[[before]]
slot = "3"
on = "{target}"
type = "address"
expect = "{safe}"

[[step]]
to = "{target}"
call = "setCap(uint256,(bool,address)[])"
args = ["{add(cap, 1)}", "[(true, {safe})]"]
value = "0.1 ether"
skip_if = { balance = "{safe}", at_least = "1" }

[[after]]
event = "CapSet(uint256 cap, bytes indexed why)"
on = "{target}"
args = ["{cap}", "_"]

[[after]]
reverts = "deposit(uint256)"
on = "{target}"
args = ["1"]
"#;

#[test]
fn the_example_is_good() {
    let playbook = Playbook::parse("a.toml", GOOD).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(playbook.after[0].to_string(), "{target} emits CapSet({cap}, _)");
    assert_eq!(playbook.after[1].to_string(), "{target} deposit(1) reverts");
    assert_eq!(playbook.before[0].to_string(), "{target} slot 3 is {safe}");
    assert_eq!(playbook.params[1].ask(), "cap (uint256 in token, or the word unlimited)");
    let (id, args) = playbook.undo_args(&super::args(&[("target", "vault"), ("cap", "7")])).unwrap();
    assert_eq!(id.as_str(), "param/limit");
    assert_eq!(args, super::args(&[("target", "vault"), ("cap", "5")]));
}

#[test]
fn a_fault_is_shown_with_line_and_caret() {
    let text = GOOD.replace("add(cap, 1)", "add(cpa, 1)");
    assert_eq!(
        Playbook::parse("playbooks/limit.toml", &text).unwrap_err().to_string(),
        "playbooks/limit.toml:54:15: \"cpa\" is neither a param nor a read; did you mean \"cap\"?\n   \
         |\n54 | args = [\"{add(cpa, 1)}\", \"[(true, {safe})]\"]\n   |               ^^^"
    );
}

/// The mistakes that are made most, each with all that its author is told: what is changed, and the whole message.
const TOLD: &[(&str, &str, &str)] = &[
    (
        "type = \"uint16\"",
        "type = \"uint17\"",
        "playbooks/limit.toml:28:8: \"uint17\" is not a Solidity type such as uint256, address or bytes32[]\n   |\n28 | type = \"uint17\"\n   |        ^^^^^^^^",
    ),
    (
        "{add(cap, 1)}",
        "{plus(cap, 1)}",
        "playbooks/limit.toml:54:11: no function is called \"plus\"; known: prev_owner, replaced, without, with, len, item, indices, or, and_not, bit, add, sub, mul, div, keccak, encode, calldata\n   |\n54 | args = [\"{plus(cap, 1)}\", \"[(true, {safe})]\"]\n   |           ^^^^^^^^^^^^",
    ),
    (
        "current = \"{cap_now}\"\n",
        "",
        "playbooks/limit.toml:22:14: max_change needs current: the read that gives the value in force, such as \"{fee}\"\n   |\n22 | max_change = \"20 %\"\n   |              ^^^^^^",
    ),
    (
        "name = \"was\"",
        "name = \"cap\"",
        "playbooks/limit.toml:27:8: \"cap\" is the name of something else already\n   |\n27 | name = \"cap\"\n   |        ^^^^^",
    ),
    (
        "view = \"decimals()(uint8)\"\non = \"{target}\"",
        "view = \"decimals(uint256)(uint8)\"\non = \"{target}\"\nargs = [\"{cap}\"]",
        "playbooks/limit.toml:35:8: these need each other, so none of them can be read: cap, decimals\n   |\n35 | name = \"decimals\"\n   |        ^^^^^^^^^^",
    ),
    (
        "max = \"10 %\"",
        "max = \"2 hours\"",
        "playbooks/limit.toml:31:8: \"2 hours\": \"hours\" is not a unit of bps; known: % or bps\n   |\n31 | max = \"2 hours\"\n   |        ^^^^^^^",
    ),
];

#[test]
fn the_messages_of_the_commonest_mistakes_are_exact() {
    for (from, to, told) in TOLD {
        assert!(GOOD.contains(from), "{from}");
        let fault = Playbook::parse("playbooks/limit.toml", &GOOD.replacen(from, to, 1)).unwrap_err();
        assert_eq!(fault.to_string(), *told);
    }
}

/// The text before and after the change, the word under the caret, the message.
const FAULTS: &[(&str, &str, &str, &str)] = &[
    ("schema = 1", "schema = 2", "2", "schema 2 is not one that this program reads, which is 1"),
    (
        "id = \"param/limit\"",
        "id = \"Limit\"",
        "\"Limit\"",
        "\"Limit\" is not an id such as \"pause/my-vault\"",
    ),
    (
        "id = \"param/limit\"",
        "id = \"pause/x\"",
        "\"pause/x\"",
        "the id of a param playbook begins with param/",
    ),
    ("kind = \"param\"", "kind = \"parm\"", "\"parm\"", "kind \"parm\" is not one of pause, param, rotate"),
    ("\"P2\"", "\"P6\"", "\"P6\"", "severity \"P6\" is not one of P1, P2, P3, P4, P5"),
    (
        "cost = \"deposits above the limit fail\"",
        "cost = \" \"",
        "\" \"",
        "cost is empty: say it in a sentence",
    ),
    (
        "after {was} seconds",
        "after {wsa} seconds",
        "\"after {wsa} seconds\"",
        "\"wsa\" is neither a param nor a read; did you mean \"was\"?",
    ),
    ("\"after {was} seconds\"", "\" \"", "\" \"", "delay is empty: say it in a sentence, or leave it out"),
    ("cost =", "costs =", "costs", "unknown field `costs`, expected one of"),
    ("cap = \"{was}\"", "cap = \"{wsa}\"", "{", "\"{wsa}\" is not a param in braces; did you mean \"was\"?"),
    ("playbook = \"param/limit\"", "playbook = \"limit\"", "{", "\"limit\" is not a playbook's id"),
    ("playbook = \"param/limit\"", "none = \"\"", "{", "undo is the id of a playbook, { playbook ="),
    (
        "\"safe.owners\"",
        "\"safe.owner\"",
        "\"safe.owner\"",
        "\"safe.owner\" is not part of a Safe; did you mean \"safe.owners\"?",
    ),
    ("name = \"was\"", "name = \"cap\"", "\"cap\"", "\"cap\" is the name of something else already"),
    ("name = \"was\"", "name = \"safe\"", "\"safe\"", "\"safe\" is the name of something else already"),
    ("name = \"was\"", "name = \"mul\"", "\"mul\"", "\"mul\" is the name of a function"),
    ("name = \"was\"", "name = \"Was\"", "\"Was\"", "\"Was\" is not a name: use small letters, digits and _"),
    ("type = \"uint16\"", "type = \"uint17\"", "\"uint17\"", "\"uint17\" is not a Solidity type such as"),
    ("type = \"uint16\"", "type = \"bool\"", "\"bps\"", "a unit is for numbers, and was is bool"),
    (
        "unit = \"bps\"\nmin = \"0\"\nmax = \"10 %\"",
        "min = \"0\"\nmax = \"10 %\"",
        "10 %",
        "\"10 %\" is not a whole number of type uint16",
    ),
    ("unit = \"bps\"", "unit = \"bp\"", "\"bp\"", "\"bp\" is not a unit; known: ether, gwei"),
    (
        "max = \"10 %\"",
        "max = \"2 hours\"",
        "2 hours",
        "\"2 hours\": \"hours\" is not a unit of bps; known: % or bps",
    ),
    (
        "max = \"10 %\"",
        "max = \"0.001 %\"",
        "0.001 %",
        "\"0.001 %\" has more decimals than the contract can hold",
    ),
    ("max = \"10 %\"", "max = \"700 %\"", "700 %", "700 % does not fit in uint16"),
    ("min = \"0\"", "min = \"20 %\"", "\"10 %\"", "max is below min"),
    ("unit = \"bps\"", "unit = \"bps\"\ndecimals = 3", "3", "bps has no decimals to choose"),
    ("decimals = \"{decimals}\"\n", "", "\"token\"", "unit token needs decimals: a number, or a read"),
    ("decimals = \"{decimals}\"", "decimals = 99", "99", "decimals 99 are not between 0 and 77"),
    ("current = \"{cap_now}\"\n", "", "\"20 %\"", "max_change needs current: the read that gives"),
    ("max_change = \"20 %\"\n", "", "\"{cap_now}\"", "current is only needed beside max_change"),
    (
        "current = \"{cap_now}\"",
        "current = \"{target}\"",
        "target",
        "this is address, and uint256 is needed here",
    ),
    ("\"20 %\"", "\"x %\"", "x %", "\"x %\" is not a percentage such as \"20 %\""),
    ("zero = \"unlimited\"", "zero = \"0\"", "\"0\"", "zero is \"refuse\", or a word for what zero means"),
    ("default = \"5\"", "default = \"five\"", "\"five\"", "\"five\" is not a number of bps"),
    (
        "type = \"address\"\n\n[[param]]",
        "type = \"address\"\nmin = \"1\"\n\n[[param]]",
        "1",
        "target is address, and only numbers have bounds",
    ),
    (
        "view = \"decimals()(uint8)\"",
        "view = \"decimals()\"",
        "\"decimals()\"",
        "a read needs what the view returns: decimals()(type)",
    ),
    (
        "view = \"decimals()(uint8)\"",
        "view = \"decimals\"",
        "\"decimals\"",
        "\"decimals\" is not a function signature such as",
    ),
    ("args = [\"{safe}\"]", "args = []", "[]", "cap(address)(uint256) takes 1 arguments, and 0 are given"),
    ("args = [\"{safe}\"]", "expect = \"1\"", "\"1\"", "expect says nothing in a read"),
    ("name = \"decimals\"\n", "", "[[read]]", "a read needs a name"),
    (
        "type = \"address\"\nexpect",
        "type = \"string\"\nexpect",
        "\"string\"",
        "a slot is one word, and string is not",
    ),
    (
        "expect = \"{safe}\"",
        "expect = \"{chain_id}\"",
        "chain_id",
        "this is uint256, and address is needed here",
    ),
    ("expect = \"{safe}\"", "at_least = \"1\"", "\"1\"", "this compares numbers, and the value is address"),
    ("expect = \"{safe}\"", "contains = \"1\"", "\"1\"", "this compares lists, and the value is address"),
    ("expect = \"{safe}\"", "expect_not = \"_\"", "\"_\"", "_ matches every value, so this never holds"),
    (
        "expect = \"{safe}\"",
        "expect = \"{safe}\"\nexpect_not = \"bob\"",
        "\"bob\"",
        "a check before the steps has exactly one of expect, expect_not",
    ),
    ("expect = \"{safe}\"\n", "", "[[before]]", "a check before the steps has exactly one of expect"),
    (
        "slot = \"3\"",
        "view = \"f()(address)\"\nslot = \"3\"",
        "[[before]]",
        "a check before the steps has exactly one of view, slot",
    ),
    (
        "slot = \"3\"\non = \"{target}\"\ntype = \"address\"\nexpect = \"{safe}\"",
        "event = \"E()\"\non = \"{target}\"",
        "\"E()\"",
        "a check before the steps cannot look for an event",
    ),
    (
        "to = \"{target}\"",
        "to = \"{targt}\"",
        "targt",
        "\"targt\" is neither a param nor a read; did you mean \"target\"?",
    ),
    ("to = \"{target}\"", "to = \"{cap}\"", "cap", "this is uint256, and address is needed here"),
    ("to = \"{target}\"", "to = \"0x12\"", "0x12", "\"0x12\" is not an address: expected 0x and 40"),
    (
        "\"setCap(uint256,(bool,address)[])\"",
        "\"setCap(uint256,(bool,address)[])(bool)\"",
        "\"setCap(uint256,(bool,address)[])(bool)\"",
        "a step is sent, so leave out what the function returns",
    ),
    ("[(true, {safe})]", "[(yes, {safe})]", "yes", "\"yes\" is not of type bool"),
    ("{add(cap, 1)}", "{add(cap)}", "add(cap)", "add takes 2 values, a and b, and is given 1"),
    ("{add(cap, 1)}", "{plus(cap, 1)}", "plus(cap, 1)", "no function is called \"plus\"; known: prev_owner"),
    (
        "0.1 ether",
        "0.1 eth",
        "\"0.1 eth\"",
        "\"0.1 eth\": \"eth\" is not a unit of wei; known: ether, gwei, wei",
    ),
    (
        "{ balance = \"{safe}\", at_least = \"1\" }",
        "{ reverts = \"f()\", on = \"{target}\" }",
        "{",
        "skip_if has exactly one of view, slot, balance and code",
    ),
    (
        "[\"{cap}\", \"_\"]",
        "[\"{cap}\", \"0x12\"]",
        "\"0x12\"",
        "an indexed bytes is only a hash in the event: write \"_\"",
    ),
    ("[\"{cap}\", \"_\"]", "[\"{cap}\"]", "[", "CapSet has 2 values, and 1 are given"),
    (
        "CapSet(uint256 cap, bytes indexed why)",
        "CapSet(foo)",
        "\"CapSet(foo)\"",
        "\"CapSet(foo)\" is not an event signature such as",
    ),
    ("args = [\"1\"]", "args = [\"1\"]\nexpect = \"1\"", "\"1\"", "expect says nothing in a check"),
    (
        "args = [\"1\"]",
        "args = [\"1\"]\nwith = \"Full()\"",
        "with",
        "unknown field `with`, expected one of `name`",
    ),
    ("min = \"0\"", "chooses = [\"0\"]", "chooses", "unknown field `chooses`, expected one of `name`"),
    (
        "source = \"Vault.sol\"",
        "contacts = [\"a\"]",
        "contacts",
        "unknown field `contacts`, expected one of `schema`",
    ),
    ("value = \"0.1 ether\"", "value = 1", "1", "expected a text in quotes, found the number `1`"),
];

#[test]
fn every_mistake_is_named_at_its_place() {
    for (from, to, under, message) in FAULTS {
        assert!(GOOD.contains(from), "{from}");
        let text = GOOD.replacen(from, to, 1);
        let fault = Playbook::parse("a.toml", &text).map(|p| p.id).expect_err(to).to_string();
        assert!(fault.contains(message), "{message:?} not in\n{fault}");
        let lines: Vec<&str> = fault.lines().collect();
        let (line, caret) = (lines[2], lines[3]);
        let marked: String =
            line.chars().skip(caret.find('^').unwrap()).take(caret.matches('^').count()).collect();
        assert!(marked.starts_with(under), "{under:?} is not under the caret of\n{fault}");
    }
}

#[test]
fn a_playbook_acts_and_proves_and_says_how_it_is_undone() {
    for (from, message) in [("[[step]]", "there is no [[step]]"), ("[[after]]", "there is no [[after]]")] {
        let kept: Vec<&str> = GOOD.split("\n\n").filter(|block| !block.starts_with(from)).collect();
        let fault = Playbook::parse("a.toml", &kept.join("\n\n")).unwrap_err().to_string();
        assert!(fault.contains(message), "{fault}");
    }
    let lines: Vec<&str> = GOOD.lines().filter(|line| !line.starts_with("undo")).collect();
    let fault = Playbook::parse("a.toml", &lines.join("\n")).unwrap_err().to_string();
    assert!(fault.contains("the field `undo` is missing"), "{fault}");
    let none = GOOD.replace(
        "undo = { playbook = \"param/limit\", set = { target = \"{target}\", cap = \"{was}\" } }",
        "undo = { none = \"it burns\" }",
    );
    assert_eq!(Playbook::parse("a.toml", &none).unwrap().undo, Undo::None { why: "it burns".into() });
}

#[test]
fn reads_that_need_each_other_are_a_fault() {
    let text = GOOD
        .replace(
            "view = \"decimals()(uint8)\"",
            "view = \"decimals(uint256)(uint8)\"\nargs = [\"{cap_now}\"]",
        )
        .replace("view = \"cap(address)(uint256)\"", "view = \"cap(uint256)(uint256)\"")
        .replace("args = [\"{safe}\"]", "args = [\"{decimals}\"]");
    let fault = Playbook::parse("a.toml", &text).unwrap_err().to_string();
    assert!(fault.contains("so none of them can be read: cap, cap_now, decimals"), "{fault}");
}

#[test]
fn a_playbook_that_is_too_long_is_refused_with_the_bound() {
    for (more, told) in [
        ("[[read]]\nname = \"r{n}\"\nview = \"v()(uint8)\"\non = \"{safe}\"\n", "at most 100 of [[read]]"),
        ("[[param]]\nname = \"p{n}\"\ntype = \"bool\"\n", "at most 50 of [[param]]"),
        ("[[after]]\nview = \"v()(uint8)\"\non = \"{safe}\"\nexpect = \"1\"\n", "at most 100 of [[after]]"),
    ] {
        let more: String = (0..101).map(|n| more.replace("{n}", &n.to_string())).collect();
        let fault = Playbook::parse("a.toml", &format!("{GOOD}\n{more}")).unwrap_err().to_string();
        assert!(fault.contains(told), "{fault}");
    }
    let long = format!("{GOOD}{}", "#".repeat(300_000));
    assert!(Playbook::parse("a.toml", &long).unwrap_err().to_string().contains("at most 262144 bytes"));
}

#[test]
fn the_safe_changes_itself_only_where_that_is_declared() {
    let text = GOOD
        .replace(
            "to = \"{target}\"\ncall = \"setCap(uint256,(bool,address)[])\"",
            "to = \"{safe}\"\ncall = \"enableModule(address)\"",
        )
        .replace("args = [\"{add(cap, 1)}\", \"[(true, {safe})]\"]", "args = [\"{target}\"]");
    let fault = Playbook::parse("a.toml", &text).unwrap_err().to_string();
    assert!(
        fault.contains("enableModule changes the Safe itself: declare changes = [\"safe.modules\"]"),
        "{fault}"
    );
    assert!(Playbook::parse("a.toml", &text.replace("safe.owners", "safe.modules")).is_ok());
}

#[test]
fn no_cut_and_no_stray_byte_panics() {
    for end in 0..GOOD.len() {
        let _ = Playbook::parse("a.toml", &GOOD[..end]);
    }
    for at in (0..GOOD.len()).step_by(3) {
        for stray in ["\"", "{", "é", "9", "]"] {
            let text = format!("{}{stray}{}", &GOOD[..at], &GOOD[at + 1..]);
            let _ = Playbook::parse("a.toml", &text);
        }
    }
}
