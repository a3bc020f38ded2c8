//! Every combination of the app's settings, acts and models: the pages that were recorded are those that are predicted,
//! press by press, and the commands are those that were sent. Sources: `tests/ledger/data/README.md`.

use alloy::consensus::{SignableTransaction, Transaction, TxEip1559, TxLegacy};
use alloy::hex;
use alloy::primitives::{Address, Signature, TxKind, U256, address};
use breakglass::device::{
    Apdu, AppInfo, AppSettings, AppVersion, Configuration, DerivationPath, Model, Pages, RequestKind,
    SigningMode, SigningRequest, Signs, Status, TypedData, safe_tx_pages, transaction_pages,
};
use breakglass::safe::SignatureKind;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::emulator::app::{App, Behaviour, Reject, Signed};
use crate::person::Person;
use crate::vectors::{domain_of, safe_tx_of};

const OWNER: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");

struct Row {
    fields: Value,
    input: Value,
    screens: Vec<Vec<String>>,
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn rows() -> Vec<Row> {
    let inputs = lines(include_str!("data/inputs.jsonl"));
    let screens = lines(include_str!("data/screens.jsonl"));
    let at = |v: &Value| usize::try_from(v.as_u64().unwrap()).unwrap();
    // Blanks at the ends of lines are the display's.
    let texts = |v: &Value| -> Vec<String> {
        let texts = screens[at(v)].as_array().unwrap().iter();
        texts.map(|text| text.as_str().unwrap().trim_end().to_string()).collect()
    };
    let row = |row: Value| Row {
        input: row.get("input").map_or(Value::Null, |v| inputs[at(v)].clone()),
        screens: row["screens"].as_array().into_iter().flatten().map(texts).collect(),
        fields: row,
    };
    lines(include_str!("data/exchanges.jsonl")).into_iter().map(row).collect()
}

impl Row {
    fn text(&self, name: &str) -> &str {
        self.fields[name].as_str().unwrap_or_default()
    }

    fn act(&self) -> &str {
        self.text("act")
    }

    fn name(&self) -> String {
        format!("{} {} [{}] {}", self.text("model"), self.act(), self.text("settings"), self.text("outcome"))
    }

    fn settings(&self) -> AppSettings {
        let on = |letter: char| self.text("settings").contains(letter);
        AppSettings {
            raw_messages: on('R'),
            blind_signing: on('B'),
            transaction_hash: on('T'),
            nonce: on('N'),
            debug_contracts: on('D'),
            transaction_check: self.text("note") == "Transaction Check: on",
        }
    }

    fn status(&self) -> Status {
        Status {
            model: Some(self.text("model").parse().unwrap()),
            version: AppVersion(1, 22, 0),
            blind_signing: self.settings().blind_signing,
            transaction_check: self.settings().transaction_check,
            takes_fields: true,
        }
    }

    fn presses(&self) -> Vec<String> {
        let buttons = self.text("buttons").chars().map(String::from);
        let touches = self.fields["touches"].as_array().into_iter().flatten();
        buttons.chain(touches.map(|touch| touch.as_str().unwrap().to_string())).collect()
    }

    fn kind(&self) -> RequestKind {
        match &self.input {
            input if input.get("transaction").is_some() => RequestKind::Transaction,
            input if input.get("personal").is_some() => RequestKind::Message,
            _ => RequestKind::TypedMessage,
        }
    }

    fn is_by_hashes(&self) -> bool {
        self.act().starts_with("hashes")
    }

    fn way(&self) -> SigningMode {
        if self.is_by_hashes() { SigningMode::Hashes } else { SigningMode::Fields }
    }

    fn message(&self) -> alloy::primitives::Bytes {
        self.input["message"]["message"].as_str().unwrap().parse().unwrap()
    }

    /// The safeTxHash of a personal message.
    fn hash(&self) -> Vec<u8> {
        domain_of(&self.input).hashes(&safe_tx_of(&self.input)).safe_tx.word().to_vec()
    }

    fn both_hashes(&self) -> Vec<u8> {
        let domain = domain_of(&self.input);
        let hashes = if self.input["type"] == "SafeMessage" {
            domain.message_hashes(&self.message())
        } else {
            domain.hashes(&safe_tx_of(&self.input))
        };
        [hashes.domain.word(), hashes.message.word()].map(|word| word.to_vec()).concat()
    }

