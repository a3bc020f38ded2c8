//! Strangers and one dishonest owner flood the chat: every owner's line is found, and the work stays within bounds.

use alloy::primitives::{hex, keccak256};
use bech32::{Bech32, Bech32m, Hrp};
use proptest::prelude::*;

use super::*;
use crate::safe::ContractSignature;

/// A line that reads well and that no owner made, for this hash.
fn invented(hash: SafeTxHash, number: u64) -> String {
    let mut bytes = [7; 65];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes[64] = 27;
    let payload = [&[1][..], hash.word().as_slice(), &bytes].concat();
    bech32::encode::<Bech32m>(Hrp::parse("bgsig").unwrap(), &payload).unwrap()
}

/// Lines of digits that look like bare signatures. Their v is no wallet's: each is tried, and is refused at once.
fn junk(lines: u32) -> String {
    let line = |n: u32| hex::encode([&keccak256(n.to_be_bytes())[..], &[7; 32], &[26]].concat()) + "\n";
    (0..lines).map(line).collect()
}

fn gathered(texts: &[&str], proposal: &Proposal) -> GatherResult {
    let found: Vec<Finds> = texts.iter().map(|text| find_signatures(text)).collect();
    gather(&found, &[ProposalAndOwners { proposal, owners: owners() }])
}

/// Returns the number of characters that are read in a text.
fn work(text: &str) -> usize {
    READ_CHARS.set(0);
    let _ = find_signatures(text);
    READ_CHARS.get()
}

fn taken(gathered: &GatherResult) -> Vec<Address> {
    gathered.new.iter().map(OwnerSignature::owner).collect()
}

/// The signature of a key, in one of many different ways: each by another nonce of ECDSA.
fn another_signature(seed: u8, proposal: &Proposal, number: u8) -> OwnerSignature {
    use k256::ecdsa::hazmat::SignPrimitive;
    let digest = proposal.hash().word().0.into();
    let nonce = k256::Scalar::from(u64::from(number) + 2);
    let (signature, id) = key(seed).as_nonzero_scalar().try_sign_prehashed(nonce, &digest).unwrap();
    let mut bytes = [0; 65];
    bytes[..64].copy_from_slice(&signature.to_bytes());
    bytes[64] = 27 + id.unwrap().to_byte();
    let stated =
        Stated { hash: Some(proposal.hash()), purpose: Some(proposal.purpose()), ..Stated::bare(bytes) };
    OwnerSignature::verify(&stated, proposal, &owners()).unwrap()
}

/// Damaged lines, random digits and texts that look like the beginning of a line once hid the lines behind them.
#[test]
fn owners_lines_are_found_behind_any_other_text() {
    let proposal = proposal(42);
    let good = format!("{}\n{}", signed(1, &proposal).line(&claims()), signed(2, &proposal).line(&claims()));
    let cut = format!("{}\n", &signed(3, &proposal).line(&claims())[..160]);
    let hex_words = (0..800u32).map(|n| hex::encode(keccak256(n.to_be_bytes())) + " ").collect::<String>();
    let bare = (0..400u32).map(|n| hex::encode(keccak256(n.to_be_bytes())).repeat(2) + "1b\n").collect();
    for noise in [
        "bgsig1".repeat(10_000),
        "bgsig2".repeat(10_000),
        "bgsig2qlll".repeat(6_000),
        "bgdrill2".repeat(10_000),
        "bgsig1 ".repeat(12_000),
        "> bgsig1\n> ".repeat(12_000),
        cut.repeat(12_000),
        hex_words,
        bare,
        (0..500).map(|n| invented(proposal.hash(), n) + "\n").collect(),
        (0..500).map(|n| invented(super::proposal(43).hash(), n) + "\n").collect(),
    ] {
        let gathered = gathered(&[&format!("{noise}{good}")], &proposal);
        assert_eq!(taken(&gathered), [address(1), address(2)], "{}", &noise[..60]);
        assert_eq!(gathered.unread, 0);
    }
}

#[test]
fn damaged_lines_are_counted_and_the_first_are_kept() {
    let found = find_signatures(&"bgsig1".repeat(100_000));
    assert_eq!((found.damaged.count(), found.damaged.first().len()), (100_000, Truncated::<()>::SHOWN));
    assert_eq!(found.damaged.more(), 100_000 - Truncated::<()>::SHOWN);
}

