//! Checks that hold, and the sentences of those that do not.

use alloy::primitives::{Bytes, Log, keccak256};

use super::super::{Check, Verdict};
use super::*;

/// The checks of a playbook whose `[[after]]` blocks are these.
fn checks(after: &str) -> Vec<Check> {
    let head = "schema = 1\nid = \"pause/x\"\nkind = \"pause\"\ntitle = \"t\"\nseverity = \"P1\"\ndoes_not_stop = \"n\"\n\
                cost = \"c\"\nundo = { none = \"w\" }\nsource = \"s\"\n[[step]]\nto = \"vault\"\ncall = \"pause()\"\n";
    let playbook =
        Playbook::parse("a.toml", &format!("{head}{after}")).unwrap_or_else(|fault| panic!("{fault}"));
    plan_with(&playbook, &[], |_| panic!("asked")).unwrap().0.after
}

fn judged(after: &str, answer: Option<Answer>) -> Verdict {
    let check = checks(after).remove(0);
    let readings = check.queries().into_iter().zip(answer).collect();
    check.judge(&readings, &[])
}

fn view(returns: &str, expectation: &str) -> String {
    format!("[[after]]\nview = \"f(){returns}\"\non = \"vault\"\n{expectation}\n")
}

#[test]
fn each_comparison_holds_when_it_should() {
    for (returns, expectation, answer, holds, sentence) in [
        ("(bool)", "expect = \"true\"", number(1), true, "vault f() is true"),
        ("(bool)", "expect = \"true\"", number(0), false, "vault f() is false, not true"),
        ("(uint8)", "expect_not = \"1\"", number(2), true, "vault f() is not 1"),
        ("(uint8)", "expect_not = \"1\"", number(1), false, "vault f() is 1; expected: is not 1"),
        ("(uint8)", "at_least = \"2\"", number(2), true, "vault f() is at least 2"),
        ("(uint8)", "at_least = \"2\"", number(1), false, "vault f() is 1; expected: is at least 2"),
        ("(uint8)", "at_most = \"2\"", number(3), false, "vault f() is 3; expected: is at most 2"),
        ("(uint8)", "expect = \"_\"", number(3), true, "vault f() can be read"),
    ] {
        let verdict = judged(&view(returns, expectation), Some(answer));
        assert_eq!((verdict.holds, verdict.sentence.as_str()), (holds, sentence));
    }
}

#[test]
fn lists_and_tuples() {
    let has =
        |expectation: &str| judged(&view("(address[])", expectation), Some(addresses(&[a(2), a(3)]))).holds;
    assert!(has("contains = \"alice\"") && !has("contains = \"carol\""));
    assert!(has("lacks = \"carol\"") && !has("lacks = \"alice\""));
    assert!(has("expect = \"[alice, bob]\"") && has("expect = \"[_, bob]\""));
    assert!(!has("expect = \"[bob, alice]\"") && !has("expect = \"[alice]\""));
    let two = Answer::Value([[0; 31].as_slice(), &[1], &[0; 31], &[7]].concat().into());
    let tuple = |expectation: &str| judged(&view("(bool,uint32)", expectation), Some(two.clone()));
    assert!(tuple("expect = \"(true, _)\"").holds && !tuple("expect = \"(_, 8)\"").holds);
    assert_eq!(tuple("expect = \"(_, 8)\"").sentence, "vault f() is (true, 7), not (_, 8)");
}

#[test]
fn a_check_that_cannot_be_read_does_not_hold() {
    for expectation in ["expect = \"1\"", "expect_not = \"1\"", "at_most = \"9\"", "expect = \"_\""] {
        for (answer, why) in [
            (None, "vault f() cannot be read: was not asked"),
            (Some(Answer::Reverted(Bytes::new())), "vault f() cannot be read: reverted"),
            (
                Some(Answer::Value(Bytes::new())),
                "vault f() cannot be read: nothing was returned where (uint8) was expected; is it a contract?",
            ),
            (Some(number(256)), "vault f() cannot be read: the returned 0x"),
        ] {
            let verdict = judged(&view("(uint8)", expectation), answer);
            assert!(!verdict.holds && verdict.sentence.starts_with(why), "{}", verdict.sentence);
        }
    }
    assert!(!judged(&view("(address[])", "lacks = \"bob\""), Some(Answer::Value(Bytes::new()))).holds);
}

#[test]
fn a_view_that_returns_nothing_must_only_not_revert() {
    let held = |answer| judged(&view("()", "expect = \"_\""), Some(answer)).holds;
    assert!(held(Answer::Value(Bytes::new())) && !held(Answer::Reverted(Bytes::new())));
}

