//! The sentences that a signer decides by: they name what is at fault, and nothing that is not.

use super::*;
use crate::chain::{EndpointFault, EndpointStatus};
use crate::check::own_playbook::CHECKS as OWN;
use crate::check::powers::{self, Attachment};
use crate::check::rehearsal_checks::{self, CHECKS as REHEARSAL};
use crate::check::safe_pins::CHECKS as PINS;
use crate::check::{PastSubject, Sort, Untrue, allowed_effects, code, powers::CHECKS as POWERS};
use crate::fork::Revert;
use crate::playbook::Catalogue;
use crate::safe::deployments::{Contract, KNOWN};

/// The case as it is where the state of the Safe is assumed: nobody read it.
fn assumed() -> Case {
    let mut case = Case::new(rehearsal());
    let made = &case.proposal;
    let state = crate::evm::Assumed::new(made.snapshot().clone());
    case.proposal = Proposal::assuming(made.tx().clone(), state, made.binding().clone());
    case
}

fn owners(seeds: &[u8], threshold: u64) -> Owners {
    Owners::new(seeds.iter().map(|seed| Address::repeat_byte(*seed)).collect(), threshold).unwrap()
}

fn sentence(case: &Case, check: Check) -> String {
    case.all(check.1).into_iter().map(|finding| finding.sentence).collect::<Vec<_>>().join("\n")
}

#[test]
fn owners_that_differ_are_named_with_the_file_that_lacks_them() {
    let told = |are: &Owners, pinned: &Owners| {
        let mut case = Case::new(rehearsal());
        case.council_safe.owners = Some(pinned.clone());
        let mut state = case.proposal.snapshot().clone();
        state.owners = are.clone();
        case.now = Some(state);
        sentence(&case, PINS[0])
    };
    let (one, two, three) = (Address::repeat_byte(1), Address::repeat_byte(2), Address::repeat_byte(3));
    let head = "the Safe is not as in your council file: ";
    assert_eq!(
        told(&owners(&[1, 2], 1), &owners(&[1, 3], 2)),
        format!(
            "{head}owners not in your file: {two}; owners not in the Safe: {three}; \
             threshold: 1 in the Safe, 2 in your file"
        )
    );
    assert_eq!(told(&owners(&[1, 2], 1), &owners(&[2], 1)), format!("{head}owners not in your file: {one}"));
    assert_eq!(told(&owners(&[1], 1), &owners(&[1, 2], 1)), format!("{head}owners not in the Safe: {two}"));
    assert_eq!(
        told(&owners(&[1, 2], 1), &owners(&[2, 1], 2)),
        format!("{head}threshold: 1 in the Safe, 2 in your file")
    );
}

/// The council file confirms nothing about a Safe that was assumed from it.
#[test]
fn an_assumed_safe_is_reported_as_assumed_and_its_powers_are_not_judged() {
    let pinned = |case: Case| {
        let mut case = case;
        case.council_safe.version = Some(SafeVersion::V1_4_1);
        case.council_safe.owners = Some(owners(&[1, 2], 1));
        case
    };
    let kinds = |case: &Case| -> Vec<&'static str> {
        case.all(PINS[0].1).into_iter().map(|finding| finding.kind).collect()
    };
    assert_eq!(kinds(&pinned(assumed())), ["safe-assumed"]);
    assert_eq!(kinds(&pinned(Case::new(rehearsal()))), ["safe-version", "safe-owners"]);
    let mut other = pinned(assumed());
    other.council_safe.owners = Some(owners(&[1, 3], 1));
    assert_eq!(kinds(&other), ["safe-assumed", "safe-owners"]);
    assert!(assumed().all(POWERS[0].1).is_empty());
    let mut read = assumed();
    read.now = Some(read.proposal.snapshot().clone());
    assert_eq!(kinds(&pinned(read.clone())), ["safe-version", "safe-owners"], "the chain was asked");
    assert!(!read.all(POWERS[0].1).is_empty() && !Case::new(rehearsal()).all(POWERS[0].1).is_empty());
}

