//! The review: one proposal in the order in which a signer should doubt.

use std::collections::BTreeSet;

use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::chain::agreeing;
use crate::check::{Level, Match};
use crate::playbook::{Origin, PlaybookDigest, PlaybookId};
use crate::proposal::{Truncated, Way};
use crate::safe::DRILL_CHAIN_ID;
use crate::ui::{Lines, Text};
use crate::view::review_lines::decision::ReviewAnswer;
use crate::view::review_lines::finding_lines::{checks, offline_limits};
use crate::view::review_lines::review_block::block;
use crate::view::review_lines::summary::Summary;
use crate::view::review_lines::what_changes;
use crate::view::review_lines::what_it_does::what_it_does;

const INDENT: &str = "    ";

/// Returns the whole review for a terminal of this many columns: the details, then the block above the question. The
/// block alone if there is nothing to do, or its nonce is used.
pub fn review(desk: &Desk, judged: &Judged, summary: &Summary, width: usize) -> Lines {
    let mut out = Lines::default();
    out.blank();
    let is_used = judged.findings.iter().any(|f| f.level == Level::Refuse && f.problem().is_used_nonce());
    let is_short = match &summary.answer {
        ReviewAnswer::NothingToDo(_) => true,
        ReviewAnswer::Refused(_) => is_used,
        ReviewAnswer::Decide => false,
    };
    if !is_short {
        details(desk, judged).iter().for_each(|line| out.say(line));
        out.blank();
    }
    block(summary, width).iter().for_each(|line| out.say(line));
    out
}

/// Returns the block above the question alone, for the owner who signs in this way.
pub fn block_of(desk: &Desk, judged: &Judged, way: Option<&Way>, accepted: &[String], width: usize) -> Lines {
    block(&Summary::of(desk, judged, accepted).signed_by(judged, way, None), width)
}

/// Returns the details, with raw words and data.
pub fn details(desk: &Desk, judged: &Judged) -> Lines {
    let mut out = Lines::default();
    approved(&mut out, desk, judged);
    effects(&mut out, desk, judged);
    checks(&mut out, judged, &judged.findings);
    if judged.seen.is_none() {
        offline_limits(&mut out, judged);
    }
    hashes(&mut out, judged);
    out
}

/// Adds the transaction that it approves on chain, whose findings are among its own.
fn approved(out: &mut Lines, desk: &Desk, judged: &Judged) {
    let Some(of) = &judged.approved else { return };
    approved(out, desk, of);
    out.say(&Text::new("  ").bold(&format!("What {} is to approve", judged.derived.safe.name)));
    out.blank();
    effects(out, desk, of);
    hashes(out, of);
    out.blank();
    out.say(&Text::new("  ").bold(&format!("The approval, a transaction of {}", judged.derived.safe.name)));
    out.blank();
}

fn effects(out: &mut Lines, desk: &Desk, judged: &Judged) {
    head(out, &desk.path.display().to_string(), judged);
    origin(out, judged);
    what_it_does(out, judged);
    what_changes::show(out, judged);
}

fn head(out: &mut Lines, council: &str, judged: &Judged) {
    if judged.proposal().is_drill() {
        let text = format!(": signed for chain {DRILL_CHAIN_ID}, and good on no chain");
        out.say(&Text::new("  ").good("DRILL").add(&text));
    }
    let id = judged.proposal().safe();
    let tally = judged.tally();
    out.say(
        &Text::new("  ")
            .bold(&judged.derived.chain.name)
            .add(&format!(
                " ({}) · Safe {} · nonce {} · ",
                id.chain_id,
                id.version,
                judged.proposal().nonce()
            ))
            .add(&format!("{} of {} signed", tally.approved.len(), tally.threshold)),
    );
    out.say(&Text::new("  ").bold(&judged.derived.safe.name).add(&format!("   {}", id.address)));
    out.say(&Text::new("  ").dim(&format!("by your council file {council}")));
    if let Some(online) = &judged.seen {
        let (agree, of) = agreeing(&online.link.endpoints());
        let at = judged.read_at().unwrap_or_default();
        out.say(&Text::new("  ").dim(&format!("read at {at}, {agree} of {of} RPCs agree")));
    }
    out.blank();
}

