//! Acts of one key alone, on a chain in memory: derived, rehearsed, sent and read back.

use alloy::primitives::Log;

use super::bytecode::{Body, contract};
use super::executed::{PAYER, own_call, sent};
use super::live::{SETTING_A_BIT, chain, home, with_both};
use super::memory::{FIRST, Memory};
use super::on_chain::word;
use super::*;
use crate::ceremony::aftermath::outcome;
use crate::ceremony::deputy::deputy_act::{Act, How, Wish, direct};
use crate::ceremony::deputy::deputy_mined::read;
use crate::ceremony::deputy::deputy_module::{deputy_query, queries};
use crate::ceremony::deputy::deputy_sent::folder_of;
use crate::ceremony::rehearsal_result::RehearsalResult;
use crate::ceremony::sending::sent::Sent;
use crate::chain::Sighting;
use crate::council::Arguments;
use crate::error::Exit;
use crate::proposal::{Bearer, Outgoing};
use crate::safe::{Call, Pause, PauseForm, PauseSignature};

const MODULE: Address = Address::repeat_byte(0x44);
const CONFIG: Address = Address::repeat_byte(0x88);
const CAP: u64 = 1 << 24;

fn wish<'w>(set: &'w Arguments, bearer: Option<&'w str>) -> Wish<'w> {
    Wish { set, payer: PAYER, bearer, nonce: B256::repeat_byte(5) }
}

fn act<'a>(desk: &'a Desk, lever: &str) -> Result<Act<'a>, Error> {
    desk.evaluate_as_deputy(desk.deputys(lever).unwrap(), &wish(&Arguments::new(), None))
}

fn done<'a>(act: &'a Act) -> &'a crate::ceremony::rehearsal_result::CompletedRehearsal {
    act.judged.rehearsal.done().unwrap()
}

/// A signer's folder with a lever of a module, which pauses the contract of the bridge.
fn module_home(node: &Memory) -> Home {
    let set = format!(
        "superchain_config = \"{CONFIG}\", identifier = \"{}\", system_config = \"{VAULT}\"",
        Address::ZERO
    );
    let lever = format!(
        "[levers.chain]\nplaybook = \"pause/op-superchain\"\nsafe = \"guardian\"\nset = {{ {set} }}\nby = \"deputy\"\n\
         deputy = \"bob\"\nmodule = \"{MODULE}\"\n[levers.freeze]"
    );
    node.code(
        CONFIG,
        contract(&[
            ("pausable(address)", Body::Get(2)),
            ("paused(address)", Body::Get(0)),
            ("pause(address)", Body::Set(0, 1)),
        ]),
    );
    node.set(CONFIG, 2, 1);
    node.code(
        MODULE,
        contract(&[
            ("deputy()", Body::Get(3)),
            ("guardianSafe()", Body::Get(5)),
            ("pause(bytes32,address,bytes)", Body::Set(4, 1)),
        ]),
    );
    node.slot(MODULE, crate::safe::slot_word(3), address(BOB).into_word());
    home(node).with("[levers.freeze]", &lever)
}

#[test]
fn a_lever_without_a_deputy_belongs_to_its_safe() {
    let home = Home::new();
    let desk = home.desk();
    assert_eq!(desk.deputys("alone").unwrap().name, "alone");
    let error = desk.deputys("vault").unwrap_err();
    assert_eq!(error.message, "lever vault has no deputy: its Safe's owners sign it");
    let error = desk.deputys("alnoe").unwrap_err();
    assert!(error.hints.contains(&"did you mean alone?".to_string()), "{:?}", error.hints);
}

