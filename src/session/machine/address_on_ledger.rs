//! An address on the device's own screen, for its person to compare.

use crate::device::{AppSettings, DeviceError, Ledger, LedgerAccount, Prediction, address_pages};
use crate::error::{Error, Exit};
use crate::session::machine::keys::Wait;
use crate::ui::{Text, Ui};
use crate::view::review_lines::ledger_pages;

/// Shows the pages first; then the device shows the address, and its person says yes or no there.
/// Fails if the person says no, or the key at that path is another one.
pub fn show(ui: &Ui, ledger: &mut Ledger, wait: &Wait, account: &LedgerAccount) -> Result<Exit, Error> {
    let status = *ledger.status();
    let (path, expected) = (&account.path, account.address);
    let pages = address_pages(&status, expected);
    let predicted = [Prediction { settings: AppSettings::default(), pages }];
    let why = "confirm only if every character is the same";
    ui.show(&ledger_pages::lines(&status, expected, why, &predicted));
    let found = wait.with_spinner(|| ledger.show_address(path))?;
    if found != expected {
        return Err(DeviceError::WrongAddress { path: path.clone(), expected, found }.into());
    }
    ui.say(&Text::default().good("confirmed ").add("on the Ledger"));
    ui.data(&found.to_string());
    ui.field("path", &path.to_string());
    ui.field("address", &found.to_string());
    ui.field("shown", &true);
    Ok(Exit::Done)
}
