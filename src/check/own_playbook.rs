//! Checks of a proposal against the reader's own lever, playbook and arguments.

use std::fmt::Display;

use alloy::primitives::{Address, hex};

use super::description::{Description, Id, listed};
use super::{Check, Facts, Match, all, falsehoods};
use crate::evm::{Readings, cut_for_display};
use crate::playbook::{LibraryEntry, Origin, PlaybookDigest, PlaybookId, Verdict};
use crate::proposal::FieldDifference;
use crate::safe::SafeTxHash;
use crate::shell::quoted;

const UNBOUND_FIX: &str = "do not sign; ask its proposer, in person, which lever it is, and update your council file \
                           and playbooks from your protocol's repository";
/// The most arguments of a file that are listed.
const MOST_ARGUMENTS: usize = 8;

pub(super) const CHECKS: [Check; 5] = [
    ("matches the playbook", |facts| match falsehoods::values_were_true(facts) {
        Some(never) => all([never]),
        None => all([matches_the_playbook(facts)]),
    }),
    ("the reader's arguments", |facts| all([arguments_are_the_readers(facts)])),
    ("in place of a built-in one", |facts| all(replaces_a_built_in_one(facts))),
    ("values from the chain", |facts| all(values_are_from_the_chain(facts))),
    ("before", |facts| all(before_holds(facts))),
];

/// The proposal against the reader's own lever, playbook and arguments. `Matches`: `online` by the chain's values, and not only by
/// those that the file brings. `MovedAndWorks`: owners have signed it, and it works all the same. `ReadByFile` has the steps that
/// are left out because of the values. `Before`: the check's number, from 1, and the promise if it holds already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaybookProblem {
    Matches { online: bool },
    Moved { hash: SafeTxHash, differences: Vec<FieldDifference> },
    MovedAndWorks { hash: SafeTxHash, owners: usize, differences: Vec<FieldDifference> },
    Differs { hash: SafeTxHash, differences: Vec<FieldDifference> },
    Unbound { hash: SafeTxHash, why: String },
    OwnArguments,
    ForeignArguments(ForeignProposal),
    ReplacesBuiltIn(Replacement),
    NothingRead,
    ReadByFile { values: Readings, left_out: Vec<String> },
    Before { number: usize, verdict: Verdict, already_done: Option<String> },
}

/// A playbook of the council's that takes the place of a built-in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    own: PlaybookDigest,
    origin: Origin,
    id: PlaybookId,
    built_in: PlaybookDigest,
    differences: Vec<String>,
}

/// Arguments that come from the proposal's file alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignProposal {
    chain_id: u64,
    safe: Address,
    /// If not, the title is the playbook's id.
    is_of_levers: bool,
    title: String,
    digests: Vec<PlaybookDigest>,
    arguments: Vec<(String, String)>,
    signing: bool,
}

impl PlaybookProblem {
    pub(super) fn describe(&self) -> Description {
        match self {
            Self::Matches { online } => {
                let now = if *online { ", from the chain's values now" } else { "" };
                Description::pass("not-your-playbook", format!("it is what your own playbook gives{now}"))
            }
            Self::Moved { hash, differences } => Description::drift(
                differing("values-moved", hash, &listed_differences(differences)),
                format!(
                    "values read from the chain have changed since it was proposed: {}",
                    listed_differences(differences)
                ),
                "propose it again: it then rests on the values of now",
            ),
            Self::MovedAndWorks { hash, owners, differences } => Description::warn(
                differing("values-moved", hash, &listed_differences(differences)),
                format!(
                    "{owners} signed it when other values were read, and it still does what is promised. A new one would \
                     split the signatures: {}",
                    listed_differences(differences)
                ),
                "go on with it; --nonce with the next nonce makes a new one",
            ),
            Self::Differs { hash, differences } => Description::refuse(
                differing("not-your-playbook", hash, &listed_differences(differences)),
                format!("it is not what your own playbook gives: {}", listed_differences(differences)),
                UNBOUND_FIX,
            ),
            Self::Unbound { hash, why } => Description::refuse(
                differing("not-your-playbook", hash, why),
                format!("it cannot be derived here: {why}"),
                UNBOUND_FIX,
            ),
            Self::OwnArguments => Description::pass(
                "not-your-arguments",
                "every argument is from your own council file or command line",
            ),
            Self::ForeignArguments(foreign) => foreign.describe(),
            Self::ReplacesBuiltIn(found) => Description::warn(
                Id::from("replaces-built-in").about(&found.id).digest([&found.own as &dyn Display]),
                found.sentence(),
                "if the council did not want this, remove that file; otherwise give it another id",
            ),
            Self::NothingRead => {
                Description::pass("values-from-file", "it uses no value read from the chain")
            }
            Self::ReadByFile { values, left_out } => {
                let left_out = left_out.iter().map(|step| format!("{step} is left out because of them"));
                let told: Vec<String> = described(values).into_iter().chain(left_out).collect();
                Description::refuse(
                    Id::from("values-from-file").digested(values.short_digest()),
                    format!("it rests on values that only the file states: {}", told.join("; ")),
                    "sign online, or compare these values with somebody who looked them up",
                )
            }
            Self::Before { number, verdict, already_done } => {
                let fix = "look at the contract: it may be done already, or the Safe may not do it";
                Description::of_verdict("before", *number, verdict, already_done.as_deref(), fix)
            }
        }
    }
}

fn differing(kind: &'static str, hash: &SafeTxHash, how: &str) -> Id {
    Id::from(kind).digest([hash as &dyn Display, &how])
}

