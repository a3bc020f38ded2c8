//! Several proposals of one lever for one nonce: one that others have signed is preferred as long as it works, because
//! a new one splits the signatures; of several signed ones, a person must choose.

use crate::ceremony::derived::Derived;
use crate::ceremony::desk::Desk;
use crate::ceremony::find::Found;
use crate::ceremony::judged::Judged;
use crate::ceremony::online::Online;
use crate::ceremony::order::{Given, Order};
use crate::ceremony::rehearsal_result::CompletedRehearsal;
use crate::ceremony::rehearse::Rehearsed;
use crate::check::Level;
use crate::error::{Error, Exit};
use crate::progress::Tone;
use crate::proposal::{Proposal, differences};

/// The most differences that are listed.
const MOST_DIFFERENCES: usize = 4;

impl<'a> Desk<'a> {
    /// Returns the other signed proposals for the same nonce that an order may mean.
    pub fn siblings(&self, found: &Derived, order: &Order, given: &Given) -> Result<Vec<Proposal>, Error> {
        let (nonce, hash) = (found.proposal.nonce(), found.proposal.hash());
        let is_wanted = self.filter_for(order, given)?;
        let mut siblings = self.kept(|p| p.nonce() == nonce && p.hash() != hash && is_wanted(p))?;
        let mut unsigned = Vec::new();
        for sibling in &siblings {
            if self.signers(sibling, &found.owners)? == 0 {
                unsigned.push(sibling.hash());
            }
        }
        siblings.retain(|sibling| !unsigned.contains(&sibling.hash()));
        Ok(siblings)
    }

    /// Checks that no other signed proposal may be meant, or that this one is named by its hash. The error lists the
    /// hashes and the differences.
    pub fn require_no_rival(&self, found: &Derived, order: &Order, given: &Given) -> Result<(), Error> {
        let proposal = &found.proposal;
        if given.names(proposal.hash()) {
            return Ok(());
        }
        let siblings = if proposal.is_drill() { Vec::new() } else { self.siblings(found, order, given)? };
        if siblings.is_empty() {
            return Ok(());
        }
        let message = format!(
            "{} signed proposals of {} are kept for nonce {}: say which is meant",
            siblings.len() + 1,
            proposal.binding().title(),
            proposal.nonce()
        );
        let mut error = Error::new(Exit::Usage, message);
        for one in std::iter::once(proposal).chain(&siblings) {
            let signers = self.signers(one, &found.owners)?;
            let arguments: Vec<String> = one
                .binding()
                .open(&self.council)
                .into_iter()
                .map(|open| format!("{}={}", open.key, open.value))
                .collect();
            let arguments =
                if arguments.is_empty() { String::new() } else { format!(", {}", arguments.join(", ")) };
            error = error.hint(format!("--hash {}: {signers} signed it{arguments}", digits(one)));
        }
        for difference in siblings.iter().flat_map(|sibling| differing(proposal, sibling, order)) {
            error = error.hint(difference);
        }
        Err(error)
    }

