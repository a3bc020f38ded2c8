//! Reads every chain of the council and tries every lever on a fork of it. Chains, Safes and levers are looked at side by
//! side: all of them take the rounds of one.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use alloy::primitives::{Address, Bytes, Selector, U256};

use super::levers::{Contract, LeverSeen, Tried};
use crate::ceremony::at_once::at_once;
use crate::ceremony::council_check::check_levers;
use crate::ceremony::desk::Desk;
use crate::ceremony::hints;
use crate::ceremony::order::{Given, Order};
use crate::ceremony::trial::{self, Part, Report};
use crate::chain::{Age, Ask, Chain, EndpointReport, Snapshot, judge_age};
use crate::council::{self, Lever, Safe};
use crate::error::{Error, Exit};
use crate::evm::{Answer, BlockTag, Query, selectors};
use crate::playbook::Undo;
use crate::safe::SafeState;

const DAY: u64 = 86_400;
/// The number of days ahead at which each lever is tried.
const AHEAD: u64 = 30;

/// A chain, its Safes and its levers as they are now.
#[derive(Debug)]
pub struct ChainSeen {
    pub chain: String,
    /// Why it could not be read.
    pub failed: Option<String>,
    pub endpoints: Vec<EndpointReport>,
    pub age: Option<Age>,
    pub block_time: Option<Duration>,
    pub block: Option<u64>,
    pub base_fee: Option<u64>,
    /// The payer's, in wei.
    pub balance: Option<U256>,
    pub safes: Vec<(String, Result<SafeState, String>)>,
    pub levers: Vec<LeverSeen>,
    pub contracts: Vec<Contract>,
    pub rounds: u32,
}

/// A lever that was tried, and what it calls.
struct Trial {
    seen: LeverSeen,
    calls: Vec<(Address, Selector)>,
}

impl Trial {
    fn without_calls(lever: &str, tried: Tried) -> Self {
        Self { seen: LeverSeen { lever: lever.into(), tried, ends_in: None }, calls: Vec::new() }
    }

    fn wrong(lever: &str, why: &Error) -> Self {
        Self::without_calls(lever, Tried::Wrong { part: Part::Lever, why: why.to_string(), gas: None })
    }
}

/// Looks at every chain that has a Safe of the council. `now` is a second since 1970.
#[must_use]
pub fn examine(desk: &Desk, payer: Option<Address>, now: u64) -> Vec<ChainSeen> {
    let chains: BTreeSet<&str> = desk.council.safes.values().map(|safe| safe.chain.as_str()).collect();
    let chains: Vec<&council::Chain> =
        chains.iter().filter_map(|name| desk.council.chains.get(*name)).collect();
    let bad: BTreeMap<String, String> = check_levers(&desk.council, &desk.catalogue)
        .into_iter()
        .filter_map(|report| Some((report.lever, report.faults.first()?.clone())))
        .collect();
    let look = |chain: &council::Chain| {
        desk.connect_to(chain).map(|link| chain_seen(desk, chain, &link, (payer, now), &bad))
    };
    let seen = at_once(chains.clone(), look);
    let or_failed = |(chain, seen): (&council::Chain, Result<ChainSeen, Error>)| {
        seen.unwrap_or_else(|error| ChainSeen::failed(&chain.name, &error))
    };
    chains.into_iter().zip(seen).map(or_failed).collect()
}

impl ChainSeen {
    fn failed(chain: &str, why: &Error) -> Self {
        Self {
            chain: chain.into(),
            failed: Some(why.to_string()),
            endpoints: Vec::new(),
            age: None,
            block_time: None,
            block: None,
            base_fee: None,
            balance: None,
            safes: Vec::new(),
            levers: Vec::new(),
            contracts: Vec::new(),
            rounds: 0,
        }
    }
}

