//! `device`: is the device ready, and whose keys does it hold?

use std::path::Path;

use alloy::primitives::Address;

use crate::ceremony::desk::{Desk, find_council};
use crate::ceremony::folder::own_settings;
use crate::cli::args::DeviceArgs;
use crate::device::{DerivationPath, DeviceError, DeviceRequest, DeviceUse, SearchPaths};
use crate::error::{Error, Exit};
use crate::session::machine::keys::{self, KeyHolder};
use crate::store::SettingsFolder;
use crate::ui::{Text, Ui};
use crate::view::device_lines::{self, DeviceObject, SettingsObject};
use crate::view::review_lines::device_pages;

/// The question to a device.
#[derive(Clone, Copy)]
pub enum Look<'l> {
    /// The keys on it that are somebody's.
    Accounts,
    /// The address at a path, on its own screen.
    Address(&'l DerivationPath),
    /// A signer's address, on its own screen.
    Signer(&'l str),
}

/// Asks a device.
pub fn run(ui: &Ui, council: Option<&Path>, flags: &DeviceArgs, look: Look) -> Result<Exit, Error> {
    let known = council.is_some() || find_council(ui)?.is_some();
    let desk = if known { Some(Desk::load(ui, council)?) } else { None };
    let desk = desk.as_ref();
    if let Look::Signer(name) = look {
        signer_of(desk, name)?; // before a device is waited for
    }
    let named = keys::find_device(ui, flags)?;
    let mut device = keys::open_within(ui, &named, None, flags.patience())?;
    let report = device.ask_screen(|screen| Ok(screen.report(&DeviceUse::default())))?;
    ui.show(&device_lines::lines(&report));
    let paths = || desk.map_or_else(|| Ok(SearchPaths::default()), |desk| keys::paths(&desk.council));
    let (path, address) = match look {
        Look::Accounts => {
            let paths = paths()?;
            let accounts = device.ask_screen(|screen| screen.accounts(&paths))?;
            let object = DeviceObject::new(&report, &accounts, desk.map(|desk| &desk.council));
            ui.table(&device_lines::HEADER, &object.rows());
            ui.object(&object);
            return Ok(Exit::Done);
        }
        Look::Address(path) => (path.clone(), device.ask(|key| key.payer(&SearchPaths::only(path.clone())))?),
        Look::Signer(name) => {
            let paths = paths()?;
            let (desk, address) = signer_of(desk, name)?;
            device.ask(|key| key.find(&paths, &[address]))?;
            let path = device.ask_screen(|screen| screen.path_of(address))?;
            ui.say(&Text::new(&format!("{name} is {address} in {}, at {path}", desk.path.display())));
            (path, address)
        }
    };
    show_address(ui, &mut device, path, address)
}

/// Lists the pages first; then the device shows the address, for its person to say yes or no there.
/// Fails if the person says no, or the key at that path is another one.
fn show_address(
    ui: &Ui,
    device: &mut KeyHolder,
    path: DerivationPath,
    expected: Address,
) -> Result<Exit, Error> {
    let preview = device.ask_screen(|screen| Ok(screen.preview(&DeviceRequest::Address(expected))))?;
    ui.show(&device_pages::lines(&preview, expected, "confirm only if every character is the same"));
    let found = device.ask_screen(|screen| screen.show_address(&path))?;
    if found != expected {
        return Err(DeviceError::WrongAddress { path, expected, found }.into());
    }
    ui.say(&Text::default().good("confirmed ").add(&format!("on the {}", preview.device)));
    ui.data(&found.to_string());
    ui.field("path", &path.to_string());
    ui.field("address", &found.to_string());
    ui.field("shown", &true);
    Ok(Exit::Done)
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
    let stated = own_settings::settings(ui)?.ledger;
    let path =
        SettingsFolder::find().map_or_else(String::new, |folder| folder.config_path().display().to_string());
    ui.show(&device_lines::advice_on_settings(&path));
    ui.data_block(&stated.to_toml());
    ui.object(&SettingsObject { file: &path, stated });
    Ok(Exit::Done)
}
