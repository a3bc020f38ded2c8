//! Levers tried on forks of a chain in memory, and a council file held against it.

use super::bytecode::{Body, contract};
use super::live::{chain, evaluated, home};
use super::memory::Memory;
use super::*;
use crate::ceremony::discovery::contract::ContractLocation;
use crate::ceremony::discovery::new_safe::read_first;
use crate::ceremony::drills::drilling::prove;
use crate::ceremony::trials::council_check::contracts;
use crate::ceremony::trials::trial::{TrialRun, refused_by};
use crate::ceremony::trials::trial_report::{TrialPart, TrialReport};
use crate::chain::Ask;
use crate::check::OwnerKind;
use crate::error::Exit;
use crate::evm::BlockTag;
use crate::incident::{DrillStep, JournalAct};
use crate::proposal::DrillName;
use crate::safe::slot_word;

const GUARDIAN: Address = Address::repeat_byte(0x11);
const LABS: Address = Address::repeat_byte(0x22);

/// A chain whose vault is paused by the guardian alone, and unpaused by this Safe.
fn guarded(unpaused_by: Address) -> Memory {
    let node = chain();
    let code = contract(&[
        ("pause()", Body::SetBy(2, 0, 1)),
        ("unpause()", Body::SetBy(3, 0, 0)),
        ("paused()", Body::Get(0)),
        ("setFee(uint256)", Body::Put(1)),
        ("fee()", Body::Get(1)),
    ]);
    node.code(VAULT, code);
    node.slot(VAULT, slot_word(2), GUARDIAN.into_word());
    node.slot(VAULT, slot_word(3), unpaused_by.into_word());
    node
}

fn tried(
    node: &Memory,
    playbook: &str,
    undo_safe: Option<&str>,
    set: &[(&str, &str)],
) -> Result<TrialReport, Error> {
    let home = home(node);
    let desk = home.desk();
    let safe = desk.safe("guardian").unwrap();
    let set: Vec<_> = set.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string())).collect();
    let link = desk.connect(safe).unwrap();
    let run: TrialRun = desk.try_playbook(playbook, safe, undo_safe, &set, &link)?;
    assert_eq!((run.block.number, run.chain.name.as_str()), (super::memory::FIRST, "mainnet"));
    Ok(run.report)
}

fn pause(node: &Memory, undo_safe: Option<&str>) -> TrialReport {
    tried(node, "pause/oz-pausable", undo_safe, &[("target", "vault")]).unwrap()
}

fn ended(report: &TrialReport, part: &str) -> String {
    report.parts[part]["ended"].as_str().unwrap_or_default().to_string()
}

fn wrong(report: TrialReport) -> (TrialPart, Exit, String) {
    let (part, error) = report.wrong.unwrap();
    (part, error.exit, error.message)
}

