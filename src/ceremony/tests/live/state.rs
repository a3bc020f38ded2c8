//! All at once: open proposals, levers, alarms, cards and whom to wake.

use std::collections::BTreeSet;

use alloy::primitives::{Log, keccak256};

use super::*;
use crate::ceremony::barred::{self, Entitled};
use crate::ceremony::overviews::cards::printed;
use crate::ceremony::overviews::lever_state::LeverState;
use crate::ceremony::overviews::overview::{Overview, read as read_overview};
use crate::ceremony::overviews::watching::Watch;
use crate::error::Exit;
use crate::evm::TxHash;
use crate::incident::{Journal, JournalAct, Plain, TransactionRef, UnnumberedEntry, Utc, next};
use crate::playbook::AlarmEvaluation;
use crate::safe::{Nonces, approved_hash_slot};
use crate::store::NewLine;

/// A lever with a value to be read first, and one whose arguments are open.
fn home_of_levers(node: &Memory) -> Home {
    let both = format!("{BOTH}\n").replace("[levers.freeze]\n", "[levers.freeze]");
    home(node).with("[levers.freeze]", &both)
}

/// Adds an entry to the journal, made at this minute.
fn enter(desk: &Desk, minute: u64, act: JournalAct, about: Option<TransactionRef>) {
    let draft = UnnumberedEntry {
        time: Utc::from_millis(minute * 60_000),
        who: None,
        program: Plain::cut("test"),
        council: crate::council::TextDigest::of(&desk.text),
        act,
        about,
    };
    let line = |tail: &[u8]| {
        let append = next(tail, draft).unwrap();
        Ok::<_, Error>(NewLine { completes: append.completes, line: append.line })
    };
    desk.incidents.journal().append(line).unwrap();
}

fn mined(succeeded: bool) -> JournalAct {
    JournalAct::Mined { tx: TxHash::claimed(B256::ZERO), block: 1, succeeded }
}

fn journal(desk: &Desk) -> Journal {
    Journal::read(&desk.incidents.journal().read().unwrap())
}

#[test]
fn the_states_of_levers_and_proposals_are_the_chains() {
    let node = chain();
    node.set(VAULT, 1, 20);
    let home = home_of_levers(&node);
    let desk = || with_both(&home, SETTING_A_BIT);
    let seen = || read_overview(&desk(), false).unwrap();
    let first = seen();
    let ready = LeverState::Ready { until: None };
    for lever in ["vault", "bridge", "both", "alone"] {
        assert_eq!(first.levers[lever], ready, "{lever}");
    }
    assert_eq!(first.levers["fee"], LeverState::Asks(vec!["fee".into()]));
    let (number, age) =
        *first.chains.iter().find(|chain| chain.chain == "mainnet").unwrap().read.as_ref().unwrap();
    assert!(number == 100 && age < 1_000, "{number} {age}");
    assert!(first.open.is_empty() && first.more_open == 0);
    assert_eq!(first.chains.len(), 1, "nothing is on the other chain");
    // Kept proposals are open from the next nonce on, and approvals on chain count.
    let [used, vault, later] = [3, 4, 5].map(|nonce| live_proposal(&home.desk(), &["vault"], &at(nonce)));
    for proposal in [&used, &vault, &later] {
        keep_signed(&home.desk(), proposal, &[ALICE]);
    }
    node.slot(GUARDIAN, approved_hash_slot(address(BOB), &vault.hash()), U256::from(1));
    enter(&home.desk(), 7, JournalAct::Proposed {}, Some(home.desk().about(&later)));
    enter(&home.desk(), 8, JournalAct::Proposed {}, Some(home.desk().about(&vault)));
    enter(&home.desk(), 9, JournalAct::Proposed {}, Some(home.desk().about(&vault)));
    let open = |overview: &Overview| -> Vec<(Nonce, Option<Nonce>, usize, Option<Utc>)> {
        let all = overview.open.iter();
        all.map(|open| (open.proposal.nonce(), open.next, open.tally.approved.len(), open.since)).collect()
    };
    let minute = |minute: u64| Some(Utc::from_millis(minute * 60_000));
    let next = Some(Nonce::from(4));
    let both = [(Nonce::from(4), next, 2, minute(8)), (Nonce::from(5), next, 1, minute(7))];
    assert_eq!(open(&seen()), both);
    // A lever that has its nonce is told.
    let bridge = proposed(&home.desk(), &["bridge"], &at(4), 0);
    keep_signed(&home.desk(), &bridge, &[ALICE, BOB]);
    let kept = seen();
    let keepers: Vec<Option<&str>> =
        kept.open.iter().map(|open| open.keeper.as_ref().map(|keeper| keeper.title.as_str())).collect();
    assert_eq!(keepers.iter().filter(|keeper| **keeper == Some("bridge")).count(), 2, "{keepers:?}");
    assert_eq!(kept.open.len(), 3);
}

