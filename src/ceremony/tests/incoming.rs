//! Signatures that somebody handed over, in files and lines.

use super::*;
use crate::ceremony::signatures::importing::ImportResult;
use crate::proposal::{Claims, Finds, find_signatures};

fn take(desk: &Desk, what: &[&str], text: &str) -> Result<ImportResult, Error> {
    desk.import(&words(what), &Given::default(), &[find_signatures(text)])
}

fn line(desk: &Desk, seed: u8, proposal: &Proposal) -> String {
    sign(desk, seed, proposal).line(&desk.claims(proposal))
}

#[test]
fn an_owners_line_is_kept_beside_the_file_that_was_named() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let file = home.write("vault.json", &vault);
    let taken = take(&desk, &[&file], &line(&desk, ALICE, &vault)).unwrap();
    assert_eq!((taken.gathered.new.len(), taken.gathered.known.len(), taken.tallies.len()), (1, 0, 1));
    assert!(taken.refused_files.is_empty() && taken.unkept.first().is_empty());
    let owners = desk.pinned_owners(desk.safe("guardian").unwrap()).unwrap();
    assert_eq!(home.desk().signers(&vault, &owners).unwrap(), 1);
    assert_eq!(home.desk().kept(|_| true).unwrap(), std::slice::from_ref(&vault), "with its proposal");
    let again = take(&home.desk(), &[&file], &line(&desk, ALICE, &vault)).unwrap();
    assert_eq!((again.gathered.new.len(), again.gathered.known.len()), (0, 1));
    // What is kept here needs no name.
    let second = take(&home.desk(), &[], &line(&desk, BOB, &vault)).unwrap();
    assert_eq!(second.gathered.new.len(), 1);
    assert_eq!(home.desk().signers(&vault, &owners).unwrap(), 2);
}

#[test]
fn a_file_that_the_readers_own_files_do_not_derive_imports_nothing() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let tx = crate::safe::SafeTx { to: Address::repeat_byte(0x66), ..vault.tx().clone() };
    let (state, block) = (vault.snapshot().clone(), vault.block().unwrap());
    let other = Proposal::new(tx, state, block, vault.binding().clone(), Readings::default());
    let file = home.write("other.json", &other);
    let signed = sign(&desk, ALICE, &other).line(&Claims::default());
    let taken = take(&desk, &[&file], &signed).unwrap();
    assert_eq!(taken.refused_files.len(), 1);
    assert!(taken.refused_files[0].1.contains("it is not what your own playbook gives"));
    assert!(taken.gathered.new.is_empty());
    assert!(home.desk().kept(|_| true).unwrap().is_empty());
}

/// The import says what was signed instead.
#[test]
fn a_signature_of_something_else_is_explained() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let file = home.write("vault.json", &vault);
    let why = |of: &Proposal, seed: u8| {
        let taken = take(&home.desk(), &[&file], &line(&desk, seed, of)).unwrap();
        assert!(taken.gathered.new.is_empty());
        taken.gathered.refused.first()[0].why.clone()
    };
    let later = proposed(&desk, &["vault"], &at(6), 0);
    assert_eq!(why(&later, BOB), "bob signed vault at nonce 6, not at nonce 4");
    let bridge = proposed(&desk, &["bridge"], &at(4), 0);
    assert_eq!(why(&bridge, ALICE), "alice signed bridge at nonce 4, not vault");
    let undo = proposed(&desk, &["vault"], &Given { undo: true, ..at(4) }, 1);
    assert_eq!(why(&undo, ALICE), "alice signed the undo of vault at nonce 4, not vault");
    let far = proposed(&desk, &["vault"], &at(40), 0);
    assert!(why(&far, ALICE).contains("nonce 40"), "{}", why(&far, ALICE));
    let early = proposed(&desk, &["vault"], &at(1), 0);
    assert_eq!(why(&early, ALICE), "alice signed vault at nonce 1, not at nonce 4");
}