#[test]
fn a_call_that_must_revert() {
    let bare =
        "[[after]]\nreverts = \"deposit(uint256)\"\non = \"vault\"\nargs = [\"5\"]\nfrom = \"alice\"\n";
    let error = Answer::Reverted(Bytes::from(vec![1, 2, 3, 4]));
    for (answer, holds, sentence) in [
        (error, true, "vault deposit(5) reverts"),
        (number(0), false, "vault deposit(5) does not revert; expected: reverts"),
    ] {
        let verdict = judged(bare, Some(answer));
        assert_eq!((verdict.holds, verdict.sentence.as_str()), (holds, sentence));
    }
    assert!(!judged(bare, None).holds);
    let Query::Call { from, .. } = &checks(bare)[0].queries()[0] else { panic!("a call") };
    assert_eq!(*from, Some(a(2)));
}

#[test]
fn balances_and_slots() {
    let after = "[[after]]\nbalance = \"alice\"\nat_least = \"5\"\n\
                 [[after]]\nbalance = \"alice\"\ntoken = \"vault\"\nexpect = \"0\"\n\
                 [[after]]\nslot = \"3\"\non = \"vault\"\ntype = \"address\"\nexpect = \"bob\"\n";
    let checks = checks(after);
    let queries: Vec<Query> = checks.iter().flat_map(Check::queries).collect();
    assert_eq!(queries[0], Query::Balance { address: a(2) });
    assert!(matches!(&queries[1], Query::Call { to, .. } if *to == VAULT));
    assert!(matches!(&queries[2], Query::Storage { slot, .. } if slot[31] == 3));
    assert_eq!(checks[0].describe(), "alice balance in wei is at least 5");
    assert_eq!(checks[1].describe(), "alice balance of vault is 0");
    let word = a(3).into_word();
    let clean: Readings = [(queries[2].clone(), Answer::Value(word.to_vec().into()))].into_iter().collect();
    assert!(checks[2].judge(&clean, &[]).holds);
    let mut packed = word.to_vec();
    packed[0] = 1;
    let packed: Readings = [(queries[2].clone(), Answer::Value(packed.into()))].into_iter().collect();
    assert!(!checks[2].judge(&packed, &[]).holds, "other bits beside the address are not the address");
}

#[test]
fn an_event_is_searched_for_among_our_own_logs() {
    let after = "[[after]]\nevent = \"Moved(address indexed who, uint256 amount)\"\non = \"vault\"\nargs = [\"alice\", \"_\"]\n";
    let check = checks(after).remove(0);
    assert!(check.queries().is_empty());
    let topic = keccak256("Moved(address,uint256)");
    let log = |from: Address, who: Address| {
        Log::new_unchecked(from, vec![topic, who.into_word()], U256::from(7).to_be_bytes_vec().into())
    };
    let judge = |logs: &[Log]| check.judge(&Readings::default(), logs);
    let expected = format!("vault emits Moved({}, _)", a(2));
    assert_eq!(judge(&[log(VAULT, a(3)), log(VAULT, a(2))]).sentence, expected);
    let wrong = judge(&[log(SAFE, a(2)), log(VAULT, a(3))]);
    assert!(!wrong.holds);
    assert!(
        wrong.sentence.starts_with(&format!("vault emitted Moved({}, 7); expected: ", a(3))),
        "{}",
        wrong.sentence
    );
    assert!(judge(&[]).sentence.starts_with("vault emitted no Moved; expected"));
    let short = Log::new_unchecked(VAULT, vec![topic], Bytes::new());
    assert!(!judge(&[short]).holds);
}

/// Two people write one value in two ways.
#[test]
fn an_argument_is_compared_as_a_value() {
    let fee = shipped("param/fee-bps");
    let names = book();
    let same = |param: &str, one: &str, other: &str| fee.is_same_argument(param, one, other, &names);
    for (one, other) in [("0.4%", "40 bps"), ("40", "0.40 %"), ("1_0", "10"), ("x", "x")] {
        assert!(same("fee", one, other) && same("fee", other, one), "{one} {other}");
    }
    assert!(same("target", "vault", &VAULT.to_string()), "a name and its address");
    for (param, one, other) in [
        ("fee", "0.4%", "4 bps"),
        ("fee", "x", "y"),
        ("fee", "x", "40"),
        ("target", "vault", "alice"),
        ("target", "nobody", "none"),
        ("unknown", "1", "1.0"),
    ] {
        assert!(!same(param, one, other), "{param} {one} {other}");
    }
}
