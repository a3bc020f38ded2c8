//! What the device will show, page by page, so that a signer compares line by line. Pure.
//!
//! Learned from the screens recorded with the real apps (`tests/vectors`): Ethereum 1.22 on a Nano S Plus, 1.9.18 on a
//! Nano X and a Nano S. For anything else the content and its order are the same, and a page may break elsewhere.

use alloy::consensus::{SignableTransaction, Transaction, TxEip1559};
use alloy::hex;
use alloy::primitives::utils::format_ether;
use alloy::primitives::{Address, Bytes, U256};
use sha2::{Digest, Sha256};

use super::apdu::AppVersion;
use super::ledger::Status;
use super::transport::Model;
use super::typed::{Field, TypedData, Value, safe_message_hashes};
use super::{SigningRequest, Way};
use crate::safe::{Hashes, SafeId, SafeTxHash, SignatureKind};

/// The width of a Nano's text in pixels.
const NANO_WIDTH: usize = 114;
/// The characters that the app keeps of one value; of longer bytes it shows the beginning and three dots.
const MOST_CHARACTERS: usize = 379;

/// One page: its title and the lines below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub title: String,
    pub lines: Vec<String>,
}

/// How much of the transaction's data the device shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataShown {
    All,
    /// About so many bytes from the beginning.
    Beginning(usize),
    Nothing,
}

/// The pages in order, up to the one that signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screens {
    pub pages: Vec<Page>,
    /// Whether this model, app version and setting have been recorded; else a page may break elsewhere.
    pub recorded: bool,
    pub data: DataShown,
}

/// Pages for a Safe transaction. Whether "Raw messages" is on cannot be read from the device: where nobody says,
/// it is taken to be on if blind signing is off, since the app would refuse otherwise.
#[must_use]
pub fn safe_tx_screens(status: &Status, raw_messages: Option<bool>, request: &SigningRequest<'_>) -> Screens {
    let hashes = request.hashes();
    match (request.kind, request.way) {
        (SignatureKind::EthSign, _) => personal_message_screens(status, &hashes.safe_tx),
        (_, Way::Hashes) => hashes_screens(status, &hashes),
        (_, Way::Fields) => {
            let data = TypedData::safe_tx(request.safe, request.tx);
            fields_screens(status, raw_messages, &data, &hashes)
        }
    }
}

/// Pages for an off-chain message of a Safe.
#[must_use]
pub fn safe_message_screens(
    status: &Status,
    raw_messages: Option<bool>,
    safe: &SafeId,
    message: &Bytes,
    way: Way,
) -> Screens {
    let hashes = safe_message_hashes(safe, message);
    match way {
        Way::Hashes => hashes_screens(status, &hashes),
        Way::Fields => fields_screens(status, raw_messages, &TypedData::safe_message(safe, message), &hashes),
    }
}

/// Pages for the two hashes alone.
fn hashes_screens(status: &Status, hashes: &Hashes) -> Screens {
    let mut shown = Shown::new(status);
    if shown.modern {
        shown.blind_warning();
        shown.page("Review typed", &["message"]);
    } else {
        shown.page("Sign", &["typed message"]);
    }
    shown.value("Domain hash", &upper(hashes.domain.word().as_slice()));
    shown.value("Message hash", &upper(hashes.message.word().as_slice()));
    shown.sign_message();
    shown.finish(DataShown::Nothing, true)
}

/// Pages for typed data given field by field.
fn fields_screens(status: &Status, raw_messages: Option<bool>, data: &TypedData, hashes: &Hashes) -> Screens {
    let mut shown = Shown::new(status);
    // A large screen shows every field whatever the setting.
    let every_field = shown.lines_a_page.is_none() || raw_messages.unwrap_or(!status.blind_signing);
    let certain = raw_messages.is_some_and(|raw| raw != status.blind_signing) || !status.blind_signing;
    shown.blind_warning();
    shown.page("Review typed", &["message"]);
    if !every_field {
        for field in &data.domain {
            shown.value(field.name, &text(field));
        }
        shown.value("Message hash", &upper(hashes.message.word().as_slice()));
        shown.sign_message();
        return shown.finish(DataShown::Nothing, certain);
    }
    let structs = [("EIP712Domain", &data.domain), (data.primary, &data.message)];
    let rows = structs.into_iter().flat_map(|(name, fields)| {
        std::iter::once(("Review struct", name.to_string()))
            .chain(fields.iter().map(|field| (field.name, text(field))))
    });
    for (i, (title, value)) in rows.enumerate() {
        if i > 0 {
            shown.press_to_continue();
        }
        shown.value(title, &value);
    }
    shown.sign_message();
    let data = data_shown(&data.message);
    shown.finish(data, certain && data == DataShown::All)
}

