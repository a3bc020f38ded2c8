//! Open proposals, and the state of every lever now: for a table and for a script.

use alloy::primitives::Address;
use serde_json::{Value, json};

use crate::ceremony::barred::Entitled;
use crate::ceremony::desk::Desk;
use crate::ceremony::overview::{ChainRead, LeverState, Open, Overview};
use crate::clock;
use crate::council::Lever;
use crate::evm::AddressBook;
use crate::incident::Utc;
use crate::playbook::PlaybookKind;
use crate::safe::Approval;
use crate::ui::{Lines, Text};
use crate::view::already_done::length;
use crate::view::slot_words::shortened;

/// The header of [`open_row`].
pub const OPEN: [&str; 6] = ["Safe", "nonce", "lever", "signed", "missing", "since"];

/// Returns one line for each chain: at which block it was read, or why it was not.
#[must_use]
pub fn chains(overview: &Overview) -> Lines {
    let line = |one: &ChainRead| match &one.read {
        Ok((block, age)) => Text::default()
            .dim("state on ")
            .add(&one.chain)
            .dim(&format!(" at block {block}, {} old", length(*age))),
        Err(why) => Text::default().warn("not known: ").add(&format!("the state on {}: {why}", one.chain)),
    };
    overview.chains.iter().map(line).collect()
}

fn names(desk: &Desk, open: &Open, owners: impl Iterator<Item = Address>) -> Vec<String> {
    let book: AddressBook = desk.council.names_on(&open.chain);
    owners.map(|owner| book.name(owner).map_or_else(|| shortened(owner), str::to_string)).collect()
}

/// Returns the row of one open proposal.
#[must_use]
pub fn open_row(desk: &Desk, open: &Open) -> Vec<String> {
    let now = clock::seconds();
    let since = open.since.map(|since| length(now.saturating_sub(since.as_seconds())));
    vec![
        format!("{} on {}", open.safe, open.chain),
        open.proposal.nonce().to_string(),
        open.words.clone(),
        format!("{} of {}", open.tally.approved.len(), open.tally.threshold),
        names(desk, open, open.tally.missing.iter().copied()).join(", "),
        since.unwrap_or_default(),
    ]
}

/// Returns the command that comes next for each open proposal, and how many older ones there are.
#[must_use]
pub fn next_steps(overview: &Overview) -> Lines {
    let kept = |open: &Open| kept_by(open).map(|text| Text::default().warn("  ! ").add(&text));
    let line = |open: &Open| Text::default().dim("  → ").bold(&next(open));
    let next = overview.open.iter().flat_map(|open| kept(open).into_iter().chain([line(open)]));
    let older = (overview.more_open > 0).then(|| {
        let text = format!("{} older proposals are kept, and were not looked at", overview.more_open);
        Text::default().warn("note: ").add(&text)
    });
    next.chain(older).chain([Text::default()]).collect()
}

/// Returns the command that comes next.
fn next(open: &Open) -> String {
    let Open { words, .. } = open;
    let is_enough = open.tally.approved.len() >= open.tally.threshold.get();
    match open.next.filter(|next| *next < open.proposal.nonce()) {
        Some(next) if is_enough => format!("breakglass broadcast {words}, once nonce {next} is used"),
        _ if is_enough => format!("breakglass broadcast {words}"),
        _ => format!("breakglass sign {words}"),
    }
}

/// Returns which lever keeps the nonce that an open one would have, and what to do; `None` if none does.
fn kept_by(open: &Open) -> Option<String> {
    let (own, keeper) = (open.proposal.nonce(), open.keeper.as_ref()?);
    let keeps =
        format!("{} keeps nonce {}, for which {} signed it", keeper.title, keeper.nonce, keeper.signers);
    Some(if keeper.nonce == own {
        format!("{}: {keeps}. Sign {} again: it then takes the next free nonce", open.words, open.words)
    } else {
        format!("{} has nonce {own}: {keeps}", open.words)
    })
}

