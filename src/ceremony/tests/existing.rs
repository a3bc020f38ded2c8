//! A proposal that somebody made, held against the reader's own files without a network.

use super::*;
use crate::ceremony::find::{Existing, is_file};
use crate::ceremony::judged::Judged;
use crate::check::{Level, Match};
use crate::error::Exit;
use crate::playbook::PlaybookDigest;
use crate::proposal::{Binding, BoundLever};
use crate::safe::{SafeId, SafeState, SafeTx};

fn judged<'a>(desk: &'a Desk, proposal: &Proposal, given: &Given) -> Judged<'a> {
    existing(desk, proposal, given).offline(desk, given).unwrap().judge(true)
}

fn existing<'a>(desk: &'a Desk, proposal: &Proposal, given: &Given) -> Existing<'a> {
    desk.find_own_lever(proposal.clone(), given).unwrap()
}

fn fields(judged: &Judged) -> Vec<&'static str> {
    match &judged.derived.matching {
        Match::Differs(rows) => rows.iter().map(|row| row.field).collect(),
        other => panic!("{other:?}"),
    }
}

fn is_refused(judged: &Judged) -> bool {
    judged.findings.iter().any(|finding| finding.level == Level::Refuse)
}

/// The proposal with another transaction or another Safe in it: what somebody else's file can say.
fn altered(proposal: &Proposal, tx: SafeTx, state: SafeState, binding: Binding) -> Proposal {
    Proposal::new(tx, state, proposal.block().unwrap(), binding, proposal.readings().clone())
}

#[test]
fn the_readers_own_lever_gives_the_same_transaction() {
    let home = Home::new();
    let desk = home.desk();
    let proposal = proposed(&desk, &["vault"], &at(4), 0);
    let judged = judged(&desk, &proposal, &Given::default());
    assert_eq!(judged.derived.matching, Match::SameOffline);
    assert!(judged.derived.own.is_some() && judged.derived.is_from_file);
    assert!(judged.derived.foreign.is_empty() && !is_refused(&judged), "{:?}", judged.findings);
    assert!(judged.endpoints().is_empty() && judged.proven().is_none() && judged.readings().is_none());
    assert!(judged.now().is_none() && judged.seen().is_err());
    assert_eq!(judged.state(), proposal.snapshot());
    assert_eq!(judged.plan().map(|plan| plan.calls.len()), Some(1));
    assert_eq!((judged.name(VAULT), judged.name(Address::repeat_byte(0x55))), ("vault", "-"));
    assert_eq!(judged.tally().approved.len(), 0);
    assert!(judged.derived.own.as_ref().unwrap().repeats().is_empty(), "one lever alone repeats nothing");
    assert!(judged.rehearsed().is_err());
}

#[test]
fn each_alteration_is_a_difference_and_refused() {
    let home = Home::new();
    let desk = home.desk();
    let proposal = proposed(&desk, &["vault"], &at(4), 0);
    let (tx, state, binding) = (proposal.tx(), proposal.snapshot(), proposal.binding());
    let thief = Address::repeat_byte(0x66);
    let to = SafeTx { to: thief, ..tx.clone() };
    let value = SafeTx { value: U256::from(1), ..tx.clone() };
    let data = SafeTx { data: vec![1, 2, 3, 4].into(), ..tx.clone() };
    for (tx, field) in [(to, "to"), (value, "value"), (data, "data")] {
        let judged =
            judged(&desk, &altered(&proposal, tx, state.clone(), binding.clone()), &Given::default());
        assert_eq!(fields(&judged), [field]);
        assert!(is_refused(&judged) && judged.derived.own.is_some());
    }
    let other = PlaybookDigest::of("schema = 1");
    let bound = BoundLever { digest: other, text: "schema = 1".into(), ..binding.levers()[0].clone() };
    let other = Binding::one(bound, false);
    let judged = judged(&desk, &altered(&proposal, tx.clone(), state.clone(), other), &Given::default());
    assert!(is_refused(&judged) && fields(&judged) == ["playbook text"]);
}

