//! A Safe and whatever else a plan or a check asks, all from one block and in one round.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::sol_types::SolCall;
use serde_json::json;

use super::chain_error::ChainError;
use super::draft::{Drafted, KnownState, RehearsalDraft};
use super::fees::{self, CallRequest, SenderState};
use super::json_rpc::{AT, Reply, Request};
use super::quorum::{Agreed, Chain};
use super::settle::Settled;
use crate::evm::{AccountKind, Answer, BlockRef, BlockTag, Fresh, Header, Query, Readings};
use crate::fork::{Expected, Rehearsal};
use crate::safe::ISafe::{VERSIONCall, getModulesPaginatedCall, getOwnersCall};
use crate::safe::{
    FIXED_SLOTS, MOST_MODULES, MOST_OWNERS, Nonce, Owners, OwnersError, SENTINEL, SafeId, SafeState,
    SafeTree, SafeVersion,
};

/// Modules asked for at once.
const PAGE: u64 = 50;
/// The longest answer that is decoded: a list of [`MOST_OWNERS`] and what stands around it.
const LONGEST_RETURN: usize = 32 * (MOST_OWNERS + 4);
/// Pages that hold [`MOST_MODULES`], and one to see that there are no more.
const MOST_PAGES: usize = MOST_MODULES / 50 + 1;

/// Everything that one round asks beside the Safe's own state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ask<'a> {
    pub safe: Address,
    /// Other Safes, to be read along: those that may own it.
    pub safes: &'a [Address],
    /// Accounts whose code tells what acts for them: owners, and whoever pays.
    pub accounts: &'a [Address],
    pub queries: &'a [Query],
    /// A transaction that is about to be sent.
    pub sending: Option<&'a CallRequest>,
    /// Transactions that may be rehearsed afterwards: what they will read is fetched along.
    pub drafts: &'a [RehearsalDraft],
}

/// The values of one block.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub header: Header,
    pub state: SafeState,
    /// Those of [`Ask::safes`] that are Safes.
    pub safes: Vec<SafeState>,
    /// For [`Ask::accounts`].
    pub accounts: BTreeMap<Address, AccountKind>,
    /// keccak256 of the code at the Safe's own address: the proxy's.
    pub code_hash: B256,
    pub readings: Readings,
    /// For [`Ask::sending`].
    pub prepared: Option<SenderState>,
    /// For [`Ask::drafts`]: what a rehearsal at this block can build on.
    pub known: KnownState,
    /// The state once more, where the newest block was asked for.
    fresh: Option<Fresh<SafeTree>>,
}

impl Snapshot {
    /// The Safe as it is now; `None` of an older block.
    pub const fn fresh(&self) -> Option<&Fresh<SafeTree>> {
        self.fresh.as_ref()
    }

    /// The Safe with those among its owners that were read along.
    pub fn tree(&self) -> SafeTree {
        SafeTree::new(self.state.clone(), &self.safes)
    }

    /// Returns what a block must hold after a transaction that does what was rehearsed here.
    pub fn expected(&self, rehearsal: &Rehearsal) -> Expected {
        Expected::of(rehearsal, &self.known.state, &self.state)
    }
}

#[cfg(test)]
impl Snapshot {
    /// Returns the newest block's, with the Safe and the answers that a test gives.
    pub(crate) fn told(header: Header, state: SafeState, safes: Vec<SafeState>, readings: Readings) -> Self {
        let fresh = Some(Fresh::from_quorum(SafeTree::new(state.clone(), &safes)));
        let (accounts, code_hash, prepared, known) = Default::default();
        Self { header, state, safes, accounts, code_hash, readings, prepared, known, fresh }
    }
}

mod abi {
    alloy::sol! {
        /// Safe 1.0.0, which has no pages of modules.
        function getModules() external view returns (address[]);
    }
}