/// The work is counted, not timed.
#[test]
fn reading_is_linear_in_the_text() {
    let line = signed(1, &proposal(42)).line(&claims());
    for pattern in [
        "a ",
        "a a a",
        "bgsig1",
        "bgsig2",
        "bg",
        "b           ",
        "b> g> s> i> g> ",
        "bgsig2zqqq",
        "bgsig2zqqq                                                           ",
        "bgsig1 ",
        "bgsig1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqq ",
        "bgsig1qqq                                                            ",
        "0123456789abcdef ",
        "0123456789abcdef                                                     ",
        "0x",
        "0x0x0x1",
        "\u{ad}f\u{200b}",
        "0x12 talk é ",
        ":1",
        ":1                                                           ",
        &format!("{line} "),
        &line[..100],
        &"ab".repeat(65),
        &format!("{} ", "cd".repeat(64)),
    ] {
        let text = pattern.repeat(100_000 / pattern.len());
        let once = work(&text);
        assert!(once <= 30 * text.len(), "{pattern:?}: {once} for {}", text.len());
        let twice = work(&text.repeat(2));
        // Near the beginning less text stands before a word, so less is read.
        assert!(twice <= 2 * once + 20_000, "{pattern:?}: {once}, and {twice} for twice the text");
    }
}

proptest! {
    #[test]
    fn the_work_for_a_text_grows_no_faster_than_its_length(
        parts in proptest::collection::vec(
            prop::sample::select(vec![
                "b", "bg", "bgsig1", "bgsig2", "bgsig2zqqq", "bgdrill2", "qqqqqqqq", "0x", "0x1", "a", "abcdef12", ":", ":1",
                ":42:", "z", "é", " ", "\n> ", "\u{ad}", "        ", "                                        ",
            ]),
            1..12,
        ),
        times in 1usize..40,
    ) {
        let text = parts.concat().repeat(times);
        prop_assert!(work(&text) <= 40 * text.len() + 1_000, "{} for {}", work(&text), text.len());
    }
}

/// Each signature is recovered once, however many owners and lines there are.
#[test]
fn each_signature_is_recovered_once() {
    let proposal = proposal(42);
    let lines: String = (1..=3).map(|seed| signed(seed, &proposal).line(&claims()) + "\n").collect();
    let file = signed(2, &proposal).to_json();
    let gathered = gathered(&[&lines.repeat(50), &lines, &file], &proposal);
    assert_eq!((gathered.recovered, gathered.new.len()), (3, 3));
    let others: String = (0..300).map(|n| invented(super::proposal(43).hash(), n) + "\n").collect();
    let found = [find_signatures(&others)];
    let nothing = gather(&found, &[ProposalAndOwners { proposal: &proposal, owners: owners() }]);
    assert_eq!((nothing.recovered, nothing.refused.count()), (0, 300));
}

#[test]
fn bare_signatures_are_tried_up_to_a_bound_and_the_rest_is_counted() {
    let proposal = proposal(42);
    let bare = junk(20_005);
    let good = signed(1, &proposal).line(&claims());
    let gathered = gathered(&[&bare, &good], &proposal);
    assert_eq!((gathered.unread, taken(&gathered)), (5, vec![address(1)]));
}

/// A wallet's signature for a transaction; the chain is to be asked about it.
fn by_wallet(owner: Address, hash: SafeTxHash, number: u16) -> StatedContract {
    let signature = ContractSignature { owner, data: number.to_be_bytes().to_vec().into() };
    StatedContract { hash: Some(hash), purpose: Some(Purpose::Real), ..StatedContract::bare(signature) }
}

#[test]
fn contracts_signatures_are_taken_up_to_a_bound_and_the_first_of_each_text_are_before_the_others() {
    let proposal = proposal(42);
    let of = |number: u16| by_wallet(address(3), proposal.hash(), number);
    let finds = |contracts| Finds { contracts, ..Finds::default() };
    let found = [finds((1..=1_005).map(of).collect()), finds(vec![of(0)])];
    let gathered = gather(&found, &[ProposalAndOwners { proposal: &proposal, owners: owners() }]);
    assert_eq!(gathered.contracts.len(), 100);
    assert_eq!(gathered.contracts[1].signature(), &of(0).signature, "one text keeps no other out");
    // Six are not taken apart, and 900 of the others are not asked about.
    assert_eq!(gathered.unread, 6 + 900);
}

