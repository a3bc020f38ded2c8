//! An act that one key does alone, by a lever of the reader's own: derived, held against the chain, rehearsed as that key's
//! own transaction, judged. The same values as for a proposal, with the key in the place of a Safe, or with the module that
//! makes the Safe act.

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::sol_types::SolValue;

use crate::ceremony::chain_view::ChainView;
use crate::ceremony::deputy::deputy_module::{deputy_query, more_queries, queries, read};
use crate::ceremony::derivation::{MAX_TURNS, Proposed, before_queries, endless_reads};
use crate::ceremony::derived::{Derived, OwnDerivation, StoredApprovals};
use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::ceremony::order::{Given, Order, Turn};
use crate::ceremony::prefetch::after_queries;
use crate::ceremony::rehearsal_result::{CompletedRehearsal, RehearsalResult};
use crate::ceremony::sending::gas::{enough, no_estimate, other_effects};
use crate::chain::{Ask, CallRequest, Chain, ChainError, Snapshot};
use crate::check::Match;
use crate::clock;
use crate::council::{Arguments, By, Lever, Safe};
use crate::error::{Error, Exit};
use crate::evm::{Block, BlockTag, Query, Readings};
use crate::fork::{DirectCall, Rehearsal, is_estimated, same_effects};
use crate::playbook::{CombinedPlan, Plan};
use crate::proposal::{BatchSource, Bearer, Outgoing, SafeOwners};
use crate::safe::{Call, Nonce, Owners, Pause, PauseForm, PauseSignature, SafeId, SafeState, SafeVersion};

/// The wishes of whoever acts, or sends a deputy's signature.
#[derive(Clone, Copy)]
pub struct Wish<'w> {
    pub set: &'w Arguments,
    /// The account that sends it.
    pub payer: Address,
    /// The text of a file with the deputy's signature.
    pub bearer: Option<&'w str>,
    /// Names the message of this run, where no file brings one.
    pub nonce: B256,
}

/// The way in which one key acts.
#[derive(Clone, Debug)]
pub enum How {
    /// By a transaction of its own.
    Key(Call),
    /// By its signature, which the module takes from anybody; `None` until the deputy has signed.
    Module(Pause, Option<PauseSignature>),
}

impl How {
    /// Returns `true` if both make one call, whether its message is signed or not.
    fn calls_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Key(one), Self::Key(other)) => one == other,
            (Self::Module(one, _), Self::Module(other, _)) => one == other,
            (Self::Key(_), Self::Module(..)) | (Self::Module(..), Self::Key(_)) => false,
        }
    }
}

/// One act of a deputy, judged.
#[must_use]
pub struct Act<'a> {
    /// The Safe that confirms it afterwards, or takes it back.
    pub safe: &'a Safe,
    /// The deputy's name and address.
    pub deputy: (&'a str, Address),
    pub how: How,
    pub judged: Judged<'a>,
    payer: Address,
}

/// Returns a nonce for a message of a module: it need not be secret, only new.
pub fn new_nonce(lever: &Lever) -> B256 {
    let (now, deputy) = (clock::now(), lever.by.deputy().map(|(_, address)| address).unwrap_or_default());
    keccak256((U256::from(now.as_nanos()), deputy, lever.name.as_str()).abi_encode())
}

