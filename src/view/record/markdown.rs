//! The record as Markdown.

use std::fmt::Write;

use super::escape::shown;
use super::{IncidentReport, Time, ToConfirm, Tx, time_text};
use crate::ui::visible;

/// Returns the whole record. Texts of others cannot begin a link, a table cell or HTML.
pub fn markdown(report: &IncidentReport) -> String {
    let mut out = format!("# {}\n\n", plain(&report.headline()));
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    line(format!("Council: {}  ", plain(&report.council)));
    let or = |text: &Option<String>, other: &str| text.as_deref().map_or_else(|| other.to_string(), short);
    line(format!("Began: {} (UTC)  ", or(&report.began, "not known")));
    line(format!("Closed: {}", or(&report.closed, "still open")));
    for role in &report.roles {
        line(format!("\n{} {}", plain(&role.name), role.role));
    }
    line("\n## Times\n\n| From the beginning to | took | wanted |\n|---|---|---|".into());
    for time in &report.times {
        line(format!(
            "| {} | {} | {} |",
            time.what,
            took(time),
            time.wanted_seconds.map_or_else(|| "-".into(), time_text)
        ));
    }
    line("\n## Timeline\n\n| UTC | who | what | by |\n|---|---|---|---|".into());
    for row in &report.timeline {
        let text = if row.is_grave { format!("**{}**", plain(&row.text)) } else { plain(&row.text) };
        line(format!("| {} | {} | {text} | {} |", short(&row.at), plain(&row.lane), row.by));
    }
    line("\n\"journal\" is the statement of its writer; \"chain\" is the chain's own word.".into());
    for one in &report.transactions {
        line(transaction(one));
    }
    if !report.to_be_confirmed.is_empty() {
        line("\n## To be confirmed\n\nOne key acted alone. Nothing on chain confirms it: the council does, in a decision of its own.\n".into());
        report.to_be_confirmed.iter().for_each(|one| line(to_confirm(one)));
    }
    if !report.accepted.is_empty() {
        line("\n## Refusals that were accepted\n".into());
        for one in &report.accepted {
            line(format!("- {} at {}: {}", plain(&one.who), short(&one.at), plain(&one.ids.join(", "))));
        }
    }
    if !report.contradictions.is_empty() {
        line("\n## Contradictions\n".into());
        report.contradictions.iter().for_each(|text| line(format!("- {}", plain(text))));
    }
    line("\n## Journals\n".into());
    for journal in &report.journals {
        let whole = if journal.is_whole { "whole" } else { "**its chain of digests is broken**" };
        let digest = journal.digest.as_deref().unwrap_or("none");
        line(format!("- {}: {} entries, {whole}, digest `{digest}`", plain(&journal.name), journal.entries));
    }
    for playbook in &report.playbooks {
        line(format!("\n## Playbook {}\n\nDigest `{}`\n", plain(&playbook.id), playbook.digest));
        line(fenced(&playbook.text, "toml"));
    }
    out
}

fn to_confirm(one: &ToConfirm) -> String {
    let by = one.module.as_ref().map(|module| format!(" by module `{module}`")).unwrap_or_default();
    let (at, deputy, lever) = (short(&one.at), plain(&one.deputy), plain(&one.lever));
    let (address, chain_id, safe) = (&one.address, one.chain_id, plain(&one.safe));
    format!(
        "- {at}: lever {lever} by {deputy} `{address}`{by}, chain {chain_id}: {}. {safe} confirms it, or takes it back: {}",
        plain(&one.state()),
        plain(&one.undo)
    )
}

fn transaction(one: &Tx) -> String {
    let mut out = format!("\n## {}\n\n", plain(&one.what));
    let mut line = |text: String| {
        let _ = writeln!(out, "- {text}");
    };
    line(format!("Safe {} `{}`, chain {}, nonce {}", plain(&one.safe), one.address, one.chain_id, one.nonce));
    line(format!("safeTxHash `{}`", one.safe_tx_hash));
    match &one.on_chain {
        Some(on_chain) => {
            let how = if on_chain.succeeded { "executed" } else { "**executed, and failed**" };
            let time = on_chain.time.as_deref().map(|time| format!(", {}", short(time))).unwrap_or_default();
            line(format!("{how} in block {}{time}: `{}`", on_chain.block, on_chain.transaction));
            line(format!("signed by {} (from the call's data)", plain(&on_chain.signed_by.join(", "))));
            line(format!("paid by {}", plain(&on_chain.paid_by)));
        }
        None => line(format!(
            "not confirmed by the chain: {}",
            plain(one.unknown.as_deref().unwrap_or("not asked"))
        )),
    }
    if one.is_proven {
        line("its effect was proven, by the journal".into());
    }
    for change in &one.changes {
        let before = change.before.as_deref().unwrap_or("not known");
        let after = change.after.as_deref().unwrap_or("not known");
        line(format!("{}: {} → {}", plain(&change.what), plain(before), plain(after)));
    }
    if !one.check.is_empty() {
        let _ = write!(out, "\nTo check it without breakglass:\n\n{}\n", fenced(&one.check.join("\n"), "sh"));
    }
    out
}

pub(super) fn took(time: &Time) -> String {
    match time.seconds {
        None => "not in these journals".into(),
        Some(seconds) if time.is_late => format!("**{} (late)**", time_text(seconds)),
        Some(seconds) => time_text(seconds),
    }
}

/// Returns `2026-11-26T22:31:04.000Z` to the second.
pub(super) fn short(time: &str) -> String {
    time.get(..19).unwrap_or(time).replace('T', " ")
}

/// Returns the text in a fence that nothing in it can end.
fn fenced(text: &str, language: &str) -> String {
    let mut fence = "```".to_string();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}{language}\n{}\n{fence}", shown(text.trim_end()))
}

/// Returns a text on one line in which no character has a meaning in Markdown or HTML. GitHub makes links of `https://`
/// and `www.`: these are escaped too.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        let ends = |end: &str| {
            let last = out.len().checked_sub(end.len()).and_then(|at| out.get(at..));
            last.is_some_and(|last| last.eq_ignore_ascii_case(end))
        };
        let begins_link = (c == '/' && ends(":")) || (c == '.' && ends("www"));
        match c {
            c if begins_link => out.extend(['\\', c]),

            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!' | '&' | '~' | '@' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}
