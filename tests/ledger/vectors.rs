//! The recorded exchanges, read into the program's own types.

use alloy::hex;
use alloy::primitives::{Address, Bytes, U256};
use breakglass::device::{AppSettings, AppVersion, DerivationPath, Model, Status};
use breakglass::safe::{DRILL_CHAIN_ID, Domain, Nonce, Operation, SafeId, SafeTx, SafeVersion};
use serde_json::Value;

/// One line of `tests/vectors/ledger-exchanges.jsonl`.
pub struct Row(Value);

pub fn rows() -> Vec<Row> {
    let text = include_str!("../vectors/ledger-exchanges.jsonl");
    text.lines().map(|line| Row(serde_json::from_str(line).unwrap())).collect()
}

pub fn row(name: &str) -> Row {
    rows().into_iter().find(|row| row.name() == name).unwrap()
}

impl Row {
    pub fn name(&self) -> &str {
        self.0["name"].as_str().unwrap()
    }

    pub fn app(&self) -> &str {
        self.0["app"].as_str().unwrap()
    }

    pub fn setting(&self, name: &str) -> bool {
        self.0["settings"][name].as_bool().unwrap_or(false)
    }

    pub fn path(&self) -> DerivationPath {
        self.0["path"].as_str().unwrap().parse().unwrap()
    }

    /// Commands in and answers out.
    pub fn exchanges(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let bytes = |v: &Value| hex::decode(v.as_str().unwrap()).unwrap();
        self.0["apdus"].as_array().unwrap().iter().map(|a| (bytes(&a["in"]), bytes(&a["out"]))).collect()
    }

    /// Lines of each page; blanks at the ends of lines are the display's. Where the emulator's display lost the first
    /// letter ("ign typed message"), it is put back.
    pub fn screens(&self) -> Vec<Vec<String>> {
        let line = |v: &Value| match v.as_str().unwrap().trim_end() {
            "ign" => "Sign".into(),
            other => other.to_string(),
        };
        let Some(pages) = self.0["screens"].as_array() else { return Vec::new() };
        pages.iter().map(|page| page.as_array().unwrap().iter().map(line).collect()).collect()
    }

    pub fn expected(&self, name: &str) -> Option<Vec<u8>> {
        self.0["expect"][name].as_str().map(|hex| hex::decode(hex).unwrap())
    }

    pub fn signer(&self) -> Address {
        self.0["expect"]["signer"].as_str().unwrap().parse().unwrap()
    }

    pub fn status(&self) -> Status {
        let old = self.app() == "Ethereum 1.9.18";
        let model = match self.0["model"].as_str().unwrap() {
            "nanosp" => Model::NanoSPlus,
            "nanox" => Model::NanoX,
            _ => Model::NanoS,
        };
        Status {
            model: Some(model),
            version: if old { AppVersion(1, 9, 18) } else { AppVersion(1, 22, 0) },
            blind_signing: self.setting("blind_signing"),
            transaction_check: false,
            takes_fields: !old,
        }
    }

    pub fn settings(&self) -> AppSettings {
        AppSettings {
            blind_signing: self.setting("blind_signing"),
            raw_messages: self.setting("raw_messages"),
            transaction_hash: self.setting("transaction_hash"),
            ..AppSettings::default()
        }
    }

    pub fn primary_type(&self) -> Option<&str> {
        self.0["typed_data"]["primaryType"].as_str()
    }

    pub fn domain(&self) -> Domain {
        domain_of(&self.0["typed_data"])
    }

    pub fn safe_tx(&self) -> SafeTx {
        safe_tx_of(&self.0["typed_data"])
    }

    pub fn safe_message(&self) -> Bytes {
        self.0["typed_data"]["message"]["message"].as_str().unwrap().parse().unwrap()
    }
}

/// A domain without a chain id is that of a Safe below 1.3.0; one with that of a drill is a drill's, of a Safe on mainnet.
pub fn domain_of(typed_data: &Value) -> Domain {
    let domain = &typed_data["domain"];
    let address = domain["verifyingContract"].as_str().unwrap().parse().unwrap();
    match domain["chainId"].as_u64() {
        Some(DRILL_CHAIN_ID) => {
            Domain::drill(SafeId { chain_id: 1, address, version: SafeVersion::V1_4_1 }).unwrap()
        }
        Some(chain_id) => Domain::real(SafeId { chain_id, address, version: SafeVersion::V1_4_1 }),
        None => Domain::real(SafeId { chain_id: 1, address, version: SafeVersion::V1_1_1 }),
    }
}

pub fn safe_tx_of(typed_data: &Value) -> SafeTx {
    let message = &typed_data["message"];
    let number = |name: &str| message[name].as_str().unwrap().parse::<U256>().unwrap();
    let address = |name: &str| message[name].as_str().unwrap().parse::<Address>().unwrap();
    let operation = u8::try_from(message["operation"].as_u64().unwrap()).unwrap();
    SafeTx {
        to: address("to"),
        value: number("value"),
        data: message["data"].as_str().unwrap().parse().unwrap(),
        operation: Operation::from_u8(operation).unwrap(),
        safe_tx_gas: number("safeTxGas"),
        base_gas: number("baseGas"),
        gas_price: number("gasPrice"),
        gas_token: address("gasToken"),
        refund_receiver: address("refundReceiver"),
        nonce: Nonce(number("nonce")),
    }
}
