//! The proposal of the tests, of a Safe with three owners and threshold 2, and signatures for it.

mod acceptances;
mod ahead;
mod approving;
mod assumed;
mod binding;
mod drills;
mod edges;
mod explain;
mod flood;
mod foreign;
mod near;
mod nested;
mod proposal_file;
mod ready_or_not;
mod signature_lines;
mod ways;

use std::cell::Cell;

use alloy::primitives::{Address, B256, Bytes, U256};

use super::*;

use crate::evm::{Answer, BlockHash, Fresh, Query};
use crate::playbook::{PlaybookDigest, PlaybookId};
use crate::safe::tests::{address, key, sign};
use crate::safe::{Operation, Owners, SafeField, SafeTree, SafeVersion, SignatureKind, signed_digest};

thread_local! {
    /// The number of characters that were read to find signatures, each counted as often as it was read.
    static READ_CHARS: Cell<usize> = const { Cell::new(0) };
}

pub(super) fn count_char() {
    READ_CHARS.set(READ_CHARS.get() + 1);
}

fn fresh(nonce: u64) -> Fresh<SafeTree> {
    newest(state(nonce))
}

fn newest(state: SafeState) -> Fresh<SafeTree> {
    Fresh::from_quorum(state.into())
}

/// The chain's answers where these owners have approved a proposal.
fn said(proposal: &Proposal, approved: &[Address]) -> Readings {
    let yes = Answer::Value(B256::with_last_byte(1).into());
    let query = |owner: &Address| approval_query(proposal.safe().address, &proposal.hash(), *owner);
    approved.iter().map(|owner| (query(owner), yes.clone())).collect()
}

fn assemble(
    proposal: &Proposal,
    signatures: &[OwnerSignature],
    approved: &[Address],
    now: &Fresh<SafeTree>,
) -> Result<Ready, NotReady> {
    super::assemble(proposal, &Approvals::new(signatures, &[], &said(proposal, approved)), now)
}

fn state(nonce: u64) -> SafeState {
    SafeState {
        singleton: Address::repeat_byte(6),
        fallback_handler: Address::repeat_byte(7),
        modules: vec![Address::repeat_byte(8)],
        ..SafeState::bare(
            SafeId { chain_id: 1, address: Address::repeat_byte(5), version: SafeVersion::V1_4_1 },
            Owners::new(vec![address(1), address(2), address(3)], 2).unwrap(),
            Nonce::from(nonce),
        )
    }
}

fn proposal(nonce: u64) -> Proposal {
    let data = Bytes::from(vec![0x84, 0x56, 0xcb, 0x59]);
    let tx = SafeTx::new(Address::repeat_byte(9), U256::ZERO, data, Operation::Call, Nonce::from(nonce));
    let lever = BoundLever::of(Some("vault"), "pause/oz-pausable", "schema = 1\n", &[("target", "vault")]);
    let query = Query::Storage { address: Address::repeat_byte(9), slot: B256::ZERO };
    let readings = [(query, Answer::Value(Bytes::from(vec![0; 32])))].into_iter().collect();
    let block = Block { number: 21, hash: BlockHash::claimed(B256::repeat_byte(1)) };
    Proposal::new(tx, state(nonce), block, Binding::one(lever, false), readings)
}

fn raw(seed: u8, proposal: &Proposal, kind: SignatureKind) -> [u8; 65] {
    over(seed, signed_digest(&proposal.hash(), kind).as_slice())
}

/// A key's signature over any digest.
fn over(seed: u8, digest: &[u8]) -> [u8; 65] {
    sign(seed, &B256::from_slice(digest)).as_bytes()
}

fn signed(seed: u8, proposal: &Proposal) -> OwnerSignature {
    let bytes = raw(seed, proposal, SignatureKind::Ecdsa);
    let stated =
        Stated { hash: Some(proposal.hash()), purpose: Some(proposal.purpose()), ..Stated::bare(bytes) };
    OwnerSignature::verify(&stated, proposal, &owners()).unwrap()
}

fn claims() -> Claims {
    let open = [("fee".to_string(), "40 bps".to_string())].into();
    Claims { nonce: Some(Nonce::from(42)), levers: vec!["vault".into()], args: open, ..Claims::default() }
}

/// The line of version 1, as earlier programs wrote it.
fn first_line(signature: &OwnerSignature) -> String {
    let payload = [&[1][..], signature.hash().word().as_slice(), signature.ecdsa().bytes()].concat();
    bech32::encode::<bech32::Bech32m>(bech32::Hrp::parse("bgsig").unwrap(), &payload).unwrap()
}

fn both_lines(signature: &OwnerSignature) -> [String; 2] {
    [first_line(signature), signature.line(&claims())]
}

fn owners() -> SafeOwners {
    let state = state(42);
    SafeOwners::new((state.id.chain_id, state.id.address), Some(&state.owners), None).unwrap()
}

fn only(found: &Finds) -> Stated {
    match &[found.stated.clone(), found.bare.clone()].concat()[..] {
        [one] if found.damaged.is_empty() => one.clone(),
        _ => panic!("not one signature: {found:?}"),
    }
}
