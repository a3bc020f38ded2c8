//! The facts that a signer must know of one transaction before they approve it, as data: for the block above the
//! question, and for `--json`.

use std::collections::BTreeSet;
use std::fmt::Display;

use alloy::primitives::{Address, U256};
use serde::{Serialize, Serializer};

use crate::ceremony::deputy::deputy_act::{Act, How};
use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::ceremony::rehearsal_result::{RehearsalResult, check_success};
use crate::chain::agreeing;
use crate::check::{Finding, Level, Match};
use crate::device::USUAL_DEVICE;
use crate::playbook::{Playbook, Severity, Undo};
use crate::proposal::{Shortfall, Way};
use crate::safe::{Hashes, Operation, Purpose};
use crate::view::on_paper::paper::upper;
use crate::view::review_lines::acting::Acting;
use crate::view::review_lines::decision::ReviewAnswer;
use crate::view::review_lines::shown_lever::{LeverSummary, NamedAddress, levers, named};
use crate::view::review_lines::shown_on_device::DeviceShows;
use crate::view::review_lines::what_changes;

/// The block above the question, as data.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    #[serde(serialize_with = "as_text")]
    pub purpose: Purpose,
    pub answer: ReviewAnswer,
    /// `PAUSE`, `PAUSE + PARAM`, `UNDO`.
    pub act: String,
    /// The levers' names, or the playbook where no lever was named.
    pub title: String,
    /// The gravest severity; `None` without a playbook of the reader's own.
    pub severity: Option<String>,
    pub playbooks: Vec<String>,
    pub origin: OriginLine,
    #[serde(skip_serializing_if = "Acting::is_safe")]
    pub acting: Acting,
    pub safe: NamedAddress,
    /// The batch contract, which a device shows as `to`.
    pub batch: Option<String>,
    /// At least one.
    pub levers: Vec<LeverSummary>,
    /// The transaction of another Safe that it approves on chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approves: Option<Box<Self>>,
    pub chain: String,
    pub chain_id: u64,
    /// The chain id that a device shows: the chain's own, or that of a drill.
    pub signed_chain_id: u64,
    pub nonce: String,
    /// `the next one`
    pub nonce_is: String,
    pub safe_version: String,
    pub safe_is: SafeIs,
    /// The block, and the RPCs that agree; `None` offline.
    pub read: Option<String>,
    /// Why there is no result: it was not rehearsed, or it fails.
    pub no_result: Option<String>,
    /// Places that change and that no check reads.
    pub beside: Vec<String>,
    /// The command that undoes it, or why there is none.
    pub undo: String,
    pub checks: Checks,
    /// The name of the device that shows it.
    #[serde(skip)]
    pub read_on: &'static str,
    /// The object that the device shows.
    #[serde(rename = "ledger")]
    pub shows: DeviceShows,
    /// Lines that are printed between its last line and the question.
    #[serde(skip)]
    pub lines_below: usize,
    pub device: OnDevice,
    pub hashes: ShownHashes,
    pub signed: Vec<String>,
    /// Owners who have not signed.
    pub missing: Vec<String>,
    pub threshold: usize,
}

/// The source of the Safe's version, owners and threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SafeIs {
    /// Read from the chain now.
    Read,
    /// Read when it was proposed, as its file says.
    FromFile,
    /// Assumed from the council file.
    Assumed,
}

