//! From the council file's wire form to what an entry means, each entry by itself.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use alloy::primitives::{Address, B256};
use toml::Spanned;

use super::council_toml::{WireChain, WireCode, WireLever, WirePinned, WirePlace, WireSafe};
use super::text_source::SourceText;
use super::{By, Combined, CouncilChain, Lever, RpcAddress, Safe, Signer, Target, duration};
use crate::excerpt::Fault;
use crate::safe::deployments::batch_contracts;
use crate::safe::{DRILL_CHAIN_ID, Owners, SafeVersion, parse_address};

const DEFAULT_BATCH: usize = 100;
const DEFAULT_PARALLEL: usize = 24;
/// Two blocks of Ethereum, and a second.
const DEFAULT_PRIVATE: Duration = Duration::from_secs(25);

pub(super) fn read_chain(source: &SourceText, name: String, wire: &WireChain) -> Result<CouncilChain, Fault> {
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
    let all: Vec<_> = wire.rpc.iter().chain(&wire.send).chain(&wire.service).map(Spanned::span).collect();
    let addresses = |texts: &[Spanned<String>]| {
        texts.iter().map(|text| read_rpc(source, text, &all)).collect::<Result<_, Fault>>()
    };
    let (rpc, send) = (addresses(&wire.rpc)?, addresses(&wire.send)?);
    let service = wire.service.as_ref().map(|text| read_rpc(source, text, &all)).transpose()?;
    let private_for = read_private_for(source, wire)?;
    let block_time = wire
        .block_time
        .as_ref()
        .map(|text| parse_block_time(text.get_ref()).map_err(|message| source.fault(text.span(), message)));
    let block_time = block_time.transpose()?;
    let id = *wire.id.get_ref();
    if id == DRILL_CHAIN_ID {
        let message = format!("{id} is the chain id of drills: a drill here would be signed for that chain");
        return Err(source.fault(wire.id.span(), message));
    }
    Ok(CouncilChain { name, id, rpc, send, private_for, service, quorum, batch, parallel, block_time })
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
fn read_private_for(source: &SourceText, wire: &WireChain) -> Result<Duration, Fault> {
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
fn read_rpc(source: &SourceText, text: &Spanned<String>, all: &[Range<usize>]) -> Result<RpcAddress, Fault> {
    RpcAddress::parse(text.get_ref()).map_err(|error| {
        let mut hidden = source.text.to_string();
        for span in all {
            hidden.replace_range(span.clone(), &"*".repeat(span.len()));
        }
        Fault::at(source.origin, &hidden, text.span(), error.to_string())
    })
}

pub(super) fn read_safe(
    source: &SourceText,
    name: String,
    wire: &WireSafe,
    named: (&BTreeMap<String, Signer>, &BTreeMap<Spanned<String>, WireSafe>),
) -> Result<Safe, Fault> {
    let version: Option<SafeVersion> = wire.version.as_ref().map(|v| source.parse(v)).transpose()?;
    let owners = match (&wire.owners, &wire.threshold) {
        (None, None) => None,
        (Some(list), Some(threshold)) => {
            let owner = |text| read_owner(source, text, (&name, wire), named);
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

/// An owner is a signer, another Safe of the same chain, or an address.
fn read_owner(
    source: &SourceText,
    text: &Spanned<String>,
    (name, wire): (&str, &WireSafe),
    (signers, safes): (&BTreeMap<String, Signer>, &BTreeMap<Spanned<String>, WireSafe>),
) -> Result<Address, Fault> {
    let owner = text.get_ref();
    if let Some(signer) = signers.get(owner) {
        return Ok(signer.address);
    }
    let Some((_, safe)) = safes.iter().find(|(name, _)| name.get_ref() == owner) else {
        if owner.starts_with("0x") {
            return source.address(text);
        }
        let all: Vec<&str> =
            signers.keys().chain(safes.keys().map(Spanned::get_ref)).map(String::as_str).collect();
        let message = format!("no signer or Safe is called {owner:?}; known: {}", all.join(", "));
        return Err(source.fault(text.span(), message));
    };
    if owner == name {
        return Err(source.fault(text.span(), format!("Safe {owner} cannot own itself")));
    }
    if safe.chain.get_ref() != wire.chain.get_ref() {
        let (theirs, own) = (safe.chain.get_ref(), wire.chain.get_ref());
        let message =
            format!("Safe {owner} is on {theirs}, and {name} on {own}: only a Safe of its chain owns it");
        return Err(source.fault(text.span(), message));
    }
    source.address(&safe.address)
}

/// A batch contract runs with the Safe's own storage: only a published one of its version is taken.
fn read_batch(
    source: &SourceText,
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

pub(super) fn read_place(source: &SourceText, wire: &Spanned<WirePlace>) -> Result<Target, Fault> {
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
    hash.ok_or_else(|| format!("{text:?} is not a code hash: expected 0x and 64 hexadecimal digits"))
}

/// A playbook and a Safe, which every lever needs that pulls no others.
pub(super) fn simple_parts<'w>(
    source: &SourceText,
    name: &Spanned<String>,
    wire: &'w WireLever,
) -> Result<(&'w str, &'w Spanned<String>), Fault> {
    let fault = |span, what: &str| {
        Err(source.fault(span, format!("{what} is for a combined lever: it needs pull = […]")))
    };
    match (&wire.playbook, &wire.safe, &wire.title, &wire.alone) {
        (_, _, Some(title), _) => fault(title.span(), "title"),
        (_, _, _, Some(alone)) => fault(alone.span(), "alone"),
        (Some(playbook), Some(safe), ..) => Ok((playbook, safe)),
        (playbook, ..) => {
            let missing = if playbook.is_none() { "playbook" } else { "safe" };
            let message =
                format!("lever {:?} has no {missing}; a combined lever has pull = […]", name.get_ref());
            Err(source.fault(name.span(), message))
        }
    }
}

pub(super) fn read_combined(
    source: &SourceText,
    (name, place): (String, usize),
    wire: &WireLever,
    pull: &Spanned<Vec<Spanned<String>>>,
) -> Result<Combined, Fault> {
    let of_simple = [
        ("playbook", wire.playbook.is_some()),
        ("safe", wire.safe.is_some()),
        ("by", wire.by.is_some()),
        ("deputy", wire.deputy.is_some()),
        ("module", wire.module.is_some()),
        ("set", !wire.set.is_empty()),
        ("try", !wire.examples.is_empty()),
        ("changes", !wire.changes.is_empty()),
    ];
    if let Some((field, _)) = of_simple.into_iter().find(|(_, is_there)| *is_there) {
        let message = format!("a combined lever has no {field}: that is for the levers that it pulls");
        return Err(source.fault(pull.span(), message));
    }
    if pull.get_ref().is_empty() {
        return Err(source.fault(pull.span(), "pull names no lever"));
    }
    let names = |list: &[Spanned<String>]| list.iter().map(|name| name.get_ref().clone()).collect();
    let alone = wire.alone.as_ref().map_or(&[][..], |alone| alone.get_ref());
    let title = wire.title.as_ref().map(|title| title.get_ref().clone());
    Ok(Combined { name, place, title, pull: names(pull.get_ref()), alone: names(alone) })
}

pub(super) fn read_lever(
    source: &SourceText,
    (name, place): (String, usize),
    (playbook, safe): (&str, &str),
    by: By,
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
        let text = argument_text(value.get_ref());
        let text = text.map_err(|why| source.fault(value.span(), format!("{key}: {why}")))?;
        Ok((key.clone(), text))
    };
    let set = wire.set.iter().map(argument).collect::<Result<_, _>>()?;
    let examples = read_examples(source, wire)?;
    Ok(Lever { name, place, playbook: playbook.into(), safe: safe.into(), by, set, changes, examples })
}

/// Reads the examples of arguments that the lever leaves open.
fn read_examples(source: &SourceText, wire: &WireLever) -> Result<BTreeMap<String, String>, Fault> {
    let example = |(key, value): (&Spanned<String>, &Spanned<toml::Value>)| {
        let name = key.get_ref();
        if wire.set.contains_key(name) {
            let message =
                format!("{name} is not open: set gives it a value, and try is for what is left open");
            return Err(source.fault(key.span(), message));
        }
        let text = argument_text(value.get_ref());
        Ok((name.clone(), text.map_err(|why| source.fault(value.span(), format!("{name}: {why}")))?))
    };
    wire.examples.iter().map(example).collect()
}

/// The text of an argument, as `--set` would have it. Only what TOML cannot alter on the way is taken without quotes.
fn argument_text(value: &toml::Value) -> Result<String, String> {
    match value {
        toml::Value::String(s) => Ok(s.clone()),
        toml::Value::Integer(i) => Ok(i.to_string()),
        toml::Value::Boolean(b) => Ok(b.to_string()),
        toml::Value::Array(items) => {
            let items = items.iter().map(item_text).collect::<Result<Vec<_>, _>>()?;
            Ok(format!("[{}]", items.join(", ")))
        }
        other => Err(format!("write the {} as text in quotes, so that it is read exactly", other.type_str())),
    }
}

/// One item of a list: a text that would be read as two, or as part of another, is refused.
fn item_text(value: &toml::Value) -> Result<String, String> {
    let text = argument_text(value)?;
    let mut depth = 0_usize;
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth > 0 => depth -= 1,
            ')' | ']' | '}' | '"' | '\'' => depth = usize::MAX,
            ',' if depth == 0 => depth = usize::MAX,
            _ => {}
        }
        if depth == usize::MAX {
            break;
        }
    }
    if depth == 0 && !text.trim().is_empty() {
        return Ok(text);
    }
    Err(format!("{text:?} is not one item of a list: write the whole list as one text in quotes"))
}
