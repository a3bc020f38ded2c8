//! The council file's wire form.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireCouncil {
    pub(super) schema: Spanned<u32>,
    pub(super) name: String,
    pub(super) program: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) chains: BTreeMap<Spanned<String>, WireChain>,
    #[serde(default)]
    pub(super) safes: BTreeMap<Spanned<String>, WireSafe>,
    #[serde(default)]
    pub(super) signers: BTreeMap<Spanned<String>, WireSigner>,
    #[serde(default)]
    pub(super) targets: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<WirePlace>>>,
    #[serde(default)]
    pub(super) levers: BTreeMap<Spanned<String>, WireLever>,
    #[serde(default)]
    pub(super) contacts: BTreeMap<Spanned<String>, WireContact>,
    #[serde(default)]
    pub(super) people: BTreeMap<Spanned<String>, WirePerson>,
    #[serde(default)]
    pub(super) response: WireResponse,
    #[serde(default)]
    pub(super) alarms: super::alarms::Wire,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireChain {
    pub(super) id: Spanned<u64>,
    #[serde(default)]
    pub(super) rpc: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) send: Vec<Spanned<String>>,
    pub(super) private_for: Option<Spanned<String>>,
    pub(super) service: Option<Spanned<String>>,
    pub(super) quorum: Option<Spanned<usize>>,
    pub(super) batch: Option<Spanned<usize>>,
    pub(super) parallel: Option<Spanned<usize>>,
    pub(super) block_time: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireSafe {
    pub(super) chain: Spanned<String>,
    pub(super) address: Spanned<String>,
    pub(super) version: Option<Spanned<String>>,
    pub(super) owners: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) threshold: Option<Spanned<u64>>,
    pub(super) modules: Option<Vec<Spanned<String>>>,
    pub(super) guard: Option<Spanned<String>>,
    pub(super) module_guard: Option<Spanned<String>>,
    pub(super) fallback_handler: Option<Spanned<String>>,
    pub(super) proxy_code: Option<Spanned<String>>,
    pub(super) batch: Option<Spanned<String>>,
}

/// A target on one chain: its address, or a table with the pinned code beside it.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected an address, or { address = \"0x…\", code = \"0x…\" }")]
pub(super) enum WirePlace {
    Address(String),
    Pinned(WirePinned),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WirePinned {
    pub(super) address: String,
    pub(super) code: WireCode,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum WireCode {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireSigner {
    pub(super) address: Spanned<String>,
    pub(super) path: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireLever {
    pub(super) playbook: Option<String>,
    pub(super) safe: Option<Spanned<String>>,
    pub(super) by: Option<Spanned<String>>,
    pub(super) deputy: Option<Spanned<String>>,
    pub(super) module: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) set: BTreeMap<String, Spanned<toml::Value>>,
    #[serde(default)]
    pub(super) changes: Vec<Spanned<String>>,
    #[serde(rename = "try", default)]
    pub(super) examples: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    /// A combined lever has these, and none of the above.
    pub(super) title: Option<Spanned<String>>,
    pub(super) pull: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) alone: Option<Spanned<Vec<Spanned<String>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireContact {
    #[serde(default)]
    pub(super) role: String,
    pub(super) reach: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WirePerson {
    pub(super) role: Option<Spanned<String>>,
    pub(super) reach: Spanned<String>,
    pub(super) zone: Option<Spanned<String>>,
    pub(super) backup: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) away: Vec<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireResponse {
    pub(super) first_signature: Option<Spanned<String>>,
    pub(super) proof: Option<Spanned<String>>,
}
