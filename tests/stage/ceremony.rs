//! The setting of a story: a chain, a Safe, a vault that the Safe owns, and a desk for each of its owners.

use std::fmt::Write;
use std::fs;

use alloy::primitives::Address;
use alloy::sol_types::SolValue;

use super::anvil::Anvil;
use super::artifact::deploy;
use super::desk::Desk;
use super::keys::{KEYS, Key};
use super::proxy::Proxy;
use super::safes::{SafeSetup, deploy_safe};

const NAMES: [&str; 10] =
    ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"];

pub struct Ceremony {
    pub anvil: Anvil,
    pub setup: SafeSetup,
    pub safe: Address,
    /// Owned by the Safe, not paused, its fee 0.
    pub vault: Address,
    /// One per owner, in the order of the owners.
    pub desks: Vec<Desk>,
    council: String,
    /// An RPC of its own host and port in front of the same chain.
    second: Option<Proxy>,
}

impl Ceremony {
    /// Every owner must be one of the known keys.
    pub fn new(setup: SafeSetup) -> Self {
        let anvil = Anvil::start();
        let rpc = [anvil.url()];
        Self::on(anvil, setup, &rpc)
    }

    /// With two independent RPCs: what one of them says alone decides no transaction.
    pub fn with_two_rpcs(anvil: Anvil, setup: SafeSetup) -> Self {
        let second = Proxy::to(&anvil);
        let rpc = [anvil.url(), second.url()];
        Self { second: Some(second), ..Self::on(anvil, setup, &rpc) }
    }

    /// With the RPC addresses that the council file shall name: a [`super::Proxy`]'s, for instance.
    pub fn on(anvil: Anvil, setup: SafeSetup, rpc: &[String]) -> Self {
        let safe = deploy_safe(&anvil, &setup);
        let vault = deploy(&anvil, "Vault", &safe.abi_encode());
        let signers: Vec<(&str, Key)> = setup.owners.iter().map(|owner| named(*owner)).collect();
        let mut council = council_text(&anvil, &setup, safe, rpc);
        write!(council, "\n[targets.vault]\nanvil = \"{vault}\"\n").unwrap();
        write!(
            council,
            "\n[levers.vault]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian\"\nset = {{ target = \"vault\" }}\n"
        )
        .unwrap();
        let desks = signers.iter().map(|(name, key)| Desk::new(name, *key, &council)).collect();
        Self { anvil, setup, safe, vault, desks, council, second: None }
    }

    /// The council file that every desk has.
    pub fn council(&self) -> &str {
        &self.council
    }

    /// Adds text at the end of the council file of every desk: levers, targets, contacts. Everybody agrees on it.
    pub fn add_to_council(&mut self, text: &str) {
        self.replace_council(format!("{}{text}", self.council));
    }

    /// Gives every desk another council file. Everybody agrees on it.
    pub fn replace_council(&mut self, text: String) {
        self.council = text;
        for desk in &self.desks {
            fs::write(desk.path("breakglass.toml"), &self.council).unwrap();
            desk.forgets();
        }
    }

    /// A desk for somebody else, with the same council file.
    pub fn outsider(&self, name: &str, key: Key) -> Desk {
        Desk::new(name, key, &self.council)
    }
}

/// Chain `anvil`, Safe `guardian` with owners and threshold pinned, and the owners by name.
fn council_text(anvil: &Anvil, setup: &SafeSetup, safe: Address, rpc: &[String]) -> String {
    let mut text = format!(
        "schema = 1\nname = \"Test protocol\"\n\n[chains.anvil]\nid = {}\nrpc = {rpc:?}\n\n\
         [safes.guardian]\nchain = \"anvil\"\naddress = \"{safe}\"\nversion = \"{}\"\n",
        anvil.chain_id, setup.version
    );
    let names: Vec<&str> = setup.owners.iter().map(|owner| named(*owner).0).collect();
    write!(text, "owners = {names:?}\nthreshold = {}\n", setup.threshold).unwrap();
    for owner in &setup.owners {
        let (name, key) = named(*owner);
        write!(text, "\n[signers.{name}]\naddress = \"{}\"\n", key.address).unwrap();
    }
    text
}

fn named(owner: Address) -> (&'static str, Key) {
    let n = KEYS.iter().position(|key| key.address == owner).expect("an owner without a known key");
    (NAMES[n], KEYS[n])
}