#[test]
fn a_proposal_of_a_safe_that_the_reader_does_not_have_is_refused() {
    let home = Home::new();
    let desk = home.desk();
    let proposal = proposed(&desk, &["vault"], &at(4), 0);
    let at_safe = |chain_id, address| {
        let id = SafeId { chain_id, address, ..*proposal.safe() };
        let state = SafeState { id, ..proposal.snapshot().clone() };
        altered(&proposal, proposal.tx().clone(), state, proposal.binding().clone())
    };
    for (chain_id, address) in [(5, proposal.safe().address), (1, Address::repeat_byte(0x33))] {
        let stranger = at_safe(chain_id, address);
        let Err(error) = desk.find_own_lever(stranger.clone(), &Given::default()) else { panic!() };
        assert_eq!(error.exit, Exit::Refused);
        assert!(error.message.ends_with("which your council file does not have"), "{}", error.message);
        assert!(desk.derives(&stranger).is_err());
    }
    // The lever's own Safe is another one of the file.
    let far = at_safe(8453, proposal.safe().address);
    assert!(is_refused(&judged(&desk, &far, &Given::default())));
    let labs = at_safe(1, Address::repeat_byte(0x22));
    assert!(fields(&judged(&desk, &labs, &Given::default())).contains(&"Safe"));
}

#[test]
fn a_lever_that_the_reader_does_not_have_gives_nothing() {
    let home = Home::new();
    let proposal = proposed(&home.desk(), &["bridge"], &at(4), 0);
    let home =
        Home::new().with("[levers.bridge]", "[levers.brigde]").with("[\"vault\", \"bridge\"]", "[\"vault\"]");
    let desk = home.desk();
    let judged = judged(&desk, &proposal, &Given::default());
    assert!(matches!(&judged.derived.matching, Match::Unbound(why) if why.contains("bridge")));
    assert!(judged.derived.own.is_none() && judged.plan().is_none() && is_refused(&judged));
    let why = desk.derives(&proposal).unwrap_err();
    assert!(why.starts_with("your own files do not give it"), "{why}");
}

#[test]
fn the_readers_own_arguments_stand_and_only_what_is_open_comes_from_the_file() {
    let home = Home::new();
    let desk = home.desk();
    let proposal = proposed(&desk, &["fee"], &setting(at(4), "fee", "40 bps"), 30);
    assert_eq!(desk.derives(&proposal), Ok(()));
    let plain = judged(&desk, &proposal, &Given::default());
    let foreign: Vec<&str> = plain.derived.foreign.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(foreign, ["fee"]);
    let own = judged(&desk, &proposal, &setting(Given::default(), "fee", "0.4 %"));
    assert!(own.derived.foreign.is_empty());
    assert_eq!(own.derived.matching, Match::SameOffline);
    let other = judged(&desk, &proposal, &setting(Given::default(), "fee", "41 bps"));
    assert!(is_refused(&other) && !fields(&other).is_empty());
    // Another target in the file than in the council file.
    let mut bound = proposal.binding().levers()[0].clone();
    bound.args.insert("target".into(), "bridge".into());
    let tx = SafeTx { to: Address::repeat_byte(0x88), ..proposal.tx().clone() };
    let file = altered(&proposal, tx, proposal.snapshot().clone(), Binding::one(bound, false));
    assert!(fields(&judged(&desk, &file, &Given::default())).contains(&"to"));
}

#[test]
fn values_that_a_proposal_does_not_bring_are_asked_of_nobody() {
    let home = Home::new();
    let desk = home.desk();
    let proposal = proposed(&desk, &["fee"], &setting(at(4), "fee", "40 bps"), 30);
    let (tx, state) = (proposal.tx().clone(), proposal.snapshot().clone());
    let bare =
        Proposal::new(tx, state, proposal.block().unwrap(), proposal.binding().clone(), Readings::default());
    let judged = judged(&desk, &bare, &Given::default());
    let Match::Unbound(why) = &judged.derived.matching else { panic!("{:?}", judged.derived.matching) };
    assert!(why.starts_with("playbook param/fee-bps reads vault fee() by your files"), "{why}");
    assert!(why.contains("the proposal does not have it"), "{why}");
}