#[test]
fn powers_are_named_or_said_to_be_none() {
    let told = |modules: &[Address], pinned: Option<Vec<Address>>| {
        let mut case = Case::new(rehearsal());
        let mut state = case.proposal.snapshot().clone();
        state.modules = modules.to_vec();
        state.fallback_handler = Address::ZERO;
        (case.now, case.council_safe.modules) = (Some(state), pinned);
        sentence(&case, POWERS[0])
    };
    assert_eq!(told(&[], None), "no module can act for the Safe");
    assert_eq!(told(&[MODULE], Some(vec![MODULE])), "its modules are pinned");
    let described = |problem: powers::PowerProblem| problem.describe().sentence;
    let what = Attachment::Guard;
    let pinned = |is| described(powers::PowerProblem::AsPinned { what, is });
    assert_eq!(
        (pinned(MODULE), pinned(Address::ZERO)),
        ("guard, as pinned".into(), "no guard, as pinned".into())
    );
    let other = |is, pinned| described(powers::PowerProblem::NotAsPinned { what, is, pinned });
    assert_eq!(
        other(Address::ZERO, MODULE),
        format!("the Safe's guard is none, and your council file pins {MODULE}")
    );
    assert_eq!(
        other(MODULE, Address::ZERO),
        format!("the Safe's guard is {MODULE}, and your council file pins none")
    );
}

#[test]
fn a_playbook_that_a_file_chose_is_refused_before_a_signature() {
    let kinds = |case: &Case| -> Vec<(&'static str, Level)> {
        case.all(OWN[1].1).into_iter().map(|finding| (finding.kind, finding.level)).collect()
    };
    // The proposal names no lever: its playbook and arguments are its proposer's.
    let mut case = Case::new(rehearsal());
    assert_eq!(kinds(&case), [("not-your-arguments", Level::Refuse)]);
    assert_eq!(sentence(&case, OWN[1]), "no lever of yours: its proposer chose playbook pause/x");
    case.signing = false;
    assert_eq!(kinds(&case), [("not-your-arguments", Level::Pass)], "the signers have decided");
    case.foreign = vec![("to".into(), "0x66".into())];
    assert_eq!(kinds(&case), [("not-your-arguments", Level::Warn)]);
    assert_eq!(
        sentence(&case, OWN[1]),
        "no lever of yours: its proposer chose playbook pause/x and to = 0x66"
    );
    case.signing = true;
    let fix = case.all(OWN[1].1).remove(0).fix;
    assert!(fix.ends_with("then type them yourself: --set to=0x66"), "{fix}");
    case.foreign.clear();
    let fix = case.all(OWN[1].1).remove(0).fix;
    assert!(fix.ends_with("a lever in your own file would say so"), "{fix}");
}

#[test]
fn a_lever_whose_arguments_are_the_readers_passes() {
    let mut case = Case::new(rehearsal());
    let bound = case.proposal.binding().levers()[0].clone();
    let bound = BoundLever { lever: Some("vault".into()), ..bound };
    let made = &case.proposal;
    case.proposal = Proposal::new(
        made.tx().clone(),
        made.snapshot().clone(),
        made.block().unwrap(),
        Binding::one(bound, false),
        Readings::default(),
    );
    let level = |case: &Case| case.all(OWN[1].1).remove(0).level;
    assert_eq!(level(&case), Level::Pass);
    case.foreign = (0..9).map(|n: u8| (format!("p{n}"), "1".to_string())).collect();
    assert_eq!(level(&case), Level::Refuse);
    let told = sentence(&case, OWN[1]);
    assert!(told.starts_with("lever vault leaves open, and its proposer chose: p0 = 1, "), "{told}");
    assert!(told.ends_with("p7 = 1, and 1 more"), "{told}");
    case.foreign.truncate(8);
    assert!(sentence(&case, OWN[1]).ends_with("p7 = 1"));
}

/// Accepting one playbook's argument accepts no other playbook's.
#[test]
fn foreign_arguments_are_accepted_with_the_playbook_that_they_are_for() {
    let id = |text: &str| {
        let mut case = Case::new(rehearsal());
        let bound = case.proposal.binding().levers()[0].clone();
        let other = BoundLever { digest: PlaybookDigest::of(text), text: text.into(), ..bound };
        let made = &case.proposal;
        let (tx, state) = (made.tx().clone(), made.snapshot().clone());
        let binding = Binding::one(other, false);
        case.proposal = Proposal::new(tx, state, made.block().unwrap(), binding, Readings::default());
        case.foreign = vec![("to".into(), "0x66".into())];
        case.all(OWN[1].1).remove(0).id
    };
    assert_ne!(id("a"), id("b"));
    assert_eq!(id("a"), id("a"));
}

