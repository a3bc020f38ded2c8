//! A key of any kind, open: it signs as an owner and pays for gas. Another kind is one more variant here and in
//! [`NamedKey`](super::NamedKey), and a file beside the others; where it has a screen, that file has a [`Screen`].

use alloy::consensus::TxEip1559;
use alloy::primitives::{Address, Signature};

use super::path::SearchPaths;
use super::screen::Screen;
use super::{DeviceError, Keystore, Ledger, LongText, SigningRequest};
use crate::safe::{EcdsaSignature, Pause, PauseSignature};

/// A key that is ready to be asked.
pub enum Key {
    /// Several keys, each at a path.
    Ledger(Box<Ledger>),
    Keystore(Keystore),
}

impl Key {
    /// Returns the address that pays for gas: on a device the one at the first of these paths.
    pub fn payer(&mut self, paths: &SearchPaths) -> Result<Address, DeviceError> {
        match self {
            Self::Ledger(ledger) => ledger.first(paths),
            Self::Keystore(keystore) => Ok(keystore.address()),
        }
    }

    /// Returns the addresses of the keys that are one of `owners`; a device looks for them at these paths. A keystore's own
    /// address is returned whoever's it is.
    /// Fails with [`DeviceError::NoOwner`] when a device holds none, or stops answering.
    pub fn find(&mut self, paths: &SearchPaths, owners: &[Address]) -> Result<Vec<Address>, DeviceError> {
        match self {
            Self::Ledger(ledger) => {
                Ok(ledger.find(paths, owners)?.into_iter().map(|account| account.address).collect())
            }
            Self::Keystore(keystore) => Ok(vec![keystore.address()]),
        }
    }

    /// Returns an owner's signature, given out only if the request's owner made it.
    pub fn sign_safe_tx(&mut self, request: &SigningRequest<'_>) -> Result<EcdsaSignature, DeviceError> {
        match self {
            Self::Ledger(ledger) => ledger.sign_safe_tx(request),
            Self::Keystore(keystore) => keystore.sign_safe_tx(request),
        }
    }

    /// Returns the signature of a text as a personal message, by an owner's key.
    pub fn sign_text(&mut self, text: &LongText, owner: Address) -> Result<Signature, DeviceError> {
        match self {
            Self::Ledger(ledger) => ledger.sign_text(text, owner),
            Self::Keystore(keystore) => keystore.sign_text(text),
        }
    }

    /// Returns the deputy's signature of a pause.
    /// Fails if the key is not the deputy's, or the key or its person refuses.
    pub fn sign_pause(&mut self, pause: &Pause, deputy: Address) -> Result<PauseSignature, DeviceError> {
        match self {
            Self::Ledger(ledger) => ledger.sign_pause(pause, deputy),
            Self::Keystore(keystore) => keystore.sign_pause(pause, deputy),
        }
    }

    /// Returns the raw transaction signed by `from`, ready to be sent: EIP-2718 type 2.
    pub fn sign_transaction(&mut self, tx: &TxEip1559, from: Address) -> Result<Vec<u8>, DeviceError> {
        match self {
            Self::Ledger(ledger) => ledger.sign_transaction(tx, from),
            Self::Keystore(keystore) => keystore.sign_transaction(tx, from),
        }
    }

    /// Returns the screen on which its person compares and approves. `None` for a key without one.
    pub fn screen(&self) -> Option<&dyn Screen> {
        match self {
            Self::Ledger(ledger) => Some(&**ledger),
            Self::Keystore(_) => None,
        }
    }

    pub fn screen_mut(&mut self) -> Option<&mut dyn Screen> {
        match self {
            Self::Ledger(ledger) => Some(&mut **ledger),
            Self::Keystore(_) => None,
        }
    }
}
