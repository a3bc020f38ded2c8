//! Mistakes of an owner whose signature does not count: each is told by its name, and a stranger's signature is none.

use alloy::primitives::{eip191_hash_message, hex, keccak256};

use super::*;

/// The mistake of the key with this seed.
fn missed(bytes: &[u8; 65], safes: &[SafeId]) -> Option<NearMiss> {
    let (owner, miss) = near_miss(bytes, &proposal(42), &owners(), safes)?;
    assert_eq!(owner, address(1));
    Some(miss)
}

#[test]
fn each_known_mistake_is_named() {
    let mine = proposal(42);
    let (id, hash) = (*mine.safe(), *mine.hash().word());
    let other_safe = SafeId { address: Address::repeat_byte(0x44), ..id };
    let other_chain = SafeId { chain_id: 10, ..id };
    let old = SafeId { version: SafeVersion::V1_1_1, ..id };
    let digits = hex::encode(hash);
    let of = |id: SafeId| *id.hashes(mine.tx()).safe_tx.word();
    for (digest, miss) in [
        (keccak256(hash), NearMiss::HashedAgain),
        (*mine.hashes().message.word(), NearMiss::MessageHashAlone),
        (eip191_hash_message(&digits), NearMiss::TextOfHash),
        (eip191_hash_message(format!("0x{digits}")), NearMiss::TextOfHash),
        (of(other_safe), NearMiss::OtherSafe(other_safe.address)),
        (of(other_chain), NearMiss::OtherChain(10)),
        (of(old), NearMiss::OtherVersion),
    ] {
        let safes = [id, other_safe, other_chain];
        assert_eq!(missed(&over(1, digest.as_slice()), &safes), Some(miss));
        assert_eq!(missed(&over(4, digest.as_slice()), &safes), None, "a stranger");
    }
    // Of a Safe and a chain that the reader's file does not have, nobody knows.
    assert_eq!(missed(&over(1, of(other_safe).as_slice()), &[id]), None);
    assert_eq!(missed(&over(1, of(other_chain).as_slice()), &[id]), None);
    assert_eq!(missed(&over(1, B256::repeat_byte(7).as_slice()), &[id]), None);
}

#[test]
fn a_changed_last_byte_is_distinguished_from_another_transaction() {
    let good = raw(1, &proposal(42), SignatureKind::Ecdsa);
    let with_last = |last: u8| {
        let mut bytes = good;
        bytes[64] = last;
        bytes
    };
    let other = 55 - good[64];
    for last in [other, other - 27] {
        assert_eq!(missed(&with_last(last), &[]), Some(NearMiss::LastByte), "{last}");
    }
    let mut text = raw(1, &proposal(42), SignatureKind::EthSign);
    text[64] = if text[64] % 2 == 1 { 32 } else { 31 };
    assert_eq!(missed(&text, &[]), Some(NearMiss::LastByte), "as a personal message");
    assert_eq!(missed(&with_last(99), &[]), None);
    assert_eq!(missed(&raw(1, &proposal(43), SignatureKind::Ecdsa), &[]), None);
    assert_eq!(
        NearMiss::OtherChain(1).sentence(|_| String::new()),
        "signed it for chain 1, not for this one"
    );
    let safe = NearMiss::OtherSafe(Address::ZERO).sentence(|_| "labs".into());
    assert_eq!(safe, "signed the same call for another Safe, labs");
}
