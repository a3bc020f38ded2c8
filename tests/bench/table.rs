//! The table: one row per command, what it took, and what it may take.

use crate::measure::Cost;

/// One line. A value that was not measured is a dash.
#[derive(Clone, Debug, Default)]
pub struct Row {
    what: String,
    millis: Option<f64>,
    cpu: Option<f64>,
    megabytes: Option<f64>,
    rounds: Option<usize>,
    limits: Vec<String>,
    exceeded: bool,
}

impl Row {
    pub fn new(what: &str) -> Self {
        Self { what: what.into(), ..Self::default() }
    }

    pub fn cost(mut self, cost: Cost) -> Self {
        (self.millis, self.cpu, self.megabytes) = (Some(cost.millis), Some(cost.cpu), Some(cost.megabytes));
        self
    }

    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = Some(rounds);
        self
    }

    pub fn at_most_rounds(mut self, most: usize) -> Self {
        let exceeded = self.rounds.is_none_or(|rounds| rounds > most);
        self.limits.push(format!("{most} round{}", if most == 1 { "" } else { "s" }));
        self.exceeded |= exceeded;
        self
    }

    pub fn at_most_millis(self, most: f64) -> Self {
        let measured = self.millis;
        self.at_most(measured, most, "ms")
    }

    pub fn at_most_cpu(self, most: f64) -> Self {
        let measured = self.cpu;
        self.at_most(measured, most, "ms of processor")
    }

    pub fn at_most_megabytes(self, most: f64) -> Self {
        let measured = self.megabytes;
        self.at_most(measured, most, "MB")
    }

    fn at_most(mut self, measured: Option<f64>, most: f64, unit: &str) -> Self {
        self.exceeded |= measured.is_none_or(|measured| measured > most);
        self.limits.push(format!("{most} {unit}"));
        self
    }

    /// A condition that is not a number of the table: it holds or does not.
    pub fn must(mut self, holds: bool, what: &str) -> Self {
        self.exceeded |= !holds;
        self.note(what)
    }

    pub fn note(mut self, what: &str) -> Self {
        self.limits.push(what.into());
        self
    }
}

pub fn of(rows: &[Row]) -> String {
    let number = |n: Option<f64>| n.map_or("-".into(), |n| format!("{n:.1}"));
    let head = format!(
        "{:<46} {:>9} {:>9} {:>9} {:>7}  at most",
        "command, requests delayed by 100 ms", "ms", "CPU ms", "peak MB", "rounds"
    );
    let line = |row: &Row| {
        let rounds = row.rounds.map_or("-".into(), |rounds| rounds.to_string());
        let mark = if row.exceeded { "  EXCEEDED" } else { "" };
        format!(
            "{:<46} {:>9} {:>9} {:>9} {:>7}  {}{mark}",
            row.what,
            number(row.millis),
            number(row.cpu),
            number(row.megabytes),
            rounds,
            row.limits.join(", ")
        )
    };
    std::iter::once(head).chain(rows.iter().map(line)).collect::<Vec<_>>().join("\n")
}
