//! Signatures that somebody handed over, where the chain says what they are for or whether they count.

use super::*;
use crate::ceremony::signatures::importing::ImportResult;
use crate::proposal::{Finds, Stated, StatedContract, WalletSignature, find_signatures};
use crate::safe::{ContractSignature, approved_hash_slot};

const WALLET: Address = Address::repeat_byte(0x77);
/// What a contract answers to `isValidSignature(bytes,bytes)` if it is its signature.
const YES: [u8; 4] = [0x20, 0xc1, 0x3b, 0x0b];

/// A desk where a wallet is an owner beside alice and bob.
fn with_wallet(node: &Memory, answer: [u8; 4]) -> Home {
    node.safe(GUARDIAN, &[address(ALICE), address(BOB), WALLET], 2, 4);
    node.code(WALLET, answering(answer));
    home(node).with("[\"alice\", \"bob\", \"labs\"]", &format!("[\"alice\", \"bob\", \"{WALLET}\"]"))
}

/// Code that answers any call with this word.
fn answering(word: [u8; 4]) -> Bytes {
    [&[0x63][..], &word, &[0x60, 0xe0, 0x1b, 0x60, 0x00, 0x52, 0x60, 0x20, 0x60, 0x00, 0xf3]].concat().into()
}

/// Code that says yes where the Safe itself asks, and in a transaction that somebody sends reverts or says no.
fn fickle(reverts: bool) -> Bytes {
    let yes = answering(YES);
    // ORIGIN CALLER EQ PUSH1 11 JUMPI, then REVERT(0, 0) or RETURN(0, 32), JUMPDEST
    let (size, end) = if reverts { (0x00, 0xfd) } else { (0x20, 0xf3) };
    [&[0x32, 0x33, 0x14, 0x60, 0x0b, 0x57, 0x60, size, 0x60, 0x00, end, 0x5b][..], &yes].concat().into()
}

fn wallet(desk: &Desk, proposal: &Proposal) -> WalletSignature {
    wallet_of(desk, proposal, WALLET)
}

fn wallet_of(desk: &Desk, proposal: &Proposal, owner: Address) -> WalletSignature {
    let signature = ContractSignature { owner, data: Bytes::from(vec![7; 70]) };
    let (hash, purpose) = (Some(proposal.hash()), Some(proposal.purpose()));
    let stated = StatedContract { hash, purpose, ..StatedContract::bare(signature) };
    let owners = desk.pinned_owners(desk.safe_of(proposal).unwrap()).unwrap();
    WalletSignature::stated(&stated, proposal, &owners).unwrap()
}

fn line(desk: &Desk, seed: u8, proposal: &Proposal) -> String {
    sign(desk, seed, proposal).line(&desk.claims(proposal))
}

fn take(desk: &Desk, what: &[&str], text: &str) -> Result<ImportResult, Error> {
    desk.import(&words(what), &Given::default(), &[find_signatures(text)])
}

#[test]
fn a_lever_that_was_never_proposed_here_is_derived_for_its_signature() {
    let node = chain();
    let home = home(&node);
    let vault = live_proposal(&home.desk(), &["vault"], &Given::default());
    let taken = take(&home.desk(), &["vault"], &line(&home.desk(), ALICE, &vault)).unwrap();
    assert_eq!((taken.gathered.new.len(), taken.tallies.len()), (1, 1));
    assert_eq!(taken.proposals.iter().filter(|proposal| proposal.hash() == vault.hash()).count(), 1);
    let desk = home.desk();
    assert_eq!(desk.kept(|_| true).unwrap().len(), 1, "it is kept with its signature");
    assert!(desk.kept(|_| true).unwrap()[0].record().is_some(), "as it was rehearsed");
    // It fits what is kept: nobody is asked.
    node.asked();
    let again = take(&home.desk(), &["vault"], &line(&home.desk(), BOB, &vault)).unwrap();
    assert_eq!((again.gathered.new.len(), again.gathered.known.len()), (1, 0));
    assert!(node.asked().is_empty());
    // A signature of another lever does not fit it, and the lever is derived once more: with what it would take.
    let bridge = live_proposal(&desk, &["bridge"], &Given::default());
    node.asked();
    let other = take(&home.desk(), &["vault"], &line(&home.desk(), BOB, &bridge)).unwrap();
    assert!(other.gathered.new.is_empty() && other.gathered.refused.first().len() == 1);
    assert!(!node.asked().is_empty());
    assert_eq!(desk.kept(|_| true).unwrap().len(), 1, "nothing was signed of it");
}

