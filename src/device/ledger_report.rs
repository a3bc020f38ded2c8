//! A Ledger's report: its app, and which of its settings are wrong, as far as they are known.

use super::app_status::Status;
use super::ledger::Ledger;
use super::pages::StatedSettings;
use super::plugged::Model;
use super::screen::{DeviceGap, DeviceReport, DeviceUse};

/// The program that signs.
pub(super) const APP: &str = "Ethereum app";
/// The remedy for a setting of the app.
const SETTINGS: &str = "set it in the Ethereum app; breakglass device --settings says how";

pub fn report(status: &Status, stated: StatedSettings, used: &DeviceUse) -> DeviceReport {
    let told = [("raw_messages", stated.raw_messages), ("transaction_hash", stated.transaction_hash)];
    DeviceReport {
        device: Ledger::NAME,
        model: status.model.map(|model| model.to_string()),
        app: format!("{APP} {}", status.version),
        version: status.version.to_string(),
        blind_signing: status.blind_signing,
        advice: status.advice(),
        stated: told.into(),
        gaps: gaps(status, stated, used),
    }
}

fn not_ready(id: &'static str, sentence: String, fix: &'static str) -> DeviceGap {
    DeviceGap { id, keeps_from_signing: true, sentence, fix }
}

fn warning(id: &'static str, sentence: impl Into<String>, fix: &'static str) -> DeviceGap {
    DeviceGap { id, keeps_from_signing: false, sentence: sentence.into(), fix }
}

fn gaps(status: &Status, stated: StatedSettings, used: &DeviceUse) -> Vec<DeviceGap> {
    let mut gaps = Vec::new();
    if used.pays {
        gaps.push(warning(
            "ledger-pays",
            "your Ledger signs and pays for gas: to pay, Blind signing must be turned on, and off again",
            "name a keystore with a little ether as payer in your settings",
        ));
    } else if status.blind_signing {
        gaps.push(warning(
            "ledger-blind",
            "Blind signing is on in the Ethereum app of your Ledger",
            "turn it off there: it is needed only to pay for gas, or for --hashes",
        ));
    }
    if status.takes_fields {
        gaps.extend(of_settings(status, stated));
    } else {
        gaps.push(not_ready(
            "ledger-app",
            format!("{APP} {} on your Ledger shows two hashes and nothing of what is signed", status.version),
            "update the Ethereum app with Ledger's own wallet program",
        ));
    }
    gaps.extend(used.shared.iter().map(|(safe, names)| {
        warning(
            "ledger-shared",
            format!("{safe}: one Ledger holds the keys of {}", names.join(" and ")),
            "keep them on different devices: a person who has this one can sign as all of them",
        )
    }));
    gaps
}

/// Returns the settings that are off by their person's word, and those that nobody tells.
fn of_settings(status: &Status, stated: StatedSettings) -> Vec<DeviceGap> {
    let mut gaps = Vec::new();
    // A large screen shows every field whatever the setting.
    let is_large = status.model.is_some_and(Model::is_large);
    let raw = stated.raw_messages.or(is_large.then_some(true));
    if raw == Some(false) {
        let then = if status.blind_signing {
            "it shows two hashes and no field"
        } else {
            "the Ledger refuses to sign"
        };
        let sentence = format!("your settings say that Raw messages is off in the Ethereum app: {then}");
        gaps.push(not_ready("ledger-raw", sentence, SETTINGS));
    }
    if stated.transaction_hash == Some(false) {
        let sentence =
            "your settings say that Transaction hash is off: of long data the Ledger shows the beginning";
        gaps.push(warning("ledger-hash", sentence, SETTINGS));
    }
    let settings = [("Raw messages", raw), ("Transaction hash", stated.transaction_hash)];
    let untold: Vec<&str> =
        settings.iter().filter(|(_, told)| told.is_none()).map(|(name, _)| *name).collect();
    if !untold.is_empty() {
        gaps.push(warning(
            "ledger-untold",
            format!("the Ethereum app does not tell whether {} is on", untold.join(" or ")),
            "look on the Ledger, and write it into your settings: breakglass device --settings",
        ));
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::AppVersion;

    const READY: StatedSettings = StatedSettings {
        raw_messages: Some(true),
        transaction_hash: Some(true),
        nonce: None,
        debug_contracts: None,
    };
    const STATUS: Status = Status {
        model: Some(Model::NanoSPlus),
        version: AppVersion(1, 22, 0),
        blind_signing: false,
        transaction_check: false,
        takes_fields: true,
    };

    /// The ids, and `true` for each that keeps from signing.
    fn ids(
        change: impl FnOnce(&mut Status, &mut StatedSettings, &mut DeviceUse),
    ) -> Vec<(&'static str, bool)> {
        let (mut status, mut stated, mut used) = (STATUS, READY, DeviceUse::default());
        change(&mut status, &mut stated, &mut used);
        gaps(&status, stated, &used).iter().map(|gap| (gap.id, gap.keeps_from_signing)).collect()
    }

    #[test]
    fn each_setting_that_is_off_or_untold_is_a_gap_of_its_own() {
        assert_eq!(ids(|_, _, _| ()), []);
        assert_eq!(ids(|status, _, _| status.blind_signing = true), [("ledger-blind", false)]);
        assert_eq!(ids(|_, stated, _| stated.raw_messages = Some(false)), [("ledger-raw", true)]);
        assert_eq!(ids(|_, stated, _| stated.transaction_hash = Some(false)), [("ledger-hash", false)]);
        assert_eq!(ids(|_, stated, _| *stated = StatedSettings::default()), [("ledger-untold", false)]);
        assert_eq!(ids(|status, _, _| status.takes_fields = false), [("ledger-app", true)]);
        let pays = |status: &mut Status, _: &mut StatedSettings, used: &mut DeviceUse| {
            (status.blind_signing, used.pays) = (true, true);
        };
        assert_eq!(ids(pays), [("ledger-pays", false)], "to pay it is turned on");
    }

    #[test]
    fn a_large_screen_shows_every_field_whatever_raw_messages_is() {
        let on_flex = |raw| {
            ids(|status, stated, _| {
                (status.model, stated.raw_messages) = (Some(Model::Flex), raw);
            })
        };
        assert_eq!(on_flex(None), []);
        assert_eq!(on_flex(Some(true)), []);
    }

    #[test]
    fn one_device_with_two_owners_of_a_safe_is_told_with_their_names() {
        let shared = vec![("guardian".into(), vec!["alice".into(), "carol".into()])];
        let told = gaps(&STATUS, READY, &DeviceUse { pays: false, shared });
        let sentences: Vec<&str> = told.iter().map(|gap| gap.sentence.as_str()).collect();
        assert_eq!(sentences, ["guardian: one Ledger holds the keys of alice and carol"]);
    }
}
