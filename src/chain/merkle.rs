//! Verifies that a block's state holds what was answered: the Merkle proofs of EIP-1186 and the block's own header. Pure; a
//! proof is hostile until it is verified.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy::rlp;
use alloy::rpc::types::EIP1186AccountProofResponse;
use alloy::trie::proof::verify_proof;
use alloy::trie::{EMPTY_ROOT_HASH, Nibbles, TrieAccount};
use serde_json::Value;

use crate::evm::{Header, Keys, WireHeader};
use crate::fork::WorldState;
use crate::safe::SafeState;

/// Chains whose headers are Ethereum's own: there a header that does not hash to the block's hash is a false one.
const ETHEREUM: [u64; 4] = [1, 11_155_111, 17_000, 560_048];

/// The answers about one account. `None` is not claimed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AccountClaim {
    pub balance: Option<U256>,
    pub nonce: Option<u64>,
    pub code_hash: Option<B256>,
    /// Slot and word; a slot that was answered twice stands here twice if the answers differ.
    pub slots: BTreeSet<(B256, B256)>,
}

/// Everything that was answered at one block and has to be proven.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AccountClaims(pub BTreeMap<Address, AccountClaim>);

impl AccountClaims {
    /// The Safe as it was read, whichever way: the lists of owners and modules are slots too.
    pub(super) fn of_safe(&mut self, safe: &SafeState, code_hash: B256) {
        let claim = self.0.entry(safe.id.address).or_default();
        claim.code_hash = Some(code_hash);
        claim.slots.extend(safe.slots());
    }

    /// The values of these keys. What is not at hand cannot be claimed: the first such key is the error.
    pub(super) fn of_keys(&mut self, keys: &Keys, state: &WorldState) -> Result<(), String> {
        for address in &keys.accounts {
            let Some(account) = state.accounts.get(address) else { return Err(format!("account {address}")) };
            let claim = self.0.entry(*address).or_default();
            (claim.balance, claim.nonce) = (Some(account.balance), Some(account.nonce));
            let code_hash = keccak256(&account.code);
            if claim.code_hash.replace(code_hash).is_some_and(|other| other != code_hash) {
                return Err(format!("the code of {address}, which was answered in two ways"));
            }
        }
        for (address, slot) in &keys.slots {
            let word = state.slots.get(&(*address, *slot));
            let word = word.ok_or_else(|| format!("slot {slot} of {address}"))?;
            self.0.entry(*address).or_default().slots.insert((*slot, *word));
        }
        match keys.block_hashes.first() {
            Some(number) => {
                Err(format!("the hash of block {number}, which a proof of state does not contain"))
            }
            None => Ok(()),
        }
    }
}

/// The link from a block's hash to its state root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// The header that holds it hashes to the block's hash.
    InHash,
    /// The chain's headers are of a kind that this program cannot hash: the root is what the quorum says.
    Stated,
}

/// Binds the state root to the block's hash, with the whole header as an endpoint tells it.
pub(super) fn bind(chain_id: u64, header: &Header, whole: &Value) -> Result<Root, &'static str> {
    // Every field that anything rests on, not the state root alone: number and time too.
    let same = serde_json::from_value::<WireHeader>(whole.clone()).map(Header::from);
    if same.ok().as_ref() != Some(header) {
        return Err("another header");
    }
    let told = serde_json::from_value::<alloy::consensus::Header>(whole.clone()).ok();
    match told {
        Some(told) if told.hash_slow() == *header.hash.word() => Ok(Root::InHash),
        _ if ETHEREUM.contains(&chain_id) => Err("a header that does not hash to the block's hash"),
        _ => Ok(Root::Stated),
    }
}

/// Verifies all that is claimed of one account; what cannot be proven first is the error.
pub(super) fn verify(
    root: B256,
    address: Address,
    claim: &AccountClaim,
    proof: &EIP1186AccountProofResponse,
) -> Result<(), String> {
    let account = TrieAccount {
        nonce: claim.nonce.unwrap_or(proof.nonce),
        balance: claim.balance.unwrap_or(proof.balance),
        storage_root: if proof.storage_hash.is_zero() { EMPTY_ROOT_HASH } else { proof.storage_hash },
        code_hash: match claim.code_hash.unwrap_or(proof.code_hash) {
            B256::ZERO => KECCAK256_EMPTY,
            hash => hash,
        },
    };
    // Most chains drop an account in which nothing is; some keep it.
    let absent = account == TrieAccount::default() && holds(root, address, None, &proof.account_proof);
    if !absent && !holds(root, address, Some(rlp::encode(account)), &proof.account_proof) {
        return Err(format!("account {address}"));
    }
    if claim.slots.len() != proof.storage_proof.len() {
        return Err(format!("the slots of {address}"));
    }
    for ((slot, word), part) in claim.slots.iter().zip(&proof.storage_proof) {
        let value = U256::from_be_bytes(word.0);
        let told = |value: Option<Vec<u8>>| holds(account.storage_root, slot, value, &part.proof);
        // Zero is what is not there; anvil keeps a zero that was read, which says the same.
        let proven = told(Some(rlp::encode(value))) || (value.is_zero() && told(None));
        if !proven {
            return Err(format!("slot {slot} of {address}"));
        }
    }
    Ok(())
}

