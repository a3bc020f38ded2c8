//! Why a key did not sign, in sentences that say the way on.

use std::time::Duration;

use alloy::primitives::Address;

use super::apdu::{AppVersion, StatusWord};
use super::path::{BadPath, DerivationPath};
use crate::safe::{PauseSignatureError, SignatureError, SignatureKind};

/// Everything that can go wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    // A keystore.
    #[error("keystore: {0}")]
    BadKeystore(String),
    #[error("wrong password for the keystore, or the file was altered: its checksum does not fit")]
    WrongPassword,

    // A Ledger that is not ready, where waiting helps.
    #[error("no Ledger is plugged in: plug it in and unlock it")]
    NotPluggedIn,
    #[error(
        "no Ledger with the serial number or path {wanted:?} is plugged in; plugged in: {found} (the path is another \
         one after an app was opened)"
    )]
    NoSuchLedger { wanted: String, found: String },
    #[error("nothing listens at tcp://{0}: start the emulator there")]
    NoEmulator(String),
    #[error("the Ledger is open in another program: close the wallet or browser page that uses it")]
    InUse,
    #[error("the Ledger is locked: enter its PIN")]
    Locked,
    #[error("no app is open on the Ledger: open the Ethereum app")]
    NoApp,
    #[error("the Ethereum app is being opened on the Ledger")]
    AppOpens,
    #[error("the {0} app is open on the Ledger: leave it and open the Ethereum app")]
    OtherApp(String),
    #[error("the Ledger shows a menu of its own: close it")]
    OwnMenu,
    #[error("the Ledger is asleep or busy: it gave no answer within {}; press a button to wake it", seconds_text(*.0))]
    Asleep(Duration),
    #[error("the Ledger answered an earlier question of another program: close that program")]
    Stale,
    #[error(
        "the Ledger was unplugged or its app was closed; nothing was signed: plug it in and open the Ethereum app"
    )]
    Unplugged,
    #[error(
        "\"Blind signing\" is off, and this cannot be shown field by field: turn it on in the Ethereum app's settings, \
         and off again afterwards"
    )]
    BlindSigningOff,

    // A Ledger that is not ready, where somebody has to decide.
    #[error("the Ethereum app is not installed on this Ledger: install it with Ledger's own wallet program")]
    NotInstalled,
    #[error(
        "this user may not open the Ledger: run `breakglass device --udev | sudo tee /etc/udev/rules.d/60-ledger.rules`, then plug it in again"
    )]
    NoPermission,
    #[error(
        "several Ledgers are plugged in: {}; name one with --ledger-serial, by its serial number or path",
        .0.iter().map(|one| one.shown.as_str()).collect::<Vec<_>>().join(", ")
    )]
    Several(Vec<OneOfSeveral>),
    #[error(
        "Ethereum app {0} takes only the two hashes and shows nothing else of a transaction: update the app, or accept \
         that with --hashes"
    )]
    AppTooOld(AppVersion),
    #[error(
        "\"Raw messages\" is off in the Ethereum app's settings: turn it on, so that the Ledger shows every field, and \
         leave \"Blind signing\" off"
    )]
    RawMessagesOff,
    #[error("rejected on the Ledger: nothing was signed")]
    Rejected,
    #[error(
        "this Ledger has {}: another Ledger, another passphrase, or another path? Its first address is {first}; looked at \
         {searched}",
        no_key_of(sought)
    )]
    NoOwner { sought: Vec<Address>, first: Address, searched: String },
    #[error("the key at {path} is {found}'s, and {expected}'s is needed: another Ledger, passphrase or path")]
    WrongAddress { path: DerivationPath, expected: Address, found: Address },

    // Failures.
    #[error("this key has no screen")]
    NoScreen,
    #[error("the signature is from {signer}, and it must be from {expected}: it was not kept")]
    WrongSigner { expected: Address, signer: Address },
    #[error("\"{0}\" is not something that a key signs: use ecdsa or eth_sign")]
    NotASignature(SignatureKind),
    #[error(
        "field {name} has {length} bytes, and a Ledger takes {most} at most: sign the hashes with --hashes"
    )]
    FieldTooLong { name: &'static str, length: usize, most: usize },
    #[error("the Ledger refused {what} with {status}")]
    Refused { what: &'static str, status: StatusWord },
    #[error("the Ledger's answer to {what} cannot be read")]
    Senseless { what: &'static str },
    #[error("the connection to the Ledger failed: {0}")]
    Transport(String),
    #[error("{0:?} is not a model: use nanos, nanox, nanosp, stax, flex or apex_p")]
    BadModel(String),
    #[error("{0:?} is not a Ledger: use usb, or tcp://HOST:PORT for an emulator")]
    BadTarget(String),
    #[error(transparent)]
    BadPath(#[from] BadPath),
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error(transparent)]
    Pause(#[from] PauseSignatureError),
}

/// One of several devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOfSeveral {
    pub shown: String,
    /// The name that tells it from all others.
    pub name: String,
}

impl DeviceError {
    /// Returns `true` if a setting of the device has to be changed, and it is then asked again.
    pub const fn needs_setting(&self) -> bool {
        matches!(self, Self::RawMessagesOff)
    }

    /// Returns `true` if a person decides how it goes on (refused, or not ready on the device: exit 6); else it failed (exit 1).
    pub const fn is_human(&self) -> bool {
        self.passes()
            || matches!(
                self,
                Self::NoPermission
                    | Self::NotInstalled
                    | Self::AppTooOld(_)
                    | Self::RawMessagesOff
                    | Self::Rejected
                    | Self::NoOwner { .. }
                    | Self::WrongAddress { .. }
            )
    }

    /// Returns `true` while the device may be changing from the dashboard to an app, for which it connects anew.
    pub(super) const fn is_between_apps(&self) -> bool {
        matches!(
            self,
            Self::NoApp
                | Self::NotPluggedIn
                | Self::NoEmulator(_)
                | Self::InUse
                | Self::Asleep(_)
                | Self::Unplugged
        )
    }

    /// Returns `true` if it may pass without the program: somebody unlocks, plugs in, opens the app.
    pub const fn passes(&self) -> bool {
        matches!(
            self,
            Self::NotPluggedIn
                | Self::NoSuchLedger { .. }
                | Self::NoEmulator(_)
                | Self::InUse
                | Self::Locked
                | Self::NoApp
                | Self::AppOpens
                | Self::OtherApp(_)
                | Self::OwnMenu
                | Self::Asleep(_)
                | Self::Stale
                | Self::Unplugged
                | Self::BlindSigningOff
        )
    }
}

fn no_key_of(sought: &[Address]) -> String {
    match sought {
        [one] => format!("no key of {one}"),
        _ => "no owner's key".into(),
    }
}

fn seconds_text(time: Duration) -> String {
    match time.as_secs() {
        0..=119 => format!("{} s", time.as_secs()),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}