/// A drill of the last days is open until it is proven, and takes no nonce from anybody.
#[test]
fn an_announced_drill_is_open() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    node.asked();
    read_overview(&desk, false).unwrap();
    let headers = node.asked().iter().filter(|method| *method == "eth_getBlockByNumber").count();
    assert_eq!(headers, 2, "one round for all levers");
    let drill = live_proposal(&desk, &["vault"], &at(4)).for_drill().unwrap();
    desk.keep_proposal(&drill).unwrap();
    assert!(read_overview(&home.desk(), false).unwrap().open.is_empty());
    keep_signed(&desk, &proposed(&desk, &["bridge"], &at(4), 0), &[ALICE, BOB]);
    let step = crate::incident::DrillStep::Announced {};
    enter(&desk, crate::clock::seconds() / 60, JournalAct::Drill { step }, Some(desk.about(&drill)));
    let open = read_overview(&home.desk(), false).unwrap().open;
    assert_eq!(open.len(), 2);
    let drilled = open.iter().find(|open| open.proposal.is_drill()).unwrap();
    assert!(drilled.keeper.is_none());
}

#[test]
fn a_lever_that_is_done_says_when_this_machine_saw_it() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = live_proposal(&desk, &["vault"], &Given::default());
    let bridge = live_proposal(&desk, &["bridge"], &Given::default());
    node.set(VAULT, 0, 1);
    let state = || read_overview(&home.desk(), false).unwrap().levers["vault"].clone();
    assert_eq!(state(), LeverState::Done { since: None });
    enter(&desk, 3, mined(true), Some(desk.about(&bridge)));
    enter(&desk, 4, mined(false), Some(desk.about(&vault)));
    assert_eq!(state(), LeverState::Done { since: None }, "of another lever, and one that failed");
    enter(&desk, 5, mined(true), Some(desk.about(&vault)));
    assert_eq!(state(), LeverState::Done { since: Some(Utc::from_millis(300_000)) });
    let proven = JournalAct::Proven { tx: TxHash::claimed(B256::ZERO), block: 1 };
    enter(&desk, 6, proven, Some(desk.about(&vault)));
    enter(&desk, 7, JournalAct::Proposed {}, Some(desk.about(&vault)));
    assert_eq!(state(), LeverState::Done { since: Some(Utc::from_millis(360_000)) });
}

#[test]
fn a_chain_that_cannot_be_read_leaves_its_levers_unknown() {
    let node = chain();
    let home = home(&node);
    keep_signed(&home.desk(), &live_proposal(&home.desk(), &["vault"], &Given::default()), &[ALICE]);
    node.refuse("eth_getStorageAt");
    let seen = read_overview(&home.desk(), false).unwrap();
    assert!(matches!(seen.levers["vault"], LeverState::Unknown(_)));
    assert_eq!((seen.open.len(), seen.open[0].next, seen.open[0].tally.approved.len()), (1, None, 1));
    assert!(seen.chains[0].read.is_err());
    node.asked();
    read_overview(&home.desk(), true).unwrap();
    assert!(node.asked().is_empty());
}

