//! A key with a screen, on which its person compares and approves: what a room above asks of it, and the values that it
//! answers with. No room above knows which device it is.

use std::collections::BTreeMap;

use alloy::consensus::TxEip1559;
use alloy::primitives::Address;

use super::answered::DeviceAccount;
use super::pages::Prediction;
use super::path::{DerivationPath, SearchPaths};
use super::way::{ChosenMode, RequestedMode, Weight};
use super::{DeviceError, SigningRequest};
use crate::safe::Pause;

/// A device with a screen.
pub trait Screen {
    /// Returns its name in a sentence.
    fn name(&self) -> &'static str;

    /// Returns how it is asked for an owner's signature, and why so.
    fn choose_way(&self, asked: RequestedMode, weight: Weight) -> ChosenMode;

    fn preview(&self, request: &DeviceRequest<'_>) -> Preview;

    /// Waits until its settings allow a request. Returns `true` if somebody changed one meanwhile: they may still be in the
    /// menu, and a review that begins there is not seen.
    fn await_settings(&mut self, request: &DeviceRequest<'_>) -> Result<bool, DeviceError>;

    fn report(&self, used: &DeviceUse) -> DeviceReport;

    /// Returns the keys at all of these paths, in their order.
    fn accounts(&mut self, paths: &SearchPaths) -> Result<Vec<DeviceAccount>, DeviceError>;

    /// Returns where a key is: where it was found before, else on the usual paths.
    fn path_of(&mut self, address: Address) -> Result<DerivationPath, DeviceError>;

    /// Shows the address at a path, for the person to compare.
    /// Fails with [`DeviceError::Rejected`] when it was not confirmed.
    fn show_address(&mut self, path: &DerivationPath) -> Result<Address, DeviceError>;
}

/// A request that its person approves on the device.
#[derive(Clone, Copy, Debug)]
pub enum DeviceRequest<'a> {
    /// An owner's signature.
    SafeTx(&'a SigningRequest<'a>),
    /// A deputy's signature.
    Pause(&'a Pause),
    /// A transaction, and who pays for it.
    Transaction(&'a TxEip1559, Address),
    /// An address to show.
    Address(Address),
}

/// Everything that a device will show of a request, as far as it is known.
#[derive(Clone, Debug)]
pub struct Preview {
    pub device: &'static str,
    /// The program on it that signs, with its version.
    pub app: String,
    /// The setting that its person has to change before, in a sentence.
    pub before: Option<&'static str>,
    /// Each review that is possible: several where it does not tell a setting.
    pub possible: Vec<Prediction>,
    /// A warning, if it may show neither all of the data nor a hash of it.
    pub hidden: Option<String>,
    /// Other pages that may be on its screen.
    pub note: Option<&'static str>,
}

/// A device's own report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceReport {
    pub device: &'static str,
    /// `None` where it does not say it.
    pub model: Option<String>,
    /// The program on it that signs, with its version; and that version.
    pub app: String,
    pub version: String,
    /// It may sign what it does not show.
    pub blind_signing: bool,
    /// The changes to make on it before signing with it; empty if there are none.
    pub advice: &'static str,
    /// The settings that it does not tell, as its person states them.
    pub stated: BTreeMap<&'static str, Option<bool>>,
    pub gaps: Vec<DeviceGap>,
}

/// The use that is made of a device.
#[derive(Clone, Debug, Default)]
pub struct DeviceUse {
    /// It signs, and pays for gas too.
    pub pays: bool,
    /// The Safes of which it holds several owners' keys, each with their names.
    pub shared: Vec<(String, Vec<String>)>,
}

/// Something that is wrong with a device for its use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceGap {
    /// A short name of its kind.
    pub id: &'static str,
    /// `false` for a warning.
    pub keeps_from_signing: bool,
    pub sentence: String,
    pub fix: &'static str,
}
