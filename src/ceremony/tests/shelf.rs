//! The files in `incidents/`: anybody can put anything there.

use super::*;
use crate::ceremony::find::CommandPurpose;
use crate::check::Match;
use crate::error::Exit;
use crate::safe::SafeTx;

fn foreign(proposal: &Proposal) -> Proposal {
    let tx = SafeTx { to: Address::repeat_byte(0x66), ..proposal.tx().clone() };
    let block = proposal.block().unwrap();
    Proposal::new(tx, proposal.snapshot().clone(), block, proposal.binding().clone(), Readings::default())
}

fn hashes(proposals: &[Proposal]) -> Vec<String> {
    proposals.iter().map(|proposal| proposal.hash().to_string()).collect()
}

#[test]
fn only_what_the_readers_files_give_counts() {
    let home = Home::new();
    let desk = home.desk();
    let own = proposed(&desk, &["vault"], &at(4), 0);
    let thiefs = foreign(&own);
    desk.keep_proposal(&own).unwrap();
    desk.keep_proposal(&thiefs).unwrap();
    for desk in [&desk, &home.desk()] {
        assert_eq!(hashes(&desk.kept(|_| true).unwrap()), hashes(std::slice::from_ref(&own)));
        assert!(desk.kept(|p| p.nonce() == Nonce::from(5)).unwrap().is_empty());
        assert_eq!(hashes(&desk.kept_open().unwrap()), hashes(std::slice::from_ref(&own)));
        assert!(desk.files_of(thiefs.hash()).unwrap().is_empty());
        assert_eq!(desk.files_of(own.hash()).unwrap().len(), 1);
        assert_eq!(desk.folders(own.hash()).unwrap().len(), 1);
        assert!(desk.kept_drills(|_| true).unwrap().is_empty());
        assert_eq!(desk.places(|_| true, true).unwrap().len(), 2);
    }
    let heard = home.heard();
    assert!(
        heard.iter().any(|line| line.starts_with("left out: ") && line.contains("it is not what")),
        "{heard:?}"
    );
    let safe = desk.safe("guardian").unwrap();
    assert_eq!(desk.others(safe, Nonce::from(4)).unwrap(), [(Nonce::from(4), own.hash().to_string())]);
    assert!(desk.others(safe, Nonce::from(5)).unwrap().is_empty());
    assert!(desk.others(desk.safe("labs").unwrap(), Nonce::from(4)).unwrap().is_empty());
}

#[test]
fn a_signature_counts_if_an_owner_made_it_of_this_proposal() {
    let home = Home::new();
    let desk = home.desk();
    let (own, other) = (proposed(&desk, &["vault"], &at(4), 0), proposed(&desk, &["vault"], &at(5), 0));
    let owners = desk.pinned_owners(desk.safe("guardian").unwrap()).unwrap();
    let keep = |seed: u8| desk.keep_signature(&own, &sign(&desk, seed, &own)).unwrap();
    let alices = [ALICE, BOB].map(keep);
    assert_eq!(keep(ALICE), alices[0], "it is kept once");
    desk.keep_signature(&other, &sign(&desk, ALICE, &other)).unwrap();
    assert_eq!(desk.signers(&own, &owners).unwrap(), 2);
    assert_eq!(desk.signatures(&own, &owners).unwrap().len(), 2);
    // A file that cannot be read is told, and a set's signature counts beside those that are kept.
    std::fs::write(alices[0].with_file_name(format!("{}-2.sig.json", address(ALICE))), [0xff]).unwrap();
    home.heard();
    assert_eq!(home.desk().signers(&own, &owners).unwrap(), 2);
    let heard = home.heard();
    assert!(
        heard.iter().any(|line| line.starts_with("left out: ") && line.contains("-2.sig.json")),
        "{heard:?}"
    );
    // A file under an owner's name, with another's transaction in it.
    std::fs::write(&alices[0], sign(&desk, ALICE, &other).to_json()).unwrap();
    let desk = home.desk();
    assert_eq!(desk.signers(&own, &owners).unwrap(), 1);
    let heard = home.heard();
    assert!(heard.iter().any(|line| line.starts_with("left out: ")), "{heard:?}");
}

