//! Reads every chain of the council and tries every lever on a fork of it. Chains, Safes and levers run side by side:
//! all of them take the rounds of one.

mod ahead;
mod ask_service;
mod council_contracts;
mod lever_trials;

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use alloy::primitives::{Address, Selector, U256};

use crate::ceremony::at_once::at_once;
use crate::ceremony::desk::{Desk, relay};
use crate::ceremony::trials::council_check::check_levers;
use crate::chain::{
    Age, Ask, Chain, EndpointFault, EndpointReport, Offers, ServiceSays, Snapshot, judge_age,
};
use crate::council::{self, Lever, Safe};
use crate::error::{Error, Exit};
use crate::evm::{Answer, BlockTag, Query};
use crate::incident::Journal;
use crate::readiness::levers::{ExaminedLever, LeverTrial};
use crate::readiness::prepared::{ExaminedCard, ExaminedSet};
use crate::readiness::safe_state::ExaminedSafe;
use crate::readiness::service_gaps::OwnCalls;
use crate::readiness::targets::ExaminedTarget;
use crate::safe::{Call, Operation, SafeId, SafeTx};
use lever_trials::{Trial, TrialContext};

#[derive(Debug)]
pub struct CouncilState {
    pub chains: Vec<ExaminedChain>,
    /// The sets of signatures made ahead.
    pub sets: Vec<ExaminedSet>,
    pub cards: Vec<ExaminedCard>,
}

/// A chain, its Safes and its levers as they are now.
#[derive(Debug, Default)]
pub struct ExaminedChain {
    pub chain: String,
    /// Why it could not be read.
    pub failed: Option<String>,
    pub endpoints: Vec<EndpointReport>,
    pub age: Option<Age>,
    pub block_time: Option<Duration>,
    pub block: Option<u64>,
    pub base_fee: Option<u64>,
    /// The payer's balance, in wei.
    pub balance: Option<U256>,
    pub safes: Vec<(String, Result<ExaminedSafe, String>)>,
    pub levers: Vec<ExaminedLever>,
    pub targets: Vec<ExaminedTarget>,
    /// The most gas of one transaction.
    pub gas_cap: Option<u64>,
    /// The services that each RPC offers; why, if it did not answer.
    pub offers: Vec<(String, Result<Offers, String>)>,
    /// The private endpoints that transactions go to first, and the time of their answers.
    pub relays: Vec<(String, Result<Duration, String>)>,
    /// The answers of its Transaction Service; `None` if the council file names none.
    pub service: Option<Result<ServiceSays, String>>,
    /// The calls by which a transaction is recognised as the council's own.
    pub own: OwnCalls,
    /// A transaction of one of its levers, and its Safe.
    pub sample: Option<(SafeId, SafeTx)>,
    pub rounds: u32,
}

/// Examines every chain that has a Safe of the council, the signatures made ahead and the cards. `now` is a second
/// since 1970.
pub fn examine(desk: &Desk, journal: &Journal, payer: Option<Address>, now: u64) -> CouncilState {
    let (sets, cards, chains) = thread::scope(|scope| {
        let sets = scope.spawn(|| ahead::sets(desk));
        let cards = scope.spawn(|| ahead::cards(desk, journal));
        let chains = chains(desk, payer, now);
        (sets.join(), cards.join(), chains)
    });
    CouncilState { chains, sets: sets.unwrap_or_default(), cards: cards.unwrap_or_default() }
}

fn chains(desk: &Desk, payer: Option<Address>, now: u64) -> Vec<ExaminedChain> {
    let chains: BTreeSet<&str> = desk.council.safes.values().map(|safe| safe.chain.as_str()).collect();
    let chains: Vec<&council::CouncilChain> =
        chains.iter().filter_map(|name| desk.council.chains.get(*name)).collect();
    let bad: BTreeMap<String, String> = check_levers(&desk.council, &desk.catalogue)
        .into_iter()
        .filter_map(|report| Some((report.lever, report.faults.first()?.clone())))
        .collect();
    let examine = |chain: &council::CouncilChain| {
        desk.connect_to(chain).map(|link| chain_seen(desk, chain, &link, (payer, now), &bad))
    };
    let seen = at_once(chains.clone(), examine);
    let or_failed = |(chain, seen): (&council::CouncilChain, Result<ExaminedChain, Error>)| {
        seen.unwrap_or_else(|error| ExaminedChain::failed(&chain.name, &error))
    };
    chains.into_iter().zip(seen).map(or_failed).collect()
}

