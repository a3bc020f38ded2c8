//! The review: one proposal in the order in which a signer should doubt.

use std::collections::BTreeSet;

use alloy::primitives::{Address, Bytes, U256, hex};
use serde_json::{Value, json};

use crate::ceremony::derived::Own;
use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::chain::agreeing;
use crate::check::{Finding, Level, Match, Readable, Sort, readable};
use crate::evm::amount::ether;
use crate::playbook::{Decided, Origin, Part, PlannedCall, PlaybookDigest, PlaybookId, Skipped};
use crate::proposal::{Few, calls_of};
use crate::safe::{Call, Operation};
use crate::ui::{Text, Ui};
use crate::view::effects;

const INDENT: &str = "    ";
/// Undecoded data is shown whole up to this many bytes; beyond, its beginning, length and hash.
const SHOWN_DATA: usize = 512;

/// Prints the whole review on standard error.
pub fn review(ui: &Ui, desk: &Desk, judged: &Judged) {
    let council = desk.path.display().to_string();
    ui.blank();
    head(ui, &council, judged);
    origin(ui, judged);
    what_it_does(ui, judged);
    effects::show(ui, judged);
    checks(ui, judged, &judged.findings);
    hashes(ui, judged);
    ui.blank();
}

fn head(ui: &Ui, council: &str, judged: &Judged) {
    let id = judged.proposal().safe();
    let tally = judged.tally();
    ui.say(
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
    ui.say(&Text::new("  ").bold(&judged.derived.safe.name).add(&format!("   {}", id.address)));
    ui.say(&Text::new("  ").dim(&format!("by your council file {council}")));
    if let Some(online) = &judged.seen {
        let (agree, of) = agreeing(&online.link.endpoints());
        let at = judged.read_at().unwrap_or_default();
        ui.say(&Text::new("  ").dim(&format!("read at {at}, {agree} of {of} RPCs agree")));
    }
    ui.blank();
}

fn origin(ui: &Ui, judged: &Judged) {
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
    ui.say(&line);
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
            ui.say(&line);
        }
    }
    match &judged.derived.matching {
        Match::Differs(rows) | Match::Moved(rows) => {
            for row in rows.iter().take(Few::<()>::SHOWN) {
                ui.say(&Text::new(INDENT).bold(row.field));
                ui.say(&Text::new(INDENT).add("  in the file   ").bad(&row.file));
                ui.say(&Text::new(INDENT).add("  by your files ").add(&row.own));
            }
            if let Some(more) = rows.len().checked_sub(Few::<()>::SHOWN).filter(|more| *more > 0) {
                ui.say(&Text::new(INDENT).bad(&format!("and {more} more differences")));
            }
        }
        Match::Unbound(why) => ui.say(&Text::new(INDENT).bad(why)),
        Match::Same | Match::SameFromItsOwnValues => {}
    }
    ui.blank();
}

