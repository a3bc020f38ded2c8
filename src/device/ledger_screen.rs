//! A Ledger's screen: the pages that it will show of a request, and the setting that it needs for it.

use alloy::primitives::Address;

use super::DeviceError;
use super::answered::DeviceAccount;
use super::app_status::Status;
use super::ledger::Ledger;
use super::ledger_report::{APP, report};
use super::pages::{DataShown, Prediction, address_pages, hashes_pages, safe_tx_pages, transaction_pages};
use super::path::{DerivationPath, SearchPaths};
use super::screen::{DeviceReport, DeviceRequest, DeviceUse, Preview, Screen};
use super::way::{ChosenMode, RequestedMode, Weight, choose_way};

const BLIND_SIGNING_FIRST: &str = "\"Blind signing\" is off and this needs it: the review waits until you turn it on in the \
                                   Ethereum app's settings. Turn it off again afterwards";
const DEBUG_CONTRACTS: &str =
    "with Debug contracts on, about 70 pages come before these, while it is being sent";

impl Ledger {
    /// Returns `true` if the app does this only with "Blind signing" on.
    fn needs_it_blind(&self, request: &DeviceRequest<'_>) -> bool {
        match request {
            DeviceRequest::SafeTx(request) => self.needs_blind_signing(request),
            DeviceRequest::Pause(_) => true,
            DeviceRequest::Transaction(tx, _) => !tx.input.is_empty(),
            DeviceRequest::Address(_) => false,
        }
    }
}

impl Screen for Ledger {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn choose_way(&self, asked: RequestedMode, weight: Weight) -> ChosenMode {
        choose_way(&self.status, asked, weight)
    }

    fn preview(&self, request: &DeviceRequest<'_>) -> Preview {
        let was_on = self.status.blind_signing;
        // Where it is needed and off it is waited for: what is shown then is predicted now.
        let status = Status { blind_signing: was_on || self.needs_it_blind(request), ..self.status };
        let possible = self.stated.predict(&status, |settings| match request {
            DeviceRequest::SafeTx(request) => safe_tx_pages(&status, settings, request),
            DeviceRequest::Pause(pause) => hashes_pages(&status, settings, &pause.hashes()),
            DeviceRequest::Transaction(tx, from) => transaction_pages(&status, settings, *from, *tx),
            DeviceRequest::Address(address) => address_pages(&status, *address),
        });
        let is_paid = matches!(request, DeviceRequest::Transaction(..));
        Preview {
            device: Self::NAME,
            app: format!("{APP} {}", status.version),
            before: (status.blind_signing && !was_on).then_some(BLIND_SIGNING_FIRST),
            hidden: hidden_data(&possible),
            possible,
            note: (is_paid && self.stated.debug_contracts.is_none()).then_some(DEBUG_CONTRACTS),
        }
    }

    fn await_settings(&mut self, request: &DeviceRequest<'_>) -> Result<bool, DeviceError> {
        if self.needs_it_blind(request) { self.await_blind_signing() } else { Ok(false) }
    }

    fn report(&self, used: &DeviceUse) -> DeviceReport {
        report(&self.status, self.stated, used)
    }

    fn accounts(&mut self, paths: &SearchPaths) -> Result<Vec<DeviceAccount>, DeviceError> {
        Self::accounts(self, paths)
    }

    fn path_of(&mut self, address: Address) -> Result<DerivationPath, DeviceError> {
        Self::path_of(self, address)
    }

    fn show_address(&mut self, path: &DerivationPath) -> Result<Address, DeviceError> {
        Self::show_address(self, path)
    }
}

/// Returns the warning where it may show neither all of the data nor a hash of it.
fn hidden_data(possible: &[Prediction]) -> Option<String> {
    let shown = |one: &Prediction| match one.pages.data {
        DataShown::Beginning(bytes) if !one.pages.hashes => Some(bytes),
        _ => None,
    };
    let bytes = possible.iter().find_map(shown)?;
    let when =
        if possible.iter().all(|one| shown(one).is_some()) { "" } else { "with Transaction hash off, " };
    Some(format!(
        "{when}the Ledger shows only the first {bytes} bytes of the data: not what all of it does. Turn Transaction \
         hash on in the Ethereum app's settings and compare both hashes, or compare the safeTxHash with --eth-sign"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Pages;

    fn prediction(data: DataShown, hashes: bool) -> Prediction {
        let pages = Pages { all: Vec::new(), recorded: true, data, hashes, refused: false };
        Prediction { settings: String::new(), pages }
    }

    #[test]
    fn data_that_no_page_commits_to_is_said() {
        let cut = || prediction(DataShown::Beginning(187), false);
        let hashed = || prediction(DataShown::Beginning(187), true);
        assert_eq!(hidden_data(&[prediction(DataShown::All, false)]), None);
        assert_eq!(hidden_data(&[hashed()]), None);
        assert_eq!(hidden_data(&[prediction(DataShown::Nothing, true)]), None);
        assert!(hidden_data(&[cut()]).unwrap().starts_with("the Ledger shows only the first 187 bytes"));
        assert!(hidden_data(&[hashed(), cut()]).unwrap().starts_with("with Transaction hash off, "));
    }
}