/// Pages for the `personal_sign` of a safeTxHash.
fn personal_message_screens(status: &Status, hash: &SafeTxHash) -> Screens {
    let mut shown = Shown::new(status);
    if shown.modern {
        shown.page("Review message", &[]);
        shown.value("Message", &hash.to_string());
        shown.page("Sign message", &[]);
    } else {
        // An old app shows the SHA-256 of the message.
        shown.page("Sign", &["message"]);
        shown.value("Message hash", &hex::encode_upper(Sha256::digest(hash.word())));
        shown.page("Sign", &["message"]);
    }
    shown.finish(DataShown::Nothing, true)
}

/// Pages for the transaction that a gas payer signs.
#[must_use]
pub fn transaction_screens(status: &Status, from: Address, tx: &TxEip1559) -> Screens {
    let mut shown = Shown::new(status);
    let blind = !tx.input.is_empty();
    let fees = ether(U256::from(tx.max_fee_per_gas).saturating_mul(U256::from(tx.gas_limit)));
    let to = tx.to().map_or_else(|| "new contract".into(), |to| to.to_string());
    let recorded_chain = matches!(tx.chain_id, 1 | 11_155_111) && !(blind && tx.value > U256::ZERO);
    if !shown.modern {
        shown.page("Review", &["transaction"]);
        if blind {
            shown.page("Blind", &["Signing"]);
        }
        shown.value("Amount", &format!("ETH {}", ether(tx.value)));
        shown.value("Address", &to);
        shown.value("Max Fees", &format!("ETH {fees}"));
        shown.page("Accept", &["and send"]);
        return shown.finish(DataShown::Nothing, tx.chain_id == 1 && !blind);
    }
    if blind {
        shown.blind_warning();
    }
    shown.page("Review transaction", &[]);
    shown.value("From", &from.to_string());
    if !blind || tx.value > U256::ZERO {
        shown.value("Amount", &format!("{} ETH", ether(tx.value)));
    }
    shown.value("To", &to);
    shown.value("Max fees", &format!("{fees} ETH"));
    match tx.chain_id {
        1 => {}
        11_155_111 => shown.value("Network", "Sepolia"),
        other => shown.value("Network", &format!("chain {other}, perhaps by name")),
    }
    if blind {
        shown.value("Tx hash", &tx.signature_hash().to_string());
        shown.page("Accept risk and", &["sign transaction"]);
    } else {
        shown.page("Sign transaction", &[]);
    }
    shown.finish(DataShown::Nothing, recorded_chain)
}

/// Pages for an address that the device is to show.
#[must_use]
pub fn address_screens(status: &Status, address: Address) -> Screens {
    let mut shown = Shown::new(status);
    let title = if shown.modern { "Verify Ethereum" } else { "Verify" };
    shown.page(title, &["address"]);
    shown.value("Address", &address.to_string());
    shown.page(if shown.modern { "Confirm" } else { "Approve" }, &[]);
    shown.finish(DataShown::Nothing, true)
}

/// The pages so far, and how this device breaks a value into pages.
struct Shown {
    pages: Vec<Page>,
    /// Whether the app is of the generation that takes typed data; its words are other than the old one's.
    modern: bool,
    /// Nothing on a large screen, where a value fits one page.
    lines_a_page: Option<usize>,
    recorded: bool,
}

impl Shown {
    fn new(status: &Status) -> Self {
        let lines_a_page = match status.model {
            Some(Model::NanoS) => Some(1),
            Some(Model::Stax | Model::Flex) => None,
            Some(Model::NanoX | Model::NanoSPlus | Model::Other) | None => Some(3),
        };
        let recorded = matches!(
            (status.model, status.version),
            (Some(Model::NanoSPlus), AppVersion(1, 22, _))
                | (Some(Model::NanoX | Model::NanoS), AppVersion(1, 9, 18))
        );
        Self { pages: Vec::new(), modern: status.takes_fields, lines_a_page, recorded }
    }

    fn page(&mut self, title: &str, lines: &[&str]) {
        let lines = lines.iter().map(ToString::to_string).collect();
        self.pages.push(Page { title: title.into(), lines });
    }

    fn blind_warning(&mut self) {
        self.page("Blind signing ahead", &["To accept risk, press", "both buttons"]);
    }

    /// Between two fields; pressing both buttons here would skip the rest.
    fn press_to_continue(&mut self) {
        self.page("Press right button to", &["continue message or", "press both to skip"]);
    }

    fn sign_message(&mut self) {
        if self.modern { self.page("Sign message", &[]) } else { self.page("Sign", &["message"]) }
    }

    /// A value on as many pages as it takes, counted in the title.
    fn value(&mut self, title: &str, value: &str) {
        let lines = match self.lines_a_page {
            Some(_) => broken(value),
            None => vec![value.into()],
        };
        let pages: Vec<_> = lines.chunks(self.lines_a_page.unwrap_or(1)).collect();
        let count = pages.len();
        for (i, lines) in pages.into_iter().enumerate() {
            let title = if count == 1 { title.into() } else { format!("{title} ({}/{count})", i + 1) };
            self.pages.push(Page { title, lines: lines.into() });
        }
    }

