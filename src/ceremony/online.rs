//! A proposal with the chain's values as they are now, at one agreed block.

use alloy::primitives::Address;

use crate::ceremony::chain_view::ChainView;
use crate::ceremony::derivation::{First, Proposed};
use crate::ceremony::derived::{Derived, OwnDerivation, StoredApprovals};
use crate::ceremony::desk::Desk;
use crate::ceremony::drills::drill_names::require_drillable;
use crate::ceremony::find::{Existing, Found};
use crate::ceremony::matching::compare;
use crate::ceremony::order::{Given, Order};
use crate::ceremony::{hints, past_block, prefetch};
use crate::chain::{Ask, CallRequest, Chain};
use crate::check::Match;
use crate::council;
use crate::error::Error;
use crate::evm::{BlockTag, Readings};
use crate::proposal::{BatchSource, Proposal};
use crate::safe::{Approval, MOST_OWNERS, Owners, approved_hash_slot, encode_approvals};

/// The most probable owners of a Safe whose approval is asked for in the first round.
const MOST_LIKELY: usize = 100;

/// The chain and the block at which a proposal is read.
pub struct ReadPoint {
    pub link: Chain,
    pub at: BlockTag,
}

/// A derived proposal, and the chain.
#[must_use]
pub struct Online<'a> {
    pub derived: Derived<'a>,
    pub seen: ChainView,
}

impl<'a> Found<'a> {
    /// Derives a lever on the chain, or reads the chain for an existing proposal. If a rehearsal follows, what it reads
    /// is fetched along; with a payer, the cost of sending.
    pub fn online(
        self,
        desk: &'a Desk,
        view: ReadPoint,
        given: &Given,
        rehearse: bool,
        payer: Option<Address>,
    ) -> Result<Online<'a>, Error> {
        match self {
            Found::Lever { order, guess, approvals } => {
                let at = view.at;
                let mut online = propose(desk, *order, view, given, guess.as_deref(), rehearse)?;
                if approvals && payer.is_some() {
                    // The cost of sending depends on the transaction, which is known only now.
                    let view = ReadPoint { link: online.seen.link, at };
                    let existing = desk.find_own_lever(online.derived.proposal, given)?;
                    return existing.online(desk, view, given, rehearse, payer);
                }
                if approvals {
                    online.ask_approvals(desk)?;
                }
                Ok(online)
            }
            Found::Proposal(existing) => existing.online(desk, view, given, rehearse, payer),
        }
    }
}

impl Online<'_> {
    /// Asks the chain which owners have approved it.
    fn ask_approvals(&mut self, desk: &Desk) -> Result<(), Error> {
        let queries = self.derived.owners.approval_queries(&self.derived.proposal, MOST_OWNERS);
        let ChainView { link, snapshot, .. } = &mut self.seen;
        desk.progress.wait("looking who has approved", || link.extend(snapshot, &queries, &[]))?;
        Ok(())
    }
}

/// Derives a lever on the chain as it is now.
pub fn propose<'a>(
    desk: &'a Desk,
    order: Order<'a>,
    ReadPoint { link, at }: ReadPoint,
    given: &Given,
    guess: Option<&Proposal>,
    rehearse: bool,
) -> Result<Online<'a>, Error> {
    let what = format!("reading {} on {}", order.safe.name, order.chain.name);
    // Faults of its arguments are found before the chain is asked.
    order.turn(&Readings::default())?;
    let (safes, accounts) = (desk.likely_safes(order.safe), Desk::likely_accounts(order.safe, None));
    let hints = rehearse.then(|| hints::kept(desk.cache.as_ref(), &order));
    let first = First {
        at,
        nonce: order.nonce(given),
        safes: &safes,
        accounts: &accounts,
        guess,
        hints: hints.as_ref(),
        rehearse,
        ..First::LATEST
    };
    let (snapshot, proposed) = desk.progress.wait(&what, || order.live(&link, first))?;
    let Proposed { proposal, plans } = proposed?;
    require_drillable(&proposal, &snapshot.tree())?;
    let owners = desk.owners(order.safe, Some(&snapshot.tree()));
    let owners = owners.map_or_else(|| desk.pinned_owners(order.safe), Ok)?;
    let (signatures, wallets) = desk.kept_signatures(&proposal, &owners)?;
    let keeper = desk.keeper(&proposal, order.safe, &owners)?;
    let kept = StoredApprovals { owners, signatures, wallets, keeper };
    let (place, own) = ((order.safe, order.chain), OwnDerivation::new(order, plans));
    let derived = Derived::new(desk, place, proposal, (Match::Same, Some(own)), kept, given)?;
    Ok(Online { derived, seen: ChainView::new(link, snapshot) })
}

