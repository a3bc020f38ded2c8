//! A device's state and keys, and the settings of its app: for a person, and as JSON.

use serde::Serialize;

use crate::council::Council;
use crate::device::{DeviceAccount, DeviceReport, StatedSettings};
use crate::ui::{Lines, Text};

/// The header of [`DeviceObject::rows`].
pub const HEADER: [&str; 4] = ["path", "address", "signer", "owner of"];

/// A device and the keys on it that are somebody's.
#[derive(Debug, Serialize)]
pub struct DeviceObject<'a> {
    model: &'a str,
    app: &'a str,
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

impl<'a> DeviceObject<'a> {
    /// Keeps the first account, and each that the council names.
    pub fn new(report: &'a DeviceReport, accounts: &[DeviceAccount], council: Option<&'a Council>) -> Self {
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
            model: model(report),
            app: &report.version,
            blind_signing: report.blind_signing,
            advice: report.advice,
            accounts: held,
        }
    }

    pub fn rows(&self) -> Vec<Vec<String>> {
        let row =
            |one: &Held| vec![one.path.clone(), one.address.clone(), one.signer.into(), one.safes.join(", ")];
        self.accounts.iter().map(row).collect()
    }
}

fn model(report: &DeviceReport) -> &str {
    report.model.as_deref().unwrap_or("unknown over TCP")
}

/// Returns the model, the app and whether the device is ready.
pub fn lines(report: &DeviceReport) -> Lines {
    let app = format!(" {}, {}", model(report), report.app);
    let blind = if report.blind_signing { "on" } else { "off" };
    let lines = [
        Text::default().bold(report.device).add(&app),
        Text::new(&format!("Blind signing is {blind}")),
        Text::default().dim("  → ").add(report.advice),
    ];
    lines.into_iter().collect()
}

/// Returns what to set in the app; `path` is the file in which its person states it.
pub fn advice_on_settings(path: &str) -> Lines {
    let (heading, advice) = StatedSettings::ADVICE;
    let mut lines = Lines::default();
    lines.say(&Text::default().bold(heading));
    for line in advice {
        lines.say(&Text::new(&format!("  {line}")));
    }
    lines.say(&Text::new(&format!(
        "State what yours is set to in {path}, so that the review predicts by it:"
    )));
    lines
}

/// The settings that a person has stated, and the file for them.
#[derive(Debug, Serialize)]
pub struct SettingsObject<'a> {
    pub file: &'a str,
    #[serde(flatten)]
    pub stated: StatedSettings,
}