fn holds(root: B256, key: impl AsRef<[u8]>, value: Option<Vec<u8>>, proof: &[Bytes]) -> bool {
    verify_proof(root, Nibbles::unpack(keccak256(key)), value, proof).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::chain::settle;

    /// Recorded from anvil 1.7.1; see `tests/vectors/README.md`.
    const RECORDED: &str = include_str!("../../tests/vectors/proofs.json");
    const PRESENT: Address = Address::repeat_byte(0x5a);
    const ABSENT: Address = Address::repeat_byte(0x77);

    fn recorded(what: &str) -> Value {
        serde_json::from_str::<Value>(RECORDED).unwrap()[what].take()
    }

    fn proof(of: &str) -> EIP1186AccountProofResponse {
        serde_json::from_value(recorded(of)).unwrap()
    }

    fn header() -> Header {
        let raw = serde_json::value::to_raw_value(&recorded("header")).unwrap();
        settle::header(Ok(raw)).unwrap().unwrap()
    }

    fn word(n: u64) -> B256 {
        U256::from(n).into()
    }

    /// The recorded values: word i·i + 1 in each of 40 slots, and nothing in slot 99.
    fn present() -> AccountClaim {
        AccountClaim {
            balance: Some(U256::from(1_000_000_000_000_000_007_u64)),
            nonce: Some(0),
            code_hash: Some(keccak256([0x5f])),
            slots: [(word(0), word(1)), (word(7), word(50)), (word(99), word(0))].into(),
        }
    }

    fn absent() -> AccountClaim {
        AccountClaim {
            balance: Some(U256::ZERO),
            nonce: Some(0),
            code_hash: Some(KECCAK256_EMPTY),
            slots: [(word(1), word(0))].into(),
        }
    }

    #[test]
    fn presence_and_absence_are_proven() {
        let root = header().state_root;
        assert_eq!(verify(root, PRESENT, &present(), &proof("present")), Ok(()));
        assert_eq!(verify(root, ABSENT, &absent(), &proof("absent")), Ok(()));
        let precompile = Address::with_last_byte(1);
        let nothing = AccountClaim { slots: BTreeSet::new(), ..absent() };
        assert_eq!(verify(root, precompile, &nothing, &proof("precompile")), Ok(()));
        // Only the slots are claimed: the account's own values are the proof's.
        let slots = AccountClaim { slots: present().slots, ..AccountClaim::default() };
        assert_eq!(verify(root, PRESENT, &slots, &proof("present")), Ok(()));
    }

    #[test]
    fn no_other_value_is() {
        let root = header().state_root;
        let not = |claim: &AccountClaim| verify(root, PRESENT, claim, &proof("present")).unwrap_err();
        assert!(not(&AccountClaim { balance: Some(U256::ONE), ..present() }).starts_with("account"));
        assert!(not(&AccountClaim { nonce: Some(1), ..present() }).starts_with("account"));
        assert!(not(&AccountClaim { code_hash: Some(word(1)), ..present() }).starts_with("account"));
        let slots = |slots: &[(u64, u64)]| {
            not(&AccountClaim {
                slots: slots.iter().map(|(s, w)| (word(*s), word(*w))).collect(),
                ..present()
            })
        };
        assert_eq!(slots(&[(0, 1), (7, 51), (99, 0)]), format!("slot {} of {PRESENT}", word(7)));
        assert_eq!(slots(&[(0, 1), (7, 0), (99, 0)]), format!("slot {} of {PRESENT}", word(7)));
        assert_eq!(slots(&[(0, 1), (7, 50), (99, 1)]), format!("slot {} of {PRESENT}", word(99)));
        assert_eq!(slots(&[(0, 1), (8, 50), (99, 0)]), format!("slot {} of {PRESENT}", word(8)));
        assert_eq!(slots(&[(0, 1), (7, 50)]), format!("the slots of {PRESENT}"));
        // Somebody else's account, and a slot that was answered in two ways.
        assert!(verify(root, ABSENT, &present(), &proof("present")).is_err());
        assert!(
            verify(root, ABSENT, &AccountClaim { nonce: Some(1), ..absent() }, &proof("absent")).is_err()
        );
        let mut twice = proof("present");
        twice.storage_proof.insert(1, twice.storage_proof[0].clone());
        let claim = AccountClaim { slots: [(word(0), word(1)), (word(0), word(2))].into(), ..present() };
        twice.storage_proof.truncate(2);
        assert!(verify(root, PRESENT, &claim, &twice).is_err());
    }

    #[test]
    fn a_header_is_bound_to_its_hash_where_it_can_be() {
        let (told, whole) = (header(), recorded("header"));
        assert_eq!(bind(1, &told, &whole), Ok(Root::InHash));
        let mut other = told.clone();
        other.state_root = word(1);
        assert!(bind(31_337, &other, &whole).is_err(), "a state root that is not the header's");
        for lie in [
            Header { number: told.number + 1, ..told.clone() },
            Header { timestamp: told.timestamp + 1, ..told.clone() },
            Header { base_fee: None, ..told.clone() },
        ] {
            assert_eq!(bind(1, &lie, &whole), Err("another header"));
        }
        let mut changed = whole.clone();
        changed["stateRoot"] = serde_json::json!(word(1));
        assert!(bind(1, &other, &changed).is_err());
        assert_eq!(bind(31_337, &other, &changed), Ok(Root::Stated));
        assert!(bind(42_161, &told, &Value::Null).is_err());
        // A field more than Ethereum hashes: another chain's.
        let mut foreign = whole.clone();
        foreign["gasUsed"] = serde_json::json!("0x7");
        let told = Header { gas_used: 7, ..told };
        assert_eq!(bind(42_161, &told, &foreign), Ok(Root::Stated));
        assert!(bind(1, &told, &foreign).is_err());
    }

    #[test]
    fn code_that_was_answered_in_two_ways_is_not_claimed() {
        let mut claims = AccountClaims::default();
        claims.0.entry(PRESENT).or_default().code_hash = Some(word(1));
        let account = crate::fork::Account { code: Bytes::from_static(&[0x5f]), ..Default::default() };
        let state = WorldState { accounts: [(PRESENT, account)].into(), ..WorldState::default() };
        let keys = Keys { accounts: [PRESENT].into(), ..Keys::default() };
        assert!(claims.of_keys(&keys, &state).unwrap_err().contains("in two ways"));
        let mut claims = AccountClaims::default();
        claims.0.entry(PRESENT).or_default().code_hash = Some(keccak256([0x5f]));
        assert_eq!(claims.of_keys(&keys, &state), Ok(()));
    }

    /// Every byte of the proof: the account's nodes, the slots' nodes, the root of the storage.
    fn bytes(proof: &mut EIP1186AccountProofResponse) -> Vec<&mut Bytes> {
        let slots = proof.storage_proof.iter_mut().flat_map(|part| part.proof.iter_mut());
        proof.account_proof.iter_mut().chain(slots).collect()
    }

    proptest! {
        #[test]
        fn a_flipped_bit_anywhere_fails(node in 0_usize..64, at in 0_usize..1024, bit in 0_u8..8, root in 0_usize..64) {
            let mut changed = proof("present");
            let mut nodes = bytes(&mut changed);
            let count = nodes.len();
            let node = nodes.swap_remove(node % count);
            let mut text = node.to_vec();
            let at = at % text.len();
            text[at] ^= 1 << bit;
            *node = text.into();
            prop_assert!(verify(header().state_root, PRESENT, &present(), &changed).is_err());

            let mut changed = proof("present");
            changed.storage_hash.0[root % 32] ^= 1 << bit;
            prop_assert!(verify(header().state_root, PRESENT, &present(), &changed).is_err());
            let mut other = header().state_root;
            other.0[root % 32] ^= 1 << bit;
            prop_assert!(verify(other, PRESENT, &present(), &proof("present")).is_err());
        }

        #[test]
        fn a_proof_cut_short_or_longer_fails(node in 0_usize..64, drop in any::<bool>()) {
            let mut changed = proof("present");
            let list = node % (changed.storage_proof.len() + 1);
            let nodes = match changed.storage_proof.get_mut(list) {
                Some(part) => &mut part.proof,
                None => &mut changed.account_proof,
            };
            if drop {
                nodes.pop();
            } else {
                nodes.push(Bytes::from_static(&[0xc0]));
            }
            prop_assert!(verify(header().state_root, PRESENT, &present(), &changed).is_err());
        }
    }
}
