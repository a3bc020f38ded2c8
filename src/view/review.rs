//! The review: one proposal in the order in which a signer should doubt.

use std::collections::BTreeSet;

use alloy::primitives::{Address, Bytes, U256, hex};
use serde_json::{Value, json};

use crate::ceremony::derived::OwnDerivation;
use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::chain::agreeing;
use crate::check::{Finding, Level, Match, Readable, Sort, readable};
use crate::evm::amount::ether;
use crate::playbook::{CallPart, Decided, Origin, PlannedCall, PlaybookDigest, PlaybookId, Skipped};
use crate::proposal::{Few, calls_of};
use crate::safe::{Call, DRILL_CHAIN_ID, Operation};
use crate::ui::{Lines, Text};
use crate::view::review_block::block;
use crate::view::summary::{ReviewAnswer, Summary};
use crate::view::what_changes;

const INDENT: &str = "    ";
/// Undecoded data is shown whole up to this many bytes; beyond, its beginning, length and hash.
const SHOWN_DATA: usize = 512;

/// Returns the whole review for a terminal of this many columns: all details, and last what has to stand right above the
/// question. That alone where there is nothing to do, and where its nonce is used.
#[must_use]
pub fn review(desk: &Desk, judged: &Judged, summary: &Summary, width: usize) -> Lines {
    let mut out = Lines::default();
    out.blank();
    let is_used = judged.findings.iter().any(|f| f.level == Level::Refuse && f.problem().is_of_the_nonce());
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

/// Returns the last lines of the review alone.
#[must_use]
pub fn block_of(desk: &Desk, judged: &Judged, accepted: &[String], width: usize) -> Lines {
    block(&Summary::of(desk, judged, accepted), width)
}

/// Returns all that stands above the last lines, raw words and data too.
#[must_use]
pub fn details(desk: &Desk, judged: &Judged) -> Lines {
    let mut out = Lines::default();
    approved(&mut out, desk, judged);
    effects(&mut out, desk, judged);
    checks(&mut out, judged, &judged.findings);
    if judged.seen.is_none() {
        unasked(&mut out, judged);
    }
    hashes(&mut out, judged);
    out
}

/// Shows what it approves on chain, whose findings stand among its own.
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

/// Returns every finding, those that pass too.
#[must_use]
pub fn findings(judged: &Judged) -> Lines {
    let mut out = Lines::default();
    if let Some(proven) = judged.proven() {
        out.say(&Text::default().dim(&proven));
    }
    let readable = readable(&judged.findings);
    for finding in &readable.first {
        let mark = match finding.level {
            Level::Pass => Text::default().good("pass    "),
            Level::Warn => Text::default().warn("warn    "),
            Level::AlreadyDone => Text::default().good("done    "),
            Level::Refuse => Text::default().bad("REFUSE  "),
        };
        out.say(&mark.bold(&finding.id).add(&format!("  {}", finding.sentence)));
        if !finding.fix.is_empty() {
            out.say(&Text::default().dim("        → ").add(&finding.fix));
        }
        if finding.level == Level::Refuse {
            let text = format!("if you know better, and only then: --accept {}", finding.id);
            out.say(&Text::default().dim("        ").dim(&text));
        }
    }
    say_more(&mut out, &readable);
    out
}

/// Says what a review without the chain does not know.
fn unasked(out: &mut Lines, judged: &Judged) {
    out.say(
        &Text::default().warn("  Offline").add(": not checked, because nothing was asked of the network:"),
    );
    let of_the_safe = match judged.proposal().block() {
        Some(block) => [
            format!("does the Safe still have these owners, threshold and nonce (read at block {})", block.number),
            "are modules, guards and fallback handler of the Safe those that the file says".into(),
        ],
        None => [
            "does the Safe have this version, these owners and this threshold: they are assumed from your breakglass.toml"
                .into(),
            "has the Safe modules, guards or another fallback handler; is this its next nonce".into(),
        ],
    };
    let of_the_contract =
        "is the contract in the state that the playbook expects, and does it run the code that you pinned"
            .into();
    for line in of_the_safe.into_iter().chain([of_the_contract]) {
        out.say(&Text::new("    - ").add(&line));
    }
    if judged.proposal().block().is_some() {
        out.say(
            &Text::new("    - ")
                .add("are the values that the transaction rests on true, where the playbook reads any"),
        );
    }
    out.blank();
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

pub(super) fn origin(out: &mut Lines, judged: &Judged) {
    let binding = judged.proposal().binding();
    let (mark, words) = match &judged.derived.matching {
        Match::Same | Match::SameFromItsOwnValues if judged.derived.foreign.is_empty() => {
            (Text::default().good("✓ "), "matches your playbook")
        }
        Match::Same | Match::SameFromItsOwnValues => {
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
    let mut said = BTreeSet::new();
    for act in judged.derived.own.iter().flat_map(|own| own.order.acts()) {
        let from = match &act.entry.origin {
            Origin::Council(path) => format!("from your own {path}"),
            Origin::BuiltIn => "from the library built into this program".into(),
        };
        let line = match act.entry.replaces {
            Some(_) => Text::new(INDENT).warn(&format!("{from}, in place of the one built in")),
            None => Text::new(INDENT).dim(&from),
        };
        if said.insert(line.plain()) {
            out.say(&line);
        }
    }
    match &judged.derived.matching {
        Match::Differs(rows) | Match::Moved(rows) => {
            for row in rows.iter().take(Few::<()>::SHOWN) {
                out.say(&Text::new(INDENT).bold(row.field));
                out.say(&Text::new(INDENT).add("  in the file   ").bad(&row.file));
                out.say(&Text::new(INDENT).add("  by your files ").add(&row.own));
            }
            if let Some(more) = rows.len().checked_sub(Few::<()>::SHOWN).filter(|more| *more > 0) {
                out.say(&Text::new(INDENT).bad(&format!("and {more} more differences")));
            }
        }
        Match::Unbound(why) => out.say(&Text::new(INDENT).bad(why)),
        Match::Same | Match::SameFromItsOwnValues => {}
    }
    out.blank();
}

/// Shows the calls of the transaction itself; words come from the reader's own plan, call by call, where it gives
/// exactly this call.
pub(super) fn what_it_does(out: &mut Lines, judged: &Judged) {
    out.say(&Text::new("  ").bold("What it does"));
    let plan = judged.plan();
    for act in judged.derived.own.iter().flat_map(|own| own.order.acts()) {
        let lever = act.lever.as_ref().map(|lever| format!("{lever}: ")).unwrap_or_default();
        let playbook = act.entry.playbook;
        out.say(&Text::new(INDENT).bold(&lever).add(&playbook.title));
        for (label, text) in [("costs", &playbook.cost), ("does not stop", &playbook.does_not_stop)] {
            out.say(&Text::new(INDENT).dim(&format!("{label}: ")).add(text));
        }
    }
    let calls = match calls_of(judged.proposal().tx()) {
        Ok(calls) => calls,
        Err(why) => {
            let tx = judged.proposal().tx();
            out.say(&Text::new(INDENT).bad(&format!("{} {}: {why}", tx.operation, tx.to)));
            data(out, &tx.data);
            return out.blank();
        }
    };
    let tx = judged.proposal().tx();
    if tx.operation == Operation::DelegateCall {
        out.say(
            &Text::new(INDENT)
                .add(&format!("{} calls in one, by delegatecall to MultiSendCallOnly", calls.len())),
        );
        out.say(&Text::new(INDENT).add(&format!("{}   (your device shows this as `to`)", tx.to)));
    }
    let planned = |call: &Call| plan.and_then(|p| p.calls.iter().find(|c| c.call == *call));
    let mut before = None;
    for (at, call) in calls.iter().enumerate() {
        let own = planned(call);
        // A step that is repeated is explained once, and then takes a line for each call.
        if let Some(own) = own.filter(|own| before == Some(own.step) && own.call.value.is_zero()) {
            out.say(&Text::new(INDENT).add(&format!("{}  {}", at + 1, again(own))));
            continue;
        }
        before = own.map(|own| own.step);
        let name = judged.derived.names.name(call.to).unwrap_or("(no name in your council file)");
        out.say(&Text::new(INDENT).add(&format!("{}  ", at + 1)).bold(name).add(&format!("   {}", call.to)));
        if call.value != U256::ZERO {
            out.say(&Text::new(INDENT).add("   sends ").bold(&ether(call.value)));
        }
        match own {
            Some(planned) => decoded(out, planned),
            None => data(out, &call.data),
        }
    }
    if let Some(OwnDerivation { order, plans, .. }) = &judged.derived.own {
        for (act, one) in order.acts().iter().zip(plans.levers()) {
            if let Some(when) = act.entry.playbook.takes_effect(&one.plan) {
                out.say(&Text::new(INDENT).warn("takes effect: ").add(&when));
            }
        }
    }
    if let Some(plan) = plan {
        let left_out = |skipped: &Skipped| {
            let text = format!("{}, because {}", skipped.signature, skipped.reason);
            Text::new(INDENT).warn("left out: ").add(&text)
        };
        say_few(out, plan.skipped.iter().map(left_out), "more calls are left out, because they are done");
        for decided in plan.decided.iter().filter(|decided| decided.part != CallPart::LeftOut) {
            out.say(&Text::new(INDENT).add("the chain decides ").bold(&decided.to_string()));
        }
        for read in &plan.reads {
            out.say(
                &Text::new(INDENT).dim(&format!("where {} gave {} = {}", read.source, read.name, read.shown)),
            );
        }
        for arg in &plan.args {
            let note = arg.note.as_ref().filter(|n| !arg.shown.contains(n.as_str()));
            let note = note.map_or(String::new(), |n| format!("  ({n})"));
            out.say(&Text::new(INDENT).dim(&format!("with {} = {}{note}", arg.name, arg.shown)));
        }
    }
    out.blank();
}

/// Returns the parts of the transaction that the chain decides, for `--json`.
#[must_use]
pub fn decided_object(judged: &Judged) -> Value {
    let row = |decided: &Decided| {
        let by: Vec<&str> = decided.by.iter().map(|source| source.sentence.as_str()).collect();
        json!({ "call": decided.signature, "part": decided.part.to_string(), "by": by })
    };
    judged.plan().map_or(&[][..], |plan| &plan.decided).iter().map(row).collect()
}

fn decoded(out: &mut Lines, call: &PlannedCall) {
    out.say(&Text::new(INDENT).add("   ").bold(&call.signature));
    for (name, value) in &call.arguments {
        out.say(&Text::new(INDENT).add(&format!("     {name}  {value}")));
    }
}

/// `vault 0x… pause()`, one more call of a step.
fn again(call: &PlannedCall) -> String {
    let name = call.to_name.as_deref().map_or_else(String::new, |name| format!("{name} "));
    let function = call.signature.split('(').next().unwrap_or_default();
    let values = call.arguments.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ");
    format!("{name}{} {function}({values})", call.call.to)
}

fn data(out: &mut Lines, bytes: &Bytes) {
    let shown = &bytes[..bytes.len().min(SHOWN_DATA)];
    out.say(
        &Text::new(INDENT)
            .warn(&format!("   data that your playbook does not explain, {} bytes:", bytes.len())),
    );
    for chunk in shown.chunks(32) {
        out.say(&Text::new(INDENT).add(&format!("     {}", hex::encode(chunk))));
    }
    if shown.len() < bytes.len() {
        let hash = alloy::primitives::keccak256(bytes);
        out.say(&Text::new(INDENT).add(&format!("     … whole: keccak256 {hash}")));
    }
}

pub(super) fn checks(out: &mut Lines, judged: &Judged, findings: &[Finding]) {
    let count = |level| findings.iter().filter(|f| f.level == level).count();
    let line = Text::new("  ").bold("Checks").add(&format!("   {} pass", count(Level::Pass)));
    let line = match count(Level::Warn) {
        0 => line,
        n => line.warn(&format!(", {n} warn")),
    };
    let line = match count(Level::AlreadyDone) {
        0 => line,
        n => line.good(&format!(", {n} already done")),
    };
    out.say(&match count(Level::Refuse) {
        0 => line,
        n => line.bad(&format!(", {n} REFUSE")),
    });
    accepted_before(out, judged);
    let readable = readable(findings.iter().filter(|f| f.level != Level::Pass));
    for finding in &readable.first {
        let mark = match (finding.level, finding.sort) {
            (Level::Refuse, Sort::Danger) => Text::new(INDENT).bad("✗ "),
            (Level::Refuse, Sort::Drift) => Text::new(INDENT).bad("≠ "),
            (Level::AlreadyDone, _) => Text::new(INDENT).good("= "),
            (Level::Pass | Level::Warn, _) => Text::new(INDENT).warn("! "),
        };
        out.say(&mark.bold(&finding.id).add(&format!("  {}", finding.sentence)));
        if !finding.fix.is_empty() {
            out.say(&Text::new(INDENT).dim("    → ").add(&finding.fix));
        }
    }
    say_more(out, &readable);
    out.blank();
}

/// Findings of one kind beside the first of it.
fn say_more(out: &mut Lines, readable: &Readable) {
    for (kind, more) in &readable.more {
        let text = format!("and {more} more of {kind}: breakglass check --json lists them");
        out.say(&Text::new(INDENT).bad("✗ ").add(&text));
    }
}

/// Shows what others accepted by the word of their files, which nobody signs: so that nobody accepts it unseen.
fn accepted_before(out: &mut Lines, judged: &Judged) {
    let named =
        |owner: Address| judged.derived.names.name(owner).map_or_else(|| owner.to_string(), String::from);
    let proposer = ("whoever proposed it".to_string(), judged.proposal().accepted());
    let signers = judged.derived.signatures.iter().map(|s| (named(s.owner()), s.accepted()));
    let lines = std::iter::once(proposer).chain(signers).filter(|(_, ids)| !ids.is_empty());
    let line = |(who, ids): (String, &[String])| {
        let text = format!("the file says that {who} accepted {}", listed(ids));
        Text::new(INDENT).warn("! ").add(&text)
    };
    say_few(out, lines.map(line), "more files say that somebody accepted something");
}

/// The first few of a list, and how many more there are.
fn listed(items: &[String]) -> String {
    let first = items.get(..Few::<()>::SHOWN).unwrap_or(items).join(", ");
    let more = items.len().saturating_sub(Few::<()>::SHOWN);
    if more == 0 { first } else { format!("{first}, and {more} more") }
}

/// The first lines of those that a stranger's file can make as many as it likes, and how many more there are.
fn say_few(out: &mut Lines, lines: impl Iterator<Item = Text>, what: &str) {
    let mut few = Few::default();
    lines.for_each(|line| few.push(|| line));
    few.first().iter().for_each(|line| out.say(line));
    if few.more() > 0 {
        out.say(&Text::new(INDENT).warn("! ").add(&format!("{} {what}", few.more())));
    }
}

/// Two lines of groups of eight digits, as a person compares them.
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