#[test]
fn a_file_in_place_of_a_built_in_playbook_says_in_what_it_differs() {
    let built_in = Catalogue::new(vec![]).get("pause/oz-pausable").unwrap().playbook.text().to_string();
    let told = |text: &str| {
        let file = ("playbooks/pause.toml".to_string(), text.to_string());
        let catalogue: &'static Catalogue = Box::leak(Box::new(Catalogue::new(vec![file])));
        let mut case = Case::new(rehearsal());
        case.entries = vec![catalogue.get("pause/oz-pausable").unwrap()];
        sentence(&case, OWN[2])
    };
    let comment = told(&format!("# ours\n{built_in}"));
    assert!(
        comment.contains("takes the place of the built-in playbook pause/oz-pausable, digest "),
        "{comment}"
    );
    assert!(comment.ends_with("it differs: in comments or spaces only"), "{comment}");
    let other = told(
        &built_in.replace("call = \"pause()\"", "call = \"unpause()\"").replace("0x8456cb59", "0x3f4ba83a"),
    );
    assert!(other.contains("it differs: ") && !other.contains("in comments"), "{other}");
}

#[test]
fn values_that_only_a_file_states_are_each_named() {
    let query = crate::evm::Query::Balance { address: VAULT };
    let answer = crate::evm::Answer::Value(Bytes::from(vec![7; 32]));
    let mut case = Case::new(rehearsal());
    case.matching = Match::SameOffline;
    case.plan
        .iter_mut()
        .for_each(|plan| plan.rests_on = [(query.clone(), answer.clone())].into_iter().collect());
    let told = sentence(&case, OWN[3]);
    assert!(told.contains(&format!("{query} gave")), "{told}");
}

#[test]
fn code_is_shown_with_its_address() {
    let (at, hash) = (Address::repeat_byte(7), B256::repeat_byte(3));
    let told = |at, pins| code::CodeProblem::Unpinned { target: VAULT, at, hash, pins }.describe().sentence;
    let pin = B256::repeat_byte(4);
    assert_eq!(told(VAULT, vec![pin]), format!("{VAULT} runs code {hash}, and your council file pins {pin}"));
    assert_eq!(
        told(at, vec![pin]),
        format!("{VAULT} runs code {hash} at {at}, and your council file pins {pin}")
    );
    let runs = code::CodeProblem::Runs { target: VAULT, code: [(at, hash)].into(), pinned: true };
    assert_eq!(
        runs.describe().sentence,
        format!("{VAULT} runs code {hash} at {at}, as your council file pins it")
    );
}

#[test]
fn a_failing_lever_that_can_be_cut_says_how() {
    let reverts = |pieces: &[&str]| {
        let pieces = pieces.iter().map(ToString::to_string).collect();
        let hash = proposal().hash();
        rehearsal_checks::RehearsalProblem::Reverts {
            hash,
            reason: String::new(),
            already_done: None,
            pieces,
        }
        .describe()
        .fix
    };
    assert!(reverts(&[]).starts_with("look at the reason"));
    assert_eq!(
        reverts(&["1/2", "2/2"]),
        "it may have run out of gas: cut it, the same for everybody: the same command with --set piece=1/2 and \
         --set piece=2/2"
    );
    let otherwise = |more| {
        rehearsal_checks::RehearsalProblem::Otherwise { first: "an event is missing".into(), more }
            .describe()
            .sentence
    };
    assert!(otherwise(0).ends_with("an event is missing"));
    assert!(otherwise(2).ends_with("an event is missing (and 2 more)"));
}

#[test]
fn a_changed_safe_is_named_as_the_reason_for_no_rehearsal() {
    let sort = |version| {
        let mut case = Case { not_rehearsed: Some("no"), is_rehearsed: false, ..Case::new(rehearsal()) };
        let mut state = case.proposal.snapshot().clone();
        state.id.version = version;
        case.now = Some(state);
        case.all(REHEARSAL[0].1).remove(0).sort
    };
    assert_eq!((sort(SafeVersion::V1_4_1), sort(SafeVersion::V1_3_0)), (Sort::Danger, Sort::Drift));
}

