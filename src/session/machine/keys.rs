//! The key that a command was given: a Ledger, or a keystore file and its password.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::thread::sleep;
use std::time::Duration;

use alloy::consensus::TxEip1559;
use alloy::primitives::{Address, Signature};

use crate::ceremony::folder::own_settings::settings;
use crate::cli::args;
use crate::council::Council;
use crate::device::{
    DerivationPath, DeviceError, Key, Keystore, Ledger, LedgerLocation, LongText, Plugged, SearchPaths,
    SigningRequest, Waiting, Watcher, choose_plugged, plugged_in,
};
use crate::error::{Error, Exit};
use crate::near::near;
use crate::safe::{EcdsaSignature, Pause, PauseSignature};
use crate::session::machine::long_wait::{LongWait, waited_for};
use crate::store;
use crate::ui::{Spinner, Text, Ui, has_terminal};

/// The longest keystore: a real one has half a kilobyte.
const LONGEST_KEYSTORE: usize = 64 << 10;
/// The number of times that a password may be typed.
const TRIES: u8 = 3;
/// Time for a person without a terminal to leave the settings of the Ledger.
const LEAVING: Duration = Duration::from_secs(8);

/// A key that is ready to be asked, and the person who holds it.
pub struct KeyHolder {
    key: Key,
    wait: Wait,
    /// Whose key was chosen: the next transaction is theirs too.
    owner: Option<Address>,
}

/// Says what the Ledger is waited for, while it is.
#[derive(Clone, Default)]
pub struct Wait(Rc<RefCell<Option<Spinner>>>);

impl Wait {
    fn watcher(&self) -> Watcher {
        let shown = Rc::clone(&self.0);
        let mut long = LongWait::default();
        Box::new(move |waiting: &Waiting<'_>| {
            let text = match waiting {
                Waiting::ToBeReady { why, left } => format!("{why} ({} s left)", left.as_secs()),
                Waiting::ForApproval => {
                    "look at your Ledger, compare, and approve or reject; Ctrl-C ends it".to_string()
                }
                Waiting::Searching { done, of } => format!("looking for the key: path {done} of {of}"),
                Waiting::ForTheAppToOpen => {
                    "no app is open on the Ledger: agree there that it opens the Ethereum app".to_string()
                }
            };
            let mut shown = shown.borrow_mut();
            match &*shown {
                Some(spinner) if !matches!(waiting, Waiting::ForApproval) => spinner.update(&text),
                // The time that is shown is that of the review.
                _ => *shown = Some(Spinner::start(&text)),
            }
            if let (Waiting::ToBeReady { why, left }, Some(spinner)) = (waiting, &*shown)
                && long.is_news(&why.to_string(), *left)
            {
                spinner.say(&waited_for(why, *left));
            }
        })
    }

    /// Runs what may have to wait, and takes the spinner away afterwards.
    pub fn with_spinner<T>(&self, work: impl FnOnce() -> T) -> T {
        let result = work();
        self.0.borrow_mut().take();
        result
    }
}

impl KeyHolder {
    /// Returns the address that pays for gas: on a Ledger at the council's first path, else at the usual one.
    pub fn payer(&mut self, council: &Council) -> Result<Address, Error> {
        let paths = paths(council)?;
        Ok(self.wait.with_spinner(|| self.key.payer(&paths))?)
    }

    /// Chooses the key of one owner, looked for at the council's paths and the usual ones. Where a Ledger holds those of
    /// several, its person is asked whose to use. A keystore's own address need not be among the owners.
    ///
    /// # Errors
    /// If the device does not answer or holds none of them, or if the person stops at the question.
    pub fn choose_owner(&mut self, ui: &Ui, council: &Council, owners: &[Address]) -> Result<Address, Error> {
        if let Some(owner) = self.owner.filter(|owner| owners.contains(owner)) {
            return Ok(owner);
        }
        let paths = paths(council)?;
        let held = self.wait.with_spinner(|| self.key.find(&paths, owners)).map_err(|why| match why {
            DeviceError::NoOwner { .. } => {
                let sought: Vec<String> = owners.iter().map(|owner| named(council, *owner)).collect();
                Error::from(why).hint(format!("it needs the key of {}", sought.join(", or of ")))
            }
            why => why.into(),
        })?;
        let chosen = if held.len() > 1 {
            let told: Vec<String> = held.iter().map(|one| named(council, *one)).collect();
            ui.choose("This Ledger holds the keys of several owners. Whose?", &told, "--as NAME")?
        } else {
            0
        };
        let owner = held.get(chosen).copied().ok_or_else(|| unnamed(KeyPurpose::Signing))?;
        self.owner = Some(owner);
        Ok(owner)
    }

