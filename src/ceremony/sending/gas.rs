//! The gas that a transaction is sent with: enough for the effects that were reviewed.

use alloy::primitives::Address;

use crate::ceremony::chain_view::ChainView;
use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::error::{Error, Exit};
use crate::fork::{ExecTransaction, Rehearsal, is_estimated, raise_to_estimate, same_effects, smallest};
use crate::progress::Tone;
use crate::proposal::Ready;
use crate::safe::Domain;

/// Returns the gas limit, found by rehearsing the signed transaction with it.
///
/// An RPC's estimate is the smallest gas at which the outer call succeeds: it may raise the limit, and never lowers it.
/// Fails if the effects are not those that were reviewed, or if the gas it needs is not known.
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
        enough(chain, (used, cap), |_| estimate, alike)
    })?;
    if let Some(estimate) = estimate.filter(|gas| *gas < used || *gas > enough) {
        let text = format!("the RPC estimates {estimate} gas, the rehearsal uses {used}: sent with {enough}");
        desk.progress.tell_once(Tone::Warn, "gas: ", &text);
    }
    Ok(enough)
}

/// Returns the smallest gas with which it does what was shown; as much as the RPC's estimate, if it does the same with that.
/// `estimate` is given the smallest.
pub(in crate::ceremony) fn enough(
    chain: u64,
    (used, cap): (u64, u64),
    estimate: impl FnOnce(u64) -> Option<u64>,
    mut alike: impl FnMut(u64) -> Result<bool, Error>,
) -> Result<u64, Error> {
    let enough = smallest(used, cap, &mut alike)?;
    let more = raise_to_estimate(chain, enough, estimate(enough), cap);
    Ok(if more > enough && alike(more)? { more } else { enough })
}

/// The signed transaction at the time of the rehearsal.
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

    /// Rehearses it as it is sent, with the most gas. Fails if its effects are not those of the review, which may have
    /// assumed another sender.
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

    /// Rehearses it with this gas; `None` if that is too little to run at all.
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
        Err(other_effects(gas, reviewed))
    }
}

/// Returns the gas limit of a transaction whose missing rehearsal was accepted.
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

pub(in crate::ceremony) fn other_effects(gas: u64, reviewed: &Rehearsal) -> Error {
    let message = format!("with --gas {gas} its effects are not those that were shown");
    Error::new(Exit::Refused, message).hint(format!(
        "nothing was sent; the rehearsal uses {}: give more, or leave out --gas",
        reviewed.gas_used
    ))
}

