//! The record as one HTML page without scripts or external resources, light and dark, printable.

use std::fmt::Write;

use super::escape::escaped;
use super::markdown::short;
use super::{IncidentReport, Tx, time_text};

const STYLE: &str = include_str!("page.css");

/// Returns the whole page.
pub fn html(report: &IncidentReport) -> String {
    let title = escaped(&report.headline());
    let mut body = format!("<h1>{title}</h1>\n<p class=\"head\">{}", escaped(&report.council));
    let began = report.began.as_deref().map_or_else(|| "not known".into(), short);
    let closed = report.closed.as_deref().map_or_else(|| "still open".into(), short);
    let _ = write!(body, " · began {began} UTC · closed {closed}");
    for role in &report.roles {
        let _ = write!(body, " · {} {}", escaped(&role.name), role.role);
    }
    body.push_str("</p>\n");
    body.push_str(&timeline_svg(report));
    body.push_str(&times(report));
    body.push_str(&timeline(report));
    report.transactions.iter().for_each(|one| body.push_str(&transaction(one)));
    body.push_str(&to_be_confirmed(report));
    body.push_str(&last_parts(report));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

fn times(report: &IncidentReport) -> String {
    let mut out = "<h2>Times</h2>\n<div class=\"scroll\"><table><tr><th>from the beginning to</th><th>took</th><th>wanted</th></tr>\n".to_string();
    for time in &report.times {
        let took = time.seconds.map_or_else(|| "not in these journals".into(), time_text);
        let class = if time.is_late { " class=\"late\"" } else { "" };
        let late = if time.is_late { ", late" } else { "" };
        let wanted = time.wanted_seconds.map_or_else(|| "-".into(), time_text);
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td{class}>{took}{late}</td><td>{wanted}</td></tr>",
            escaped(&time.what)
        );
    }
    out + "</table></div>\n"
}

fn timeline(report: &IncidentReport) -> String {
    let mut out =
        "<h2>Timeline</h2>\n<div class=\"scroll\"><table><tr><th>UTC</th><th>who</th><th>what</th><th>by</th></tr>\n".to_string();
    for row in &report.timeline {
        let class = if row.is_grave { " class=\"late\"" } else { "" };
        let _ = writeln!(
            out,
            "<tr{class}><td class=\"when\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            short(&row.at),
            escaped(&row.lane),
            escaped(&row.text),
            row.by
        );
    }
    out + "</table></div>\n<p class=\"note\">“journal” is the statement of its writer; “chain” is the chain's own word.</p>\n"
}

fn transaction(one: &Tx) -> String {
    let mut out = format!("<h2>{}</h2>\n<dl>\n", escaped(&one.what));
    let mut row = |what: &str, text: &str| {
        let _ = writeln!(out, "<dt>{what}</dt><dd>{text}</dd>");
    };
    row(
        "Safe",
        &format!(
            "{} <code>{}</code>, chain {}, nonce {}",
            escaped(&one.safe),
            one.address,
            one.chain_id,
            escaped(&one.nonce)
        ),
    );
    row("safeTxHash", &format!("<code>{}</code>", one.safe_tx_hash));
    match &one.on_chain {
        Some(on_chain) => {
            let how =
                if on_chain.succeeded { "executed" } else { "<b class=\"late\">executed, and failed</b>" };
            let time =
                on_chain.time.as_deref().map(|time| format!(", {} UTC", short(time))).unwrap_or_default();
            row(
                "chain",
                &format!("{how} in block {}{time}<br><code>{}</code>", on_chain.block, on_chain.transaction),
            );
            row(
                "signed by",
                &on_chain.signed_by.iter().map(|name| escaped(name)).collect::<Vec<_>>().join("<br>"),
            );
            row("paid by", &escaped(&on_chain.paid_by));
        }
        None => row(
            "chain",
            &format!("not confirmed: {}", escaped(one.unknown.as_deref().unwrap_or("not asked"))),
        ),
    }
    if one.is_proven {
        row("proof", "its effect was proven, by the journal");
    }
    for change in &one.changes {
        let before = escaped(change.before.as_deref().unwrap_or("not known"));
        let after = escaped(change.after.as_deref().unwrap_or("not known"));
        row(&escaped(&change.what), &format!("{before} → <b>{after}</b>"));
    }
    out.push_str("</dl>\n");
    if !one.check.is_empty() {
        let lines = escaped(&one.check.join("\n"));
        let _ = writeln!(out, "<p class=\"note\">To check it without breakglass:</p>\n<pre>{lines}</pre>");
    }
    out
}