/// The relation of the transaction to the reader's own files.
#[derive(Clone, Debug, Serialize)]
pub struct OriginLine {
    pub level: Level,
    pub sentence: String,
    /// Digests of the playbooks' texts, in short.
    pub digests: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Checks {
    pub pass: usize,
    pub warn: usize,
    pub already_done: usize,
    pub refuse: usize,
    /// Refusals first.
    pub told: Vec<FindingLine>,
}

#[derive(Clone, Debug, Serialize)]
pub struct FindingLine {
    pub level: Level,
    pub id: String,
    pub sentence: String,
}

/// The values as a device writes them.
#[derive(Clone, Debug, Serialize)]
pub struct OnDevice {
    pub data: String,
    pub operation: u8,
    #[serde(serialize_with = "as_text")]
    pub value: U256,
}

#[derive(Clone, Debug, Serialize)]
pub struct ShownHashes {
    pub domain: String,
    pub message: String,
    pub safe_tx: String,
}

impl Summary {
    /// Returns the summary of a proposal; findings whose ids are `accepted` do not refuse it.
    pub fn of(desk: &Desk, judged: &Judged, accepted: &[String]) -> Self {
        let (proposal, derived) = (judged.proposal(), &judged.derived);
        let (binding, tx, hashes) = (proposal.binding(), proposal.tx(), proposal.hashes());
        let pulling = derived.own.iter().flat_map(|own| own.order.pulling().playbooks());
        let playbooks: Vec<&Playbook> = pulling.collect();
        let tally = judged.tally();
        let name = |owner: Address| named(&derived.names, owner).name;
        let done = judged.rehearsal.done();
        Self {
            purpose: proposal.purpose(),
            answer: ReviewAnswer::of(&judged.findings, accepted),
            act: match &judged.approved {
                Some(_) => "APPROVE".into(),
                None => act(&playbooks, binding.undo()),
            },
            title: title(judged),
            severity: playbooks.iter().map(|p| p.severity).min().map(|s: Severity| s.to_string()),
            playbooks: binding.playbooks().iter().map(|(id, _)| id.to_string()).collect(),
            origin: origin(judged),
            acting: Acting::Safe,
            safe: NamedAddress {
                name: derived.safe.name.clone(),
                address: proposal.safe().address.to_string(),
            },
            batch: (tx.operation == Operation::DelegateCall).then(|| tx.to.to_string()),
            levers: levers(judged),
            approves: judged.approved.as_ref().map(|of| Box::new(Self::of(desk, of, accepted))),
            chain: derived.chain.name.clone(),
            chain_id: proposal.safe().chain_id,
            signed_chain_id: proposal.domain().chain_id(),
            nonce: proposal.nonce().to_string(),
            nonce_is: nonce_is(judged),
            safe_version: proposal.safe().version.to_string(),
            safe_is: match (judged.seen.is_some(), proposal.block()) {
                (true, _) => SafeIs::Read,
                (false, Some(_)) => SafeIs::FromFile,
                (false, None) => SafeIs::Assumed,
            },
            read: read(judged),
            no_result: no_result(judged),
            beside: done
                .map(|done| what_changes::unchecked_changes(judged, &done.rehearsal))
                .unwrap_or_default(),
            undo: undo(desk, judged),
            checks: checks(&judged.findings),
            read_on: USUAL_DEVICE,
            shows: DeviceShows::of(judged, None),
            lines_below: 0,
            device: OnDevice {
                data: upper(tx.data.get(..tx.data.len().min(4)).unwrap_or_default()),
                operation: tx.operation.as_u8(),
                value: tx.value,
            },
            hashes: ShownHashes::of(hashes),
            signed: in_order(judged, &tally).map(name).collect(),
            missing: tally.missing.iter().map(|owner| name(*owner)).collect(),
            threshold: tally.threshold.get(),
        }
    }

    /// Returns it for the owner who signs in this way, on this device; `None` if the signer or the device is not known.
    pub fn signed_by(self, judged: &Judged, way: Option<&Way>, device: Option<&'static str>) -> Self {
        let (read_on, shows) = (device.unwrap_or(self.read_on), DeviceShows::of(judged, way));
        // A message has a line that reminds its signer of it.
        let lines_below = usize::from(matches!(shows, DeviceShows::Message(_)));
        Self { read_on, shows, lines_below, ..self }
    }

