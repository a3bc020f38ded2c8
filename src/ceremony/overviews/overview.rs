//! The overview: the open proposals, and the state of each lever now. One batch of requests for each chain, all chains
//! side by side; a second one for levers whose reads depend on others.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use crate::ceremony::desk::Desk;
use crate::ceremony::drills::drilling::open_since;
use crate::ceremony::folder::armed_sets::Group;
use crate::ceremony::order::{Given, Order};
use crate::ceremony::overviews::armed_ahead::{ArmedAhead, nonce_query, unused};
use crate::ceremony::overviews::lever_state::{LeverState, last_mined, needed_queries, state};
use crate::ceremony::overviews::open_proposal::{self, OpenProposal, open};
use crate::chain::{Chain, ChainError, Sighting};
use crate::clock;
use crate::council::{self, Arguments, Lever};
use crate::error::{Error, Exit};
use crate::evm::{Query, Readings};
use crate::incident::{Journal, open_drills};
use crate::proposal::Proposal;

/// The most batches of one chain; levers that need more are unknown.
const MOST_BATCHES: usize = 2;
/// The most open proposals that are examined.
const MOST_OPEN: usize = 50;
/// The most signatures made ahead that are recovered for one chain.
const MOST_RECOVERED: usize = 5_000;

/// Open proposals and the state of the levers.
#[derive(Debug, Default)]
pub struct Overview {
    pub open: Vec<OpenProposal>,
    /// The number of kept proposals that were not examined.
    pub more_open: usize,
    /// Transactions that are signed ahead, without used nonces.
    pub armed: Vec<ArmedAhead>,
    /// By the lever's name.
    pub levers: BTreeMap<String, LeverState>,
    pub chains: Vec<ChainRead>,
}

/// A chain, and the block at which it was read.
#[derive(Debug)]
pub struct ChainRead {
    pub chain: String,
    /// Block and age in seconds; or why it was not read.
    pub read: Result<(u64, u64), String>,
}

/// Returns the state of all levers and kept proposals; `offline`, without the network.
pub fn read(desk: &Desk, offline: bool) -> Result<Overview, Error> {
    let journal = Journal::read(&desk.incidents.journal().read()?);
    let mut kept = desk.kept_open()?;
    let more_open = kept.len().saturating_sub(MOST_OPEN);
    kept.drain(..more_open);
    kept.extend(unfinished(desk, &journal)?);
    let armed = desk.armed(&[], &Given::default())?;
    let local = Local { kept: &kept, armed: &armed, journal: &journal };
    let chains: Vec<&council::CouncilChain> = desk.council.chains.values().collect();
    let overview_of = |chain: &council::CouncilChain| one_chain(desk, chain, &local, offline);
    let all: Vec<Overview> = desk.progress.wait("reading the state of all levers", || {
        thread::scope(|scope| {
            let overview_of = &overview_of;
            let running: Vec<_> =
                chains.iter().map(|chain| scope.spawn(move || overview_of(chain))).collect();
            running.into_iter().filter_map(|one| one.join().ok()).collect::<Result<_, _>>()
        })
    })?;
    let mut whole = Overview { more_open, ..Overview::default() };
    for one in all {
        whole.open.extend(one.open);
        whole.armed.extend(one.armed);
        whole.levers.extend(one.levers);
        whole.chains.extend(one.chains);
    }
    let place = |open: &OpenProposal| {
        (open.chain.clone(), open.safe.clone(), open.proposal.nonce(), open.words.clone())
    };
    whole.open.sort_by_cached_key(place);
    Ok(whole)
}

/// Returns the drills of the last days that are kept here and were not proven.
fn unfinished(desk: &Desk, journal: &Journal) -> Result<Vec<Proposal>, Error> {
    let mut hashes = open_drills(journal.iter(), open_since());
    hashes.truncate(MOST_OPEN);
    if hashes.is_empty() { Ok(Vec::new()) } else { desk.kept_drills(|drill| hashes.contains(&drill.hash())) }
}

/// The files kept on this machine.
#[derive(Clone, Copy)]
struct Local<'l> {
    kept: &'l [Proposal],
    armed: &'l [Group],
    journal: &'l Journal,
}