impl ExaminedChain {
    fn failed(chain: &str, why: &Error) -> Self {
        Self { chain: chain.into(), failed: Some(why.to_string()), ..Self::default() }
    }
}

fn chain_seen(
    desk: &Desk,
    chain: &council::CouncilChain,
    link: &Chain,
    (payer, now): (Option<Address>, u64),
    bad: &BTreeMap<String, String>,
) -> ExaminedChain {
    let safes: Vec<&Safe> = desk.council.safes.values().filter(|safe| safe.chain == chain.name).collect();
    let queries: Vec<Query> = payer.map(|address| Query::Balance { address }).into_iter().collect();
    let read = |safe: &Safe| {
        // The owners in the file who are not its Safes: their accounts are read along.
        let owners = safe.owners.as_ref().map(|owners| owners.list().to_vec()).unwrap_or_default();
        let is_safe = |owner: &Address| safes.iter().any(|safe| safe.address == *owner);
        let accounts: Vec<Address> = owners.into_iter().filter(|owner| !is_safe(owner)).collect();
        let drafts = lever_trials::drafts(desk, safe);
        let ask = Ask {
            safe: safe.address,
            queries: &queries,
            accounts: &accounts,
            drafts: &drafts,
            ..Ask::default()
        };
        Ok(link.snapshot(&ask, BlockTag::Latest)?)
    };
    let snapshots = at_once(safes.clone(), read);
    let Some(first) = snapshots.iter().find_map(|snapshot| snapshot.as_ref().ok()).cloned() else {
        let why = snapshots.into_iter().find_map(Result::err);
        let why = why.unwrap_or_else(|| Error::new(Exit::Failed, "it has no Safe"));
        return ExaminedChain { endpoints: link.endpoints(), ..ExaminedChain::failed(&chain.name, &why) };
    };
    let header = &first.header;
    let balance = queries.first().and_then(|query| match first.readings.get(query)? {
        Answer::Value(word) => U256::try_from_be_slice(word),
        Answer::Reverted(_) => None,
    });
    let (trials, targets, offers, relays, service) = thread::scope(|scope| {
        let targets = scope.spawn(|| council_contracts::examine(desk, chain, link, &header.block()));
        let offers = scope.spawn(|| faults_as_text(link.offers(first.state.id.address, header.number)));
        let relays = scope.spawn(|| relays(desk, chain));
        let service = scope.spawn(|| ask_service::ask(desk, chain, link, &snapshots));
        let read = safes.iter().zip(&snapshots);
        let known = fetch_early(link, read.filter_map(|(safe, seen)| Some((*safe, seen.as_ref().ok()?))));
        let trials = trials(&TrialContext { desk, link, known: &known, bad, now }, chain);
        // The RPCs' own gaps say why targets could not be read.
        let targets = targets.join().ok().and_then(Result::ok).unwrap_or_default();
        let (offers, relays) = (offers.join().unwrap_or_default(), relays.join().unwrap_or_default());
        (trials, targets, offers, relays, service.join().unwrap_or_default())
    });
    ExaminedChain {
        chain: chain.name.clone(),
        failed: None,
        age: Some(judge_age(header.timestamp, now, link.expected_block_time())),
        block_time: link.expected_block_time(),
        block: Some(header.number),
        base_fee: header.base_fee,
        balance,
        gas_cap: Some(link.gas_cap(&first)),
        targets: targets.into_iter().map(|target| with_calls(desk, target, &trials)).collect(),
        own: match &service {
            Some(Ok(_)) => ask_service::own_calls(desk, &safes, &trials),
            _ => OwnCalls::default(),
        },
        service,
        sample: trials.iter().find_map(|trial| sample(&trial.calls, &first)),
        levers: trials.into_iter().map(|trial| trial.seen).collect(),
        endpoints: link.endpoints(),
        rounds: link.rounds(),
        offers,
        relays,
        safes: safes
            .iter()
            .zip(&snapshots)
            .map(|(safe, seen)| (safe.name.clone(), safe_seen(seen)))
            .collect(),
    }
}