#[test]
fn one_keys_own_call_is_rehearsed_as_its_transaction() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let alone = act(&desk, "alone").unwrap();
    assert_eq!((alone.deputy, alone.safe.name.as_str()), (("alice", address(ALICE)), "guardian"));
    let run = done(&alone);
    assert!(run.is_signed && run.after.len() == 1 && run.after[0].holds);
    assert_eq!(run.rehearsal.writes.len(), 1);
    // The account stands where a Safe would.
    let state = alone.judged.now().unwrap();
    assert_eq!((state.id.address, state.owners.list()), (address(ALICE), &[address(ALICE)][..]));
    assert_eq!(alone.judged.seen().unwrap().link.rounds(), 3, "one to derive it, and two to rehearse");
    assert_eq!(alone.outgoing().unwrap().to(), VAULT);
    // Wrong arguments are found before the chain is asked.
    node.asked();
    let set: Arguments = [("target".to_string(), "nowhere".to_string())].into();
    let bare = home_with_open_target(&node);
    let desk = bare.desk();
    let wrong = desk.evaluate_as_deputy(desk.deputys("alone").unwrap(), &wish(&set, None));
    assert!(wrong.is_err() && node.asked().is_empty());
}

/// The lever of a deputy that leaves its target open.
fn home_with_open_target(node: &Memory) -> Home {
    let fixed = "set = { target = \"vault\" }\nby = \"deputy\"";
    home(node).with(fixed, "by = \"deputy\"")
}

#[test]
fn the_checks_of_an_act_are_asked_once_its_plan_is_known() {
    let node = chain();
    let fee = "[levers.alone]\nplaybook = \"pause/oz-pausable\"";
    let home = home(&node).with(fee, "[levers.alone]\nplaybook = \"param/fee-bps\"");
    let desk = home.desk();
    let set: Arguments = [("fee".to_string(), "40 bps".to_string())].into();
    let lever = desk.deputys("alone").unwrap();
    let fee = desk.evaluate_as_deputy(lever, &wish(&set, None)).unwrap();
    assert!(done(&fee).after[0].holds);
    let readings = fee.judged.readings().unwrap();
    let plan = fee.judged.plan().unwrap();
    let checks = plan.before.iter().chain(&plan.after).flat_map(crate::playbook::Check::queries);
    assert!(checks.collect::<Vec<_>>().iter().all(|query| readings.get(query).is_some()));
}

#[test]
fn acts_that_a_deputy_cannot_do_alone_are_refused_with_the_reason() {
    let refused = |council: (&str, &str)| {
        let node = chain();
        let home = module_home(&node).with(council.0, council.1);
        let desk = home.desk();
        let error = act(&desk, "alone").err().unwrap();
        assert_eq!(error.exit, Exit::Usage);
        error.message
    };
    let by = "by = \"deputy\"\ndeputy = \"alice\"\n[levers.chain]";
    let of_module = format!("by = \"deputy\"\ndeputy = \"alice\"\nmodule = \"{MODULE}\"\n[levers.chain]");
    assert_eq!(refused((by, &of_module)), "lever alone: no DeputyPauseModule calls pause()");
}

