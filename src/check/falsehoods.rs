//! Checks of a file's statements about a past block: one that never was true is a lie of whoever wrote the file.

use std::fmt::Display;

use super::description::{Description, Id};
use super::{Facts, Match, Past, PastSubject, Untrue};
use crate::evm::cut_for_display;

/// A statement of a file that never was true. `digest` is that of its statements about values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FalsehoodProblem {
    ValuesNotProvable { digest: String, block: u64, why: String },
    ValuesNeverTrue { digest: String, untrue: Vec<Untrue> },
    SafeNeverSo { untrue: Vec<Untrue>, signing: bool },
}

impl FalsehoodProblem {
    pub(super) fn describe(&self) -> Description {
        match self {
            Self::ValuesNotProvable { digest, block, why } => Description::refuse(
                Id::from("values-not-provable").digested(digest),
                format!(
                    "it uses values that the chain does not have now, and no RPC knows those of block {block}: {why}"
                ),
                "propose it again: it then uses the values of now",
            ),
            Self::ValuesNeverTrue { digest, untrue } => Description::refuse(
                Id::from("values-never-true").digested(digest),
                format!("it uses values that the chain never had: {}", listed(untrue)),
                "do not sign: somebody wrote these values into the file; derive the lever yourself",
            ),
            Self::SafeNeverSo { untrue, signing } => {
                let what: Vec<String> = untrue.iter().map(|u| u.what.replace(' ', "-")).collect();
                let sentence = format!("the file states values that the Safe never had: {}", listed(untrue));
                let id = Id::of("safe-never-so", what.join("+")).digest([&sentence as &dyn Display]);
                let fix = if *signing {
                    "ask its proposer about it; the lever itself can be signed without the file"
                } else {
                    "the values of the file are not used: all were read from the chain"
                };
                Description::refuse_if(*signing, id, sentence, fix)
            }
        }
    }
}

fn listed(all: &[Untrue]) -> String {
    let one = |u: &Untrue| {
        cut_for_display(&format!("{} is {} in the file, and was {} on the chain", u.what, u.file, u.chain))
    };
    all.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Refuses a transaction that rests on values which the chain never had. `None` if it rests on those of now.
pub(super) fn values_were_true(facts: &Facts) -> Option<FalsehoodProblem> {
    if !matches!(facts.matching, Match::Moved(_)) {
        return None;
    }
    let digest = facts.plan.map(|plan| plan.rests_on.short_digest()).unwrap_or_default();
    match facts.past {
        Past::NotAsked | Past::True => None,
        Past::Unknown(why) => {
            let block = facts.proposal.block()?.number;
            Some(FalsehoodProblem::ValuesNotProvable { digest, block, why: why.clone() })
        }
        Past::False(all)
            if all.iter().all(|u| !matches!(u.about, PastSubject::Reading | PastSubject::Block)) =>
        {
            None
        }
        Past::False(all) => Some(FalsehoodProblem::ValuesNeverTrue { digest, untrue: all.clone() }),
    }
}

/// Refuses a file whose statements about the Safe or code never were true: the transaction does not rest on them, but
/// whoever wrote the file lies.
pub(super) fn false_safe_statement(facts: &Facts) -> Option<FalsehoodProblem> {
    let untrue: Vec<Untrue> = facts.past.beside_the_readings().cloned().collect();
    (!untrue.is_empty()).then_some(FalsehoodProblem::SafeNeverSo { untrue, signing: facts.signing })
}
