//! The record of an incident: what its journals state and what the chain itself says, in one order of time. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use alloy::primitives::Address;

use super::alone::{DeputyAct, Receipts, deputy_acts};
use super::asked::unanswered;
use super::entry::{DeputyStep, Entry, JournalAct, OpenedIncident, TransactionRef, TxStep};
use super::merge::Merged;
use super::plain::Plain;
use super::time::Utc;
use super::timeline::{Belongs, belonging, deciding};
use crate::council::{Council, Response};
use crate::evm::TxHash;
use crate::playbook::Severity;
use crate::safe::SafeTxHash;

/// A journal may enter the sending of a transaction so much later than its block.
const LATE: Duration = Duration::from_secs(10);

/// The entries that a record is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordScope {
    /// The incident that an entry of this number opened in the first journal.
    Opened(u64),
    /// The last transaction of this lever, and its incident if one was open.
    Lever(String),
    Since(Utc),
    /// The last incident, or the last transaction if none was opened.
    Last,
}

/// The execution of one Safe transaction, as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionFacts {
    pub tx: TxHash,
    pub block: u64,
    /// Seconds since 1970.
    pub time: Option<u64>,
    pub succeeded: bool,
    pub sender: Address,
    /// Recovered from the call's data.
    pub signers: Vec<Address>,
}

/// One value that the playbook checks, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueChange {
    pub label: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// A playbook that a transaction was derived from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedPlaybook {
    pub id: String,
    pub digest: String,
    pub text: String,
}

/// Everything found about one transaction outside the journals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TxFacts {
    pub executed: Option<ExecutionFacts>,
    /// The reason why the chain could not be asked, or does not have it.
    pub unknown: Option<String>,
    pub changes: Vec<ValueChange>,
    pub playbooks: Vec<UsedPlaybook>,
    /// `cast` lines that show the same.
    pub lines: Vec<String>,
}

/// One Safe transaction of the incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    pub about: TransactionRef,
    pub facts: TxFacts,
    /// The chain's transaction and block that a journal states.
    pub stated: Option<(TxHash, u64)>,
    pub is_proven: bool,
}

/// The row of the timeline that a moment belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    Monitor,
    Person(String),
    Chain,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    pub at: Utc,
    pub lane: Lane,
    /// The event; the entry itself if a journal states it.
    pub what: Happened,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A journal has this entry.
    Entered(JournalAct, Option<TransactionRef>),
    /// The chain has the Safe's transaction in this block.
    Mined { about: TransactionRef, block: u64, succeeded: bool },
    /// An owner was asked to sign it, and did not answer.
    Unanswered { about: TransactionRef },
}

/// A step of an incident or drill whose time is measured from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimedPhase {
    FirstSignature,
    EnoughSignatures,
    Sent,
    InBlock,
    Proven,
}

impl TimedPhase {
    /// Returns its name for a person and for `--json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstSignature => "first signature",
            Self::EnoughSignatures => "enough signatures",
            Self::Sent => "sent",
            Self::InBlock => "in a block",
            Self::Proven => "proven",
        }
    }
}

/// The time that a phase took from the beginning, and the council's goal for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    pub phase: TimedPhase,
    pub took: Option<Duration>,
    pub wanted: Option<Duration>,
}

impl Measure {
    /// Returns `true` if it took longer than the council wants.
    pub fn is_late(&self) -> bool {
        matches!((self.took, self.wanted), (Some(took), Some(wanted)) if took > wanted)
    }
}

/// A person, the time, and the ids of the refusals that they accepted.
pub type AcceptedIds = (Option<Plain>, Utc, Vec<Plain>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub title: String,
    pub severity: Option<Severity>,
    pub roles: Vec<(&'static str, Plain)>,
    pub began: Option<Utc>,
    pub closed: Option<Utc>,
    pub moments: Vec<Moment>,
    pub transactions: Vec<Transaction>,
    /// Acts of deputies, to be confirmed.
    pub alone: Vec<DeputyAct>,
    pub accepted: Vec<AcceptedIds>,
    pub measures: Vec<Measure>,
    /// Contradictions between the journals and the chain, or between two journals.
    pub contradictions: Vec<String>,
}

/// Returns the entries of a scope, in the order of time.
pub fn select<'e>(merged: &Merged<'e>, wanted: &RecordScope) -> Vec<&'e Entry> {
    let entries: Vec<&Entry> = merged.entries.iter().map(|(_, entry)| *entry).collect();
    let belongs = belonging(&merged.entries);
    let of = |wanted: Belongs| {
        let pairs = entries.iter().zip(&belongs);
        pairs.filter(|(_, belongs)| **belongs == wanted).map(|(entry, _)| *entry).collect()
    };
    let last = |is_wanted: &dyn Fn(&Entry, &Belongs) -> bool| {
        let mut pairs = entries.iter().zip(&belongs).rev();
        pairs
            .find(|(entry, belongs)| {
                !matches!(belongs, Belongs::Nothing | Belongs::Drill(_)) && is_wanted(entry, belongs)
            })
            .map(|(_, b)| *b)
    };
    let place = match wanted {
        RecordScope::Since(moment) => {
            return entries.into_iter().filter(|entry| entry.draft.time >= *moment).collect();
        }
        RecordScope::Opened(number) => {
            let opens = |(journal, entry): &(usize, &Entry)| *journal == 0 && entry.number == *number;
            merged.entries.iter().position(opens).map(Belongs::Incident)
        }
        RecordScope::Lever(name) => last(&|entry, _| {
            let is_deputys =
                matches!(&entry.draft.act, JournalAct::Deputy(act) if act.lever.to_string() == *name);
            is_deputys || entry.draft.about.as_ref().is_some_and(|about| names(about, name))
        }),
        RecordScope::Last => {
            last(&|_, belongs| matches!(belongs, Belongs::Incident(_))).or_else(|| last(&|_, _| true))
        }
    };
    place.map(of).unwrap_or_default()
}