    /// Returns an owner's signature. A setting that the Ledger needs for it is waited for, or asked for.
    pub fn sign_safe_tx(&mut self, ui: &Ui, request: &SigningRequest) -> Result<EcdsaSignature, Error> {
        if self.ledger().is_some_and(|ledger| ledger.needs_blind_signing(request)) {
            self.await_blind_signing(ui)?;
        }
        loop {
            match self.wait.with_spinner(|| self.key.sign_safe_tx(request)) {
                Err(why @ DeviceError::RawMessagesOff) if has_terminal() => {
                    ui.say(&Text::default().warn("! ").add(&why.to_string()));
                    leave_the_menu(ui)?;
                }
                signature => return Ok(signature?),
            }
        }
    }

    /// Returns the signature of a text as a personal message, by the owner whose key was chosen.
    pub fn sign_text(&mut self, text: &LongText, owner: Address) -> Result<Signature, Error> {
        Ok(self.wait.with_spinner(|| self.key.sign_text(text, owner))?)
    }

    /// Returns the deputy's signature of a pause. A Ledger shows its two hashes, with "Blind signing" on, and nothing else.
    pub fn sign_pause(&mut self, ui: &Ui, pause: &Pause, deputy: Address) -> Result<PauseSignature, Error> {
        if self.ledger().is_some() {
            let text = "the Ledger shows two hashes, domain and message: compare both with the lines above";
            ui.say(&Text::default().warn("! ").add(text));
            self.await_blind_signing(ui)?;
        }
        Ok(self.wait.with_spinner(|| self.key.sign_pause(pause, deputy))?)
    }

    /// Returns the raw signed transaction. A Ledger signs a call only with "Blind signing" on, which is waited for.
    pub fn sign_transaction(&mut self, ui: &Ui, tx: &TxEip1559, from: Address) -> Result<Vec<u8>, Error> {
        if !tx.input.is_empty() {
            self.await_blind_signing(ui)?;
        }
        Ok(self.wait.with_spinner(|| self.key.sign_transaction(tx, from))?)
    }

    fn await_blind_signing(&mut self, ui: &Ui) -> Result<(), Error> {
        let Key::Ledger(ledger) = &mut self.key else { return Ok(()) };
        if self.wait.with_spinner(|| ledger.await_blind_signing())? {
            leave_the_menu(ui)?;
        }
        Ok(())
    }

    pub fn ledger(&self) -> Option<&Ledger> {
        self.key.ledger()
    }

    /// Returns `true` if its person compares and approves on the key itself.
    pub fn has_screen(&self) -> bool {
        self.key.has_screen()
    }
}

/// A person who changed a setting is in the menu, and would not see a review that begins there: it begins when they say so, or
/// after a moment where nobody can.
fn leave_the_menu(ui: &Ui) -> Result<(), Error> {
    if has_terminal() {
        return Ok(ui.pause(
            "Leave the settings on the Ledger, until it says that the app is ready; then press Enter",
        )?);
    }
    ui.say(&Text::new("leave the settings on the Ledger: the review follows in a moment"));
    sleep(LEAVING);
    Ok(())
}

