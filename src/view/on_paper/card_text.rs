//! The card of a lever, for paper: text of 80 columns, and data.

use serde::Serialize;

use crate::ceremony::overviews::cards::LeverCard;
use crate::device::{
    AppSettings, AppVersion, Model, Pages, SigningMode, SigningRequest, Signs, Status, safe_tx_pages,
};
use crate::evm::amount::eth;
use crate::incident::Utc;
use crate::playbook::{PlannedCall, Playbook};
use crate::proposal::Card;
use crate::safe::{Domain, Operation, SafeTx, SignatureKind};
use crate::view::on_paper::paper::{Paper, upper};
use crate::view::review_lines::shown_lever::{CallLine, NamedAddress, call_line, named};
use crate::view::review_lines::summary::act;

/// One transaction, with the hashes of each nonce.
#[derive(Clone, Debug, Serialize)]
pub struct CardText {
    /// `PAUSE`
    act: String,
    /// `2026-11-26 07:31`, UTC.
    printed: String,
    /// The levers' names.
    levers: Vec<String>,
    titles: Vec<String>,
    safe: NamedAddress,
    safe_version: String,
    chain: String,
    chain_id: u64,
    /// The address that a device shows as `to`: the contract, or the batch contract.
    to: NamedAddress,
    is_batch: bool,
    calls: Vec<CallText>,
    /// The whole data, as a device writes it.
    data: String,
    operation: u8,
    value: String,
    domain_hash: String,
    nonces: Vec<NonceLine>,
    /// The block that was read; `None` if it rests on the reader's own files alone.
    block: Option<u64>,
    rests_on: Vec<String>,
    devices: Vec<DeviceText>,
}

#[derive(Clone, Debug, Serialize)]
struct CallText {
    #[serde(flatten)]
    line: CallLine,
    /// `setFee(uint256)`
    signature: String,
    selector: String,
    data: String,
    /// In wei.
    value: String,
    eth: String,
}

#[derive(Clone, Debug, Serialize)]
struct NonceLine {
    nonce: String,
    message_hash: String,
    safe_tx_hash: String,
}

/// The pages to read on one kind of device.
#[derive(Clone, Debug, Serialize)]
struct DeviceText {
    device: String,
    pages: usize,
    read: Vec<PageText>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct PageText {
    first: usize,
    last: usize,
    title: String,
    /// `None` if it differs from nonce to nonce or is a hash: it is on the card by itself.
    value: Option<String>,
}

/// A kind of device whose pages are predicted, and how its app shows a personal message.
const DEVICES: [(&str, Model); 2] =
    [("Nano S Plus or Nano X", Model::NanoSPlus), ("Stax, Flex or Apex P", Model::Flex)];
/// The app that the pages were recorded with.
const APP: AppVersion = AppVersion(1, 22, 0);

impl CardText {
    pub fn new(lever: &LeverCard<'_>, now: Utc) -> Self {
        let LeverCard { order, plans, card, seen } = lever;
        let (tx, names) = (card.tx(), &order.names);
        let playbooks: Vec<&Playbook> = order.playbooks().collect();
        let hashes: Vec<_> = card.hashes().collect();
        let call = |planned: &PlannedCall| CallText {
            line: call_line(names, planned),
            signature: planned.signature.clone(),
            selector: upper(planned.call.data.get(..4).unwrap_or_default()),
            data: planned.call.data.to_string(),
            value: planned.call.value.to_string(),
            eth: eth(planned.call.value),
        };
        Self {
            act: act(&playbooks, order.pull.undo),
            printed: now.to_string().replace('T', " ").chars().take(16).collect(),
            levers: order.levers().map(str::to_string).collect(),
            titles: playbooks.iter().map(|playbook| playbook.title.clone()).collect(),
            safe: NamedAddress { name: order.safe.name.clone(), address: card.safe().address.to_string() },
            safe_version: card.safe().version.to_string(),
            chain: order.chain.name.clone(),
            chain_id: card.safe().chain_id,
            to: named(names, tx.to),
            is_batch: tx.operation == Operation::DelegateCall,
            calls: plans.calls().map(|(_, planned)| call(planned)).collect(),
            data: upper(&tx.data),
            operation: tx.operation.as_u8(),
            value: tx.value.to_string(),
            domain_hash: hashes
                .first()
                .map(|(_, hashes)| upper(hashes.domain.word().as_slice()))
                .unwrap_or_default(),
            nonces: hashes
                .iter()
                .map(|(nonce, hashes)| NonceLine {
                    nonce: nonce.to_string(),
                    message_hash: upper(hashes.message.word().as_slice()),
                    safe_tx_hash: upper(hashes.safe_tx.word().as_slice()),
                })
                .collect(),
            block: seen.as_ref().map(|seen| seen.block.number),
            rests_on: seen.iter().flat_map(|seen| seen.decided.clone()).collect(),
            devices: DEVICES.iter().map(|(name, model)| device(name, *model, card)).collect(),
        }
    }