#[test]
fn a_call_that_is_not_the_safes_names_its_holder() {
    let node = chain();
    let home = home(&node);
    let found = || {
        let desk: &'static Desk = Box::leak(Box::new(home.desk()));
        let vault = evaluated(desk, &["vault"], &Given::default(), CommandPurpose::Propose).remove(0);
        barred::find(desk, &vault)
    };
    assert_eq!(found(), None);
    node.code(
        VAULT,
        contract(&[("pause()", Body::Deny), ("paused()", Body::Get(0)), ("owner()", Body::Get(2))]),
    );
    node.slot(VAULT, crate::safe::slot_word(2), address(CAROL).into_word());
    let barred = found().unwrap();
    assert_eq!((barred.contract, barred.call.as_str(), barred.to), (VAULT, "pause()", Entitled::Owner));
    assert_eq!(barred.holder, Some(address(CAROL)));
    node.code(VAULT, contract(&[("pause()", Body::Deny), ("paused()", Body::Get(0))]));
    assert_eq!(found().unwrap().holder, None, "it has no owner()");
}

/// Anybody can plant an outcome, and the journal names no folder: a proposal is done only if both say so.
#[test]
fn a_proposal_is_done_by_its_outcome_and_the_journal() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let proven = || JournalAct::Proven { tx: TxHash::claimed(B256::ZERO), block: 1 };
    let open = || home.desk().kept_open().unwrap().len();
    desk.keep_proposal(&vault).unwrap();
    enter(&desk, 1, proven(), Some(desk.about(&proposed(&desk, &["bridge"], &at(4), 0))));
    desk.keep_outcome(&vault, 1, "{}\n").unwrap();
    assert_eq!(open(), 1, "another one was proven");
    enter(&desk, 2, proven(), Some(desk.about(&vault)));
    assert_eq!(open(), 0);
    let places = |online| home.desk().places(|_| true, online).unwrap();
    assert_eq!((places(true), places(false)), (vec![(Nonce::from(4), true)], vec![(Nonce::from(4), true)]));
    desk.keep_proposal(&proposed(&desk, &["bridge"], &at(4), 0)).unwrap();
    assert_eq!(open(), 1, "it has no outcome");
}

const ALARMS: &str = "[alarms.dear]\ntitle = \"the fee is high\"\nlever = \"vault\"\non = \"vault\"\nview = \"fee()(uint256)\"\nat_most = \"50\"\n\
    [alarms.slow]\ntitle = \"the same, now and then\"\nlever = \"vault\"\nevery = \"90 seconds\"\non = \"bridge\"\nview = \"fee()(uint256)\"\nat_most = \"{most}\"\n\
    read = [{ name = \"most\", view = \"fee()(uint256)\", on = \"vault\" }]\n\
    [alarms.told]\ntitle = \"somebody else's\"\nlever = \"vault\"\n[levers.freeze]";

fn with_alarms(node: &Memory, more: &str) -> Home {
    home(node).with("[levers.freeze]", &ALARMS.replace("[levers.freeze]", &format!("{more}[levers.freeze]")))
}