#[test]
fn a_message_of_a_module_is_tried_with_a_key_that_everybody_knows() {
    let node = chain();
    let home = module_home(&node);
    let desk = home.desk();
    let stopped = act(&desk, "chain").unwrap();
    let How::Module(pause, None) = &stopped.how else { panic!() };
    assert_eq!((pause.module, pause.form), (MODULE, PauseForm::Second { identifier: Address::ZERO }));
    assert!(!done(&stopped).is_signed);
    let seen = stopped.judged.seen().unwrap();
    let mut snapshot = seen.snapshot.clone();
    let mut call = |how: &How| direct(&seen.link, &mut snapshot, (how, address(BOB)), PAYER).unwrap();
    let tried = call(&stopped.how).unwrap();
    let (stand_in, _) = PauseSignature::rehearsal_signature(pause).unwrap();
    let assumed: Vec<_> = tried.assumed.iter().map(|((at, slot), word)| (*at, *slot, *word)).collect();
    let word = U256::from_be_bytes(stand_in.into_word().0);
    assert_eq!(assumed, [(MODULE, crate::safe::slot_word(3), word)]);
    assert_eq!((tried.from, tried.to), (PAYER, MODULE));
    // The deputy's own signature needs no assumption.
    let pause = &Pause { nonce: B256::repeat_byte(6), ..*pause };
    let bytes = safe_signature(BOB, &pause.hashes().safe_tx, SignatureKind::Ecdsa);
    let signature = PauseSignature::of_deputy(pause, address(BOB), &bytes).unwrap();
    let text = Bearer { pause: *pause, signature }.to_json();
    let lever = desk.deputys("chain").unwrap();
    let signed = desk.evaluate_as_deputy(lever, &wish(&Arguments::new(), Some(&text))).unwrap();
    assert!(matches!(&signed.how, How::Module(_, Some(_))) && done(&signed).is_signed);
    assert!(call(&signed.how).unwrap().assumed.is_empty());
    let key_call = Call { to: VAULT, value: U256::ZERO, data: Bytes::new() };
    assert_eq!(call(&How::Key(key_call)).unwrap().from, address(BOB));
    // The module is asked about the message of the file, which names itself.
    let asked = queries(MODULE, Address::repeat_byte(0x11), pause.nonce);
    let readings = signed.judged.readings().unwrap();
    assert!(asked.iter().all(|query| readings.get(query).is_some()));
    let deputy = readings.get(&deputy_query(MODULE));
    assert_eq!(deputy, Some(&Answer::Value(address(BOB).into_word().into())));
    // Another message is another call, and so is one of the key's own.
    let is_same = |one: &Act, other: &Act| match one.changes_the_same(other) {
        Ok(()) => true,
        Err(error) => !error.message.starts_with("its call is not the same"),
    };
    let of_key = act(&desk, "alone").unwrap();
    assert!(is_same(&stopped, &stopped) && !is_same(&signed, &stopped));
    assert!(!is_same(&of_key, &stopped) && !is_same(&stopped, &of_key));
    // A file of somebody else is refused, and a module that hides its deputy cannot be tried.
    let other = text.replace(&format!("{MODULE:?}"), &format!("{VAULT:?}"));
    let error = desk.evaluate_as_deputy(lever, &wish(&Arguments::new(), Some(&other))).err().unwrap();
    assert_eq!(error.exit, Exit::Refused);
    node.code(MODULE, contract(&[("pause(bytes32,address,bytes)", Body::Set(4, 1))]));
    let hidden = act(&desk, "chain").unwrap();
    let RehearsalResult::Failed(why) = &hidden.judged.rehearsal else { panic!() };
    assert_eq!(why, "the module does not keep its deputy where it could be looked up");
    assert_eq!(hidden.gas_limit(Some(7), None).unwrap(), 7);
    assert!(hidden.gas_limit(None, Some(7)).unwrap_err().message.starts_with("it was not rehearsed"));
}

#[test]
fn an_act_that_does_something_else_by_now_is_not_sent() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let shown = act(&desk, "alone").unwrap();
    assert!(act(&desk, "alone").unwrap().changes_the_same(&shown).is_ok());
    node.code(VAULT, contract(&[("pause()", Body::Set(1, 1)), ("paused()", Body::Get(1))]));
    node.set(VAULT, 1, 0);
    let error = act(&desk, "alone").unwrap().changes_the_same(&shown).unwrap_err();
    assert_eq!(error.exit, Exit::Drift);
}

/// The call is made of a value of the chain, and who changes that while the deputy reads has them sign another call. The same
/// slot is written.
#[test]
fn an_act_whose_call_is_another_by_now_is_not_sent() {
    let node = chain();
    let by_bit = "[levers.alone]\nplaybook = \"pause/both\"";
    let home = home(&node).with("[levers.alone]\nplaybook = \"pause/oz-pausable\"", by_bit);
    let desk = with_both(&home, SETTING_A_BIT);
    let shown = act(&desk, "alone").unwrap();
    assert!(act(&desk, "alone").unwrap().changes_the_same(&shown).is_ok());
    node.set(VAULT, 1, 50);
    let error = act(&desk, "alone").unwrap().changes_the_same(&shown).unwrap_err();
    assert!(error.exit == Exit::Drift && error.message.starts_with("its call is not the same"), "{error:?}");
}

