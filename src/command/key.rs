//! The key that a command was given: a Ledger, or a keystore file and its password.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use alloy::consensus::TxEip1559;
use alloy::primitives::Address;

use crate::ceremony::settings::settings;
use crate::command::args;
use crate::council::Council;
use crate::device::{
    Account, DerivationPath, Device, DeviceError, Keystore, Ledger, Plugged, Target, Waiting, Watcher, meant,
    plugged_in,
};
use crate::error::{Error, Exit};
use crate::store;
use crate::ui::{Spinner, Ui, has_terminal};

/// The longest keystore: a real one has half a kilobyte.
const LONGEST_KEYSTORE: usize = 64 << 10;

/// A key that is ready to be asked.
pub enum Signer {
    Keystore(Keystore),
    Ledger(Box<Ledger>, Wait),
}

/// Says what the Ledger is waited for, while it is.
#[derive(Clone, Default)]
pub struct Wait(Rc<RefCell<Option<Spinner>>>);

impl Wait {
    fn watcher(&self) -> Watcher {
        let shown = Rc::clone(&self.0);
        Box::new(move |waiting: &Waiting<'_>| {
            let text = match waiting {
                Waiting::ToBeReady { why, left } => format!("{why} ({} s left)", left.as_secs()),
                Waiting::ForApproval => {
                    "look at your Ledger, compare, and approve or reject; Ctrl-C ends it".to_string()
                }
                Waiting::Searching { done, of } => format!("looking for the key: path {done} of {of}"),
                Waiting::ToLeaveTheMenu => {
                    "leave the settings on your Ledger: the review follows in a moment".to_string()
                }
            };
            shown.borrow_mut().get_or_insert_with(|| Spinner::start(&text)).update(&text);
        })
    }

    /// Runs what may have to wait, and takes the spinner away afterwards.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let result = work();
        self.0.borrow_mut().take();
        result
    }
}

impl Signer {
    /// Chooses the key of one of these addresses; on a Ledger it is looked for at the council's paths and the usual
    /// ones. Gives the address of the key, which need not be among them.
    pub fn choose(&mut self, council: &Council, among: &[Address]) -> Result<Address, Error> {
        let (ledger, wait) = match self {
            Self::Keystore(keystore) => return Ok(keystore.address()?),
            Self::Ledger(ledger, wait) => (ledger, wait),
        };
        let paths = paths(council)?;
        Ok(wait.during(|| ledger.choose(&paths, among))?.address)
    }

    /// Chooses the key of one owner. Where a Ledger holds those of several, its person is asked whose to use.
    pub fn choose_owner(&mut self, ui: &Ui, council: &Council, owners: &[Address]) -> Result<Address, Error> {
        let (ledger, wait) = match self {
            Self::Ledger(ledger, wait) if owners.len() > 1 && !ledger.uses_one_of(owners) => (ledger, wait),
            _ => return self.choose(council, owners),
        };
        let near = with_own(council, DerivationPath::near())?;
        let held = match wait.during(|| ledger.search(&near, owners)) {
            Err(DeviceError::NoOwner { .. }) => return self.choose(council, owners),
            held => held?,
        };
        let chosen = match held.len() {
            0 | 1 => 0,
            _ => {
                let told: Vec<String> = held.iter().map(|one| named_account(council, one)).collect();
                ui.choose("This Ledger holds the keys of several owners. Whose?", &told, "--as NAME")?
            }
        };
        let Some(account) = held.into_iter().nth(chosen) else { return self.choose(council, owners) };
        Ok(ledger.take(account).address)
    }

    /// The raw signed transaction; a Ledger's person is waited for.
    pub fn sign_transaction(&mut self, tx: &TxEip1559) -> Result<Vec<u8>, DeviceError> {
        match self {
            Self::Keystore(keystore) => keystore.sign_transaction(tx),
            Self::Ledger(ledger, wait) => wait.during(|| ledger.sign_transaction(tx)),
        }
    }

    #[must_use]
    pub fn ledger(&self) -> Option<&Ledger> {
        match self {
            Self::Keystore(_) => None,
            Self::Ledger(ledger, _) => Some(ledger),
        }
    }
}

/// Name, address and path.
fn named_account(council: &Council, account: &Account) -> String {
    let signer = council.signers.values().find(|signer| signer.address == account.address);
    let name = signer.map_or("", |signer| signer.name.as_str());
    format!("{name} {} at {}", account.address, account.path)
}

/// The address of the person who signs: `--as`, or `me` in their own settings. `None` where neither is said.
pub fn person(ui: &Ui, council: &Council, named: Option<&str>) -> Result<Option<Address>, Error> {
    let me = settings(ui)?.me;
    let Some(name) = named.or(me.as_deref()) else { return Ok(None) };
    match signer(council, name) {
        Err(_) if named.is_none() => Ok(None), // `me` may be of another council
        found => found.map(Some),
    }
}