    /// `PAUSE vault + bridge`
    pub fn title(&self) -> String {
        format!("{} {}", self.act, self.levers.join(" + "))
    }

    /// `guardian 0x… on mainnet (1)`
    pub fn place(&self) -> String {
        format!("{} {} on {} ({})", self.safe.name, self.safe.address, self.chain, self.chain_id)
    }

    pub fn printed(&self) -> &str {
        &self.printed
    }

    pub fn to(&self) -> &str {
        &self.to.address
    }

    pub const fn is_batch(&self) -> bool {
        self.is_batch
    }

    pub fn first_nonce(&self) -> &str {
        self.nonces.first().map_or("", |line| &line.nonce)
    }

    /// Returns the three hashes at the first nonce, by name.
    pub fn hashes(&self) -> impl Iterator<Item = (&str, &str)> {
        let first = self.nonces.first().into_iter();
        let rest = first.flat_map(|line| [("message", &*line.message_hash), ("safeTx", &*line.safe_tx_hash)]);
        std::iter::once(("domain", self.domain_hash.as_str())).chain(rest)
    }

    /// Returns the calls as they are typed: signature, the contract's name, address, value in ETH, data.
    pub fn typed(&self) -> impl Iterator<Item = [&str; 5]> {
        self.calls.iter().map(|call| {
            [&*call.signature, &*call.line.to.name, &*call.line.to.address, &*call.eth, &*call.data]
        })
    }

    /// Returns the card as lines of at most 80 columns.
    pub fn lines(&self) -> Vec<String> {
        let mut out = Paper::default();
        out.line(&format!("CARD · {} · printed {} UTC", self.title(), self.printed));
        out.text(0, &self.titles.join("; "));
        out.text(0, "Not a secret, and it signs nothing. It says what your own device must show.");
        out.blank();
        out.field("Safe", &format!("{}  {}", self.safe.name, self.safe.address));
        out.field("", &format!("version {}, chain {} ({})", self.safe_version, self.chain, self.chain_id));
        out.field("to", &self.to.address);
        out.field(
            "",
            if self.is_batch { "MultiSendCallOnly, which makes several calls one" } else { &self.to.name },
        );
        for (at, call) in self.calls.iter().enumerate() {
            let label = if at == 0 { "call" } else { "" };
            let to = if self.is_batch {
                format!("{} {}: ", call.line.to.name, call.line.to.address)
            } else {
                String::new()
            };
            out.field(label, &format!("{to}{}", call.line.call));
        }
        out.field("data", &self.shown_data());
        out.field("operation", if self.is_batch { "1, only because `to` is MultiSendCallOnly" } else { "0" });
        out.field("value", &self.value);
        out.field("others", "safeTxGas, baseGas, gasPrice, gasToken, refundReceiver: 0");
        out.blank();
        out.line("domain hash, the same for every nonce");
        out.line(&format!("   {}", self.domain_hash));
        for line in &self.nonces {
            out.line(&format!("nonce {}", line.nonce));
            out.line(&format!("   message  {}", line.message_hash));
            out.line(&format!("   safeTx   {}", line.safe_tx_hash));
        }
        self.basis(&mut out);
        self.reading(&mut out);
        out.into_lines()
    }

