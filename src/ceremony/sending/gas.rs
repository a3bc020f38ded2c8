//! The gas that a transaction is sent with: at which it does what was reviewed.

use alloy::primitives::Address;

use crate::ceremony::chain_view::ChainView;
use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::error::{Error, Exit};
use crate::fork::{ExecTransaction, Rehearsal, is_estimated, raise_to_estimate, same_effects, smallest};
use crate::progress::Tone;
use crate::proposal::Ready;
use crate::safe::Domain;

/// Rehearses the signed transaction with the gas that it will be sent with.
///
/// An RPC's estimate is the smallest gas at which the outer call succeeds: it may raise the limit, and never lowers it.
/// Fails if it does something else than what was reviewed, or when nobody can tell how much gas it needs.
pub fn limit(
    desk: &Desk,
    judged: &Judged,
    ready: &Ready,
    from: Address,
    estimate: Option<u64>,
    named: Option<u64>,
) -> Result<u64, Error> {
    let (Some(done), Some(online)) = (judged.rehearsal.done(), judged.seen.as_ref()) else {
        return unrehearsed(judged, estimate, named);
    };
    let run = Run { judged, ready, from, online, timestamp: done.rehearsal.timestamp };
    let reviewed = run.reviewed(&done.rehearsal)?;
    let (chain, cap, used) = (judged.derived.chain.id, reviewed.gas_limit, reviewed.gas_used);
    if let Some(named) = named {
        return run.named(&reviewed, named);
    }
    if is_estimated(chain) && estimate.is_none() {
        return Err(no_estimate(judged));
    }
    let alike =
        |gas: u64| run.with(gas).map(|again| again.is_some_and(|again| same_effects(&again, &reviewed)));
    let enough = desk.progress.wait("rehearsing with the gas that it is sent with", || {
        let enough = smallest(used, cap, alike)?;
        let more = raise_to_estimate(chain, enough, estimate, cap);
        Ok::<_, Error>(if more > enough && alike(more)? { more } else { enough })
    })?;
    if let Some(estimate) = estimate.filter(|gas| *gas < used || *gas > enough) {
        let text = format!("the RPC estimates {estimate} gas, the rehearsal uses {used}: sent with {enough}");
        desk.progress.tell_once(Tone::Warn, "gas: ", &text);
    }
    Ok(enough)
}

/// The signed transaction at the moment that was rehearsed.
struct Run<'s> {
    judged: &'s Judged<'s>,
    ready: &'s Ready,
    from: Address,
    online: &'s ChainView,
    timestamp: u64,
}

impl Run<'_> {
    fn rehearse(&self, gas: Option<u64>) -> Result<Rehearsal, Error> {
        let (proposal, seen) = (self.judged.proposal(), &self.online.snapshot);
        let exec = ExecTransaction {
            domain: Domain::real(*proposal.safe()),
            owners: &seen.state.owners,
            tx: proposal.tx(),
            signatures: Some(self.ready.signatures()),
            sender: self.from,
            gas,
        };
        Ok(self.online.link.rehearse_again(seen, &exec, self.timestamp)?)
    }

    /// As it is sent, with all the gas that it may have; it must do what was reviewed, whoever was taken to send it.
    fn reviewed(&self, shown: &Rehearsal) -> Result<Rehearsal, Error> {
        let signed = self.rehearse(None)?;
        if same_effects(&signed, shown) {
            return Ok(signed);
        }
        let message =
            format!("signed, and sent by {}, it does something else than what was shown", self.from);
        Err(Error::new(Exit::Refused, message).hint(
            "nothing was sent; ask why the contract treats this sender differently, or send from another account",
        ))
    }

    /// With this gas; `None` if it is too little to run at all.
    fn with(&self, gas: u64) -> Result<Option<Rehearsal>, Error> {
        match self.rehearse(Some(gas)) {
            Err(error) if error.exit == Exit::Network => Ok(None),
            other => other.map(Some),
        }
    }

    fn named(&self, reviewed: &Rehearsal, gas: u64) -> Result<u64, Error> {
        let cap = reviewed.gas_limit;
        if gas > cap {
            return Err(above_cap(self.judged, gas, cap));
        }
        if self.with(gas)?.is_some_and(|again| same_effects(&again, reviewed)) {
            return Ok(gas);
        }
        let message = format!("with --gas {gas} its effects are not those that were shown");
        Err(Error::new(Exit::Refused, message).hint(format!(
            "nothing was sent; the rehearsal uses {}: give more, or leave out --gas",
            reviewed.gas_used
        )))
    }
}

/// Somebody accepted that it could not be rehearsed.
fn unrehearsed(judged: &Judged, estimate: Option<u64>, named: Option<u64>) -> Result<u64, Error> {
    let cap = judged.seen.as_ref().map_or(0, |online| online.link.gas_cap(&online.snapshot));
    match named {
        Some(named) if named > cap => Err(above_cap(judged, named, cap)),
        Some(named) => Ok(named),
        None => {
            let gas = estimate.ok_or_else(|| no_estimate(judged))?;
            Ok(gas.saturating_add(gas / 5).min(cap))
        }
    }
}

fn above_cap(judged: &Judged, gas: u64, cap: u64) -> Error {
    let message = format!(
        "--gas {gas} is more than the {cap} that one transaction may have on {}",
        judged.derived.chain.name
    );
    Error::new(Exit::Usage, message).hint("nothing was sent; name less, or leave out --gas")
}

pub(in crate::ceremony) fn no_estimate(judged: &Judged) -> Error {
    Error::new(Exit::Network, format!("no RPC of {} could estimate the gas", judged.derived.chain.name))
        .hint("nothing was sent; try again, or say with --gas how much to send it with")
}
