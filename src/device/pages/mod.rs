//! Predicts the pages of the device, so that a signer compares line by line. Pure.
//!
//! Learned from the pages recorded with the real apps (`tests/vectors`, `tests/ledger/data`): Ethereum 1.22.0 on Nano
//! S Plus, Nano X, Stax, Flex and Apex P, 1.9.18 on a Nano X and a Nano S. For any other version the content and its
//! order are taken to be the same, and a page may break elsewhere: [`Pages::recorded`] says which it is.

mod app_settings;
mod debug;
mod font;
mod old;
mod page;
mod reading;

use alloy::consensus::{SignableTransaction, Transaction};
use alloy::hex;
use alloy::primitives::utils::format_ether;
use alloy::primitives::{Address, Signature, U256};

use super::apdu::AppVersion;
use super::app_status::Status;
use super::plugged::Model;
use super::typed::{Field, TypedData, Value};
use super::{SigningMode, SigningRequest};
use crate::safe::{DRILL_CHAIN_ID, Hashes, SafeTxHash, SignatureKind};

pub use app_settings::{AppSettings, Prediction, StatedSettings};
pub use page::{Page, PageEntry, RequestKind};
pub use reading::PageFact;

use old::Old;
use page::{PageItem, Review, lay_out, refusal};

/// The characters that the app keeps of one value; of longer bytes it shows the beginning and three dots.
const MOST_CHARACTERS: usize = 379;
/// The bytes of data that a value shows when it is cut.
pub const DATA_SHOWN: usize = (MOST_CHARACTERS - 2) / 2 - 1;
/// The part of the transaction's data that the device shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataShown {
    All,
    /// So many bytes from the beginning.
    Beginning(usize),
    Nothing,
}

/// The pages in order, up to the one that signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pages {
    pub all: Vec<Page>,
    /// `true` if this model and app version have been recorded; else a page may break elsewhere.
    pub recorded: bool,
    pub data: DataShown,
    /// Both hashes, or the whole safeTxHash, are shown: they commit to every byte.
    pub hashes: bool,
    /// The app's settings forbid it: the only page says so.
    pub refused: bool,
}

impl Pages {
    fn of(pages: Vec<Page>, recorded: bool) -> Self {
        Self { all: pages, recorded, data: DataShown::Nothing, hashes: false, refused: false }
    }

    fn refused(status: &Status) -> Self {
        let pages = vec![refusal(status.shown_as())];
        Self { refused: true, ..Self::of(pages, Self::is_recorded(status)) }
    }

    /// Returns `true` if pages of this model and app version have been recorded.
    fn is_recorded(status: &Status) -> bool {
        match (status.model, status.version) {
            (Some(model), AppVersion(1, 22, _)) => model != Model::NanoS && model != Model::Other,
            (Some(Model::NanoX | Model::NanoS), AppVersion(1, 9, 18)) => true,
            _ => false,
        }
    }
}

impl Status {
    /// The model whose layout is predicted: a Nano where the model is not known.
    pub(super) const fn shown_as(&self) -> Model {
        match self.model {
            Some(Model::Other) | None => Model::NanoSPlus,
            Some(model) => model,
        }
    }
}

pub fn safe_tx_pages(status: &Status, settings: AppSettings, request: &SigningRequest<'_>) -> Pages {
    let hashes = request.hashes();
    match (request.kind, request.way) {
        (SignatureKind::EthSign, _) => personal_message_pages(status, settings, &hashes.safe_tx),
        (_, SigningMode::Hashes) => hashes_pages(status, settings, &hashes),
        (_, SigningMode::Fields) => {
            let data = request.typed_data();
            fields_pages(status, settings, &data, &hashes)
        }
    }
}

/// Pages for the two hashes alone.
pub fn hashes_pages(status: &Status, settings: AppSettings, hashes: &Hashes) -> Pages {
    if !status.takes_fields {
        return Pages { hashes: true, ..Old::new(status).hashes(hashes) };
    }
    if !settings.blind_signing {
        return Pages::refused(status);
    }
    let items = vec![domain_hash(hashes), message_hash(hashes)];
    let skippable = settings.raw_messages || status.shown_as().is_large();
    let review = Review { kind: RequestKind::TypedMessage, blind: true, skippable, items };
    let pages = lay_out(status.shown_as(), settings, &review);
    Pages { hashes: true, ..Pages::of(pages, Pages::is_recorded(status)) }
}

