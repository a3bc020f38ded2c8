//! The calls of a plan, and the arguments that it refuses.

use alloy::primitives::{B256, Bytes, hex};
use proptest::prelude::*;

use super::super::{Change, Check, Formerly, former_values};
use super::*;
use crate::safe::SENTINEL;

const GET_OWNERS: [u8; 4] = hex!("a0e67e2b");
const GET_THRESHOLD: [u8; 4] = hex!("e75235b8");

fn fee_chain(fee: u64) -> impl Fn(&Query) -> Answer {
    move |_| number(fee)
}

fn safe_chain(query: &Query) -> Answer {
    match selector(query) {
        Some(GET_OWNERS) => addresses(&[a(2), a(3), a(4)]),
        Some(GET_THRESHOLD) => number(2),
        _ => Answer::Reverted(Bytes::new()),
    }
}

fn refused(id: &str, given: &[(&str, &str)], chain: impl Fn(&Query) -> Answer) -> String {
    plan_with(&shipped(id), given, chain).expect_err("a refusal").to_string()
}

#[test]
fn pausing_is_one_call_to_pause() {
    let (plan, rounds) =
        plan_with(&shipped("pause/oz-pausable"), &[("target", "vault")], fee_chain(0)).unwrap();
    assert_eq!(rounds, 0, "a pause waits for nothing");
    let [call] = &plan.calls[..] else { panic!("{:?}", plan.calls) };
    assert_eq!((call.call.to, call.call.value.is_zero()), (VAULT, true));
    // Source: the selector of pause(), as the OpenZeppelin ABI has it.
    assert_eq!(call.call.data, Bytes::from(hex!("8456cb59")));
    assert_eq!((call.signature.as_str(), call.to_name.as_deref()), ("pause()", Some("vault")));
    assert_eq!(plan.before[0].describe(), "vault paused() is false");
    assert_eq!(plan.after[0].describe(), "vault paused() is true");
    assert_eq!(
        (plan.args[0].shown.as_str(), plan.args[0].note.as_deref()),
        (&*VAULT.to_string(), Some("vault"))
    );
    assert!(plan.rests_on.is_empty());
}

/// A pause that is left out where it is done.
fn skipping() -> Playbook {
    let condition = "skip_if = { view = \"paused()(bool)\", on = \"{target}\", expect = \"true\" }";
    let call = "call = \"pause()\"\n";
    let text = shipped("pause/oz-pausable").text().replace(call, &format!("{call}{condition}\n"));
    Playbook::parse("pause.toml", &text).unwrap()
}

#[test]
fn a_paused_contract_is_not_paused_again() {
    let why = plan_with(&skipping(), &[("target", "vault")], fee_chain(1)).expect_err("done").to_string();
    assert_eq!(why, "already done: vault paused() is true");
}

#[test]
fn a_condition_that_cannot_be_read_skips_nothing() {
    for answer in [Answer::Reverted(Bytes::new()), Answer::Value(Bytes::new()), number(2)] {
        let chain = |_: &Query| answer.clone();
        let (plan, _) = plan_with(&skipping(), &[("target", "vault")], chain).unwrap();
        assert_eq!((plan.calls.len(), plan.skipped.len()), (1, 0));
    }
}

#[test]
fn swapping_an_owner_derives_the_previous_one() {
    let lever = shipped("rotate/safe-swap-owner");
    for (old, previous) in [("alice", SENTINEL), ("bob", a(2)), ("carol", a(3))] {
        let new = a(9).to_string();
        let (plan, rounds) = plan_with(&lever, &[("old", old), ("new", &new)], safe_chain).unwrap();
        assert_eq!(rounds, 1, "all is asked at once");
        let data = &plan.calls[0].call.data;
        // Source: the selector of swapOwner(address,address,address), Safe 1.3.0 to 1.5.0.
        assert_eq!(data[..4], hex!("e318b52b"));
        assert_eq!(data[4..36], previous.into_word()[..]);
        assert_eq!(data[68..], a(9).into_word()[..]);
        assert_eq!(plan.calls[0].call.to, SAFE);
        assert_eq!(plan.calls[0].arguments[0].0, "prevOwner");
        assert_eq!(plan.changes, [Change::SafeOwners]);
        assert_eq!(plan.after.len(), 4);
    }
    let new = a(9).to_string();
    let (plan, _) = plan_with(&lever, &[("old", "bob"), ("new", &new)], safe_chain).unwrap();
    let owners = format!("guardian getOwners() is [{}, {}, {}]", a(2), a(9), a(4));
    assert_eq!(plan.after[2].describe(), owners);
    assert_eq!(plan.after[3].describe(), "guardian getThreshold() is 2");
    assert_eq!(plan.calls[0].arguments[1], ("oldOwner".into(), format!("{} (bob)", a(3))));
    assert_eq!(plan.reads[0].source, "guardian getOwners()");
}

