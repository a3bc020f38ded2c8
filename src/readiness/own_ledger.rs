//! The Ledger of this machine: its app, its settings as far as they are known, and whose keys it holds. Pure.

use alloy::primitives::Address;

use super::told::{GapReport, not_ready, warning};
use crate::council::Council;
use crate::device::{AppVersion, Model, StatedSettings, Status};

/// The remedy for a setting of the app.
const SETTINGS: &str = "set it in the Ethereum app; breakglass device --settings says how";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExaminedLedger {
    pub status: Status,
    /// The settings that the app does not tell, as the reader's own settings state them.
    pub stated: StatedSettings,
    /// The council's signers whose keys it holds.
    pub held: Vec<Address>,
    /// The address at the first path that was looked at.
    pub first: Address,
    pub signs: bool,
    pub pays: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerGap {
    /// An app that shows two hashes and no field.
    OldApp(AppVersion),
    /// It may sign what it does not show.
    BlindSigningOn,
    /// It signs and pays, for which Blind signing must be off and on.
    SignsAndPays,
    /// By the reader's own settings. The Ledger then refuses to sign, or shows two hashes and no field.
    RawMessagesOff { refuses: bool },
    /// It does not show the hashes that commit to every byte.
    TransactionHashOff,
    /// Settings that neither the app nor the reader tells.
    Untold(Vec<&'static str>),
    /// One device holds the keys of several owners of a Safe: whoever has it signs as all of them.
    Shared { safe: String, names: Vec<String> },
}

impl LedgerGap {
    pub(super) fn report(&self) -> GapReport {
        match self {
            Self::OldApp(version) => not_ready(
                "ledger-app",
                format!(
                    "Ethereum app {version} on your Ledger shows two hashes and nothing of what is signed"
                ),
                "update the Ethereum app with Ledger's own wallet program",
            ),
            Self::BlindSigningOn => warning(
                "ledger-blind",
                "Blind signing is on in the Ethereum app of your Ledger".into(),
                "turn it off there: it is needed only to pay for gas, or for --hashes",
            ),
            Self::SignsAndPays => warning(
                "ledger-pays",
                "your Ledger signs and pays for gas: to pay, Blind signing must be turned on, and off again"
                    .into(),
                "name a keystore with a little ether as payer in your settings",
            ),
            Self::RawMessagesOff { refuses } => {
                let then =
                    if *refuses { "the Ledger refuses to sign" } else { "it shows two hashes and no field" };
                not_ready(
                    "ledger-raw",
                    format!("your settings say that Raw messages is off in the Ethereum app: {then}"),
                    SETTINGS,
                )
            }
            Self::TransactionHashOff => warning(
                "ledger-hash",
                "your settings say that Transaction hash is off: of long data the Ledger shows the beginning"
                    .into(),
                SETTINGS,
            ),
            Self::Untold(names) => warning(
                "ledger-untold",
                format!("the Ethereum app does not tell whether {} is on", names.join(" or ")),
                "look on the Ledger, and write it into your settings: breakglass device --settings",
            ),
            Self::Shared { safe, names } => warning(
                "ledger-shared",
                format!("{safe}: one Ledger holds the keys of {}", names.join(" and ")),
                "keep them on different devices: a person who has this one can sign as all of them",
            ),
        }
    }
}

/// Returns what is wrong with a Ledger that answered. One that holds no owner's key is told with the keys.
pub fn gaps(council: &Council, seen: &ExaminedLedger) -> Vec<LedgerGap> {
    let ExaminedLedger { status, stated, signs, pays, .. } = seen;
    let mut gaps = Vec::new();
    if !signs {
        return gaps;
    }
    if *pays {
        gaps.push(LedgerGap::SignsAndPays);
    } else if status.blind_signing {
        gaps.push(LedgerGap::BlindSigningOn);
    }
    if status.takes_fields {
        // A large screen shows every field whatever the setting.
        let is_large = status.model.is_some_and(Model::is_large);
        let raw = stated.raw_messages.or(is_large.then_some(true));
        if raw == Some(false) {
            gaps.push(LedgerGap::RawMessagesOff { refuses: !status.blind_signing });
        }
        if stated.transaction_hash == Some(false) {
            gaps.push(LedgerGap::TransactionHashOff);
        }
        let settings = [("Raw messages", raw), ("Transaction hash", stated.transaction_hash)];
        let untold: Vec<&str> =
            settings.iter().filter(|(_, told)| told.is_none()).map(|(name, _)| *name).collect();
        gaps.extend((!untold.is_empty()).then_some(LedgerGap::Untold(untold)));
    } else {
        gaps.push(LedgerGap::OldApp(status.version));
    }
    gaps.extend(shared(council, &seen.held));
    gaps
}

/// Returns the Safes of which the device holds several owners' keys, by the council file.
fn shared(council: &Council, held: &[Address]) -> Vec<LedgerGap> {
    let name = |owner: &Address| council.signer_name(*owner);
    let of_safe = |(safe, owners): (&String, Vec<&Address>)| {
        let names: Vec<String> = owners.into_iter().filter(|owner| held.contains(owner)).map(name).collect();
        (names.len() > 1).then(|| LedgerGap::Shared { safe: safe.clone(), names })
    };
    let safes = council.safes.iter();
    let owners = safes.filter_map(|(name, safe)| Some((name, safe.owners.as_ref()?.list().iter().collect())));
    owners.filter_map(of_safe).collect()
}

#[cfg(test)]
mod tests {
    use super::super::GapLevel;
    use super::*;
    use crate::council::tests::written::CouncilText;

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

    fn council() -> Council {
        let [alice, bob, carol, guardian] = [1, 2, 3, 9].map(Address::repeat_byte);
        let text = CouncilText::new().signer("alice", alice).signer("bob", bob).signer("carol", carol);
        text.safe("guardian", guardian, &["alice", "bob", "carol"], 2).council()
    }

    fn ids(change: impl FnOnce(&mut ExaminedLedger)) -> Vec<(&'static str, GapLevel)> {
        let first = Address::repeat_byte(1);
        let mut seen = ExaminedLedger {
            status: STATUS,
            stated: READY,
            held: vec![first],
            first,
            signs: true,
            pays: false,
        };
        change(&mut seen);
        gaps(&council(), &seen).iter().map(LedgerGap::report).map(|told| (told.id, told.level)).collect()
    }

    #[test]
    fn each_setting_that_is_off_or_untold_is_a_gap_of_its_own() {
        use GapLevel::{NotReady, Warning};
        assert_eq!(ids(|_| ()), []);
        assert_eq!(ids(|seen| seen.status.blind_signing = true), [("ledger-blind", Warning)]);
        assert_eq!(ids(|seen| seen.stated.raw_messages = Some(false)), [("ledger-raw", NotReady)]);
        assert_eq!(ids(|seen| seen.stated.transaction_hash = Some(false)), [("ledger-hash", Warning)]);
        assert_eq!(ids(|seen| seen.stated = StatedSettings::default()), [("ledger-untold", Warning)]);
        assert_eq!(ids(|seen| seen.status.takes_fields = false), [("ledger-app", NotReady)]);
        assert_eq!(ids(|seen| seen.pays = true), [("ledger-pays", Warning)]);
        let only_pays = |seen: &mut ExaminedLedger| {
            (seen.signs, seen.pays, seen.status.blind_signing) = (false, true, true);
        };
        assert_eq!(ids(only_pays), [], "to pay it is turned on");
    }

    #[test]
    fn a_large_screen_shows_every_field_whatever_raw_messages_is() {
        let on_flex = |raw| {
            ids(|seen| {
                seen.status.model = Some(Model::Flex);
                seen.stated.raw_messages = raw;
            })
        };
        assert_eq!(on_flex(None), []);
        assert_eq!(on_flex(Some(true)), []);
    }

    #[test]
    fn one_device_with_two_owners_of_a_safe_is_told_with_their_names() {
        let held = [1, 3].map(Address::repeat_byte);
        let told: Vec<String> = shared(&council(), &held).iter().map(|gap| gap.report().sentence).collect();
        assert_eq!(told, ["guardian: one Ledger holds the keys of alice and carol"]);
        assert_eq!(shared(&council(), &held[..1]), []);
    }
}
