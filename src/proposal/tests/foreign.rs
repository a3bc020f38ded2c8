//! Approvals as other software writes them, row by row: what is taken, and with which sentence the rest is refused.
//! Source: `tests/vectors/foreign-signatures.jsonl`, see the README beside it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::nested::{answered, owners_of, proposal_of};
use super::*;
use crate::safe::{encode_approvals, usual_singleton};

#[derive(Deserialize)]
struct Row {
    n: usize,
    name: String,
    #[serde(default)]
    safes: Vec<RowSafe>,
    wallet: Option<Address>,
    safe: Option<Address>,
    chain_id: Option<u64>,
    safe_tx: Option<RowTx>,
    safe_tx_hash: Option<String>,
    #[serde(default)]
    text: String,
    expect: Option<String>,
    why: Option<String>,
    #[serde(default)]
    approvals: Vec<RowApproval>,
    #[serde(default)]
    approve_hash_first: Vec<Address>,
    on_chain: Option<Bytes>,
}

#[derive(Deserialize)]
struct RowSafe {
    address: Address,
    version: String,
    chain_id: u64,
    owners: Vec<Address>,
    threshold: u64,
    handler: Address,
}

#[derive(Deserialize)]
struct RowTx {
    to: Address,
    value: String,
    data: Bytes,
    operation: u8,
    nonce: String,
    safe_tx_gas: String,
    base_gas: String,
    gas_price: String,
    gas_token: Address,
    refund_receiver: Address,
}

#[derive(Deserialize)]
struct RowApproval {
    owner: Address,
    kind: String,
}

fn rows() -> (Vec<SafeState>, Address, Vec<Row>) {
    let text = include_str!("../../../tests/vectors/foreign-signatures.jsonl");
    let mut rows: Vec<Row> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let stage = rows.remove(0);
    let safe = |row: &RowSafe| {
        let version: SafeVersion = row.version.parse().unwrap();
        SafeState {
            singleton: usual_singleton(version).unwrap(),
            fallback_handler: row.handler,
            ..SafeState::bare(
                SafeId { chain_id: row.chain_id, address: row.address, version },
                Owners::new(row.owners.clone(), row.threshold).unwrap(),
                Nonce::from(0),
            )
        }
    };
    (stage.safes.iter().map(safe).collect(), stage.wallet.unwrap(), rows)
}

fn transaction(row: &RowTx) -> SafeTx {
    let number = |text: &str| crate::safe::parse_uint(text).unwrap();
    SafeTx {
        to: row.to,
        value: number(&row.value),
        data: row.data.clone(),
        operation: Operation::from_u8(row.operation).unwrap(),
        safe_tx_gas: number(&row.safe_tx_gas),
        base_gas: number(&row.base_gas),
        gas_price: number(&row.gas_price),
        gas_token: row.gas_token,
        refund_receiver: row.refund_receiver,
        nonce: row.nonce.parse().unwrap(),
    }
}

/// The sentences about a text that nothing was taken from.
fn told(finds: &Finds, gathered: &GatherResult, tally: &Shortfall) -> Vec<String> {
    let mut told: Vec<String> = gathered.refused.first().iter().map(|refusal| refusal.why.clone()).collect();
    told.extend(finds.damaged.first().iter().map(|damaged| damaged.why.clone()));
    if finds.is_empty() && finds.damaged.count() == 0 {
        told.push("no signature was found".into());
    }
    // The chain is asked: a story has the sentence.
    told.extend(finds.approved.iter().map(|owner| format!("{owner} is said to have approved on chain")));
    let below = tally.children.iter().filter_map(|child| Some((child.safe, child.tally.as_ref()?)));
    let below = below.filter(|(_, tally)| !tally.approved.is_empty() && !tally.is_met());
    told.extend(below.map(|(safe, t)| format!("{safe}: {} of {}", t.approved.len(), t.threshold)));
    told
}

