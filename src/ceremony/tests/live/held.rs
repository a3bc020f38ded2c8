//! A proposal held against a chain: its approvals, what its file says of the past, and how many rounds that takes.

use super::*;
use crate::chain::{EndpointReport, EndpointStatus};
use crate::check::{Match, Past, PastSubject};
use crate::proposal::RecordedCode;
use crate::safe::{SafeState, approved_hash_slot};

fn approve(node: &Memory, seed: u8, proposal: &Proposal) {
    node.slot(GUARDIAN, approved_hash_slot(address(seed), &proposal.hash()), U256::from(1));
}

fn approved(judged: &Judged) -> usize {
    judged.tally().approved.len()
}

/// The first round reads the values that an earlier rehearsal needed too.
#[test]
fn an_evaluation_takes_at_most_three_rounds() {
    let node = chain();
    let home = home(&node);
    let given = setting(Given::default(), "fee", "40 bps");
    let counted =
        |lever: &str, given: &Given, purpose| rounds(&evaluated(&home.desk(), &[lever], given, purpose)[0]);
    let any = Given::default();
    let forget = || std::fs::remove_dir_all(home.path().join("cache")).unwrap();
    let first = [
        counted("vault", &any, CommandPurpose::Show),
        counted("vault", &any, CommandPurpose::Propose),
        counted("vault", &any, CommandPurpose::Propose),
        counted("freeze", &any, CommandPurpose::Show),
        counted("freeze", &any, CommandPurpose::Propose),
        counted("freeze", &any, CommandPurpose::Propose),
        counted("fee", &given, CommandPurpose::Show),
        counted("fee", &given, CommandPurpose::Propose),
        counted("fee", &given, CommandPurpose::Propose),
    ];
    forget();
    let desk = home.desk();
    one(&desk, "vault", CommandPurpose::Propose).derived.keep(&desk).unwrap();
    forget();
    let finish = counted("vault", &any, CommandPurpose::Finish);
    forget();
    let sign = counted("vault", &any, CommandPurpose::Sign);
    evaluated(&desk, &["fee"], &given, CommandPurpose::Propose)[0].derived.keep(&desk).unwrap();
    forget();
    assert_eq!(counted("fee", &given, CommandPurpose::Sign), 1, "the guess says what is read");
    assert_eq!((first, finish, sign), ([2, 2, 1, 2, 2, 1, 3, 3, 2], 1, 1));
}

#[test]
fn approvals_on_chain_are_read_where_a_proposal_is_shown_or_finished() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = one(&desk, "vault", CommandPurpose::Propose);
    approve(&node, BOB, vault.proposal());
    assert_eq!(approved(&one(&desk, "vault", CommandPurpose::Show)), 1);
    assert_eq!(approved(&one(&desk, "vault", CommandPurpose::Finish)), 1);
    assert_eq!(
        approved(&one(&desk, "vault", CommandPurpose::Propose)),
        0,
        "nobody can have approved what is new"
    );
    assert_eq!(approved(&handed(&desk, vault.proposal())), 1);
    // An owner whom the council file does not have is asked once the chain has named them.
    node.safe(GUARDIAN, &[address(ALICE), address(DORA)], 2, 4);
    approve(&node, DORA, vault.proposal());
    assert_eq!(approved(&handed(&desk, vault.proposal())), 1);
}

/// The signature of an owner who is only on chain counts after the chain was read.
#[test]
fn a_signature_of_an_owner_whom_only_the_chain_has_counts() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = one(&desk, "vault", CommandPurpose::Propose).proposal().clone();
    desk.keep_proposal(&vault).unwrap();
    desk.keep_signature(&vault, &signature_by(DORA, &vault)).unwrap();
    assert_eq!(approved(&handed(&desk, &vault)), 0);
    node.safe(GUARDIAN, &[address(ALICE), address(DORA)], 2, 4);
    assert_eq!(approved(&handed(&desk, &vault)), 1);
}