#[test]
fn an_owner_who_is_none_cannot_be_swapped() {
    let why = refused("rotate/safe-swap-owner", &[("old", "vault"), ("new", "bob")], safe_chain);
    assert!(why.starts_with(&format!("step 1: {VAULT} is not in [{}, ", a(2))), "{why}");
    let why = refused("rotate/safe-swap-owner", &[("old", "bob"), ("new", "vault")], |_| {
        Answer::Reverted(Bytes::from(hex!("1234")))
    });
    assert_eq!(why, "the read owners: guardian getOwners() reverted with 0x1234");
}

#[test]
fn the_undo_of_a_swap_swaps_back() {
    let lever = shipped("rotate/safe-swap-owner");
    let (id, back) = lever.undo_args(&args(&[("old", "bob"), ("new", "vault")])).unwrap();
    assert_eq!(id, lever.id);
    assert_eq!(back, args(&[("old", "vault"), ("new", "bob")]));
}

#[test]
fn a_fee_is_given_and_shown_in_percent() {
    let given = [("target", "vault"), ("fee", "0.5 %"), ("was", "30")];
    let (plan, rounds) = plan_with(&shipped("param/fee-bps"), &given, fee_chain(30)).unwrap();
    assert_eq!(rounds, 1);
    assert_eq!(plan.calls[0].arguments, [("fee".to_string(), "0.5 % (50)".to_string())]);
    assert_eq!(plan.args[1].text, "0.5 %");
    assert_eq!(plan.before.len(), 1, "no value in force stands in its way: the call is only tried");
    assert_eq!(plan.after[0].describe(), "vault fee() is 50");
    // A query is asked once, and the plan rests on its answer.
    assert_eq!(plan.rests_on.iter().count(), 1);
    let (id, back) = shipped("param/fee-bps").undo_args(&args(&given)).unwrap();
    assert_eq!(id.as_str(), "param/fee-bps-undo");
    assert_eq!(back, args(&[("target", "vault"), ("fee", "30"), ("was", "0.5 %")]));
}

#[test]
fn arguments_out_of_bounds_are_refused_with_the_bound() {
    let fee = |fee: &str, now: u64| {
        refused("param/fee-bps", &[("target", "vault"), ("fee", fee), ("was", "30")], fee_chain(now))
    };
    assert_eq!(fee("1001", 900), "fee=1001: 10.01 % (1001) is above the maximum, 10 % (1000)");
    assert_eq!(
        fee("6 %", 30),
        "fee=6 %: from 0.3 % (30) to 6 % (600) is more than may change at once, 5 % (500)"
    );
    assert_eq!(fee("1 day", 30), "fee=1 day: \"1 day\": \"day\" is not a unit of bps; known: % or bps");
    assert_eq!(fee("30", 30), "already done: vault fee() is 30");
}

#[test]
fn names_are_checked_before_anything_is_asked() {
    let never = |_: &Query| -> Answer { panic!("asked") };
    assert_eq!(
        refused("param/fee-bps", &[("fee", "1")], never),
        "param/fee-bps needs target (address): give --set target=…"
    );
    assert_eq!(
        refused("pause/oz-pausable", &[("traget", "vault")], never),
        "pause/oz-pausable has no argument \"traget\"; did you mean \"target\"?"
    );
    assert_eq!(
        refused("pause/oz-pausable", &[("target", "vualt")], never),
        "target=vualt: no address is called \"vualt\"; did you mean \"vault\"?"
    );
    assert_eq!(
        refused("pause/oz-pausable", &[("target", "{safe}")], never),
        "target={safe}: \"{safe}\" is neither an address, 0x and 40 digits, nor a name"
    );
}

/// A cap in whole tokens, whose decimals are read; zero means no cap.
const CAP: &str = r#"schema = 1
id = "param/cap"
kind = "param"
title = "Set a cap"
severity = "P2"
does_not_stop = "withdrawals"
cost = "deposits above the cap fail"
undo = { none = "the former cap is not kept" }
source = "Vault.sol"
[[param]]
name = "cap"
type = "uint128"
unit = "token"
decimals = "{decimals}"
max = "{most}"
max_change = "20 %"
current = "{now}"
zero = "unlimited"
[[param]]
name = "mode"
type = "uint8"
max = "2"
default = "2"
[[read]]
name = "token"
view = "asset()(address)"
on = "vault"
[[read]]
name = "decimals"
view = "decimals()(uint8)"
on = "{token}"
[[read]]
name = "now"
view = "cap()(uint128)"
on = "vault"
[[read]]
name = "most"
balance = "vault"
token = "{token}"
[[step]]
to = "vault"
call = "setCap(uint128,uint8)"
args = ["{cap}", "{mode}"]
value = "1 gwei"
[[step]]
to = "{token}"
call = "approve(address spender, uint256)"
args = ["vault", "{cap}"]
skip_if = { view = "allowance(address,address)(uint256)", on = "{token}", args = ["{safe}", "vault"], expect_not = "0" }
[[after]]
view = "cap()(uint128)"
on = "vault"
expect = "{cap}"
"#;

