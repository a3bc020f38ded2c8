//! The test mnemonic's keys, derived here from BIP-39 and BIP-32 alone, so that the emulator shares nothing with the
//! program it tests.

use std::sync::OnceLock;

use alloy::primitives::{Address, B256};
use k256::ecdsa::SigningKey;
use k256::elliptic_curve::PrimeField;
use k256::{NonZeroScalar, Scalar};
use pbkdf2::pbkdf2_hmac;
use sha2::{Digest, Sha512};

/// The mnemonic of anvil and of every recorded exchange. Nobody's money may ever be there.
const MNEMONIC: &str = "test test test test test test test test test test test junk";
const HARDENED: u32 = 1 << 31;

/// The key at a path of levels, hardened ones with the top bit set.
pub fn key(path: &[u32]) -> SigningKey {
    extended(path).0
}

/// The key and its chain code.
pub fn extended(path: &[u32]) -> (SigningKey, [u8; 32]) {
    static MASTER: OnceLock<[u8; 64]> = OnceLock::new();
    let master = MASTER.get_or_init(|| {
        let mut seed = [0; 64];
        pbkdf2_hmac::<Sha512>(MNEMONIC.as_bytes(), b"mnemonic", 2048, &mut seed);
        hmac(b"Bitcoin seed", &seed)
    });
    let (mut key, mut chain) = halves(master);
    for level in path {
        let mut data = Vec::new();
        if level & HARDENED == 0 {
            let public = signing(&key).verifying_key().to_encoded_point(true);
            data.extend_from_slice(public.as_bytes());
        } else {
            data.push(0);
            data.extend_from_slice(&key.to_repr());
        }
        data.extend_from_slice(&level.to_be_bytes());
        let (tweak, next) = halves(&hmac(&chain, &data));
        key += tweak;
        chain = next;
    }
    (signing(&key), chain)
}

pub fn address(key: &SigningKey) -> Address {
    Address::from_public_key(key.verifying_key())
}

/// r ‖ s and the parity: RFC 6979, as the device signs.
pub fn sign(key: &SigningKey, digest: &B256) -> ([u8; 64], u8) {
    let (signature, parity) = key.sign_prehash_recoverable(digest.as_slice()).unwrap();
    (signature.to_bytes().into(), parity.to_byte())
}

fn signing(scalar: &Scalar) -> SigningKey {
    SigningKey::from(NonZeroScalar::new(*scalar).unwrap())
}

fn halves(bytes: &[u8; 64]) -> (Scalar, [u8; 32]) {
    let (left, right) = bytes.split_at(32);
    let left: [u8; 32] = left.try_into().unwrap();
    (Scalar::from_repr(left.into()).unwrap(), right.try_into().unwrap())
}

/// HMAC-SHA512, RFC 2104; keys of at most a block.
fn hmac(key: &[u8], data: &[u8]) -> [u8; 64] {
    let mut block = [0; 128];
    block[..key.len()].copy_from_slice(key);
    let pad = |with: u8| block.map(|b| b ^ with);
    let inner = Sha512::new().chain_update(pad(0x36)).chain_update(data).finalize();
    Sha512::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}
