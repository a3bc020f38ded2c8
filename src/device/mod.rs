//! Keys: Ledgers and encrypted keystores, one [`Key`] each; and what a device will show of what it is asked to sign.
//!
//! May touch: the USB bus and the emulator's socket, and nothing else. May not touch: chain, files, prompts. What a key
//! is asked to sign is always typed data that this room hashes itself, never a hash from outside; what it answers is
//! given out only after the signer was recovered from it and compared.

mod accounts;
mod answered;
mod apdu;
mod app_status;
mod device_error;
mod extended;
mod key;
mod keystore;
mod ledger;
mod ledger_report;
mod ledger_screen;
mod link;
mod long_text;
mod named_key;
mod pages;
mod path;
mod plugged;
mod screen;
mod scrypt;
mod signing;
mod transport;
mod typed;
mod udev;
mod way;

use alloy::consensus::{SignableTransaction, TxEip1559};
use alloy::network::eip2718::Encodable2718;
use alloy::primitives::{Address, Bytes, Signature};

use crate::safe::{Domain, EcdsaSignature, Hashes, SafeTx, SignatureError, SignatureKind};

pub use answered::DeviceAccount;
pub use apdu::{
    Apdu, AppInfo, AppVersion, Configuration, Reply, StatusWord, read_address, read_message_signature,
    read_transaction_signature,
};
pub use app_status::Status;
pub use device_error::{DeviceError, OneOfSeveral};
pub use key::Key;
pub use keystore::Keystore;
pub use ledger::{Ledger, Waiting, Watcher};
pub use long_text::LongText;
pub use named_key::{KeyName, KeystoreFile, NamedKey, OpenTerms, USUAL_DEVICE};
pub use pages::{
    AppSettings, DataShown, Page, PageEntry, PageFact, Pages, Prediction, RequestKind, StatedSettings,
    address_pages, safe_tx_pages, transaction_pages,
};
pub use path::{BadPath, DerivationPath, SearchPaths};
pub use plugged::{Model, Plugged, choose_plugged};
pub use screen::{DeviceGap, DeviceReport, DeviceRequest, DeviceUse, Preview, Screen};
pub use transport::LedgerLocation;
pub use typed::TypedData;
pub use udev::{UDEV_RULE, UDEV_RULE_PATH};
pub use way::{ChosenMode, RequestedMode, Weight, choose_way};

/// A request for an owner's signature for a Safe.
#[derive(Clone, Copy, Debug)]
pub enum Signs<'a> {
    Tx(&'a SafeTx),
    /// An off-chain message of the Safe: its approval of what another Safe does.
    Message(&'a Bytes),
}

/// A request to an owner's key: a Safe transaction or message in full, never a bare hash from outside.
#[derive(Clone, Copy, Debug)]
pub struct SigningRequest<'a> {
    /// In which domain it is signed: the Safe's own, or that of a drill.
    pub domain: &'a Domain,
    pub signs: Signs<'a>,
    /// The owner that the signature must turn out to be from.
    pub owner: Address,
    pub kind: SignatureKind,
    /// The way in which the transaction reaches a hardware wallet; a key without a screen does not ask.
    pub way: SigningMode,
}

impl SigningRequest<'_> {
    pub fn hashes(&self) -> Hashes {
        match self.signs {
            Signs::Tx(tx) => self.domain.hashes(tx),
            Signs::Message(message) => self.domain.message_hashes(message),
        }
    }

    /// Returns it field by field.
    pub fn typed_data(&self) -> TypedData {
        match self.signs {
            Signs::Tx(tx) => TypedData::safe_tx(self.domain, tx),
            Signs::Message(message) => TypedData::safe_message(self.domain, message),
        }
    }

    /// Returns the signature that these 65 bytes are, if the owner made it: r ‖ s ‖ v with v 27 or 28 whatever the kind.
    /// The error has both addresses when somebody else made it.
    fn verified(&self, mut bytes: [u8; 65]) -> Result<EcdsaSignature, DeviceError> {
        if self.kind == SignatureKind::EthSign {
            bytes[64] = bytes[64].saturating_add(4);
        }
        let version = self.domain.safe().version;
        let signature = EcdsaSignature::from_safe_bytes(&bytes, &self.hashes().safe_tx, version)?;
        expect_signer(self.owner, signature.signer())?;
        Ok(signature)
    }

    /// Refuses a kind of signature that this Safe does not take from a key; asked before the key is.
    fn check_kind(&self) -> Result<(), DeviceError> {
        match self.kind {
            SignatureKind::Ecdsa => Ok(()),
            SignatureKind::EthSign => match self.domain.safe().version {
                version if version.takes_eth_sign() => Ok(()),
                version => Err(SignatureError::NoEthSign(version).into()),
            },
            SignatureKind::ApprovedHash | SignatureKind::Contract | SignatureKind::Sender => {
                Err(DeviceError::NotASignature(self.kind))
            }
        }
    }
}

/// The part of a transaction that a hardware wallet is given to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningMode {
    /// Every field, so that the device can show them: full EIP-712.
    Fields,
    /// The domain hash and the message hash alone; the device shows nothing but these.
    Hashes,
}

fn expect_signer(expected: Address, signer: Address) -> Result<(), DeviceError> {
    if expected == signer { Ok(()) } else { Err(DeviceError::WrongSigner { expected, signer }) }
}

/// Returns the raw transaction, if `from` made the signature.
fn sealed(tx: &TxEip1559, signature: Signature, from: Address) -> Result<Vec<u8>, DeviceError> {
    let signer = signature
        .recover_address_from_prehash(&tx.signature_hash())
        .map_err(|_| SignatureError::Unrecoverable)?;
    expect_signer(from, signer)?;
    Ok(tx.clone().into_signed(signature).encoded_2718())
}
