//! The report of `council check`, as lines and as JSON.

use serde::Serialize;

use crate::ceremony::trials::council_check::{LeverReport, bad_among};
use crate::ceremony::trials::council_online::{CouncilReport, ExaminedOwner};
use crate::check::OwnerKind;
use crate::ui::{Lines, Text};

/// Returns a line for each lever, then its faults, then those of the rest of the file.
pub fn lines(report: &CouncilReport) -> Lines {
    let mut lines = Lines::default();
    for lever in &report.levers {
        lines.say(&line(report, lever));
        for ignored in &lever.ignored {
            lines.say(&Text::default().add("    warning: ").add(ignored));
        }
        for fault in lever.faults.iter().flat_map(|fault| Text::block(fault)) {
            lines.say(&fault);
        }
    }
    for fault in &report.faults {
        lines.say(&Text::default().bad("✗ ").add(fault));
    }
    for ExaminedOwner { safe, owner, kind } in &report.owners {
        let sentence = format!("{safe}: {}", kind.sentence(owner));
        if *kind == OwnerKind::Safe {
            lines.say(&Text::default().good("✓ ").dim(&sentence));
        } else {
            lines.say(&Text::default().warn("! ").add(&sentence));
            lines.say(&Text::new("    ").add(kind.fix()));
        }
    }
    for why in &report.not_checked {
        lines.say(&Text::default().warn("not checked: ").add(why));
    }
    lines
}

fn line(report: &CouncilReport, lever: &LeverReport) -> Text {
    let bad = bad_among(&report.levers, &lever.pulls);
    let mark = if report.is_bad(lever) { Text::default().bad("✗ ") } else { Text::default().good("✓ ") };
    let line = mark.add(&lever.lever);
    match (lever.open.as_slice(), lever.pulls.as_slice()) {
        ([], []) => line,
        (open @ [_, ..], _) => line.dim(&format!("   leaves open: {}", open.join(", "))),
        (_, pulls) if bad.is_empty() => line.dim(&format!("   pulls {}", pulls.join(", "))),
        _ => line.add(&format!("   pulls {}, which cannot be pulled", bad.join(", "))),
    }
}

#[derive(Debug, Serialize)]
pub struct ReportObject<'a> {
    council: &'a str,
    levers: Vec<LeverObject<'a>>,
    faults: &'a [String],
    owners: Vec<OwnerObject<'a>>,
    not_checked: &'a [String],
}

/// An owner that is not a plain key.
#[derive(Debug, Serialize)]
struct OwnerObject<'a> {
    safe: &'a str,
    owner: &'a str,
    sentence: String,
    fix: &'static str,
}

#[derive(Debug, Serialize)]
struct LeverObject<'a> {
    lever: &'a str,
    good: bool,
    faults: &'a [String],
    open: &'a [String],
    pulls: &'a [String],
    ignored: &'a [String],
}

/// Returns the report of this council's file as JSON.
pub fn object<'a>(council: &'a str, report: &'a CouncilReport) -> ReportObject<'a> {
    let lever = |lever: &'a LeverReport| LeverObject {
        lever: &lever.lever,
        good: !report.is_bad(lever),
        faults: &lever.faults,
        open: &lever.open,
        pulls: &lever.pulls,
        ignored: &lever.ignored,
    };
    ReportObject {
        council,
        levers: report.levers.iter().map(lever).collect(),
        faults: &report.faults,
        owners: report
            .owners
            .iter()
            .map(|ExaminedOwner { safe, owner, kind }| OwnerObject {
                safe,
                owner,
                sentence: kind.sentence(owner),
                fix: kind.fix(),
            })
            .collect(),
        not_checked: &report.not_checked,
    }
}

/// An entry that was added to the council file, or that existed.
#[derive(Debug, Serialize)]
pub struct Added<'a> {
    council: &'a str,
    #[serde(rename = "added")]
    what: String,
    /// The digest of the file as it is now; `None` if nothing was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    done: &'static str,
}

impl<'a> Added<'a> {
    /// Returns an entry that existed.
    pub const fn new(council: &'a str, what: String) -> Self {
        Self { council, what, digest: None, done: "already" }
    }

    /// Returns an entry that was written, with the new digest of the file.
    pub fn written(self, digest: String) -> Self {
        Self { digest: Some(digest), done: "added", ..self }
    }

    pub fn lines(&self) -> Lines {
        let Self { council, what, .. } = self;
        let Some(digest) = &self.digest else {
            return [Text::new(&format!("{what} is there already: nothing to do"))].into_iter().collect();
        };
        let text = format!("its digest is now {digest}: give everybody this file; they are shown the change");
        Lines::from([
            Text::default().good("added ").add(what).add(&format!(" to {council}")),
            Text::new(&text),
        ])
    }
}
