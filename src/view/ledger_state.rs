//! A Ledger's state and keys, and the settings of its app: for a person, and as JSON.

use serde::Serialize;

use crate::council::Council;
use crate::device::{LedgerAccount, StatedSettings, Status};
use crate::ui::{Lines, Text};

/// The header of [`LedgerState::rows`].
pub const HEADER: [&str; 4] = ["path", "address", "signer", "owner of"];

/// The settings of the Ethereum app, with the values that are recommended.
const RECOMMENDED: [(&str, bool); 4] =
    [("raw_messages", true), ("transaction_hash", true), ("nonce", false), ("debug_contracts", false)];

/// A Ledger and the keys on it that are somebody's.
#[derive(Debug, Serialize)]
pub struct LedgerState<'a> {
    model: String,
    app: String,
    blind_signing: bool,
    advice: &'static str,
    accounts: Vec<Held<'a>>,
}

#[derive(Debug, Serialize)]
struct Held<'a> {
    path: String,
    address: String,
    /// Empty if the council has no signer with this address.
    signer: &'a str,
    /// The Safes that the council file names it an owner of.
    safes: Vec<&'a str>,
}

impl<'a> LedgerState<'a> {
    /// Keeps the first account, and each that the council names.
    pub fn new(status: &Status, accounts: &[LedgerAccount], council: Option<&'a Council>) -> Self {
        let mut held: Vec<Held> = Vec::new();
        for account in accounts {
            let signer = council.and_then(|council| council.signer_at(account.address));
            let safes = council.into_iter().flat_map(|council| council.safes.values());
            let safes: Vec<&str> = safes
                .filter(|safe| safe.owners.as_ref().is_some_and(|owners| owners.contains(account.address)))
                .map(|safe| safe.name.as_str())
                .collect();
            if held.is_empty() || signer.is_some() || !safes.is_empty() {
                held.push(Held {
                    path: account.path.to_string(),
                    address: account.address.to_string(),
                    signer: signer.map_or("", |signer| signer.name.as_str()),
                    safes,
                });
            }
        }
        Self {
            model: model(status),
            app: status.version.to_string(),
            blind_signing: status.blind_signing,
            advice: status.advice(),
            accounts: held,
        }
    }

    pub fn rows(&self) -> Vec<Vec<String>> {
        let row =
            |one: &Held| vec![one.path.clone(), one.address.clone(), one.signer.into(), one.safes.join(", ")];
        self.accounts.iter().map(row).collect()
    }
}

fn model(status: &Status) -> String {
    status.model.map_or("unknown over TCP".to_string(), |model| model.to_string())
}

/// Returns the model, the app and whether the Ledger is ready.
pub fn lines(status: &Status) -> Lines {
    let app = format!("{}, Ethereum app {}", model(status), status.version);
    let blind = if status.blind_signing { "on" } else { "off" };
    let lines = [
        Text::default().bold("Ledger ").add(&app),
        Text::new(&format!("Blind signing is {blind}")),
        Text::default().dim("  → ").add(status.advice()),
    ];
    lines.into_iter().collect()
}

/// Returns what to set in the Ethereum app; `path` is the file in which its person states it.
pub fn advice_on_settings(path: &str) -> Lines {
    let mut lines = Lines::default();
    lines.say(&Text::default().bold("In the Ethereum app's settings, for signing as an owner:"));
    for line in [
        "Raw messages on        the Ledger shows every field",
        "Blind signing off      on only while it pays for gas, or for --hashes",
        "Transaction hash on    it shows both hashes too: they commit to every byte",
        "Nonce, Debug contracts as you like; with Debug contracts on, paying for gas takes about 70 pages",
    ] {
        lines.say(&Text::new(&format!("  {line}")));
    }
    lines.say(&Text::new(&format!(
        "State what yours is set to in {path}, so that the review predicts by it:"
    )));
    lines
}

/// Returns the lines of the settings file, with what was stated or else is recommended.
pub fn settings_to_state(stated: StatedSettings) -> String {
    let StatedSettings { raw_messages, transaction_hash, nonce, debug_contracts } = stated;
    let stated = [raw_messages, transaction_hash, nonce, debug_contracts];
    let line = |((name, recommended), stated): (&(&str, bool), Option<bool>)| {
        format!("{name} = {}\n", stated.unwrap_or(*recommended))
    };
    format!("[ledger]\n{}", RECOMMENDED.iter().zip(stated).map(line).collect::<String>())
}

/// The settings that a person has stated, and the file for them.
#[derive(Debug, Serialize)]
pub struct SettingsObject<'a> {
    file: &'a str,
    raw_messages: Option<bool>,
    transaction_hash: Option<bool>,
    nonce: Option<bool>,
    debug_contracts: Option<bool>,
}

impl<'a> SettingsObject<'a> {
    pub const fn new(file: &'a str, stated: StatedSettings) -> Self {
        let StatedSettings { raw_messages, transaction_hash, nonce, debug_contracts } = stated;
        Self { file, raw_messages, transaction_hash, nonce, debug_contracts }
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
        assert_eq!(settings_to_state(none), recommended);
        let stated = StatedSettings { raw_messages: Some(false), nonce: Some(true), ..none };
        let own = settings_to_state(stated);
        assert!(own.contains("raw_messages = false\n") && own.contains("\nnonce = true\n"), "{own}");
    }
}