fn cap_chain(query: &Query) -> Answer {
    match selector(query) {
        Some([0x38, 0xd5, 0x2e, 0x0f]) => number(0xdead), // asset()
        Some([0x31, 0x3c, 0xe5, 0x67]) => number(6),      // decimals()
        Some([0x70, 0xa0, 0x82, 0x31]) => number(500_000_000), // balanceOf
        Some([0xdd, 0x62, 0xed, 0x3e]) => number(7),      // allowance
        _ => number(100_000_000),
    }
}

fn cap(given: &[(&str, &str)]) -> Result<Plan, String> {
    let playbook = Playbook::parse("cap.toml", CAP).unwrap_or_else(|fault| panic!("{fault}"));
    match plan_with(&playbook, given, cap_chain) {
        Ok((plan, rounds)) => {
            assert_eq!(rounds, 2, "asset and cap first, then all that needs the token");
            Ok(plan)
        }
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn reads_may_need_reads_and_units_too() {
    let plan = cap(&[("cap", "119.5")]).unwrap();
    assert_eq!(plan.args[0].shown, "119.5 (119500000)");
    assert_eq!(plan.args[1].note.as_deref(), Some("the playbook's default"));
    assert_eq!(plan.calls[0].arguments[0], ("uint128".into(), "119.5 (119500000)".into()));
    assert_eq!(plan.calls[0].call.value, U256::from(1_000_000_000));
    assert_eq!(plan.skipped[0].step, 1);
    assert!(plan.skipped[0].reason.ends_with(" is not 0"), "{}", plan.skipped[0].reason);
    assert_eq!(
        cap(&[("cap", "121")]).unwrap_err(),
        "cap=121: from 100 (100000000) to 121 (121000000) is more than may change at once, 20 %"
    );
    assert_eq!(
        cap(&[("cap", "501")]).unwrap_err(),
        "cap=501: 501 (501000000) is above the maximum, 500 (500000000)"
    );
    assert_eq!(
        cap(&[("cap", "0.0000001")]).unwrap_err(),
        "cap=0.0000001: \"0.0000001\" has more decimals than the contract can hold, or is too large"
    );
    assert_eq!(cap(&[("cap", "110"), ("mode", "3")]).unwrap_err(), "mode=3: 3 is above the maximum, 2");
}

#[test]
fn zero_is_written_as_what_it_means() {
    assert_eq!(cap(&[("cap", "unlimited")]).unwrap().args[0].shown, "unlimited (0)");
    let why = cap(&[("cap", "0.0")]).unwrap_err();
    assert_eq!(why, "cap=0.0: zero means unlimited here: write cap=unlimited if you mean that");
}

fn answers() -> impl Strategy<Value = Answer> {
    let word = any::<[u8; 32]>().prop_map(|w| Answer::Value(w.into()));
    let small = (0_u64..4).prop_map(number);
    let bytes = prop::collection::vec(any::<u8>(), 0..200).prop_map(|b| Answer::Value(b.into()));
    let reverted = prop::collection::vec(any::<u8>(), 0..40).prop_map(|b| Answer::Reverted(b.into()));
    let owners = prop::collection::vec(0_u8..6, 0..5)
        .prop_map(|list| addresses(&list.into_iter().map(Address::repeat_byte).collect::<Vec<_>>()));
    prop_oneof![word, small, bytes, reverted, owners]
}

proptest! {
    /// For any answers of the chain and any arguments: no panic, and the same result twice.
    #[test]
    fn equal_inputs_give_equal_plans(pool in prop::collection::vec(answers(), 4), text in "\\PC{0,12}") {
        let levers = [shipped("rotate/safe-swap-owner"), shipped("param/fee-bps"), Playbook::parse("c", CAP).unwrap()];
        for lever in &levers {
            for free in [None, Some(text.as_str())] {
                let given: Vec<(&str, &str)> = lever
                    .params
                    .iter()
                    .map(|p| (p.name.as_str(), free.unwrap_or(if p.ty.to_string() == "address" { "bob" } else { "1" })))
                    .collect();
                let chain = |q: &Query| pool[usize::from(selector(q).map_or(0, |s| s[0])) % pool.len()].clone();
                let plan = plan_with(lever, &given, chain);
                prop_assert_eq!(&plan, &plan_with(lever, &given, chain));
                let Ok((plan, _)) = plan else { continue };
                let args = args(&given);
                let names = book();
                let inputs = Inputs { args: &args, names: &names, safe: SAFE, chain_id: 1 };
                // Its readings are enough to derive it again.
                prop_assert_eq!(derive(lever, &inputs, &plan.rests_on), Ok(Derivation::Ready(plan.clone())));
                let queries = plan.before.iter().chain(&plan.after).flat_map(Check::queries);
                let readings: Readings = queries.map(|q| (q.clone(), chain(&q))).collect();
                for check in plan.before.iter().chain(&plan.after) {
                    let _ = check.judge(&readings, &[]);
                }
            }
        }
    }
}

#[test]
fn an_act_that_waits_says_how_long() {
    let playbook = shipped("rotate/oz-default-admin");
    let given = [("target", "vault"), ("new", "bob")];
    let (plan, _) = plan_with(&playbook, &given, |_| number(86_400)).unwrap();
    let when = "the new admin can accept only after 86400 seconds, which is defaultAdminDelay()";
    assert_eq!(playbook.takes_effect(&plan).unwrap(), when);
    assert_eq!(shipped("pause/oz-pausable").delay, None);
}

/// The decimals of a token are on the chain, but two texts can be the same number for any decimals.
#[test]
fn amounts_of_a_token_are_compared_before_its_decimals_are_known() {
    let playbook = Playbook::parse("c", CAP).unwrap();
    let same = |one: &str, other: &str| playbook.is_same_argument("cap", one, other, &book());
    assert!(same("1_000_000.50", "1000000.5") && same("1", "1.0") && same("unlimited", "unlimited"));
    assert!(!same("1.5", "1.05") && !same("1", "1 ether") && !same("unlimited", "0"));
}

/// The answers to what the former values of an act need, and these.
fn former(
    playbook: &Playbook,
    given: &[(&str, &str)],
    chain: impl Fn(&Query) -> Answer,
) -> (usize, BTreeMap<String, String>) {
    let (names, args) = (book(), args(given));
    let inputs = Inputs { args: &args, names: &names, safe: SAFE, chain_id: 1 };
    let mut readings = Readings::default();
    for round in 0..4 {
        match former_values(playbook, &inputs, &readings).unwrap() {
            Formerly::Ready(values) => return (round, values),
            Formerly::Needs(queries) => {
                readings.extend(queries.into_iter().map(|query| (query.clone(), chain(&query))).collect());
            }
        }
    }
    panic!("it asks on and on")
}

#[test]
fn the_values_of_an_undo_are_written_in_units() {
    let fee = shipped("param/fee-bps");
    let given = [("target", "vault"), ("fee", "0.5 %")];
    assert_eq!(former(&fee, &given, fee_chain(74)).1, args(&[("was", "0.74 %")]));
    // A cap of zero is a word, and no number.
    let cap = shipped("param/euler-v2-supply-cap");
    let words = |words: [u64; 2]| {
        let words = words.map(|n| B256::from(U256::from(n)).to_vec()).concat();
        move |_: &Query| Answer::Value(words.clone().into())
    };
    let given = [("vault", "vault"), ("cap", "1")];
    assert_eq!(former(&cap, &given, words([0, 7])).1, args(&[("was", "unlimited")]));
    assert_eq!(former(&cap, &given, words([6419, 7])).1, args(&[("was", "6419")]));
}

#[test]
fn an_act_asks_nothing_for_its_undo() {
    let queue = shipped("pause/metamorpho-deposits");
    let given = [("vault", "vault")];
    let asked = std::cell::RefCell::new(0);
    let chain = |_: &Query| {
        *asked.borrow_mut() += 1;
        Answer::Value(B256::from(U256::from(2)).into())
    };
    let (plan, _) = plan_with(&queue, &given, chain).unwrap();
    assert_eq!(
        (*asked.borrow(), plan.reads.len(), plan.rests_on.iter().count()),
        (1, 0, 1),
        "only whether it is done"
    );
    // Its undo needs the whole queue: how long it is, and then each place.
    let (rounds, values) = former(&queue, &given, chain);
    let market = B256::from(U256::from(2)).to_string();
    assert_eq!((rounds, values), (2, args(&[("queue", &format!("[{market}, {market}]"))])));
}