/// An owner who signed in two ways is one owner.
#[test]
fn an_owner_counts_once_in_whatever_way_they_signed() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let owners = desk.pinned_owners(desk.safe("guardian").unwrap()).unwrap();
    desk.keep_signature(&vault, &sign(&desk, ALICE, &vault)).unwrap();
    let bytes = safe_signature(ALICE, &vault.hash(), SignatureKind::EthSign);
    let second = Stated { bytes, ..stated(ALICE, &vault) };
    let second = OwnerSignature::verify(&second, &vault, &owners).unwrap();
    desk.keep_signature(&vault, &second).unwrap();
    assert_eq!(desk.signatures(&vault, &owners).unwrap().len(), 2);
    assert_eq!(desk.signers(&vault, &owners).unwrap(), 1);
}

#[test]
fn of_several_nonces_a_person_says_which_is_meant() {
    let home = Home::new();
    let desk = home.desk();
    let kept = |desk: &Desk, given: &Given| {
        let order = order(desk, &["vault"], given);
        desk.stored_for(&order, given, false).map(|kept| kept.map(|kept| kept.nonce()))
    };
    assert_eq!(kept(&desk, &Given::default()).unwrap(), None);
    desk.keep_proposal(&proposed(&desk, &["vault"], &at(4), 0)).unwrap();
    desk.keep_proposal(&proposed(&desk, &["bridge"], &at(7), 0)).unwrap();
    assert_eq!(kept(&desk, &Given::default()).unwrap(), Some(Nonce::from(4)));
    desk.keep_proposal(&proposed(&desk, &["vault"], &at(5), 0)).unwrap();
    let error = kept(&desk, &Given::default()).unwrap_err();
    assert_eq!(error.exit, Exit::Usage);
    assert!(error.message.ends_with("lever vault, with nonces 4, 5"), "{}", error.message);
    assert_eq!(kept(&desk, &at(5)).unwrap(), Some(Nonce::from(5)));
    assert_eq!(kept(&desk, &at(6)).unwrap(), None);
    // Anybody can lay an outcome: offline, what the journal has not seen proven stays open.
    desk.keep_outcome(&proposed(&desk, &["vault"], &at(4), 0), 1, "{}\n").unwrap();
    assert!(kept(&home.desk(), &Given::default()).is_err());
    let undo = Given { undo: true, ..Given::default() };
    assert_eq!(kept(&home.desk(), &undo).unwrap(), None, "an undo is another act");
}

#[test]
fn of_two_for_one_nonce_the_one_without_foreign_arguments_and_with_more_signers_is_meant() {
    let home = Home::new();
    let desk = home.desk();
    let [forty, fifty] =
        ["40 bps", "50 bps"].map(|fee| proposed(&desk, &["fee"], &setting(at(4), "fee", fee), 30));
    desk.keep_signature(&forty, &sign(&desk, ALICE, &forty)).unwrap();
    desk.keep_proposal(&fifty).unwrap();
    let kept = |given: &Given| {
        let order = order(&desk, &["fee"], given);
        desk.stored_for(&order, given, false).unwrap().unwrap().hash()
    };
    assert_eq!(kept(&at(4)), forty.hash(), "somebody has signed it");
    desk.keep_signature(&fifty, &sign(&desk, ALICE, &fifty)).unwrap();
    desk.keep_signature(&fifty, &sign(&desk, BOB, &fifty)).unwrap();
    assert_eq!(kept(&at(4)), fifty.hash());
    assert_eq!(kept(&setting(at(4), "fee", "0.4 %")), forty.hash(), "the reader said which");
    let order = order(&desk, &["fee"], &at(4));
    assert!(desk.likely_next(&order, &at(4)).is_some() && desk.likely_next(&order, &at(5)).is_none());
}

#[test]
fn a_person_chooses_between_signed_rivals_for_one_nonce() {
    let home = Home::new();
    let desk = home.desk();
    let [forty, fifty] =
        ["40 bps", "50 bps"].map(|fee| proposed(&desk, &["fee"], &setting(at(4), "fee", fee), 30));
    let check = |desk: &Desk, given: &Given| {
        let order = order(desk, &["fee"], given);
        let found = desk.find_own_lever(forty.clone(), given).unwrap().offline(desk, given).unwrap();
        desk.require_no_rival(&found, &order, given)
    };
    desk.keep_signature(&forty, &sign(&desk, ALICE, &forty)).unwrap();
    desk.keep_proposal(&fifty).unwrap();
    assert!(check(&desk, &at(4)).is_ok(), "nobody has signed the other");
    desk.keep_signature(&fifty, &sign(&desk, BOB, &fifty)).unwrap();
    let error = check(&desk, &at(4)).unwrap_err();
    assert_eq!(
        (error.exit, error.message.as_str()),
        (Exit::Usage, "2 signed proposals of fee are kept for nonce 4: say which is meant")
    );
    let digits = |p: &Proposal| p.hash().to_string()[2..18].to_string();
    assert_eq!(error.hints[0], format!("--hash {}: 1 signed it, fee=40 bps", digits(&forty)));
    assert_eq!(error.hints[1], format!("--hash {}: 1 signed it, fee=50 bps", digits(&fifty)));
    let differs = |field: &str| error.hints.iter().any(|hint| hint.starts_with(field));
    assert!(differs("argument: ") && differs("data: "), "{:?}", error.hints);
    assert!(check(&desk, &Given { hashes: vec![digits(&forty).parse().unwrap()], ..at(4) }).is_ok());
    assert!(check(&desk, &setting(at(4), "fee", "40 bps")).is_ok(), "the argument says which");
}