    /// Returns the proposal of the same levers and arguments that others have signed at this nonce, if it still works
    /// and has no refusal that the new one has not; else the new one.
    pub fn prefer_signed(&'a self, new: Rehearsed<'a>, given: &Given) -> Result<Rehearsed<'a>, Error> {
        // An approval follows from the transaction that it approves, for which this was done already.
        if new.approved.is_some() {
            return Ok(new);
        }
        let Some(rival) = self.rival(&new.online)? else { return Ok(new) };
        let derived = &new.online.derived;
        let nonce = derived.nonce_named.then_some(derived.proposal.nonce());
        let given = &Given { nonce, ..given.clone() };
        let hash = rival.hash();
        let tried = self.find_own_lever(rival, given).and_then(|existing| {
            let view = self.read_point(existing.safe)?;
            let found = Found::Proposal(Box::new(existing));
            let online = found.online(self, view, given, true, None)?;
            Ok(online.rehearse(self.progress, None, None).judge(true))
        });
        let new = new.judge(true);
        let why = match tried {
            Ok(tried) if still_works(&tried, &new) => return tried.rehearsed(),
            Ok(_) => "it no longer works as it was signed".to_string(),
            Err(error) => error.message,
        };
        let text = format!("others have signed {hash} for this nonce, and a new one takes its place: {why}");
        self.progress.tell(Tone::Warn, "note: ", &text);
        new.rehearsed()
    }

    /// Returns the kept proposal of the same levers and arguments for the same nonce that most owners have signed.
    fn rival(&self, new: &Online) -> Result<Option<Proposal>, Error> {
        let derived = &new.derived;
        let (own, Some(order)) = (&derived.proposal, derived.own.as_ref().map(|own| &own.order)) else {
            return Ok(None);
        };
        let is_rival = |p: &Proposal| {
            let is_same = |bound: &_, param: &str, texts: (&str, &str)| order.is_same(bound, param, texts);
            (p.nonce(), p.safe()) == (own.nonce(), own.safe())
                && p.hash() != own.hash()
                && p.binding().differences(own.binding(), is_same).is_empty()
        };
        // The signatures of the new one count for it.
        let mut best = (derived.signatures.len(), None);
        for rival in self.kept(is_rival)? {
            let signers = self.signers(&rival, &derived.owners)?;
            if signers > best.0 {
                best = (signers, Some(rival));
            }
        }
        Ok(best.1)
    }
}

/// Returns `true` if it keeps the playbook's promise, and has no refusal that the new one has not.
fn still_works(tried: &Judged, new: &Judged) -> bool {
    let refusals = |judged: &Judged| -> Vec<String> {
        judged.findings.iter().filter(|f| f.level == Level::Refuse).map(|f| f.id.clone()).collect()
    };
    let known = refusals(new);
    tried.rehearsal.done().is_some_and(CompletedRehearsal::holds)
        && refusals(tried).iter().all(|refusal| known.contains(refusal))
}

/// Returns the first 16 digits of a proposal's hash.
pub fn digits(proposal: &Proposal) -> String {
    proposal.hash().to_string().chars().skip(2).take(16).collect()
}

/// Returns the differences of two proposals of one order.
fn differing(one: &Proposal, other: &Proposal, order: &Order) -> Vec<String> {
    let is_same = |bound: &_, param: &str, texts: (&str, &str)| order.is_same(bound, param, texts);
    let mut found = one.binding().differences(other.binding(), is_same);
    found.extend(differences((one.safe(), one.tx()), (other.safe(), other.tx())));
    let line = |d: &crate::proposal::FieldDifference| {
        format!("{}: {} in {}, {} in {}", d.field, d.file, digits(one), d.own, digits(other))
    };
    found.iter().take(MOST_DIFFERENCES).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::rehearsal_result::tests::performed;
    use crate::ceremony::tests::on_chain::{judged, rehearsed};
    use crate::ceremony::tests::{Home, at, proposed};
    use crate::evm::Readings;
    use crate::fork::RunResult;

    /// A signed proposal is preferred only if it works, and has no refusal that the new one has not.
    #[test]
    fn a_signed_proposal_is_preferred_as_long_as_it_works() {
        let home = Home::new();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        let of = |result, holds: &[bool]| rehearsed(&desk, &vault, performed(result, holds));
        let new = of(RunResult::Succeeded, &[true]);
        assert!(still_works(&of(RunResult::Succeeded, &[true]), &new));
        assert!(!still_works(&of(RunResult::Succeeded, &[false]), &new), "it breaks its promise");
        assert!(!still_works(&of(RunResult::Reverted, &[true]), &new));
        assert!(!still_works(&judged(&desk, &vault, 4, Readings::default()), &new), "it was not rehearsed");
        let used = judged(&desk, &vault, 9, Readings::default()).rehearsed().unwrap();
        let done = Box::new(performed(RunResult::Succeeded, &[true]));
        let used =
            Rehearsed { rehearsal: crate::ceremony::rehearsal_result::RehearsalResult::Done(done), ..used }
                .judge(true);
        assert!(
            !still_works(&used, &new) && still_works(&used, &used),
            "it is refused, and so is the new one"
        );
    }
}