impl Chain {
    /// The Safe's state and the answers, from one block. One round, unless the endpoints stand at different blocks,
    /// the Safe has more modules than fit one page, or it is a 1.0.0.
    /// Fails if no quorum agrees, when there is no Safe, or when it is none that this program knows.
    pub fn snapshot(&self, ask: &Ask, at: BlockTag) -> Result<Snapshot, ChainError> {
        let mut requests = safe_requests(ask.safe);
        let state_end = requests.len();
        requests.extend(ask.safes.iter().flat_map(|safe| safe_requests(*safe)));
        let safes_end = requests.len();
        requests.extend(ask.accounts.iter().map(|account| code(*account)));
        let accounts_end = requests.len();
        requests.extend(ask.queries.iter().filter_map(request));
        let queries_end = requests.len();
        requests.extend(ask.sending.map(fees::requests).unwrap_or_default());
        let sending_end = requests.len();
        let drafted = Drafted::of(ask.drafts, &KnownState::default());
        requests.extend(drafted.requests());

        let agreed = self.agree(&requests, at)?;
        let parts = BatchAnswers { requests: &requests, agreed: &agreed };
        let (state, code_hash) = self.safe_state(ask.safe, &agreed.header, parts.values(0..state_end))?;
        let safe_at = |at: usize| parts.values(state_end * (at + 1)..state_end * (at + 2));
        let read = |(at, safe): (usize, &Address)| self.safe_state(*safe, &agreed.header, safe_at(at)).ok();
        let safes: Vec<SafeState> =
            ask.safes.iter().enumerate().filter_map(read).map(|(state, _)| state).collect();
        let answers = parts.values(accounts_end..queries_end);
        let codes = parts.values(safes_end..accounts_end);
        let kind = |(account, code): (&Address, Settled)| match code {
            Settled::Data(code) => Some((*account, AccountKind::of(&code))),
            _ => None,
        };
        let accounts = ask.accounts.iter().zip(codes).filter_map(kind).collect();
        let prepared = ask.sending.map(|_| {
            let range = queries_end..sending_end;
            fees::prepared(self.id(), &agreed.header, &parts.values(range.clone()), &parts.hints(range))
        });
        let mut known = KnownState::default();
        drafted.learn(&parts.replies(sending_end..requests.len()), &mut known);
        let tree = || SafeTree::new(state.clone(), &safes);
        let fresh = (at == BlockTag::Latest).then(|| Fresh::from_quorum(tree()));
        let readings = readings(ask.queries, &answers, &agreed.header);
        let header = agreed.header.clone();
        Ok(Snapshot { header, state, safes, accounts, code_hash, readings, prepared, known, fresh })
    }

    /// Answers at this very block, in one round.
    /// Fails if no quorum agrees, or when the chain has another block at that height by now.
    pub fn answers(&self, queries: &[Query], block: &BlockRef) -> Result<Readings, ChainError> {
        let requests: Vec<Request> = queries.iter().filter_map(request).collect();
        let agreed = self.agree(&requests, BlockTag::Pinned(*block))?;
        Ok(readings(queries, &agreed.values, &agreed.header))
    }

    /// Asks more about the block of a snapshot, in one round, and adds the answers to it.
    /// Fails if no quorum agrees, or when the chain has another block at that height by now.
    pub fn extend(
        &self,
        seen: &mut Snapshot,
        queries: &[Query],
        drafts: &[RehearsalDraft],
    ) -> Result<(), ChainError> {
        let drafted = Drafted::of(drafts, &seen.known);
        let mut requests: Vec<Request> = queries.iter().filter_map(request).collect();
        let asked = requests.len();
        requests.extend(drafted.requests());
        if requests.is_empty() && queries.is_empty() {
            return Ok(());
        }
        let agreed = self.agree(&requests, BlockTag::Pinned(seen.header.block()))?;
        let parts = BatchAnswers { requests: &requests, agreed: &agreed };
        seen.readings.extend(readings(queries, &parts.values(0..asked), &agreed.header));
        drafted.learn(&parts.replies(asked..requests.len()), &mut seen.known);
        Ok(())
    }

