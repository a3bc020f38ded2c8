//! The people to wake for a proposal that lacks signatures.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::ceremony::aftermath::entering::now;
use crate::ceremony::desk::Desk;
use crate::council::PersonToCall;
use crate::error::Error;
use crate::incident::{Journal, Utc, awake, first_seen};
use crate::proposal::{Proposal, Shortfall};

/// The people who are awake and those to call, while signatures are missing.
#[derive(Debug)]
pub struct Waking<'c> {
    /// The names of those who said that they are awake.
    pub awake: BTreeSet<String>,
    /// The time since the first signature was due; `None` if it is made or not due yet.
    pub late: Option<Duration>,
    /// Those whose signature is missing and who are not awake.
    pub calls: Vec<PersonToCall<'c>>,
}

impl Desk<'_> {
    /// Returns the people to wake, by this machine's journal and the council file.
    pub fn waking(&self, proposal: &Proposal, tally: &Shortfall) -> Result<Waking<'_>, Error> {
        let journal = Journal::read(&self.incidents.journal().read()?);
        let now = now();
        let began = first_seen(journal.iter(), proposal.hash()).filter(|_| tally.approved.is_empty());
        let late = late(began, self.council.response.first_signature, now);
        let awake = awake(&journal, now);
        let mut calls = self.council.calls_for(&tally.missing, now.as_seconds());
        calls.retain(|call| !awake.contains(&call.person.name));
        Ok(Waking { awake, late, calls })
    }
}

/// Returns the time since `due` has passed after the beginning.
fn late(began: Option<Utc>, due: Option<Duration>, now: Utc) -> Option<Duration> {
    let (began, due) = began.zip(due)?;
    now.since(began).checked_sub(due)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_signature_is_late_only_after_it_was_due() {
        let at = |minutes: u64| Utc::from_millis(minutes * 60_000);
        let minutes = Duration::from_mins;
        let due = Some(minutes(10));
        assert_eq!(late(Some(at(0)), due, at(9)), None);
        assert_eq!(late(Some(at(0)), due, at(13)), Some(minutes(3)));
        assert_eq!(late(Some(at(0)), None, at(99)), None, "the council sets no time");
        assert_eq!(late(None, due, at(99)), None, "it did not begin, or somebody signed");
    }
}
