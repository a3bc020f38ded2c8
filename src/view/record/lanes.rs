//! The timeline as inline SVG: a lane for each person, one for the chain and one for monitors.

use std::fmt::Write;

use super::IncidentReport;
use super::escape::escaped;

const LEFT: u64 = 110;
const WIDTH: u64 = 760;
const LANE: u64 = 34;
const TOP: u64 = 24;

/// Returns the picture; empty if there is nothing to show.
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