/// Each text of other software gives the approvals that the real Safe took, packed into the very bytes that it took; or
/// none, and a sentence that says why.
#[test]
fn each_text_of_other_software_is_taken_or_refused_with_its_reason() {
    let (safes, wallet, rows) = rows();
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for row in rows {
        let place = format!("{} {}", row.n, row.name);
        let id = (row.chain_id.unwrap(), row.safe.unwrap());
        let state = safes.iter().find(|s| (s.id.chain_id, s.id.address) == id).unwrap();
        let tree = SafeTree::new(state.clone(), &safes);
        let proposal = proposal_of(transaction(&row.safe_tx.unwrap()), state);
        assert_eq!(proposal.hash().to_string(), row.safe_tx_hash.unwrap(), "{place}");
        let finds = find_signatures(&row.text);
        let owners = owners_of(&tree);
        let gathered =
            gather(std::slice::from_ref(&finds), &[ProposalAndOwners { proposal: &proposal, owners }]);
        assert!(gathered.contracts.iter().all(|c| c.signature().owner == wallet), "{place}");
        let said = answered(&proposal, &tree, &gathered.contracts, &row.approve_hash_first);
        let given = Approvals { wallets: &gathered.contracts, ..Approvals::new(&gathered.new, &[], &said) };
        let tally = count(&proposal, &given, &tree);
        let mut got: Vec<(Address, &str)> =
            tally.approved.iter().map(|a| (a.owner(), a.kind().as_str())).collect();
        let kind = |kind: &str| match kind {
            "contract" => "contract signature",
            "approved_hash" => "approved on chain",
            "eth_sign" => "eth_sign",
            _ => "ecdsa",
        };
        let mut expected: Vec<(Address, &str)> =
            row.approvals.iter().map(|a| (a.owner, kind(&a.kind))).collect();
        expected.sort_unstable();
        got.sort_unstable();
        let told = told(&finds, &gathered, &tally).join("; ");
        let expect = row.expect.unwrap();
        *counted.entry(expect.clone()).or_default() += 1;
        let is_as_expected = got == expected || expect == "optional" && got.is_empty();
        if expect == "taken" && !finds.damaged.is_empty() {
            wrong.push(format!("{place}: taken, and {told}"));
        }
        if !is_as_expected {
            wrong.push(format!("{place}: {got:?}, not {expected:?}; {told}"));
        } else if got == expected && !got.is_empty() && expect != "optional" {
            assert_eq!(Some(encode_approvals(&tally.approved)), row.on_chain, "{place}");
        }
        let says = SAYS.iter().find(|(n, _)| *n == row.n).map(|(_, says)| *says);
        if says.is_none_or(|says| !told.contains(says)) && (expect == "refused" || expect == "partly") {
            wrong.push(format!("{place}: says {told:?}, not {says:?}; expected: {:?}", row.why));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let counted: Vec<(&str, usize)> = counted.iter().map(|(expect, n)| (expect.as_str(), *n)).collect();
    assert_eq!(counted, [("optional", 7), ("partly", 2), ("refused", 31), ("taken", 82)]);
}

/// The recovered signer is nobody: the signature is over something else.
const NOBODY: &str = "which is not an owner of this Safe, or for another transaction";
const NONE: &str = "no signature was found";
const ON_CHAIN: &str = "cannot approve by a signature: it has to approve on chain";
const PAST_END: &str = "points past the end of the data";

/// The sentence about each row of which not all is taken, by its number.
const SAYS: [(usize, &str); 33] = [
    (13, NONE),
    (19, NOBODY),
    (33, NOBODY),
    (41, NOBODY),
    (42, NONE),
    (54, "it was made by 0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc, which is not an owner"),
    (55, "a signature has 130 digits, and this has 129"),
    (56, "a signature has 130 digits, and this has 132"),
    (57, NOBODY),
    (58, NOBODY),
    (59, NOBODY),
    (60, NOBODY),
    (61, NOBODY),
    (62, NOBODY),
    (69, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8 is said to have approved on chain"),
    (70, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8 is said to have approved on chain"),
    (72, "the call was cut"),
    (99, "it was made by 0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65, which is not an owner"),
    (102, NOBODY),
    (103, NOBODY),
    (104, "0x6c88402cAB7bA0AD1D574bC9D4e6fd1CBFeB7499: 1 of 2"),
    (105, NOBODY),
    (106, NOBODY),
    (107, ON_CHAIN),
    (108, ON_CHAIN),
    (109, "0xd6bC3E15559BaD5a630a4CB7f2e813D3284AA393 is not an owner of this Safe"),
    (111, "contract signature 1 uses data that another one uses too"),
    (112, "the offset of contract signature 1 points into the signatures before the data"),
    (113, PAST_END),
    (114, PAST_END),
    (115, PAST_END),
    (116, PAST_END),
    (125, NONE),
];