/// Returns the Safes by name, with what their levers will read, fetched in one round. What that leaves out is asked for
/// when a lever is tried.
fn fetch_early<'s>(
    link: &Chain,
    safes: impl Iterator<Item = (&'s Safe, &'s Snapshot)>,
) -> BTreeMap<String, Snapshot> {
    let safes: Vec<(&Safe, Snapshot)> = safes.map(|(safe, seen)| (safe, seen.clone())).collect();
    let fetch = |(safe, mut seen): (&Safe, Snapshot)| {
        _ = link.fetch_named(&mut seen);
        Ok((safe.name.clone(), seen))
    };
    at_once(safes, fetch).into_iter().flatten().collect()
}

fn safe_seen(snapshot: &Result<Snapshot, Error>) -> Result<ExaminedSafe, String> {
    let snapshot = snapshot.as_ref().map_err(ToString::to_string)?;
    let (state, accounts) = (snapshot.state.clone(), snapshot.accounts.clone());
    Ok(ExaminedSafe { state, proxy_code: snapshot.code_hash, accounts })
}

fn trials(work: &TrialContext, chain: &council::CouncilChain) -> Vec<Trial> {
    let council = &work.desk.council;
    let is_here =
        |lever: &&Lever| council.safes.get(&lever.safe).is_some_and(|safe| safe.chain == chain.name);
    let levers: Vec<&Lever> = council.levers.values().filter(is_here).collect();
    let tried = at_once(levers.clone(), |lever| Ok(work.lever(lever)));
    let named = levers.iter().zip(tried);
    let trials = named
        .filter_map(|(lever, tried)| tried.unwrap_or_else(|error| Some(Trial::wrong(&lever.name, &error))));
    trials.collect()
}

/// Adds the functions that the levers call on a contract.
fn with_calls(desk: &Desk, target: ExaminedTarget, trials: &[Trial]) -> ExaminedTarget {
    let place = desk.council.targets.get(&target.target).and_then(|places| places.get(&target.chain));
    let Some(address) = place.map(|place| place.address) else { return target };
    let calls = |trial: &Trial| {
        let its = trial.calls.iter().filter(|call| call.to == address);
        let its = its.filter_map(|call| call.data.get(..4)).map(Selector::from_slice);
        its.chain(of_done(desk, &target.target, trial)).collect::<Vec<_>>()
    };
    let works = |trial: &&Trial| matches!(trial.seen.tried, LeverTrial::Works { .. } | LeverTrial::Done);
    ExaminedTarget {
        called: trials.iter().flat_map(calls).collect(),
        is_reached: trials.iter().filter(works).any(|trial| !calls(trial).is_empty()),
        ..target
    }
}

/// Returns the functions of a lever on a target, if the lever calls nothing now because all that it does is done.
fn of_done(desk: &Desk, target: &str, trial: &Trial) -> Vec<Selector> {
    let is_done = trial.seen.tried == LeverTrial::Done && trial.calls.is_empty();
    let lever = desk.council.levers.get(&trial.seen.lever).filter(|_| is_done);
    let lever = lever.filter(|lever| lever.set.values().any(|value| value == target));
    let entry = lever.and_then(|lever| desk.catalogue.get(&lever.playbook).ok());
    let steps = entry.iter().flat_map(|entry| &entry.playbook.steps);
    steps.map(|step| step.function.selector()).collect()
}

/// Returns the transaction of a lever's first call, at the next nonce of a Safe.
fn sample(calls: &[Call], safe: &Snapshot) -> Option<(SafeId, SafeTx)> {
    let Call { to, value, data } = calls.first()?.clone();
    Some((safe.state.id, SafeTx::new(to, value, data, Operation::Call, safe.state.nonce)))
}

fn faults_as_text<T>(answers: Vec<(String, Result<T, EndpointFault>)>) -> Vec<(String, Result<T, String>)> {
    answers.into_iter().map(|(who, answer)| (who, answer.map_err(|fault| fault.to_string()))).collect()
}

fn relays(desk: &Desk, chain: &council::CouncilChain) -> Vec<(String, Result<Duration, String>)> {
    match relay(desk.progress, chain) {
        Ok(None) => Vec::new(),
        Ok(Some(relays)) => faults_as_text(relays.answering()),
        Err(error) => vec![(format!("of {}", chain.name), Err(format!("cannot be used: {}", error.message)))],
    }
}
