//! Transactions that may be sent, and those that may not.

use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::network::eip2718::Encodable2718;
use alloy::primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use serde_json::json;

use super::fake::{Server, chain};
use crate::chain::ChainError;
use crate::evm::{Block, BlockHash, Fresh, Readings};
use crate::proposal::{
    Approvals, Binding, BoundLever, Outgoing, OwnerSignature, Proposal, Ready, SafeOwners, Stated, assemble,
};
use crate::safe::tests::{address, sign};
use crate::safe::{Call, Nonce, Operation, Owners, SafeId, SafeState, SafeTx, SafeVersion};

/// A transaction of a Safe with one owner, signed by it.
fn ready() -> Ready {
    let safe = Address::repeat_byte(5);
    let state = SafeState {
        singleton: Address::repeat_byte(6),
        ..SafeState::bare(
            SafeId { chain_id: 31337, address: safe, version: SafeVersion::V1_4_1 },
            Owners::new(vec![address(1)], 1).unwrap(),
            Nonce::from(3),
        )
    };
    let tx = SafeTx::new(Address::repeat_byte(9), U256::ZERO, [1].into(), Operation::Call, Nonce::from(3));
    let lever = BoundLever::of(None, "pause/oz-pausable", "", &[]);
    let block = Block { number: 1, hash: BlockHash::claimed(B256::ZERO) };
    let proposal = Proposal::new(tx, state.clone(), block, Binding::one(lever, false), Readings::default());
    let bytes = sign(1, proposal.hash().word()).as_bytes();
    let stated =
        Stated { hash: Some(proposal.hash()), purpose: Some(proposal.purpose()), ..Stated::bare(bytes) };
    let owners = SafeOwners::new((31337, safe), Some(&state.owners), None).unwrap();
    let signature = OwnerSignature::verify(&stated, &proposal, &owners).unwrap();
    let said = Readings::default();
    let given = Approvals::new(std::slice::from_ref(&signature), &[], &said);
    assemble(&proposal, &given, &Fresh::from_quorum(state.into())).unwrap()
}

fn signed(tx: TxEip1559) -> Vec<u8> {
    let signature = sign(1, &tx.signature_hash());
    TxEnvelope::Eip1559(tx.into_signed(signature)).encoded_2718()
}

/// A payer's transaction is sent only if it calls the Safe with the ready transaction; any other is refused.
#[test]
fn only_a_transaction_that_carries_what_is_ready_is_sent() {
    let ready = ready();
    let call = Outgoing::from(&ready);
    let good = TxEip1559 {
        chain_id: 31337,
        to: TxKind::Call(ready.safe().address),
        input: ready.calldata().clone(),
        ..TxEip1559::default()
    };
    let raw = signed(good.clone());
    let hash = keccak256(&raw);
    let server = Server::node(move |_, _| json!({"result": hash}));
    let chain = chain(&[&server], 1);
    let altered: [fn(&mut TxEip1559); 5] = [
        |tx| tx.chain_id = 1,
        |tx| tx.to = TxKind::Call(Address::repeat_byte(1)),
        |tx| tx.to = TxKind::Create,
        |tx| tx.value = U256::ONE,
        |tx| tx.input = tx.input[..tx.input.len() - 1].to_vec().into(),
    ];
    for alter in altered {
        let mut tx = good.clone();
        alter(&mut tx);
        let error = chain.send(&call, &signed(tx)).unwrap_err();
        assert!(matches!(error, ChainError::NotReady { .. }), "{error}");
    }
    assert!(matches!(chain.send(&call, &[0xc0]), Err(ChainError::NotReady { .. })));
    assert_eq!(chain.rounds(), 0, "nothing left");
    assert_eq!(chain.send(&call, &raw).unwrap().word(), &hash);
}

/// The act of one key is sent only from that key; the signature of a module's deputy may be sent by anybody.
#[test]
fn a_deputys_own_call_leaves_from_their_key_alone() {
    let deputy = address(1);
    let (to, data) = (Address::repeat_byte(5), Bytes::from_static(&[1, 2, 3, 4]));
    let own = Call { to, value: U256::ZERO, data: data.clone() };
    assert_eq!(Outgoing::of_key(31337, deputy, &Call { value: U256::ONE, ..own.clone() }), None);
    let tx = TxEip1559 { chain_id: 31337, to: TxKind::Call(to), input: data, ..TxEip1559::default() };
    let raw = signed(tx);
    let hash = keccak256(&raw);
    let server = Server::node(move |_, _| json!({"result": hash}));
    let chain = chain(&[&server], 1);
    let others = Outgoing::of_key(31337, Address::repeat_byte(1), &own).unwrap();
    assert!(matches!(chain.send(&others, &raw), Err(ChainError::NotReady { .. })));
    assert_eq!(chain.send(&Outgoing::of_key(31337, deputy, &own).unwrap(), &raw).unwrap().word(), &hash);
}
