//! The pages of apps that take no typed data, as recorded with Ethereum 1.9.18 on a Nano X and a Nano S.

use alloy::hex;
use alloy::primitives::{Address, U256};
use sha2::{Digest, Sha256};

use super::font::nano_lines;
use super::page::{Page, paged};
use super::{Pages, ether, upper};
use crate::device::app_status::Status;
use crate::device::plugged::Model;
use crate::safe::{Hashes, SafeTxHash};

/// The pages so far.
pub struct Old {
    pages: Vec<Page>,
    lines_a_page: usize,
    recorded: bool,
}

impl Old {
    pub fn new(status: &Status) -> Self {
        let lines_a_page = if status.model == Some(Model::NanoS) { 1 } else { 3 };
        Self { pages: Vec::new(), lines_a_page, recorded: Pages::is_recorded(status) }
    }

    fn value(mut self, title: &str, value: &str) -> Self {
        self.pages.extend(paged(title, &nano_lines(value), self.lines_a_page));
        self
    }

    fn page(mut self, title: &str, line: &str) -> Self {
        self.pages.push(Page::of(title, &[line]));
        self
    }

    fn done(self, recorded: bool) -> Pages {
        Pages::of(self.pages, self.recorded && recorded)
    }

    pub fn hashes(self, hashes: &Hashes) -> Pages {
        self.page("Sign", "typed message")
            .value("Domain hash", &upper(hashes.domain.word().as_slice()))
            .value("Message hash", &upper(hashes.message.word().as_slice()))
            .page("Sign", "message")
            .done(true)
    }

    /// An old app shows the SHA-256 of the message.
    pub fn personal_message(self, hash: &SafeTxHash) -> Pages {
        self.page("Sign", "message")
            .value("Message hash", &hex::encode_upper(Sha256::digest(hash.word())))
            .page("Sign", "message")
            .done(true)
    }

    pub fn transaction(self, to: &str, value: U256, fees: U256, blind: bool, on_mainnet: bool) -> Pages {
        let shown = self.page("Review", "transaction");
        let shown = if blind { shown.page("Blind", "Signing") } else { shown };
        shown
            .value("Amount", &format!("ETH {}", ether(value)))
            .value("Address", to)
            .value("Max Fees", &format!("ETH {}", ether(fees)))
            .page("Accept", "and send")
            .done(on_mainnet && !blind)
    }

    pub fn address(mut self, address: Address) -> Pages {
        self = self.page("Verify", "address").value("Address", &address.to_string());
        self.pages.push(Page::of("Approve", &[]));
        self.done(true)
    }
}