pub(in crate::ceremony) fn no_estimate(judged: &Judged) -> Error {
    Error::new(Exit::Network, format!("no RPC of {} could estimate the gas", judged.derived.chain.name))
        .hint("nothing was sent; try again, or say with --gas how much to send it with")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::find::CommandPurpose;
    use crate::ceremony::order::Given;
    use crate::ceremony::rehearsal_result::RehearsalResult;
    use crate::ceremony::rehearse::Rehearsed;
    use crate::ceremony::tests::executed::{PAYER, ready, signed};
    use crate::ceremony::tests::live::{chain, evaluated, home};
    use crate::ceremony::tests::memory::Memory;

    fn of(desk: &Desk, judged: &Judged, estimate: Option<u64>, named: Option<u64>) -> Result<u64, Error> {
        limit(desk, judged, &ready(judged), PAYER, estimate, named)
    }

    #[test]
    fn the_gas_limit_is_the_least_with_the_reviewed_effects() {
        let node = chain();
        let home = home(&node);
        let desk = home.desk();
        let vault = signed(&desk, "vault", &Given::default());
        home.heard();
        let enough = of(&desk, &vault, None, None).unwrap();
        let reviewed = &vault.rehearsal.done().unwrap().rehearsal;
        let (used, cap) = (reviewed.gas_used, reviewed.gas_limit);
        assert_eq!(enough, used * 5 / 4);
        assert_eq!(of(&desk, &vault, Some(used), None).unwrap(), enough);
        assert_eq!(of(&desk, &vault, Some(enough), None).unwrap(), enough * 6 / 5);
        assert_eq!(
            of(&desk, &vault, Some(enough * 3), None).unwrap(),
            enough * 3,
            "the most that it is raised to"
        );
        assert!(home.heard().is_empty(), "an estimate between the two is as it should be");
        let told = |estimate: u64, sent: u64| {
            assert_eq!(of(&desk, &vault, Some(estimate), None).unwrap(), sent);
            let text =
                format!("gas: the RPC estimates {estimate} gas, the rehearsal uses {used}: sent with {sent}");
            assert_eq!(home.heard(), [text]);
        };
        told(used - 1, enough);
        told(enough * 4, enough * 3);
        // A named limit is used if the effects are the same.
        assert_eq!(of(&desk, &vault, None, Some(cap)).unwrap(), cap);
        assert_eq!(of(&desk, &vault, None, Some(enough)).unwrap(), enough);
        let error = of(&desk, &vault, None, Some(cap + 1)).unwrap_err();
        let text =
            format!("--gas {} is more than the {cap} that one transaction may have on mainnet", cap + 1);
        assert_eq!((error.exit, error.message), (Exit::Usage, text));
        for little in [used / 2, 1_000] {
            let error = of(&desk, &vault, None, Some(little)).unwrap_err();
            let text = format!("with --gas {little} its effects are not those that were shown");
            assert_eq!((error.exit, error.message), (Exit::Refused, text));
        }
    }

    #[test]
    fn a_transaction_with_other_effects_once_signed_is_refused() {
        let node = chain();
        let home = home(&node);
        let desk = home.desk();
        let vault = signed(&desk, "vault", &Given::default()).rehearsed().unwrap();
        let RehearsalResult::Done(mut done) = vault.rehearsal.clone() else { panic!() };
        done.rehearsal.writes.clear();
        let shown = Rehearsed { rehearsal: RehearsalResult::Done(done), ..vault }.judge(true);
        for named in [None, Some(1_000_000)] {
            let error = of(&desk, &shown, None, named).unwrap_err();
            assert_eq!(error.exit, Exit::Refused);
            assert!(
                error.message.ends_with("it does something else than what was shown"),
                "{}",
                error.message
            );
        }
    }

    /// On such a chain gas pays for data on another one, whose price only its RPCs know.
    #[test]
    fn an_estimate_is_required_if_only_the_rpcs_know_the_gas() {
        let node = Memory::new(42_161);
        crate::ceremony::tests::live::furnish(&node);
        let home = home(&node).with("id = 1\n", "id = 42161\n");
        let desk = home.desk();
        let vault = signed(&desk, "vault", &Given::default());
        let error = of(&desk, &vault, None, None).unwrap_err();
        assert_eq!(
            (error.exit, error.message.as_str()),
            (Exit::Network, "no RPC of mainnet could estimate the gas")
        );
        assert_eq!(of(&desk, &vault, Some(1_000_000), None).unwrap(), 1_200_000);
        assert_eq!(of(&desk, &vault, None, Some(900_000)).unwrap(), 900_000);
    }

    #[test]
    fn without_a_rehearsal_the_estimate_decides() {
        let node = chain();
        let home = home(&node);
        let desk = home.desk();
        drop(signed(&desk, "vault", &Given::default()));
        let seen = evaluated(&desk, &["vault"], &Given::default(), CommandPurpose::Show).remove(0);
        let cap = seen.seen().unwrap().link.gas_cap(&seen.seen().unwrap().snapshot);
        assert_eq!(of(&desk, &seen, Some(100), None).unwrap(), 120);
        assert_eq!(of(&desk, &seen, Some(cap), None).unwrap(), cap);
        assert!(of(&desk, &seen, None, None).unwrap_err().message.ends_with("could estimate the gas"));
        assert_eq!(of(&desk, &seen, Some(100), Some(cap)).unwrap(), cap);
        assert_eq!(of(&desk, &seen, None, Some(cap + 1)).unwrap_err().exit, Exit::Usage);
    }
}
