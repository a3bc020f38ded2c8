//! Signatures made ahead, as Base keeps them: rows that safe-eth-py signed, see `tests/vectors`.

use alloy::primitives::U256;
use serde_json::Value;

use super::*;

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
