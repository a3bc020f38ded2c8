//! Rehearsals and judgements on a chain, and what stops whoever acts on them.

use super::*;
use crate::ceremony::evaluate::PartResult;
use crate::ceremony::online::ReadPoint;
use crate::error::Exit;
use crate::evm::{Answer, BlockTag};
use crate::safe::SafeState;

/// A proposal from a file is compared with its recorded rehearsal; a derived one has none before.
#[test]
fn a_rehearsal_is_compared_with_the_recorded_one() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = one(&desk, "vault", CommandPurpose::Propose);
    let mut record = vault.proposal().record().unwrap().clone();
    assert_eq!((record.hints.is_empty(), vault.rehearsal.done().unwrap().block), (false, 100));
    assert!(handed(&desk, vault.proposal()).rehearsal.done().unwrap().differs.is_empty());
    record.writes.clear();
    let other = vault.proposal().clone().recording(Some(record));
    let judged = handed(&desk, &other);
    assert!(!judged.rehearsal.done().unwrap().differs.is_empty());
    assert_eq!(judged.proposal().record(), other.record(), "the file's record stays");
    // The guess is compared where it is the same transaction.
    desk.keep_proposal(&other).unwrap();
    let signed =
        |desk: &Desk| one(desk, "vault", CommandPurpose::Sign).rehearsal.done().unwrap().differs.len();
    assert!(signed(&home.desk()) > 0);
    node.set(GUARDIAN, 5, 5);
    assert_eq!(signed(&home.desk()), 0, "it has another nonce now");
}

#[test]
fn a_rehearsal_says_what_it_was() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let any = Given::default();
    let done = |judged: &Judged| judged.rehearsal.done().unwrap().clone();
    let vault = one(&desk, "vault", CommandPurpose::Propose);
    assert!(!done(&vault).ahead && !done(&vault).is_signed && done(&vault).holds());
    let later = evaluated(&desk, &["vault"], &at(6), CommandPurpose::Propose).remove(0);
    assert!(done(&later).ahead);
    keep_signed(&desk, vault.proposal(), &[ALICE]);
    assert!(!done(&one(&desk, "vault", CommandPurpose::Finish)).is_signed, "one is missing");
    keep_signed(&desk, vault.proposal(), &[BOB]);
    assert!(done(&one(&desk, "vault", CommandPurpose::Finish)).is_signed);
    // A drill is rehearsed as if it were real.
    let drill = order(&desk, &["vault"], &any).drilling(None);
    let drill = desk.propose(drill, &any).unwrap();
    assert!(drill.online.derived.proposal.is_drill());
    let drilled = drill.rehearsal.done().unwrap();
    assert!(drilled.holds() && !drilled.is_signed);
    // A Safe whose hashes are made in another way is not the one that this is for.
    let id = crate::safe::SafeId { version: crate::safe::SafeVersion::V1_1_1, ..*vault.proposal().safe() };
    let state = SafeState { id, ..vault.proposal().snapshot().clone() };
    let (tx, block) = (vault.proposal().tx().clone(), vault.proposal().block().unwrap());
    let other = Proposal::new(tx, state, block, vault.proposal().binding().clone(), Readings::default());
    let judged = handed(&desk, &other);
    assert_eq!(judged.rehearsal.failure(), Some("the Safe is not the one that this was proposed for"));
}

#[test]
fn several_levers_are_tried_once_more_each() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let freeze = one(&desk, "freeze", CommandPurpose::Propose);
    assert!(freeze.rehearsal.done().unwrap().once.is_empty(), "to pause twice does no harm here");
    node.code(VAULT, contract(&[("pause()", Body::Once(0)), ("paused()", Body::Get(0))]));
    let freeze = one(&desk, "freeze", CommandPurpose::Propose);
    let done = freeze.rehearsal.done().unwrap();
    assert!(done.holds());
    assert_eq!(done.once.len(), 1);
    assert_eq!(freeze.rehearsal.done().unwrap().after.len(), 2);
}