/// Returns `true` if an entry's levers include this one: `vault + bridge` names both.
fn names(about: &TransactionRef, lever: &str) -> bool {
    about.what.to_string().split([' ', '+']).any(|word| word == lever)
}

/// Returns the transactions that the entries are about, each once, in the order of time, without drills.
pub fn transactions(entries: &[&Entry]) -> Vec<TransactionRef> {
    let mut seen: BTreeSet<SafeTxHash> = BTreeSet::new();
    let real = entries.iter().filter(|entry| !entry.draft.act.is_of_drill());
    let all = real.filter_map(|entry| entry.draft.about.as_ref());
    all.filter(|about| seen.insert(about.safe_tx_hash)).cloned().collect()
}

/// Returns the number of transactions that the chain is asked about for a record of these entries, those of deputies
/// included.
pub fn count_transactions(entries: &[&Entry]) -> usize {
    let sent = entries.iter().filter_map(|entry| match &entry.draft.act {
        JournalAct::Deputy(DeputyStep { step: TxStep::Sent { tx, .. }, .. }) => Some(*tx),
        _ => None,
    });
    transactions(entries).len() + sent.collect::<BTreeSet<TxHash>>().len()
}

/// Builds the record from the journals' entries and the facts that were found.
pub fn record(
    entries: &[&Entry],
    (mut facts, receipts): (BTreeMap<SafeTxHash, TxFacts>, &Receipts),
    merged: &Merged,
    council: &Council,
) -> Record {
    let transactions: Vec<Transaction> = transactions(entries)
        .into_iter()
        .map(|about| {
            let facts = facts.remove(&about.safe_tx_hash).unwrap_or_default();
            let (stated, is_proven) = stated(entries, &about);
            Transaction { about, facts, stated, is_proven }
        })
        .collect();
    let mut moments: Vec<Moment> = entries.iter().map(|entry| moment(entry)).collect();
    moments.extend(transactions.iter().filter_map(|one| mined(one, entries)));
    moments.extend(unanswered_requests(council, entries, &transactions));
    moments.sort_by_key(|moment| moment.at);
    let began = moments.first().map(|moment| moment.at);
    let decides = deciding(&merged.entries);
    let is_bound = |entry: &&&Entry| decides(1) || merged.is_own(entry);
    let opened = entries.iter().filter(is_bound).find_map(|entry| match &entry.draft.act {
        JournalAct::Opened(OpenedIncident { title, severity, leads, speaks, writes }) => {
            let roles = [("leads", leads), ("speaks", speaks), ("writes", writes)];
            let roles = roles.into_iter().filter_map(|(role, who)| Some((role, who.clone()?))).collect();
            Some((title.to_string(), *severity, roles))
        }
        _ => None,
    });
    let alone = deputy_acts(entries, receipts);
    let of_deputy = || alone.first().map_or_else(|| "nothing".into(), |one| one.act.lever.to_string());
    let untitled = || transactions.first().map_or_else(of_deputy, |one| one.about.what.to_string());
    let severity = opened.as_ref().map(|(_, severity, _)| *severity);
    let (title, _, roles) = opened.unwrap_or_else(|| (untitled(), Severity::P1, Vec::new()));
    let accepted = entries.iter().filter_map(|entry| match &entry.draft.act {
        JournalAct::Accepted { ids } => Some((entry.draft.who.clone(), entry.draft.time, ids.clone())),
        _ => None,
    });
    let mut closings = entries.iter().rev().filter(|entry| entry.draft.act == JournalAct::Closed {});
    let closed = closings.find(is_bound);
    let mut contradictions: Vec<String> = merged.contradictions.iter().map(ToString::to_string).collect();
    contradictions
        .extend(merged.has_more.then(|| "there are more contradictions, which are not listed".into()));
    contradictions.extend(transactions.iter().filter_map(contradicts_chain));
    Record {
        title,
        severity,
        roles,
        began,
        closed: closed.map(|entry| entry.draft.time),
        measures: measures(&moments, began, &council.response),
        accepted: accepted.collect(),
        moments,
        transactions,
        alone,
        contradictions,
    }
}