#[test]
fn a_drills_signature_counts_for_nothing_real() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let drill = vault.clone().for_drill().unwrap();
    let file = home.write("vault.json", &vault);
    let taken = take(&desk, &[&file], &line(&desk, ALICE, &drill)).unwrap();
    assert!(taken.gathered.new.is_empty() && taken.gathered.refused.first().len() == 1);
    let file = home.write("drill.json", &drill);
    let taken = take(&home.desk(), &[&file], &line(&desk, ALICE, &drill)).unwrap();
    assert_eq!(taken.gathered.new.len(), 1);
    let real = take(&home.desk(), &[&file], &line(&desk, ALICE, &vault)).unwrap();
    assert!(real.gathered.new.is_empty());
}

#[test]
fn arguments_that_the_file_chose_are_reported_on_import() {
    let home = Home::new();
    let desk = home.desk();
    let fee = proposed(&desk, &["fee"], &setting(at(4), "fee", "40 bps"), 30);
    let file = home.write("fee.json", &fee);
    home.heard();
    take(&desk, &[&file], &line(&desk, ALICE, &fee)).unwrap();
    let heard = home.heard();
    assert!(
        heard.iter().any(|line| line == "! lever fee leaves open, and the file chose: fee = 40 bps"),
        "{heard:?}"
    );
    let own = setting(Given::default(), "fee", "40 bps");
    let found = [find_signatures(&line(&desk, BOB, &fee))];
    home.desk().import(&words(&[&file]), &own, &found).unwrap();
    assert!(home.heard().iter().all(|line| !line.starts_with("! ")), "the reader said it");
}

/// A tally is given for each proposal that was named, and for others that a chat has lines for.
#[test]
fn each_proposal_with_an_imported_signature_is_counted() {
    let home = Home::new();
    let desk = home.desk();
    let (vault, bridge) = (proposed(&desk, &["vault"], &at(4), 0), proposed(&desk, &["bridge"], &at(5), 0));
    desk.keep_proposal(&vault).unwrap();
    desk.keep_proposal(&bridge).unwrap();
    let both = format!("{}\n{}", line(&desk, ALICE, &vault), line(&desk, ALICE, &bridge));
    let taken = take(&home.desk(), &[], &both).unwrap();
    assert_eq!((taken.gathered.new.len(), taken.tallies.len()), (2, 2));
    let one = take(&home.desk(), &[], &line(&desk, BOB, &vault)).unwrap();
    assert_eq!(one.tallies.len(), 1);
    // A bare signature does not say what it is for: every open proposal is tried.
    let bytes = stated(BOB, &bridge).bytes;
    let bare = alloy::primitives::hex::encode(bytes);
    let taken = take(&home.desk(), &[], &bare).unwrap();
    assert_eq!(taken.gathered.new.iter().map(OwnerSignature::hash).collect::<Vec<_>>(), [bridge.hash()]);
    let nothing = take(&home.desk(), &[], "good morning").unwrap();
    assert!(nothing.gathered.new.is_empty() && nothing.tallies.is_empty());
}

/// A bare signature does not state its transaction: the reader's own drill is tried too.
#[test]
fn a_bare_signature_of_a_drill_is_called_one() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let file = home.write("vault.json", &vault);
    let bare = |of: &Proposal, seed: u8| alloy::primitives::hex::encode(stated(seed, of).bytes);
    let why =
        |text: &str| take(&home.desk(), &[&file], text).unwrap().gathered.refused.first()[0].why.clone();
    let drill = vault.clone().for_drill().unwrap();
    let told = why(&bare(&drill, ALICE));
    assert!(told.starts_with("alice signed a DRILL of vault at nonce 4"), "{told}");
    let bridge = proposed(&desk, &["bridge"], &at(5), 0);
    assert_eq!(why(&bare(&bridge, BOB)), "bob signed bridge at nonce 5, not vault");
    // A stranger's signature of what was asked for is only what it is.
    let stranger = stated(9, &vault);
    let json = serde_json::json!(alloy::primitives::hex::encode(stranger.bytes)).to_string();
    assert!(why(&json).contains("not an owner"), "{}", why(&json));
}

