//! Transactions that were signed ahead, held against the chain as it is now.

use super::*;
use crate::ceremony::folder::armed_sets::{Examined, Group};
use crate::ceremony::folder::sets::AheadImport;
use crate::ceremony::overviews::armed_ahead::{nonce_query, unused};
use crate::ceremony::overviews::overview;
use crate::ceremony::tests::on_chain::word;
use crate::error::Exit;
use crate::proposal::{Claims, find_signatures};

const FAR: &str = "[levers.far]\nplaybook = \"pause/oz-pausable\"\nsafe = \"far\"\nset = { target = \"vault\" }\n[levers.freeze]";

/// A folder with a lever on a chain that cannot be asked.
fn with_far(node: &Memory) -> Home {
    let place = format!("mainnet = \"{VAULT}\"").to_lowercase();
    home(node).with("[levers.freeze]", FAR).with(&place, &format!("{place}\nbase = \"{VAULT}\""))
}

fn line(desk: &Desk, seed: u8, proposal: &Proposal, nonce: u64) -> String {
    let at = proposal.with_nonce(Nonce::from(nonce));
    sign(desk, seed, &at).line_ahead(&Claims { nonce: Some(at.nonce()), ..desk.claims(&at) })
}

fn take(desk: &Desk, what: &[&str], lines: &[String], complete: bool) -> Result<AheadImport, Error> {
    let found = [find_signatures(&lines.join("\n"))];
    desk.import_ahead(&words(what), &Given::default(), &found, complete)
}

fn examined(desk: &Desk, what: &[&str]) -> Vec<Result<Examined, Error>> {
    let groups = desk.armed(&words(what), &Given::default()).unwrap();
    groups.iter().map(|group| desk.examine(group)).collect()
}

fn nonces(examined: &Examined) -> Vec<Nonce> {
    examined.signatures.iter().map(|(nonce, _)| *nonce).collect()
}

/// For each nonce the last signature is made only when it is needed.
#[test]
fn one_signature_less_than_the_threshold_is_kept_of_each_nonce() {
    let node = chain();
    let home = home(&node);
    let vault = live_proposal(&home.desk(), &["vault"], &Given::default());
    let desk = home.desk();
    let lines =
        [(ALICE, 3), (ALICE, 4), (ALICE, 5), (BOB, 4)].map(|(seed, nonce)| line(&desk, seed, &vault, nonce));
    let mut taken = take(&home.desk(), &["vault"], &lines, false).unwrap();
    assert_eq!((taken.kept.len(), taken.unread, taken.refused.first().len()), (1, 0, 0));
    let kept = taken.kept.remove(0);
    assert_eq!(
        (kept.title.as_str(), kept.words.as_str(), kept.threshold),
        ("vault · guardian on mainnet", "vault", 2)
    );
    assert_eq!(kept.used, [Nonce::from(3)]);
    assert_eq!(kept.proposal.nonce(), Nonce::from(3), "the first that something was found for");
    assert_eq!((kept.signed.len(), kept.known), (2, 0));
    assert_eq!(kept.left_out.get(&Nonce::from(4)), Some(&1));
    assert!(
        kept.path.is_some_and(|path| path.file_name().unwrap().to_string_lossy().contains("-vault-n4-5"))
    );
    // What is known already is said, and the place of a nonce is taken.
    let again = take(&home.desk(), &["vault"], &lines[1..], false).unwrap().kept.remove(0);
    assert_eq!((again.known, again.signed.len(), again.path), (2, 0, None));
    let bobs = take(&home.desk(), &["vault"], &lines[3..], false).unwrap().kept.remove(0);
    assert_eq!((bobs.known, bobs.signed.len()), (0, 0));
    let all = take(&home.desk(), &["vault"], &lines[3..], true).unwrap().kept.remove(0);
    assert_eq!((all.signed.len(), all.left_out.len()), (1, 0), "the set shall be complete");
    let used = take(&home.desk(), &["vault"], &lines[..1], false).unwrap().kept.remove(0);
    assert_eq!((used.used.len(), used.path), (1, None));
    assert!(take(&home.desk(), &["vault"], &[], false).unwrap().kept.is_empty());
    // A set that was kept in this run is known in it.
    let desk = home.desk();
    assert_eq!(desk.sets().unwrap().len(), 2);
    take(&desk, &["vault"], &[line(&desk, ALICE, &vault, 9)], false).unwrap();
    assert_eq!(desk.sets().unwrap().len(), 3);
    let groups = desk.armed(&[], &Given::default()).unwrap();
    assert_eq!(groups.iter().map(Group::safe).collect::<Vec<_>>(), [Some(*vault.safe())]);
    assert_eq!(
        desk.nonces_of_group(&groups[0], &mut 9),
        [4, 5, 9].map(Nonce::from),
        "of all sets, each once"
    );
    let unused_at = |nonce: u64| {
        let readings = [(nonce_query(vault.safe().address), word(nonce))].into_iter().collect();
        unused(&desk, &groups[0], Some(&readings), &mut 9).map(|armed| armed.nonces)
    };
    assert_eq!(unused_at(5), Some([5, 9].map(Nonce::from).to_vec()));
    assert_eq!(unused_at(10), None, "all of them are used");
    let seen = overview::read(&home.desk(), false).unwrap().armed;
    assert_eq!((seen.len(), seen[0].words.as_str(), seen[0].nonces.len()), (1, "vault", 3));
    node.safe(GUARDIAN, &[address(ALICE), address(BOB), LABS], 2, 5);
    let seen = overview::read(&home.desk(), false).unwrap().armed;
    assert_eq!((seen.len(), &seen[0].nonces[..]), (1, &[5, 9].map(Nonce::from)[..]), "the Safe has used one");
}

