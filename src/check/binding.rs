//! Is this what the reader's own playbook says?

use std::fmt::Display;

use alloy::primitives::hex;

use super::{Check, Facts, Finding, Match, listed, named, past};
use crate::evm::{Readings, cut_for_display};
use crate::playbook::Playbook;

const UNBOUND_FIX: &str = "do not sign; ask its proposer, in person, which lever it is, and update your council file \
                           and playbooks from your protocol's repository";

pub(super) const CHECKS: [Check; 5] = [
    ("matches the playbook", |facts| vec![matches_the_playbook(facts)]),
    ("the reader's arguments", |facts| vec![arguments_are_the_readers(facts)]),
    ("in place of a built-in one", |facts| replaces_a_built_in_one(facts).into_iter().collect()),
    ("values from the chain", |facts| values_are_from_the_chain(facts).into_iter().collect()),
    ("before", before_holds),
];

/// The Bybit check: a transaction that the signer's own files do not give is not signed.
fn matches_the_playbook(facts: &Facts) -> Finding {
    let id = "not-your-playbook";
    let list = |differences: &[crate::proposal::Difference]| {
        differences
            .iter()
            .map(|d| format!("{} is {} in the file and {} by your files", d.field, d.file, d.own))
            .collect::<Vec<_>>()
            .join("; ")
    };
    if let Some(never) = past::values_were_true(facts) {
        return never;
    }
    match facts.matching {
        Match::Same => Finding::pass(id, "it is what your own playbook gives, from the chain's values now"),
        Match::SameFromItsOwnValues => Finding::pass(id, "it is what your own playbook gives"),
        Match::Moved(differences) => Finding::drift(
            named("values-moved", [&facts.proposal.hash() as &dyn Display, &list(differences)]),
            format!("values read from the chain have changed since it was proposed: {}", list(differences)),
            "propose it again, so that it rests on the chain as it is",
        ),
        Match::Differs(differences) => Finding::refuse(
            named(id, [&facts.proposal.hash() as &dyn Display, &list(differences)]),
            format!("it is not what your own playbook gives: {}", list(differences)),
            UNBOUND_FIX,
        ),
        Match::Unbound(why) => Finding::refuse(
            named(id, [&facts.proposal.hash() as &dyn Display, why]),
            format!("it cannot be derived here: {why}"),
            UNBOUND_FIX,
        ),
    }
}

/// The most arguments of a stranger's that are written out.
const MOST_ARGUMENTS: usize = 8;

/// A playbook with a stranger's arguments is a stranger's transaction: "swap an owner" matches every playbook library.
fn arguments_are_the_readers(facts: &Facts) -> Finding {
    let id = "not-your-arguments";
    let binding = facts.proposal.binding();
    if facts.foreign.is_empty() && (binding.lever.is_some() || !facts.signing) {
        return Finding::pass(id, "every argument is from your own council file or command line");
    }
    let chosen: Vec<String> = facts.foreign.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let say = |chosen: &str| match &binding.lever {
        None if chosen.is_empty() => {
            format!("no lever of yours: whoever proposed it chose playbook {}", binding.playbook)
        }
        None => {
            format!("no lever of yours: whoever proposed it chose playbook {} and {chosen}", binding.playbook)
        }
        Some(lever) => format!("lever {lever} leaves open, and whoever proposed it chose: {chosen}"),
    };
    // More than this no playbook of ours takes: the whole list is only what the finding is named by.
    let most = chosen.len().min(MOST_ARGUMENTS);
    let more = chosen.len() - most;
    let shown = chosen[..most].join(", ");
    let shown = if more == 0 { shown } else { format!("{shown}, and {more} more") };
    let (sentence, uncut) = (say(&shown), say(&chosen.join(", ")));
    let set: Vec<String> = facts
        .foreign
        .iter()
        .take(most)
        .map(|(name, value)| format!("--set {}", quoted(&format!("{name}={value}"))))
        .collect();
    let fix = if set.is_empty() {
        "hear from the council in person that it wants this; a lever for it would make it your own".into()
    } else {
        format!("hear the values from the council in person, then say them yourself: {}", set.join(" "))
    };
    if !facts.signing {
        return Finding::warn(id, sentence, "");
    }
    let safe = facts.proposal.safe();
    let whose: [&dyn Display; 4] = [&safe.chain_id, &safe.address, &binding.digest, &uncut];
    Finding::refuse(named(id, whose), sentence, fix)
}

/// A word as a shell reads it as one word: what a stranger chose is copied from the screen.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:,=@%+".contains(c);
    if word.chars().all(is_plain) { word.into() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// A file in `playbooks/` takes the place of the built-in playbook with its id: the name on the screen is the same.
fn replaces_a_built_in_one(facts: &Facts) -> Option<Finding> {
    let entry = facts.entry?;
    let built_in = entry.replaces?;
    let own = entry.playbook;
    let digest = |playbook: &Playbook| hex::encode(&playbook.digest().word()[..8]);
    let differences = own.differences(built_in);
    let differs =
        if differences.is_empty() { "in comments or spaces only".into() } else { listed(&differences) };
    let sentence = format!(
        "{}, digest {}, takes the place of the built-in playbook {}, digest {}; it differs: {differs}",
        entry.origin,
        digest(own),
        own.id,
        digest(built_in),
    );
    let fix = "if the council did not mean it, take that file away; else give it an id of its own";
    Some(Finding::warn(named("replaces-built-in", [&own.digest() as &dyn Display]), sentence, fix))
}

/// Offline, what a playbook reads is the file's word, and it decides the transaction: a forged reading can leave out a
/// step, choose another argument or pass a bound. The id names the values, so that accepting them accepts no others.
fn values_are_from_the_chain(facts: &Facts) -> Option<Finding> {
    if *facts.matching != Match::SameFromItsOwnValues {
        return None;
    }
    let Some(read) = facts.plan.map(|plan| &plan.rests_on).filter(|read| !read.is_empty()) else {
        return Some(Finding::pass("values-from-file", "it rests on no value read from the chain"));
    };
    let steps = facts.plan.map_or(&[][..], |plan| &plan.skipped).iter();
    let left_out = steps.map(|step| format!("{} is left out because of them", step.signature));
    let told: Vec<String> = described(read).into_iter().chain(left_out).collect();
    let sentence = format!("it rests on values for which there is only the file's word: {}", told.join("; "));
    Some(Finding::refuse(
        format!("values-from-file:{}", read.short_digest()),
        sentence,
        "sign online, or have these values read to you by somebody who looked them up",
    ))
}

/// Each reading in a bounded line.
fn described(readings: &Readings) -> Vec<String> {
    let one = |(query, answer)| cut_for_display(&format!("{query} gave {answer}"));
    readings.iter().map(one).collect()
}

/// The playbook's own conditions for being used.
fn before_holds(facts: &Facts) -> Vec<Finding> {
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
                named(&id, [&verdict.sentence as &dyn Display, &verdict.expected, &verdict.found]),
                sentence,
                "look at the contract: it may already be done, or not be yours to do",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_is_copied_from_the_screen_is_one_word() {
        for (word, expected) in [
            ("target=vault", "target=vault"),
            ("fee=1.5%", "fee=1.5%"),
            ("a=$(curl x|sh)", "'a=$(curl x|sh)'"),
            ("a=x;id", "'a=x;id'"),
            ("a='; id #", r"'a='\''; id #'"),
            ("a=\nid", "'a=\nid'"),
            ("a=~/x", "'a=~/x'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