#[test]
fn a_promise_that_holds_counts_as_done_only_if_the_lever_reverts() {
    let verdict = Verdict { holds: false, sentence: "s".into(), expected: "e".into(), found: "f".into() };
    let mut case = super::done::paused();
    case.after = vec![verdict];
    let level = |case: &Case| case.all(REHEARSAL[6].1).remove(0).level;
    assert_eq!(level(&case), Level::AlreadyDone);
    case.rehearsal.outcome = RunResult::Succeeded;
    assert_eq!(level(&case), Level::Refuse, "it would undo it");
}

#[test]
fn the_checks_of_effects_are_those_of_a_mined_transaction() {
    let mut case = Case::new(rehearsal());
    case.rehearsal.writes.push(to(SAFE, slot_word(slot::SINGLETON), THIEF));
    let found = case.all(crate::check::of_effects);
    assert!(found.iter().any(|finding| finding.kind == "safe-slots" && finding.level == Level::Refuse));
    assert!(found.iter().all(|finding| finding.kind != "not-your-playbook"));
}

/// A fault of the RPCs is told once, except if it refuses.
#[test]
fn the_rpcs_of_an_approved_transaction_are_reported_once() {
    let of = proposal();
    let approval = proposing(of.tx().clone()).approving(Some(of.clone()));
    let report = |standing| EndpointReport { shown: "a".into(), standing, newest: None, batch: None };
    let theirs = |standing| {
        let case = Case { endpoints: vec![report(standing)], ..Case::new(rehearsal()) };
        let found = case.all(crate::check::findings);
        let rpcs = |all: &[Finding]| all.iter().filter(|f| f.kind.starts_with("rpc")).count();
        let of_approved = crate::check::with_approved(&approval, Some((&of, &found)), Vec::new());
        (rpcs(&found), rpcs(&of_approved), of_approved.len())
    };
    let (own, told, all) = theirs(EndpointStatus::Agrees);
    assert!(own > 0 && told == 0 && all > 1);
    let lying = EndpointStatus::Lying(EndpointFault::Lying { what: "slot 1".into(), number: 1 });
    assert!(theirs(lying).1 > 0);
}

#[test]
fn already_done_needs_that_no_check_refuses() {
    let done = super::done::paused();
    let found = done.all(|facts| run(&OWN[4..], facts));
    assert!(crate::check::already_done(&found, &[]).is_some_and(|promised| promised.ends_with("is true")));
    let unbound = Case { matching: Match::Unbound("no lever".into()), ..super::done::paused() };
    let refused = [unbound.all(|facts| run(&OWN[..1], facts)), found.clone()].concat();
    assert_eq!(crate::check::already_done(&refused, &[]), None);
    let id = refused[0].id.clone();
    assert!(crate::check::already_done(&refused, &[id]).is_some(), "it was accepted");
    assert_eq!(crate::check::already_done(&[], &[]), None);
}

/// A check holds only if all of its values were read.
#[test]
fn a_promise_is_kept_only_if_the_chain_answered_all_of_it() {
    let mut case = super::done::paused();
    case.answers = Some(Readings::default());
    case.rehearsal.outcome = RunResult::Succeeded;
    let level = |case: &Case| case.all(OWN[4].1).remove(0).level;
    assert_eq!(level(&case), Level::Refuse, "the chain said nothing");
    case.rehearsal.outcome = RunResult::Reverted;
    case.rehearsal.reverts = vec![Revert { by: VAULT, data: Bytes::new(), halt: None }];
    assert_eq!(level(&case), Level::AlreadyDone, "the rehearsal left the chain as it is");
}