#[test]
fn the_cost_of_sending_is_asked_for_whoever_pays() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let given = Given::default();
    let prepare = |purpose, payer| {
        let found = desk.find(&words(&["vault"]), &given, purpose).unwrap().remove(0);
        let view = desk.read_point(found.safe()).unwrap();
        desk.evaluate_found(found, view, &given, true, payer).unwrap().online.seen.snapshot.prepared
    };
    assert!(prepare(CommandPurpose::Finish, Some(PAYER)).is_some());
    assert!(prepare(CommandPurpose::Finish, None).is_none());
    assert!(prepare(CommandPurpose::Propose, Some(PAYER)).is_none(), "it is not sent");
    desk.keep_proposal(&live_proposal(&desk, &["vault"], &given)).unwrap();
    let prepared = prepare(CommandPurpose::Finish, Some(PAYER)).unwrap();
    assert_eq!((prepared.nonce, prepared.gas), (0, Some(200_000)));
}

/// A lever whose nonce belongs to another is reported only while the nonce is unused.
#[test]
fn a_proposal_of_a_used_nonce_has_no_keeper_and_no_rehearsal() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = live_proposal(&desk, &["vault"], &Given::default());
    keep_signed(&desk, &proposed(&desk, &["bridge"], &at(4), 0), &[ALICE, BOB]);
    let open = handed(&desk, &vault);
    assert!(open.derived.keeper.is_some() && open.rehearsal.done().is_some());
    assert!(open.derived.is_from_file && open.derived.matching == Match::Same);
    node.set(GUARDIAN, 5, 5);
    let used = handed(&desk, &vault);
    assert!(used.derived.keeper.is_none() && used.rehearsal.done().is_none());
    assert_eq!(used.rehearsal.failure(), None);
}

fn restated(proposal: &Proposal, block: u64, hash: B256) -> Proposal {
    let block = Block { number: block, hash: BlockHash::claimed(hash) };
    let (tx, state) = (proposal.tx().clone(), proposal.snapshot().clone());
    Proposal::new(tx, state, block, proposal.binding().clone(), proposal.readings().clone())
}

fn past(judged: &Judged) -> Vec<PastSubject> {
    match &judged.seen().unwrap().past {
        Past::False(all) => all.iter().map(|untrue| untrue.about).collect(),
        Past::NotAsked | Past::True => Vec::new(),
        Past::Unknown(why) => panic!("{why}"),
    }
}

/// Values that the block never had are false, and values that it had are drift.
#[test]
fn the_statements_of_a_file_about_a_block_are_compared_with_that_block() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let given = setting(Given::default(), "fee", "40 bps");
    let good = live_proposal(&desk, &["fee"], &given);
    let of = |proposal: &Proposal| handed(&desk, proposal);
    assert_eq!(of(&good).seen().unwrap().past, Past::NotAsked, "nothing has changed");
    let block = good.block().unwrap();
    node.mine();
    node.set(VAULT, 1, 20);
    let moved = of(&good);
    assert_eq!(
        (past(&moved), &moved.seen().unwrap().past),
        (vec![], &Past::NotAsked),
        "its call is the same"
    );
    node.safe(GUARDIAN, &[address(ALICE), address(BOB), LABS], 1, 4);
    let drifted = of(&good);
    assert_eq!(drifted.seen().unwrap().past, Past::True, "the threshold was so");
    assert_eq!(drifted.proposal().snapshot(), good.snapshot());
    // Another block of that number, and one that is not there yet.
    let hash = B256::repeat_byte(1);
    let forged = of(&restated(&good, block.number, hash));
    assert_eq!(past(&forged), [PastSubject::Block]);
    assert_eq!(forged.proposal().snapshot().owners.threshold().get(), 1, "the lie is left aside");
    assert_eq!(past(&of(&restated(&good, block.number + 2, *block.hash.word()))), [PastSubject::Block]);
    let newest = restated(&good, block.number + 1, *of(&good).seen().unwrap().snapshot.header.hash.word());
    assert_eq!(past(&of(&newest)), [PastSubject::Safe], "the threshold was another there");
    let guard = SafeState { guard: PAYER, ..good.snapshot().clone() };
    let guarded =
        Proposal::new(good.tx().clone(), guard, block, good.binding().clone(), good.readings().clone());
    let guarded = of(&guarded);
    assert_eq!(past(&guarded), [PastSubject::Safe]);
    assert_eq!(guarded.proposal().snapshot().guard, Address::ZERO);
}

