//! Is this what the reader's own playbook says?

use super::{Facts, Finding, Match};
use crate::playbook::Query;

const UNBOUND_FIX: &str = "do not sign; ask its proposer, in person, which lever it is, and update your council file \
                           and playbooks from your protocol's repository";

/// The Bybit check: a transaction that the signer's own files do not give is not signed.
pub(super) fn matches_the_playbook(facts: &Facts) -> Finding {
    let id = "not-your-playbook";
    let list = |differences: &[crate::proposal::Difference]| {
        differences
            .iter()
            .map(|d| format!("{} is {} in the file and {} by your files", d.field, d.file, d.own))
            .collect::<Vec<_>>()
            .join("; ")
    };
    match facts.matching {
        Match::Same => Finding::pass(id, "it is what your own playbook gives, from the chain's values now"),
        Match::SameFromItsOwnValues => Finding::pass(id, "it is what your own playbook gives"),
        Match::Moved(differences) => Finding::drift(
            "values-moved",
            format!("values read from the chain have changed since it was proposed: {}", list(differences)),
            "propose it again, so that it rests on the chain as it is",
        ),
        Match::Differs(differences) => Finding::refuse(
            id,
            format!("it is not what your own playbook gives: {}", list(differences)),
            UNBOUND_FIX,
        ),
        Match::Unbound(why) => Finding::refuse(id, format!("it cannot be derived here: {why}"), UNBOUND_FIX),
    }
}

/// A playbook with a stranger's arguments is a stranger's transaction: "swap an owner" matches every playbook library.
pub(super) fn arguments_are_the_readers(facts: &Facts) -> Finding {
    let id = "not-your-arguments";
    let binding = facts.proposal.binding();
    if facts.foreign.is_empty() && (binding.lever.is_some() || !facts.signing) {
        return Finding::pass(id, "every argument is from your own council file or command line");
    }
    let chosen: Vec<String> = facts.foreign.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let sentence = match (&binding.lever, chosen.is_empty()) {
        (None, true) => format!("no lever of yours: whoever proposed it chose playbook {}", binding.playbook),
        (None, false) => format!(
            "no lever of yours: whoever proposed it chose playbook {} and {}",
            binding.playbook,
            chosen.join(", ")
        ),
        (Some(lever), _) => {
            format!("lever {lever} leaves open, and whoever proposed it chose: {}", chosen.join(", "))
        }
    };
    let set: Vec<String> =
        facts.foreign.iter().map(|(name, value)| format!("--set {name}={value}")).collect();
    let fix = if set.is_empty() {
        "hear from the council in person that it wants this; a lever for it would make it your own".into()
    } else {
        format!("hear the values from the council in person, then say them yourself: {}", set.join(" "))
    };
    if facts.signing { Finding::refuse(id, sentence, fix) } else { Finding::warn(id, sentence, "") }
}

/// Offline, what a playbook reads is the file's word, and it decides the transaction: a forged reading can drop a step,
/// set other flags or pass a bound. The batch contract's code is left out: its address alone is known here.
pub(super) fn values_are_from_the_chain(facts: &Facts) -> Option<Finding> {
    if *facts.matching != Match::SameFromItsOwnValues {
        return None;
    }
    let read: Vec<String> = facts
        .proposal
        .readings()
        .iter()
        .filter(|(query, _)| !matches!(query, Query::CodeHash { .. }))
        .map(|(query, answer)| format!("{query} gave {answer}"))
        .collect();
    let id = "values-from-file";
    Some(if read.is_empty() {
        Finding::pass(id, "it rests on no value read from the chain")
    } else {
        Finding::refuse(
            id,
            format!("it rests on values for which there is only the file's word: {}", read.join("; ")),
            "sign online, or have these values read to you by somebody who looked them up",
        )
    })
}

/// The playbook's own conditions for being used.
pub(super) fn before_holds(facts: &Facts) -> Vec<Finding> {
    facts
        .before
        .iter()
        .enumerate()
        .map(|(at, verdict)| {
            let id = format!("before:{}", at + 1);
            let sentence = format!("before: {}", verdict.sentence);
            if verdict.holds {
                return Finding::pass(id, sentence);
            }
            Finding::refuse(
                id,
                sentence,
                "look at the contract: it may already be done, or not be yours to do",
            )
        })
        .collect()
}