/// Returns the overview of one chain.
fn one_chain(
    desk: &Desk,
    chain: &council::CouncilChain,
    local: &Local,
    offline: bool,
) -> Result<Overview, Error> {
    let journal = local.journal;
    let is_here =
        |lever: &&Lever| desk.council.safes.get(&lever.safe).is_some_and(|safe| safe.chain == chain.name);
    let levers: Vec<&Lever> = desk.council.levers.values().filter(is_here).collect();
    let kept: Vec<&Proposal> = local.kept.iter().filter(|p| p.safe().chain_id == chain.id).collect();
    let is_armed_here = |group: &&Group| group.safe().is_some_and(|safe| safe.chain_id == chain.id);
    let armed: Vec<&Group> = local.armed.iter().filter(is_armed_here).collect();
    if levers.is_empty() && kept.is_empty() && armed.is_empty() {
        return Ok(Overview::default());
    }
    let orders: Vec<(&Lever, Result<Order, Error>)> =
        levers.into_iter().map(|lever| (lever, order(desk, lever))).collect();
    let seen = if offline {
        Err("the network was not asked".into())
    } else {
        read_chain(desk, chain, (&kept, &armed), &orders)
    };
    let mut overview = Overview::default();
    let readings = seen.as_ref().ok().map(|seen| &seen.readings);
    let mut left = MOST_RECOVERED;
    let armed = armed.into_iter().filter_map(|group| unused(desk, group, readings, &mut left));
    overview.armed.extend(armed);
    for (lever, order) in &orders {
        let state = match (order, &seen) {
            (Err(error), _) => LeverState::Unknown(error.message.clone()),
            (Ok(order), seen) => {
                state(order, seen.as_ref().map(|seen| &seen.readings).map_err(String::as_str))
            }
        };
        let state = match state {
            LeverState::Done { .. } => LeverState::Done { since: last_mined(journal, &lever.name) },
            other => other,
        };
        overview.levers.insert(lever.name.clone(), state);
    }
    for proposal in kept {
        overview.open.extend(open(desk, chain, proposal, seen.as_ref().ok(), journal)?);
    }
    let read = seen.map(|seen| {
        let (number, time) = (seen.header.number, seen.header.timestamp);
        (number, clock::seconds().saturating_sub(time))
    });
    overview.chains.push(ChainRead { chain: chain.name.clone(), read });
    Ok(overview)
}

fn order<'a>(desk: &'a Desk, lever: &'a Lever) -> Result<Order<'a>, Error> {
    if lever.by.deputy().is_some() {
        return Order::of_deputy(desk, lever, &Arguments::new());
    }
    let name = &lever.name;
    let mut parts = Order::parts(desk, std::slice::from_ref(name), &Given::default())?;
    parts.pop().ok_or_else(|| Error::new(Exit::Failed, format!("lever {name} gives no transaction")))
}

/// Returns all answers of one chain, at one block.
fn read_chain(
    desk: &Desk,
    chain: &council::CouncilChain,
    (kept, armed): (&[&Proposal], &[&Group]),
    orders: &[(&Lever, Result<Order, Error>)],
) -> Result<Sighting, String> {
    let safe = desk.council.safes.values().find(|safe| safe.chain == chain.name);
    let link: Chain = safe
        .ok_or("no Safe is on it")
        .map_err(String::from)
        .and_then(|safe| desk.connect(safe).map_err(|error| error.message))?;
    let orders: Vec<&Order> = orders.iter().filter_map(|(_, order)| order.as_ref().ok()).collect();
    let mut queries: Vec<Query> =
        kept.iter().flat_map(|proposal| open_proposal::queries(desk, proposal)).collect();
    queries.extend(armed.iter().filter_map(|group| Some(nonce_query(group.safe()?.address))));
    queries.extend(orders.iter().flat_map(|order| needed_queries(order, &Readings::default())));
    let told = |error: ChainError| error.to_string();
    let mut seen = link.watch(&[], &unique(queries)).map_err(told)?;
    for _ in 1..MOST_BATCHES {
        let mut more: Vec<Query> =
            orders.iter().flat_map(|order| needed_queries(order, &seen.readings)).collect();
        more.retain(|query| seen.readings.get(query).is_none());
        if more.is_empty() {
            break;
        }
        seen.readings.extend(link.answers(&unique(more), &seen.header.block()).map_err(told)?);
    }
    Ok(seen)
}

fn unique(queries: Vec<Query>) -> Vec<Query> {
    let all: BTreeSet<Query> = queries.into_iter().collect();
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::tests::{ALICE, Home, at, proposed, sign};
    use crate::safe::Nonce;

    #[test]
    fn offline_open_proposals_are_counted_by_the_kept_files() {
        let home = Home::new();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        desk.keep_signature(&vault, &sign(&desk, ALICE, &vault)).unwrap();
        desk.keep_proposal(&proposed(&desk, &["bridge"], &at(5), 0)).unwrap();
        desk.keep_proposal(&proposed(&desk, &["bridge"], &at(3), 0)).unwrap();
        let overview = read(&home.desk(), true).unwrap();
        let open: Vec<_> =
            overview.open.iter().map(|open| (open.safe.as_str(), open.proposal.nonce())).collect();
        assert_eq!(open, [3, 4, 5].map(|nonce| ("guardian", Nonce::from(nonce))));
        let second = &overview.open[1];
        assert_eq!((second.tally.approved.len(), second.next, second.since), (1, None, None));
        assert!(second.words.starts_with("vault"), "{}", second.words);
        assert_eq!(overview.levers["vault"], LeverState::Unknown("the network was not asked".into()));
        assert_eq!(overview.more_open, 0);
        assert_eq!(overview.chains.len(), 1, "nothing is on the other chain");
        assert!(overview.chains[0].read.is_err());
    }
}