#[test]
fn a_lever_its_undo_and_a_stranger_are_tried_one_after_the_other() {
    let report = pause(&guarded(GUARDIAN), None);
    assert!(report.wrong.is_none(), "{:?}", report.rows);
    assert!(!report.is_done && report.gas.is_some_and(|gas| gas > 21_000));
    assert_eq!((report.calls.len(), report.calls[0].to), (1, VAULT));
    assert!(!report.read.is_empty() && !report.undo_read.is_empty());
    for (part, end) in [
        ("lever", "proven"),
        ("undo", "proven"),
        ("without_role", "refused"),
        ("undo_without_role", "refused"),
    ] {
        assert_eq!(ended(&report, part), end, "{part}: {:?}", report.rows);
    }
    assert!(report.parts["again"]["refused"].as_str().unwrap().contains("paused()"));
    assert_eq!(report.parts["left_over"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_contract_that_takes_the_call_from_anybody_is_a_fault() {
    let (part, exit, why) = wrong(pause(&chain(), None));
    assert_eq!((part, exit), (TrialPart::Stranger, Exit::Failed));
    assert!(why.starts_with("without the role: pause() does not revert from 0x6E6f"), "{why}");
}

#[test]
fn a_lever_that_is_done_is_not_one_that_cannot_be_pulled() {
    let node = guarded(GUARDIAN);
    node.set(VAULT, 0, 1);
    let done = pause(&node, None);
    assert!(done.is_done);
    assert_eq!(wrong(done).0, TrialPart::Lever);
    let node = guarded(LABS);
    node.slot(VAULT, slot_word(2), LABS.into_word());
    let denied = pause(&node, None);
    assert!(!denied.is_done && denied.gas.is_none());
    let (part, exit, why) = wrong(denied);
    assert_eq!((part, exit), (TrialPart::Lever, Exit::Refused), "{why}");
    // There is nothing to change: that tells nothing of who may change it.
    let set = [("target", "vault"), ("fee", "30 bps")];
    let same = tried(&guarded(GUARDIAN), "param/fee-bps", None, &set).unwrap();
    assert!(same.is_done && same.parts["without_role"]["not_tried"].is_string());
    assert!(same.rows[0][1].starts_with("not tried, because for 0x6E6f"), "{:?}", same.rows);
    assert_eq!(wrong(same).0, TrialPart::Lever);
}

#[test]
fn another_safe_of_the_same_chain_may_take_it_back() {
    let report = pause(&guarded(LABS), Some("labs"));
    assert!(report.wrong.is_none(), "{:?}", report.rows);
    assert_eq!(ended(&report, "undo"), "proven");
    let refused = pause(&guarded(LABS), None);
    assert_eq!(wrong(refused).0, TrialPart::Undo);
    let node = guarded(GUARDIAN);
    let target = VAULT.to_string();
    let far = tried(&node, "pause/oz-pausable", Some("far"), &[("target", &target)]).err().unwrap();
    assert_eq!((far.exit, far.message.as_str()), (Exit::Usage, "far is on base and the lever on mainnet"));
}

/// Every holder of a token may revoke their own allowance: no account is refused.
#[test]
fn a_call_that_anybody_may_make_is_not_tried_as_a_stranger() {
    let node = chain();
    let code = contract(&[
        ("approve(address,uint256)", Body::Set(0, 0)),
        ("allowance(address,address)", Body::Get(0)),
    ]);
    node.code(VAULT, code);
    node.set(VAULT, 0, 7);
    let spender = LABS.to_string();
    let set = [("token", "vault"), ("spender", spender.as_str())];
    let report = tried(&node, "pause/erc20-revoke", None, &set).unwrap();
    assert_eq!(report.parts["without_role"]["not_tried"], "anyone", "{:?}", report.rows);
    assert_eq!(report.rows[0], ["without the role", "not tried: anybody may do it"]);
}

#[test]
fn a_refused_lever_comes_with_its_reason() {
    let refused = |node: &Memory| {
        let home = home(node);
        let desk = home.desk();
        let order = order(&desk, &["vault"], &Given::default());
        let link = desk.connect(order.safe).unwrap();
        let ask = Ask { safe: order.safe.address, ..Ask::default() };
        let seen = link.snapshot(&ask, BlockTag::Latest).unwrap();
        let mut fork = link.forked(&seen, crate::clock::seconds());
        refused_by(&order, &mut fork, &seen.state).unwrap()
    };
    assert_eq!(refused(&guarded(GUARDIAN)), None);
    let why = refused(&guarded(LABS)).unwrap_or_default();
    assert_eq!(why, "", "labs unpauses, and the guardian pauses");
    let node = guarded(GUARDIAN);
    node.set(VAULT, 0, 1);
    assert!(refused(&node).unwrap().starts_with("refused before anybody signs: "));
    // The checks of a proposal refuse a Safe that is not as the council file pins it.
    let node = guarded(GUARDIAN);
    node.set(GUARDIAN, crate::safe::slot::THRESHOLD, 1);
    let why = refused(&node).unwrap();
    assert!(why.starts_with("refused before anybody signs: ") && why.contains("threshold"), "{why}");
}

#[test]
fn a_council_file_is_compared_with_its_chains() {
    let levers = "[levers.low]\nplaybook = \"param/fee-bps\"\nsafe = \"guardian\"\nset = { target = \"vault\", fee = \"40 bps\" }\n\
                  [levers.high]\nplaybook = \"param/fee-bps\"\nsafe = \"guardian\"\nset = { target = \"vault\", fee = \"50 bps\" }\n\
                  [levers.both]\npull = [\"low\", \"high\"]\n[levers.freeze]";
    let node = chain();
    let ghost = format!("[targets.ghost]\nmainnet = \"{}\"\n[targets.bridge]", Address::repeat_byte(0x66));
    let home = home(&node).with("[levers.freeze]", levers).with("[targets.bridge]", &ghost);
    let mut desk = home.desk();
    desk.not_used = BTreeMap::from([("low".into(), BTreeMap::from([("was".into(), "20 bps".into())]))]);
    let faults = |report: &crate::ceremony::trials::council_online::CouncilReport, lever: &str| {
        report.levers.iter().find(|one| one.lever == lever).unwrap().faults.clone()
    };
    let report = desk.check_council(false);
    assert!(faults(&report, "freeze").is_empty() && faults(&report, "low").is_empty());
    assert_eq!(faults(&report, "both").len(), 1, "the second reads the fee that the first changes");
    let low = report.levers.iter().find(|one| one.lever == "low").unwrap();
    assert_eq!(low.ignored.len(), 1);
    let owners: Vec<_> = report.owners.iter().map(|seen| (seen.safe.as_str(), seen.kind)).collect();
    assert_eq!(owners, [("guardian", OwnerKind::Safe)]);
    assert!(
        report.not_checked.len() == 1 && report.not_checked[0].starts_with("base: "),
        "{:?}",
        report.not_checked
    );
    assert!(report.faults.len() == 1 && report.faults[0].starts_with("ghost 0x6666"), "{:?}", report.faults);
    // Nothing is at the bridge.
    node.code(Address::repeat_byte(0x88), Bytes::new());
    let report = desk.check_council(false);
    assert!(faults(&report, "bridge")[0].ends_with("is not a contract on mainnet: no code is there"));
    assert!(faults(&report, "vault").is_empty());
    node.asked();
    let offline = desk.check_council(true);
    assert!(node.asked().is_empty() && faults(&offline, "bridge").is_empty() && offline.owners.is_empty());
    let told = |desk: &Desk| contracts(&desk.council, &[]).into_keys().collect::<Vec<_>>();
    assert_eq!(told(&desk), ["base", "mainnet"], "its owners are evaluated");
    let open =
        Home::new().with("version = \"1.4.1\"\nowners = [\"alice\"]\nthreshold = 1", "version = \"1.4.1\"");
    assert_eq!(told(&open.desk()), ["mainnet"]);
}

#[test]
fn an_alarm_is_checked_with_the_levers() {
    let alarm = "[alarms.drained]\nlever = \"fee\"\ntitle = \"drained\"\n[levers.freeze]";
    let home = Home::new().with("[levers.freeze]", alarm);
    let report = home.desk().check_council(true);
    let alarm = report.levers.iter().find(|lever| lever.lever == "alarm drained").unwrap();
    assert!(alarm.faults[0].contains("leaves"), "{:?}", alarm.faults);
}

#[test]
fn a_safe_that_nobody_wrote_down_is_read_with_the_kinds_of_its_owners() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let error = read_first(desk.progress, GUARDIAN, &[]).unwrap_err();
    assert_eq!((error.exit, error.message.as_str()), (Exit::Usage, "no RPC address is named"));
    let (id, seen) = read_first(desk.progress, GUARDIAN, &[node.url()]).unwrap();
    assert_eq!((id, seen.state.owners.list().len(), seen.accounts.len()), (1, 3, 3));
    let batch = crate::proposal::BatchContract::of(1, seen.state.id.version, None).all().queries();
    assert!(batch.iter().all(|query| seen.readings.get(query).is_some()));
    // A new entry names the owners that the file knows.
    node.safe(Address::repeat_byte(0x55), &[address(ALICE), Address::repeat_byte(0x56)], 2, 0);
    let fields = desk.fields_of_safe(&desk.council.chains["mainnet"], Address::repeat_byte(0x55)).unwrap();
    let owners = fields.iter().find(|(key, _)| key == "owners").unwrap().1.to_string();
    assert_eq!(owners, format!("[\"alice\", \"{}\"]", Address::repeat_byte(0x56)));
}

#[test]
fn what_a_call_changes_is_seen_by_the_views_that_tell_another_value() {
    use alloy::json_abi::Function;
    let node = guarded(GUARDIAN);
    let home = home(&node);
    let desk = home.desk();
    let place = ContractLocation { chain: &desk.council.chains["mainnet"], address: VAULT };
    let views = ["paused()(bool)", "fee()(uint256)"].map(|view| Function::parse(view).unwrap());
    let seen = |safe: &str, call: &str| {
        let function = Function::parse(call).unwrap();
        desk.observed_changes(place, desk.safe(safe).unwrap(), &function, &BTreeMap::new(), &views)
    };
    let pause = seen("guardian", "pause()").unwrap();
    let changes: Vec<_> =
        pause.changes.iter().map(|c| (c.view.name.as_str(), &*c.before, &*c.after)).collect();
    assert_eq!((changes, pause.slots), (vec![("paused", "false", "true")], 1));
    let nothing = seen("guardian", "paused()").unwrap();
    assert!(nothing.changes.is_empty() && nothing.slots == 0, "the Safe's own nonce is not the contract's");
    let error = seen("labs", "pause()").err().unwrap();
    assert!(
        error.exit == Exit::Failed && error.message.starts_with("pause() fails from labs: "),
        "{}",
        error.message
    );
    let error = seen("far", "pause()").err().unwrap();
    assert_eq!((error.exit, error.message), (Exit::Usage, format!("far is on base, and {VAULT} on mainnet")));
    assert_eq!(desk.code_at(place).unwrap().len(), 1);
    let nowhere = ContractLocation { address: Address::repeat_byte(0x66), ..place };
    assert!(desk.code_at(nowhere).unwrap_err().message.ends_with("has no code on mainnet"));
}

#[test]
fn a_drill_takes_a_nonce_at_which_it_was_not_proven_here() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let nonce = |given: &Given| {
        let orders = desk.drills_of(&words(&["vault"]), given).unwrap();
        let evaluated = desk.evaluate_drills(orders, given).remove(0).result.unwrap();
        let drill = evaluated.online.derived.proposal;
        assert!(drill.is_drill());
        drill.nonce()
    };
    let proven = |at_nonce: u64| {
        let drill = proposed(&desk, &["vault"], &at(at_nonce), 0).for_drill().unwrap();
        let step = DrillStep::Proven { block: 100, keys: 2 };
        desk.enter(JournalAct::Drill { step }, Some(desk.about(&drill))).unwrap();
    };
    assert_eq!(nonce(&Given::default()), Nonce::from(4));
    proven(5);
    assert_eq!(nonce(&Given::default()), Nonce::from(4));
    proven(4);
    assert_eq!(nonce(&Given::default()), Nonce::from(6));
    assert_eq!(nonce(&at(4)), Nonce::from(4), "it was named");
}

/// The real Safe code takes the signatures of a drill on a fork with its chain id.
#[test]
fn a_drill_that_enough_have_signed_is_proven_by_the_safes_own_code() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let orders = desk.drills_of(&words(&["vault"]), &Given::default()).unwrap();
    let drill =
        desk.evaluate_drills(orders, &Given::default()).remove(0).result.unwrap().online.derived.proposal;
    desk.keep_proposal(&drill).unwrap();
    for seed in [ALICE, BOB] {
        desk.keep_signature(&drill, &sign(&desk, seed, &drill)).unwrap();
    }
    let name = DrillName::of(&drill).unwrap().to_string();
    let judged = evaluated(&desk, &[&name], &Given::default(), CommandPurpose::Finish).remove(0);
    let proof = prove(&judged).unwrap();
    assert_eq!((proof.keys, proof.verdicts.len(), proof.block.number), (2, 1, super::memory::FIRST));
    assert!(proof.verdicts[0].holds && proof.gas_used > 21_000);
    assert_eq!(node.read(VAULT, 0), U256::ZERO, "nothing was sent");
}