pub(in crate::view) fn origin(out: &mut Lines, judged: &Judged) {
    let binding = judged.proposal().binding();
    let (mark, words) = match &judged.derived.matching {
        Match::Same | Match::SameOffline if judged.derived.foreign.is_empty() => {
            (Text::default().good("✓ "), "matches your playbook")
        }
        Match::Same | Match::SameOffline => {
            (Text::default().warn("! "), "matches your playbook, with arguments that are not yours")
        }
        Match::Moved(_) => (Text::default().warn("! "), "matched your playbook; the chain has moved since"),
        Match::Differs(_) | Match::Unbound(_) => {
            (Text::default().bad("✗ "), "IS NOT WHAT YOUR PLAYBOOK GIVES")
        }
    };
    let mut line = Text::new("  ");
    let playbook = |(id, digest): &(&PlaybookId, PlaybookDigest)| format!("{id}  {}", digest.short());
    let playbooks: Vec<String> = binding.playbooks().iter().map(playbook).collect();
    line = line.then(mark).bold(words);
    line = line.add(&format!("   {}", playbooks.join(", ")));
    if binding.is_of_levers() {
        line =
            line.add(&format!("   lever {}{}", binding.title(), if binding.undo() { ", undo" } else { "" }));
    }
    out.say(&line);
    let mut shown = BTreeSet::new();
    for act in judged.derived.own.iter().flat_map(|own| own.order.acts()) {
        let from = match &act.entry.origin {
            Origin::Council(path) => format!("from your own {path}"),
            Origin::BuiltIn => "from the library built into this program".into(),
        };
        let line = match act.entry.replaces {
            Some(_) => Text::new(INDENT).warn(&format!("{from}, in place of the one built in")),
            None => Text::new(INDENT).dim(&from),
        };
        if shown.insert(line.plain()) {
            out.say(&line);
        }
    }
    match &judged.derived.matching {
        Match::Differs(rows) | Match::Moved(rows) => {
            for row in rows.iter().take(Truncated::<()>::SHOWN) {
                out.say(&Text::new(INDENT).bold(row.field));
                out.say(&Text::new(INDENT).add("  in the file   ").bad(&row.file));
                out.say(&Text::new(INDENT).add("  by your files ").add(&row.own));
            }
            if let Some(more) = rows.len().checked_sub(Truncated::<()>::SHOWN).filter(|more| *more > 0) {
                out.say(&Text::new(INDENT).bad(&format!("and {more} more differences")));
            }
        }
        Match::Unbound(why) => out.say(&Text::new(INDENT).bad(why)),
        Match::Same | Match::SameOffline => {}
    }
    out.blank();
}

/// Returns a hash as two lines of groups of eight digits.
fn grouped(hash: &str) -> [String; 2] {
    let digits: Vec<char> = hash.trim_start_matches("0x").chars().collect();
    let groups: Vec<String> = digits.chunks(8).map(|c| c.iter().collect()).collect();
    let (first, second) = groups.split_at(groups.len() / 2);
    [first.join(" "), second.join(" ")]
}

fn hashes(out: &mut Lines, judged: &Judged) {
    let hashes = judged.proposal().hashes();
    let rows = [
        ("domain hash ", hashes.domain.to_string()),
        ("message hash", hashes.message.to_string()),
        ("safeTxHash  ", hashes.safe_tx.to_string()),
    ];
    for (name, hash) in rows {
        let [first, second] = grouped(&hash);
        out.say(&Text::new("  ").bold(name).add(&format!("  0x{first}")));
        out.say(&Text::new("                  ").add(&second));
    }
}
