//! Mistakes in trials, times, code and examples: the words and the place.

use super::super::Playbook;
use super::author::GOOD;

/// A changed part of the example's step, checks or example, the word under the caret, the message.
#[test]
fn mistakes_in_trials_times_code_and_examples_are_named_too() {
    let good = format!(
        "{GOOD}\n[example]\nset = {{ target = \"0x{a}\", cap = \"7\", was = \"1\" }}\nread = {{ decimals = \"0\", cap_now = \"7\" }}\n\
         calldata = [\"{data}\"]\n",
        a = "11".repeat(20),
        data = calldata(),
    );
    let playbook = Playbook::parse("a.toml", &good).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(playbook.example.unwrap().calls[0].args[0], "8");
    let slot = "slot = \"3\"\non = \"{target}\"\ntype = \"address\"\nexpect = \"{safe}\"";
    let read = "view = \"decimals()(uint8)\"\non = \"{target}\"";
    for (from, to, under, message) in [
        (
            read,
            "time = \"block\"",
            "\"block\"",
            "a read cannot ask for the time: every block would give another transaction",
        ),
        (slot, "time = \"now\"\nat_most = \"1\"", "\"now\"", "\"now\" is not a time; write time = \"block\""),
        (
            slot,
            "time = \"block\"\nexpect = \"true\"",
            "true",
            "\"true\" is not a whole number of type uint256",
        ),
        (
            slot,
            "code = \"{target}\"\non = \"{safe}\"\nexpect = \"_\"",
            "\"{safe}\"",
            "on says nothing in a check before the steps",
        ),
        (
            slot,
            "succeeds = \"f()\"\non = \"{safe}\"\ntoken = \"{safe}\"",
            "\"{safe}\"",
            "token says nothing in a check",
        ),
        (
            slot,
            "view = \"f()(address)\"\non = \"{safe}\"\nsame_items = \"[]\"",
            "\"[]\"",
            "this compares lists, and the value is address",
        ),
        (
            "value = \"0.1 ether\"",
            "value = \"1 wei\"\ntried = true",
            "true",
            "a call that carries ETH cannot be tried",
        ),
        ("cap_now = \"7\" }", "cap_nwo = \"7\" }", "\"7\"", "\"cap_nwo\" is not a read of this playbook"),
        ("was = \"1\" }", "wsa = \"1\" }", "\"1\"", "\"wsa\" is not a param of this playbook"),
        (
            ", was = \"1\" }",
            ", was = \"11 %\" }",
            "\"11 %\"",
            "was=11 %: 11 % (1100) is above the maximum, 10 % (1000)",
        ),
        ("cap = \"7\", was", "was", "[example]", "the example gives no cap"),
        ("calldata = [\"0x", "calldata = [\"0x00\", \"0x", "[", "2 calldata for 1 calls"),
    ] {
        assert!(good.contains(from), "{from}");
        let text = good.replacen(from, to, 1);
        let fault = Playbook::parse("a.toml", &text).map(|p| p.id).expect_err(to).to_string();
        assert!(fault.contains(message), "{message:?} not in\n{fault}");
        let lines: Vec<&str> = fault.lines().collect();
        let marked: String = lines[2].chars().skip(lines[3].find('^').unwrap()).collect();
        assert!(marked.starts_with(under), "{under:?} is not under the caret of\n{fault}");
    }
    let wrong = good.replace(&calldata(), "0x1234");
    let fault = Playbook::parse("a.toml", &wrong).unwrap_err().to_string();
    assert!(
        fault.contains(&format!("setCap(uint256,(bool,address)[]) gives {} and not this", calldata())),
        "{fault}"
    );
}

/// `setCap(8, [(true, the Safe of the example)])`, as Foundry's cast encodes it.
fn calldata() -> String {
    let words = ["8", "40", "1", "1"].map(|word| format!("{word:0>64}"));
    format!("0x3d6dd5ef{}{:0>64}", words.concat(), "5a".repeat(20))
}