/// Returns one open proposal for `--json`.
#[must_use]
pub fn open_object(desk: &Desk, open: &Open) -> Value {
    json!({
        "safe": open.safe, "chain": open.chain, "lever": open.words,
        "nonce": open.proposal.nonce().to_string(),
        "safe_next_nonce": open.next.map(|next| next.to_string()),
        "safe_tx_hash": open.proposal.hash().to_string(),
        "signed": names(desk, open, open.tally.approved.iter().map(Approval::owner)),
        "threshold": open.tally.threshold.get(),
        "missing": names(desk, open, open.tally.missing.iter().copied()),
        "since": open.since.map(|since| since.to_string()),
        "kept_by": open.keeper.as_ref().map(|keeper| &keeper.title),
        "next": next(open),
    })
}

/// Returns one chain for `--json`.
#[must_use]
pub fn chain_object(one: &ChainRead) -> Value {
    match &one.read {
        Ok((block, age)) => json!({ "chain": one.chain, "block": block, "seconds_old": age }),
        Err(why) => json!({ "chain": one.chain, "not_read": why }),
    }
}

/// Returns the state in one word, for a script.
#[must_use]
pub const fn word(state: &LeverState) -> &'static str {
    match state {
        LeverState::Done { .. } => "done",
        LeverState::Ready { .. } => "ready",
        LeverState::Barred { .. } => "barred",
        LeverState::Cannot(_) => "cannot",
        LeverState::Asks(_) => "asks",
        LeverState::Unknown(_) => "unknown",
    }
}

/// Returns the state of what a lever changes, in a few words: `running`, `paused since 22:39 UTC`, `cannot: owned by erin`.
#[must_use]
pub fn sentence(desk: &Desk, lever: &Lever, kind: PlaybookKind, state: &LeverState) -> String {
    let named = |address: Address| {
        let chain = desk.council.safes.get(&lever.safe).map(|safe| desk.council.names_on(&safe.chain));
        let name = chain.as_ref().and_then(|names| names.name(address)).map(str::to_string);
        name.unwrap_or_else(|| shortened(address))
    };
    match state {
        LeverState::Done { since } => {
            let since = since.map(|since| format!(" since {}", moment(since, clock::seconds())));
            let done = if kind == PlaybookKind::Pause { "paused" } else { "done" };
            format!("{done}{}", since.unwrap_or_default())
        }
        LeverState::Ready { until } => {
            let until = until.map(|until| {
                let left = until.saturating_sub(clock::seconds());
                format!(", window ends in {}", length(left))
            });
            let ready = if kind == PlaybookKind::Pause { "running" } else { "ready" };
            format!("{ready}{}", until.unwrap_or_default())
        }
        LeverState::Barred { to: Entitled::Owner, owner: Some(owner) } => {
            format!("cannot: owned by {}", named(*owner))
        }
        LeverState::Barred { to: Entitled::Owner, .. } => format!("cannot: {} is not its owner", lever.safe),
        LeverState::Barred { to: Entitled::Role(_), .. } => format!("cannot: {} lacks the role", lever.safe),
        LeverState::Cannot(why) => format!("cannot: {why}"),
        LeverState::Asks(missing) => format!("asks for {}", missing.join(", ")),
        LeverState::Unknown(_) => "not known".into(),
    }
}

/// The time of day if it was within a day, else the date.
fn moment(time: Utc, now: u64) -> String {
    let text = time.to_string();
    let (date, of_day) = text.split_once('T').unwrap_or((&text, ""));
    if now.saturating_sub(time.as_seconds()) < 86_400 {
        return format!("{} UTC", of_day.get(..5).unwrap_or(of_day));
    }
    date.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_of_day_for_a_day() {
        let time: Utc = "2026-11-26T22:39:31.000Z".parse().unwrap();
        let then = time.as_seconds();
        assert_eq!(moment(time, then + 86_399), "22:39 UTC");
        assert_eq!(moment(time, then + 86_400), "2026-11-26");
        assert_eq!(moment(time, 0), "22:39 UTC", "a clock that is behind");
    }
}