#[test]
fn further_false_values_are_added_to_the_finding_about_the_block() {
    let lie = |what: &str| Untrue {
        about: PastSubject::Code,
        what: what.into(),
        file: "a".into(),
        chain: "b".into(),
    };
    assert_eq!(Past::True.and(Vec::new()), Past::True);
    assert_eq!(Past::Unknown("pruned".into()).and(Vec::new()), Past::Unknown("pruned".into()));
    assert_eq!(Past::True.and(vec![lie("x")]), Past::False(vec![lie("x")]));
    assert_eq!(Past::False(vec![lie("x")]).and(vec![lie("y")]), Past::False(vec![lie("x"), lie("y")]));
    assert_eq!(Past::False(vec![lie("x")]).and(Vec::new()), Past::False(vec![lie("x")]));
}

#[test]
fn of_a_thousand_refusals_of_a_kind_the_first_ten_are_shown() {
    let contract = |n: u8| allowed_effects::EffectProblem::ContractChanges {
        contract: Address::repeat_byte(n),
        written: Vec::new(),
    };
    let all: Vec<Finding> = (1..=12).map(|n| Finding::from(Problem::from(contract(n)))).collect();
    let readable = crate::check::readable(&all);
    assert_eq!(readable.first, all[..10].iter().collect::<Vec<_>>());
    assert_eq!(readable.more, [("undeclared-effects", 2)].into());
}

#[test]
fn a_published_library_is_shown_with_its_name() {
    let batch = KNOWN
        .iter()
        .find(|d| d.contract == Contract::MultiSendCallOnly && d.version == SafeVersion::V1_4_1)
        .unwrap();
    let calls = vec![Call { to: VAULT, value: U256::ZERO, data: Bytes::new() }; 2];
    let data = crate::safe::encode_batch(&calls);
    let told = |chain_id: u64| {
        let tx =
            SafeTx::new(batch.address, U256::ZERO, data.clone(), Operation::DelegateCall, Nonce::from(3));
        let mut case = Case::new(rehearsal());
        let made = proposing(tx.clone());
        let id = SafeId { chain_id, ..*made.safe() };
        let state = SafeState { id, ..made.snapshot().clone() };
        let (block, binding) = (made.block().unwrap(), made.binding().clone());
        case.proposal = Proposal::new(tx, state, block, binding, Readings::default());
        sentence(&case, crate::check::transaction::CHECKS[1])
    };
    assert!(told(1).contains("MultiSendCallOnly of Safe 1.4.1"), "{}", told(1));
    assert!(!told(1).contains("other chains") && told(424_242).contains("other chains"), "{}", told(424_242));
}

/// Two lists that look alike when they are joined have different digests.
#[test]
fn a_digest_tells_where_one_text_ends() {
    let id = |texts: &[&str]| {
        let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
        crate::check::description::Id::from("x").digest_all(&texts).text
    };
    assert_ne!(id(&["ab", "c"]), id(&["a", "bc"]));
    assert_eq!(id(&["ab", "c"]), id(&["ab", "c"]));
}

/// A contract without recorded code is named, one with it is not.
#[test]
fn only_contracts_without_recorded_code_are_named() {
    let mut case = Case { is_from_file: true, ..Case::new(rehearsal()) };
    let data = Bytes::from(vec![0x84, 0x56, 0xcb, 0x59]);
    case.proposal = proposing(SafeTx::new(VAULT, U256::ZERO, data, Operation::Call, Nonce::from(3)));
    let hash = B256::repeat_byte(3);
    case.rehearsal.code.insert(VAULT, hash);
    let frame = crate::fork::Frame {
        depth: 1,
        kind: crate::fork::FrameKind::Call,
        from: SAFE,
        to: VAULT,
        value: U256::ZERO,
        input: Bytes::new(),
        output: Bytes::new(),
        end: crate::fork::End::Returned,
        gas_used: 1,
    };
    case.rehearsal.trace.frames = vec![frame];
    let kinds = |case: &Case| -> Vec<&'static str> {
        case.all(code::CHECKS[0].1).into_iter().map(|finding| finding.kind).collect()
    };
    assert_eq!(kinds(&case), ["code", "code-not-recorded"]);
    case.code_then = vec![RecordedCode { called: VAULT, at: VAULT, hash }];
    assert_eq!(kinds(&case), ["code"]);
    case.code_then = vec![RecordedCode { called: THIEF, at: THIEF, hash }];
    assert_eq!(kinds(&case), ["code", "code-not-recorded"]);
}
