//! Reads a council file: entry by entry, and what one entry says of another.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};
use toml::Spanned;

use super::entries::{read_chain, read_lever, read_place, read_safe};
use super::source::{Source, known};
use super::wire::{Wire, WireCode, WirePinned, WirePlace};
use super::{Chain, Contact, Council, Safe, Signer, Target};
use crate::excerpt::Fault;
use crate::safe::{MOST_MODULES, MOST_OWNERS};

/// Every one of them is asked everything.
const MOST_RPC: usize = 20;

pub(super) fn parse(origin: &str, text: &str) -> Result<Council, Fault> {
    let wire: Wire = toml::from_str(text).map_err(|e| Fault::toml(origin, text, &e))?;
    let source = Source { origin, text };
    if *wire.schema.get_ref() != 1 {
        let message = format!("schema {} is newer than this program, which reads 1", wire.schema.get_ref());
        return Err(source.fault(wire.schema.span(), message));
    }
    check_bounds(&source, &wire)?;
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

/// How much a council file may hold of each kind. All of it is read by every command.
///
/// # Errors
/// With the first that is over its bound.
fn check_bounds(source: &Source, wire: &Wire) -> Result<(), Fault> {
    fn longest<'w, T: 'w>(entries: impl Iterator<Item = &'w T>, length: impl Fn(&T) -> usize) -> usize {
        entries.map(length).max().unwrap_or_default()
    }
    let codes = |place: &Spanned<WirePlace>| match place.get_ref() {
        WirePlace::Pinned(WirePinned { code: WireCode::Several(codes), .. }) => codes.len(),
        _ => 1,
    };
    let (chains, safes, levers) = (&wire.chains, &wire.safes, &wire.levers);
    let listed = |list: Option<usize>| list.unwrap_or_default();
    let rows = [
        ("chains", chains.len(), 100),
        ("Safes", safes.len(), 200),
        ("signers", wire.signers.len(), MOST_OWNERS),
        ("targets", wire.targets.len(), 1_000),
        ("levers", levers.len(), 500),
        ("contacts", wire.contacts.len(), 500),
        ("RPC addresses of one chain", longest(chains.values(), |c| c.rpc.len()), MOST_RPC),
        ("relays of one chain", longest(chains.values(), |c| c.send.len()), MOST_RPC),
        (
            "modules of one Safe",
            longest(safes.values(), |s| listed(s.modules.as_ref().map(Vec::len))),
            MOST_MODULES,
        ),
        ("code hashes of one target", longest(wire.targets.values().flat_map(BTreeMap::values), codes), 20),
        ("arguments of one lever", longest(levers.values(), |l| l.set.len()), 50),
        ("changes of one lever", longest(levers.values(), |l| l.changes.len()), 100),
    ];
    match rows.into_iter().find(|(_, count, most)| count > most) {
        None => Ok(()),
        Some((what, count, most)) => Err(Fault::whole(
            source.origin,
            format!("a council file has at most {most} {what}, and this has {count}"),
        )),
    }
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
