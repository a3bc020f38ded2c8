//! What a file says of the chain at the block that it names, held against that block: what was never so is a lie, and
//! not something that has changed since.

use std::fmt::Display;

use super::{Facts, Finding, Match, named};
use crate::evm::{Readings, cut_for_display};
use crate::safe::SafeState;

/// What the chain says of a file's block. It is asked only if the file differs from the chain now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Past {
    #[default]
    NotAsked,
    /// It was as the file says.
    True,
    /// It never was.
    False(Vec<Untrue>),
    /// Nobody can tell any more, and why.
    Unknown(String),
}

/// One thing that a file says and the chain did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untrue {
    pub about: About,
    /// `owners`, or the question of a reading.
    pub what: String,
    pub file: String,
    pub chain: String,
}

/// What a statement of a file is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    Block,
    Code,
    Reading,
    Safe,
}

impl Past {
    /// Of a file's readings and its state of the Safe, against those of the chain at the same block.
    #[must_use]
    pub fn compare(file: (&SafeState, Option<&Readings>), chain: (&SafeState, &Readings)) -> Self {
        let safe = file.0.drift(chain.0).into_iter().map(|d| Untrue {
            about: About::Safe,
            what: d.what.into(),
            file: d.was,
            chain: d.now,
        });
        let readings = file.1.into_iter().flat_map(Readings::iter);
        let readings = readings.filter(|(query, answer)| chain.1.get(query) != Some(*answer));
        let readings = readings.map(|(query, answer)| Untrue {
            about: About::Reading,
            what: query.to_string(),
            file: answer.to_string(),
            chain: chain.1.get(query).map_or("nothing".into(), ToString::to_string),
        });
        let all: Vec<Untrue> = safe.chain(readings).collect();
        if all.is_empty() { Self::True } else { Self::False(all) }
    }

    /// Of a block that the chain does not have.
    #[must_use]
    pub fn no_such_block(number: u64, file: String, chain: String) -> Self {
        Self::False(vec![Untrue { about: About::Block, what: format!("block {number}"), file, chain }])
    }

    /// The same, with what else is untrue.
    #[must_use]
    pub fn and(self, more: Vec<Untrue>) -> Self {
        match self {
            same if more.is_empty() => same,
            Self::False(all) => Self::False([all, more].concat()),
            _ => Self::False(more),
        }
    }

    /// What the file says falsely about anything but the values that the transaction rests on.
    pub fn beside_the_readings(&self) -> impl Iterator<Item = &Untrue> {
        self.falsehoods().filter(|untrue| untrue.about != About::Reading)
    }

    fn falsehoods(&self) -> impl Iterator<Item = &Untrue> {
        let all = if let Self::False(all) = self { &all[..] } else { &[] };
        all.iter()
    }
}

fn listed<'u>(all: impl Iterator<Item = &'u Untrue>) -> String {
    let one = |u: &Untrue| {
        cut_for_display(&format!("{} is {} in the file, and was {} on the chain", u.what, u.file, u.chain))
    };
    all.map(one).collect::<Vec<_>>().join("; ")
}

/// A transaction that rests on other values than the chain's now: were they ever the chain's?
pub(super) fn values_were_true(facts: &Facts) -> Option<Finding> {
    if !matches!(facts.matching, Match::Moved(_)) {
        return None;
    }
    let digest = facts.plan.map(|plan| plan.rests_on.short_digest()).unwrap_or_default();
    match facts.past {
        Past::NotAsked | Past::True => None,
        Past::Unknown(why) => Some(Finding::refuse(
            format!("values-not-provable:{digest}"),
            format!(
                "it rests on values that the chain does not have now, and nobody can tell whether it had them at block \
                 {}: {why}",
                facts.proposal.block().number
            ),
            "propose it again, so that it rests on the chain as it is",
        )),
        Past::False(all) if all.iter().all(|u| !matches!(u.about, About::Reading | About::Block)) => None,
        Past::False(_) => Some(Finding::refuse(
            format!("values-never-true:{digest}"),
            format!("it rests on what was never on the chain: {}", listed(facts.past.falsehoods())),
            "do not sign: somebody wrote these values into the file; derive the lever yourself",
        )),
    }
}

/// What a file says of the Safe or of code, and never was. Nothing rests on it, but whoever wrote it lies.
pub(super) fn safe_was_as_told(facts: &Facts) -> Option<Finding> {
    let untrue: Vec<_> = facts.past.beside_the_readings().collect();
    if untrue.is_empty() {
        return None;
    }
    let what: Vec<String> = untrue.iter().map(|u| u.what.replace(' ', "-")).collect();
    let sentence = format!("the file says what never was: {}", listed(untrue.into_iter()));
    let id = named(&format!("safe-never-so:{}", what.join("+")), [&sentence as &dyn Display]);
    Some(if facts.signing {
        let fix = "ask its proposer about it; the lever itself can be signed without the file";
        Finding::refuse(id, sentence, fix)
    } else {
        Finding::warn(id, sentence, "it is left aside: everything was read from the chain")
    })
}

#[cfg(test)]
mod tests {
    use alloy::primitives::Address;

    use super::*;
    use crate::check::tests::proposal;
    use crate::evm::{Answer, Query};

    #[test]
    fn only_what_the_chain_said_at_that_block_is_true() {
        let honest = proposal().snapshot().clone();
        let reading = |n: u8| -> Readings {
            let query = Query::Balance { address: Address::repeat_byte(1) };
            [(query, Answer::Value(vec![n; 32].into()))].into_iter().collect()
        };
        let past = |state: &SafeState, readings: Option<&Readings>| {
            Past::compare((state, readings), (&honest, &reading(1)))
        };
        assert_eq!(past(&honest, Some(&reading(1))), Past::True);
        assert_eq!(past(&honest, None), Past::True);
        let about = |past: Past| match past {
            Past::False(all) => all.into_iter().map(|u| u.about).collect(),
            _ => Vec::new(),
        };
        assert_eq!(about(past(&honest, Some(&reading(2)))), [About::Reading]);
        let poisoned = SafeState { guard: Address::repeat_byte(9), ..honest.clone() };
        assert_eq!(about(past(&poisoned, Some(&reading(2)))), [About::Safe, About::Reading]);
    }
}