#[test]
fn two_levers_of_a_proposal_are_one_transaction_of_the_file_or_nothing() {
    let home = Home::new();
    let proposal = proposed(&home.desk(), &["freeze"], &at(4), 0);
    let desk = home.desk();
    let whole = judged(&desk, &proposal, &Given::default());
    assert_eq!(whole.derived.matching, Match::SameOffline);
    assert_eq!(whole.derived.own.as_ref().unwrap().repeats().len(), 2);
    let apart = Home::new().with("pull = [\"vault\", \"bridge\"]", "pull = [\"vault\"]").with(
        "[levers.bridge]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian\"\nset = { target = \"bridge\" }",
        "[levers.bridge]\nplaybook = \"pause/oz-pausable\"\nsafe = \"labs\"\nset = { target = \"bridge\" }",
    );
    let desk = apart.desk();
    let judged = judged(&desk, &proposal, &Given::default());
    let Match::Unbound(why) = &judged.derived.matching else { panic!("{:?}", judged.derived.matching) };
    assert!(why.contains("vault, bridge are not one transaction"), "{why}");
}

#[test]
fn an_approval_is_compared_with_what_it_approves() {
    let home = Home::new();
    let desk = home.desk();
    let inner = proposed(&desk, &["vault"], &at(4), 0);
    let order = order(&desk, &["vault"], &Given { approve_as: words(&["labs"]), ..at(4) });
    let order = order.approving(inner.clone());
    let approval = on_chain(&order, &at(1), 0).proposal;
    let judged = judged(&desk, &approval, &Given::default());
    assert_eq!(judged.derived.matching, Match::SameOffline);
    let approved = judged.approved.as_deref().unwrap();
    assert_eq!(approved.proposal(), &inner);
    assert!(!is_refused(approved));
    // It carries another transaction than the one whose hash it approves.
    let other = proposed(&desk, &["bridge"], &at(4), 0);
    let swapped = approval.approving(Some(other));
    let judged = super::existing::judged(&desk, &swapped, &Given::default());
    assert!(is_refused(&judged));
}

#[test]
fn a_file_is_the_one_that_was_asked_for() {
    let home = Home::new();
    let desk = home.desk();
    let path = home.write("proposal.json", &proposed(&desk, &["vault"], &at(4), 0));
    assert!(desk.file(&path, &at(4)).is_ok() && desk.file(&path, &Given::default()).is_ok());
    let error = desk.file(&path, &at(5)).unwrap_err();
    assert_eq!(error.message, "the file is for nonce 4, and --nonce says 5");
    let error = desk.file(&path, &Given { undo: true, ..at(4) }).unwrap_err();
    assert_eq!(error.message, "the file is no undo of lever vault");
    assert_eq!(error.hints, ["if that is what you mean, leave out --undo"]);
    let undo = proposed(&desk, &["vault"], &Given { undo: true, ..at(4) }, 1);
    let path = home.write("undo.json", &undo);
    let error = desk.file(&path, &at(4)).unwrap_err();
    assert_eq!(error.hints, ["if that is what you mean, pass --undo"]);
    assert!(desk.file(&path, &Given { undo: true, ..at(4) }).is_ok());
}

/// Accepted findings of a file belong to the transaction that is signed: the file is read only once.
#[test]
fn a_file_that_is_replaced_in_a_run_stays_as_it_was_read() {
    let home = Home::new();
    let desk = home.desk();
    let first = proposed(&desk, &["vault"], &at(4), 0);
    let path = home.write("proposal.json", &first);
    assert_eq!(desk.file(&path, &Given::default()).unwrap(), first);
    home.write("proposal.json", &proposed(&desk, &["bridge"], &at(4), 0));
    assert_eq!(desk.file(&path, &Given::default()).unwrap(), first);
}

