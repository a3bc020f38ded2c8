//! A council file and a folder of its own, without a network: what the ceremony finds, derives, judges and refuses there.

mod aftermath;
mod bytecode;
mod decided;
mod deputies;
mod drilled;
pub(super) mod executed;
mod existing;
mod incoming;
mod laid;
pub(super) mod live;
pub(super) mod memory;
pub(super) mod on_chain;
mod ordered;
mod shelf;
mod tried;
mod waited;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, U256};
use tempfile::TempDir;

use crate::ceremony::derivation::Proposed;
use crate::ceremony::derived::Derived;
use crate::ceremony::desk::Desk;
use crate::ceremony::find::{CommandPurpose, Found};
use crate::ceremony::folder::filed::Filed;
use crate::ceremony::order::{Given, Order, Turn};
use crate::council::Council;
use crate::error::Error;
use crate::evm::{Answer, Block, BlockHash, Readings};
use crate::playbook::Catalogue;
use crate::progress::{Progress, Shown, Silent, Stop, Tone};
use crate::proposal::{BatchSource, OwnerSignature, Proposal, Stated};
pub(super) use crate::safe::tests::address;
use crate::safe::tests::safe_signature;
use crate::safe::{Nonce, SafeTxHash, SignatureKind};
use crate::store::{CacheFolder, Incidents, SettingsFolder};

/// Two Safes of one chain, of which one owns the other, and one of another chain.
const COUNCIL: &str = r#"
schema = 1
name = "Example"
[chains.mainnet]
id = 1
rpc = ["http://127.0.0.1:9"]
[chains.base]
id = 8453
[safes.guardian]
chain = "mainnet"
address = "0x1111111111111111111111111111111111111111"
version = "1.4.1"
owners = ["alice", "bob", "labs"]
threshold = 2
[safes.labs]
chain = "mainnet"
address = "0x2222222222222222222222222222222222222222"
version = "1.4.1"
owners = ["carol", "dora"]
threshold = 1
[safes.far]
chain = "base"
address = "0x1111111111111111111111111111111111111111"
version = "1.4.1"
owners = ["alice"]
threshold = 1
[signers.alice]
address = "ALICE"
[signers.bob]
address = "BOB"
[signers.carol]
address = "CAROL"
[signers.dora]
address = "DORA"
[targets.vault]
mainnet = "0x9999999999999999999999999999999999999999"
[targets.bridge]
mainnet = "0x8888888888888888888888888888888888888888"
[levers.vault]
playbook = "pause/oz-pausable"
safe = "guardian"
set = { target = "vault" }
changes = ["bridge"]
[levers.bridge]
playbook = "pause/oz-pausable"
safe = "guardian"
set = { target = "bridge" }
[levers.fee]
playbook = "param/fee-bps"
safe = "guardian"
set = { target = "vault" }
[levers.alone]
playbook = "pause/oz-pausable"
safe = "guardian"
set = { target = "vault" }
by = "deputy"
deputy = "alice"
[levers.freeze]
pull = ["vault", "bridge"]
"#;

pub(super) const ALICE: u8 = 1;
pub(super) const BOB: u8 = 2;
pub(super) const CAROL: u8 = 3;
pub(super) const DORA: u8 = 4;
pub(super) const VAULT: Address = Address::repeat_byte(0x99);

/// Whoever is told keeps what was said.
#[derive(Debug, Default)]
struct Heard(Mutex<Vec<String>>);

impl Heard {
    fn push(&self, label: &str, text: &str) {
        self.0.lock().unwrap().push(format!("{label}{text}"));
    }
}

impl Progress for Heard {
    fn begin(&self, _: &str) -> Box<dyn Shown> {
        Box::new(Silent)
    }

    fn stop(&self) -> Box<dyn Stop> {
        Box::new(Still)
    }

    fn tell(&self, _: Tone, label: &str, text: &str) {
        self.push(label, text);
    }

    fn tell_once(&self, _: Tone, label: &str, text: &str) {
        self.push(label, text);
    }
}

struct Still;

impl Stop for Still {
    fn is_requested(&self) -> bool {
        true
    }

    fn pause(&self, _: Duration) {}
}

/// The folder of one signer.
pub(super) struct Home {
    folder: TempDir,
    council: String,
    heard: &'static Heard,
}

impl Home {
    pub(super) fn new() -> Self {
        let names = [("ALICE", ALICE), ("BOB", BOB), ("CAROL", CAROL), ("DORA", DORA)];
        let council = names
            .into_iter()
            .fold(COUNCIL.to_string(), |text, (name, seed)| text.replace(name, &address(seed).to_string()));
        Self { folder: tempfile::tempdir().unwrap(), council, heard: Box::leak(Box::default()) }
    }

    pub(super) fn with(self, from: &str, to: &str) -> Self {
        assert!(self.council.contains(from), "{from}");
        Self { council: self.council.replace(from, to), ..self }
    }

