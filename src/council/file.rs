//! Reads a council file: entry by entry, and what one entry says of another.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};
use toml::Spanned;

use super::alarms::{self, AlarmNames};
use super::by::{is_of_a_deputy, read_by};
use super::combined::{cycle, simple_levers};
use super::council_toml::{WireCode, WireCouncil, WirePinned, WirePlace};
use super::entries::{read_chain, read_combined, read_lever, read_place, read_safe, simple_parts};
use super::people_entries::{read_people, read_program, read_response};
use super::text_source::{SourceText, known};
use super::{Combined, Council, CouncilChain, Lever, Safe, Signer, Target};
use crate::excerpt::Fault;
use crate::near::hint;
use crate::safe::{MOST_MODULES, MOST_OWNERS};

/// Every one of them is asked everything.
const MOST_RPC: usize = 20;

pub(super) fn parse(origin: &str, text: &str) -> Result<Council, Fault> {
    let wire: WireCouncil = toml::from_str(text).map_err(|e| Fault::toml(origin, text, &e))?;
    let source = SourceText { origin, text };
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
        read_safe(&source, name, safe, (&signers, &wire.safes))
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
    let (levers, combined) = read_levers(&source, &wire, (&signers, &safes), &targets)?;
    let people = read_people(&source, &wire)?;
    let response = read_response(&source, &wire.response)?;
    let program = wire.program.as_ref().map(|text| read_program(&source, text)).transpose()?;
    let known = AlarmNames { chains: &chains, safes: &safes, levers: &levers, combined: &combined };
    let alarms = each(&source, &wire.alarms, |name, alarm| alarms::read(&source, name, alarm, &known))?;
    let name = wire.name;
    Ok(Council { name, chains, safes, signers, targets, levers, combined, people, response, alarms, program })
}

fn each<W, T>(
    source: &SourceText,
    entries: &BTreeMap<Spanned<String>, W>,
    read: impl Fn(String, &W) -> Result<T, Fault>,
) -> Result<BTreeMap<String, T>, Fault> {
    let entry = |(name, wire): (&Spanned<String>, &W)| {
        let name = source.name(name)?;
        Ok((name.clone(), read(name, wire)?))
    };
    entries.iter().map(entry).collect()
}

type Levers = (BTreeMap<String, Lever>, BTreeMap<String, Combined>);

fn read_levers(
    source: &SourceText,
    wire: &WireCouncil,
    (signers, safes): (&BTreeMap<String, Signer>, &BTreeMap<String, Safe>),
    targets: &BTreeMap<String, BTreeMap<String, Target>>,
) -> Result<Levers, Fault> {
    let (mut levers, mut combined) = (BTreeMap::new(), BTreeMap::new());
    let mut in_order: Vec<_> = wire.levers.iter().collect();
    in_order.sort_by_key(|(name, _)| name.span().start);
    for (place, (key, lever)) in in_order.into_iter().enumerate() {
        let name = source.name(key)?;
        if let Some(pull) = &lever.pull {
            combined.insert(name.clone(), read_combined(source, (name, place), lever, pull)?);
            continue;
        }
        let (playbook, safe) = simple_parts(source, key, lever)?;
        known(source, "Safe", safe, safes)?;
        let Some(found) = safes.get(safe.get_ref()) else { continue };
        let target = |target: &str| targets.get(target)?.get(&found.chain).map(|place| place.address);
        let by = read_by(source, lever, found, signers, target)?;
        levers.insert(
            name.clone(),
            read_lever(source, (name, place), (playbook, safe.get_ref()), by, lever, target)?,
        );
    }
    pulled_are_levers(source, wire, &levers, &combined)?;
    Ok((levers, combined))
}

/// Every name in `pull` and `alone` is a lever's, and no lever pulls itself.
fn pulled_are_levers(
    source: &SourceText,
    wire: &WireCouncil,
    levers: &BTreeMap<String, Lever>,
    combined: &BTreeMap<String, Combined>,
) -> Result<(), Fault> {
    for (name, lever) in &wire.levers {
        for pulled in lever.pull.iter().flat_map(Spanned::get_ref) {
            if is_of_a_deputy(&wire.levers, pulled.get_ref()) {
                let message =
                    format!("{:?} is a deputy's: no Safe can pull it together with others", pulled.get_ref());
                return Err(source.fault(pulled.span(), message));
            }
            if !levers.contains_key(pulled.get_ref()) && !combined.contains_key(pulled.get_ref()) {
                let all = levers.keys().chain(combined.keys()).map(String::as_str).collect::<Vec<_>>();
                let message =
                    format!("no lever is called {:?}; {}", pulled.get_ref(), hint(pulled.get_ref(), all));
                return Err(source.fault(pulled.span(), message));
            }
        }
        if let Some(circle) = cycle(combined, name.get_ref()) {
            let message = format!("{:?} pulls itself: {}", name.get_ref(), circle.join(" pulls "));
            return Err(source.fault(name.span(), message));
        }
    }
    for lever in wire.levers.values() {
        let reached = lever.pull.iter().flat_map(Spanned::get_ref).map(|name| name.get_ref().as_str());
        let reached = simple_levers(combined, reached);
        for alone in lever.alone.iter().flat_map(Spanned::get_ref) {
            if !reached.contains(alone.get_ref().as_str()) {
                let known = hint(alone.get_ref(), reached.iter().copied());
                let message =
                    format!("{:?} is not a simple lever that is pulled here; {known}", alone.get_ref());
                return Err(source.fault(alone.span(), message));
            }
        }
    }
    Ok(())
}

/// Signers, Safes and targets share one set of names: a name in an argument means one address.
fn unique_names(source: &SourceText, wire: &WireCouncil) -> Result<(), Fault> {
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

/// The number of entries of each kind that a council file may hold. All of it is read by every command.
/// The error has the first that is over its bound.
fn check_bounds(source: &SourceText, wire: &WireCouncil) -> Result<(), Fault> {
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
        ("people", wire.people.len(), 500),
        ("times away of one person", longest(wire.people.values(), |p| p.away.len()), 50),
        ("alarms", wire.alarms.len(), 200),
        ("RPC addresses of one chain", longest(chains.values(), |c| c.rpc.len()), MOST_RPC),
        ("relays of one chain", longest(chains.values(), |c| c.send.len()), MOST_RPC),
        (
            "modules of one Safe",
            longest(safes.values(), |s| listed(s.modules.as_ref().map(Vec::len))),
            MOST_MODULES,
        ),
        ("code hashes of one target", longest(wire.targets.values().flat_map(BTreeMap::values), codes), 20),
        ("arguments of one lever", longest(levers.values(), |l| l.set.len()), 50),
        ("examples of one lever", longest(levers.values(), |l| l.examples.len()), 50),
        (
            "levers pulled by one",
            longest(levers.values(), |l| listed(l.pull.as_ref().map(|p| p.get_ref().len()))),
            500,
        ),
        (
            "levers alone in one",
            longest(levers.values(), |l| listed(l.alone.as_ref().map(|a| a.get_ref().len()))),
            500,
        ),
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
    source: &SourceText,
    wire: &WireCouncil,
    safes: &BTreeMap<String, Safe>,
    chains: &BTreeMap<String, CouncilChain>,
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
    source: &SourceText,
    wire: &WireCouncil,
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