/// The reason is a fact where there is one: whose key it was, and whether it is for anything of the reader's own.
#[test]
fn a_signature_of_nothing_known_is_told_by_what_is_known_of_it() {
    let home = Home::new().with("[signers.dora]", "[signers.erin]\naddress = \"ERIN\"\n[signers.dora]");
    let home = home.with("ERIN", &address(9).to_string());
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let file = home.write("vault.json", &vault);
    let why = |stated: Stated| {
        let found = [Finds { stated: vec![stated], ..Finds::default() }];
        let taken = home.desk().import(&words(&[&file]), &Given::default(), &found).unwrap();
        taken.gathered.refused.first()[0].why.clone()
    };
    let (erin, nobody) = (address(9), address(8));
    assert_eq!(why(stated(9, &vault)), format!("erin {erin} made it, which is not an owner of this Safe"));
    assert_eq!(
        why(stated(8, &vault)),
        format!(
            "it is for another transaction, or by {nobody}, which is not an owner of this Safe and not in your council file"
        )
    );
    let tx = crate::safe::SafeTx { to: Address::repeat_byte(0x66), ..vault.tx().clone() };
    let (state, block) = (vault.snapshot().clone(), vault.block().unwrap());
    let other = Proposal::new(tx, state, block, vault.binding().clone(), Readings::default());
    let none_of_yours = format!("alice signed a transaction that is none of yours, {}", other.hash());
    assert_eq!(why(stated(ALICE, &other)), none_of_yours);
    let zeros = Stated { bytes: [0; 65], ..stated(ALICE, &other) };
    assert_eq!(why(zeros), crate::proposal::VerifyError::OtherHash(other.hash()).to_string());
}

#[test]
fn an_approval_is_called_what_it_approves() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let by_labs = order(&desk, &["vault"], &Given { approve_as: words(&["labs"]), ..at(4) });
    let approval = on_chain(&by_labs.approving(vault.clone()), &at(1), 0).proposal;
    desk.keep_proposal(&vault).unwrap();
    desk.keep_proposal(&approval).unwrap();
    let both = format!("{}\n{}", line(&desk, ALICE, &vault), line(&desk, CAROL, &approval));
    let taken = take(&home.desk(), &[], &both).unwrap();
    assert_eq!(taken.gathered.new.len(), 2);
    assert_eq!(taken.approval(approval.hash()), ", to approve vault as labs");
    assert_eq!(taken.approval(vault.hash()), "");
}

#[test]
fn of_what_is_refused_only_what_was_named_is_counted() {
    let home = Home::new();
    let desk = home.desk();
    let (vault, bridge) = (proposed(&desk, &["vault"], &at(4), 0), proposed(&desk, &["bridge"], &at(5), 0));
    desk.keep_proposal(&bridge).unwrap();
    let file = home.write("vault.json", &vault);
    let found = [Finds { stated: vec![stated(9, &bridge)], ..Finds::default() }];
    let taken = desk.import(&words(&[&file]), &Given::default(), &found).unwrap();
    assert_eq!(taken.tallies.iter().map(|tally| tally.hash).collect::<Vec<_>>(), [vault.hash()]);
}

/// An owner who has signed need not sign again, and a second signature of theirs is not kept.
#[test]
fn a_second_signature_of_an_owner_is_spare() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    desk.keep_proposal(&vault).unwrap();
    desk.keep_signature(&vault, &sign(&desk, ALICE, &vault)).unwrap();
    let found = [Finds { stated: vec![stated_by_message(ALICE, &vault)], ..Finds::default() }];
    let taken = home.desk().import(&[], &Given::default(), &found).unwrap();
    assert_eq!((taken.gathered.new.len(), taken.gathered.known.len(), taken.gathered.spare.len()), (0, 0, 1));
    assert_eq!(taken.tallies.iter().map(|tally| tally.hash).collect::<Vec<_>>(), [vault.hash()]);
}

#[test]
fn whose_signature_of_another_way_does_not_count_is_told() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let both = proposed(&desk, &["vault", "bridge"], &at(4), 0);
    desk.keep_proposal(&both).unwrap();
    desk.keep_signature(&both, &sign(&desk, ALICE, &both)).unwrap();
    desk.keep_proposal(&vault).unwrap();
    home.heard();
    take(&home.desk(), &[], &line(&desk, BOB, &vault)).unwrap();
    let heard = home.heard();
    assert!(heard.iter().any(|line| line.starts_with("lost: ") && line.contains("alice")), "{heard:?}");
}