#[test]
fn a_contracts_signature_is_tried_on_the_transaction_that_it_states_and_on_no_other() {
    let [one, two] = [42, 43].map(super::proposal);
    let wanted = [&one, &two].map(|proposal| ProposalAndOwners { proposal, owners: owners() });
    let gathered =
        |stated: StatedContract| gather(&[Finds { contracts: vec![stated], ..Finds::default() }], &wanted);
    let taken = gathered(by_wallet(address(3), two.hash(), 7));
    assert_eq!((taken.contracts.len(), taken.contracts[0].hash()), (1, two.hash()));
    // One that is for none of them is not passed over in silence.
    let other = super::proposal(44).hash();
    let refused = gathered(by_wallet(address(3), other, 7));
    assert!(refused.contracts.is_empty());
    assert_eq!(refused.refused.first()[0].why, format!("it signs another transaction, {other}"));
    let drill = StatedContract { purpose: Some(Purpose::Drill), ..by_wallet(address(3), other, 7) };
    assert!(gathered(drill).refused.first()[0].why.contains("DRILL"));
}

#[test]
fn a_line_for_the_wanted_transaction_that_no_owner_made_is_refused_and_counted() {
    let proposal = proposal(42);
    let gathered =
        gathered(&[&signed(1, &proposal).line(&claims()), &invented(proposal.hash(), 5)], &proposal);
    assert_eq!((taken(&gathered), gathered.refused.count()), (vec![address(1)], 1));
    assert_eq!(gathered.refused.first()[0].text, 1);
}

/// Many signatures in one text do not displace those in another.
#[test]
fn the_first_of_every_text_come_before_the_second_of_any() {
    let proposal = proposal(42);
    let flood = junk(25_000);
    let bare = hex::encode(raw(2, &proposal, SignatureKind::Ecdsa));
    let gathered = gathered(&[&flood, &bare], &proposal);
    assert_eq!(taken(&gathered), [address(2)]);
}

#[test]
fn one_signature_an_owner_is_taken_and_the_others_are_counted() {
    let proposal = proposal(42);
    let many: String = (0..25).map(|n| another_signature(1, &proposal, n).line(&claims()) + "\n").collect();
    let text =
        format!("{many}{}\n{}", signed(2, &proposal).line(&claims()), signed(3, &proposal).line(&claims()));
    let all = gathered(&[&text], &proposal);
    assert_eq!(taken(&all), [address(1), address(2), address(3)]);
    assert_eq!(all.spare.get(&(proposal.hash(), address(1))), Some(&24));
    // Beside those that are kept already, none is new.
    let again = gathered(&[&text], &proposal).merge_known(&[signed(1, &proposal), signed(2, &proposal)]);
    assert_eq!(taken(&again), [address(3)]);
    assert_eq!(again.known.iter().map(OwnerSignature::owner).collect::<Vec<_>>(), [address(2)]);
    assert_eq!(again.spare.get(&(proposal.hash(), address(1))), Some(&25));
}

/// The checksum of bech32 is not that of bech32m: breakglass never wrote such a line.
#[test]
fn a_line_with_the_older_checksum_is_damaged() {
    let proposal = proposal(42);
    let payload =
        [&[1][..], proposal.hash().word().as_slice(), signed(1, &proposal).ecdsa().bytes()].concat();
    let older = bech32::encode::<Bech32>(Hrp::parse("bgsig").unwrap(), &payload).unwrap();
    assert_eq!(older.len(), first_line(&signed(1, &proposal)).len());
    let found = find_signatures(&older);
    assert_eq!((found.stated.len(), found.damaged.count()), (0, 1));
}

