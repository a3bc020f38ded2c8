//! All at once: which proposals are open, and the state that each lever's contracts are in now. One batch of requests for
//! each chain, all chains side by side; a second one for levers that first read what they call.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use alloy::primitives::{Address, U256};
use alloy::sol_types::SolCall;

use crate::ceremony::barred::{Entitled, address, entitled};
use crate::ceremony::desk::Desk;
use crate::ceremony::order::{Given, Order, Turn, TurnError};
use crate::chain::{Chain, ChainError, Sighting};
use crate::clock;
use crate::council::{self, Arguments, Lever};
use crate::error::{Error, Exit};
use crate::evm::{Answer, Query, Readings};
use crate::incident::{Entry, Journal, JournalAct, Utc, open_drills};
use crate::playbook::{Check, Plan, PlanError};
use crate::proposal::{Approvals, Contender, Proposal, Shortfall, count};
use crate::safe::{ISafe, Nonce, Owners, SafeState, SafeTree, slot, slot_word};

/// Batches of one chain: levers that still ask for more are not followed.
const MOST_BATCHES: usize = 2;
/// The most open proposals that are looked at.
const MOST_OPEN: usize = 50;
/// A drill that nobody finished is open for so long.
const DRILL_OPEN: Duration = Duration::from_hours(7 * 24);
/// The most owners of a Safe whose approvals on chain are asked for.
const MOST_OWNERS_ASKED: usize = 20;

/// Open proposals and the state of the levers.
#[derive(Debug, Default)]
pub struct Overview {
    pub open: Vec<Open>,
    /// Kept proposals that were not looked at.
    pub more_open: usize,
    /// By the lever's name.
    pub levers: BTreeMap<String, LeverState>,
    pub chains: Vec<ChainRead>,
}

/// A chain that was read, and up to which block.
#[derive(Debug)]
pub struct ChainRead {
    pub chain: String,
    /// Block and age in seconds; or why it was not read.
    pub read: Result<(u64, u64), String>,
}

/// A proposal that was not executed yet.
#[derive(Debug)]
pub struct Open {
    pub proposal: Proposal,
    pub safe: String,
    pub chain: String,
    /// `None` if the chain was not read.
    pub next: Option<Nonce>,
    pub tally: Shortfall,
    /// Another lever that keeps its nonce, or one before it that it would have.
    pub keeper: Option<Contender>,
    /// The time of this machine's first journal entry about it.
    pub since: Option<Utc>,
    /// The words of a command for it.
    pub words: String,
}

/// The state of what a lever changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeverState {
    /// Its promise holds already; `since` is the moment at which this machine saw it executed.
    Done { since: Option<Utc> },
    /// It can be pulled; until this second, where its contract says one.
    Ready { until: Option<u64> },
    /// It is not the Safe's to do, but that of a role's holder or of an owner, if the contract says whom.
    Barred { to: Entitled, owner: Option<Address> },
    /// A condition for it does not hold.
    Cannot(String),
    /// Arguments that are given when it is pulled.
    Asks(Vec<String>),
    /// Not known, and why.
    Unknown(String),
}

/// Looks at all levers and kept proposals. `offline`, nothing is asked of the network.
pub fn read(desk: &Desk, offline: bool) -> Result<Overview, Error> {
    let journal = Journal::read(&desk.incidents.journal().read()?);
    let mut kept = desk.kept_open()?;
    let more_open = kept.len().saturating_sub(MOST_OPEN);
    kept.drain(..more_open);
    kept.extend(unfinished(desk, &journal)?);
    let chains: Vec<&council::CouncilChain> = desk.council.chains.values().collect();
    let overview_of = |chain: &council::CouncilChain| one_chain(desk, chain, &kept, &journal, offline);
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
        whole.levers.extend(one.levers);
        whole.chains.extend(one.chains);
    }
    let place =
        |open: &Open| (open.chain.clone(), open.safe.clone(), open.proposal.nonce(), open.words.clone());
    whole.open.sort_by_cached_key(place);
    Ok(whole)
}

/// Returns the drills of the last days that are kept here and were not proven.
fn unfinished(desk: &Desk, journal: &Journal) -> Result<Vec<Proposal>, Error> {
    let since = clock::now().saturating_sub(DRILL_OPEN).as_millis();
    let since = Utc::from_millis(u64::try_from(since).unwrap_or(u64::MAX));
    let mut hashes = open_drills(journal.iter(), since);
    hashes.truncate(MOST_OPEN);
    if hashes.is_empty() { Ok(Vec::new()) } else { desk.kept_drills(|drill| hashes.contains(&drill.hash())) }
}

