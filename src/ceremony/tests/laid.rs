//! Files that somebody lays into `incidents/`, and those of earlier versions.

use super::*;

fn foreign(proposal: &Proposal) -> Proposal {
    let tx = crate::safe::SafeTx { to: Address::repeat_byte(0x66), ..proposal.tx().clone() };
    let block = proposal.block().unwrap();
    Proposal::new(tx, proposal.snapshot().clone(), block, proposal.binding().clone(), Readings::default())
}

fn hashes(proposals: &[Proposal]) -> Vec<String> {
    proposals.iter().map(|proposal| proposal.hash().to_string()).collect()
}

/// Anybody who can write to the shared folder can plant an outcome: a proposal that this machine did not see proven
/// stays open.
#[test]
fn an_outcome_that_is_not_in_the_journal_closes_no_proposal() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    desk.keep_outcome(&vault, 1, "{}\n").unwrap();
    desk.keep_proposal(&proposed(&desk, &["vault"], &at(5), 0).for_drill().unwrap()).unwrap();
    let open = home.desk().kept_open().unwrap();
    assert_eq!(hashes(&open), hashes(std::slice::from_ref(&vault)), "and no drill");
    assert_eq!(desk.places(|_| true, true).unwrap(), [(Nonce::from(4), true)]);
}

/// A folder of an earlier version is named by the hash of its proposal.
#[test]
fn a_folder_that_promises_another_hash_is_left_out() {
    let home = Home::new();
    let desk = home.desk();
    let (vault, other) = (proposed(&desk, &["vault"], &at(4), 0), proposed(&desk, &["bridge"], &at(4), 0));
    for (name, proposal) in [(vault.hash(), &vault), (other.hash(), &vault)] {
        let folder = home.path().join("incidents").join(name.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("proposal.json"), proposal.to_json()).unwrap();
    }
    assert_eq!(desk.folders(vault.hash()).unwrap(), [vault.hash().to_string()]);
    let heard = home.heard();
    let why = format!("it is proposal {}", vault.hash());
    assert!(heard.iter().any(|line| line.ends_with(&why)), "{heard:?}");
}

#[test]
fn a_folder_that_the_readers_files_do_not_derive_is_never_closed() {
    let home = Home::new();
    let desk = home.desk();
    let thiefs = foreign(&proposed(&desk, &["vault"], &at(4), 0));
    desk.keep_proposal(&thiefs).unwrap();
    let folder = desk.folders(thiefs.hash()).unwrap().remove(0);
    assert!(!desk.is_over(&folder, thiefs.safe(), Nonce::from(9)).unwrap());
}

#[test]
fn many_files_that_do_not_count_are_counted() {
    let home = Home::new();
    let desk = home.desk();
    let mut few = crate::proposal::Truncated::default();
    desk.say_left_out("proposal", &few, 0);
    assert!(home.heard().is_empty());
    for n in 0..9 {
        few.push(|| (PathBuf::from(format!("{n}.json")), "no".to_string()));
    }
    desk.say_left_out("proposal", &few, 3);
    let heard = home.heard();
    let more = format!("left out: {} more proposal files", few.more());
    assert!(
        heard.contains(&more) && heard.last().unwrap().contains("3 proposal files that were not read"),
        "{heard:?}"
    );
}

#[test]
fn an_owner_whose_safe_signs_no_chain_id_takes_part_in_no_drill() {
    let home = Home::new().with(
        "address = \"0x2222222222222222222222222222222222222222\"\nversion = \"1.4.1\"",
        "address = \"0x2222222222222222222222222222222222222222\"\nversion = \"1.1.1\"",
    );
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let given = Given::default();
    let offline =
        |proposal: Proposal| desk.find_own_lever(proposal, &given).unwrap().offline(&desk, &given).is_ok();
    assert!(offline(vault.clone()) && !offline(vault.for_drill().unwrap()));
    let order = order(&desk, &["vault"], &at(4)).drilling(None);
    assert!(desk.assume(order, &at(4)).is_err());
}

#[test]
fn a_file_of_a_safe_that_the_reader_does_not_have_is_not_read() {
    let home = Home::new();
    let far = proposed(&home.desk(), &["vault"], &at(4), 0);
    let path = home.write("far.json", &far);
    let without = Home::new().with(
        "0x1111111111111111111111111111111111111111\"\nversion = \"1.4.1\"\nowners = [\"alice\", \"bob\"",
        "0x3311111111111111111111111111111111111111\"\nversion = \"1.4.1\"\nowners = [\"alice\", \"bob\"",
    );
    assert!(without.desk().file(&path, &Given::default()).is_err());
    assert!(home.desk().file(&path, &Given::default()).is_ok());
}

/// Code recorded by a rehearsal is worth a second file; an older file without it is not.
#[test]
fn a_file_that_records_the_code_is_kept_beside_one_that_does_not() {
    let home = Home::new();
    let desk = home.desk();
    let given = Given::default();
    let recording = |block: Option<u8>| {
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        let record = block.map(|n| {
            let mut record = crate::proposal::RehearsalRecord::new(1, true, 1, 0);
            let hash = B256::repeat_byte(n);
            record.code = vec![crate::proposal::RecordedCode { called: VAULT, at: VAULT, hash }];
            record
        });
        let vault = vault.recording(record);
        desk.find_own_lever(vault, &given).unwrap().offline(&desk, &given).unwrap()
    };
    let bare = recording(None).keep(&desk).unwrap();
    let first = recording(Some(1)).keep(&desk).unwrap();
    assert_ne!(bare, first);
    assert_eq!(recording(Some(1)).keep(&desk).unwrap(), first);
    let last = recording(Some(2)).keep(&desk).unwrap();
    assert_ne!(last, first, "other code runs now");
    assert_eq!(recording(None).keep(&desk).unwrap(), last, "it says nothing of the code");
}