#[test]
fn an_act_is_sent_with_the_least_gas_that_does_what_was_shown() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let alone = act(&desk, "alone").unwrap();
    let used = done(&alone).rehearsal.gas_used;
    let gas = |named, estimate| alone.gas_limit(named, estimate).map_err(|error| error.message);
    let enough = used * 5 / 4;
    assert_eq!(gas(None, None), Ok(enough));
    assert_eq!(gas(None, Some(used / 2)), Ok(enough));
    assert_eq!(gas(None, Some(enough * 9)), Ok(enough * 3));
    assert_eq!(gas(Some(used), Some(enough * 9)), Ok(used));
    assert_eq!(gas(Some(CAP), None), Ok(CAP));
    assert_eq!(
        gas(Some(1_000), None),
        Err("with --gas 1000 its effects are not those that were shown".into())
    );
}

/// On such a chain only its RPCs know the gas that data costs: for a module's message they are asked only for that.
#[test]
fn where_gas_pays_for_data_the_estimate_counts() {
    let node = Memory::new(42_161);
    super::live::furnish(&node);
    let home = module_home(&node).with("id = 1\n", "id = 42161\n");
    let desk = home.desk();
    let no_estimate = Err("no RPC of mainnet could estimate the gas".to_string());
    for (lever, of_data_alone) in [("alone", false), ("chain", true)] {
        let act = act(&desk, lever).unwrap();
        let gas = |named, estimate| act.gas_limit(named, estimate).map_err(|error| error.message);
        assert_eq!(gas(None, None), no_estimate);
        assert_eq!(gas(Some(CAP), None), Ok(CAP), "it is named");
        let enough = done(&act).rehearsal.gas_used * 5 / 4;
        let estimate = if of_data_alone { 500_000 + enough } else { 500_000 };
        assert_eq!(gas(None, Some(500_000)), Ok(estimate + estimate / 5), "{lever}");
    }
    let main = chain();
    let home = module_home(&main);
    let desk = home.desk();
    let act = act(&desk, "chain").unwrap();
    let enough = done(&act).rehearsal.gas_used * 5 / 4;
    assert_eq!(act.gas_limit(None, Some(500_000)).unwrap(), enough, "elsewhere the rehearsal knows");
}

/// Returns what a chain says of the deputy's transaction, with the answers at its newest block.
fn sighted(act: &Act, tx: crate::evm::TxHash) -> Sighting {
    act.judged.seen().unwrap().link.watch(&[tx], &outcome::queries(&act.judged)).unwrap()
}

#[test]
fn an_act_is_proven_by_the_state_of_its_own_block() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let alone = act(&desk, "alone").unwrap();
    let pause: Bytes = alloy::primitives::keccak256("pause()")[..4].to_vec().into();
    let tx = node.mine_call(address(ALICE), VAULT, &pause, true);
    node.set(VAULT, 0, 1);
    let seen = sighted(&alone, tx);
    node.asked();
    let effect = read(&desk, &alone, seen.clone()).unwrap();
    assert!(effect.is_proven() && !effect.is_otherwise && node.asked().is_empty());
    assert_eq!(effect.judged_at.number, FIRST + 1);
    // Another end, or other events, than were rehearsed.
    let with = |change: &dyn Fn(&mut Sighting)| {
        let mut seen = seen.clone();
        change(&mut seen);
        read(&desk, &alone, seen).unwrap()
    };
    assert!(with(&|seen| seen.receipts[0].succeeded = false).is_otherwise);
    let event = Log::new_unchecked(VAULT, vec![B256::repeat_byte(7)], Bytes::new());
    assert!(with(&|seen| seen.receipts[0].logs.push(event.clone())).is_otherwise);
    // An answer that came along is used, and one that is missing is asked for.
    let query = alone.judged.plan().unwrap().after[0].queries().remove(0);
    let wrong = with(&|seen| seen.readings.insert(query.clone(), word(0)));
    assert!(!wrong.verdicts[0].holds);
    let mut bare = seen.clone();
    bare.readings = Readings::default();
    node.asked();
    assert!(read(&desk, &alone, bare).unwrap().verdicts[0].holds && !node.asked().is_empty());
    // What the newest block says is not about an older one.
    node.mine();
    node.set(VAULT, 0, 0);
    let effect = read(&desk, &alone, sighted(&alone, tx)).unwrap();
    assert_eq!((effect.judged_at.number, effect.verdicts[0].holds), (FIRST + 1, true));
    let mut gone = seen;
    gone.receipts.clear();
    assert!(read(&desk, &alone, gone).unwrap_err().message.contains("is not there any more"));
}