impl Desk<'_> {
    /// Returns a lever that one key pulls alone.
    /// Fails if no lever has this name, or it is not a deputy's.
    pub fn deputys(&self, name: &str) -> Result<&Lever, Error> {
        self.require_lever(name)?;
        let lever = self.council.levers.get(name).filter(|lever| lever.by.deputy().is_some());
        lever.ok_or_else(|| {
            Error::new(Exit::Usage, format!("lever {name} has no deputy: its Safe's owners sign it"))
                .hint(format!("breakglass sign {name}"))
        })
    }

    /// Looks at a deputy's act on its chain as it is now.
    /// Fails if it cannot be derived or the chain cannot be read. What is wrong with it is told in its findings.
    pub fn evaluate_as_deputy<'a>(&'a self, lever: &'a Lever, wish: &Wish) -> Result<Act<'a>, Error> {
        let link = self.connect(self.safe(&lever.safe)?)?;
        self.evaluate_as_deputy_at(lever, wish, link)
    }

    /// Looks on a connection that is open.
    pub fn evaluate_as_deputy_at<'a>(
        &'a self,
        lever: &'a Lever,
        wish: &Wish,
        link: Chain,
    ) -> Result<Act<'a>, Error> {
        let order = Order::of_deputy(self, lever, wish.set)?;
        let safe = self.safe(&lever.safe)?;
        let deputy = lever.by.deputy().unwrap_or_default();
        let what = format!("reading {} on {}", lever.name, order.chain.name);
        let (mut snapshot, plans) =
            self.progress.wait(&what, || derive(&order, &link, (safe, &lever.by), wish))?;
        let plan = plans.merged();
        let how = how(&order, &lever.by, &plan, wish)?;
        if let How::Module(pause, _) = &how {
            let mut asked = queries(pause.module, safe.address, pause.nonce);
            asked.extend(more_queries(pause.module, safe.address, pause.form, &snapshot.readings));
            asked.retain(|query| snapshot.readings.get(query).is_none());
            self.progress.wait(&what, || link.extend(&mut snapshot, &asked, &[]))?;
        }
        if let By::Key(account) = &lever.by {
            snapshot.state = as_safe(order.chain.id, account.address)?;
        }
        let module = match &how {
            How::Key(_) => None,
            How::Module(pause, _) => Some(read(pause, safe.address, deputy, &snapshot.readings)),
        };
        let rehearse = || rehearse(&link, &mut snapshot, (&how, deputy.1), &plan, wish.payer);
        let rehearsal = self.progress.wait("rehearsing", rehearse);
        let derived = derived(self, order, plans, &snapshot)?;
        let seen = ChainView::new(link, snapshot);
        let judged = Judged::of_deputy(derived, seen, rehearsal, module.as_ref());
        Ok(Act { safe, deputy, how, judged, payer: wish.payer })
    }
}

/// Derives the plan at the newest block. In the first round comes all that is known to be needed.
fn derive(
    order: &Order,
    link: &Chain,
    (safe, by): (&Safe, &By),
    wish: &Wish,
) -> Result<(Snapshot, CombinedPlan), Error> {
    let likely = order.offline_plans().map(|plans| plans.merged());
    // Wrong arguments are found before the chain is asked.
    let mut asked = match order.turn(&Readings::default())? {
        Turn::Needs(queries) => queries,
        Turn::Ready(_) => Vec::new(),
    };
    asked.extend(likely.iter().flat_map(checks_of));
    if let By::Module { module, .. } = by {
        asked.extend(queries(*module, safe.address, wish.nonce));
    }
    let sending = sending(by, likely.as_ref(), wish, order.chain.id);
    let ask = Ask { safe: safe.address, queries: &asked, sending: Some(&sending), ..Ask::default() };
    let mut snapshot = link.snapshot(&ask, BlockTag::Latest)?;
    for _ in 0..MAX_TURNS {
        let missing = match order.turn(&snapshot.readings)? {
            Turn::Needs(queries) => queries,
            Turn::Ready(plans) => {
                let mut missing = checks_of(&plans.merged());
                missing.retain(|query| snapshot.readings.get(query).is_none());
                if missing.is_empty() {
                    return Ok((snapshot, plans));
                }
                missing
            }
        };
        link.extend(&mut snapshot, &missing, &[])?;
    }
    Err(endless_reads("the playbook"))
}

fn checks_of(plan: &Plan) -> Vec<Query> {
    [before_queries(plan), after_queries(plan)].concat()
}

/// The transaction for which the RPCs say what gas costs. That of a module would show them the deputy's signature: they are
/// asked about one that does nothing, with as much data.
fn sending(by: &By, likely: Option<&Plan>, wish: &Wish, chain_id: u64) -> CallRequest {
    let (from, call) = (wish.payer, likely.and_then(|plan| plan.calls.first()).map(|planned| &planned.call));
    let (to, data) = match (by, call) {
        (By::Module { module, .. }, call) => {
            let form = call.and_then(|call| PauseForm::of_call(&call.data));
            let form = form.unwrap_or(PauseForm::Second { identifier: *module });
            let pause = Pause { chain_id, module: *module, nonce: wish.nonce, form };
            let signed = PauseSignature::rehearsal_signature(&pause);
            (from, signed.map(|(_, signature)| pause.calldata(&signature)).unwrap_or_default())
        }
        (_, Some(call)) => (call.to, call.data.clone()),
        (_, None) => (from, Bytes::new()),
    };
    CallRequest { from, to, data, approved: Vec::new() }
}

