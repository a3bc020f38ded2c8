//! The council file's wire form, and its way into [`Council`].

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use alloy::primitives::{Address, B256};
use serde::Deserialize;
use toml::Spanned;

use super::{Chain, Contact, Council, Lever, RpcAddress, Safe, Signer, Target, duration};
use crate::excerpt::Fault;
use crate::safe::deployments::batch_contracts;
use crate::safe::{Owners, SafeVersion, parse_address};

const DEFAULT_BATCH: usize = 100;
const DEFAULT_PARALLEL: usize = 24;
/// Every one of them is asked everything.
const MOST_RPC: usize = 20;
/// Two blocks of Ethereum, and a second.
const DEFAULT_PRIVATE: Duration = Duration::from_secs(25);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    schema: Spanned<u32>,
    name: String,
    #[serde(default)]
    chains: BTreeMap<Spanned<String>, WireChain>,
    #[serde(default)]
    safes: BTreeMap<Spanned<String>, WireSafe>,
    #[serde(default)]
    signers: BTreeMap<Spanned<String>, WireSigner>,
    #[serde(default)]
    targets: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<WirePlace>>>,
    #[serde(default)]
    levers: BTreeMap<Spanned<String>, WireLever>,
    #[serde(default)]
    contacts: BTreeMap<Spanned<String>, WireContact>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireChain {
    id: u64,
    #[serde(default)]
    rpc: Vec<Spanned<String>>,
    #[serde(default)]
    send: Vec<Spanned<String>>,
    private_for: Option<Spanned<String>>,
    quorum: Option<Spanned<usize>>,
    batch: Option<Spanned<usize>>,
    parallel: Option<Spanned<usize>>,
    block_time: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSafe {
    chain: Spanned<String>,
    address: Spanned<String>,
    version: Option<Spanned<String>>,
    owners: Option<Spanned<Vec<Spanned<String>>>>,
    threshold: Option<Spanned<u64>>,
    modules: Option<Vec<Spanned<String>>>,
    guard: Option<Spanned<String>>,
    module_guard: Option<Spanned<String>>,
    fallback_handler: Option<Spanned<String>>,
    proxy_code: Option<Spanned<String>>,
    batch: Option<Spanned<String>>,
}

/// A target on one chain: its address, or a table with the pinned code beside it.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected an address, or { address = \"0x…\", code = \"0x…\" }")]
enum WirePlace {
    Address(String),
    Pinned(WirePinned),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePinned {
    address: String,
    code: WireCode,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireCode {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSigner {
    address: Spanned<String>,
    path: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireLever {
    playbook: String,
    safe: Spanned<String>,
    #[serde(default)]
    set: BTreeMap<String, Spanned<toml::Value>>,
    #[serde(default)]
    changes: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireContact {
    #[serde(default)]
    role: String,
    reach: String,
}

/// The text being read: makes faults that point into it.
struct Source<'a> {
    origin: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn fault(&self, span: Range<usize>, message: impl Into<String>) -> Fault {
        Fault::at(self.origin, self.text, span, message)
    }

    fn parse<T: FromStr<Err: Display>>(&self, value: &Spanned<String>) -> Result<T, Fault> {
        value.get_ref().parse().map_err(|e: T::Err| self.fault(value.span(), e.to_string()))
    }

    fn address(&self, value: &Spanned<String>) -> Result<Address, Fault> {
        parse_address(value.get_ref()).map_err(|e| self.fault(value.span(), e.to_string()))
    }

    fn name(&self, name: &Spanned<String>) -> Result<String, Fault> {
        let text = name.get_ref();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if text.is_empty() || text.starts_with('-') || !text.chars().all(plain) {
            let message = format!("{text:?} is not a name: use letters, digits, - and _");
            return Err(self.fault(name.span(), message));
        }
        if text.starts_with("0x") || text.starts_with(|c: char| c.is_ascii_digit()) {
            let message = format!("{text:?} is not a name: it begins like a number or an address");
            return Err(self.fault(name.span(), message));
        }
        Ok(text.clone())
    }
}

pub(super) fn parse(origin: &str, text: &str) -> Result<Council, Fault> {
    let wire: Wire = toml::from_str(text).map_err(|e| Fault::toml(origin, text, &e))?;
    let source = Source { origin, text };
    if *wire.schema.get_ref() != 1 {
        let message = format!("schema {} is newer than this program, which reads 1", wire.schema.get_ref());
        return Err(source.fault(wire.schema.span(), message));
    }
    unique_names(&source, &wire)?;

    let chains = each(&source, &wire.chains, |name, chain| read_chain(&source, name, chain))?;
    let signers = each(&source, &wire.signers, |name, s| {
        Ok(Signer { name, address: source.address(&s.address)?, path: s.path.clone() })
    })?;
    let safes = each(&source, &wire.safes, |name, safe| {
        known(&source, "chain", &safe.chain, &chains)?;
        read_safe(&source, name, safe, &signers)
    })?;
    one_name_each(&source, &wire, &safes, &chains)?;
    let targets = each(&source, &wire.targets, |_, places| {
        let place = |(chain, place): (&Spanned<String>, &Spanned<WirePlace>)| {
            known(&source, "chain", chain, &chains)?;
            Ok((chain.get_ref().clone(), read_place(&source, place)?))
        };
        places.iter().map(place).collect::<Result<BTreeMap<_, _>, Fault>>()
    })?;
    one_pin_each(&source, &wire, &targets)?;
    let levers = each(&source, &wire.levers, |name, lever| {
        known(&source, "Safe", &lever.safe, &safes)?;
        let chain = safes.get(lever.safe.get_ref()).map_or("", |safe| safe.chain.as_str());
        read_lever(&source, name, lever, |target| targets.get(target)?.get(chain).map(|place| place.address))
    })?;
    let contacts = each(&source, &wire.contacts, |name, c| {
        Ok(Contact { name, role: c.role.clone(), reach: c.reach.clone() })
    })?;
    Ok(Council { name: wire.name, chains, safes, signers, targets, levers, contacts })
}

fn each<W, T>(
    source: &Source,
    entries: &BTreeMap<Spanned<String>, W>,
    read: impl Fn(String, &W) -> Result<T, Fault>,
) -> Result<BTreeMap<String, T>, Fault> {
    let entry = |(name, wire): (&Spanned<String>, &W)| {
        let name = source.name(name)?;
        Ok((name.clone(), read(name, wire)?))
    };
    entries.iter().map(entry).collect()
}

/// Signers, Safes and targets share one set of names: a name in an argument means one address.
fn unique_names(source: &Source, wire: &Wire) -> Result<(), Fault> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let named = (wire.signers.keys().map(|n| ("signer", n)))
        .chain(wire.safes.keys().map(|n| ("Safe", n)))
        .chain(wire.targets.keys().map(|n| ("target", n)));
    for (what, name) in named {
        if let Some(first) = seen.insert(name.get_ref(), what) {
            let message = format!("{:?} already names a {first}; one name, one address", name.get_ref());
            return Err(source.fault(name.span(), message));
        }
    }
    Ok(())
}

fn known<T>(
    source: &Source,
    what: &str,
    name: &Spanned<String>,
    among: &BTreeMap<String, T>,
) -> Result<(), Fault> {
    if among.contains_key(name.get_ref()) {
        return Ok(());
    }
    let names = among.keys().cloned().collect::<Vec<_>>().join(", ");
    let names = if names.is_empty() { "none is described".into() } else { format!("known: {names}") };
    Err(source.fault(name.span(), format!("no {what} is called {:?}; {names}", name.get_ref())))
}

fn read_chain(source: &Source, name: String, wire: &WireChain) -> Result<Chain, Fault> {
    if wire.rpc.len() > MOST_RPC {
        let message =
            format!("chain {name} names {} RPC addresses, and at most {MOST_RPC} are asked", wire.rpc.len());
        return Err(Fault::whole(source.origin, message));
    }
    let quorum = match &wire.quorum {
        None => wire.rpc.len().clamp(1, 2),
        Some(q) if (1..=wire.rpc.len().max(1)).contains(q.get_ref()) => *q.get_ref(),
        Some(q) => {
            let message = format!(
                "quorum {} cannot be reached: {} RPC addresses are named",
                q.get_ref(),
                wire.rpc.len()
            );
            return Err(source.fault(q.span(), message));
        }
    };
    let bounded = |given: &Option<Spanned<usize>>, default, most, what: &str| match given {
        None => Ok(default),
        Some(n) if (1..=most).contains(n.get_ref()) => Ok(*n.get_ref()),
        Some(n) => Err(source.fault(n.span(), format!("{what} must be between 1 and {most}"))),
    };
    let batch = bounded(&wire.batch, DEFAULT_BATCH, 1000, "the requests of a batch")?;
    let parallel = bounded(&wire.parallel, DEFAULT_PARALLEL, 100, "the batches sent side by side")?;
    let all: Vec<_> = wire.rpc.iter().chain(&wire.send).map(Spanned::span).collect();
    let addresses = |texts: &[Spanned<String>]| {
        texts.iter().map(|text| read_rpc(source, text, &all)).collect::<Result<_, Fault>>()
    };
    let (rpc, send) = (addresses(&wire.rpc)?, addresses(&wire.send)?);
    let private_for = read_private_for(source, wire)?;
    let block_time = wire
        .block_time
        .as_ref()
        .map(|text| parse_block_time(text.get_ref()).map_err(|message| source.fault(text.span(), message)));
    let block_time = block_time.transpose()?;
    Ok(Chain { name, id: wire.id, rpc, send, private_for, quorum, batch, parallel, block_time })
}

fn parse_block_time(text: &str) -> Result<Duration, String> {
    if text == "none" {
        return Ok(Duration::MAX);
    }
    let expected = || {
        format!(
            "{text:?} is not a block time: write \"2 seconds\" or \"250 milliseconds\", or \"none\" for blocks on demand"
        )
    };
    let (number, unit) = text.split_once(' ').ok_or_else(expected)?;
    let number: u64 = number.parse().ok().filter(|n| (1..=600_000).contains(n)).ok_or_else(expected)?;
    match unit {
        "second" | "seconds" => Ok(Duration::from_secs(number)),
        "millisecond" | "milliseconds" => Ok(Duration::from_millis(number)),
        _ => Err(expected()),
    }
}

/// Without `send` nothing is private.
fn read_private_for(source: &Source, wire: &WireChain) -> Result<Duration, Fault> {
    match &wire.private_for {
        None if wire.send.is_empty() => Ok(Duration::ZERO),
        None => Ok(DEFAULT_PRIVATE),
        Some(text) if wire.send.is_empty() => {
            Err(source.fault(text.span(), "private_for needs send = [\"https://…\"] beside it"))
        }
        Some(text) => duration::parse(text.get_ref()).map_err(|message| source.fault(text.span(), message)),
    }
}

/// An address may hold a key, whatever is wrong with it: the fault points at its place and shows none of them.
fn read_rpc(source: &Source, text: &Spanned<String>, all: &[Range<usize>]) -> Result<RpcAddress, Fault> {
    RpcAddress::parse(text.get_ref()).map_err(|error| {
        let mut hidden = source.text.to_string();
        for span in all {
            hidden.replace_range(span.clone(), &"*".repeat(span.len()));
        }
        Fault::at(source.origin, &hidden, text.span(), error.to_string())
    })
}

fn read_safe(
    source: &Source,
    name: String,
    wire: &WireSafe,
    signers: &BTreeMap<String, Signer>,
) -> Result<Safe, Fault> {
    let version: Option<SafeVersion> = wire.version.as_ref().map(|v| source.parse(v)).transpose()?;
    let owners = match (&wire.owners, &wire.threshold) {
        (None, None) => None,
        (Some(list), Some(threshold)) => {
            let owner = |text: &Spanned<String>| match signers.get(text.get_ref()) {
                Some(signer) => Ok(signer.address),
                None if text.get_ref().starts_with("0x") => source.address(text),
                None => known(source, "signer", text, signers).map(|()| Address::ZERO),
            };
            let addresses = list.get_ref().iter().map(owner).collect::<Result<Vec<_>, _>>()?;
            let owners = Owners::new(addresses, *threshold.get_ref())
                .map_err(|e| source.fault(list.span(), e.to_string()))?;
            Some(owners)
        }
        (Some(list), None) => return Err(source.fault(list.span(), "owners need a threshold beside them")),
        (None, Some(t)) => return Err(source.fault(t.span(), "a threshold needs the owners beside it")),
    };
    let one = |text: &Option<Spanned<String>>| match text {
        Some(text) if text.get_ref() == "none" => Ok(Some(Address::ZERO)),
        Some(text) => parse_address(text.get_ref())
            .map(Some)
            .map_err(|message| source.fault(text.span(), format!("{message}, or \"none\""))),
        None => Ok(None),
    };
    let proxy_code = wire
        .proxy_code
        .as_ref()
        .map(|text| parse_code(text.get_ref()).map_err(|message| source.fault(text.span(), message)));
    let modules = wire.modules.as_ref().map(|list| list.iter().map(|text| source.address(text)).collect());
    Ok(Safe {
        name,
        chain: wire.chain.get_ref().clone(),
        address: source.address(&wire.address)?,
        version,
        owners,
        modules: modules.transpose()?,
        guard: one(&wire.guard)?,
        module_guard: one(&wire.module_guard)?,
        fallback_handler: one(&wire.fallback_handler)?,
        proxy_code: proxy_code.transpose()?,
        batch: wire.batch.as_ref().map(|text| read_batch(source, text, version)).transpose()?,
    })
}

/// A batch contract runs with the Safe's own storage: only a published one of its version is taken.
fn read_batch(
    source: &Source,
    text: &Spanned<String>,
    version: Option<SafeVersion>,
) -> Result<Address, Fault> {
    let address = source.address(text)?;
    let Some(version) = version else {
        return Err(source.fault(text.span(), "a batch contract needs the Safe's version beside it"));
    };
    let known: Vec<String> = batch_contracts(version).map(|d| d.address.to_string()).collect();
    if batch_contracts(version).any(|d| d.address == address) {
        return Ok(address);
    }
    let known = if known.is_empty() { "none is published".into() } else { known.join(" or ") };
    let message =
        format!("{address} is not a published MultiSendCallOnly of Safe {version}: expected {known}");
    Err(source.fault(text.span(), message))
}

fn read_place(source: &Source, wire: &Spanned<WirePlace>) -> Result<Target, Fault> {
    let fault = |message| source.fault(wire.span(), message);
    let (address, code) = match wire.get_ref() {
        WirePlace::Address(address) => (address, &[][..]),
        WirePlace::Pinned(WirePinned { address, code: WireCode::One(code) }) => {
            (address, std::slice::from_ref(code))
        }
        WirePlace::Pinned(WirePinned { address, code: WireCode::Several(code) }) => (address, &code[..]),
    };
    let code = code.iter().map(|text| parse_code(text)).collect::<Result<_, _>>().map_err(fault)?;
    Ok(Target { address: parse_address(address).map_err(|e| fault(e.to_string()))?, code })
}

fn parse_code(text: &str) -> Result<B256, String> {
    let hash = text.strip_prefix("0x").and_then(|hex| hex.parse().ok());
    hash.ok_or_else(|| format!("{text:?} is no code hash: expected 0x and 64 hexadecimal digits"))
}

/// A Safe with two names would be signed for at one nonce twice. Chains are told apart by their ids.
fn one_name_each(
    source: &Source,
    wire: &Wire,
    safes: &BTreeMap<String, Safe>,
    chains: &BTreeMap<String, Chain>,
) -> Result<(), Fault> {
    let mut seen: BTreeMap<(u64, Address), &str> = BTreeMap::new();
    for name in wire.safes.keys() {
        let Some(safe) = safes.get(name.get_ref()) else { continue };
        let Some(chain) = chains.get(&safe.chain) else { continue };
        if let Some(first) = seen.insert((chain.id, safe.address), &safe.name) {
            let message = format!(
                "{:?} is the same Safe as {first:?}: {} on chain {}; one Safe, one name",
                safe.name, safe.address, chain.id
            );
            return Err(source.fault(name.span(), message));
        }
    }
    Ok(())
}

/// Two names for one address are one contract: its code cannot be pinned in two ways.
fn one_pin_each(
    source: &Source,
    wire: &Wire,
    targets: &BTreeMap<String, BTreeMap<String, Target>>,
) -> Result<(), Fault> {
    let mut pins: BTreeMap<(&str, Address), &[B256]> = BTreeMap::new();
    for name in wire.targets.keys() {
        let places = targets.get(name.get_ref()).into_iter().flatten();
        for (chain, target) in places.filter(|(_, target)| !target.code.is_empty()) {
            if *pins.entry((chain, target.address)).or_insert(&target.code) != target.code {
                let message = format!("another target pins other code for {} on {chain}", target.address);
                return Err(source.fault(name.span(), message));
            }
        }
    }
    Ok(())
}

fn read_lever(
    source: &Source,
    name: String,
    wire: &WireLever,
    target: impl Fn(&str) -> Option<Address>,
) -> Result<Lever, Fault> {
    let change = |text: &Spanned<String>| match target(text.get_ref()) {
        Some(address) => Ok(address),
        None if text.get_ref().starts_with("0x") => source.address(text),
        None => {
            let message = format!("no target on the Safe's chain is called {:?}", text.get_ref());
            Err(source.fault(text.span(), message))
        }
    };
    let changes = wire.changes.iter().map(change).collect::<Result<_, _>>()?;
    let argument = |(key, value): (&String, &Spanned<toml::Value>)| {
        let text = match value.get_ref() {
            toml::Value::String(s) => s.clone(),
            toml::Value::Integer(i) => i.to_string(),
            toml::Value::Boolean(b) => b.to_string(),
            other => {
                let message = format!(
                    "{key}: write the {} as text in quotes, so that it is read exactly",
                    other.type_str()
                );
                return Err(source.fault(value.span(), message));
            }
        };
        Ok((key.clone(), text))
    };
    let set = wire.set.iter().map(argument).collect::<Result<_, _>>()?;
    Ok(Lever { name, playbook: wire.playbook.clone(), safe: wire.safe.get_ref().clone(), set, changes })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
schema = 1
name = "Example"
[chains.mainnet]
id = 1
rpc = ["${MAINNET_RPC}", "https://b"]
[safes.guardian]
chain = "mainnet"
address = "0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4"
version = "1.4.1"
owners = ["alice", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"]
threshold = 2
[signers.alice]
address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
path = "m/44'/60'/0'/0/0"
[targets.vault]
mainnet = "0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552"
[levers.vault]
playbook = "pause/oz-pausable"
safe = "guardian"
set = { target = "vault", delay = 5 }
[contacts.security]
reach = "+1 555 0100"
"#;

    #[test]
    fn reads_the_example() {
        let council = Council::parse("breakglass.toml", GOOD).unwrap();
        let guardian = &council.safes["guardian"];
        assert_eq!(council.safe_at(1, guardian.address), Some(guardian));
        assert_eq!(council.safe_at(2, guardian.address), None);
        assert_eq!(council.chains["mainnet"].quorum, 2);
        assert_eq!(guardian.owners.as_ref().unwrap().list().len(), 2);
        assert_eq!(council.levers["vault"].set["delay"], "5");
        let names = council.names_on("mainnet");
        assert_eq!(names.name(guardian.address), Some("guardian"));
        assert_eq!(names.address("vault").map(|a| names.name(a)), Some(Some("vault")));
        assert_eq!(council.names_on("other").address("vault"), None);
    }

    /// Every fault names the word and points at it.
    #[test]
    fn faults_point_at_the_word() {
        for (from, to, expected) in [
            ("schema = 1", "schema = 2", "schema 2 is newer"),
            ("safe = \"guardian\"", "safe = \"gardian\"", "no Safe is called \"gardian\"; known: guardian"),
            ("chain = \"mainnet\"", "chain = \"main\"", "no chain is called \"main\"; known: mainnet"),
            ("\"alice\", ", "\"alicia\", ", "no signer is called \"alicia\"; known: alice"),
            ("0x1Db92e2", "0x1db92e2", "the checksum of 0x1db92e2EeBC8"),
            ("FCF4\"", "FC\"", "is not an address"),
            ("threshold = 2", "threshold = 3", "threshold 3 is not between 1 and the number of owners, 2"),
            ("version = \"1.4.1\"", "version = \"1.4.2\"", "Safe version \"1.4.2\" is not one of"),
            ("threshold = 2", "threshold = 2\nguard = \"no\"", "40 hexadecimal digits, or \"none\""),
            (
                "threshold = 2",
                "threshold = 2\nbatch = \"0x1111111111111111111111111111111111111111\"",
                "is not a published MultiSendCallOnly of Safe 1.4.1: expected 0x9641d764fc13c8B624c04430C7356C1C7C8102e2",
            ),
            (
                "version = \"1.4.1\"",
                "batch = \"0x9641d764fc13c8B624c04430C7356C1C7C8102e2\"",
                "a batch contract needs the Safe's version beside it",
            ),
            ("reach =", "phone =", "unknown field `phone`"),
            ("id = 1", "id = 1\nquorum = 3", "quorum 3 cannot be reached: 2 RPC addresses"),
            ("E709552\"", "E709552\"\nother = \"0x\"", "no chain is called \"other\""),
            ("= \"0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552\"", "= 5", "expected an address, or {"),
            (
                "\"0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552\"",
                "{ address = \"0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552\", code = \"0x12\" }",
                "\"0x12\" is no code hash",
            ),
            (
                "mainnet = \"0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552\"",
                "mainnet = { address = \"0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552\", code = \"0x1111111111111111111111111111111111111111111111111111111111111111\" }\n[targets.other]\nmainnet = { address = \"0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552\", code = [\"0x2222222222222222222222222222222222222222222222222222222222222222\"] }",
                "another target pins other code for 0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552",
            ),
            (
                "delay = 5 }",
                "delay = 5 }\nchanges = [\"oracle\"]",
                "no target on the Safe's chain is called \"oracle\"",
            ),
            ("id = 1", "id = 1\nbatch = 1001", "the requests of a batch must be between 1 and 1000"),
            ("id = 1", "id = 1\nblock_time = \"2 s\"", "\"2 s\" is not a block time: write \"2 seconds\""),
            ("id = 1", "id = 1\nparallel = 0", "the batches sent side by side must be between 1 and 100"),
            ("id = 1", "id = 1\nprivate_for = \"25 seconds\"", "private_for needs send"),
            (
                "id = 1",
                "id = 1\nsend = [\"https://relay\"]\nprivate_for = \"2 blocks\"",
                "\"2 blocks\" is not a time",
            ),
            ("delay = 5", "delay = 5.5", "delay: write the float as text in quotes"),
            ("[targets.vault]", "[targets.alice]", "\"alice\" already names a signer"),
            (
                "[signers.alice]",
                "[chains.same]\nid = 1\n[safes.other]\nchain = \"same\"\naddress = \"0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4\"\n[signers.alice]",
                "\"other\" is the same Safe as \"guardian\": 0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4 on chain 1; one Safe",
            ),
            ("[contacts.security]", "[contacts.\"a b\"]", "\"a b\" is not a name"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let fault =
                Council::parse("breakglass.toml", &GOOD.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(fault.contains(expected), "{expected:?} not in\n{fault}");
            assert!(fault.starts_with("breakglass.toml:") && fault.contains('^'), "{fault}");
        }
    }

    #[test]
    fn a_key_in_an_address_never_shows_in_a_fault() {
        for (address, expected) in [
            ("\"https://a/SECRET", "|"),
            ("\"https:/a/SECRET\"", "does not begin with http:// or https://"),
            ("\"a/SECRET\", \"ftp://SECRET\"", "does not begin with http:// or https://"),
            ("\"https://a/${KEY}\", \"a/SECRET\"", "write \"${KEY}\" and set KEY to the whole address"),
        ] {
            let text = GOOD.replace("\"${MAINNET_RPC}\"", address);
            let fault = Council::parse("breakglass.toml", &text).unwrap_err().to_string();
            assert!(!fault.contains("SECRET"), "{fault}");
            assert!(fault.starts_with("breakglass.toml:6:") && fault.contains(expected), "{fault}");
        }
    }
}