fn chain_seen(
    desk: &Desk,
    chain: &council::Chain,
    link: &Chain,
    (payer, now): (Option<Address>, u64),
    bad: &BTreeMap<String, String>,
) -> ChainSeen {
    let safes: Vec<&Safe> = desk.council.safes.values().filter(|safe| safe.chain == chain.name).collect();
    let queries: Vec<Query> = payer.map(|address| Query::Balance { address }).into_iter().collect();
    let read = |safe: &&Safe| {
        let ask = Ask { safe: safe.address, queries: &queries, ..Ask::default() };
        Ok(link.snapshot(&ask, BlockTag::Latest)?)
    };
    let snapshots = at_once(safes.clone(), |safe| read(&safe));
    let known: BTreeMap<&str, &Snapshot> = (safes.iter().zip(&snapshots))
        .filter_map(|(safe, snapshot)| Some((safe.name.as_str(), snapshot.as_ref().ok()?)))
        .collect();
    let Some(first) = known.values().next() else {
        let why = snapshots.into_iter().find_map(Result::err);
        let why = why.unwrap_or_else(|| Error::new(Exit::Failed, "it has no Safe"));
        return ChainSeen { endpoints: link.endpoints(), ..ChainSeen::failed(&chain.name, &why) };
    };
    let header = &first.header;
    let balance = queries.first().and_then(|query| match first.readings.get(query)? {
        Answer::Value(word) => U256::try_from_be_slice(word),
        Answer::Reverted(_) => None,
    });
    let levers: Vec<&Lever> = desk
        .council
        .levers
        .values()
        .filter(|lever| safes.iter().any(|safe| safe.name == lever.safe))
        .collect();
    let work = Work { desk, link, known: &known, bad, now };
    let (trials, codes) = thread::scope(|scope| {
        let codes = scope.spawn(|| codes(desk, &chain.name, link, first));
        let tried = at_once(levers.clone(), |lever| Ok(work.lever(lever)));
        let trials = levers.iter().zip(tried).filter_map(|(lever, tried)| {
            tried.unwrap_or_else(|error| Some(Trial::wrong(&lever.name, &error)))
        });
        let trials: Vec<Trial> = trials.collect();
        (trials, codes.join().unwrap_or_default())
    });
    let called: Vec<(Address, Selector)> = trials.iter().flat_map(|trial| trial.calls.clone()).collect();
    let states = safes.iter().zip(&snapshots).map(|(safe, snapshot)| {
        let state = snapshot.as_ref().map(|snapshot| snapshot.state.clone());
        (safe.name.clone(), state.map_err(ToString::to_string))
    });
    ChainSeen {
        chain: chain.name.clone(),
        failed: None,
        age: Some(judge_age(header.timestamp, now, link.expected_block_time())),
        block_time: link.expected_block_time(),
        block: Some(header.number),
        base_fee: header.base_fee,
        balance,
        safes: states.collect(),
        contracts: contracts(desk, &chain.name, &codes, &called),
        levers: trials.into_iter().map(|trial| trial.seen).collect(),
        endpoints: link.endpoints(),
        rounds: link.rounds(),
    }
}

/// The code of every target of the chain; nothing where it cannot be had, which the RPCs' own gaps tell.
fn codes(desk: &Desk, chain: &str, link: &Chain, seen: &Snapshot) -> BTreeMap<Address, Vec<Bytes>> {
    let targets: BTreeSet<Address> =
        desk.council.targets.values().filter_map(|places| places.get(chain)).map(|t| t.address).collect();
    if targets.is_empty() {
        return BTreeMap::new();
    }
    let targets: Vec<Address> = targets.into_iter().collect();
    link.codes(&targets, &seen.header.block()).unwrap_or_default()
}

fn contracts(
    desk: &Desk,
    chain: &str,
    codes: &BTreeMap<Address, Vec<Bytes>>,
    called: &[(Address, Selector)],
) -> Vec<Contract> {
    let targets =
        desk.council.targets.iter().filter_map(|(name, places)| Some((name, places.get(chain)?.address)));
    let contract = |(name, address): (&String, Address)| Contract {
        target: name.clone(),
        chain: chain.into(),
        functions: codes.get(&address).into_iter().flatten().flat_map(|code| selectors(code)).collect(),
        called: called.iter().filter(|(to, _)| *to == address).map(|(_, selector)| *selector).collect(),
    };
    targets.map(contract).collect()
}

/// The things that every lever of a chain is tried with.
struct Work<'w, 'd> {
    desk: &'w Desk<'d>,
    link: &'w Chain,
    known: &'w BTreeMap<&'w str, &'w Snapshot>,
    bad: &'w BTreeMap<String, String>,
    now: u64,
}

impl Work<'_, '_> {
    /// `None` if its Safe could not be read, which is told of the Safe.
    fn lever(&self, lever: &Lever) -> Option<Trial> {
        let snapshot = *self.known.get(lever.safe.as_str())?;
        let seen = |tried| Trial::without_calls(&lever.name, tried);
        if let Some(why) = self.bad.get(&lever.name) {
            return Some(seen(Tried::Bad(why.clone())));
        }
        let open = self.open(lever);
        if !open.is_empty() {
            return Some(seen(Tried::Open(open)));
        }
        Some(self.try_lever(lever, snapshot).unwrap_or_else(|error| Trial::wrong(&lever.name, &error)))
    }