#[test]
fn readings_of_a_file_are_compared_with_their_block_if_they_have_changed() {
    let node = chain();
    let other = node.mirror();
    let home = home_of_two([&node, &other]).with("[levers.freeze]", BOTH);
    let desk = with_both(&home, SETTING_A_BIT);
    let any = Given::default();
    let good = live_proposal(&desk, &["both"], &any);
    node.mine();
    node.set(VAULT, 1, 4);
    let moved = handed(&desk, &good);
    assert!(matches!(moved.derived.matching, Match::Moved(_)));
    assert_eq!(moved.seen().unwrap().past, Past::True);
    assert!(!moved.rehearsal.done().unwrap().after_now.is_empty(), "it is judged by what holds now");
    // It is rehearsed even where it is only to be evaluated.
    keep_signed(&desk, &good, &[]);
    let kept = |purpose| evaluated(&desk, &["both"], &any, purpose).remove(0);
    assert!(kept(CommandPurpose::Show).rehearsal.done().is_some());
    // The values of the newest block were never those of the file's.
    let now = live_proposal(&desk, &["both"], &any);
    let lie = Proposal::new(
        now.tx().clone(),
        now.snapshot().clone(),
        good.block().unwrap(),
        now.binding().clone(),
        now.readings().clone(),
    );
    node.set(VAULT, 1, 2);
    assert_eq!(past(&handed(&desk, &lie)), [PastSubject::Reading]);
    // A block that nobody keeps any more says nothing.
    let old = restated(&lie, 7, B256::repeat_byte(7));
    assert!(matches!(handed(&desk, &old).seen().unwrap().past, Past::Unknown(_)));
}

/// Recorded code that was there and has changed is distinguished from code that was never there.
#[test]
fn recorded_code_that_never_was_is_left_aside() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let good = live_proposal(&desk, &["vault"], &Given::default());
    assert!(good.record().is_some_and(|record| record.code.len() == 1));
    let recording = |code: Vec<RecordedCode>| {
        let mut record = good.record().unwrap().clone();
        record.code = code;
        handed(&desk, &good.clone().recording(Some(record)))
    };
    let code = good.record().unwrap().code.clone();
    let then = |judged: &Judged| judged.rehearsal.done().unwrap().code_then.len();
    let same = recording(code.clone());
    assert_eq!((then(&same), past(&same).len()), (1, 0));
    let never = RecordedCode { hash: B256::repeat_byte(1), ..code[0].clone() };
    let never = recording(vec![never]);
    assert_eq!((then(&never), past(&never)), (0, vec![PastSubject::Code]));
    node.mine();
    node.code(VAULT, [contract(&VAULTS).as_ref(), &[0]].concat().into());
    let moved = recording(code);
    assert_eq!((then(&moved), past(&moved).len()), (1, 0), "it was there");
}

/// The Safe that approves reads nothing of the vault: an RPC that lies about that is known by the other connection alone.
#[test]
fn an_rpc_that_lies_about_what_is_approved_stops_the_approval_unless_the_review_told_it() {
    let node = chain();
    let (second, third) = (node.mirror(), node.twin());
    third.set(VAULT, 0, 1);
    let urls = [&node, &second, &third].map(Memory::url);
    let home = Home::new().with("rpc = [\"http://127.0.0.1:9\"]", &format!("rpc = {urls:?}"));
    let desk = home.desk();
    let by_labs = Given { approve_as: words(&["labs"]), ..Given::default() };
    let mut judged = evaluated(&desk, &["vault"], &by_labs, CommandPurpose::Propose).remove(0);
    let lies = |judged: &Judged| {
        let is_lie = |report: &EndpointReport| matches!(report.standing, EndpointStatus::Lying(_));
        judged.endpoints().iter().any(is_lie)
    };
    // The third may be heard after the other two have agreed.
    let begun = std::time::Instant::now();
    while !lies(judged.approved.as_ref().unwrap()) {
        assert!(begun.elapsed().as_secs() < 60, "nobody noticed the lie");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(!lies(&judged));
    judged.approved.as_mut().unwrap().findings.clear();
    let error = judged.require_late_agreement().unwrap_err();
    assert!(error.message.contains("an answer that came late contradicts the others: RPC "), "{error:?}");
    let approved = judged.approved.take().unwrap();
    let told = approved.rehearsed().unwrap().judge(true);
    judged.approved = Some(Box::new(told));
    assert!(judged.require_late_agreement().is_ok(), "the review told it");
}