fn listed_differences(differences: &[FieldDifference]) -> String {
    let one =
        |d: &FieldDifference| format!("{} is {} in the file and {} by your files", d.field, d.file, d.own);
    differences.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Refuses a transaction that the signer's own files do not give: the check against Bybit's attack.
fn matches_the_playbook(facts: &Facts) -> PlaybookProblem {
    let hash = facts.proposal.hash();
    match facts.matching {
        Match::Same => PlaybookProblem::Matches { online: true },
        Match::SameOffline => PlaybookProblem::Matches { online: false },
        Match::Moved(differences) if facts.signers > 0 && facts.still_works() => {
            PlaybookProblem::MovedAndWorks { hash, owners: facts.signers, differences: differences.clone() }
        }
        Match::Moved(differences) => PlaybookProblem::Moved { hash, differences: differences.clone() },
        Match::Differs(differences) => PlaybookProblem::Differs { hash, differences: differences.clone() },
        Match::Unbound(why) => PlaybookProblem::Unbound { hash, why: why.clone() },
    }
}

/// Refuses arguments that only the file brings: with them, its writer could choose any transaction of a built-in
/// playbook.
fn arguments_are_the_readers(facts: &Facts) -> PlaybookProblem {
    let binding = facts.proposal.binding();
    if facts.foreign.is_empty() && (binding.is_of_levers() || !facts.signing) {
        return PlaybookProblem::OwnArguments;
    }
    let safe = facts.proposal.safe();
    PlaybookProblem::ForeignArguments(ForeignProposal {
        chain_id: safe.chain_id,
        safe: safe.address,
        is_of_levers: binding.is_of_levers(),
        title: binding.title(),
        digests: binding.levers().iter().map(|bound| bound.digest).collect(),
        arguments: facts.foreign.to_vec(),
        signing: facts.signing,
    })
}

impl ForeignProposal {
    fn describe(&self) -> Description {
        // No built-in playbook takes more. The whole list counts for the id alone.
        let (first, more) = self.arguments.split_at(self.arguments.len().min(MOST_ARGUMENTS));
        let shown = chosen(first);
        let shown = if more.is_empty() { shown } else { format!("{shown}, and {} more", more.len()) };
        let sentence = self.sentence(&shown);
        let id = Id::from("not-your-arguments");
        if !self.signing {
            return Description::warn(id, sentence, "");
        }
        let uncut = self.sentence(&chosen(&self.arguments));
        let mut whose: Vec<&dyn Display> = vec![&self.chain_id, &self.safe];
        whose.extend(self.digests.iter().map(|digest| digest as &dyn Display));
        whose.push(&uncut);
        let id = id.digest(whose);
        let set = first.iter().map(|(name, value)| format!("--set {}", quoted(&format!("{name}={value}"))));
        let set = set.collect::<Vec<_>>().join(" ");
        let fix = if set.is_empty() {
            "ask the council in person whether it wants this; a lever in your own file would say so".into()
        } else {
            format!("ask the council in person for the values, then type them yourself: {set}")
        };
        Description::refuse(id, sentence, fix)
    }

    fn sentence(&self, chosen: &str) -> String {
        let title = &self.title;
        match self.is_of_levers {
            false if chosen.is_empty() => {
                format!("no lever of yours: its proposer chose playbook {title}")
            }
            false => format!("no lever of yours: its proposer chose playbook {title} and {chosen}"),
            true => format!("lever {title} leaves open, and its proposer chose: {chosen}"),
        }
    }
}

fn chosen(arguments: &[(String, String)]) -> String {
    arguments.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
}

/// Warns of each file in `playbooks/` that replaces the built-in playbook with its id: the name on the screen is the
/// same.
fn replaces_a_built_in_one(facts: &Facts) -> Vec<PlaybookProblem> {
    let replaces = |LibraryEntry { playbook: own, origin, replaces }: &LibraryEntry| {
        let built_in = (*replaces)?;
        Some(PlaybookProblem::ReplacesBuiltIn(Replacement {
            own: own.digest(),
            origin: origin.clone(),
            id: own.id.clone(),
            built_in: built_in.digest(),
            differences: own.differences(built_in),
        }))
    };
    facts.entries.iter().filter_map(replaces).collect()
}

impl Replacement {
    fn sentence(&self) -> String {
        let Self { own, origin, id, built_in, differences } = self;
        let [own, built_in] = [own, built_in].map(|digest| hex::encode(&digest.word()[..8]));
        let differs =
            if differences.is_empty() { "in comments or spaces only".into() } else { listed(differences) };
        format!(
            "{origin}, digest {own}, takes the place of the built-in playbook {id}, digest {built_in}; it differs: {differs}"
        )
    }
}

/// Refuses, offline, values that only the file states: a forged reading can leave out a step, choose another argument
/// or pass a bound. The id names the values, so that accepting them accepts no others.
fn values_are_from_the_chain(facts: &Facts) -> Option<PlaybookProblem> {
    if *facts.matching != Match::SameOffline {
        return None;
    }
    let Some(plan) = facts.plan.filter(|plan| !plan.rests_on.is_empty()) else {
        return Some(PlaybookProblem::NothingRead);
    };
    let left_out = plan.skipped.iter().map(|step| step.signature.clone()).collect();
    Some(PlaybookProblem::ReadByFile { values: plan.rests_on.clone(), left_out })
}

/// Returns a bounded line for each reading.
fn described(readings: &Readings) -> Vec<String> {
    let one = |(query, answer)| cut_for_display(&format!("{query} gave {answer}"));
    readings.iter().map(one).collect()
}

/// Judges the playbook's own conditions for its use.
fn before_holds(facts: &Facts) -> Vec<PlaybookProblem> {
    let already_done = facts.already_done();
    let judged = facts.before.iter().zip(1..);
    judged
        .map(|(verdict, number)| PlaybookProblem::Before {
            number,
            verdict: verdict.clone(),
            already_done: already_done.clone(),
        })
        .collect()
}