#[test]
fn a_nonce_is_kept_by_the_lever_that_more_owners_have_signed() {
    let home = Home::new();
    let desk = home.desk();
    let safe = desk.safe("guardian").unwrap();
    let owners = desk.pinned_owners(safe).unwrap();
    let (vault, bridge) = (proposed(&desk, &["vault"], &at(4), 0), proposed(&desk, &["bridge"], &at(4), 0));
    let keeper = |desk: &Desk, of: &Proposal| {
        desk.keeper(of, desk.safe("guardian").unwrap(), &owners).unwrap().map(|keeper| keeper.title)
    };
    assert_eq!(keeper(&desk, &bridge), None);
    desk.keep_signature(&vault, &sign(&desk, ALICE, &vault)).unwrap();
    assert_eq!(keeper(&desk, &bridge).as_deref(), Some("vault"));
    assert_eq!(keeper(&desk, &vault), None);
    for seed in [ALICE, BOB] {
        desk.keep_signature(&bridge, &sign(&desk, seed, &bridge)).unwrap();
    }
    assert_eq!(keeper(&desk, &vault).as_deref(), Some("bridge"));
    assert_eq!(keeper(&desk, &bridge), None);
    // It has moved on, or has to.
    let since = |of: &Proposal, next: u64| {
        desk.keeper_since(of, Nonce::from(next), safe, &owners).unwrap().map(|keeper| keeper.title)
    };
    let later = proposed(&desk, &["vault"], &at(5), 0);
    assert_eq!(since(&later, 4).as_deref(), Some("bridge"));
    assert_eq!(since(&later, 5), None);
    assert_eq!(since(&vault, 4).as_deref(), Some("bridge"));
    assert_eq!(since(&vault, 5), None, "its own nonce is past");
    assert_eq!(since(&later, 2).as_deref(), Some("bridge"), "at a nonce in between");
    let drill = vault.clone().for_drill().unwrap();
    assert_eq!(keeper(&desk, &drill), None, "a drill uses no nonce");
}

#[test]
fn signatures_of_another_way_to_pull_a_lever_are_reported_as_lost() {
    let home = Home::new();
    let desk = home.desk();
    let safe = desk.safe("guardian").unwrap();
    let owners = desk.pinned_owners(safe).unwrap();
    let (vault, both) = (proposed(&desk, &["vault"], &at(4), 0), proposed(&desk, &["freeze"], &at(4), 0));
    let fee = proposed(&desk, &["fee"], &setting(at(4), "fee", "40 bps"), 30);
    for (proposal, seed) in [(&vault, ALICE), (&both, BOB), (&fee, ALICE)] {
        desk.keep_signature(proposal, &sign(&desk, seed, proposal)).unwrap();
    }
    let later = proposed(&desk, &["vault"], &at(5), 0);
    desk.keep_signature(&later, &sign(&desk, ALICE, &later)).unwrap();
    let lost = desk.lost(&both, safe, &owners).unwrap();
    assert_eq!(
        lost,
        ["alice signed vault for nonce 4, which does not count here: breakglass sign freeze --nonce 4"
            .replace(" --nonce 4", "")]
    );
    let lost = desk.lost(&vault, safe, &owners).unwrap();
    assert_eq!(lost.len(), 1);
    assert!(lost[0].starts_with("bob signed freeze for nonce 4"), "{lost:?}");
    desk.keep_signature(&both, &sign(&desk, ALICE, &both)).unwrap();
    assert!(desk.lost(&both, safe, &owners).unwrap().is_empty(), "she signed both");
    assert!(desk.lost(&vault.for_drill().unwrap(), safe, &owners).unwrap().is_empty());
}