impl<'a> Existing<'a> {
    /// Compares it with the reader's own files on the chain.
    fn online(
        self,
        desk: &'a Desk,
        view: ReadPoint,
        given: &Given,
        rehearse: bool,
        payer: Option<Address>,
    ) -> Result<Online<'a>, Error> {
        let Existing { proposal, safe, chain, order, foreign, owners: pinned, mut signatures, mut wallets } =
            self;
        let send = payer.map(|from| sending(from, &proposal));
        let lever = order.as_ref().ok();
        let (mut seen, live) = ask(desk, view, safe, &proposal, lever, send.as_ref(), rehearse)?;
        let owners = desk.owners(safe, Some(&seen.snapshot.tree()));
        let owners = owners.map_or_else(|| desk.pinned_owners(safe), Ok)?;
        if pinned.as_ref() != Some(&owners) {
            (signatures, wallets) = desk.kept_signatures(&proposal, &owners)?;
        }
        require_drillable(&proposal, &seen.snapshot.tree())?;
        let batch = BatchSource::Chain(&seen.snapshot.readings);
        let (matching, own) = compare(&proposal, order, live, batch);
        let rests_on = own.as_ref().map(|own| &own.plan.rests_on);
        let (past, truth) = past_block::compare(desk.progress, &seen, &proposal, &matching, rests_on);
        // A false statement about the Safe is replaced by the true one, so that changes are reported against that.
        let lies = past.beside_the_readings().next().is_some();
        let proposal = match truth.filter(|_| lies) {
            Some(truth) => proposal.restated(truth),
            None => proposal,
        };
        seen.past = past;
        let is_open = proposal.nonce() >= seen.now().nonce;
        let keeper = if is_open { desk.keeper(&proposal, safe, &owners)? } else { None };
        let kept = StoredApprovals { owners, signatures, wallets, keeper };
        let derived = Derived::new(desk, (safe, chain), proposal, (matching, own), kept, given)?;
        Ok(Online { derived: derived.with_foreign_arguments(foreign), seen })
    }
}

/// Asks the chain for everything that a proposal is compared with, and derives the reader's own lever there.
fn ask(
    desk: &Desk,
    ReadPoint { link, at }: ReadPoint,
    safe: &council::Safe,
    proposal: &Proposal,
    order: Option<&Order>,
    send: Option<&CallRequest>,
    rehearse: bool,
) -> Result<(ChainView, Option<Result<Proposed, Error>>), Error> {
    // Never the owners that the file names: if the council file does not pin them, the chain is asked first.
    let likely = safe.owners.as_ref().map(Owners::list).unwrap_or_default();
    let extra = desk.owners(safe, None);
    let extra = extra.map(|owners| owners.approval_queries(proposal, MOST_LIKELY)).unwrap_or_default();
    let payer = send.map(|sending| sending.from);
    let (safes, accounts) = (desk.likely_safes(safe), Desk::likely_accounts(safe, payer));
    let what = format!("reading {} on {}", safe.name, desk.chain_of(safe)?.name);
    // A lever of another Safe or chain is not derived on this one.
    let (mut snapshot, live) = if let Some(order) = order.filter(|order| order.safe.name == safe.name) {
        let first = First {
            at,
            nonce: Some(proposal.nonce()),
            extra: &extra,
            safes: &safes,
            accounts: &accounts,
            send,
            hints: None,
            guess: Some(proposal),
            rehearse,
        };
        let (snapshot, derived) = desk.progress.wait(&what, || order.live(&link, first))?;
        (snapshot, Some(derived))
    } else {
        let sender = send.map(|sending| sending.from);
        let draft = rehearse.then(|| prefetch::of_proposal(proposal, likely.to_vec(), None, sender));
        let ask = Ask {
            safe: safe.address,
            safes: &safes,
            accounts: &accounts,
            queries: &extra,
            sending: send,
            drafts: draft.as_slice(),
        };
        (desk.progress.wait(&what, || link.snapshot(&ask, at))?, None)
    };
    let owners = desk.owners(safe, Some(&snapshot.tree()));
    let mut unasked = owners.map(|owners| owners.approval_queries(proposal, MOST_OWNERS)).unwrap_or_default();
    unasked.retain(|query| snapshot.readings.get(query).is_none());
    desk.progress.wait(&what, || link.extend(&mut snapshot, &unasked, &[]))?;
    Ok((ChainView::new(link, snapshot), live))
}

/// Returns the call for an estimate, with approved hashes instead of signatures: no RPC sees an owner's signature
/// before the transaction itself is sent.
fn sending(from: Address, proposal: &Proposal) -> CallRequest {
    let (safe, owners) = (proposal.safe(), &proposal.snapshot().owners);
    let approving = owners.list().iter().take(owners.threshold().get());
    let approvals: Vec<Approval> = approving.clone().map(|owner| Approval::OnChain(*owner)).collect();
    CallRequest {
        from,
        to: safe.address,
        data: proposal.tx().exec_calldata(encode_approvals(&approvals)),
        approved: approving.map(|owner| approved_hash_slot(*owner, &proposal.hash())).collect(),
    }
}
