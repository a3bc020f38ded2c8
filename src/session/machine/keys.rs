//! The key that a command was given: found, opened, and asked beside the person who holds it.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::thread::sleep;
use std::time::Duration;

use alloy::consensus::TxEip1559;
use alloy::primitives::{Address, Signature};
use zeroize::Zeroizing;

use crate::ceremony::folder::own_settings::settings;
use crate::cli::args;
use crate::council::Council;
use crate::device::{
    DerivationPath, DeviceError, DeviceRequest, Key, KeystoreFile, LongText, NamedKey, OneOfSeveral,
    OpenTerms, Screen, SearchPaths, SigningRequest, Waiting, Watcher,
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
/// Time for a person without a terminal to leave the settings of the device.
const LEAVING: Duration = Duration::from_secs(8);

/// A key that is ready to be asked, and the person who holds it.
pub struct KeyHolder {
    key: Key,
    wait: Wait,
    /// Whose key was chosen: the next transaction is theirs too.
    owner: Option<Address>,
}

/// Says what the device is waited for, while it is.
#[derive(Clone, Default)]
struct Wait(Rc<RefCell<Option<Spinner>>>);

impl Wait {
    fn watcher(&self, device: &'static str) -> Watcher {
        let shown = Rc::clone(&self.0);
        let mut long = LongWait::default();
        Box::new(move |waiting: &Waiting<'_>| {
            let text = match waiting {
                Waiting::ToBeReady { why, left } => format!("{why} ({} s left)", left.as_secs()),
                Waiting::ForApproval => {
                    format!("look at your {device}, compare, and approve or reject; Ctrl-C ends it")
                }
                Waiting::Searching { done, of } => format!("looking for the key: path {done} of {of}"),
                Waiting::ForTheAppToOpen => {
                    format!("no app is open on the {device}: agree there that it opens the Ethereum app")
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
    fn with_spinner<T>(&self, work: impl FnOnce() -> T) -> T {
        let result = work();
        self.0.borrow_mut().take();
        result
    }
}

impl KeyHolder {
    /// Returns the screen on which its person compares and approves. `None` for a key without one.
    pub fn screen(&self) -> Option<&dyn Screen> {
        self.key.screen()
    }

    /// Returns the name of its device, for a sentence.
    fn device(&self) -> &'static str {
        self.key.screen().map_or("key", Screen::name)
    }

    /// Asks its screen. Fails if it has none.
    pub fn ask_screen<T>(
        &mut self,
        question: impl FnOnce(&mut dyn Screen) -> Result<T, DeviceError>,
    ) -> Result<T, DeviceError> {
        self.ask(|key| key.screen_mut().ok_or(DeviceError::NoScreen).and_then(question))
    }

    /// Returns the key's answer to what may have to wait, and says meanwhile what is waited for.
    pub fn ask<T>(&mut self, question: impl FnOnce(&mut Key) -> T) -> T {
        self.wait.with_spinner(|| question(&mut self.key))
    }

    /// Returns the address that pays for gas: on a device at the council's first path, else at the usual one.
    pub fn payer(&mut self, council: &Council) -> Result<Address, Error> {
        let paths = paths(council)?;
        Ok(self.ask(|key| key.payer(&paths))?)
    }

    /// Chooses the key of one owner, looked for at the council's paths and the usual ones. Where a device holds those of
    /// several, its person is asked whose to use. A keystore's own address need not be among the owners.
    ///
    /// # Errors
    /// If the device does not answer or holds none of them, or if the person stops at the question.
    pub fn choose_owner(&mut self, ui: &Ui, council: &Council, owners: &[Address]) -> Result<Address, Error> {
        if let Some(owner) = self.owner.filter(|owner| owners.contains(owner)) {
            return Ok(owner);
        }
        let paths = paths(council)?;
        let held = self.ask(|key| key.find(&paths, owners)).map_err(|why| match why {
            DeviceError::NoOwner { .. } => {
                let sought: Vec<String> = owners.iter().map(|owner| named(council, *owner)).collect();
                Error::from(why).hint(format!("it needs the key of {}", sought.join(", or of ")))
            }
            why => why.into(),
        })?;
        let chosen = if held.len() > 1 {
            let told: Vec<String> = held.iter().map(|one| named(council, *one)).collect();
            let question = format!("This {} holds the keys of several owners. Whose?", self.device());
            ui.choose(&question, &told, "--as NAME")?
        } else {
            0
        };
        let owner = held.get(chosen).copied().ok_or_else(|| unnamed(KeyPurpose::Signing))?;
        self.owner = Some(owner);
        Ok(owner)
    }

    /// Returns an owner's signature. A setting that the device needs for it is waited for, or asked for.
    pub fn sign_safe_tx(&mut self, ui: &Ui, request: &SigningRequest) -> Result<EcdsaSignature, Error> {
        self.await_settings(ui, &DeviceRequest::SafeTx(request))?;
        loop {
            match self.ask(|key| key.sign_safe_tx(request)) {
                Err(why) if why.needs_setting() && has_terminal() => {
                    ui.say(&Text::default().warn("! ").add(&why.to_string()));
                    self.leave_the_menu(ui)?;
                }
                signature => return Ok(signature?),
            }
        }
    }

    /// Returns the signature of a text as a personal message, by the owner whose key was chosen.
    pub fn sign_text(&mut self, text: &LongText, owner: Address) -> Result<Signature, Error> {
        Ok(self.ask(|key| key.sign_text(text, owner))?)
    }

    /// Returns the deputy's signature of a pause. A device shows its two hashes and nothing else.
    pub fn sign_pause(&mut self, ui: &Ui, pause: &Pause, deputy: Address) -> Result<PauseSignature, Error> {
        if let Some(screen) = self.screen() {
            let text = format!(
                "the {} shows two hashes, domain and message: compare both with the lines above",
                screen.name()
            );
            ui.say(&Text::default().warn("! ").add(&text));
        }
        self.await_settings(ui, &DeviceRequest::Pause(pause))?;
        Ok(self.ask(|key| key.sign_pause(pause, deputy))?)
    }

    /// Returns the raw signed transaction. A setting that the device needs for it is waited for.
    pub fn sign_transaction(&mut self, ui: &Ui, tx: &TxEip1559, from: Address) -> Result<Vec<u8>, Error> {
        self.await_settings(ui, &DeviceRequest::Transaction(tx, from))?;
        Ok(self.ask(|key| key.sign_transaction(tx, from))?)
    }

    fn await_settings(&mut self, ui: &Ui, request: &DeviceRequest) -> Result<(), Error> {
        let awaited = self.ask(|key| key.screen_mut().map(|screen| screen.await_settings(request)));
        if awaited.transpose()? == Some(true) { self.leave_the_menu(ui) } else { Ok(()) }
    }

    /// A person who changed a setting is in the menu, and would not see a review that begins there: it begins when they say
    /// so, or after a moment where nobody can.
    fn leave_the_menu(&self, ui: &Ui) -> Result<(), Error> {
        let device = self.device();
        if has_terminal() {
            return Ok(ui.pause(&format!(
                "Leave the settings on the {device}, until it says that the app is ready; then press Enter"
            ))?);
        }
        let text = format!("leave the settings on the {device}: the review follows in a moment");
        ui.say(&Text::new(&text));
        sleep(LEAVING);
        Ok(())
    }
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

/// Finds the key: the flag's, or else that of the person's settings. Asked before anything slow; a keystore is read.
pub fn find(ui: &Ui, key: &args::KeyArgs, purpose: KeyPurpose) -> Result<NamedKey, Error> {
    let settings = settings(ui)?;
    let of_settings = match purpose {
        KeyPurpose::Signing => settings.key,
        KeyPurpose::Paying => settings.payer,
    };
    key.named(of_settings).ok_or_else(|| unnamed(purpose))?.read(keystore_file)
}

/// Finds the device that is to show something: the flag's or else that of the settings, or the usual one.
pub fn find_device(ui: &Ui, flags: &args::DeviceArgs) -> Result<NamedKey, Error> {
    let named = flags.named(settings(ui)?.key).filter(|named| named.device().is_some());
    named.unwrap_or_default().read(keystore_file)
}

pub fn keystore_file(named: &Path) -> Result<KeystoreFile, Error> {
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
    let shown = path.display().to_string();
    KeystoreFile::new(path, text).map_err(|e| Error::from(e).about(&shown))
}

/// Opens the key; a keystore's password is asked for unless a file holds it.
pub fn open(ui: &Ui, key: &args::KeyArgs, named: &NamedKey) -> Result<KeyHolder, Error> {
    open_within(ui, named, key.password_file.as_deref(), key.device.patience())
}

/// Opens the key, which a device may take so long for. A person chooses where several devices are plugged in.
pub fn open_within(
    ui: &Ui,
    named: &NamedKey,
    password_file: Option<&Path>,
    patience: Duration,
) -> Result<KeyHolder, Error> {
    let (wait, stated) = (Wait::default(), settings(ui)?.ledger);
    let open = |named: &NamedKey, password: &Zeroizing<String>| {
        let watcher = wait.watcher(named.device().unwrap_or_default());
        wait.with_spinner(|| named.open(password, OpenTerms { patience, watcher, stated }))
    };
    let none = Zeroizing::default();
    let key = match named.file() {
        Some(KeystoreFile { path, .. }) => unlock(ui, path, password_file, |password| open(named, password))?,
        None => match open(named, &none) {
            Err(DeviceError::Several(all)) if has_terminal() => open(&chosen(ui, named, &all)?, &none)?,
            opened => opened?,
        },
    };
    Ok(KeyHolder { key, wait, owner: None })
}

/// A person who types the password has three tries.
fn unlock(
    ui: &Ui,
    path: &Path,
    password_file: Option<&Path>,
    open: impl Fn(&Zeroizing<String>) -> Result<Key, DeviceError>,
) -> Result<Key, Error> {
    let mut left = TRIES;
    loop {
        let password = match password_file {
            Some(file) => ui.receive(&file.display().to_string(), || store::read_password(file))?,
            None => ui.password(&format!("password of {}", path.display()), "--password-file FILE")?,
        };
        left -= 1;
        match ui.wait("unlocking the keystore", || open(&password)) {
            Err(DeviceError::WrongPassword) if left > 0 && password_file.is_none() => {
                let text = if left == 1 { "one more try" } else { "two more tries" };
                ui.say(&Text::default().warn("wrong password: ").add(text));
            }
            unlocked => return unlocked.map_err(|e| Error::from(e).about(&path.display().to_string())),
        }
    }
}

/// Asks which of several devices is meant.
fn chosen(ui: &Ui, named: &NamedKey, all: &[OneOfSeveral]) -> Result<NamedKey, Error> {
    let question = format!("Which {}?", named.device().unwrap_or_default());
    let shown: Vec<String> = all.iter().map(|one| one.shown.clone()).collect();
    let chosen = ui.choose(&question, &shown, "--ledger-serial SERIAL")?;
    Ok(named.clone().on(all.get(chosen).map(|one| one.name.as_str()), None))
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
    use crate::device::{Model, Plugged, choose_plugged};

    #[test]
    fn several_devices_and_nobody_to_ask_is_a_matter_of_usage() {
        let one = |path: &str| Plugged { model: Model::Flex, serial: None, path: path.into() };
        let several = choose_plugged(&[one("/dev/hidraw3"), one("/dev/hidraw5")], None).unwrap_err();
        let error = Error::from(several);
        assert_eq!(error.exit, Exit::Usage);
        for said in ["--ledger-serial", "/dev/hidraw3", "/dev/hidraw5"] {
            assert!(error.message.contains(said), "{error}");
        }
    }
}