    /// Returns `0x8456CB59 (4 bytes)`; of long data the beginning, as a device shows it.
    fn shown_data(&self) -> String {
        const MOST: usize = 2 + 2 * 68;
        let bytes = self.data.len().saturating_sub(2) / 2;
        match self.data.get(..MOST) {
            Some(beginning) if self.data.len() > MOST => format!("{beginning}… ({bytes} bytes in all)"),
            _ => format!("{} ({bytes} bytes)", self.data),
        }
    }

    fn basis(&self, out: &mut Paper) {
        out.blank();
        match self.block {
            None => out.text(
                0,
                "Rests on your own breakglass.toml and playbooks alone: nothing was asked of a chain.",
            ),
            Some(block) if self.rests_on.is_empty() => {
                out.text(0, &format!("Read at block {block}; no value of the chain decides what it does."));
            }
            Some(block) => {
                out.text(0, &format!("Rests on values of the chain, read at block {block}:"));
                for why in &self.rests_on {
                    out.text(3, why);
                }
            }
        }
        out.text(
            0,
            "When something of that changes, this card is wrong. breakglass doctor says when it is stale.",
        );
    }

    fn reading(&self, out: &mut Paper) {
        out.blank();
        out.text(
            0,
            &format!("On a Ledger (Ethereum app {APP}, with Raw messages and Transaction hash on), read:"),
        );
        for device in &self.devices {
            out.text(3, &format!("{}: {} pages", device.device, device.pages));
            for page in &device.read {
                let pages = if page.first == page.last {
                    page.first.to_string()
                } else {
                    format!("{}-{}", page.first, page.last)
                };
                let value = page.value.as_ref().map(|value| format!("  {value}")).unwrap_or_default();
                out.text(6, &format!("{pages:<6} {}{value}", page.title));
            }
        }
        out.text(0, "Every other value is 0, or an address of zeros: anything else is another transaction. Reject it. Compare each hash whole.");
        out.text(0, "With `breakglass sign --eth-sign` the device shows one message: the safeTxHash, whole.");
    }
}

/// Returns the pages to read that are the same for every nonce of the card.
fn device(name: &str, model: Model, card: &Card) -> DeviceText {
    let of = |tx: &SafeTx| pages(model, card, tx);
    let first = of(card.tx());
    let mut read: Vec<PageText> = Vec::new();
    for pages in card.txs().map(|tx| of(&tx)) {
        for fact in pages.facts() {
            let is_hash = fact.is_hash();
            match read.iter_mut().find(|page| page.title == fact.title) {
                None => {
                    let value = (!is_hash).then(|| fact.value.clone());
                    read.push(PageText { first: fact.first, last: fact.last, title: fact.title, value });
                }
                Some(page) => {
                    (page.first, page.last) = (page.first.min(fact.first), page.last.max(fact.last));
                    page.value = page.value.take().filter(|value| *value == fact.value);
                }
            }
        }
    }
    DeviceText { device: name.into(), pages: first.number(first.all.len().saturating_sub(1)), read }
}

fn pages(model: Model, card: &Card, tx: &SafeTx) -> Pages {
    let status = Status {
        model: Some(model),
        version: APP,
        blind_signing: false,
        transaction_check: false,
        takes_fields: true,
    };
    let settings = AppSettings { raw_messages: true, transaction_hash: true, ..AppSettings::default() };
    // The pages do not depend on the key.
    let owner = card.safe().address;
    let request = SigningRequest {
        domain: &Domain::real(*card.safe()),
        signs: Signs::Tx(tx),
        owner,
        kind: SignatureKind::Ecdsa,
        way: SigningMode::Fields,
    };
    safe_tx_pages(&status, settings, &request)
}