/// Shows the calls of the transaction itself; words come from the reader's own plan, call by call, where it gives
/// exactly this call.
fn what_it_does(ui: &Ui, judged: &Judged) {
    ui.say(&Text::new("  ").bold("What it does"));
    let plan = judged.plan();
    for act in judged.derived.own.iter().flat_map(|own| own.order.acts()) {
        let lever = act.lever.as_ref().map(|lever| format!("{lever}: ")).unwrap_or_default();
        ui.say(&Text::new(INDENT).bold(&lever).add(&act.entry.playbook.title));
    }
    let calls = match calls_of(judged.proposal().tx()) {
        Ok(calls) => calls,
        Err(why) => {
            let tx = judged.proposal().tx();
            ui.say(&Text::new(INDENT).bad(&format!("{} {}: {why}", tx.operation, tx.to)));
            data(ui, &tx.data);
            return ui.blank();
        }
    };
    let tx = judged.proposal().tx();
    if tx.operation == Operation::DelegateCall {
        ui.say(
            &Text::new(INDENT)
                .add(&format!("{} calls in one, by delegatecall to MultiSendCallOnly", calls.len())),
        );
        ui.say(&Text::new(INDENT).add(&format!("{}   (your device shows this as `to`)", tx.to)));
    }
    let planned = |call: &Call| plan.and_then(|p| p.calls.iter().find(|c| c.call == *call));
    let mut before = None;
    for (at, call) in calls.iter().enumerate() {
        let own = planned(call);
        // A step that is repeated is explained once, and then takes a line for each call.
        if let Some(own) = own.filter(|own| before == Some(own.step) && own.call.value.is_zero()) {
            ui.say(&Text::new(INDENT).add(&format!("{}  {}", at + 1, again(own))));
            continue;
        }
        before = own.map(|own| own.step);
        let name = judged.derived.names.name(call.to).unwrap_or("(no name in your council file)");
        ui.say(&Text::new(INDENT).add(&format!("{}  ", at + 1)).bold(name).add(&format!("   {}", call.to)));
        if call.value != U256::ZERO {
            ui.say(&Text::new(INDENT).add("   sends ").bold(&ether(call.value)));
        }
        match own {
            Some(planned) => decoded(ui, planned),
            None => data(ui, &call.data),
        }
    }
    if let Some(Own { order, plans, .. }) = &judged.derived.own {
        for (act, one) in order.acts().iter().zip(plans.levers()) {
            if let Some(when) = act.entry.playbook.takes_effect(&one.plan) {
                ui.say(&Text::new(INDENT).warn("takes effect: ").add(&when));
            }
        }
    }
    if let Some(plan) = plan {
        let left_out = |skipped: &Skipped| {
            let text = format!("{}, because {}", skipped.signature, skipped.reason);
            Text::new(INDENT).warn("left out: ").add(&text)
        };
        say_few(ui, plan.skipped.iter().map(left_out), "more calls are left out, because they are done");
        for decided in plan.decided.iter().filter(|decided| decided.part != Part::LeftOut) {
            ui.say(&Text::new(INDENT).add("the chain decides ").bold(&decided.to_string()));
        }
        for read in &plan.reads {
            ui.say(
                &Text::new(INDENT).dim(&format!("where {} gave {} = {}", read.source, read.name, read.shown)),
            );
        }
        for arg in &plan.args {
            let note = arg.note.as_ref().filter(|n| !arg.shown.contains(n.as_str()));
            let note = note.map_or(String::new(), |n| format!("  ({n})"));
            ui.say(&Text::new(INDENT).dim(&format!("with {} = {}{note}", arg.name, arg.shown)));
        }
    }
    ui.blank();
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

fn decoded(ui: &Ui, call: &PlannedCall) {
    ui.say(&Text::new(INDENT).add("   ").bold(&call.signature));
    for (name, value) in &call.arguments {
        ui.say(&Text::new(INDENT).add(&format!("     {name}  {value}")));
    }
}

/// `vault 0x… pause()`, one more call of a step.
fn again(call: &PlannedCall) -> String {
    let name = call.to_name.as_deref().map_or_else(String::new, |name| format!("{name} "));
    let function = call.signature.split('(').next().unwrap_or_default();
    let values = call.arguments.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ");
    format!("{name}{} {function}({values})", call.call.to)
}

fn data(ui: &Ui, bytes: &Bytes) {
    let shown = &bytes[..bytes.len().min(SHOWN_DATA)];
    ui.say(
        &Text::new(INDENT)
            .warn(&format!("   data that your playbook does not explain, {} bytes:", bytes.len())),
    );
    for chunk in shown.chunks(32) {
        ui.say(&Text::new(INDENT).add(&format!("     {}", hex::encode(chunk))));
    }
    if shown.len() < bytes.len() {
        let hash = alloy::primitives::keccak256(bytes);
        ui.say(&Text::new(INDENT).add(&format!("     … whole: keccak256 {hash}")));
    }
}

fn checks(ui: &Ui, judged: &Judged, findings: &[Finding]) {
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
    ui.say(&match count(Level::Refuse) {
        0 => line,
        n => line.bad(&format!(", {n} REFUSE")),
    });
    accepted_before(ui, judged);
    let readable = readable(findings.iter().filter(|f| f.level != Level::Pass));
    for finding in &readable.first {
        let mark = match (finding.level, finding.sort) {
            (Level::Refuse, Sort::Danger) => Text::new(INDENT).bad("✗ "),
            (Level::Refuse, Sort::Drift) => Text::new(INDENT).bad("≠ "),
            (Level::AlreadyDone, _) => Text::new(INDENT).good("= "),
            (Level::Pass | Level::Warn, _) => Text::new(INDENT).warn("! "),
        };
        ui.say(&mark.bold(&finding.id).add(&format!("  {}", finding.sentence)));
        if !finding.fix.is_empty() {
            ui.say(&Text::new(INDENT).dim("    → ").add(&finding.fix));
        }
    }
    say_more(ui, &readable);
    ui.blank();
}

/// Findings of one kind beside the first of it.
pub fn say_more(ui: &Ui, readable: &Readable) {
    for (kind, more) in &readable.more {
        let text = format!("and {more} more of {kind}: breakglass check --json lists them");
        ui.say(&Text::new(INDENT).bad("✗ ").add(&text));
    }
}

/// Shows what others accepted by the word of their files, which nobody signs: so that nobody accepts it unseen.
fn accepted_before(ui: &Ui, judged: &Judged) {
    let named =
        |owner: Address| judged.derived.names.name(owner).map_or_else(|| owner.to_string(), String::from);
    let proposer = ("whoever proposed it".to_string(), judged.proposal().accepted());
    let signers = judged.derived.signatures.iter().map(|s| (named(s.owner()), s.accepted()));
    let lines = std::iter::once(proposer).chain(signers).filter(|(_, ids)| !ids.is_empty());
    let line = |(who, ids): (String, &[String])| {
        let text = format!("the file says that {who} accepted {}", listed(ids));
        Text::new(INDENT).warn("! ").add(&text)
    };
    say_few(ui, lines.map(line), "more who accepted something by their files");
}

/// The first few of a list, and how many more there are.
fn listed(items: &[String]) -> String {
    let first = items.get(..Few::<()>::SHOWN).unwrap_or(items).join(", ");
    let more = items.len().saturating_sub(Few::<()>::SHOWN);
    if more == 0 { first } else { format!("{first}, and {more} more") }
}

/// The first lines of those that a stranger's file can make as many as it likes, and how many more there are.
fn say_few(ui: &Ui, lines: impl Iterator<Item = Text>, what: &str) {
    let mut few = Few::default();
    lines.for_each(|line| few.push(|| line));
    few.first().iter().for_each(|line| ui.say(line));
    if few.more() > 0 {
        ui.say(&Text::new(INDENT).warn("! ").add(&format!("{} {what}", few.more())));
    }
}

/// Two lines of groups of eight digits, as a person compares them.
fn grouped(hash: &str) -> [String; 2] {
    let digits: Vec<char> = hash.trim_start_matches("0x").chars().collect();
    let groups: Vec<String> = digits.chunks(8).map(|c| c.iter().collect()).collect();
    let (first, second) = groups.split_at(groups.len() / 2);
    [first.join(" "), second.join(" ")]
}

fn hashes(ui: &Ui, judged: &Judged) {
    let hashes = judged.proposal().hashes();
    let rows = [
        ("domain hash ", hashes.domain.to_string()),
        ("message hash", hashes.message.to_string()),
        ("safeTxHash  ", hashes.safe_tx.to_string()),
    ];
    for (name, hash) in rows {
        let [first, second] = grouped(&hash);
        ui.say(&Text::new("  ").bold(name).add(&format!("  0x{first}")));
        ui.say(&Text::new("                  ").add(&second));
    }
}