    fn finish(self, data: DataShown, certain: bool) -> Screens {
        Screens { pages: self.pages, recorded: self.recorded && certain, data }
    }
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
        DataShown::Beginning(most - 1)
    } else {
        DataShown::All
    }
}

/// Lines as a Nano breaks them: each as full as its width allows, wherever that is.
fn broken(value: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for character in value.chars() {
        let width = width(character);
        if used + width > NANO_WIDTH {
            lines.push(String::new());
            used = 0;
        }
        used += width;
        if let Some(line) = lines.last_mut() {
            line.push(character);
        }
    }
    lines
}

/// Pixels of a character in the Nano's font, Open Sans 11; for the characters that a value can have.
const fn width(character: char) -> usize {
    match character {
        'i' | 'l' | 'I' | ' ' | '.' | ',' => 3,
        'r' | 't' | 'j' | 'J' => 4,
        'c' | 'f' | 's' | 'z' => 5,
        'A' | 'B' | 'C' | 'K' | 'P' | 'R' | 'T' | 'V' | 'b' | 'd' | 'h' | 'n' | 'o' | 'p' | 'q' | 'u' => 7,
        '4' | 'D' | 'G' | 'H' | 'N' | 'U' => 8,
        'O' | 'Q' | 'w' => 9,
        'M' | 'W' | 'm' => 10,
        _ => 6,
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::b256;

    use super::*;
    use crate::safe::{Nonce, Operation, SafeTx, SafeVersion};

    const MODERN: Status = Status {
        model: Some(Model::NanoSPlus),
        version: AppVersion(1, 22, 0),
        blind_signing: false,
        takes_fields: true,
    };

    fn screens(status: &Status, raw: Option<bool>, length: usize) -> Screens {
        let safe = SafeId { chain_id: 1, address: Address::ZERO, version: SafeVersion::V1_4_1 };
        let data = vec![0xab; length].into();
        let tx = SafeTx::new(Address::ZERO, U256::MAX, data, Operation::Call, Nonce(U256::MAX));
        let kind = SignatureKind::Ecdsa;
        let request = SigningRequest { safe: &safe, tx: &tx, owner: Address::ZERO, kind, way: Way::Fields };
        safe_tx_screens(status, raw, &request)
    }

    /// Bytes of one digit would all be as wide: a hash with narrow and wide ones, as a Nano S Plus breaks it.
    #[test]
    fn a_hash_breaks_where_the_device_breaks_it() {
        let hash = b256!("fef32a84d5d7833a8c5dd3df28eeeaed7d9332775f6a29c6673d479f57315feb");
        assert_eq!(
            broken(&upper(hash.as_slice())),
            ["0xFEF32A84D5D7833", "A8C5DD3DF28EEEAED", "7D9332775F6A29C667", "3D479F57315FEB"]
        );
    }

    #[test]
    fn long_data_ends_in_dots_and_is_said_to() {
        for (length, shown) in [
            (0, DataShown::All),
            (188, DataShown::All),
            (189, DataShown::Beginning(187)),
            (20_000, DataShown::Beginning(187)),
        ] {
            let screens = screens(&MODERN, None, length);
            assert_eq!(screens.data, shown);
            assert_eq!(screens.recorded, shown == DataShown::All);
            let last = screens.pages.iter().rfind(|p| p.title.starts_with("data")).unwrap();
            assert_eq!(last.lines.last().unwrap().ends_with("..."), shown != DataShown::All);
        }
    }

    /// Whether the fields are shown decides everything, and the device does not tell: what is assumed is not "recorded".
    #[test]
    fn an_unknown_setting_is_not_taken_for_known() {
        let blind = Status { blind_signing: true, ..MODERN };
        assert!(screens(&MODERN, None, 4).recorded);
        assert!(screens(&blind, Some(false), 4).recorded);
        assert!(!screens(&blind, None, 4).recorded);
        assert!(!screens(&blind, Some(true), 4).recorded);
        assert_eq!(screens(&blind, None, 4).data, DataShown::Nothing);
        let newer = Status { version: AppVersion(1, 23, 0), ..MODERN };
        assert!(!screens(&newer, None, 4).recorded);
    }

    #[test]
    fn a_large_screen_shows_each_field_on_one_page() {
        let stax = Status { model: Some(Model::Stax), blind_signing: true, ..MODERN };
        let screens = screens(&stax, None, 100);
        let nonce = screens.pages.iter().find(|page| page.title == "nonce").unwrap();
        assert_eq!(nonce.lines, [U256::MAX.to_string()]);
        assert_eq!(screens.data, DataShown::All);
    }
}