    /// Returns the pages predicted for this row, and the digest that they stand for.
    fn predicted(&self) -> (Pages, String) {
        let (status, settings) = (self.status(), self.settings());
        if let Some(tx) = self.input.get("transaction") {
            return if tx["type"] == 2 {
                shown(&status, settings, &eip1559(tx))
            } else {
                shown(&status, settings, &legacy(tx))
            };
        }
        let domain = domain_of(&self.input);
        if self.input["type"] == "SafeMessage" {
            let (message, kind, way) = (self.message(), SignatureKind::Ecdsa, self.way());
            let request =
                SigningRequest { domain: &domain, signs: Signs::Message(&message), owner: OWNER, kind, way };
            return (safe_tx_pages(&status, settings, &request), String::new());
        }
        let tx = safe_tx_of(&self.input);
        let eth_sign = self.kind() == RequestKind::Message;
        let kind = if eth_sign { SignatureKind::EthSign } else { SignatureKind::Ecdsa };
        let request =
            SigningRequest { domain: &domain, signs: Signs::Tx(&tx), owner: OWNER, kind, way: self.way() };
        let hash = *request.hashes().safe_tx.word();
        let digest = if eth_sign { alloy::primitives::eip191_hash_message(hash) } else { hash };
        (safe_tx_pages(&status, settings, &request), hex::encode(digest))
    }
}

fn shown<T: Transaction + SignableTransaction<Signature>>(
    status: &Status,
    settings: AppSettings,
    tx: &T,
) -> (Pages, String) {
    (transaction_pages(status, settings, OWNER, tx), hex::encode(tx.signature_hash()))
}

fn number(tx: &Value, name: &str) -> u64 {
    tx[name].as_u64().unwrap()
}

fn eip1559(tx: &Value) -> TxEip1559 {
    TxEip1559 {
        chain_id: number(tx, "chainId"),
        nonce: number(tx, "nonce"),
        gas_limit: number(tx, "gas"),
        max_fee_per_gas: number(tx, "maxFeePerGas").into(),
        max_priority_fee_per_gas: number(tx, "maxPriorityFeePerGas").into(),
        to: TxKind::Call(tx["to"].as_str().unwrap().parse().unwrap()),
        value: tx["value"].as_str().unwrap().parse::<U256>().unwrap(),
        input: tx["data"].as_str().unwrap().parse().unwrap(),
        ..TxEip1559::default()
    }
}

fn legacy(tx: &Value) -> TxLegacy {
    let TxEip1559 { nonce, gas_limit, to, value, input, .. } = eip1559(&serde_json::json!({
        "chainId": 0, "maxFeePerGas": 0, "maxPriorityFeePerGas": 0, "nonce": tx["nonce"], "gas": tx["gas"],
        "to": tx["to"], "value": tx["value"], "data": tx["data"],
    }));
    let (chain_id, gas_price) = (Some(number(tx, "chainId")), number(tx, "gasPrice").into());
    TxLegacy { chain_id, gas_price, nonce, gas_limit, to, value, input }
}

#[test]
fn every_page_of_every_exchange_was_predicted() {
    let mut wrong = Vec::new();
    let mut tried = 0;
    for row in rows().iter().filter(|row| !row.input.is_null()) {
        let (pages, digest) = row.predicted();
        if !digest.is_empty() {
            assert_eq!(digest, row.text("digest"), "{}", row.name());
        }
        if row.act() == "locked" && row.presses().is_empty() {
            continue; // it ended before the review began
        }
        let refused = row.text("sw") == "6a80";
        assert_eq!(pages.refused, refused, "{}", row.name());
        let large = row.status().model.is_some_and(Model::is_large);
        let person = Person {
            pages: &pages.all,
            kind: row.kind(),
            hashes: row.is_by_hashes(),
            large,
            narrow: row.status().model != Some(Model::Flex),
        };
        let expected = person.screens(&row.presses());
        if expected != row.screens {
            let at = expected.iter().zip(&row.screens).position(|(a, b)| a != b);
            let pair = at.map(|at| (&expected[at], &row.screens[at]));
            wrong.push(format!("{}: page {at:?} {pair:?}", row.name()));
        }
        assert!(pages.recorded, "{}", row.name());
        tried += 1;
    }
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(tried, 678);
}

/// The app tells "Blind signing" and "Transaction Check", and none of the others.
#[test]
fn every_recorded_configuration_is_read() {
    let mut tried = 0;
    for row in rows().iter().filter(|row| row.act() == "config") {
        let exchange = &row.fields["apdus"][0];
        let out = hex::decode(exchange["out"].as_str().unwrap()).unwrap();
        let data = &out[..out.len() - 2];
        if exchange["in"] == "e006000000" {
            let read = Configuration::read(data).unwrap();
            let settings = row.settings();
            let expected = (settings.blind_signing, settings.transaction_check);
            assert_eq!((read.blind_signing, read.transaction_check), expected, "{}", row.name());
        } else {
            let read = AppInfo::read(data).unwrap();
            assert_eq!((read.name.as_str(), read.parsed_version()), ("Ethereum", Some(AppVersion(1, 22, 0))));
        }
        tried += 1;
    }
    assert_eq!(tried, 114);
}

/// The program sends the recorded commands up to the answer that ended them; the strict emulator ends there too, with
/// the same status word.
#[test]
fn every_recorded_flow_is_sent_again() {
    let mut tried = 0;
    for row in rows().iter().filter(|row| !row.input.is_null() && row.fields.get("commands").is_some()) {
        let path = DerivationPath::default();
        let typed = match row.kind() {
            RequestKind::TypedMessage if row.is_by_hashes() => continue,
            RequestKind::TypedMessage if row.input["type"] == "SafeMessage" => {
                TypedData::safe_message(&domain_of(&row.input), &row.message())
            }
            RequestKind::TypedMessage => TypedData::safe_tx(&domain_of(&row.input), &safe_tx_of(&row.input)),
            RequestKind::Message | RequestKind::Transaction => continue,
        };
        let commands = typed.commands(&path).unwrap();
        let count = usize::try_from(row.fields["commands"][0].as_u64().unwrap()).unwrap();
        let sent: Vec<u8> = commands[..count].iter().flat_map(Apdu::encode).collect();
        assert_eq!(hex::encode(Sha256::digest(sent)), row.fields["commands"][1], "{}", row.name());
        let rejected = row.text("outcome").starts_with("rejected");
        let mut app = App::new(Behaviour {
            raw_messages: row.settings().raw_messages,
            blind_signing: row.settings().blind_signing,
            large: row.status().model.is_some_and(Model::is_large),
            reject: rejected.then_some(Reject::End),
            ..Behaviour::default()
        });
        // Where in the flow somebody says no depends on the page; the word is the same.
        let words: Vec<u16> = commands.iter().map(|command| app.handle(&command.encode()).word).collect();
        let ended = words.iter().position(|word| *word != 0x9000).unwrap_or(words.len() - 1);
        if let [Signed::Fields(received)] = &app.signed[..] {
            assert_eq!(hex::encode(received.digest()), row.text("digest"), "{}", row.name());
        }
        let word = format!("{:04x}", words[ended]);
        assert_eq!(word, row.text("sw"), "{}", row.name());
        assert!(rejected || ended + 1 == count, "{}: {ended} and {count}", row.name());
        tried += 1;
    }
    assert_eq!(tried, 392);
}

/// The emulator's own pages, which stories hold predictions against, are the real app's: in every setting, of every act
/// that a Nano was asked to sign as typed data or as a message.
#[test]
fn the_emulator_shows_what_a_nano_showed() {
    let is_it = |row: &&Row| {
        let is_nano = row.text("model").starts_with("nano");
        let kind = row.kind();
        let ended = matches!(row.text("outcome"), "approved" | "refused by the app");
        is_nano && !row.input.is_null() && kind != RequestKind::Transaction && ended && row.act() != "locked"
    };
    let mut tried = 0;
    for row in rows().iter().filter(is_it) {
        let path = DerivationPath::default();
        let commands: Vec<Vec<u8>> = match row.kind() {
            RequestKind::Message => {
                vec![[&[0xe0, 0x08, 0, 0, 57], &path.encode()[..], &[0, 0, 0, 32], &row.hash()].concat()]
            }
            _ if row.is_by_hashes() => {
                vec![[&[0xe0, 0x0c, 0, 0, 85], &path.encode()[..], &row.both_hashes()].concat()]
            }
            _ if row.input["type"] == "SafeMessage" => {
                let data = TypedData::safe_message(&domain_of(&row.input), &row.message());
                data.commands(&path).unwrap().iter().map(Apdu::encode).collect()
            }
            _ => {
                let data = TypedData::safe_tx(&domain_of(&row.input), &safe_tx_of(&row.input));
                data.commands(&path).unwrap().iter().map(Apdu::encode).collect()
            }
        };
        let settings = row.settings();
        let mut app = App::new(Behaviour {
            raw_messages: settings.raw_messages,
            blind_signing: settings.blind_signing,
            transaction_hash: settings.transaction_hash,
            ..Behaviour::default()
        });
        for command in commands {
            if app.handle(&command).word != 0x9000 {
                break;
            }
        }
        let ended = usize::from(row.text("outcome") == "approved");
        let [shown] = &app.shown[..] else { panic!("{}: {:?}", row.name(), app.shown) };
        assert_eq!(shown[..], row.screens[..row.screens.len() - ended], "{}", row.name());
        tried += 1;
    }
    assert_eq!(tried, 239);
}