fn named(council: &Council, address: Address) -> String {
    format!("{} {address}", council.signer_at(address).map_or("", |signer| signer.name.as_str()))
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

pub fn signer(council: &Council, name: &str) -> Result<Address, Error> {
    council.signers.get(name).map(|signer| signer.address).ok_or_else(|| {
        let known: Vec<&str> = council.signers.keys().map(String::as_str).collect();
        Error::new(Exit::Usage, format!("no signer of the council file is called {name:?}"))
            .hint(format!("its signers: {}", known.join(", ")))
    })
}

/// Where keys are looked for: at the council's own paths first, then at the usual ones.
pub fn paths(council: &Council) -> Result<SearchPaths, Error> {
    let mut own = Vec::new();
    for signer in council.signers.values() {
        if let Some(text) = &signer.path {
            let path = text.parse::<DerivationPath>().map_err(|e| {
                Error::new(Exit::Usage, format!("signer {}: {e}", signer.name))
                    .hint("fix its path in the council file")
            })?;
            own.push(path);
        }
    }
    Ok(SearchPaths::after(own))
}

/// The use of a key: it decides which of the person's settings names it.
#[derive(Clone, Copy, Debug)]
pub enum KeyPurpose {
    Signing,
    Paying,
}

/// A key that is named, and not open yet.
pub enum NamedKey {
    Ledger(String),
    Keystore {
        path: PathBuf,
        text: String,
        /// The address that it states, until it is unlocked.
        stated: Option<Address>,
    },
}

impl NamedKey {
    /// Returns the address that a keystore states. `None` for a Ledger, which says it when asked.
    pub const fn stated(&self) -> Option<Address> {
        match self {
            Self::Ledger(_) => None,
            Self::Keystore { stated, .. } => *stated,
        }
    }

    /// Returns `true` if its person compares and approves on the key itself: nothing is asked at the terminal before.
    pub const fn has_screen(&self) -> bool {
        match self {
            Self::Ledger(_) => true,
            Self::Keystore { .. } => false,
        }
    }
}

/// Finds the key: the flag's, or else that of the person's settings. Asked before anything slow; a keystore is read.
pub fn find(ui: &Ui, key: &args::KeyArgs, purpose: KeyPurpose) -> Result<NamedKey, Error> {
    if let Some(target) = key.ledger.named() {
        return Ok(NamedKey::Ledger(target.into()));
    }
    if let Some(path) = &key.keystore {
        return keystore(path);
    }
    let settings = settings(ui)?;
    let word = match purpose {
        KeyPurpose::Signing => settings.key,
        KeyPurpose::Paying => settings.payer,
    };
    match word.as_deref() {
        None => Err(unnamed(purpose)),
        Some("ledger") => Ok(NamedKey::Ledger("usb".into())),
        Some(target) if target.starts_with("tcp://") => Ok(NamedKey::Ledger(target.into())),
        Some(name) => keystore(Path::new(name)),
    }
}

pub fn keystore(named: &Path) -> Result<NamedKey, Error> {
    let path = store::find_keystore(named).map_err(|places| {
        let message =
            format!("there is no keystore {}: looked for {}", named.display(), places.join(" and "));
        let at_hand = store::keystores();
        let error = Error::new(Exit::Failed, message);
        match near(&named.display().to_string(), at_hand.iter().map(String::as_str)) {
            Some(meant) => error.hint(format!("did you mean {meant}?")),
            None if at_hand.is_empty() => error.hint("check the path"),
            None => error.hint(format!("in Foundry's folder: {}", at_hand.join(", "))),
        }
    })?;
    let text = store::read_text_up_to(LONGEST_KEYSTORE, &path)?;
    let stated = Keystore::stated(&text).map_err(|e| Error::from(e).about(&path.display().to_string()))?;
    Ok(NamedKey::Keystore { path, text, stated })
}

/// Opens the key; a keystore's password is asked for unless a file holds it.
pub fn open(ui: &Ui, key: &args::KeyArgs, named: &NamedKey) -> Result<KeyHolder, Error> {
    let wait = Wait::default();
    let key = match named {
        NamedKey::Ledger(target) => Key::Ledger(Box::new(ledger(ui, &key.ledger, target, &wait)?)),
        NamedKey::Keystore { path, text, .. } => {
            Key::Keystore(unlock(ui, path, text, key.password_file.as_deref())?)
        }
    };
    Ok(KeyHolder { key, wait, owner: None })
}

/// Opens a keystore; its password is asked for unless a file holds it.
pub fn open_keystore(
    ui: &Ui,
    path: &Path,
    text: &str,
    password_file: Option<&Path>,
) -> Result<KeyHolder, Error> {
    let key = Key::Keystore(unlock(ui, path, text, password_file)?);
    Ok(KeyHolder { key, wait: Wait::default(), owner: None })
}

/// A person who types the password has three tries.
fn unlock(ui: &Ui, path: &Path, text: &str, password_file: Option<&Path>) -> Result<Keystore, Error> {
    let mut left = TRIES;
    loop {
        let password = match password_file {
            Some(file) => ui.receive(&file.display().to_string(), || store::read_password(file))?,
            None => ui.password(&format!("password of {}", path.display()), "--password-file FILE")?,
        };
        left -= 1;
        match ui.wait("unlocking the keystore", || Keystore::unlock(text, &password)) {
            Err(DeviceError::WrongPassword) if left > 0 && password_file.is_none() => {
                let text = if left == 1 { "one more try" } else { "two more tries" };
                ui.say(&Text::default().warn("wrong password: ").add(text));
            }
            unlocked => return unlocked.map_err(|e| Error::from(e).about(&path.display().to_string())),
        }
    }
}

/// Waits until the Ledger is ready, and says what for.
pub fn ledger(ui: &Ui, flags: &args::LedgerArgs, target: &str, wait: &Wait) -> Result<Ledger, Error> {
    let mut target: LedgerLocation = target.parse()?;
    if let LedgerLocation::Usb { which } = &mut target {
        *which = match &flags.ledger_serial {
            Some(wanted) => Some(wanted.clone()),
            None => one_of(ui, &plugged_in()?, has_terminal())?,
        };
    }
    if let LedgerLocation::Tcp { model, .. } = &mut target {
        *model = flags.model;
    }
    let patience = Duration::from_secs(flags.timeout);
    Ok(wait.with_spinner(|| Ledger::open(target, patience, wait.watcher()))?)
}

/// The name of the one to use, where several are plugged in and a person can choose.
fn one_of(ui: &Ui, all: &[Plugged], can_ask: bool) -> Result<Option<String>, Error> {
    match choose_plugged(all, None) {
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

fn unnamed(purpose: KeyPurpose) -> Error {
    let (what, setting) = match purpose {
        KeyPurpose::Signing => ("to sign with", "key"),
        KeyPurpose::Paying => ("that pays for the gas", "payer"),
    };
    Error::new(Exit::Usage, format!("no key is named {what}"))
        .hint("pass --ledger, or --keystore FILE")
        .hint(format!("or name it once, as {setting} in your settings: breakglass help settings"))
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