/// The way by which the lever's one call is made.
fn how(order: &Order, by: &By, plan: &Plan, wish: &Wish) -> Result<How, Error> {
    let lever = order.levers().next().unwrap_or_default();
    let refused = |why: &str| Error::new(Exit::Usage, format!("lever {lever}: {why}"));
    let [planned] = &plan.calls[..] else {
        let why = format!("a deputy makes one call, and its playbook makes {}", plan.calls.len());
        return Err(refused(&why)
            .hint("a lever of the Safe can make several calls in one: leave out by = \"deputy\""));
    };
    let call = &planned.call;
    if !call.value.is_zero() {
        return Err(refused("a deputy cannot send ether, and its call does"));
    }
    let By::Module { module, deputy } = by else { return Ok(How::Key(call.clone())) };
    let form = PauseForm::of_call(&call.data).ok_or_else(|| {
        refused(&format!("no DeputyPauseModule calls {}", planned.signature))
            .hint("it makes a SuperchainConfig pause: pause/op-superchain, or pause/op-superchain-before-u16")
    })?;
    let pause = Pause { chain_id: order.chain.id, module: *module, nonce: wish.nonce, form };
    let Some(text) = wish.bearer else { return Ok(How::Module(pause, None)) };
    let Bearer { pause, signature } = Bearer::parse(text, &pause, deputy.address).map_err(|why| {
        Error::new(Exit::Refused, format!("the deputy's signature is not for this: {why}"))
            .hint("nothing was sent; ask the deputy for a signature for this lever")
    })?;
    Ok(How::Module(pause, Some(signature)))
}

/// An account as the checks of effects know accounts: a Safe whose only owner is its own key.
fn as_safe(chain_id: u64, address: Address) -> Result<SafeState, Error> {
    let owners = Owners::new(vec![address], 1).map_err(|e| Error::new(Exit::Usage, e.to_string()))?;
    Ok(SafeState::bare(SafeId { chain_id, address, version: SafeVersion::V1_4_1 }, owners, Nonce::from(0)))
}

fn derived<'a>(
    desk: &'a Desk,
    order: Order<'a>,
    plans: CombinedPlan,
    snapshot: &Snapshot,
) -> Result<Derived<'a>, Error> {
    let state = snapshot.state.clone();
    let block = Block { number: snapshot.header.number, hash: snapshot.header.hash };
    let (nonce, source) = (state.nonce, BatchSource::Chain(&snapshot.readings));
    let owners = SafeOwners::new((state.id.chain_id, state.id.address), Some(&state.owners), None);
    let owners = owners.ok_or_else(|| Error::new(Exit::Failed, "the account has no owner"))?;
    let Proposed { proposal, plans } = order.build_proposal(plans, state, Some(block), nonce, source)?;
    let kept = StoredApprovals { owners, signatures: Vec::new(), wallets: Vec::new(), keeper: None };
    let place = (order.safe, order.chain);
    Derived::new(
        desk,
        place,
        proposal,
        (Match::Same, Some(OwnDerivation::new(order, plans))),
        kept,
        &Given::default(),
    )
}

/// Runs it as the deputy's own transaction, or as the payer's who gives the deputy's signature to the module.
fn rehearse(
    link: &Chain,
    snapshot: &mut Snapshot,
    (how, deputy): (&How, Address),
    plan: &Plan,
    payer: Address,
) -> RehearsalResult {
    let run = |snapshot: &mut Snapshot| {
        let Some(call) = direct(link, snapshot, (how, deputy), payer)? else { return Ok(None) };
        link.rehearse_direct(snapshot, &call, &after_queries(plan), clock::seconds()).map(Some)
    };
    let rehearsal: Rehearsal = match run(snapshot) {
        Ok(Some(rehearsal)) => rehearsal,
        Ok(None) => {
            let why = "the module does not keep its deputy where it could be looked up";
            return RehearsalResult::Failed(why.into());
        }
        Err(error) => return RehearsalResult::Failed(error.to_string()),
    };
    RehearsalResult::Done(Box::new(CompletedRehearsal {
        after: plan.after.iter().map(|check| check.judge(&rehearsal.answers, &rehearsal.events)).collect(),
        after_now: Vec::new(),
        block: snapshot.header.number,
        differs: Vec::new(),
        code_then: Vec::new(),
        ahead: false,
        once: Vec::new(),
        is_signed: !matches!(how, How::Module(_, None)),
        rehearsal,
    }))
}