/// A lever that rests on what one before it changes is refused.
#[test]
fn levers_that_change_what_another_rests_on_do_not_go_together() {
    let node = chain();
    let other = node.mirror();
    let text = "[levers.lower]\nplaybook = \"param/fee-bps\"\nsafe = \"guardian\"\nset = { target = \"vault\", fee = \"20 bps\" }\n\
        [levers.other]\nplaybook = \"param/fee-bps\"\nsafe = \"guardian\"\nset = { target = \"bridge\", fee = \"20 bps\" }\n\
        [levers.both]\nplaybook = \"pause/both\"\nsafe = \"guardian\"\nset = { target = \"vault\" }\n[levers.freeze]";
    let home = home_of_two([&node, &other]).with("[levers.freeze]", text);
    let desk = with_both(&home, SETTING_A_BIT);
    let any = Given::default();
    let why = |levers: &[&str]| {
        let judged = evaluated(&desk, levers, &any, CommandPurpose::Propose).remove(0);
        judged.rehearsal.failure().map(ToString::to_string)
    };
    assert_eq!(why(&["other", "both"]), None);
    let refused = why(&["lower", "both"]).unwrap();
    assert!(refused.contains("both") && refused.contains("lower"), "{refused}");
    // Where the nonce is used, nothing is run any more.
    let made =
        evaluated(&desk, &["lower", "both"], &any, CommandPurpose::Propose).remove(0).proposal().clone();
    node.set(GUARDIAN, 5, 5);
    assert_eq!(handed(&desk, &made).rehearsal.failure(), None);
    // A value that the levers before leave as it was is no conflict.
    node.set(VAULT, 1, 20);
    assert_eq!(why(&["both"]), None);
}

#[test]
fn a_part_that_cannot_be_evaluated_does_not_stop_the_others() {
    let node = chain();
    let far = "[levers.far]\nplaybook = \"pause/oz-pausable\"\nsafe = \"far\"\nset = { target = \"vault\" }\n[levers.freeze]";
    let home = home(&node)
        .with("[levers.freeze]", far)
        .with("mainnet = \"0x9999999999999999999999999999999999999999\"", "mainnet = \"0x9999999999999999999999999999999999999999\"\nbase = \"0x9999999999999999999999999999999999999999\"");
    let desk = home.desk();
    let parts = desk.evaluate(&words(&["vault", "far"]), &Given::default(), CommandPurpose::Propose).unwrap();
    let all: Vec<(&str, Option<Exit>)> = parts
        .iter()
        .map(|PartResult { title, result }| (title.as_str(), result.as_ref().err().map(|error| error.exit)))
        .collect();
    assert!(all.contains(&("vault · guardian on mainnet", None)), "{all:?}");
    assert!(all.contains(&("far · far on base", Some(Exit::Usage))), "{all:?}");
}

/// A Safe that owns another approves on chain: both transactions are evaluated.
#[test]
fn an_approval_on_chain_is_evaluated_with_what_it_approves() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let by_labs = Given { approve_as: words(&["labs"]), ..Given::default() };
    for purpose in [CommandPurpose::Propose, CommandPurpose::Sign, CommandPurpose::Show] {
        let approval = evaluated(&desk, &["vault"], &by_labs, purpose).remove(0);
        assert_eq!(
            (approval.derived.safe.name.as_str(), approval.proposal().nonce()),
            ("labs", Nonce::from(0))
        );
        let inner = approval.approved.as_ref().unwrap();
        assert_eq!(inner.derived.safe.name, "guardian");
        assert_eq!(approval.proposal().approves(), Some(inner.proposal()));
        assert!(inner.rehearsal.done().is_some(), "which one it is decides what is signed");
        let (again, proven) = (approval.rehearsed().unwrap(), home.heard);
        assert!(again.prove(proven, false).unwrap().approved.is_some());
    }
    let approval = evaluated(&desk, &["vault"], &by_labs, CommandPurpose::Propose).remove(0);
    let from_file = handed(&desk, approval.proposal());
    assert_eq!(
        from_file.approved.as_ref().unwrap().proposal().hash(),
        approval.proposal().approves().unwrap().hash()
    );
    assert!(from_file.approved.as_ref().unwrap().rehearsal.done().is_some());
    keep_signed(&desk, approval.proposal(), &[]);
    let kept = evaluated(&desk, &["vault"], &by_labs, CommandPurpose::Show).remove(0);
    assert!(kept.approved.as_ref().unwrap().rehearsal.done().is_none(), "it is only evaluated");
}

#[test]
fn proofs_that_no_rpc_gives_are_an_error() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = one(&desk, "vault", CommandPurpose::Propose).rehearsed().unwrap();
    let vault = vault.prove(home.heard, false).unwrap();
    assert_eq!(vault.online.seen.proven, None);
    assert!(vault.prove(home.heard, true).is_err());
}