    /// Returns the summary of an act of one key alone.
    pub fn of_deputy(desk: &Desk, act: &Act, accepted: &[String]) -> Self {
        let summary = Self::of(desk, &act.judged, accepted);
        let hashes = match &act.how {
            How::Key(_) => summary.hashes,
            How::Module(pause, _) => ShownHashes::of(&pause.hashes()),
        };
        Self { acting: Acting::of_deputy(act), hashes, ..summary }
    }
}

impl ShownHashes {
    fn of(hashes: &Hashes) -> Self {
        Self {
            domain: hashes.domain.to_string(),
            message: hashes.message.to_string(),
            safe_tx: hashes.safe_tx.to_string(),
        }
    }
}

/// Returns the owners who have approved, in the order of the Safe's list, as everywhere else.
fn in_order<'a>(judged: &'a Judged, tally: &'a Shortfall) -> impl Iterator<Item = Address> + 'a {
    let has_approved = |owner: &Address| tally.approved.iter().any(|approval| approval.owner() == *owner);
    judged.state().owners.list().iter().copied().filter(has_approved)
}

fn as_text<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Returns `PAUSE`, `PAUSE + PARAM` or `UNDO`.
pub(in crate::view) fn act(playbooks: &[&Playbook], undo: bool) -> String {
    if undo {
        return "UNDO".into();
    }
    let kinds: BTreeSet<_> = playbooks.iter().map(|playbook| playbook.kind).collect();
    let kinds: Vec<String> = kinds.iter().map(|kind| kind.to_string().to_uppercase()).collect();
    if kinds.is_empty() { "UNKNOWN".into() } else { kinds.join(" + ") }
}

/// Returns `freeze: vault, bridge`, or a single lever's name.
fn title(judged: &Judged) -> String {
    let binding = judged.proposal().binding();
    let names: Vec<&str> = binding.levers().iter().filter_map(|bound| bound.lever.as_deref()).collect();
    let pulled = match (&binding.pull().names[..], &names[..]) {
        (_, []) => return binding.title(),
        ([pulled], names) if names != [pulled.as_str()] => format!("{pulled}: {}", names.join(", ")),
        _ => names.join(", "),
    };
    binding.pull().approve_as.iter().fold(pulled, |title, safe| format!("{title} as {safe}"))
}

fn origin(judged: &Judged) -> OriginLine {
    let (level, sentence) = match &judged.derived.matching {
        Match::Same | Match::SameOffline if judged.derived.foreign.is_empty() => {
            (Level::Pass, "what your own breakglass.toml and playbook give")
        }
        Match::Same | Match::SameOffline => {
            (Level::Warn, "your own playbook, with arguments that are not yours")
        }
        Match::Moved(_) => (Level::Warn, "what your playbook gave; the chain has moved since"),
        Match::Differs(_) | Match::Unbound(_) => (Level::Refuse, "NOT WHAT YOUR PLAYBOOK GIVES"),
    };
    let digests = judged.proposal().binding().playbooks();
    OriginLine {
        level,
        sentence: sentence.into(),
        digests: digests.iter().map(|(_, digest)| digest.short()).collect(),
    }
}

fn nonce_is(judged: &Judged) -> String {
    let nonce = judged.proposal().nonce();
    match judged.now().map(|now| now.nonce) {
        None => "not looked up".into(),
        Some(next) if next == nonce => "the next one".into(),
        Some(next) if nonce > next => format!("{next} comes first"),
        Some(_) => "used already".into(),
    }
}

fn read(judged: &Judged) -> Option<String> {
    let at = judged.read_at()?;
    let by = match agreeing(&judged.endpoints()) {
        (1, 1) => "only one RPC was asked".to_string(),
        (agree, of) => format!("{agree} of {of} RPCs agree"),
    };
    let proven = if judged.proven().is_some() { ", proven" } else { "" };
    Some(format!("{at}, {by}{proven}"))
}

fn no_result(judged: &Judged) -> Option<String> {
    match &judged.rehearsal {
        RehearsalResult::NotWanted if judged.seen.is_some() => {
            Some("not rehearsed: its nonce is used".into())
        }
        RehearsalResult::NotWanted => Some("not rehearsed: nothing was asked of the network".into()),
        RehearsalResult::Failed(why) => Some(format!("NOT REHEARSED: {why}")),
        RehearsalResult::Done(done) => check_success(&done.rehearsal, judged.plan(), &judged.derived.names)
            .err()
            .map(|why| format!("IT FAILS: {why}")),
    }
}

/// Returns the command that undoes it, or why there is none.
fn undo(desk: &Desk, judged: &Judged) -> String {
    let Some(own) = &judged.derived.own else { return "unknown: it is not of your files".into() };
    let never = |playbook: &Playbook| match &playbook.undo {
        Undo::None { why } => Some(why.clone()),
        Undo::Playbook { .. } => None,
    };
    if let Some(why) = own.order.playbooks().find_map(never) {
        return format!("cannot be taken back: {why}");
    }
    let binding = judged.proposal().binding();
    let Some(words) = binding.command(&desk.council) else {
        let counter = own.order.playbooks().filter_map(|playbook| match &playbook.undo {
            Undo::Playbook { id, .. } => Some(id.to_string()),
            Undo::None { .. } => None,
        });
        return format!("with the playbook {}", counter.collect::<Vec<_>>().join(", "));
    };
    if !binding.undo() {
        return format!("breakglass undo {words}");
    }
    let levers = binding.levers().iter().filter_map(|bound| bound.lever.as_deref());
    format!("pull {} again", levers.collect::<Vec<_>>().join(", "))
}

fn checks(findings: &[Finding]) -> Checks {
    let count = |level| findings.iter().filter(|f| f.level == level).count();
    let mut told: Vec<&Finding> = findings.iter().filter(|f| f.level != Level::Pass).collect();
    told.sort_by_key(|f| std::cmp::Reverse(f.level));
    let tell = |f: &Finding| FindingLine { level: f.level, id: f.id.clone(), sentence: f.sentence.clone() };
    Checks {
        pass: count(Level::Pass),
        warn: count(Level::Warn),
        already_done: count(Level::AlreadyDone),
        refuse: count(Level::Refuse),
        told: told.into_iter().map(tell).collect(),
    }
}
