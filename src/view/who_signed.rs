//! The progress of a proposal: who has signed, who is missing, whom to call; as lines and as JSON.

use std::collections::BTreeSet;

use alloy::primitives::Address;
use serde::Serialize;

use crate::ceremony::judged::Judged;
use crate::ceremony::overviews::waking::Waking;
use crate::ceremony::stage::ProposalStage;
use crate::check::{Finding, Sort};
use crate::proposal::Shortfall;
use crate::safe::{Nonce, Purpose, SafeTree, SignatureKind};
use crate::ui::{Lines, Text};
use crate::view::person_line::PersonLine;

/// The most people to call that are shown at once.
const MOST_CALLS: usize = 10;

/// The header of [`WhoSigned::rows`].
pub const HEADER: [&str; 4] = ["owner", "name", "signed", "kind"];

/// The owners who have signed a proposal, and the others.
#[derive(Debug, Serialize)]
pub struct WhoSigned {
    purpose: String,
    #[serde(skip)]
    safe: String,
    #[serde(skip)]
    chain: String,
    safe_tx_hash: String,
    nonce: String,
    signed: usize,
    threshold: usize,
    owners: Vec<Owner>,
    refused: Vec<RefusalLine>,
    read_at: Option<String>,
    proven: Option<String>,
}

/// An owner, and if it is a Safe, its own owners.
#[derive(Debug, Serialize)]
struct Owner {
    #[serde(rename = "owner")]
    address: String,
    name: Option<String>,
    signed: bool,
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    safe: Option<Below>,
}

/// The way in which an owner that is a Safe approves.
#[derive(Debug, Serialize)]
#[serde(tag = "by")]
enum Below {
    #[serde(rename = "approveHash")]
    ApproveHash,
    #[serde(rename = "signatures")]
    Signatures { signed: usize, threshold: usize, says_no: bool, owners: Vec<Owner> },
}

#[derive(Debug, Serialize)]
struct RefusalLine {
    id: String,
    sentence: String,
}

/// Another transaction that is signed ahead for the nonce of this one, which can take its place.
#[derive(Debug, Serialize)]
pub struct Rival {
    what: String,
    signed: Vec<String>,
    is_complete: bool,
}

impl Rival {
    /// Returns a rival. `by` are those who signed it; only owners count.
    pub fn new(judged: &Judged, what: String, by: &[Address]) -> Self {
        let owners = &judged.state().owners;
        let signed = owners.list().iter().filter(|owner| by.contains(owner));
        let signed: Vec<String> = signed.map(|owner| judged.name(*owner).to_string()).collect();
        Self { what, is_complete: signed.len() >= owners.threshold().get(), signed }
    }
}

impl WhoSigned {
    pub fn new(judged: &Judged, tally: &Shortfall, refused: &[Finding]) -> Self {
        let (proposal, derived) = (judged.proposal(), &judged.derived);
        let refusal = |f: &Finding| RefusalLine { id: f.id.clone(), sentence: f.sentence.clone() };
        Self {
            purpose: proposal.purpose().to_string(),
            safe: derived.safe.name.clone(),
            chain: derived.chain.name.clone(),
            safe_tx_hash: proposal.hash().to_string(),
            nonce: proposal.nonce().to_string(),
            signed: tally.approved.len(),
            threshold: tally.threshold.get(),
            owners: owners(&|owner| derived.names.name(owner).map(String::from), tally, &judged.tree()),
            refused: refused.iter().map(refusal).collect(),
            read_at: judged.read_at(),
            proven: judged.proven(),
        }
    }

    /// Returns the lines above the table.
    pub fn head(&self) -> Lines {
        let Self { purpose, safe, chain, nonce, signed, threshold, .. } = self;
        let drill = if *purpose == Purpose::Drill.to_string() { "DRILL · " } else { "" };
        let first = Text::default().good(drill).bold(safe).add(&format!(" on {chain} · nonce {nonce} · "));
        let mut lines = Lines::default();
        lines.say(&first.bold(&format!("{signed} of {threshold} signed")));
        lines.say(&Text::default().dim(&format!("safeTxHash {}", self.safe_tx_hash)));
        let read = self.read_at.as_ref().map(|at| format!("read at {at}"));
        for line in read.iter().chain(&self.proven) {
            lines.say(&Text::default().dim(line));
        }
        lines
    }

    /// Returns a row for each owner and, below a Safe, for each of its own.
    pub fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        add_rows(&mut rows, &self.owners, 0);
        rows
    }
}

fn owners(name: &dyn Fn(Address) -> Option<String>, tally: &Shortfall, tree: &SafeTree) -> Vec<Owner> {
    let one = |owner: &Address| {
        let approval = tally.approved.iter().find(|approval| approval.owner() == *owner);
        let safe = tally.child(*owner).zip(tree.child(*owner)).map(|(child, tree)| match &child.tally {
            None => Below::ApproveHash,
            Some(below) => Below::Signatures {
                signed: below.approved.len(),
                threshold: below.threshold.get(),
                says_no: child.says_no,
                owners: owners(name, below, tree),
            },
        });
        Owner {
            address: owner.to_string(),
            name: name(*owner),
            signed: approval.is_some(),
            kind: approval.map(|approval| approval.kind().as_str()),
            safe,
        }
    };
    tree.owners.list().iter().map(one).collect()
}

