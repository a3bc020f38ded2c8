//! The council file `breakglass.toml`: chains, Safes, signers, targets, levers and people; and a person's own settings
//! with what they have accepted of it. Text in, types out.
//!
//! May touch values only: no network, clock, device or files. Every reference from one entry to another is checked
//! here, so a [`Council`] never names a Safe, chain or signer that does not exist.

mod alarms;
mod arguments;
mod by;
mod combined;
mod council_toml;
mod difference;
mod digest;
mod duration;
mod edit;
mod entries;
mod file;
mod people;
mod people_entries;
mod pins;
mod pull;
mod rpc_address;
mod settings;
#[cfg(test)]
pub(crate) mod tests;
mod text_source;

use std::collections::BTreeMap;
use std::time::Duration;

use alloy::primitives::{Address, B256};
use semver::{Version, VersionReq};

pub use arguments::{ArgumentError, Arguments, by_lever};
pub use by::By;
pub use combined::{Expansion, Part, PullError, expand};
pub use difference::{Mark, TextDifference, difference};
pub use digest::TextDigest;
pub use edit::{EditError, Edited, EntryKind, NewEntry, add_entry};
pub use people::{Days, LocalTime, Person, PersonToCall, Zone};
pub use pins::{AcceptedText, PinStatus, Pins, SafeAt, council_at, council_of, playbook_of};
pub use pull::Pull;
pub use rpc_address::{RpcAddress, RpcAddressError, SecretUrl};
pub use settings::Settings;

use crate::evm::AddressBook;
use crate::excerpt::Fault;
use crate::safe::{Owners, SafeVersion};

/// The name of the council file.
pub const FILE_NAME: &str = "breakglass.toml";

/// The longest council file: room for some 4,000 entries.
pub const MOST_BYTES: usize = 256 << 10;

/// A protocol's emergency council, as its own file describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Council {
    pub name: String,
    pub chains: BTreeMap<String, CouncilChain>,
    pub safes: BTreeMap<String, Safe>,
    pub signers: BTreeMap<String, Signer>,
    /// Target → chain → where it is there.
    pub targets: BTreeMap<String, BTreeMap<String, Target>>,
    pub levers: BTreeMap<String, Lever>,
    /// Levers that pull others. No name is a simple lever's too, and none pulls itself.
    pub combined: BTreeMap<String, Combined>,
    /// Whom to call, signers by their names; with the contacts of older files.
    pub people: BTreeMap<String, Person>,
    pub response: Response,
    pub alarms: BTreeMap<String, Alarm>,
    /// Which versions of the program the council asks for.
    pub program: Option<VersionReq>,
}

/// The times that the council wants to keep: what drills and reports are measured against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Response {
    pub first_signature: Option<Duration>,
    /// Until the effect is proven on chain, from the same beginning.
    pub proof: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouncilChain {
    pub name: String,
    pub id: u64,
    pub rpc: Vec<RpcAddress>,
    /// Where a transaction is sent first: private relays. Empty where it goes to `rpc` at once.
    pub send: Vec<RpcAddress>,
    /// Time for which only `send` sees a transaction, from its first sending on.
    pub private_for: Duration,
    /// The Transaction Service whose web pages the council uses. It is only compared with the chain.
    pub service: Option<RpcAddress>,
    /// The number of endpoints that must agree on every value. At least 1, at most their number.
    pub quorum: usize,
    /// The most requests in one JSON-RPC batch.
    pub batch: usize,
    /// The most batches sent side by side.
    pub parallel: usize,
    /// The time between two blocks, where the file says it: the longest there is for a chain that makes them on demand.
    pub block_time: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Safe {
    pub name: String,
    pub chain: String,
    pub address: Address,
    /// Pinned by the council; without it the chain's answer is taken.
    pub version: Option<SafeVersion>,
    /// Pinned by the council: owners and threshold as agreed. The order is the Safe's own list or any other.
    pub owners: Option<Owners>,
    /// Pinned by the council: what may act for the Safe, stop it or answer for it beside its owners. Address zero is
    /// a pin too: there is none.
    pub modules: Option<Vec<Address>>,
    pub guard: Option<Address>,
    pub module_guard: Option<Address>,
    pub fallback_handler: Option<Address>,
    /// keccak256 of the code at the Safe's own address, where no published factory made it.
    pub proxy_code: Option<B256>,
    /// The published MultiSendCallOnly of the Safe's version that its batches go through.
    pub batch: Option<Address>,
}

impl Safe {
    /// An account that makes calls and is not a Safe: nothing is pinned of it.
    pub fn account(name: &str, chain: &str, address: Address) -> Self {
        Self {
            name: name.into(),
            chain: chain.into(),
            address,
            version: None,
            owners: None,
            modules: None,
            guard: None,
            module_guard: None,
            fallback_handler: None,
            proxy_code: None,
            batch: None,
        }
    }
}

/// A contract of the protocol on one chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub address: Address,
    /// Pinned by the council: keccak256 of every code that may run on its storage, of a proxy its own and its
    /// implementations'. Empty when nothing is pinned.
    pub code: Vec<B256>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    pub name: String,
    pub address: Address,
    /// BIP-32 derivation path on the hardware wallet.
    pub path: Option<String>,
}