    fn safe_state(
        &self,
        safe: Address,
        header: &Header,
        values: Vec<Settled>,
    ) -> Result<(SafeState, B256), ChainError> {
        let unknown = |why: String| ChainError::NotASafe { chain: self.name().into(), safe, why };
        let Ok([code, version, owners, modules, slots @ ..]) = <[Settled; 11]>::try_from(values) else {
            return Err(unknown("its answers are incomplete".into()));
        };
        let Some(code_hash) = code_hash(&code) else {
            let (chain, block) = (self.name().into(), header.number);
            return Err(ChainError::NoSafe { chain, safe, block });
        };
        let [singleton, owner_count, threshold, nonce, guard, module_guard, handler] =
            slots.map(|slot| number(&slot));

        let version =
            returned::<VERSIONCall>(&version).ok_or_else(|| unknown("it has no VERSION()".into()))?;
        let version: SafeVersion = version.parse().map_err(|e| unknown(format!("{e}")))?;
        if let Settled::Data(data) = &owners
            && data.len() > LONGEST_RETURN
        {
            return Err(unknown(OwnersError::TooMany(data.len() / 32 - 2).to_string()));
        }
        let list =
            returned::<getOwnersCall>(&owners).ok_or_else(|| unknown("it has no getOwners()".into()))?;
        if owner_count != U256::from(list.len()) {
            let why = format!("it lists {} owners and counts {owner_count}", list.len());
            return Err(unknown(why));
        }
        let owners = Owners::new(list, threshold.saturating_to()).map_err(|e| unknown(e.to_string()))?;
        let address = |what: &str, word: U256| {
            let word = B256::from(word);
            let fits = word[..12].iter().all(|byte| *byte == 0);
            fits.then(|| Address::from_word(word))
                .ok_or_else(|| unknown(format!("its {what} slot holds {word}")))
        };
        let state = SafeState {
            id: SafeId { chain_id: self.id(), address: safe, version },
            owners,
            nonce: Nonce(nonce),
            singleton: address("singleton", singleton)?,
            guard: address("guard", guard)?,
            module_guard: address("module guard", module_guard)?,
            fallback_handler: address("fallback handler", handler)?,
            modules: self.modules(safe, version, &modules, header.block())?,
        };
        Ok((state, code_hash))
    }

    /// All modules, starting from the first page.
    fn modules(
        &self,
        safe: Address,
        version: SafeVersion,
        first_page: &Settled,
        block: BlockRef,
    ) -> Result<Vec<Address>, ChainError> {
        let unknown = |why: &str| ChainError::NotASafe { chain: self.name().into(), safe, why: why.into() };
        let too_many = format!("it has more than {MOST_MODULES} modules, the most that this program reads");
        let at = BlockTag::Pinned(block);
        if version == SafeVersion::V1_0_0 {
            let reply = self.agree(&[call(safe, &abi::getModulesCall {})], at)?.values.pop();
            let modules = reply.as_ref().and_then(returned::<abi::getModulesCall>);
            let modules = modules.ok_or_else(|| unknown("it does not list its modules"))?;
            return if modules.len() > MOST_MODULES { Err(unknown(&too_many)) } else { Ok(modules) };
        }
        let mut page = returned::<getModulesPaginatedCall>(first_page);
        let mut modules: Vec<Address> = Vec::new();
        for _ in 0..MOST_PAGES {
            let read = page.ok_or_else(|| unknown("it does not list its modules"))?;
            modules.extend(&read.array);
            if modules.len() > MOST_MODULES {
                break;
            }
            // Up to 1.3.0 `next` is the first module not listed and would be skipped; the last listed one never is.
            let last = match read.array.last() {
                Some(last) if read.next != SENTINEL && read.next != Address::ZERO => *last,
                _ => return Ok(modules),
            };
            let reply = self.agree(&[modules_page(safe, last)], at)?.values.pop();
            page = reply.as_ref().and_then(returned::<getModulesPaginatedCall>);
        }
        Err(unknown(&too_many))
    }
}