/// Without a signature to import, the progress of each proposal is shown.
#[test]
fn without_a_signature_the_tally_of_the_named_proposals_is_shown() {
    let node = chain();
    let home = home(&node);
    let vault = live_proposal(&home.desk(), &["vault"], &Given::default());
    let taken = take(&home.desk(), &["vault"], "good morning").unwrap();
    assert_eq!((taken.tallies.len(), taken.proposals.len()), (1, 1));
    assert!(home.desk().kept(|_| true).unwrap().is_empty());
    keep_signed(&home.desk(), &vault, &[ALICE]);
    node.asked();
    let taken = take(&home.desk(), &["vault"], "good morning").unwrap();
    assert_eq!(taken.tallies.len(), 1);
    assert!(node.asked().is_empty(), "it is kept");
    // Of several that were named, each is told; of what is signed and not named, only that.
    let both = take(
        &home.desk(),
        &["vault", &home.write("bridge.json", &live_proposal(&home.desk(), &["bridge"], &at(5)))],
        "",
    )
    .unwrap();
    assert_eq!(both.tallies.len(), 2);
    let bridge = live_proposal(&home.desk(), &["bridge"], &at(6));
    keep_signed(&home.desk(), &bridge, &[]);
    let one = take(&home.desk(), &["vault"], &line(&home.desk(), BOB, &bridge)).unwrap();
    assert_eq!(one.tallies.len(), 1, "the other took something in");
    assert_eq!(one.gathered.new.len(), 1);
}

#[test]
fn a_lever_that_cannot_be_derived_is_reported_beside_what_was_imported() {
    let node = chain();
    let far = "[levers.far]\nplaybook = \"pause/oz-pausable\"\nsafe = \"far\"\nset = { target = \"vault\" }\n[levers.freeze]";
    let place = format!("mainnet = \"{VAULT}\"").to_lowercase();
    let home = home(&node).with("[levers.freeze]", far).with(&place, &format!("{place}\nbase = \"{VAULT}\""));
    let vault = live_proposal(&home.desk(), &["vault"], &Given::default());
    let line = line(&home.desk(), ALICE, &vault);
    let both = take(&home.desk(), &["vault", "far"], &line).unwrap();
    assert_eq!(both.gathered.new.len(), 1);
    assert!(home.heard().iter().any(|line| line.starts_with("left out: far · far on base: ")));
    let bobs = self::line(&home.desk(), BOB, &vault);
    assert_eq!(take(&home.desk(), &["vault", "far"], &bobs).unwrap().gathered.new.len(), 1);
    let heard = home.heard();
    assert!(heard.iter().all(|line| !line.starts_with("left out: ")), "nothing is missing: {heard:?}");
    let stranger = format!(
        "{line}\n{}",
        self::line(&home.desk(), BOB, &live_proposal(&home.desk(), &["bridge"], &Given::default()))
    );
    take(&home.desk(), &["vault", "far"], &stranger).unwrap();
    let heard = home.heard();
    assert!(heard.iter().any(|line| line.starts_with("left out: far · far on base: ")), "{heard:?}");
    assert!(take(&home.desk(), &["far"], "good morning").is_err(), "nothing fits it");
}