/// Pages for typed data given field by field. "Raw messages" decides on a Nano which fields are shown; a large screen
/// shows them all.
fn fields_pages(status: &Status, settings: AppSettings, data: &TypedData, hashes: &Hashes) -> Pages {
    let model = status.shown_as();
    if !(settings.raw_messages || settings.blind_signing) {
        return Pages::refused(status);
    }
    let every_field = settings.raw_messages || model.is_large();
    let named = |field: &Field| PageItem::new(field.name, text(field));
    let mut items: Vec<PageItem> = Vec::new();
    if every_field {
        items.push(PageItem::new("Review struct", "EIP712Domain"));
        items.extend(data.domain.iter().map(named));
        items.push(PageItem::new("Review struct", data.primary));
        items.extend(data.message.iter().map(named));
    } else {
        items.extend(data.domain.iter().map(named));
    }
    if settings.transaction_hash {
        items.push(PageItem { apart: true, ..domain_hash(hashes) });
    }
    if settings.transaction_hash || !every_field {
        items.push(message_hash(hashes));
    }
    let review = Review { kind: RequestKind::TypedMessage, blind: true, skippable: every_field, items };
    let pages = lay_out(model, settings, &review);
    Pages {
        data: if every_field { data_shown(&data.message) } else { DataShown::Nothing },
        hashes: settings.transaction_hash || !every_field,
        ..Pages::of(pages, Pages::is_recorded(status))
    }
}

/// Pages for the `personal_sign` of a safeTxHash.
fn personal_message_pages(status: &Status, settings: AppSettings, hash: &SafeTxHash) -> Pages {
    let shown = if status.takes_fields {
        let items = vec![PageItem::new("Message", hash.to_string())];
        let review = Review { kind: RequestKind::Message, blind: false, skippable: false, items };
        Pages::of(lay_out(status.shown_as(), settings, &review), Pages::is_recorded(status))
    } else {
        Old::new(status).personal_message(hash)
    };
    Pages { hashes: true, ..shown }
}

/// Pages for the transaction that a gas payer signs.
pub fn transaction_pages<T>(status: &Status, settings: AppSettings, from: Address, tx: &T) -> Pages
where
    T: Transaction + SignableTransaction<Signature>,
{
    let model = status.shown_as();
    let blind = !tx.input().is_empty();
    let chain = tx.chain_id().unwrap_or_default();
    let fees = U256::from(tx.max_fee_per_gas()).saturating_mul(U256::from(tx.gas_limit()));
    let to = tx.to().map_or_else(|| "new contract".into(), |to| to.to_string());
    if !status.takes_fields {
        return Old::new(status).transaction(&to, tx.value(), fees, blind, chain == 1);
    }
    if blind && !settings.blind_signing {
        return Pages::refused(status);
    }
    let (network, ticker, recorded) = network(chain);
    let mut items = vec![PageItem::new("From", from.to_string())];
    if !blind || tx.value() > U256::ZERO {
        items.push(PageItem::new("Amount", format!("{} {ticker}", ether(tx.value()))));
    }
    items.push(PageItem::new("To", to));
    if settings.nonce {
        items.push(PageItem::new("Nonce", tx.nonce().to_string()));
    }
    items.push(PageItem::new("Max fees", format!("{} {ticker}", ether(fees))));
    if let Some(network) = network {
        items.push(PageItem::new("Network", network));
    }
    if blind {
        let title = if model.is_large() { "Transaction hash" } else { "Tx hash" };
        items.push(PageItem::new(title, tx.signature_hash().to_string()));
    }
    let mut pages = Vec::new();
    if blind && settings.debug_contracts {
        pages = debug::pages(tx.input());
    }
    pages.extend(lay_out(
        model,
        settings,
        &Review { kind: RequestKind::Transaction, blind, skippable: false, items },
    ));
    let recorded = recorded && !(blind && tx.value() > U256::ZERO) && (blind || !model.is_large());
    Pages::of(pages, recorded && Pages::is_recorded(status))
}

/// The network's name as the app shows it, its coin, and whether that has been recorded. The app knows more networks
/// than these by name; those that it does not know are their number, and their coin is "???".
fn network(chain_id: u64) -> (Option<String>, &'static str, bool) {
    match chain_id {
        1 => (None, "ETH", true),
        10 => (Some("OP Mainnet".into()), "ETH", true),
        8_453 => (Some("Base".into()), "ETH", true),
        42_161 => (Some("Arbitrum".into()), "ETH", true),
        11_155_111 => (Some("Sepolia".into()), "ETH", true),
        31_337 | DRILL_CHAIN_ID => (Some(chain_id.to_string()), "???", true),
        other => (Some(other.to_string()), "???", false),
    }
}

/// Pages for an address that the device is to show.
pub fn address_pages(status: &Status, address: Address) -> Pages {
    if !status.takes_fields {
        return Old::new(status).address(address);
    }
    let lines = font::nano_lines(&address.to_string());
    let mut pages = vec![Page::of("Verify Ethereum", &["address"])];
    if status.shown_as().is_large() {
        pages.push(Page::of("Address", &[&address.to_string()]));
    } else {
        pages.extend(page::paged("Address", &lines, 3));
    }
    pages.push(Page::of("Confirm", &[]));
    Pages::of(pages, Pages::is_recorded(status) && !status.shown_as().is_large())
}