/// The address of a signer of the council file.
pub fn signer(council: &Council, name: &str) -> Result<Address, Error> {
    council.signers.get(name).map(|signer| signer.address).ok_or_else(|| {
        let known: Vec<&str> = council.signers.keys().map(String::as_str).collect();
        Error::new(Exit::Usage, format!("no signer of the council file is called {name:?}"))
            .hint(format!("its signers: {}", known.join(", ")))
    })
}

/// The derivation paths to look at: the council's own first, then the usual ones.
pub fn paths(council: &Council) -> Result<Vec<DerivationPath>, Error> {
    with_own(council, DerivationPath::search_order())
}

/// These paths after the council's own, each once.
fn with_own(council: &Council, others: Vec<DerivationPath>) -> Result<Vec<DerivationPath>, Error> {
    let mut paths = Vec::new();
    for signer in council.signers.values() {
        if let Some(text) = &signer.path {
            let path = text.parse::<DerivationPath>().map_err(|e| {
                Error::new(Exit::Usage, format!("signer {}: {e}", signer.name))
                    .hint("fix its path in the council file")
            })?;
            paths.push(path);
        }
    }
    paths.extend(others);
    let mut seen = Vec::new();
    paths.retain(|path| {
        !seen.contains(path) && {
            seen.push(path.clone());
            true
        }
    });
    Ok(paths)
}

/// Opens the key that is named; a keystore's password is asked for unless a file holds it.
pub fn open(ui: &Ui, key: &args::Key) -> Result<Signer, Error> {
    named(key)?;
    if let Some(target) = key.ledger() {
        let wait = Wait::default();
        return Ok(Signer::Ledger(Box::new(ledger(ui, key, target, &wait)?), wait));
    }
    let Some(path) = &key.keystore else { return Err(unnamed()) };
    let text = store::read_text_up_to(LONGEST_KEYSTORE, path)?;
    let password = match &key.password_file {
        Some(file) => ui.receive(&file.display().to_string(), || store::read_password(file))?,
        None => ui.password(&format!("password of {}", path.display()), "--password-file FILE")?,
    };
    let unlocked = ui
        .wait("unlocking the keystore", || Keystore::unlock(&text, &password))
        .map_err(|e| Error::from(e).about(&path.display().to_string()))?;
    Ok(Signer::Keystore(unlocked))
}

/// The address that the named keystore states, before it is unlocked. `None` for a Ledger, which says it when asked.
pub fn stated(key: &args::Key) -> Result<Option<Address>, Error> {
    named(key)?;
    let keystore = key.keystore.as_ref().filter(|_| key.ledger().is_none());
    let text = keystore.map(|path| store::read_text_up_to(LONGEST_KEYSTORE, path));
    Ok(text.transpose()?.and_then(|text| Keystore::stated(&text)))
}

/// Waits until the Ledger is ready, and says what for.
pub fn ledger(ui: &Ui, key: &args::Key, target: &str, wait: &Wait) -> Result<Ledger, Error> {
    let mut target: Target = target.parse()?;
    if let Target::Usb { which } = &mut target {
        *which = match &key.ledger_serial {
            Some(wanted) => Some(wanted.clone()),
            None => one_of(ui, &plugged_in()?, has_terminal())?,
        };
    }
    if let Target::Tcp { model, .. } = &mut target {
        *model = key.model;
    }
    let patience = Duration::from_secs(key.timeout);
    Ok(wait.during(|| Ledger::open(target, patience, wait.watcher()))?)
}

/// The name of the one to use, where several are plugged in and a person can choose.
fn one_of(ui: &Ui, all: &[Plugged], can_ask: bool) -> Result<Option<String>, Error> {
    match meant(all, None) {
        Err(DeviceError::Several(_)) if can_ask => {
            let told: Vec<String> = all.iter().map(ToString::to_string).collect();
            let chosen = ui.choose("Which Ledger?", &told, "--ledger-serial SERIAL")?;
            Ok(all.get(chosen).map(|one| one.own_name(all).to_string()))
        }
        Err(several @ DeviceError::Several(_)) => Err(several.into()),
        // Where there is none yet, it is waited for.
        _ => Ok(None),
    }
}

/// Whether a key is named at all: asked before anything slow.
pub fn named(key: &args::Key) -> Result<(), Error> {
    if key.ledger().is_some() || key.keystore.is_some() { Ok(()) } else { Err(unnamed()) }
}

fn unnamed() -> Error {
    Error::new(Exit::Usage, "no key is named to sign with").hint("pass --ledger, or --keystore FILE")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Model;

    #[test]
    fn several_ledgers_and_nobody_to_ask_is_a_matter_of_usage() {
        let one = |path: &str| Plugged { model: Model::Flex, serial: None, path: path.into() };
        let ui = Ui::new(false);
        assert_eq!(one_of(&ui, &[], false).unwrap(), None);
        assert_eq!(one_of(&ui, &[one("a")], false).unwrap(), None);
        let error = one_of(&ui, &[one("/dev/hidraw3"), one("/dev/hidraw5")], false).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        for said in ["--ledger-serial", "/dev/hidraw3", "/dev/hidraw5"] {
            assert!(error.message.contains(said), "{error}");
        }
    }
}
