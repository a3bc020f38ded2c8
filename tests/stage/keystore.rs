//! Writes Web3 Secret Storage v3, without a line of the program's own reader.
//!
//! Source: ethereum.org, Web3 Secret Storage Definition, version 3. The salt and the vector come from the address:
//! a test needs them stable, not secret.

use aes::Aes128;
use alloy::primitives::{B256, hex, keccak256};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use serde_json::{Value, json};

use super::keys::Key;

/// Weak on purpose: the tests open many.
const LOG_N: u8 = 10;

/// The keystore of a key under a password.
pub fn encrypt(key: &Key, password: &str) -> Value {
    let salt = keccak256(key.address);
    let vector = &keccak256(salt)[..16];
    let mut derived = [0; 32];
    let params = scrypt::Params::new(LOG_N, 8, 1).unwrap();
    scrypt::scrypt(password.as_bytes(), salt.as_slice(), &params, &mut derived).unwrap();

    let mut ciphertext: B256 = key.secret;
    Ctr128BE::<Aes128>::new_from_slices(&derived[..16], vector)
        .unwrap()
        .apply_keystream(ciphertext.as_mut_slice());
    let mac = keccak256([&derived[16..], ciphertext.as_slice()].concat());

    json!({
        "version": 3,
        "id": "00000000-0000-4000-8000-000000000000",
        "address": hex::encode(key.address),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": hex::encode(vector)},
            "ciphertext": hex::encode(ciphertext),
            "kdf": "scrypt",
            "kdfparams": {"dklen": 32, "n": 1 << LOG_N, "r": 8, "p": 1, "salt": hex::encode(salt)},
            "mac": hex::encode(mac),
        },
    })
}