/// It is the same proposal over the same connection.
#[test]
fn a_refresh_takes_one_round() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = one(&desk, "vault", CommandPurpose::Propose);
    let (before, hash) = (rounds(&vault), vault.proposal().hash());
    let again = desk.refresh(vault, &Given::default(), None).unwrap().judge(true);
    assert_eq!((rounds(&again), again.proposal().hash()), (before + 1, hash));
    let offline = desk.offline(&words(&["vault"]), &at(4)).unwrap().remove(0).judge(true);
    let again = desk.refresh(offline, &Given::default(), None).unwrap();
    assert!(again.rehearsal.done().is_some());
}

#[test]
fn a_file_and_a_lever_are_evaluated_at_the_block_that_is_asked_for() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = live_proposal(&desk, &["vault"], &Given::default());
    let first = vault.block().unwrap();
    node.mine();
    node.set(VAULT, 0, 1);
    let given = Given::default();
    let at = crate::evm::BlockRef { number: first.number, hash: first.hash, timestamp: 0 };
    for purpose in [CommandPurpose::Propose, CommandPurpose::Finish] {
        let found = desk.find(&words(&["vault"]), &given, purpose).unwrap().remove(0);
        let link = desk.connect(found.safe()).unwrap();
        let point = ReadPoint { link, at: BlockTag::Pinned(at) };
        let seen = found.online(&desk, point, &given, false, None).unwrap().seen;
        assert_eq!(seen.snapshot.header.number, first.number);
        assert!(seen.fresh().is_err());
        keep_signed(&desk, &vault, &[]);
    }
}

/// A late answer that contradicts the others stops the command.
#[test]
fn an_rpc_that_lies_after_the_review_is_reported() {
    let node = chain();
    let (second, liar) = (node.mirror(), node.twin());
    let urls = [&node, &second, &liar].map(|rpc| format!("\"{}\"", rpc.url())).join(", ");
    let home = Home::new().with("rpc = [\"http://127.0.0.1:9\"]", &format!("rpc = [{urls}]\nquorum = 2"));
    let mut desk = home.desk();
    let vault = one(&desk, "vault", CommandPurpose::Propose);
    assert!(vault.require_late_agreement().is_ok());
    liar.set(VAULT, 0, 1);
    let (link, block) = {
        let seen = vault.seen().unwrap();
        (&seen.link, seen.snapshot.header.block())
    };
    let query = crate::evm::Query::Storage { address: VAULT, slot: B256::ZERO };
    let answers = link.answers(std::slice::from_ref(&query), &block).unwrap();
    assert_eq!(answers.get(&query), Some(&Answer::Value(B256::ZERO.into())));
    let error = vault.require_late_agreement().unwrap_err();
    assert_eq!(error.exit, Exit::Refused);
    assert!(error.message.contains(&liar.url()), "{}", error.message);
    drop(vault);
    // With fewer RPCs than the council file asks for, most have to be accepted by the person.
    desk.quorum = Some(1);
    let few = one(&desk, "vault", CommandPurpose::Propose);
    assert_eq!(few.seen().unwrap().link.quorum(), 1);
    assert!(few.findings.iter().any(|found| found.level == Level::Refuse || found.level == Level::Warn));
}

/// A used nonce and a promise that holds already are expected after the execution of the same transaction.
#[test]
fn refused_leaves_out_what_comes_with_the_execution() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = live_proposal(&desk, &["vault"], &Given::default());
    node.set(GUARDIAN, 5, 5);
    let used = handed(&desk, &vault);
    let refuses =
        |judged: &Judged| judged.findings.iter().filter(|found| found.level == Level::Refuse).count();
    assert!(refuses(&used) > 0 && used.refused().is_empty(), "{:?}", used.findings);
    let tx = crate::safe::SafeTx { to: PAYER, ..vault.tx().clone() };
    let (state, block) = (vault.snapshot().clone(), vault.block().unwrap());
    let other = Proposal::new(tx, state, block, vault.binding().clone(), vault.readings().clone());
    let found = handed(&desk, &other).refused();
    assert!(!found.is_empty() && found.iter().all(|found| found.level == Level::Refuse), "{found:?}");
}

