//! Any pasted text: every signature found in it is checked against a proposal, and what is taken can be given out
//! again, as a line and as a file, and is then the same.

use std::sync::LazyLock;

use alloy::primitives::{Address, B256, Bytes, U256, address};
use breakglass::evm::{Block, BlockHash, Readings};
use breakglass::playbook::{PlaybookDigest, PlaybookId};
use breakglass::proposal::{
    Approvals, Binding, BoundLever, Claims, OwnerSignature, Proposal, ProposalAndOwners, SafeOwners, count,
    find_signatures, gather,
};
use breakglass::safe::{Nonce, Operation, Owners, SafeId, SafeState, SafeTx, SafeVersion};

/// The first two of the test mnemonic's keys: the seeds hold their signatures.
const OWNERS: [Address; 2] = [
    address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
    address!("70997970C51812dc3A010C7d01b50e0d17dc79C8"),
];

static PROPOSAL: LazyLock<Proposal> = LazyLock::new(proposal);

fn proposal() -> Proposal {
    let id = SafeId { chain_id: 1, address: Address::repeat_byte(5), version: SafeVersion::V1_4_1 };
    let snapshot = SafeState {
        singleton: Address::repeat_byte(6),
        fallback_handler: Address::repeat_byte(7),
        ..SafeState::bare(id, Owners::new(OWNERS.into(), 2).unwrap(), Nonce::from(42))
    };
    let pause = Bytes::from_static(&[0x84, 0x56, 0xcb, 0x59]);
    let tx = SafeTx::new(Address::repeat_byte(9), U256::ZERO, pause, Operation::Call, Nonce::from(42));
    let lever = BoundLever {
        lever: Some("vault".into()),
        playbook: PlaybookId::new("pause/oz-pausable").unwrap(),
        digest: PlaybookDigest::of("schema = 1\n"),
        text: "schema = 1\n".into(),
        args: [("target".to_string(), "vault".to_string())].into(),
    };
    let block = Block { number: 21, hash: BlockHash::claimed(B256::repeat_byte(1)) };
    Proposal::new(tx, snapshot, block, Binding::one(lever, false), Readings::default())
}

/// Returns the signatures in a text that are of this proposal by one of its owners.
pub fn taken(text: &str) -> Vec<OwnerSignature> {
    let finds = find_signatures(text);
    let state = PROPOSAL.snapshot();
    let owners = SafeOwners::new((state.id.chain_id, state.id.address), Some(&state.owners), None).unwrap();
    gather(&[finds], &[ProposalAndOwners { proposal: &PROPOSAL, owners }]).new
}

pub fn check(text: &str) {
    let taken_in = taken(text);
    for signature in &taken_in {
        assert!(OWNERS.contains(&signature.owner()));
        let line = taken(&signature.line(&Claims::default()));
        assert_eq!((line.len(), line[0].ecdsa()), (1, signature.ecdsa()));
        assert_eq!(taken(&signature.to_json()), std::slice::from_ref(signature));
    }
    let said = Readings::new();
    let tally = count(&PROPOSAL, &Approvals::new(&taken_in, &[], &said), &PROPOSAL.snapshot().clone().into());
    assert_eq!(tally.approved.len() + tally.missing.len(), OWNERS.len());
}