/// The requests that [`Chain::safe_state`] reads, in its order, which ends with that of [`FIXED_SLOTS`].
fn safe_requests(safe: Address) -> Vec<Request> {
    let calls = [call(safe, &VERSIONCall {}), call(safe, &getOwnersCall {}), modules_page(safe, SENTINEL)];
    std::iter::once(code(safe))
        .chain(calls)
        .chain(FIXED_SLOTS.map(|(slot, ..)| Request::new("eth_getStorageAt", json!([safe, slot, AT]))))
        .collect()
}

fn code(address: Address) -> Request {
    Request::new("eth_getCode", json!([address, AT]))
}

fn modules_page(safe: Address, start: Address) -> Request {
    call(safe, &getModulesPaginatedCall { start, pageSize: U256::from(PAGE) })
}

fn call(to: Address, call: &impl SolCall) -> Request {
    Request::call(None, to, &call.abi_encode().into())
}

/// `None` for what the header says, which every round asks for.
pub(super) fn request(query: &Query) -> Option<Request> {
    Some(match query {
        Query::Call { from, to, data } => Request::call(*from, *to, data),
        Query::Storage { address, slot } => Request::new("eth_getStorageAt", json!([address, slot, AT])),
        Query::Balance { address } => Request::new("eth_getBalance", json!([address, AT])),
        Query::CodeHash { address } => Request::new("eth_getCode", json!([address, AT])),
        Query::Time => return None,
    })
}

pub(super) fn readings(queries: &[Query], values: &[Settled], header: &Header) -> Readings {
    let asked = queries.iter().filter(|query| **query != Query::Time).zip(values);
    let time = Answer::Value(B256::from(U256::from(header.timestamp)).into());
    let told =
        queries.iter().filter(|query| **query == Query::Time).map(|query| (query.clone(), time.clone()));
    asked.map(|(query, value)| (query.clone(), answer(query, value))).chain(told).collect()
}

fn answer(query: &Query, value: &Settled) -> Answer {
    match (query, value) {
        (Query::CodeHash { .. }, code) => Answer::Value(code_hash(code).unwrap_or_default().into()),
        (_, other) => other.answer(),
    }
}

/// Returns the hash of the code; `None` if there is no code.
fn code_hash(code: &Settled) -> Option<B256> {
    match code {
        Settled::Data(code) if !code.is_empty() => Some(keccak256(code)),
        _ => None,
    }
}

fn number(value: &Settled) -> U256 {
    match value {
        Settled::Number(n) => *n,
        _ => U256::MAX,
    }
}

/// Returns what a call returned; `None` for a list of more entries than any that is read here, which is not even decoded.
fn returned<C: SolCall>(value: &Settled) -> Option<C::Return> {
    match value {
        Settled::Data(data) if data.len() <= LONGEST_RETURN => C::abi_decode_returns_validate(data).ok(),
        _ => None,
    }
}

/// The answers to a list of requests that was put together from several.
struct BatchAnswers<'a> {
    requests: &'a [Request],
    agreed: &'a Agreed,
}

impl BatchAnswers<'_> {
    /// Where the `at`-th request stands among those that need agreement, or among the hints.
    fn rank(&self, at: usize, agreed: bool) -> usize {
        self.requests.iter().take(at).filter(|request| request.agreed == agreed).count()
    }

    fn values(&self, range: std::ops::Range<usize>) -> Vec<Settled> {
        let (start, end) = (self.rank(range.start, true), self.rank(range.end, true));
        self.agreed.values.get(start..end).unwrap_or_default().to_vec()
    }

    /// Per agreeing endpoint.
    fn hints(&self, range: std::ops::Range<usize>) -> Vec<&[Reply]> {
        let (start, end) = (self.rank(range.start, false), self.rank(range.end, false));
        self.agreed.hints.iter().map(|one| one.get(start..end).unwrap_or_default()).collect()
    }

    fn replies(&self, range: std::ops::Range<usize>) -> Vec<Reply> {
        let values = self.values(range.clone());
        let hints: Vec<Vec<Reply>> = self.hints(range.clone()).into_iter().map(<[Reply]>::to_vec).collect();
        super::quorum::replies(self.requests.get(range).unwrap_or_default(), values, &hints)
    }
}