/// The part of one chain.
fn one_chain(
    desk: &Desk,
    chain: &council::CouncilChain,
    kept: &[Proposal],
    journal: &Journal,
    offline: bool,
) -> Result<Overview, Error> {
    let is_here =
        |lever: &&Lever| desk.council.safes.get(&lever.safe).is_some_and(|safe| safe.chain == chain.name);
    let levers: Vec<&Lever> = desk.council.levers.values().filter(is_here).collect();
    let kept: Vec<&Proposal> = kept.iter().filter(|p| p.safe().chain_id == chain.id).collect();
    if levers.is_empty() && kept.is_empty() {
        return Ok(Overview::default());
    }
    let orders: Vec<(&Lever, Result<Order, Error>)> =
        levers.into_iter().map(|lever| (lever, order(desk, lever))).collect();
    let seen = if offline {
        Err("the network was not asked".into())
    } else {
        read_chain(desk, chain, &kept, &orders)
    };
    let mut overview = Overview::default();
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

/// All answers about one chain, at one block.
fn read_chain(
    desk: &Desk,
    chain: &council::CouncilChain,
    kept: &[&Proposal],
    orders: &[(&Lever, Result<Order, Error>)],
) -> Result<Sighting, String> {
    let safe = desk.council.safes.values().find(|safe| safe.chain == chain.name);
    let link: Chain = safe
        .ok_or("no Safe is on it")
        .map_err(String::from)
        .and_then(|safe| desk.connect(safe).map_err(|error| error.message))?;
    let orders: Vec<&Order> = orders.iter().filter_map(|(_, order)| order.as_ref().ok()).collect();
    let mut queries: Vec<Query> = kept.iter().flat_map(|proposal| of_proposal(desk, proposal)).collect();
    queries.extend(orders.iter().flat_map(|order| asks(order, &Readings::default())));
    let told = |error: ChainError| error.to_string();
    let mut seen = link.watch(&[], &unique(queries)).map_err(told)?;
    for _ in 1..MOST_BATCHES {
        let mut more: Vec<Query> = orders.iter().flat_map(|order| asks(order, &seen.readings)).collect();
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

/// The Safe's nonce, owners and threshold, and who approved on chain of those that the council file pins.
fn of_proposal(desk: &Desk, proposal: &Proposal) -> Vec<Query> {
    let pinned = desk.safe_of(proposal).ok().and_then(|safe| desk.owners(safe, None));
    let approvals = pinned.map(|owners| owners.approval_queries(proposal, MOST_OWNERS_ASKED));
    safe_queries(proposal.safe().address).into_iter().chain(approvals.unwrap_or_default()).collect()
}

fn safe_queries(address: Address) -> [Query; 3] {
    let storage = |number| Query::Storage { address, slot: slot_word(number) };
    let owners = ISafe::getOwnersCall {}.abi_encode().into();
    [storage(slot::NONCE), storage(slot::THRESHOLD), Query::Call { from: None, to: address, data: owners }]
}

/// The questions of a lever that follow from what is known.
fn asks(order: &Order, known: &Readings) -> Vec<Query> {
    match order.turn(known) {
        Ok(Turn::Needs(queries)) => queries,
        Ok(Turn::Ready(plans)) => {
            let plan = plans.merged();
            let owners = plan.calls.iter().map(|planned| Entitled::Owner.query(planned.call.to));
            plan.before.iter().chain(&plan.after).flat_map(Check::queries).chain(owners).collect()
        }
        Err(_) => Vec::new(),
    }
}

/// The state of what one lever changes, by the answers at one block.
fn state(order: &Order, seen: Result<&Readings, &str>) -> LeverState {
    let readings = match seen {
        Ok(readings) => readings,
        Err(why) => return LeverState::Unknown(why.into()),
    };
    let plan = match order.turn(readings) {
        Ok(Turn::Ready(plans)) => plans.merged(),
        Ok(Turn::Needs(_)) => {
            return LeverState::Unknown("it reads more values than this list asks for".into());
        }
        Err(TurnError { error: PlanError::NothingToDo(_), .. }) => return LeverState::Done { since: None },
        Err(TurnError { error: PlanError::Missing { names, .. }, .. }) => return LeverState::Asks(names),
        Err(error) => return LeverState::Cannot(error.to_string()),
    };
    of_plan(&plan, order.safe.address, readings)
}

fn of_plan(plan: &Plan, safe: Address, readings: &Readings) -> LeverState {
    let mut promised = plan.after.iter().filter(|check| !check.queries().is_empty()).peekable();
    if promised.peek().is_some() && promised.all(|check| check.judge(readings, &[]).holds) {
        return LeverState::Done { since: None };
    }
    let failed = plan.before.iter().find_map(|check| {
        let verdict = check.judge(readings, &[]);
        (!verdict.holds).then_some((check, verdict))
    });
    let Some((check, verdict)) = failed else {
        return LeverState::Ready { until: plan.before.iter().filter_map(Check::deadline).min() };
    };
    let answer = check.queries().into_iter().find_map(|query| Some((readings.get(&query)?, query)));
    match answer {
        Some((Answer::Reverted(data), Query::Call { to, .. })) => match entitled(data, safe) {
            Some(asked) => {
                let owner = readings.get(&Entitled::Owner.query(to)).and_then(address);
                LeverState::Barred { to: asked, owner: owner.filter(|_| asked == Entitled::Owner) }
            }
            None => LeverState::Cannot(verdict.sentence),
        },
        _ => LeverState::Cannot(verdict.sentence),
    }
}

/// The proposal, unless its nonce is used.
fn open(
    desk: &Desk,
    chain: &council::CouncilChain,
    proposal: &Proposal,
    seen: Option<&Sighting>,
    journal: &Journal,
) -> Result<Option<Open>, Error> {
    let safe = desk.safe_of(proposal)?;
    let readings = seen.map(|seen| &seen.readings);
    let now = readings.and_then(|readings| safe_now(proposal, readings));
    let next = now.as_ref().map(|now| now.nonce);
    if next.is_some_and(|next| proposal.nonce() < next) {
        return Ok(None);
    }
    let tree = SafeTree::new(now.unwrap_or_else(|| proposal.snapshot().clone()), &desk.pinned_safes(safe));
    let (mut signatures, mut wallets, mut keeper) = (Vec::new(), Vec::new(), None);
    if let Some(owners) = desk.owners(safe, Some(&tree)) {
        (signatures, wallets) = desk.kept_signatures(proposal, &owners)?;
        if !proposal.is_drill() {
            keeper = desk.keeper_since(proposal, next.unwrap_or(proposal.nonce()), safe, &owners)?;
        }
    }
    let none = Readings::default();
    let approvals = Approvals::new(&signatures, &wallets, readings.unwrap_or(&none));
    Ok(Some(Open {
        safe: safe.name.clone(),
        chain: chain.name.clone(),
        next,
        tally: count(proposal, &approvals, &tree),
        keeper,
        since: first_entered(journal, proposal),
        words: desk.words_of(proposal, &[proposal.hash().to_string()]),
        proposal: proposal.clone(),
    }))
}

/// The Safe as it is now, as far as it is asked here; `None` if it does not answer as a Safe does.
fn safe_now(proposal: &Proposal, readings: &Readings) -> Option<SafeState> {
    let [nonce, threshold, owners] = safe_queries(proposal.safe().address);
    let value = |query: &Query| match readings.get(query)? {
        Answer::Value(data) => Some(data.clone()),
        Answer::Reverted(_) => None,
    };
    let number = |query: &Query| U256::try_from_be_slice(&value(query)?);
    let list = ISafe::getOwnersCall::abi_decode_returns_validate(&value(&owners)?).ok()?;
    let owners = Owners::new(list, number(&threshold)?.saturating_to()).ok()?;
    Some(SafeState { nonce: Nonce(number(&nonce)?), owners, ..proposal.snapshot().clone() })
}

fn first_entered(journal: &Journal, proposal: &Proposal) -> Option<Utc> {
    let about = |entry: &&Entry| {
        entry.draft.about.as_ref().is_some_and(|about| about.safe_tx_hash == proposal.hash())
    };
    journal.entries.iter().map(|(_, entry)| entry).find(about).map(|entry| entry.draft.time)
}

/// Returns the time at which this machine last saw a lever's own transaction in a block.
fn last_mined(journal: &Journal, lever: &str) -> Option<Utc> {
    let is_of = |entry: &&Entry| {
        let is_mined =
            matches!(entry.draft.act, JournalAct::Mined { succeeded: true, .. } | JournalAct::Proven { .. });
        is_mined && entry.draft.about.as_ref().is_some_and(|about| about.what.to_string() == lever)
    };
    journal.entries.iter().rev().map(|(_, entry)| entry).find(is_of).map(|entry| entry.draft.time)
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{B256, Bytes};
    use alloy::sol_types::SolValue;

    use super::*;
    use crate::ceremony::tests::{ALICE, Home, VAULT, at, order as order_of, proposed, setting, sign};

    fn word(value: u64) -> Answer {
        Answer::Value(B256::from(U256::from(value)).into())
    }

    /// The chain's answers where the vault says this of `paused()`.
    fn paused(order: &Order, answer: &Answer) -> Readings {
        asks(order, &Readings::default()).into_iter().map(|query| (query, answer.clone())).collect()
    }

    #[test]
    fn a_lever_is_done_ready_or_not_by_what_its_contract_says() {
        let home = Home::new();
        let desk = home.desk();
        let vault = order_of(&desk, &["vault"], &at(4));
        let by = |answer: &Answer| state(&vault, Ok(&paused(&vault, answer)));
        assert_eq!(by(&word(1)), LeverState::Done { since: None });
        assert_eq!(by(&word(0)), LeverState::Ready { until: None });
        assert_eq!(state(&vault, Err("no RPC")), LeverState::Unknown("no RPC".into()));
        let nothing = Readings::default();
        assert!(matches!(state(&vault, Ok(&nothing)), LeverState::Cannot(_)), "nothing was answered");
        let fee = order_of(&desk, &["fee"], &at(4));
        assert_eq!(state(&fee, Ok(&nothing)), LeverState::Asks(vec!["fee".into()]));
        let fee = order_of(&desk, &["fee"], &setting(at(4), "fee", "40 bps"));
        assert!(matches!(state(&fee, Ok(&nothing)), LeverState::Unknown(_)), "it asks for more");
        let same: Readings = asks(&fee, &nothing).into_iter().map(|query| (query, word(40))).collect();
        assert_eq!(state(&fee, Ok(&same)), LeverState::Done { since: None }, "the fee is this already");
    }

    #[test]
    fn a_call_that_is_not_the_safes_names_whose_it_is() {
        let home = Home::new();
        let desk = home.desk();
        let vault = order_of(&desk, &["vault"], &at(4));
        let (safe, holder) = (vault.safe.address, Address::repeat_byte(0x77));
        let refused = |data: Bytes| {
            let mut readings = paused(&vault, &word(0));
            for query in asks(&vault, &Readings::default()) {
                if matches!(&query, Query::Call { from: Some(from), .. } if *from == safe) {
                    readings.insert(query, Answer::Reverted(data.clone()));
                }
            }
            let owner = Entitled::Owner.query(VAULT);
            readings.insert(owner, Answer::Value(holder.abi_encode().into()));
            state(&vault, Ok(&readings))
        };
        let text = |text: &str| {
            alloy::sol_types::SolError::abi_encode(&alloy::sol_types::Revert::from(text.to_string()))
        };
        let owner = refused(text("Ownable: caller is not the owner").into());
        assert_eq!(owner, LeverState::Barred { to: Entitled::Owner, owner: Some(holder) });
        let role = B256::repeat_byte(7);
        let role_text = format!("AccessControl: account {safe} is missing role {role}");
        assert_eq!(
            refused(text(&role_text).into()),
            LeverState::Barred { to: Entitled::Role(role), owner: None }
        );
        assert!(matches!(refused(text("Pausable: paused").into()), LeverState::Cannot(_)));
    }

    #[test]
    fn without_the_network_open_proposals_are_counted_by_what_is_kept() {
        let home = Home::new();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        desk.keep_signature(&vault, &sign(&desk, ALICE, &vault)).unwrap();
        desk.keep_proposal(&proposed(&desk, &["bridge"], &at(3), 0)).unwrap();
        let overview = read(&home.desk(), true).unwrap();
        let open: Vec<_> =
            overview.open.iter().map(|open| (open.safe.as_str(), open.proposal.nonce())).collect();
        assert_eq!(open, [("guardian", Nonce::from(3)), ("guardian", Nonce::from(4))]);
        let second = &overview.open[1];
        assert_eq!((second.tally.approved.len(), second.next, second.since), (1, None, None));
        assert!(second.words.starts_with("vault"), "{}", second.words);
        assert_eq!(overview.levers["vault"], LeverState::Unknown("the network was not asked".into()));
        assert_eq!(overview.more_open, 0);
        assert_eq!(overview.chains.len(), 1, "nothing is on the other chain");
        assert!(overview.chains[0].read.is_err());
    }

    #[test]
    fn a_safe_is_as_it_answers_and_else_unknown() {
        let home = Home::new();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        let [nonce, threshold, owners] = safe_queries(vault.safe().address);
        let said = |count: u64, list: Answer| -> Option<SafeState> {
            let all = [(nonce.clone(), word(9)), (threshold.clone(), word(count)), (owners.clone(), list)];
            safe_now(&vault, &all.into_iter().collect())
        };
        let list = vec![Address::repeat_byte(1), Address::repeat_byte(2)];
        let answer = || Answer::Value(list.abi_encode().into());
        let now = said(2, answer()).unwrap();
        assert_eq!((now.nonce, now.owners.threshold().get()), (Nonce::from(9), 2));
        assert!(said(3, answer()).is_none(), "no Safe has this threshold");
        assert!(said(2, Answer::Reverted(Bytes::new())).is_none() && said(2, word(1)).is_none());
    }
}