fn domain_hash(hashes: &Hashes) -> PageItem {
    PageItem::new("Domain hash", upper(hashes.domain.word().as_slice()))
}

fn message_hash(hashes: &Hashes) -> PageItem {
    PageItem::new("Message hash", upper(hashes.message.word().as_slice()))
}

fn upper(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode_upper(bytes))
}

/// Wei as ether, without zeros at the end.
fn ether(wei: U256) -> String {
    let text = format_ether(wei);
    text.trim_end_matches('0').trim_end_matches('.').into()
}

fn text(field: &Field) -> String {
    match &field.value {
        Value::Address(address) => address.to_string(),
        Value::Uint256(number) => number.to_string(),
        Value::Uint8(number) => number.to_string(),
        Value::Bytes(bytes) => {
            let text = upper(&bytes[..bytes.len().min(MOST_CHARACTERS)]);
            if text.len() <= MOST_CHARACTERS { text } else { format!("{}...", &text[..MOST_CHARACTERS - 3]) }
        }
    }
}

fn data_shown(fields: &[Field]) -> DataShown {
    let most = (MOST_CHARACTERS - 2) / 2;
    let longest = fields.iter().filter_map(|field| match &field.value {
        Value::Bytes(bytes) => Some(bytes.len()),
        _ => None,
    });
    if longest.max().is_some_and(|length| length > most) {
        DataShown::Beginning(DATA_SHOWN)
    } else {
        DataShown::All
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Signs;
    use crate::safe::{Domain, Nonce, Operation, SafeId, SafeTx, SafeVersion};

    const MODERN: Status = Status {
        model: Some(Model::NanoSPlus),
        version: AppVersion(1, 22, 0),
        blind_signing: false,
        transaction_check: false,
        takes_fields: true,
    };
    const RAW: AppSettings = AppSettings {
        blind_signing: false,
        raw_messages: true,
        transaction_hash: false,
        nonce: false,
        debug_contracts: false,
        transaction_check: false,
    };

    fn predicted(status: &Status, settings: AppSettings, length: usize) -> Pages {
        let safe = SafeId { chain_id: 1, address: Address::ZERO, version: SafeVersion::V1_4_1 };
        let data = vec![0xab; length].into();
        let tx = SafeTx::new(Address::ZERO, U256::MAX, data, Operation::Call, Nonce(U256::MAX));
        let kind = SignatureKind::Ecdsa;
        let request = SigningRequest {
            domain: &Domain::real(safe),
            signs: Signs::Tx(&tx),
            owner: Address::ZERO,
            kind,
            way: SigningMode::Fields,
        };
        safe_tx_pages(status, settings, &request)
    }

    #[test]
    fn long_data_ends_in_dots_and_is_said_to() {
        for (length, shown) in [
            (0, DataShown::All),
            (188, DataShown::All),
            (189, DataShown::Beginning(187)),
            (20_000, DataShown::Beginning(187)),
        ] {
            let pages = predicted(&MODERN, RAW, length);
            assert_eq!(pages.data, shown);
            let data = |page: &&Page| page.entries[0].title.starts_with("data");
            let last = pages.all.iter().rfind(data).unwrap();
            assert_eq!(last.texts().last().unwrap().ends_with("..."), shown != DataShown::All);
        }
    }

    /// A setting that neither the device nor the user states stays open, and both forms are shown.
    #[test]
    fn an_unknown_setting_is_not_taken_for_known() {
        let predict = |status: &Status, stated: StatedSettings| {
            stated.predict(status, |settings| predicted(status, settings, 4))
        };
        let nobody = StatedSettings::default();
        let lengths = |all: Vec<Prediction>| all.iter().map(|one| one.pages.all.len()).collect::<Vec<_>>();
        let blind = Status { blind_signing: true, ..MODERN };
        let longest = predicted(&MODERN, RAW, 4).all.len();
        assert_eq!(lengths(predict(&MODERN, nobody)), [longest + 6, longest]);
        assert_eq!(lengths(predict(&blind, nobody)), [9, 7, longest + 6, longest]);
        let said = StatedSettings { transaction_hash: Some(true), ..nobody };
        assert_eq!(lengths(predict(&MODERN, said)), [longest + 6]);
        let forbidden = StatedSettings { raw_messages: Some(false), ..said };
        assert!(predict(&MODERN, forbidden)[0].pages.refused);
    }

    #[test]
    fn pages_of_an_unrecorded_app_are_marked_as_not_recorded() {
        assert!(predicted(&MODERN, RAW, 4).recorded);
        for model in [Model::NanoX, Model::Stax, Model::Flex, Model::ApexP] {
            assert!(predicted(&Status { model: Some(model), ..MODERN }, RAW, 4).recorded, "{model}");
        }
        assert!(!predicted(&Status { version: AppVersion(1, 23, 0), ..MODERN }, RAW, 4).recorded);
        assert!(!predicted(&Status { model: None, ..MODERN }, RAW, 4).recorded);
    }
}