fn add_rows(rows: &mut Vec<Vec<String>>, owners: &[Owner], depth: usize) {
    for Owner { address, name, kind, safe, .. } in owners {
        let is_on_chain = *kind == Some(SignatureKind::ApprovedHash.as_str());
        let signed = match (kind, safe) {
            (_, Some(Below::Signatures { signed, threshold, .. })) if !is_on_chain => {
                format!("{signed} of {threshold}")
            }
            (Some(_), _) => "yes".into(),
            (None, _) => "no".into(),
        };
        let open = match safe {
            None => "",
            Some(Below::ApproveHash) => "a Safe: --approve-as",
            Some(Below::Signatures { says_no: true, .. }) => "says no to its signatures",
            Some(Below::Signatures { .. }) => "a Safe",
        };
        let name = format!("{}{}", "  ".repeat(depth), name.as_deref().unwrap_or("-"));
        rows.push(vec![address.clone(), name, signed, kind.unwrap_or(open).into()]);
        if let Some(Below::Signatures { owners, .. }) = safe {
            add_rows(rows, owners, depth + 1);
        }
    }
}

/// Returns the lines below the table: approvals that no longer count, and refusals.
pub fn faults(tally: &Shortfall, refused: &[Finding]) -> Lines {
    let mut lines = Lines::default();
    for former in &tally.former {
        lines.say(&Text::default().warn("not counted: ").add(&format!("{former} is no longer an owner")));
    }
    for finding in refused {
        let mark = if finding.sort == Sort::Drift { "drift: " } else { "refused: " };
        lines.say(&Text::default().bad(mark).add(&finding.sentence));
        lines.say(&Text::default().dim("  → ").add(&finding.fix));
    }
    lines
}

/// The stage of a proposal, with what can still take its place.
#[derive(Debug, Serialize)]
pub struct StageNow {
    status: String,
    #[serde(flatten)]
    online: Option<StageDetails>,
    #[serde(skip)]
    next: Option<String>,
}

/// Further facts of the chain and of the files kept here.
#[derive(Debug, Serialize)]
pub struct StageDetails {
    /// The hashes of transactions that were sent and are not mined.
    pub sent: Vec<String>,
    /// Signatures that do not count here.
    pub lost: Vec<String>,
    /// Other transactions that are signed ahead for its nonce.
    pub armed: Vec<Rival>,
}

impl StageDetails {
    /// Returns a line for each signature that does not count here, and for each rival.
    pub fn lines(&self, nonce: Nonce) -> Lines {
        let mut lines = Lines::default();
        for line in &self.lost {
            lines.say(&Text::default().warn("lost: ").add(line));
        }
        for Rival { what, signed, is_complete } in &self.armed {
            let how = if *is_complete { ": complete, and can be sent by anyone who has it" } else { "" };
            let by = signed.join(", ");
            let text = format!("nonce {nonce} can also be taken by {what}, signed by {by}{how}");
            lines.say(&Text::default().warn("armed: ").add(&text));
        }
        lines
    }
}

impl StageNow {
    /// Returns the stage. `words` name the proposal in a command; `online` is `None` offline.
    pub fn new(stage: ProposalStage, words: &str, online: Option<StageDetails>) -> Self {
        Self { status: stage.to_string(), online, next: stage.next(words) }
    }

    /// Returns the stage and the next step.
    pub fn lines(&self) -> Lines {
        let next = self.next.as_ref().map(|next| Text::default().dim("  → ").add(next));
        [Text::default().bold(&self.status)].into_iter().chain(next).collect()
    }
}

/// The people who are awake, how late the first signature is, and whom to call.
#[derive(Debug, Serialize)]
pub struct Calls {
    awake: BTreeSet<String>,
    late_by_seconds: Option<u64>,
    call: Vec<PersonLine>,
}

impl From<Waking<'_>> for Calls {
    fn from(waking: Waking) -> Self {
        Self {
            awake: waking.awake,
            late_by_seconds: waking.late.map(|late| late.as_secs()),
            call: waking.calls.iter().map(PersonLine::from).collect(),
        }
    }
}

impl Calls {
    pub fn lines(&self) -> Lines {
        let mut lines = Lines::default();
        if !self.awake.is_empty() {
            let names = self.awake.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            lines.say(&Text::default().dim("  awake: ").add(&names));
        }
        if let Some(late) = self.late_by_seconds {
            let text = format!("the first signature was due {} min ago: call now", late / 60);
            lines.say(&Text::default().bad("  late: ").add(&text));
        }
        self.call.iter().take(MOST_CALLS).for_each(|call| lines.say(&call.line()));
        lines
    }
}

/// Returns the list of several proposals that are about to be signed.
pub fn to_sign(all: &[Judged]) -> Lines {
    let head = Text::default().bold(&format!("{} to sign", all.len()));
    let line = |judged: &Judged| {
        let (nonce, title) = (judged.proposal().nonce(), judged.proposal().binding().title());
        Text::new(&format!("  {} · nonce {nonce} · {title}", judged.derived.safe.name))
    };
    [head].into_iter().chain(all.iter().map(line)).collect()
}
