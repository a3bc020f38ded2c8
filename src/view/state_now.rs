//! Open proposals and the state of every lever now, as tables and as JSON.

use alloy::primitives::Address;
use serde::Serialize;

use crate::ceremony::barred::Entitled;
use crate::ceremony::desk::Desk;
use crate::ceremony::overviews::armed_ahead::ArmedAhead;
use crate::ceremony::overviews::lever_state::LeverState;
use crate::ceremony::overviews::open_proposal::OpenProposal;
use crate::ceremony::overviews::overview::{ChainRead, Overview};
use crate::clock;
use crate::council::Lever;
use crate::incident::Utc;
use crate::playbook::PlaybookKind;
use crate::safe::Approval;
use crate::ui::{Lines, Text};
use crate::view::review_lines::already_done::length;

/// The header of [`StateNow::rows`].
pub const OPEN: [&str; 6] = ["Safe", "nonce", "lever", "signed", "missing", "since"];

/// Open proposals, and the block at which each chain was read.
#[derive(Serialize)]
pub struct StateNow {
    open: Vec<OpenNow>,
    armed: Vec<ArmedNow>,
    chains: Vec<ChainNow>,
    #[serde(skip)]
    more_open: usize,
}

/// An open proposal.
#[derive(Serialize)]
struct OpenNow {
    safe: String,
    chain: String,
    lever: String,
    /// `real` or `drill`.
    purpose: String,
    nonce: String,
    safe_next_nonce: Option<String>,
    safe_tx_hash: String,
    signed: Vec<String>,
    threshold: usize,
    missing: Vec<String>,
    since: Option<String>,
    /// The lever that keeps its nonce.
    kept_by: Option<String>,
    /// The command that comes next.
    next: String,
    #[serde(skip)]
    age: Option<String>,
    #[serde(skip)]
    warning: Option<String>,
}

/// A transaction that is signed ahead, at the nonces that are not used.
#[derive(Serialize)]
struct ArmedNow {
    lever: String,
    safe: String,
    nonces: Vec<String>,
}

/// A chain: the block at which it was read, or why it was not.
#[derive(Serialize)]
#[serde(untagged)]
enum ChainNow {
    Read { chain: String, block: u64, seconds_old: u64 },
    NotRead { chain: String, not_read: String },
}

impl StateNow {
    /// `me` is the reader, where their settings say who that is.
    pub fn new(desk: &Desk, overview: &Overview, me: Option<Address>) -> Self {
        Self {
            open: overview.open.iter().map(|open| OpenNow::new(desk, open, me)).collect(),
            armed: overview.armed.iter().map(ArmedNow::from).collect(),
            chains: overview.chains.iter().map(ChainNow::from).collect(),
            more_open: overview.more_open,
        }
    }

    /// Returns one line for each chain, and one if nothing is open.
    pub fn chains(&self) -> Lines {
        let line = |one: &ChainNow| match one {
            ChainNow::Read { chain, block, seconds_old } => Text::default()
                .dim("state on ")
                .add(chain)
                .dim(&format!(" at block {block}, {} old", length(*seconds_old))),
            ChainNow::NotRead { chain, not_read } => {
                Text::default().warn("not known: ").add(&format!("the state on {chain}: {not_read}"))
            }
        };
        let none = self.open.is_empty().then(|| Text::new("nothing is open"));
        self.chains.iter().map(line).chain(none).collect()
    }

    /// Returns a line for each transaction that is signed ahead, and the command for details.
    pub fn armed(&self) -> Lines {
        let how = (!self.armed.is_empty()).then(|| Text::default().dim("  → ").bold("breakglass armed"));
        self.armed.iter().map(ArmedNow::line).chain(how).collect()
    }

    pub fn rows(&self) -> Vec<Vec<String>> {
        self.open.iter().map(OpenNow::row).collect()
    }

    /// Returns the next command for each open proposal, each command once, and how many older ones there are.
    pub fn next_steps(&self) -> Lines {
        let warning =
            |open: &OpenNow| open.warning.as_ref().map(|text| Text::default().warn("  ! ").add(text));
        let line = |(at, open): (usize, &OpenNow)| {
            let is_new = self.open[..at].iter().all(|before| before.next != open.next);
            is_new.then(|| Text::default().dim("  → ").bold(&open.next))
        };
        let next = self.open.iter().enumerate();
        let next = next.flat_map(|(at, open)| warning(open).into_iter().chain(line((at, open))));
        let older = (self.more_open > 0).then(|| {
            let text = format!("{} older proposals are kept, and were not looked at", self.more_open);
            Text::default().warn("note: ").add(&text)
        });
        let end = (!self.open.is_empty()).then(Text::default);
        next.chain(older).chain(end).collect()
    }
}