/// A journal may name any transaction: its sender is read from the chain.
#[test]
fn a_deputys_transaction_is_searched_for_on_its_own_chain() {
    use crate::incident::{DeputyStep, Journal, JournalAct, Plain, TxStep};
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let tx = node.mine_call(address(ALICE), VAULT, &Bytes::new(), true);
    let other = node.mine_call(PAYER, VAULT, &Bytes::new(), true);
    let enter = |chain_id: u64, step: TxStep| {
        let plain = Plain::cut;
        let act = DeputyStep {
            lever: plain("alone"),
            deputy: address(ALICE),
            module: None,
            safe: plain("guardian"),
            chain_id,
            step,
        };
        desk.enter(JournalAct::Deputy(act), None).unwrap();
    };
    let found = || {
        let journal = Journal::read(&desk.incidents.journal().read().unwrap());
        let found = desk.receipts(&journal.iter().collect::<Vec<_>>(), false);
        found.into_iter().collect::<Vec<_>>()
    };
    enter(1, TxStep::Signed {});
    enter(8453, TxStep::Sent { tx, payer: PAYER });
    enter(1, TxStep::Sent { tx: other, payer: PAYER });
    assert!(found().is_empty(), "another chain, and somebody else's");
    enter(1, TxStep::Sent { tx, payer: PAYER });
    assert_eq!(found(), [(tx, (FIRST + 1, true))]);
}

#[test]
fn only_what_the_same_account_sent_for_the_same_call_waits() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let alone = act(&desk, "alone").unwrap();
    let from = address(7);
    assert!(desk.deputys_sent("alone", &alone, from).is_empty());
    let own = sent(&own_call(), 0, 9);
    desk.keep_deputys("alone", &own).unwrap();
    let other_call = Call { to: CONFIG, value: U256::ZERO, data: Bytes::new() };
    let elsewhere = sent(&Outgoing::of_key(1, from, &other_call).unwrap(), 1, 9);
    let call = Call { to: VAULT, ..other_call };
    let other_chain = sent(&Outgoing::of_key(5, from, &call).unwrap(), 2, 9);
    for record in [&elsewhere, &other_chain] {
        desk.keep_deputys("alone", record).unwrap();
    }
    let hashes = |sent: Vec<Sent>| -> Vec<_> { sent.into_iter().map(|sent| sent.hash).collect() };
    assert_eq!(hashes(desk.deputys_sent("alone", &alone, from)), [own.hash]);
    assert!(desk.deputys_sent("alone", &alone, PAYER).is_empty(), "another account sent them");
    assert!(desk.deputys_sent("other", &alone, from).is_empty(), "another lever");
    let (plain, other) = (folder_of("stop-all"), folder_of("../Stop all"));
    assert_eq!(plain, "deputy-stop-all");
    assert!(other.starts_with("deputy-stop-all-"), "{other}: one of its own");
    assert!(home.path().join("incidents/deputy-alone").is_dir());
}
