//! `device`: is the Ledger ready, and whose keys does it hold?

use std::path::Path;

use alloy::primitives::Address;

use crate::ceremony::desk::{Desk, find_council};
use crate::ceremony::folder::own_settings::stated;
use crate::cli::args::LedgerArgs;
use crate::device::{DerivationPath, LedgerAccount, SearchPaths};
use crate::error::{Error, Exit};
use crate::session::{machine::address_on_ledger, machine::keys};
use crate::store::SettingsFolder;
use crate::ui::{Text, Ui};
use crate::view::ledger_state::{self, LedgerState, SettingsObject};

/// The question to a Ledger.
#[derive(Clone, Copy)]
pub enum Look<'l> {
    /// The keys on it that are somebody's.
    Accounts,
    /// The address at a path, on its own screen.
    Address(&'l DerivationPath),
    /// A signer's address, on its own screen.
    Signer(&'l str),
}

/// Asks a Ledger.
pub fn run(ui: &Ui, council: Option<&Path>, flags: &LedgerArgs, look: Look) -> Result<Exit, Error> {
    let known = council.is_some() || find_council(ui)?.is_some();
    let desk = if known { Some(Desk::load(ui, council)?) } else { None };
    let desk = desk.as_ref();
    if let Look::Signer(name) = look {
        signer_of(desk, name)?; // before a Ledger is waited for
    }
    let wait = keys::Wait::default();
    let mut ledger = keys::ledger(ui, flags, flags.named().unwrap_or("usb"), &wait)?;
    ui.show(&ledger_state::lines(ledger.status()));
    let paths = || desk.map_or_else(|| Ok(SearchPaths::default()), |desk| keys::paths(&desk.council));
    let account = match look {
        Look::Accounts => {
            let paths = paths()?;
            let accounts = wait.with_spinner(|| ledger.accounts(&paths))?;
            let state = LedgerState::new(ledger.status(), &accounts, desk.map(|desk| &desk.council));
            ui.table(&ledger_state::HEADER, &state.rows());
            ui.object(&state);
            return Ok(Exit::Done);
        }
        Look::Address(path) => {
            LedgerAccount { path: path.clone(), address: wait.with_spinner(|| ledger.address_at(path))? }
        }
        Look::Signer(name) => {
            let paths = paths()?;
            let (desk, address) = signer_of(desk, name)?;
            let found = wait.with_spinner(|| ledger.find(&paths, &[address]))?;
            let path = found.into_iter().next().map(|one| one.path).unwrap_or_default();
            ui.say(&Text::new(&format!("{name} is {address} in {}, at {path}", desk.path.display())));
            LedgerAccount { path, address }
        }
    };
    address_on_ledger::show(ui, &mut ledger, &wait, &account)
}

/// The signer's address by the council file.
fn signer_of<'d, 'a>(desk: Option<&'d Desk<'a>>, name: &str) -> Result<(&'d Desk<'a>, Address), Error> {
    let desk = desk.ok_or_else(|| {
        Error::new(Exit::Usage, "--verify needs a council file").hint("pass --council FILE")
    })?;
    Ok((desk, keys::signer(&desk.council, name)?))
}

/// Says what to set on the device, and the lines by which the person states it: the app does not tell.
pub fn settings(ui: &Ui) -> Result<Exit, Error> {
    let stated = stated(ui)?;
    let path =
        SettingsFolder::find().map_or_else(String::new, |folder| folder.config_path().display().to_string());
    ui.show(&ledger_state::advice_on_settings(&path));
    ui.data_block(&ledger_state::settings_to_state(stated));
    ui.object(&SettingsObject::new(&path, stated));
    Ok(Exit::Done)
}