/// A signature that cannot be written is reported, and the others are kept.
#[test]
fn a_signature_that_cannot_be_written_does_not_stop_the_others() {
    let home = Home::new();
    let desk = home.desk();
    let (vault, bridge) = (proposed(&desk, &["vault"], &at(4), 0), proposed(&desk, &["bridge"], &at(5), 0));
    desk.keep_proposal(&vault).unwrap();
    desk.keep_proposal(&bridge).unwrap();
    // In each place of alice's signature of the vault lies a folder.
    let folder = home.path().join("incidents").join(&desk.folders(vault.hash()).unwrap()[0]);
    let digest = alloy::primitives::keccak256(sign(&desk, ALICE, &vault).to_json());
    let last = format!("{}-{}.sig.json", address(ALICE), alloy::primitives::hex::encode(&digest[..8]));
    std::fs::create_dir(folder.join(last)).unwrap();
    for nth in 1..=20 {
        let end = if nth == 1 { String::new() } else { format!("-{nth}") };
        std::fs::create_dir(folder.join(format!("{}{end}.sig.json", address(ALICE)))).unwrap();
    }
    let text =
        [(ALICE, &vault), (BOB, &vault), (ALICE, &bridge)].map(|(seed, of)| line(&desk, seed, of)).join("\n");
    let taken = take(&home.desk(), &[], &text).unwrap();
    let owners: Vec<Address> = taken.gathered.new.iter().map(OwnerSignature::owner).collect();
    assert_eq!((owners.len(), taken.unkept.first().len()), (2, 1), "{:?}", taken.unkept.first());
}

#[test]
fn a_contracts_signature_counts_if_the_contract_says_yes() {
    for (answer, counts) in [(YES, true), ([0; 4], false)] {
        let node = chain();
        let home = with_wallet(&node, answer);
        let desk = home.desk();
        let vault = live_proposal(&desk, &["vault"], &Given::default());
        let text = wallet(&desk, &vault).to_json();
        let taken = take(&home.desk(), &["vault"], &text).unwrap();
        assert_eq!(taken.verified.wallets.len(), usize::from(counts));
        assert_eq!(
            taken.gathered.refused.first().len(),
            usize::from(!counts),
            "{:?}",
            taken.gathered.refused.first()
        );
        assert_eq!(home.desk().kept(|_| true).unwrap().len(), usize::from(counts));
        // A file of one that anybody may have laid is asked about once more.
        keep_signed(&desk, &vault, &[ALICE]);
        desk.keep_wallet(&vault, &wallet(&desk, &vault)).unwrap();
        let found = [find_signatures(&line(&desk, BOB, &vault))];
        let taken = home.desk().import(&words(&["vault"]), &Given::default(), &found).unwrap();
        let approved = evaluated(&home.desk(), &["vault"], &Given::default(), CommandPurpose::Show)[0]
            .tally()
            .approved
            .len();
        assert_eq!(approved, 2 + usize::from(counts));
        assert_eq!(taken.tallies[0].signed.contains(&WALLET.to_string()), counts, "{:?}", taken.tallies[0]);
    }
}

#[test]
fn a_contract_that_cannot_be_asked_is_not_counted() {
    let node = chain();
    let home = with_wallet(&node, YES);
    let desk = home.desk();
    let vault = live_proposal(&desk, &["vault"], &Given::default());
    keep_signed(&desk, &vault, &[ALICE]);
    desk.keep_wallet(&vault, &wallet(&desk, &vault)).unwrap();
    let owners = desk.pinned_owners(desk.safe("guardian").unwrap()).unwrap();
    let confirmed = |verified: &crate::ceremony::signatures::by_chain::Verified| {
        let (signatures, wallets) = home.desk().confirmed_signatures(&vault, &owners, verified).unwrap();
        (signatures.len(), wallets.len())
    };
    let unsure = crate::ceremony::signatures::by_chain::Verified::default();
    assert_eq!(confirmed(&unsure), (1, 1));
    node.refuse("eth_getCode");
    assert_eq!(confirmed(&unsure), (1, 0));
    assert!(home.heard().iter().any(|line| line.starts_with("not counted: 1 contracts' signatures")));
    node.asked();
    let sure =
        crate::ceremony::signatures::by_chain::Verified { wallets: vec![wallet(&desk, &vault)], ..unsure };
    assert_eq!(confirmed(&sure), (1, 1));
    assert!(node.asked().is_empty(), "it was verified already");
    let found = [Finds {
        contracts: find_signatures(&wallet(&desk, &vault).to_json()).contracts,
        ..Finds::default()
    }];
    let mut gathered = crate::proposal::gather(
        &found,
        &[crate::proposal::ProposalAndOwners { proposal: &vault, owners: owners.clone() }],
    );
    let verified = desk.verify_by_chain(&found, [(&vault, &owners)].into_iter(), &mut gathered);
    assert!(verified.wallets.is_empty());
    assert!(gathered.refused.first()[0].why.starts_with("the chain could not be asked about it: "));
}

