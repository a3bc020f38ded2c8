//! Approvals as other software writes them, by vectors that the real contracts took.

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
    let text = include_str!("../../../tests/vectors/foreign-owners.jsonl");
    let mut rows: Vec<Row> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let stage = rows.remove(0);
    let safe = |row: &RowSafe| {
        let version: SafeVersion = row.version.parse().unwrap();
        SafeState {
            id: SafeId { chain_id: row.chain_id, address: row.address, version },
            owners: Owners::new(row.owners.clone(), row.threshold).unwrap(),
            nonce: Nonce::from(0),
            singleton: usual_singleton(version).unwrap(),
            guard: Address::ZERO,
            module_guard: Address::ZERO,
            fallback_handler: row.handler,
            modules: Vec::new(),
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

/// Each text of other software gives the approvals that the real Safe took, packed into the very bytes that it took.
#[test]
fn approvals_of_other_software_are_packed_as_the_contracts_take_them() {
    let (safes, wallet, rows) = rows();
    assert_eq!(rows.len(), 50);
    for row in rows {
        let place = format!("{} {}", row.n, row.name);
        let id = (row.chain_id.unwrap(), row.safe.unwrap());
        let state = safes.iter().find(|s| (s.id.chain_id, s.id.address) == id).unwrap();
        let tree = SafeTree::new(state.clone(), &safes);
        let proposal = proposal_of(transaction(&row.safe_tx.unwrap()), state);
        assert_eq!(proposal.hash().to_string(), row.safe_tx_hash.unwrap(), "{place}");
        let finds = find_signatures(&row.text);
        let owners = owners_of(&tree);
        let wanted = ProposalAndOwners { proposal: &proposal, owners };
        let gathered = gather(std::slice::from_ref(&finds), &[wanted]);
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
        let is_optional = row.expect.as_deref() == Some("optional") && got.is_empty();
        assert!(got == expected || is_optional, "{place}: {got:?}, not {expected:?}");
        if !is_optional && let Some(bytes) = row.on_chain {
            assert_eq!(encode_approvals(&tally.approved), bytes, "{place}");
        }
        let is_told = !gathered.refused.is_empty() || !finds.damaged.is_empty() || !finds.approved.is_empty();
        let is_known_part =
            tally.children.iter().any(|c| c.tally.as_ref().is_some_and(|t| !t.approved.is_empty()));
        assert!(!expected.is_empty() || is_told || is_known_part, "{place}: nothing is said");
        assert!(gathered.contracts.iter().all(|c| c.signature().owner == wallet), "{place}");
    }
}
