//! Signatures made ahead, as Base keeps them: rows that safe-eth-py signed, see `tests/vectors`.

use alloy::primitives::U256;
use serde_json::Value;

use super::*;
use crate::proposal::made_ahead::gather_ahead_within;

const ROWS: &str = include_str!("../../../tests/vectors/base-signatures.jsonl");

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap()
}

fn rows() -> Vec<Value> {
    ROWS.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A row's transaction and the owners of its Safe.
fn of_row(row: &Value) -> (Proposal, SafeOwners) {
    let owners: Vec<Address> =
        row["owners"].as_array().unwrap().iter().map(|o| o.as_str().unwrap().parse().unwrap()).collect();
    let mut state = state(0);
    state.id = SafeId {
        chain_id: row["chain_id"].as_u64().unwrap(),
        address: text(row, "safe").parse().unwrap(),
        version: SafeVersion::V1_4_1,
    };
    state.owners = Owners::new(owners, row["threshold"].as_u64().unwrap()).unwrap();
    let tx = &row["safe_tx"];
    let tx = SafeTx::new(
        text(tx, "to").parse().unwrap(),
        U256::ZERO,
        text(tx, "data").parse().unwrap(),
        Operation::Call,
        text(tx, "nonce").parse().unwrap(),
    );
    let like = proposal(0);
    let safe_owners = SafeOwners::new((state.id.chain_id, state.id.address), Some(&state.owners), None);
    let own =
        Proposal::new(tx, state, like.block().unwrap(), like.binding().clone(), like.readings().clone());
    assert_eq!(own.hash().to_string(), text(row, "safe_tx_hash"));
    (own, safe_owners.unwrap())
}

fn gathered(row: &Value, text: &str) -> GatheredAhead {
    let (proposal, owners) = of_row(row);
    gather_ahead(&[find_signatures(text)], &[ProposalAndOwners { proposal: &proposal, owners }])
}

#[test]
fn bases_files_are_read_whole_and_written_as_they_were() {
    for row in rows().iter().filter(|row| text(row, "expect") == "taken") {
        let found = gathered(row, text(row, "text"));
        assert!(found.refused.is_empty(), "{:?}", found.refused);
        let all = row["also"].as_array().unwrap();
        let name = |signed: &SignedAhead| {
            (
                signed.nonce.to_string(),
                signed.signature.hash().to_string(),
                signed.signature.owner().to_string(),
            )
        };
        let expected = all.iter().map(|one| {
            (one["nonce"].to_string(), text(one, "safe_tx_hash").into(), text(one, "owner").to_string())
        });
        assert_eq!(found.new.iter().map(name).collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        let written: String =
            found.new.iter().map(|one| base_entry(one.nonce, one.signature.ecdsa())).collect();
        assert_eq!(written, text(row, "text").replace('\n', ""), "written back");
        // Folded by mail, and quoted.
        let folded: Vec<String> =
            text(row, "text").as_bytes().chunks(72).map(|c| String::from_utf8_lossy(c).into()).collect();
        assert_eq!(gathered(row, &folded.join("\n> ")).new.len(), found.new.len());
    }
}

#[test]
fn the_nonce_that_a_signature_is_given_for_does_not_count() {
    let row = &rows()[2];
    assert_eq!(text(row, "expect"), "refused");
    let found = gathered(row, text(row, "text"));
    let given: Vec<String> = found.new.iter().map(|one| one.nonce.to_string()).collect();
    assert_eq!(given, Vec::<String>::new(), "each is of the nonce after the one that it is given for");
    assert!(found.refused.first()[0].1.contains("signed nonce 1, and it is given for nonce 0"));
}

#[test]
fn a_set_is_read_as_it_was_written_and_an_altered_one_is_refused() {
    let row = &rows()[0];
    let (proposal, owners) = of_row(row);
    let found = gathered(row, text(row, "text"));
    let set = Set::new(&proposal, 1_795_651_200, &found.new).unwrap();
    assert_eq!(Set::parse(&set.to_json()).as_ref(), Ok(&set));
    assert_eq!((set.nonces().len(), set.verified(&owners).0.len(), set.verified(&owners).1), (20, 20, 0));
    let seventh = proposal.with_nonce(Nonce::from(7));
    let stated: Vec<Stated> = set.stated_for(&seventh).collect();
    assert!(stated.len() == 1 && OwnerSignature::verify(&stated[0], &seventh, &owners).is_ok());
    let other = Proposal { tx: SafeTx { value: U256::ONE, ..seventh.tx.clone() }, ..seventh.clone() };
    let other = other.with_nonce(Nonce::from(7));
    assert_eq!(set.stated_for(&other).count(), 0, "another transaction at the same nonce");
    for (from, to) in [("\"kept\"", "\"kip\""), ("0x84", "0x85"), ("\"nonce\": \"19\"", "\"nonce\": \"x\"")] {
        let altered = set.to_json().replace(from, to);
        assert!(Set::parse(&altered).is_err(), "{from}");
    }
}

#[test]
fn signatures_made_ahead_are_tried_up_to_a_bound_and_the_rest_is_counted() {
    let proposal = proposal(42);
    let nobodys = StatedAhead { nonce: Nonce::from(42), stated: Stated::bare([0; 65]) };
    let found = [Finds { ahead: vec![nobodys; 21], ..Finds::default() }];
    let wanted = ProposalAndOwners { proposal: &proposal, owners: owners() };
    let tried = |most: usize, wanted: &[ProposalAndOwners]| {
        let gathered = gather_ahead_within(most, &found, wanted);
        (gathered.refused.count(), gathered.unread)
    };
    assert_eq!(tried(20, std::slice::from_ref(&wanted)), (20, 1));
    assert_eq!(tried(41, &[wanted.clone(), wanted.clone()]), (20, 1), "each is tried on both");
    assert_eq!(gather_ahead(&found, &[wanted]).unread, 0);
}

/// The line's claim explains only that the signature is for a Safe that was not named.
#[test]
fn a_signature_made_ahead_for_another_safe_is_refused_as_that() {
    let (wanted, other) = (proposal(42), proposal(99));
    let refusal = |chain_id: u64, safe: u8| {
        let safe = Some(Address::repeat_byte(safe));
        let claims = Some(Claims { chain_id: Some(chain_id), safe, ..claims() });
        let stated = Stated { claims, ..Stated::bare(raw(1, &other, SignatureKind::Ecdsa)) };
        let finds = Finds { ahead: vec![StatedAhead { nonce: Nonce::from(42), stated }], ..Finds::default() };
        let gathered = gather_ahead(&[finds], &[ProposalAndOwners { proposal: &wanted, owners: owners() }]);
        gathered.refused.first()[0].1.clone()
    };
    assert!(refusal(1, 5).starts_with("at nonce 42 it was made by 0x"), "{}", refusal(1, 5));
    for (chain_id, safe) in [(1, 6), (5, 5)] {
        let says =
            format!("for Safe {} on chain {chain_id}, which is not the one", Address::repeat_byte(safe));
        assert!(refusal(chain_id, safe).contains(&says), "{}", refusal(chain_id, safe));
    }
}

/// The signer before a signature is an address, and the nonce a number that a Safe can have.
#[test]
fn only_an_address_and_a_nonce_before_a_signature_make_it_one_ahead() {
    let bare = alloy::primitives::hex::encode(raw(1, &proposal(42), SignatureKind::Ecdsa));
    let nonce = |before: &str| find_signatures(&format!("{before}{bare}")).ahead.first().map(|one| one.nonce);
    let signer = address(1).to_string();
    assert_eq!(nonce(&format!("{signer}:42:")), Some(Nonce::from(42)));
    assert_eq!(nonce(&format!("{signer}:{:0>78}:", 42)), Some(Nonce::from(42)));
    for before in [
        format!("{signer}:{:0>79}:", 42),
        format!("{signer}:4x:"),
        format!("{}:42:", &signer[2..]),
        format!("11{}:42:", &signer[2..]),
        format!("0x{}:42:", signer.replacen("0x", "xg", 1).split_at(41).0),
        format!("{signer}:42"),
    ] {
        assert_eq!(nonce(&before), None, "{before}");
    }
}

fn set_of(given: &[(u8, u64)]) -> Set {
    let signed = |(seed, nonce): &(u8, u64)| {
        let signature = signed(*seed, &proposal(*nonce));
        SignedAhead { target: 0, nonce: Nonce::from(*nonce), signature, made: None }
    };
    let signed: Vec<SignedAhead> = given.iter().map(signed).collect();
    Set::new(&proposal(1), 1_795_651_200, &signed).unwrap()
}

#[test]
fn a_set_is_the_same_in_whatever_order_its_signatures_are_given() {
    let set = set_of(&[(1, 44), (2, 42), (2, 44), (1, 42), (1, 43)]);
    assert_eq!(set.nonces(), [42, 43, 44].map(Nonce::from));
    assert_eq!(set, set_of(&[(1, 42), (1, 43), (1, 44), (2, 42), (2, 44)]));
    let mut file: Value = serde_json::from_str(&set.to_json()).unwrap();
    file["signatures"].as_array_mut().unwrap().reverse();
    assert_eq!(Set::parse(&file.to_string()), Ok(set));
}

/// Of each nonce one signature is enough, and those of others are passed over.
#[test]
fn the_nonces_that_an_owner_signed_take_one_recovery_each() {
    let set = set_of(&[(1, 42), (2, 42), (1, 43), (3, 44), (2, 45)]);
    let two = Owners::new(vec![address(1), address(2)], 1).unwrap();
    let owners = SafeOwners::of(&SafeState { owners: two, ..state(42) });
    let nonces = |mut left: usize| {
        let nonces: Vec<u64> = set.nonces_of(&owners, &mut left).iter().map(|nonce| nonce.0.to()).collect();
        (nonces, left)
    };
    assert_eq!(nonces(9), (vec![42, 43, 45], 5));
    assert_eq!(nonces(4), (vec![42, 43, 45], 0));
    assert_eq!(nonces(2), (vec![42, 43], 0));
}

#[test]
fn a_set_with_more_signatures_than_any_council_makes_is_refused() {
    let mut file: Value = serde_json::from_str(&set_of(&[(1, 42)]).to_json()).unwrap();
    let one = file["signatures"][0].clone();
    let mut with = |count: usize| {
        file["signatures"] = vec![one.clone(); count].into();
        Set::parse(&file.to_string()).map(|set| set.nonces().len())
    };
    assert_eq!(with(10_000), Ok(1));
    assert_eq!(with(10_001), Err(SetError::TooMany(10_001)));
    assert_eq!(with(0), Err(SetError::Empty));
}

#[test]
fn of_each_nonce_no_more_is_kept_than_was_asked_for() {
    let rows = rows();
    let row = &rows[1];
    let found = gathered(row, text(row, "text")).new;
    let (keep, left_out) = keep_at_most(1, found.clone(), &[]);
    let nonces: Vec<u64> = keep.iter().map(|one| one.nonce.0.to()).collect();
    assert_eq!(nonces, [3, 4, 5, 6], "of nonces 4 and 5 the first owner's");
    assert_eq!(
        left_out.into_iter().map(|(n, count)| (n.0.to(), count)).collect::<Vec<_>>(),
        [(4, 1), (5, 1)]
    );
    // A signature that is kept already counts, and is not kept again.
    let kept: Vec<_> = keep.iter().map(|one| (one.signature.hash(), one.signature.owner())).collect();
    let (again, left_out) = keep_at_most(1, found.clone(), &kept);
    assert_eq!((again.len(), left_out.len()), (0, 2));
    assert_eq!(keep_at_most(2, found.clone(), &kept).0.len(), 2);
    assert_eq!(keep_at_most(0, found, &[]).0.len(), 0);
}
