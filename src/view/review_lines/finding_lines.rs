//! The lines about findings: those that do not pass for the review, all of them for `check`, and those that cannot be
//! checked offline.

use crate::ceremony::judged::Judged;
use crate::check::{Finding, Level, Readable, Sort, readable};
use crate::evm::called;
use crate::ui::{Lines, Text};
use crate::view::review_lines::review_layout::{say_truncated, truncated_list};

const INDENT: &str = "    ";

/// Returns every finding, those that pass too.
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
    hidden_findings(&mut out, &readable);
    out
}

/// Lists the questions that a review offline leaves open.
pub(in crate::view) fn offline_limits(out: &mut Lines, judged: &Judged) {
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

/// Counts the findings, and lists those that do not pass.
pub(in crate::view) fn checks(out: &mut Lines, judged: &Judged, findings: &[Finding]) {
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
    hidden_findings(out, &readable);
    out.blank();
}

/// Adds the number of findings of a kind that are not listed.
fn hidden_findings(out: &mut Lines, readable: &Readable) {
    for (kind, more) in &readable.more {
        let text = format!("and {more} more of {kind}: breakglass check --json lists them");
        out.say(&Text::new(INDENT).bad("✗ ").add(&text));
    }
}

/// Adds the findings that others accepted, as their files say without a signature.
fn accepted_before(out: &mut Lines, judged: &Judged) {
    let proposer = ("the proposer".to_string(), judged.proposal().accepted());
    let signers =
        judged.derived.signatures.iter().map(|s| (called(s.owner(), &judged.derived.names), s.accepted()));
    let lines = std::iter::once(proposer).chain(signers).filter(|(_, ids)| !ids.is_empty());
    let line = |(who, ids): (String, &[String])| {
        let text = format!("the file says that {who} accepted {}", truncated_list(ids));
        Text::new(INDENT).warn("! ").add(&text)
    };
    say_truncated(out, lines.map(line), "more files say that somebody accepted something");
}