fn unanswered_requests(council: &Council, entries: &[&Entry], transactions: &[Transaction]) -> Vec<Moment> {
    let signers = |one: &Transaction| one.facts.executed.as_ref().map(|executed| executed.signers.clone());
    let asked: Vec<_> =
        transactions.iter().map(|one| (one.about.clone(), signers(one).unwrap_or_default())).collect();
    let all = unanswered(council, entries, &asked).into_iter();
    all.map(|one| Moment {
        at: one.asked,
        lane: Lane::Person(one.name),
        what: Happened::Unanswered { about: one.about },
    })
    .collect()
}

fn moment(entry: &Entry) -> Moment {
    let draft = &entry.draft;
    let lane = match (&draft.act, &draft.who) {
        (JournalAct::Alarm { .. }, _) => Lane::Monitor,
        (_, Some(who)) => Lane::Person(who.to_string()),
        (_, None) => Lane::Person("unnamed".into()),
    };
    Moment { at: draft.time, lane, what: Happened::Entered(draft.act.clone(), draft.about.clone()) }
}

fn mined(one: &Transaction, entries: &[&Entry]) -> Option<Moment> {
    let executed = one.facts.executed.as_ref()?;
    let at = Utc::from_millis(executed.time?.saturating_mul(1_000));
    // Blocks have whole seconds, and a journal is written after the sending: a sending that seems a little later came
    // before.
    let sent = entries.iter().filter(|entry| {
        let is_ours = |about: &TransactionRef| about.safe_tx_hash == one.about.safe_tx_hash;
        matches!(entry.draft.act, JournalAct::Sent { .. }) && entry.draft.about.as_ref().is_some_and(is_ours)
    });
    let sent = sent.map(|entry| entry.draft.time).filter(|sent| sent.since(at) < LATE).max();
    let at = sent.map_or(at, |sent| sent.max(at));
    let (about, block, succeeded) = (one.about.clone(), executed.block, executed.succeeded);
    Some(Moment { at, lane: Lane::Chain, what: Happened::Mined { about, block, succeeded } })
}

fn stated(entries: &[&Entry], about: &TransactionRef) -> (Option<(TxHash, u64)>, bool) {
    let ours = entries.iter().filter(|entry| {
        entry.draft.about.as_ref().is_some_and(|known| known.safe_tx_hash == about.safe_tx_hash)
    });
    let (mut stated, mut is_proven) = (None, false);
    for entry in ours {
        match &entry.draft.act {
            JournalAct::Mined { tx, block, .. } => stated = Some((*tx, *block)),
            JournalAct::Proven { tx, block } => (stated, is_proven) = (Some((*tx, *block)), true),
            _ => {}
        }
    }
    (stated, is_proven)
}

/// Returns the contradiction if a journal states another transaction than the chain has.
fn contradicts_chain(one: &Transaction) -> Option<String> {
    let (tx, block) = one.stated?;
    let executed = one.facts.executed.as_ref()?;
    (executed.tx != tx || executed.block != block).then(|| {
        format!(
            "{}: a journal says {tx} in block {block}, the chain has {} in block {}",
            one.about.safe_tx_hash, executed.tx, executed.block
        )
    })
}

fn measures(moments: &[Moment], began: Option<Utc>, response: &Response) -> Vec<Measure> {
    let until = |is_it: &dyn Fn(&Happened) -> bool| {
        let moment = moments.iter().find(|moment| is_it(&moment.what))?;
        Some(moment.at.since(began?))
    };
    let acted = |is_it: fn(&JournalAct) -> bool| {
        until(&|what| matches!(what, Happened::Entered(act, _) if is_it(act)))
    };
    let rows = [
        (
            TimedPhase::FirstSignature,
            acted(|act| matches!(act, JournalAct::Signed { .. })),
            response.first_signature,
        ),
        (
            TimedPhase::Sent,
            acted(|act| {
                matches!(act, JournalAct::Sent { .. }) || is_step(act, |s| matches!(s, TxStep::Sent { .. }))
            }),
            None,
        ),
        (TimedPhase::InBlock, until(&|what| matches!(what, Happened::Mined { .. })), None),
        (
            TimedPhase::Proven,
            acted(|act| {
                matches!(act, JournalAct::Proven { .. })
                    || is_step(act, |s| matches!(s, TxStep::Proven { .. }))
            }),
            response.proof,
        ),
    ];
    rows.into_iter().map(|(phase, took, wanted)| Measure { phase, took, wanted }).collect()
}

fn is_step(act: &JournalAct, is_it: fn(&TxStep) -> bool) -> bool {
    matches!(act, JournalAct::Deputy(DeputyStep { step, .. }) if is_it(step))
}