    /// The arguments that neither the lever nor its examples give.
    fn open(&self, lever: &Lever) -> Vec<String> {
        let Ok(entry) = self.desk.catalogue.get(&lever.playbook) else { return Vec::new() };
        let params = entry.playbook.params.iter().filter(|p| p.default.is_none() && !p.for_undo);
        let given = |name: &String| lever.set.contains_key(name) || lever.examples.contains_key(name);
        params.map(|param| param.name.clone()).filter(|name| !given(name)).collect()
    }

    fn order(&self, lever: &Lever, undo: bool) -> Result<Order<'_>, Error> {
        let set = lever.examples.clone().into_iter().collect();
        let given = Given { set, undo, ..Given::default() };
        let mut parts = Order::parts(self.desk, std::slice::from_ref(&lever.name), &given)?;
        parts.pop().ok_or_else(|| Error::new(Exit::Failed, "a lever without a transaction"))
    }

    fn try_lever(&self, lever: &Lever, snapshot: &Snapshot) -> Result<Trial, Error> {
        let order = self.order(lever, false)?;
        let undo = match &order.acts().first().map(|act| &act.entry.playbook.undo) {
            Some(Undo::None { why }) => Err(why.clone()),
            _ => self.order(lever, true).map_err(|error| error.to_string()),
        };
        let mut seen = snapshot.clone();
        let mut fork = self.link.forked(&seen, self.now);
        let mut report = trial::try_lever(&order, undo.as_ref(), self.link, &mut fork, &seen.state)?;
        fork.teach(&mut seen);
        hints::keep(&order, &report.read);
        if let (Some((Part::Undo, _)), Ok(undo)) = (&report.wrong, &undo)
            && self.others_take_it_back(&order, undo, &mut seen)
        {
            report.wrong = None;
        }
        let ends_in = if report.gas.is_some() { self.ends_in(&order, &mut seen)? } else { None };
        let selector = |data: &Bytes| data.get(..4).map(Selector::from_slice);
        let calls = report.calls.iter().filter_map(|call| Some((call.to, selector(&call.data)?))).collect();
        Ok(Trial { seen: LeverSeen { lever: lever.name.clone(), tried: tried(report), ends_in }, calls })
    }

    /// Returns `true` if another Safe of the same chain can take the lever back.
    fn others_take_it_back(&self, order: &Order, undo: &Order, seen: &mut Snapshot) -> bool {
        let others = self.known.keys().filter(|name| **name != order.safe.name);
        let others = others.filter_map(|name| self.desk.council.safes.get(*name));
        for other in others {
            let mut fork = self.link.forked(seen, self.now);
            let report = trial::try_lever(order, Ok(&undo.by(other)), self.link, &mut fork, &seen.state);
            fork.teach(seen);
            if report.is_ok_and(|report| report.wrong.is_none()) {
                return true;
            }
        }
        false
    }

    /// Returns the first day on which the lever cannot be pulled any more; `None` if it still can at the end of the time
    /// that is looked at. The state is known: nothing more is asked of the chain.
    fn ends_in(&self, order: &Order, seen: &mut Snapshot) -> Result<Option<u64>, Error> {
        let fails_on = |day: u64, seen: &mut Snapshot| -> Result<bool, Error> {
            let mut fork = self.link.forked(seen, self.now.saturating_add(day * DAY));
            let refused = trial::refused_by(order, &mut fork, &seen.state)?;
            fork.teach(seen);
            Ok(refused.is_some())
        };
        if !fails_on(AHEAD, seen)? {
            return Ok(None);
        }
        let (mut works, mut fails) = (0, AHEAD);
        while fails - works > 1 {
            let middle = works.midpoint(fails);
            if fails_on(middle, seen)? {
                fails = middle;
            } else {
                works = middle;
            }
        }
        Ok(Some(fails))
    }
}

fn tried(report: Report) -> Tried {
    match (report.wrong, report.gas) {
        _ if report.is_done => Tried::Done,
        (Some((part, error)), gas) => Tried::Wrong { part, why: error.message, gas },
        (None, Some(gas)) => Tried::Works { gas },
        (None, None) => Tried::Wrong { part: Part::Lever, why: "it was not tried".into(), gas: None },
    }
}