impl OpenNow {
    fn new(desk: &Desk, open: &OpenProposal, me: Option<Address>) -> Self {
        let book = desk.council.names_on(&open.chain);
        let name = |owner| book.name_or_digits(owner);
        let age = |since: Utc| length(clock::seconds().saturating_sub(since.as_seconds()));
        Self {
            safe: open.safe.clone(),
            chain: open.chain.clone(),
            lever: open.words.clone(),
            purpose: open.proposal.purpose().to_string(),
            nonce: open.proposal.nonce().to_string(),
            safe_next_nonce: open.next.map(|next| next.to_string()),
            safe_tx_hash: open.proposal.hash().to_string(),
            signed: open.tally.approved.iter().map(Approval::owner).map(name).collect(),
            threshold: open.tally.threshold.get(),
            missing: open.tally.missing.iter().copied().map(name).collect(),
            since: open.since.map(|since| since.to_string()),
            kept_by: open.keeper.as_ref().map(|keeper| keeper.title.clone()),
            next: next(open, me),
            age: open.since.map(age),
            warning: nonce_keeper_text(open),
        }
    }

    fn row(&self) -> Vec<String> {
        vec![
            format!("{} on {}", self.safe, self.chain),
            self.nonce.clone(),
            self.lever.clone(),
            format!("{} of {}", self.signed.len(), self.threshold),
            self.missing.join(", "),
            self.age.clone().unwrap_or_default(),
        ]
    }
}

impl From<&ArmedAhead> for ArmedNow {
    fn from(one: &ArmedAhead) -> Self {
        let nonces = one.nonces.iter().map(ToString::to_string).collect();
        Self { lever: one.words.clone(), safe: one.safe.clone(), nonces }
    }
}

impl ArmedNow {
    fn line(&self) -> Text {
        let nonces = match &self.nonces[..] {
            [first, .., last] => format!("{} nonces, {first} to {last}", self.nonces.len()),
            one => format!("nonce {}", one.concat()),
        };
        let text = format!(" for {} at {nonces}", self.safe);
        Text::default().warn("signed ahead: ").add(&self.lever).add(&text)
    }
}

impl From<&ChainRead> for ChainNow {
    fn from(one: &ChainRead) -> Self {
        let chain = one.chain.clone();
        match &one.read {
            Ok((block, age)) => Self::Read { chain, block: *block, seconds_old: *age },
            Err(why) => Self::NotRead { chain, not_read: why.clone() },
        }
    }
}

/// Returns the next command for this reader.
fn next(open: &OpenProposal, me: Option<Address>) -> String {
    let OpenProposal { words, .. } = open;
    let is_enough = open.tally.approved.len() >= open.tally.threshold.get();
    let have_i_signed = open.tally.approved.iter().any(|approval| Some(approval.owner()) == me);
    // A drill is proven at any nonce.
    match open.next.filter(|next| *next < open.proposal.nonce() && !open.proposal.is_drill()) {
        Some(next) if is_enough => format!("breakglass broadcast {words}, once nonce {next} is used"),
        _ if is_enough => format!("breakglass broadcast {words}"),
        _ if have_i_signed => format!("breakglass import {words}, once the others have signed"),
        _ => format!("breakglass sign {words}"),
    }
}

/// Returns the warning that another lever keeps the nonce of an open proposal; `None` if none does.
fn nonce_keeper_text(open: &OpenProposal) -> Option<String> {
    let (own, keeper) = (open.proposal.nonce(), open.keeper.as_ref()?);
    let keeps =
        format!("{} keeps nonce {}, for which {} signed it", keeper.title, keeper.nonce, keeper.signers);
    Some(if keeper.nonce == own {
        format!("{}: {keeps}. Sign {} again: it then takes the next free nonce", open.words, open.words)
    } else {
        format!("{} has nonce {own}: {keeps}", open.words)
    })
}

/// Returns the state in one word, for a script.
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

/// Returns the state of a lever's target in a few words: `running`, `paused since 22:39 UTC`, `cannot: owned by erin`.
pub fn sentence(desk: &Desk, lever: &Lever, kind: PlaybookKind, state: &LeverState) -> String {
    let named = |address: Address| {
        let safe = desk.council.safes.get(&lever.safe);
        safe.map(|safe| desk.council.names_on(&safe.chain)).unwrap_or_default().name_or_digits(address)
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

/// Returns the time of day if it was within a day, else the date.
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
    fn a_time_within_a_day_is_a_time_of_day() {
        let time: Utc = "2026-11-26T22:39:31.000Z".parse().unwrap();
        let then = time.as_seconds();
        assert_eq!(moment(time, then + 86_399), "22:39 UTC");
        assert_eq!(moment(time, then + 86_400), "2026-11-26");
        assert_eq!(moment(time, 0), "22:39 UTC", "a clock that is behind");
    }
}