#[test]
fn the_effects_of_a_mined_transaction_are_judged() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = one(&desk, "vault", CommandPurpose::Propose);
    let mined = vault.rehearsal.done().unwrap().rehearsal.clone();
    let of = |mined: &crate::fork::Rehearsal| vault.effects_of(mined, vault.state());
    assert!(!of(&mined).is_empty());
    assert!(of(&mined).iter().all(|found| found.level != Level::Refuse), "{:?}", of(&mined));
    let mut other = mined;
    other.writes[0].address = PAYER;
    assert!(of(&other).iter().any(|found| found.level == Level::Refuse), "{:?}", of(&other));
}

/// An act of one key alone is judged by the same checks.
#[test]
fn a_deputys_act_is_judged_on_the_chain() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let lever = desk.deputys("alone").unwrap();
    let evaluate = || {
        let set = crate::council::Arguments::new();
        let wish = crate::ceremony::deputy::deputy_act::Wish {
            set: &set,
            payer: address(ALICE),
            bearer: None,
            nonce: B256::ZERO,
        };
        desk.evaluate_as_deputy(lever, &wish).unwrap().judged
    };
    let act = evaluate();
    assert!(!act.findings.is_empty());
    assert!(act.rehearsal.done().unwrap().holds() && act.refused().is_empty(), "{:?}", act.findings);
    node.set(VAULT, 0, 1);
    assert!(evaluate().findings.iter().any(|found| found.level == Level::AlreadyDone));
}

/// The code of the batch contract is read with the first round where several calls may go through it.
#[test]
fn the_batch_contract_is_read_where_it_may_be_called() {
    let node = chain();
    let home = home(&node).with("[levers.freeze]", BOTH);
    let is_read = |lever: &str| {
        let desk = with_both(&home, SKIPPING);
        let judged = one(&desk, lever, CommandPurpose::Show);
        let query = crate::evm::Query::CodeHash { address: crate::ceremony::tests::memory::BATCH };
        (judged.readings().unwrap().get(&query).is_some(), rounds(&judged))
    };
    assert_eq!(is_read("vault"), (false, 2));
    assert_eq!(is_read("freeze"), (true, 2));
    assert_eq!(is_read("both"), (true, 2));
}

/// Two of three RPCs do not answer: what the third says is refused, unless the person asked for fewer.
#[test]
fn the_answers_of_a_minority_of_rpcs_are_refused() {
    let node = chain();
    let (silent, other) = (node.twin(), node.twin());
    for rpc in [&silent, &other] {
        rpc.refuse("eth_getStorageAt");
    }
    let urls = [&node, &silent, &other].map(|rpc| format!("\"{}\"", rpc.url())).join(", ");
    let enforced = |quorum: usize, lowered: Option<usize>| {
        let rpcs = format!("rpc = [{urls}]\nquorum = {quorum}");
        let home = Home::new().with("rpc = [\"http://127.0.0.1:9\"]", &rpcs);
        let mut desk = home.desk();
        desk.quorum = lowered;
        one(&desk, "vault", CommandPurpose::Show).enforce_fresh(&[])
    };
    assert_eq!(enforced(1, None).unwrap_err().exit, Exit::Refused);
    assert!(enforced(2, Some(1)).is_ok(), "it was asked for");
}

/// A Safe of a version that signs no chain id takes part in no drill, whatever the council file says of it.
#[test]
fn an_owner_that_signs_no_chain_id_on_chain_takes_part_in_no_drill() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let given = Given::default();
    let drill = || desk.propose(order(&desk, &["vault"], &given).drilling(None), &given);
    let made = drill().unwrap().online.derived.proposal;
    let evaluate = || {
        let found = Found::Proposal(Box::new(desk.find_own_lever(made.clone(), &given).unwrap()));
        desk.evaluate_found(
            found,
            desk.read_point(desk.safe("guardian").unwrap()).unwrap(),
            &given,
            false,
            None,
        )
    };
    assert!(evaluate().is_ok());
    let code = crate::ceremony::tests::bytecode::safe_code("Safe.sol/Safe").to_vec();
    let at = code.windows(5).position(|part| part == b"1.4.1").unwrap();
    let old = [&code[..at], b"1.2.0", &code[at + 5..]].concat();
    node.code(PAYER, old.into());
    node.slot(LABS, B256::ZERO, PAYER.into_word());
    assert!(drill().is_err() && evaluate().is_err());
    assert!(desk.propose(order(&desk, &["vault"], &given), &given).is_ok(), "what is real goes on");
}
