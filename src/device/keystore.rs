//! Web3 Secret Storage version 3: an encrypted private key in a JSON file. Text in, key out; no files, no prompts.
//!
//! The file is treated as hostile: costs are bounded before any work, and no message repeats a value of an unknown
//! field, since what a person points at by mistake may be the bare key.

#[cfg(test)]
mod tests;

use std::fmt;

use aes::Aes128;
use alloy::consensus::{SignableTransaction, TxEip1559};
use alloy::hex;
use alloy::primitives::{Address, B256, Keccak256, Signature, eip191_hash_message};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use k256::ecdsa::SigningKey;
use k256::elliptic_curve::subtle::ConstantTimeEq;
use pbkdf2::pbkdf2_hmac;
use serde_json::{Map, Value};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::scrypt::{Cost, scrypt};
use super::{DeviceError, LongText, SigningRequest, expect_signer, sealed};
use crate::safe::{EcdsaSignature, Pause, PauseSignature, signed_digest};

/// The most PBKDF2 rounds that a file may ask for: 40 times the definition's example, some ten seconds.
const MOST_ROUNDS: u64 = 10_000_000;

type Object = Map<String, Value>;

/// A private key, unlocked. Wiped from memory when dropped.
pub struct Keystore {
    key: SigningKey,
    address: Address,
}

impl fmt::Debug for Keystore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keystore").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Keystore {
    /// Decrypts a keystore file's text.
    /// Fails with [`DeviceError::WrongPassword`] when the checksum does not fit, [`DeviceError::BadKeystore`] for
    /// everything that no password could fix.
    pub fn unlock(json: &str, password: &Zeroizing<String>) -> Result<Self, DeviceError> {
        let sealed = Sealed::read(json).map_err(DeviceError::BadKeystore)?;
        let [cipher_key, mac_key] = &*sealed.derive_keys(password).map_err(DeviceError::BadKeystore)?;
        let mut mac = Keccak256::new();
        mac.update(mac_key);
        mac.update(sealed.ciphertext);
        if !bool::from(mac.finalize().ct_eq(sealed.mac.as_slice())) {
            return Err(DeviceError::WrongPassword);
        }
        let mut plain = Zeroizing::new(sealed.ciphertext);
        Ctr128BE::<Aes128>::new(cipher_key.into(), &sealed.iv.into()).apply_keystream(plain.as_mut_slice());
        let key = SigningKey::from_slice(plain.as_slice()).map_err(|_| {
            bad("it decrypts to zero or to a number above the curve's order, which is not a key")
        })?;
        let address = Address::from_public_key(key.verifying_key());
        match sealed.address {
            Some(stated) if stated != address => {
                Err(bad(&format!("it says {stated}, and its key is that of {address}")))
            }
            _ => Ok(Self { key, address }),
        }
    }

    /// The address that a keystore file states, before it is unlocked: a claim. `None` where it states none.
    /// Fails with [`DeviceError::BadKeystore`] for a file that no password could open.
    pub fn stated(json: &str) -> Result<Option<Address>, DeviceError> {
        Ok(Sealed::read(json).map_err(DeviceError::BadKeystore)?.address)
    }

    fn sign_digest(&self, digest: &B256) -> Result<Signature, DeviceError> {
        let (signature, parity) = self
            .key
            .sign_prehash_recoverable(digest.as_slice())
            .map_err(|_| bad("its key made no signature"))?;
        Ok(Signature::from_signature_and_parity(signature, parity.is_y_odd()))
    }

    pub const fn address(&self) -> Address {
        self.address
    }

    /// Returns an owner's signature, if this is the request's owner.
    pub fn sign_safe_tx(&self, request: &SigningRequest<'_>) -> Result<EcdsaSignature, DeviceError> {
        request.check_kind()?;
        expect_signer(request.owner, self.address)?;
        let digest = signed_digest(&request.hashes().safe_tx, request.kind);
        request.verified(self.sign_digest(&digest)?.as_bytes())
    }

    /// Returns the signature of a text as a personal message.
    pub fn sign_text(&self, text: &LongText) -> Result<Signature, DeviceError> {
        self.sign_digest(&eip191_hash_message(text.as_bytes()))
    }

    pub fn sign_pause(&self, pause: &Pause, deputy: Address) -> Result<PauseSignature, DeviceError> {
        expect_signer(deputy, self.address)?;
        let bytes = self.sign_digest(pause.hashes().safe_tx.word())?.as_bytes();
        Ok(PauseSignature::of_deputy(pause, deputy, &bytes)?)
    }

    /// Returns the raw transaction, signed by `from` and ready to be sent, if this is `from`.
    pub fn sign_transaction(&self, tx: &TxEip1559, from: Address) -> Result<Vec<u8>, DeviceError> {
        expect_signer(from, self.address)?;
        sealed(tx, self.sign_digest(&tx.signature_hash())?, self.address)
    }
}