#[test]
fn a_path_is_a_file_and_a_name_a_lever() {
    for (what, is) in
        [("vault", false), ("a/b", true), ("x.json", true), ("x.jsn", false), ("drill:a-n1-7f3a", false)]
    {
        assert_eq!(is_file(what), is, "{what}");
    }
    let home = Home::new();
    let desk = home.desk();
    assert!(desk.require_known(&words(&["vault", "freeze", "x.json"])).is_ok());
    let error = desk.require_known(&words(&["vualt"])).unwrap_err();
    assert!(error.hints.contains(&"did you mean vault?".to_string()), "{:?}", error.hints);
    assert!(desk.lever("freeze").is_err() && desk.require_lever("freeze").is_ok());
}

#[test]
fn files_and_levers_come_in_the_order_in_which_they_were_named() {
    let home = Home::new();
    let desk = home.desk();
    let file = home.write("proposal.json", &proposed(&desk, &["vault"], &at(4), 0));
    let titles = |what: &[&str]| -> Vec<bool> {
        let found = desk.parts(&words(what), &Given::default()).unwrap();
        found.iter().map(|found| found.proposal().is_some()).collect()
    };
    assert_eq!(titles(&[&file, "bridge"]), [true, false]);
    assert_eq!(titles(&["bridge", &file]), [false, true]);
    assert_eq!(titles(&[&file]), [true]);
    let found = desk.parts(&words(&[&file, "bridge"]), &Given::default()).unwrap();
    let titles: Vec<String> = found.iter().map(Found::title).collect();
    assert_eq!(titles, ["vault · guardian on mainnet", "bridge · guardian on mainnet"]);
    assert!(found.iter().all(|found| found.safe().name == "guardian"));
    let by_labs = Given { approve_as: words(&["labs"]), ..Given::default() };
    let found = desk.parts(&words(&[&file]), &by_labs).unwrap();
    assert_eq!((found[0].safe().name.as_str(), found[0].proposal()), ("labs", None));
}

/// A desk is loaded from its folder: a file that cannot be read is reported and does not stop the others.
#[test]
fn a_council_file_is_read_with_the_playbooks_beside_it() {
    let home = Home::new().with("name = \"Example\"", "name = \"Example\"\nprogram = \">=99\"").with(
        "set = { target = \"vault\" }\n[levers.alone]",
        "set = { target = \"vault\", was = \"20 bps\" }\n[levers.alone]",
    );
    let path = home.path().join("breakglass.toml");
    std::fs::write(&path, &home.council).unwrap();
    let folder = home.path().join("playbooks");
    std::fs::create_dir(&folder).unwrap();
    let library = Catalogue::new(Vec::new());
    let pause = library.get("pause/oz-pausable").unwrap().playbook.text();
    std::fs::write(folder.join("own.toml"), pause.replace("pause/oz-pausable\"", "pause/own\"")).unwrap();
    for n in 0..7 {
        std::fs::write(folder.join(format!("bad{n}.toml")), "no playbook").unwrap();
    }
    let desk = Desk::load(home.heard, Some(&path)).unwrap();
    assert!(desk.catalogue.get("pause/own").is_ok());
    assert_eq!(desk.not_used["fee"]["was"], "20 bps");
    assert_eq!(desk.council.levers["fee"].set.len(), 1, "what the chain says is not taken from the file");
    assert_eq!(desk.not_used.len(), 1);
    let heard = home.heard();
    let told = |label: &str| heard.iter().filter(|line| line.starts_with(label)).count();
    assert_eq!((told("version: "), told("left out: ")), (1, 6), "{heard:?}");
    assert!(heard.contains(&"left out: 2 more playbooks".to_string()), "{heard:?}");
    desk.warn_of_bad_levers();
    assert!(home.heard().is_empty());
    let given = Given::default();
    let kept = desk
        .named(&words(&[&home.write("v.json", &proposed(&desk, &["vault"], &at(4), 0))]), &given)
        .unwrap();
    assert!(kept[0].title().ends_with("v.json"));
    assert_eq!(kept.into_iter().next().unwrap().into_proposal().map(|p| p.nonce()), Some(Nonce::from(4)));
}