#[test]
fn the_acceptances_of_a_signature_file_are_bounded_and_the_signature_is_good() {
    let proposal = proposal(42);
    let mut file: serde_json::Value = serde_json::from_str(&signed(1, &proposal).to_json()).unwrap();
    file["accepted"] = (0..5_000).map(|n| format!("{n}{}", "x".repeat(1_000))).collect::<Vec<_>>().into();
    let stated = Stated::from_json(&file.to_string()).unwrap();
    assert_eq!(stated.accepted.len(), 100);
    assert_eq!(stated.accepted[99], "and 4901 more");
    assert!(stated.accepted.iter().all(|id| id.chars().count() <= 301));
    let signature = OwnerSignature::verify(&stated, &proposal, &owners()).unwrap();
    assert_eq!(
        only(&find_signatures(&signature.to_json())),
        stated,
        "written and read again, it is the same"
    );
}

proptest! {
    /// Whatever stands around and between them, the owners' lines are found.
    #[test]
    fn the_owners_lines_are_found_in_any_text(
        before in "(bgsig1|bgsig2|bgdrill2|[a-f0-9]{0,140}|[ \n>|`]|[a-zé]){0,40}",
        after in any::<String>(),
        at in 1usize..169,
        nth in 0usize..2,
        fold in prop::sample::select(vec!["\n> ", "\r\n", " ", "\u{200b}", "` \n|  "]),
    ) {
        let proposal = proposal(42);
        let [one, two] = [1, 2].map(|seed| both_lines(&signed(seed, &proposal))[nth].clone());
        let folded = format!("{}{fold}{}", &one[..at], &one[at..]);
        let text = format!("{before} {folded}\n{before}\n{two} {after}");
        prop_assert_eq!(taken(&gathered(&[&text], &proposal)), [address(1), address(2)]);
    }
}

/// The largest number of owners that is supported.
#[test]
fn a_thousand_owners_are_counted() {
    let many = |n: u64| Address::left_padding_from(&(n + 2).to_be_bytes());
    let list: Vec<Address> = (0..1_000).map(many).collect();
    let mut now = state(7);
    now.owners = Owners::new(list.clone(), 1_000).unwrap();
    let counted = |approved: &[Address]| {
        let said = said(&proposal(7), approved);
        count(&proposal(7), &Approvals::new(&[], &[], &said), &now.clone().into())
    };
    let tally = counted(&list);
    assert_eq!((tally.approved.len(), tally.missing.len(), tally.former.len()), (1_000, 0, 0));
    assert_eq!(counted(&list[..999]).missing, [list[999]]);
}

/// With thousands of proposals beside it and junk in front, the signature of the proposal that was named is still read.
#[test]
fn a_bare_signature_of_the_named_proposal_is_tried_before_all_others() {
    let all: Vec<Proposal> = (0..500).map(|nonce| super::proposal(42 + nonce)).collect();
    let wanted: Vec<ProposalAndOwners> =
        all.iter().map(|proposal| ProposalAndOwners { proposal, owners: owners() }).collect();
    let chat = junk(200) + &hex::encode(signed(1, &all[0]).ecdsa().bytes());
    let gathered = gather(&[find_signatures(&chat)], &wanted);
    assert_eq!(taken(&gathered), [address(1)]);
    assert!(gathered.recovered <= 20_000 && gathered.unread > 0, "{}", gathered.recovered);
}

/// Contracts' signatures that state no transaction, and proposals by the hundred: they are held against the one that was
/// named before all others, and so often and no more.
#[test]
fn contracts_signatures_are_held_against_proposals_up_to_a_bound() {
    let all: Vec<Proposal> = (0..30).map(|nonce| super::proposal(42 + nonce)).collect();
    let wanted: Vec<ProposalAndOwners> =
        all.iter().map(|proposal| ProposalAndOwners { proposal, owners: owners() }).collect();
    let of = |owner: Address, number: u16| {
        let data = number.to_be_bytes().to_vec().into();
        StatedContract::bare(ContractSignature { owner, data })
    };
    let mut contracts: Vec<StatedContract> = (0..999).map(|number| of(Address::ZERO, number)).collect();
    contracts.push(of(address(3), 0));
    let gathered = gather(&[Finds { contracts, ..Finds::default() }], &wanted);
    assert_eq!(gathered.contracts[0].hash(), all[0].hash());
    // Each of them on the first twenty: of the stranger's it is not known what they are for.
    assert_eq!((gathered.contracts.len(), gathered.unread, gathered.refused.count()), (20, 999, 0));
}