/// A playbook bound ahead of time to a Safe and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lever {
    pub name: String,
    /// Its place among the levers of the file: the calls of one transaction are in this order.
    pub place: usize,
    pub playbook: String,
    pub safe: String,
    pub by: By,
    /// Arguments as text: what they mean is for the playbook to say.
    pub set: BTreeMap<String, String>,
    /// Contracts that change with it, beside those that the playbook calls or declares.
    pub changes: Vec<Address>,
    /// Arguments that it leaves open, as examples: for rehearsals, never for a proposal.
    pub examples: BTreeMap<String, String>,
}

/// Several levers, pulled together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combined {
    pub name: String,
    pub place: usize,
    pub title: Option<String>,
    /// Levers, simple or combined; at least one.
    pub pull: Vec<String>,
    /// Simple levers among them that get a transaction of their own, after the others of their Safe.
    pub alone: Vec<String>,
}

/// A claim that must stay true on one chain, and the lever that is prepared when it does not.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    pub name: String,
    pub title: String,
    /// A lever, simple or combined.
    pub lever: String,
    pub chain: String,
    /// The time between two evaluations; zero for every block.
    pub every: Duration,
    /// The number of blocks, one after the other, for which it must be false. At least 1.
    pub blocks: u64,
    /// The claim as it is written, in the words of a playbook's checks; `None` if another monitor alone tells of it.
    claim: Option<toml::Table>,
}

impl Council {
    /// Reads a council file. `origin` is its name in faults.
    /// The error has the line and the word at fault: bad TOML, an unknown field, a wrong address, a name that nothing
    /// bears.
    pub fn parse(origin: &str, text: &str) -> Result<Self, Fault> {
        if text.len() > MOST_BYTES {
            let message =
                format!("a council file has at most {MOST_BYTES} bytes, and this is {}", text.len());
            return Err(Fault::whole(origin, message));
        }
        file::parse(origin, text)
    }

    /// The chain of a Safe of this council. Present for every Safe in [`Council::safes`].
    pub fn chain_of(&self, safe: &Safe) -> Option<&CouncilChain> {
        self.chains.get(&safe.chain)
    }

    pub fn safe_at(&self, chain_id: u64, address: Address) -> Option<&Safe> {
        self.safes
            .values()
            .find(|s| s.address == address && self.chain_of(s).is_some_and(|c| c.id == chain_id))
    }

    pub fn signer_at(&self, address: Address) -> Option<&Signer> {
        self.signers.values().find(|signer| signer.address == address)
    }

    /// Returns the name of the signer with this address, or else the address.
    pub fn signer_name(&self, address: Address) -> String {
        self.signer_at(address).map_or_else(|| address.to_string(), |signer| signer.name.clone())
    }

    /// The names that hold on one chain: signers everywhere, Safes and targets of that chain.
    pub fn names_on(&self, chain: &str) -> AddressBook {
        let signers = self.signers.values().map(|s| (s.name.clone(), s.address));
        let safes = self.safes.values().filter(|s| s.chain == chain).map(|s| (s.name.clone(), s.address));
        let targets = self
            .targets
            .iter()
            .filter_map(|(name, places)| places.get(chain).map(|target| (name.clone(), target.address)));
        signers.chain(safes).chain(targets).collect()
    }

    /// Returns `true` if the council asks for no other version of the program.
    pub fn accepts_program(&self, version: &str) -> bool {
        let version = Version::parse(version).ok();
        self.program.as_ref().is_none_or(|asked| version.is_some_and(|version| asked.matches(&version)))
    }

    /// The code that the council pinned on one chain, by target.
    pub fn pins_on(&self, chain: &str) -> BTreeMap<Address, Vec<B256>> {
        let there = self.targets.values().filter_map(|places| places.get(chain));
        let pinned = there.filter(|target| !target.code.is_empty());
        pinned.map(|target| (target.address, target.code.clone())).collect()
    }
}