/// Anybody can lay the file of a set: with signatures of nobody's, and with another transaction under a lever's name.
#[test]
fn the_overview_has_signed_ahead_only_what_an_owner_signed_of_an_own_lever() {
    let node = chain();
    let home = home(&node);
    let vault = live_proposal(&home.desk(), &["vault"], &Given::default());
    keep_set(&home.desk(), ALICE, &vault, &[4, 5]);
    keep_set(&home.desk(), 99, &vault, &[5, 6, 7]);
    let overview = || overview::read(&home.desk(), false).unwrap().armed;
    let seen = overview();
    assert_eq!((seen.len(), seen[0].words.as_str()), (1, "vault"));
    assert_eq!(seen[0].nonces, [4, 5].map(Nonce::from));
    let bridge = live_proposal(&home.desk(), &["bridge"], &Given::default());
    let (state, block) = (vault.snapshot().clone(), vault.block().unwrap());
    let binding = bridge.binding().clone();
    let tx = crate::safe::SafeTx { to: Address::repeat_byte(0x66), ..vault.tx().clone() };
    let laid = Proposal::new(tx, state, block, binding, Readings::default());
    keep_set(&home.desk(), BOB, &laid, &[4]);
    let seen = overview();
    let titled = |words: &str| seen.iter().filter(|one| one.words.starts_with(words)).count();
    assert_eq!((seen.len(), titled("vault"), titled("bridge")), (2, 1, 0), "{seen:?}");
    assert_eq!(titled(&format!("a transaction that your own files do not give, {}", laid.hash())), 1);
}

#[test]
fn only_signatures_of_current_owners_count_for_a_nonce() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = live_proposal(&desk, &["vault"], &Given::default());
    let lines = [line(&desk, BOB, &vault, 4), line(&desk, ALICE, &vault, 4)];
    node.safe(GUARDIAN, &[address(ALICE), address(DORA)], 2, 4);
    let taken = take(&home.desk(), &["vault"], &lines, false).unwrap();
    assert_eq!(taken.kept[0].signed[0].signature.owner(), address(ALICE));
    assert_eq!((taken.kept[0].left_out.len(), taken.refused.first().len()), (0, 1));
}

#[test]
fn a_lever_that_cannot_be_evaluated_does_not_stop_the_import_of_others() {
    let node = chain();
    let home = with_far(&node);
    let desk = home.desk();
    let vault = live_proposal(&desk, &["vault"], &Given::default());
    let lines = [line(&desk, ALICE, &vault, 4)];
    assert_eq!(take(&home.desk(), &["vault", "far"], &lines, false).unwrap().kept.len(), 1);
    let heard = home.heard();
    assert!(heard.iter().any(|line| line.starts_with("left out: far · far on base: ")), "{heard:?}");
    assert!(take(&home.desk(), &["far"], &lines, false).is_err());
    // A file of somebody else's transaction takes nothing in.
    let tx = crate::safe::SafeTx { to: Address::repeat_byte(0x66), ..vault.tx().clone() };
    let state = vault.snapshot().clone();
    let other =
        Proposal::new(tx, state, vault.block().unwrap(), vault.binding().clone(), Readings::default());
    let file = home.write("other.json", &other);
    assert_eq!(take(&home.desk(), &[&file], &lines, false).err().unwrap().exit, Exit::Refused);
    let file = home.write("own.json", &vault);
    assert!(take(&home.desk(), &[&file], &lines, false).is_ok());
}