#[test]
fn a_kept_proposal_is_found_offline_and_else_derived_by_its_nonce() {
    let home = Home::new();
    let desk = home.desk();
    let found = found_offline(&desk, &["vault"], &at(4)).unwrap();
    assert!(found[0].proposal().is_none());
    let derived = assumed(&desk, &["vault"], &at(4)).unwrap();
    assert_eq!(derived.matching, Match::SameOffline);
    assert!(derived.proposal.block().is_none() && derived.nonce_named && !derived.is_from_file);
    assert_eq!(derived.proposal.hash(), proposed(&desk, &["vault"], &at(4), 0).hash());
    let path = derived.keep(&desk).unwrap();
    assert_eq!(derived.keep(&desk).unwrap(), path, "it is kept once");
    let found = found_offline(&desk, &["vault"], &Given::default()).unwrap();
    assert_eq!(found[0].proposal(), Some(&derived.proposal));
    for purpose in [CommandPurpose::Propose, CommandPurpose::Sign] {
        let found = desk.find(&words(&["vault"]), &Given::default(), purpose).unwrap();
        let Found::Lever { guess, approvals, .. } = &found[0] else { panic!() };
        assert_eq!((guess.is_some(), *approvals), (purpose == CommandPurpose::Sign, false));
    }
    // One that was read from the chain says more than an assumed one.
    let read = proposed(&desk, &["vault"], &at(4), 0);
    let given = Given::default();
    let read = desk.find_own_lever(read, &given).unwrap().offline(&desk, &given).unwrap();
    let second = read.keep(&desk).unwrap();
    assert_ne!(second, path);
    assert_eq!(derived.keep(&desk).unwrap(), second);
}

#[test]
fn what_cannot_be_derived_offline_says_what_is_missing() {
    let home = Home::new();
    let desk = home.desk();
    let why =
        |desk: &Desk, levers: &[&str], given: &Given| assumed(desk, levers, given).err().unwrap().message;
    assert_eq!(
        why(&desk, &["vault"], &Given::default()),
        "no proposal of lever vault is kept beside breakglass.toml"
    );
    let fee = setting(at(4), "fee", "40 bps");
    let message = why(&desk, &["fee"], &fee);
    assert!(message.starts_with("lever fee reads vault fee()"), "{message}");
    let by_labs = Given { approve_as: words(&["labs"]), ..at(4) };
    assert!(
        why(&desk, &["vault"], &by_labs).starts_with("offline, an approval on chain needs a proposal file")
    );
    let pins = "version = \"1.4.1\"\nowners = [\"alice\", \"bob\", \"labs\"]\nthreshold = 2";
    let unpinned = Home::new().with(pins, "version = \"1.4.1\"");
    let message = why(&unpinned.desk(), &["vault"], &at(4));
    assert_eq!(message, "offline, [safes.guardian] in breakglass.toml has to say its owners and threshold");
    let unpinned = Home::new().with(pins, "");
    let message = why(&unpinned.desk(), &["freeze"], &at(4));
    assert!(message.ends_with("has to say its version, owners and threshold"), "{message}");
    assert!(assumed(&desk, &["freeze"], &at(4)).is_ok(), "the batch contract of 1.4.1 is published");
    let lonely = Home::new().with("id = 1\nrpc", "id = 424242\nrpc");
    assert!(assumed(&lonely.desk(), &["vault"], &at(4)).is_ok(), "one call needs no batch contract");
    let message = why(&lonely.desk(), &["freeze"], &at(4));
    assert!(message.ends_with("has to say its batch (several calls go through that contract)"), "{message}");
}

#[test]
fn a_folder_is_over_when_its_nonces_are_used() {
    let home = Home::new();
    let desk = home.desk();
    let own = proposed(&desk, &["vault"], &at(4), 0);
    desk.keep_proposal(&own).unwrap();
    let folder = desk.folders(own.hash()).unwrap().remove(0);
    let over = |folder: &str, now: u64| desk.is_over(folder, own.safe(), Nonce::from(now)).unwrap();
    assert!(!over(&folder, 4) && over(&folder, 5));
    assert!(!over("nothing", 5), "an empty folder says nothing");
    let labs = crate::safe::SafeId { address: Address::repeat_byte(0x22), ..*own.safe() };
    assert!(!desk.is_over(&folder, &labs, Nonce::from(5)).unwrap());
    assert!(folder.contains("-vault-n4-") && folder.ends_with(&own.hash().to_string()[2..10]), "{folder}");
    let undo = proposed(&desk, &["vault"], &Given { undo: true, ..at(6) }, 1);
    desk.keep_proposal(&undo.clone().for_drill().unwrap()).unwrap();
    let folder = desk.folders(undo.for_drill().unwrap().hash()).unwrap().remove(0);
    assert!(folder.starts_with("DRILL-") && folder.contains("-vault-undo-n6-"), "{folder}");
    assert_eq!(desk.kept_drills(|_| true).unwrap().len(), 1);
    assert_eq!(desk.kept(|_| true).unwrap().len(), 1);
}