/// A text claims that an owner has approved on chain: the chain is asked.
#[test]
fn a_claimed_approval_is_checked_on_chain() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = live_proposal(&desk, &["vault"], &Given::default());
    keep_signed(&desk, &vault, &[]);
    let claim = |who: Address| [Finds { approved: vec![who], ..Finds::default() }];
    let take = |who: Address| home.desk().import(&words(&["vault"]), &Given::default(), &claim(who)).unwrap();
    let taken = take(address(BOB));
    assert!(taken.verified.approved.is_empty());
    assert!(taken.gathered.refused.first()[0].why.contains("has not approved"));
    node.slot(GUARDIAN, approved_hash_slot(address(BOB), &vault.hash()), U256::from(1));
    let taken = take(address(BOB));
    assert_eq!(taken.verified.approved, [(vault.hash(), address(BOB))]);
    assert!(taken.gathered.refused.first().is_empty());
    assert_eq!(taken.tallies[0].signed, ["bob"]);
    let nobody = take(Address::repeat_byte(0x66));
    assert!(nobody.gathered.refused.first()[0].why.ends_with("is not an owner"));
    node.asked();
    desk.verify_by_chain(
        &[],
        [(&vault, &desk.pinned_owners(desk.safe("guardian").unwrap()).unwrap())].into_iter(),
        &mut crate::proposal::GatherResult::default(),
    );
    assert!(node.asked().is_empty(), "nothing was claimed");
}

/// Nobody proposed it on this machine, and no signature of it is kept: the approval alone makes it worth keeping.
#[test]
fn what_is_approved_on_chain_is_kept_with_nothing_beside_it() {
    let node = chain();
    let home = home(&node);
    let vault = live_proposal(&home.desk(), &["vault"], &Given::default());
    let found = [Finds { approved: vec![address(BOB)], ..Finds::default() }];
    let take = || home.desk().import(&words(&["vault"]), &Given::default(), &found).unwrap();
    assert!(take().verified.approved.is_empty() && home.desk().kept(|_| true).unwrap().is_empty());
    node.slot(GUARDIAN, approved_hash_slot(address(BOB), &vault.hash()), U256::from(1));
    assert_eq!(take().tallies[0].signed, ["bob"]);
    assert_eq!(home.desk().kept(|_| true).unwrap().len(), 1);
}

/// A lever is not derived once more for a signature that is refused beside one that fits.
#[test]
fn a_lever_is_not_derived_for_what_is_refused_beside_its_signature() {
    let node = chain();
    let home = home(&node);
    let vault = live_proposal(&home.desk(), &["vault"], &Given::default());
    let bridge = live_proposal(&home.desk(), &["bridge"], &Given::default());
    keep_signed(&home.desk(), &vault, &[ALICE]);
    node.asked();
    let both = format!("{}\n{}", line(&home.desk(), BOB, &vault), line(&home.desk(), BOB, &bridge));
    let taken = take(&home.desk(), &["vault"], &both).unwrap();
    assert_eq!((taken.gathered.new.len(), taken.gathered.refused.first().len()), (1, 1));
    assert!(node.asked().is_empty());
}