/// The call to run. Before the deputy has signed, a key that everybody knows is taken for theirs: in this run alone.
pub(in crate::ceremony) fn direct(
    link: &Chain,
    snapshot: &mut Snapshot,
    (how, deputy): (&How, Address),
    payer: Address,
) -> Result<Option<DirectCall>, ChainError> {
    let from = |from, to, data| DirectCall { from, to, data, gas: None, assumed: [].into() };
    Ok(match how {
        How::Key(call) => Some(from(deputy, call.to, call.data.clone())),
        How::Module(pause, Some(signature)) => Some(from(payer, pause.module, pause.calldata(signature))),
        How::Module(pause, None) => {
            let query = deputy_query(pause.module);
            let Some((slot, word)) = link.slot_of(snapshot, pause.module, &query)? else { return Ok(None) };
            let Some((stand_in, signature)) = PauseSignature::rehearsal_signature(pause) else {
                return Ok(None);
            };
            let mut assumed = word;
            assumed[12..].copy_from_slice(stand_in.as_slice());
            let call = from(payer, pause.module, pause.calldata(&signature));
            Some(DirectCall { assumed: [((pause.module, slot), assumed.into())].into(), ..call })
        }
    })
}

impl Act<'_> {
    /// Returns the call that is sent. Until the deputy has signed, a signature that is good nowhere stands in it: only its
    /// price is of use.
    /// Fails if no call can be sent.
    pub fn outgoing(&self) -> Result<Outgoing, Error> {
        let call = match &self.how {
            How::Key(call) => Outgoing::of_key(self.judged.derived.chain.id, self.deputy.1, call),
            How::Module(pause, Some(signature)) => Some(Outgoing::of_module(pause, signature)),
            How::Module(pause, None) => PauseSignature::rehearsal_signature(pause)
                .map(|(_, signature)| Outgoing::of_module(pause, &signature)),
        };
        call.ok_or_else(|| Error::new(Exit::Failed, "there is nothing to send"))
    }

    /// Checks that it makes the call and changes the places that were shown before; what it writes there may be the time.
    pub fn changes_the_same(&self, shown: &Act) -> Result<(), Error> {
        let hint = "nothing was sent; run the same command again and read the review";
        if !self.how.calls_the_same(&shown.how) {
            let message =
                "its call is not the same now as when you were asked: a value that it is made of has changed";
            return Err(Error::new(Exit::Drift, message).hint(hint));
        }
        let places = |act: &Act| {
            let Rehearsal { outcome, writes, balances, tokens, .. } = &act.judged.rehearsal.done()?.rehearsal;
            let writes = writes.iter().map(|write| (write.address, write.slot));
            let tokens = tokens.iter().map(|change| (change.token, change.holder.into_word()));
            let balances = balances.iter().map(|change| (change.address, B256::ZERO));
            Some((*outcome, writes.chain(tokens).chain(balances).collect::<BTreeSet<_>>()))
        };
        if places(self) == places(shown) {
            return Ok(());
        }
        let message = "its effects are not the same now as when you were asked";
        Err(Error::new(Exit::Drift, message).hint(hint))
    }

    /// Returns the gas to send it with: at which it does what was rehearsed. An RPC's estimate may raise it; that of a module's
    /// message is of its data alone, which counts only where no rehearsal tells what data costs.
    /// Fails if it was not rehearsed, if nobody can tell how much it needs, or if it does something else with the gas
    /// that was named.
    pub fn gas_limit(&self, named: Option<u64>, estimate: Option<u64>) -> Result<u64, Error> {
        let (Some(done), Ok(seen)) = (self.judged.rehearsal.done(), self.judged.seen()) else {
            let message = "it was not rehearsed, so it is not known how much gas it needs";
            return named.ok_or_else(|| Error::new(Exit::Failed, message).hint("give the gas with --gas"));
        };
        let mut snapshot = seen.snapshot.clone();
        let call = direct(&seen.link, &mut snapshot, (&self.how, self.deputy.1), self.payer)?;
        let Some(call) = call else { return Ok(done.rehearsal.gas_limit) };
        let mut alike = |gas: u64| {
            let call = DirectCall { gas: Some(gas), ..call.clone() };
            let again = seen.link.rehearse_direct(&mut snapshot, &call, &[], done.rehearsal.timestamp);
            Ok::<_, Error>(again.is_ok_and(|again| same_effects(&again, &done.rehearsal)))
        };
        let (chain, cap) = (self.judged.derived.chain.id, done.rehearsal.gas_limit);
        match named {
            None if is_estimated(chain) && estimate.is_none() => Err(no_estimate(&self.judged)),
            None => {
                let estimate = |enough: u64| match self.how {
                    How::Key(_) => estimate,
                    How::Module(..) => {
                        estimate.filter(|_| is_estimated(chain)).map(|gas| gas.saturating_add(enough))
                    }
                };
                enough(chain, (done.rehearsal.gas_used, cap), estimate, alike)
            }
            Some(gas) if alike(gas)? => Ok(gas),
            Some(gas) => Err(other_effects(gas, &done.rehearsal)),
        }
    }
}