#[test]
fn a_drill_is_found_by_its_name_and_is_not_taken_for_real() {
    let home = Home::new();
    let desk = home.desk();
    let drill = proposed(&desk, &["vault"], &at(4), 0).for_drill().unwrap();
    desk.keep_proposal(&drill).unwrap();
    let name = crate::proposal::DrillName::of(&drill).unwrap().to_string();
    let found = found_offline(&desk, &[&name], &Given::default()).unwrap();
    assert_eq!(found[0].proposal(), Some(&drill));
    let found = found_offline(&desk, &["vault"], &at(4)).unwrap();
    assert_eq!(found[0].proposal(), None);
    let given = Given::default();
    let derived = desk.find_own_lever(drill.clone(), &given).unwrap().offline(&desk, &given).unwrap();
    assert!(derived.others.is_empty() && derived.keeper.is_none());
    assert!(!derived.announced, "this machine's journal has not heard of it");
    let mixed = desk
        .named(&words(&[&name, &home.write("real.json", &proposed(&desk, &["bridge"], &at(5), 0))]), &given);
    let Err(error) = mixed else { panic!("a drill beside what is real") };
    assert!(error.message.ends_with("are not both drills"), "{}", error.message);
}

#[test]
fn whose_signatures_count_goes_down_to_the_owners_of_an_owner() {
    let home = Home::new();
    let desk = home.desk();
    let [guardian, labs, far] = ["guardian", "labs", "far"].map(|name| desk.safe(name).unwrap());
    let owners = desk.pinned_owners(guardian).unwrap();
    let child = owners.child(labs.address).unwrap();
    assert!(child.owners.contains(address(CAROL)) && !child.owners.contains(address(ALICE)));
    assert!(desk.pinned_owners(labs).unwrap().children().is_empty());
    assert_eq!(desk.likely_safes(guardian), [labs.address]);
    assert!(desk.likely_safes(labs).is_empty() && desk.likely_safes(far).is_empty());
    let pinned: Vec<Address> = desk.pinned_safes(guardian).iter().map(|safe| safe.id.address).collect();
    assert_eq!(pinned, [labs.address]);
    let accounts = Desk::likely_accounts(guardian, Some(address(DORA)));
    assert_eq!(accounts, [address(ALICE), address(BOB), labs.address, address(DORA)]);
    assert_eq!(Desk::likely_accounts(guardian, Some(address(ALICE))).len(), 3);
    let unpinned = Home::new().with("owners = [\"carol\", \"dora\"]\nthreshold = 1", "");
    let desk = unpinned.desk();
    let labs = desk.safe("labs").unwrap();
    assert_eq!(desk.likely_safes(labs), [desk.safe("guardian").unwrap().address], "any Safe may own it");
    let error = desk.pinned_owners(labs).unwrap_err();
    assert!(
        error.message.starts_with("the owners of labs are not in your council file"),
        "{}",
        error.message
    );
    assert!(desk.pinned_owners(desk.safe("guardian").unwrap()).unwrap().children().is_empty());
}

/// The owner of an owning Safe signs the message of that Safe.
#[test]
fn names_and_places_are_the_council_files() {
    let home = Home::new();
    let mut desk = home.desk();
    let labs = desk.safe("labs").unwrap().address;
    assert_eq!((desk.name_of(address(BOB)), desk.name_of(labs)), ("bob".into(), "labs".into()));
    assert_eq!(desk.name_of(VAULT), VAULT.to_string());
    assert_eq!(desk.only_safe(Some("labs")).unwrap().address, labs);
    let error = desk.only_safe(None).unwrap_err();
    assert!(error.hints[0].starts_with("pass --safe NAME, one of: "), "{:?}", error.hints);
    assert_eq!(desk.only_chain(Some("base")).unwrap().id, 8453);
    assert!(desk.only_chain(None).is_err() && desk.only_chain(Some("op")).is_err());
    assert!(desk.safe("nobody").unwrap_err().message.contains("known: far, guardian, labs"));
    desk.council.chains.retain(|name, _| name == "base");
    assert_eq!(desk.only_chain(None).unwrap().id, 8453);
    desk.council.chains.clear();
    assert_eq!(desk.only_chain(None).unwrap_err().message, "the council file has no chain");
}
