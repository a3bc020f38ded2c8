//! In what two playbooks differ, for whoever thinks that they are the same. Pure.

use std::collections::BTreeMap;

use super::{Claim, Playbook, Step};

impl Playbook {
    /// Returns in what this playbook differs from another, what it does first; nothing if the texts differ in comments
    /// or spaces alone.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let steps = |playbook: &Self| playbook.steps.iter().map(written).collect::<Vec<_>>();
        let claims = |claims: &[Claim]| claims.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut found = rows("step", &steps(self), &steps(other));
        found.extend(rows("check before", &claims(&self.before), &claims(&other.before)));
        found.extend(rows("check after", &claims(&self.after), &claims(&other.after)));
        found.extend(by_name("param", &params(self), &params(other)));
        found.extend(by_name("read", &reads(self), &reads(other)));
        let fields = [
            ("changes", self.changes != other.changes),
            ("undo", self.undo != other.undo),
            ("errors", self.errors != other.errors),
            ("no_errors", self.no_errors != other.no_errors),
            ("delay", self.delay != other.delay),
            ("repeatable", self.repeatable != other.repeatable),
            ("role", self.role != other.role),
            ("anyone", self.anyone != other.anyone),
            ("title", self.title != other.title),
            ("summary", self.summary != other.summary),
            ("severity", self.severity != other.severity),
            ("does_not_stop", self.does_not_stop != other.does_not_stop),
            ("cost", self.cost != other.cost),
            ("source", self.source != other.source),
        ];
        found.extend(fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_string()));
        found
    }
}

/// `setFee(uint256) with {fee} on {target}, left out if …`
fn written(step: &Step) -> String {
    let args = step.args.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let sends = step.value.as_ref().map_or_else(String::new, |value| format!(" with {value} wei"));
    let append = step.append.as_ref().map_or_else(String::new, |address| format!(", followed by {address}"));
    let tried = if step.tried { ", tried before" } else { "" };
    let skips: Vec<String> = step.skip_if.iter().map(|claim| format!(", left out if {claim}")).collect();
    let skips = skips.concat();
    let args = if args.is_empty() { args } else { format!(" with {args}") };
    let each = step.each.as_ref().map_or_else(String::new, |each| format!("{each}: "));
    format!("{each}{}{args}{append} on {}{sends}{tried}{skips}", step.function.signature(), step.to)
}

/// Lists in which the place counts.
fn rows(what: &str, own: &[String], other: &[String]) -> Vec<String> {
    let row = |at: usize| match (own.get(at), other.get(at)) {
        (Some(own), Some(other)) if own == other => None,
        (Some(own), Some(other)) => Some(format!("{what} {}: {own}, and built in {other}", at + 1)),
        (Some(own), None) => Some(format!("{what} {}: {own}, and built in none", at + 1)),
        (None, Some(other)) => Some(format!("{what} {}: none, and built in {other}", at + 1)),
        (None, None) => None,
    };
    (0..own.len().max(other.len())).filter_map(row).collect()
}

fn params(playbook: &Playbook) -> BTreeMap<&str, String> {
    playbook.params.iter().map(|param| (param.name.as_str(), format!("{param:?}"))).collect()
}

fn reads(playbook: &Playbook) -> BTreeMap<&str, String> {
    playbook
        .reads
        .iter()
        .map(|read| (read.name.as_str(), format!("{:?} {:?}", read.each, read.source)))
        .collect()
}

fn by_name(what: &str, own: &BTreeMap<&str, String>, other: &BTreeMap<&str, String>) -> Vec<String> {
    let gone = other.keys().filter(|name| !own.contains_key(*name));
    let gone = gone.map(|name| format!("{what} {name}: only built in"));
    let differing = own.iter().filter_map(|(name, text)| match other.get(name) {
        None => Some(format!("{what} {name}: not built in")),
        Some(other) if other != text => Some(format!("{what} {name}")),
        Some(_) => None,
    });
    gone.chain(differing).collect()
}