fn watch<'a>(desk: &'a Desk<'a>, named: &[&str]) -> Watch<'a> {
    let mut all = desk.watches(&words(named)).unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// The alarms whose claim is false at the newest block.
fn tripped(watch: &mut Watch, due: &[&str]) -> Result<Vec<String>, Error> {
    let sight = watch.read(&due.iter().copied().collect::<BTreeSet<_>>(), crate::clock::seconds())?;
    let is_false = |evaluation: &AlarmEvaluation| match evaluation {
        AlarmEvaluation::False { .. } => true,
        AlarmEvaluation::Quiet { .. } => false,
        other => panic!("{other:?}"),
    };
    Ok(sight
        .evaluations
        .iter()
        .filter(|(_, evaluation)| is_false(evaluation))
        .map(|(alarm, _)| alarm.name.clone())
        .collect())
}

#[test]
fn alarms_are_false_by_what_their_views_say() {
    let node = chain();
    let home = with_alarms(&node, "");
    let desk = home.desk();
    let names = |named: &[&str]| watch(&desk, named).names().collect::<Vec<_>>();
    assert_eq!(names(&[]), ["dear", "slow"], "one has no view");
    assert_eq!(names(&["slow"]), ["slow"]);
    let error = desk.watches(&words(&["told"])).err().unwrap();
    assert_eq!((error.exit, error.message.contains("has no view to read")), (Exit::Usage, true));
    let error = desk.watches(&words(&["nobody"])).err().unwrap();
    assert_eq!((error.exit, error.hints[0].as_str()), (Exit::Usage, "known: dear, slow, told"));
    assert_eq!(Home::new().desk().alarm("x").unwrap_err().hints, ["the council file has no [alarms.NAME]"]);
    let mut both = watch(&desk, &[]);
    let all = ["dear", "slow"];
    assert!(tripped(&mut both, &all).unwrap().is_empty());
    node.set(BRIDGE, 1, 31);
    assert_eq!(tripped(&mut both, &all).unwrap(), ["slow"]);
    node.set(VAULT, 1, 51);
    assert_eq!(tripped(&mut both, &all).unwrap(), ["dear"]);
    assert!(tripped(&mut both, &["slow"]).unwrap().is_empty(), "only what is due");
    // What was asked the last time is asked at once: the headers around one batch.
    node.asked();
    tripped(&mut both, &all).unwrap();
    assert_eq!(node.asked().iter().filter(|method| *method == "eth_getBlockByNumber").count(), 2);
    let seconds = std::time::Duration::from_secs;
    let pauses: Vec<_> =
        both.pauses().into_iter().map(|(alarm, pause)| (alarm.name.as_str(), pause)).collect();
    assert_eq!(pauses, [("dear", seconds(12)), ("slow", seconds(90))]);
}

#[test]
fn an_alarm_is_not_evaluated_at_an_old_block() {
    let node = chain();
    let home = with_alarms(&node, "");
    let desk = home.desk();
    let mut both = watch(&desk, &[]);
    assert!(tripped(&mut both, &["dear"]).is_ok());
    node.age(100_000);
    let error = tripped(&mut both, &["dear"]).unwrap_err();
    assert_eq!(error.exit, Exit::Network);
    assert!(
        error.message.starts_with("mainnet: block 100 is ") && error.message.contains("are allowed"),
        "{}",
        error.message
    );
}

#[test]
fn a_faulty_alarm_is_reported() {
    let node = chain();
    let bad = "[alarms.bad]\ntitle = \"x\"\nlever = \"vault\"\non = \"vault\"\nview = \"fee()(uint256)\"\nat_most = \"{nothing}\"\n";
    let home = with_alarms(&node, bad);
    let desk = home.desk();
    let error = desk.watches(&[]).err().unwrap();
    assert_eq!(error.exit, Exit::Usage);
    assert!(error.hints[0].starts_with("[alarms.bad] is written like a check"), "{:?}", error.hints);
    assert!(desk.watches(&words(&["dear"])).is_ok());
}

/// Events of the last blocks are searched in the first round once the height of the chain is known.
#[test]
fn events_are_counted_over_the_last_blocks() {
    let node = chain();
    let outflow = "[alarms.outflow]\ntitle = \"much left\"\nlever = \"vault\"\nevent = \"Out(uint256 value)\"\non = \"vault\"\n\
        args = [\"_\"]\nblocks = 3\nsum = \"value\"\nat_most = \"100\"\n";
    let home = with_alarms(&node, outflow);
    let desk = home.desk();
    let mut watch = watch(&desk, &["outflow"]);
    let leaves = |value: u64| {
        let data = B256::from(U256::from(value)).to_vec();
        node.mine_logs(vec![Log::new(VAULT, vec![keccak256("Out(uint256)")], data.into()).unwrap()]);
    };
    leaves(60);
    assert!(tripped(&mut watch, &["outflow"]).unwrap().is_empty());
    leaves(60);
    assert_eq!(tripped(&mut watch, &["outflow"]).unwrap(), ["outflow"]);
    node.asked();
    assert_eq!(tripped(&mut watch, &["outflow"]).unwrap(), ["outflow"]);
    let asked = node.asked();
    assert_eq!(asked.iter().filter(|method| *method == "eth_getLogs").count(), 1);
    assert_eq!(asked.iter().filter(|method| *method == "eth_getBlockByNumber").count(), 2, "in one round");
    let newest = (0..3).map(|_| node.mine()).max();
    assert_eq!(newest, Some(super::super::memory::FIRST + 5));
    assert!(tripped(&mut watch, &["outflow"]).unwrap().is_empty(), "that was long ago");
}

#[test]
fn a_card_that_rests_on_the_chain_lists_the_values_it_rests_on() {
    let node = chain();
    let home = home_of_levers(&node)
        .with("pull = [\"vault\", \"bridge\"]", "pull = [\"vault\", \"both\"]\nalone = [\"both\"]");
    let desk = with_both(&home, SETTING_A_BIT);
    let cards = |levers: &[&str], nonces: Option<Nonces>| {
        desk.cards(&words(levers), &Given::default(), nonces).unwrap()
    };
    let range = |first: u64, last: u64| Nonces::new(first.into(), last.into()).unwrap();
    let usual = cards(&["vault"], None).remove(0);
    assert_eq!(usual.card.printed().nonces, range(4, 8));
    let seen = usual.seen.unwrap();
    assert_eq!((seen.block.number, seen.decided.len()), (100, 0));
    assert!(cards(&["vault"], Some(range(7, 9))).remove(0).seen.is_none(), "the files say all");
    let read = cards(&["both"], Some(range(7, 9))).remove(0);
    assert_eq!(read.card.printed().nonces, range(7, 9));
    assert_eq!(read.seen.unwrap().decided.len(), 1);
    let both = cards(&["freeze"], None);
    assert_eq!(
        both.iter().map(|card| card.card.printed().nonces).collect::<Vec<_>>(),
        [range(4, 8), range(5, 9)]
    );
    // The journal has the newest card of each.
    let card = |nonces| JournalAct::Card { nonces };
    enter(&desk, 1, card(range(4, 8)), Some(both[0].about()));
    enter(&desk, 2, card(range(5, 9)), Some(both[1].about()));
    enter(&desk, 3, card(range(6, 10)), Some(both[0].about()));
    enter(&desk, 4, JournalAct::Proposed {}, Some(both[0].about()));
    let all = printed(&journal(&desk));
    assert!(all.iter().any(|card| card.card.nonces == range(6, 10)));
    assert!(all.iter().all(|card| card.card.nonces != range(4, 8)), "a newer one took its place");
}

#[test]
fn those_who_have_not_signed_and_do_not_say_that_they_are_awake_are_called() {
    let people = "[response]\nfirst_signature = \"10 minutes\"\n[people.alice]\nreach = \"phone 1\"\n[people.bob]\nreach = \"phone 2\"\n[levers.freeze]";
    let home = Home::new().with("[levers.freeze]", people);
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let tally = |signed: &[u8]| {
        let desk = home.desk();
        desk.keep_proposal(&vault).unwrap();
        for seed in signed {
            desk.keep_signature(&vault, &sign(&desk, *seed, &vault)).unwrap();
        }
        let given = Given::default();
        desk.find_own_lever(vault.clone(), &given)
            .unwrap()
            .offline(&desk, &given)
            .unwrap()
            .judge(true)
            .tally()
    };
    let names = |desk: &Desk, signed: &[u8]| {
        let tally = tally(signed);
        let waking = desk.waking(&vault, &tally).unwrap();
        let called: Vec<String> = waking.calls.iter().map(|call| call.person.name.clone()).collect();
        (called, waking.late.is_some(), waking.awake.len())
    };
    assert_eq!(names(&desk, &[]), (words(&["alice", "bob"]), false, 0), "nobody said when it began");
    enter(&desk, 7, JournalAct::Proposed {}, Some(desk.about(&vault)));
    assert_eq!(names(&desk, &[]), (words(&["alice", "bob"]), true, 0));
    let now = crate::ceremony::aftermath::entering::now();
    enter(&desk, 8, JournalAct::Awake { name: Plain::cut("bob"), at: now }, None);
    assert_eq!(names(&desk, &[]), (words(&["alice"]), true, 1));
    assert_eq!(names(&desk, &[ALICE]), (vec![], false, 1), "the first signature is made");
}

/// If many proposals are open, the last are evaluated, and the others are counted.
#[test]
fn at_most_fifty_open_proposals_are_evaluated() {
    let home = Home::new();
    let desk = home.desk();
    for nonce in 11..=60 {
        desk.keep_proposal(&proposed(&desk, &["vault"], &at(nonce), 0)).unwrap();
    }
    let counted = || read_overview(&home.desk(), true).map(|all| (all.open.len(), all.more_open)).unwrap();
    assert_eq!(counted(), (50, 0));
    desk.keep_proposal(&proposed(&desk, &["vault"], &at(90), 0)).unwrap();
    assert_eq!(counted(), (50, 1));
}