/// A contract that confirms when it is asked and refuses in the transaction is replaced by another owner.
#[test]
fn an_owner_whose_contract_fails_in_the_transaction_is_replaced() {
    let node = chain();
    let home = with_wallet(&node, YES);
    node.code(WALLET, fickle(true));
    let desk = home.desk();
    let vault = live_proposal(&desk, &["vault"], &Given::default());
    desk.keep_proposal(&vault).unwrap();
    desk.keep_wallet(&vault, &wallet(&desk, &vault)).unwrap();
    keep_signed(&desk, &vault, &[ALICE]);
    let evaluate = || {
        let desk: &'static Desk = Box::leak(Box::new(home.desk()));
        evaluated(desk, &["vault"], &Given::default(), CommandPurpose::Finish).remove(0)
    };
    let two = evaluate();
    assert_eq!(two.seen().unwrap().failed, [WALLET]);
    assert!(!two.rehearsal.done().unwrap().is_signed, "one is missing then");
    keep_signed(&desk, &vault, &[BOB]);
    let three = evaluate();
    let done = three.rehearsal.done().unwrap();
    assert!(done.is_signed && done.holds());
    node.code(WALLET, answering(YES));
    let all = evaluate();
    assert!(all.seen().unwrap().failed.is_empty() && all.rehearsal.done().unwrap().is_signed);
    // A transaction that fails for another reason blames nobody.
    node.code(VAULT, contract(&[("paused()", Body::Get(0))]));
    let fails = evaluate();
    assert!(fails.seen().unwrap().failed.is_empty() && !fails.rehearsal.done().unwrap().holds());
}

/// Each contract is replaced only for its own answer.
#[test]
fn of_two_contracts_the_one_that_says_no_is_replaced() {
    let node = chain();
    let second = Address::repeat_byte(0x78);
    node.safe(GUARDIAN, &[address(ALICE), WALLET, second], 2, 4);
    let owners = format!("[\"alice\", \"{WALLET}\", \"{second}\"]");
    let home = home(&node).with("[\"alice\", \"bob\", \"labs\"]", &owners);
    let desk = home.desk();
    let vault = live_proposal(&desk, &["vault"], &Given::default());
    desk.keep_proposal(&vault).unwrap();
    for owner in [WALLET, second] {
        desk.keep_wallet(&vault, &wallet_of(&desk, &vault, owner)).unwrap();
    }
    for reverts in [true, false] {
        for (bad, good) in [(WALLET, second), (second, WALLET)] {
            node.code(bad, fickle(reverts));
            node.code(good, answering(YES));
            let desk: &'static Desk = Box::leak(Box::new(home.desk()));
            let judged = evaluated(desk, &["vault"], &Given::default(), CommandPurpose::Finish).remove(0);
            assert_eq!(judged.seen().unwrap().failed, [bad], "{reverts}");
        }
    }
}

#[test]
fn bytes_that_are_not_a_signature_fit_no_proposal() {
    let node = chain();
    let home = home(&node);
    let mut bare = Stated::bare([0; 65]);
    bare.bytes[64] = 27;
    let found = [Finds { bare: vec![bare], ..Finds::default() }];
    let taken = home.desk().import(&words(&["vault"]), &Given::default(), &found).unwrap();
    assert_eq!((taken.gathered.new.len(), taken.tallies.len()), (0, 1));
}

/// If the council file does not pin the owners of a Safe, they are read from the chain.
#[test]
fn owners_that_are_not_pinned_are_the_chains() {
    let node = chain();
    let pins = "owners = [\"alice\", \"bob\", \"labs\"]\nthreshold = 2";
    let home = home(&node).with(pins, "");
    let vault = live_proposal(&home.desk(), &["vault"], &Given::default());
    let claims = home.desk().claims(&vault);
    let owners = crate::proposal::SafeOwners::of(vault.snapshot());
    let line =
        |seed: u8| OwnerSignature::verify(&stated(seed, &vault), &vault, &owners).unwrap().line(&claims);
    let taken = take(&home.desk(), &["vault"], &format!("{}\n{}", line(ALICE), line(BOB))).unwrap();
    assert_eq!((taken.gathered.new.len(), taken.tallies[0].threshold), (2, 2));
    let file = home.write("vault.json", &vault);
    let again = take(&home.desk(), &[&file, "bridge"], &line(ALICE)).unwrap();
    assert_eq!((again.gathered.known.len(), again.tallies.len()), (1, 1));
}
