//! The settings of the Ethereum app that change what it shows.

use super::Pages;
use crate::device::app_status::Status;

/// The settings of the app. Only [`Self::blind_signing`] and [`Self::transaction_check`] can be read from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // independent switches, named as on the device
pub struct AppSettings {
    pub blind_signing: bool,
    pub raw_messages: bool,
    /// "Transaction hash": always show the hashes of what is signed.
    pub transaction_hash: bool,
    pub nonce: bool,
    pub debug_contracts: bool,
    /// On large screens only.
    pub transaction_check: bool,
}

/// The settings of the app as the person states them; `None` where they did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatedSettings {
    pub raw_messages: Option<bool>,
    pub transaction_hash: Option<bool>,
    pub nonce: Option<bool>,
    pub debug_contracts: Option<bool>,
}

/// The pages that are shown with these settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prediction {
    pub settings: AppSettings,
    pub pages: Pages,
}

type Switch = fn(&AppSettings) -> bool;

impl AppSettings {
    /// The settings that cannot be read from outside and differ among these, in words.
    pub fn describe(self, all: &[Prediction]) -> String {
        let switches: [(&str, Switch); 4] = [
            ("Raw messages", |s| s.raw_messages),
            ("Transaction hash", |s| s.transaction_hash),
            ("Nonce", |s| s.nonce),
            ("Debug contracts", |s| s.debug_contracts),
        ];
        let differs = |get: &Switch| all.iter().any(|other| get(&other.settings) != get(&self));
        let told = switches
            .iter()
            .filter(|(_, get)| differs(get))
            .map(|(name, get)| format!("{name} {}", if get(&self) { "on" } else { "off" }));
        told.collect::<Vec<_>>().join(", ")
    }
}

impl StatedSettings {
    /// Every setting that the device can have, given what it answers and what its person says. The recommended one is
    /// first where it is possible. "Debug contracts" counts as off unless it is said to be on.
    pub fn possible(&self, status: &Status) -> Vec<AppSettings> {
        let both =
            |said: Option<bool>, first: bool| said.map_or_else(|| vec![first, !first], |said| vec![said]);
        let mut all = Vec::new();
        for nonce in both(self.nonce, false) {
            for raw_messages in both(self.raw_messages, !status.blind_signing) {
                for transaction_hash in both(self.transaction_hash, true) {
                    all.push(AppSettings {
                        blind_signing: status.blind_signing,
                        raw_messages,
                        transaction_hash,
                        nonce,
                        debug_contracts: self.debug_contracts.unwrap_or(false),
                        transaction_check: status.transaction_check,
                    });
                }
            }
        }
        all
    }

    /// Returns what the device can show, each once. Where some of the possible settings sign, those that refuse are left out.
    pub fn predict(&self, status: &Status, show: impl Fn(AppSettings) -> Pages) -> Vec<Prediction> {
        let mut all: Vec<Prediction> = Vec::new();
        for settings in self.possible(status) {
            let pages = show(settings);
            if !all.iter().any(|known| known.pages.all == pages.all) {
                all.push(Prediction { settings, pages });
            }
        }
        if all.iter().any(|one| !one.pages.refused) {
            all.retain(|one| !one.pages.refused);
        }
        all
    }
}