#[test]
fn what_is_signed_ahead_is_good_while_the_lever_gives_it() {
    let node = chain();
    let home = home(&node);
    let vault = live_proposal(&home.desk(), &["vault"], &Given::default());
    keep_set(&home.desk(), ALICE, &vault, &[4, 5]);
    keep_set(&home.desk(), CAROL, &vault, &[5]);
    let desk = home.desk();
    let examine = || {
        let desk: &'static Desk = Box::leak(Box::new(home.desk()));
        examined(desk, &[]).remove(0).unwrap()
    };
    let all = desk.armed(&[], &Given::default()).unwrap();
    assert_eq!(all.len(), 1, "it is one transaction");
    assert_eq!(desk.name_of_group(&all[0]), ("vault".into(), "guardian".into()));
    assert!(desk.armed(&words(&["bridge"]), &Given::default()).unwrap().is_empty());
    assert_eq!(desk.armed(&words(&["vault"]), &Given::default()).unwrap().len(), 1);
    let good = examine();
    assert!(good.is_good(), "{:?}", good.stale);
    assert_eq!(
        (good.words.as_str(), good.safe.as_str(), good.chain.as_str()),
        ("vault", "guardian", "mainnet")
    );
    assert_eq!(nonces(&good), [4, 5].map(Nonce::from));
    assert_eq!(
        (good.strange, good.threshold_then, good.files.len()),
        (1, 2, 2),
        "carol is an owner of an owner"
    );
    assert_eq!((good.kept, good.made, good.drift.len()), (1, None, 0));
    node.safe(GUARDIAN, &[address(ALICE), address(BOB), LABS], 1, 4);
    let drifted = examine();
    assert_eq!(
        (drifted.drift.len(), drifted.threshold_then, drifted.now.owners.threshold().get()),
        (1, 2, 1)
    );
    node.set(VAULT, 0, 1);
    let done = examine();
    assert!(
        done.already_done.as_ref().is_some_and(|what| what.ends_with("paused() is true")) && !done.is_good()
    );
    node.set(VAULT, 0, 0);
    node.code(VAULT, contract(&[("paused()", Body::Get(0))]));
    assert!(!examine().stale.is_empty(), "it would fail");
}

/// The lever is not there any more, or its chain cannot be asked.
#[test]
fn a_set_of_no_lever_is_stale_and_one_of_a_silent_chain_is_an_error() {
    let node = chain();
    let home = home(&node);
    let vault = live_proposal(&home.desk(), &["vault"], &Given::default());
    keep_set(&home.desk(), ALICE, &vault, &[4]);
    let mut without = home.desk();
    without.council.levers.remove("vault");
    let stale = examined(&without, &[]).remove(0).unwrap();
    assert_eq!(stale.stale.len(), 1);
    assert!(stale.stale[0].starts_with("your own files do not give it now: "), "{:?}", stale.stale);
    assert_eq!(nonces(&stale), [Nonce::from(4)], "the owners are still the Safe's");
    node.refuse("eth_getStorageAt");
    let desk = home.desk();
    assert_eq!(examined(&desk, &[]).remove(0).err().unwrap().exit, Exit::Network);
}

/// One that follows another of its pull is derived at the nonce that it was signed for.
#[test]
fn a_transaction_that_comes_second_is_examined_at_its_own_nonce() {
    let node = chain();
    let home = home(&node)
        .with("pull = [\"vault\", \"bridge\"]", "pull = [\"vault\", \"bridge\"]\nalone = [\"bridge\"]");
    let desk = home.desk();
    let second = evaluated(&desk, &["freeze"], &Given::default(), CommandPurpose::Propose).remove(1);
    assert_eq!(second.proposal().nonce(), Nonce::from(5));
    keep_set(&home.desk(), ALICE, second.proposal(), &[5]);
    let desk = home.desk();
    let one = examined(&desk, &["freeze"]).remove(0).unwrap();
    assert!(one.is_good(), "{:?}", one.stale);
}