fn bad(what: &str) -> DeviceError {
    DeviceError::BadKeystore(what.into())
}

/// The file, read and bounded, before any password.
struct Sealed {
    address: Option<Address>,
    ciphertext: [u8; 32],
    iv: [u8; 16],
    mac: [u8; 32],
    salt: Vec<u8>,
    stretching: Stretching,
}

enum Stretching {
    Scrypt(Cost),
    Pbkdf2 { rounds: u32 },
}

impl Sealed {
    fn read(json: &str) -> Result<Self, String> {
        let file: Value = serde_json::from_str(json)
            .map_err(|e| format!("not JSON (line {}, column {})", e.line(), e.column()))?;
        let file = file.as_object().ok_or("not a JSON object")?;
        match file.get("version").and_then(Value::as_u64) {
            Some(3) => {}
            Some(other) => return Err(format!("version {other} is not supported, only 3 is")),
            None => return Err("no version: not a Web3 Secret Storage file".into()),
        }
        let crypto = file
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("crypto"))
            .and_then(|(_, value)| value.as_object())
            .ok_or("no \"crypto\" object")?;
        match text(crypto, "cipher")? {
            "aes-128-ctr" => {}
            other => return Err(format!("cipher {other:?} is not supported, only \"aes-128-ctr\" is")),
        }
        let kdfparams = object(crypto, "kdfparams")?;
        match number(kdfparams, "dklen")? {
            32.. => {}
            short => return Err(format!("dklen is {short}: at least 32 bytes are needed")),
        }
        Ok(Self {
            address: stated_address(file)?,
            ciphertext: fixed(crypto, "ciphertext")?,
            iv: fixed(object(crypto, "cipherparams")?, "iv")?,
            mac: fixed(crypto, "mac")?,
            salt: bytes(kdfparams, "salt")?,
            stretching: Stretching::read(text(crypto, "kdf")?, kdfparams)?,
        })
    }

    /// The 32 bytes that both kdfs begin with whatever dklen is: 16 for the cipher, 16 for the checksum.
    fn derive_keys(&self, password: &str) -> Result<Zeroizing<[[u8; 16]; 2]>, String> {
        let mut keys = Zeroizing::new([[0; 16]; 2]);
        let out = keys.as_flattened_mut();
        match self.stretching {
            Stretching::Scrypt(cost) => scrypt(password.as_bytes(), &self.salt, cost, out)?,
            Stretching::Pbkdf2 { rounds } => {
                pbkdf2_hmac::<Sha256>(password.as_bytes(), &self.salt, rounds, out);
            }
        }
        Ok(keys)
    }
}

impl Stretching {
    fn read(kdf: &str, params: &Object) -> Result<Self, String> {
        match kdf {
            "scrypt" => {
                Cost::new(number(params, "n")?, number(params, "r")?, number(params, "p")?).map(Self::Scrypt)
            }
            "pbkdf2" => {
                match text(params, "prf")? {
                    "hmac-sha256" => {}
                    other => return Err(format!("prf {other:?} is not supported, only \"hmac-sha256\" is")),
                }
                match number(params, "c")? {
                    rounds @ 1..=MOST_ROUNDS => u32::try_from(rounds).ok(),
                    _ => None,
                }
                .map(|rounds| Self::Pbkdf2 { rounds })
                .ok_or_else(|| format!("pbkdf2 c is not between 1 and {MOST_ROUNDS}"))
            }
            other => Err(format!("kdf {other:?} is not supported, only \"scrypt\" and \"pbkdf2\" are")),
        }
    }
}

/// The address that the file states, if it does; some wallets leave it out or empty for privacy.
fn stated_address(file: &Object) -> Result<Option<Address>, String> {
    match file.get("address").and_then(Value::as_str) {
        None | Some("") => Ok(None),
        Some(_) => Ok(Some(Address::from(fixed::<20>(file, "address")?))),
    }
}

fn object<'a>(from: &'a Object, name: &str) -> Result<&'a Object, String> {
    from.get(name).and_then(Value::as_object).ok_or_else(|| format!("no {name:?} object"))
}

fn text<'a>(from: &'a Object, name: &str) -> Result<&'a str, String> {
    from.get(name).and_then(Value::as_str).ok_or_else(|| format!("no text {name:?}"))
}

fn number(from: &Object, name: &str) -> Result<u64, String> {
    from.get(name).and_then(Value::as_u64).ok_or_else(|| format!("no whole number {name:?}"))
}

fn bytes(from: &Object, name: &str) -> Result<Vec<u8>, String> {
    hex::decode(text(from, name)?).map_err(|_| format!("{name:?} is not hexadecimal"))
}

fn fixed<const N: usize>(from: &Object, name: &str) -> Result<[u8; N], String> {
    let bytes = bytes(from, name)?;
    let length = bytes.len();
    bytes.try_into().map_err(|_| format!("{name:?} has {length} bytes, and {N} are needed"))
}