fn to_be_confirmed(report: &IncidentReport) -> String {
    if report.to_be_confirmed.is_empty() {
        return String::new();
    }
    let mut out = "<h2>To be confirmed</h2>\n<p>One key acted alone. Nothing on chain confirms it: the council does, in a decision of its own.</p>\n<dl>\n".to_string();
    for one in &report.to_be_confirmed {
        let by = one.module.as_ref().map(|module| format!("<br>by module <code>{module}</code>"));
        let _ = writeln!(
            out,
            "<dt>{}</dt><dd>lever {} by {} <code>{}</code>{}<br>{}<br>{} confirms it, or takes it back: <code>{}</code></dd>",
            short(&one.at),
            escaped(&one.lever),
            escaped(&one.deputy),
            one.address,
            by.unwrap_or_default(),
            escaped(&one.state()),
            escaped(&one.safe),
            escaped(&one.undo)
        );
    }
    out + "</dl>\n"
}

fn last_parts(report: &IncidentReport) -> String {
    let mut out = String::new();
    if !report.accepted.is_empty() {
        out.push_str("<h2 class=\"late\">Refusals that were accepted</h2>\n<ul>\n");
        for one in &report.accepted {
            let _ = writeln!(
                out,
                "<li class=\"late\">{} at {}: {}</li>",
                escaped(&one.who),
                short(&one.at),
                escaped(&one.ids.join(", "))
            );
        }
        out.push_str("</ul>\n");
    }
    if !report.contradictions.is_empty() {
        out.push_str("<h2 class=\"late\">Contradictions</h2>\n<ul>\n");
        report.contradictions.iter().for_each(|text| {
            let _ = writeln!(out, "<li class=\"late\">{}</li>", escaped(text));
        });
        out.push_str("</ul>\n");
    }
    out.push_str("<h2>Journals</h2>\n<ul>\n");
    for journal in &report.journals {
        let whole =
            if journal.is_whole { "whole" } else { "<b class=\"late\">its chain of digests is broken</b>" };
        let digest = journal.digest.as_deref().unwrap_or("none");
        let _ = writeln!(
            out,
            "<li>{}: {} entries, {whole}<br><code>{}</code></li>",
            escaped(&journal.name),
            journal.entries,
            escaped(digest)
        );
    }
    out.push_str("</ul>\n");
    for playbook in &report.playbooks {
        let _ = writeln!(
            out,
            "<h2>Playbook {}</h2>\n<p><code>{}</code></p>\n<pre>{}</pre>",
            escaped(&playbook.id),
            escaped(&playbook.digest),
            escaped(&playbook.text)
        );
    }
    out
}

const LEFT: u64 = 110;
const WIDTH: u64 = 760;
const LANE: u64 = 34;
const TOP: u64 = 24;

/// Returns the picture; empty where there is nothing to show.
pub(super) fn timeline_svg(report: &IncidentReport) -> String {
    let (Some(first), Some(last)) = (
        report.timeline.iter().map(|row| row.millis).min(),
        report.timeline.iter().map(|row| row.millis).max(),
    ) else {
        return String::new();
    };
    let mut lanes: Vec<&str> = Vec::new();
    for row in &report.timeline {
        if !lanes.contains(&row.lane.as_str()) {
            lanes.push(&row.lane);
        }
    }
    // Monitors above, the chain below, people in the order in which they came.
    lanes.sort_by_key(|lane| match *lane {
        "monitor" => 0,
        "chain" => 2,
        _ => 1,
    });
    let span = (last - first).max(1);
    let x = |millis: u64| LEFT + (millis - first) * WIDTH / span;
    let height = TOP + LANE * lanes.len() as u64 + 24;
    let full = LEFT + WIDTH + 30;
    let mut out = format!(
        "<div class=\"scroll\">\n<svg viewBox=\"0 0 {full} {height}\" role=\"img\" aria-label=\"Timeline\" xmlns=\"http://www.w3.org/2000/svg\">\n"
    );
    for (at, lane) in lanes.iter().enumerate() {
        let y = TOP + LANE * at as u64 + LANE / 2;
        let _ = writeln!(
            out,
            "<text x=\"4\" y=\"{}\" class=\"lane\">{}</text><line x1=\"{LEFT}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\"/>",
            y + 4,
            escaped(&lane.chars().take(14).collect::<String>()),
            LEFT + WIDTH
        );
        for row in report.timeline.iter().filter(|row| row.lane == **lane) {
            let class = match (row.is_grave, row.by) {
                (true, _) => "grave",
                (false, "chain") => "chain",
                _ => "stated",
            };
            let _ = writeln!(
                out,
                "<circle cx=\"{}\" cy=\"{y}\" r=\"6\" class=\"{class}\"><title>{} {}</title></circle>",
                x(row.millis),
                escaped(&row.at),
                escaped(&row.text)
            );
        }
    }
    let y = height - 6;
    let seconds = (last - first) / 1_000;
    let _ = writeln!(
        out,
        "<text x=\"{LEFT}\" y=\"{y}\" class=\"tick\">0 s</text><text x=\"{}\" y=\"{y}\" class=\"tick\" text-anchor=\"end\">{}</text>",
        LEFT + WIDTH,
        super::time_text(seconds)
    );
    out + "</svg>\n</div>\n"
}