    /// A desk that has read nothing yet.
    pub(super) fn desk(&self) -> Desk<'static> {
        let council = Council::parse("breakglass.toml", &self.council).unwrap();
        Desk {
            progress: self.heard,
            council,
            path: PathBuf::from("breakglass.toml"),
            text: self.council.clone(),
            incidents: Incidents::next_to(self.folder.path()),
            catalogue: Catalogue::new(Vec::new()),
            not_used: BTreeMap::new(),
            read: Mutex::default(),
            filed: Filed::default(),
            quorum: None,
            settings: Some(SettingsFolder::below(&self.path().join("config"))),
            cache: Some(CacheFolder::below(&self.path().join("cache"))),
            variable: |_| None,
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the lines that were printed since the last call.
    pub(super) fn heard(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.0.lock().unwrap())
    }

    /// Writes a proposal's file beside the council file.
    pub(super) fn write(&self, name: &str, proposal: &Proposal) -> String {
        let path = self.path().join(name);
        std::fs::write(&path, proposal.to_json()).unwrap();
        path.display().to_string()
    }
}

pub(super) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

pub(super) fn at(nonce: u64) -> Given {
    Given { nonce: Some(Nonce::from(nonce)), ..Given::default() }
}

pub(super) fn setting(given: Given, name: &str, value: &str) -> Given {
    let set = [given.set.clone(), vec![(name.into(), value.into())]].concat();
    Given { set, ..given }
}

/// The orders of levers.
pub(super) fn orders<'a>(desk: &'a Desk, levers: &[&str], given: &Given) -> Result<Vec<Order<'a>>, Error> {
    desk.orders_named(&words(levers), given)
}

pub(super) fn order<'a>(desk: &'a Desk, levers: &[&str], given: &Given) -> Order<'a> {
    let mut orders = orders(desk, levers, given).unwrap();
    assert_eq!(orders.len(), 1);
    orders.remove(0)
}

/// The proposal of levers by the reader's own files, as it is found offline.
pub(super) fn assumed<'a>(desk: &'a Desk, levers: &[&str], given: &Given) -> Result<Derived<'a>, Error> {
    desk.assume(order(desk, levers, given), given)
}

/// The proposal of levers where the chain gave every answer that it is asked for.
pub(super) fn proposed(desk: &Desk, levers: &[&str], given: &Given, fee: u64) -> Proposal {
    let order = order(desk, levers, given);
    on_chain(&order, given, fee).proposal
}

/// The proposal of an order on a chain where the fee is this one.
pub(super) fn on_chain(order: &Order, given: &Given, fee: u64) -> Proposed {
    let mut readings = Readings::default();
    loop {
        match order.turn(&readings).unwrap() {
            Turn::Needs(queries) => {
                let answer = Answer::Value(B256::from(U256::from(fee)).into());
                for query in queries {
                    readings.insert(query, answer.clone());
                }
            }
            Turn::Ready(plans) => {
                let state =
                    crate::ceremony::signatures::known_owners::pinned_state(order.safe, order.chain.id)
                        .unwrap();
                let block = Block { number: 21, hash: BlockHash::claimed(B256::repeat_byte(1)) };
                let nonce = order.nonce(given).unwrap();
                return order.build_proposal(plans, state, Some(block), nonce, BatchSource::Offline).unwrap();
            }
        }
    }
}

pub(super) fn stated(seed: u8, proposal: &Proposal) -> Stated {
    stated_over(seed, &proposal.hash(), proposal)
}

/// Signs the hash as a personal message.
fn stated_by_message(seed: u8, proposal: &Proposal) -> Stated {
    stated_as(SignatureKind::EthSign, seed, &proposal.hash(), proposal)
}

fn stated_over(seed: u8, signs: &SafeTxHash, proposal: &Proposal) -> Stated {
    stated_as(SignatureKind::Ecdsa, seed, signs, proposal)
}

fn stated_as(kind: SignatureKind, seed: u8, signs: &SafeTxHash, proposal: &Proposal) -> Stated {
    Stated {
        hash: Some(proposal.hash()),
        purpose: Some(proposal.purpose()),
        ..Stated::bare(safe_signature(seed, signs, kind))
    }
}

pub(super) fn sign(desk: &Desk, seed: u8, proposal: &Proposal) -> OwnerSignature {
    let owners = desk.pinned_owners(desk.safe_of(proposal).unwrap()).unwrap();
    OwnerSignature::verify(&stated(seed, proposal), proposal, &owners).unwrap()
}

/// Signs as an owner of a Safe that owns the proposal's Safe.
pub(super) fn sign_through(desk: &Desk, seed: u8, proposal: &Proposal, safe: Address) -> OwnerSignature {
    let owners = desk.pinned_owners(desk.safe_of(proposal).unwrap()).unwrap();
    let signs = owners.ways(proposal).into_iter().find(|way| way.through == [safe]).unwrap().signs;
    OwnerSignature::verify(&stated_over(seed, &signs, proposal), proposal, &owners).unwrap()
}

/// Finds what was named without the network, and what is said of it.
pub(super) fn found_offline<'a>(
    desk: &'a Desk,
    what: &[&str],
    given: &Given,
) -> Result<Vec<Found<'a>>, Error> {
    desk.find(&words(what), given, CommandPurpose::Offline)
}
