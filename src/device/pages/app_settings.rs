//! The settings of the Ethereum app that change what it shows.

use serde::{Deserialize, Serialize};

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct StatedSettings {
    pub raw_messages: Option<bool>,
    pub transaction_hash: Option<bool>,
    pub nonce: Option<bool>,
    pub debug_contracts: Option<bool>,
}

/// The pages of a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prediction {
    /// In words, the settings that tell it from other reviews that are possible. Empty if there is no other.
    pub settings: String,
    pub pages: Pages,
}

type Switch = fn(&AppSettings) -> bool;

impl AppSettings {
    /// The settings that cannot be read from outside and differ among these, in words.
    fn describe(self, all: &[(Self, Pages)]) -> String {
        let switches: [(&str, Switch); 4] = [
            ("Raw messages", |s| s.raw_messages),
            ("Transaction hash", |s| s.transaction_hash),
            ("Nonce", |s| s.nonce),
            ("Debug contracts", |s| s.debug_contracts),
        ];
        let differs = |get: &Switch| all.iter().any(|(other, _)| get(other) != get(&self));
        let told = switches
            .iter()
            .filter(|(_, get)| differs(get))
            .map(|(name, get)| format!("{name} {}", if get(&self) { "on" } else { "off" }));
        told.collect::<Vec<_>>().join(", ")
    }
}

impl StatedSettings {
    /// The setting to make in the app.
    pub const ADVICE: (&'static str, [&'static str; 4]) = (
        "In the Ethereum app's settings, for signing as an owner:",
        [
            "Raw messages on        the Ledger shows every field",
            "Blind signing off      on only while it pays for gas, or for --hashes",
            "Transaction hash on    it shows both hashes too: they commit to every byte",
            "Nonce, Debug contracts as you like; with Debug contracts on, paying for gas takes about 70 pages",
        ],
    );

    /// Returns the lines of the settings file, with what is stated or else recommended.
    pub fn to_toml(self) -> String {
        let Self { raw_messages, transaction_hash, nonce, debug_contracts } = self;
        let recommended = [
            ("raw_messages", raw_messages, true),
            ("transaction_hash", transaction_hash, true),
            ("nonce", nonce, false),
            ("debug_contracts", debug_contracts, false),
        ];
        let lines =
            recommended.map(|(name, stated, first)| format!("{name} = {}\n", stated.unwrap_or(first)));
        format!("[ledger]\n{}", lines.concat())
    }

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
        let mut all: Vec<(AppSettings, Pages)> = Vec::new();
        for settings in self.possible(status) {
            let pages = show(settings);
            if !all.iter().any(|(_, known)| known.all == pages.all) {
                all.push((settings, pages));
            }
        }
        if all.iter().any(|(_, pages)| !pages.refused) {
            all.retain(|(_, pages)| !pages.refused);
        }
        let settings: Vec<String> = all.iter().map(|(settings, _)| settings.describe(&all)).collect();
        let pages = all.into_iter().map(|(_, pages)| pages);
        settings.into_iter().zip(pages).map(|(settings, pages)| Prediction { settings, pages }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_are_not_stated_are_proposed_as_recommended() {
        let none = StatedSettings::default();
        let recommended = "[ledger]\nraw_messages = true\ntransaction_hash = true\nnonce = false\n\
                           debug_contracts = false\n";
        assert_eq!(none.to_toml(), recommended);
        let own = StatedSettings { raw_messages: Some(false), nonce: Some(true), ..none }.to_toml();
        assert!(own.contains("raw_messages = false\n") && own.contains("\nnonce = true\n"), "{own}");
    }
}
