//! Lines about signatures made ahead.

use alloy::primitives::Address;
use serde::Serialize;

use crate::ceremony::folder::armed_sets::Examined;
use crate::ceremony::folder::sets::KeptAhead;
use crate::incident::Utc;
use crate::proposal::Proposal;
use crate::readiness::armed_status::{ArmedStatus, Death, NonceRow, NonceStatus, Revocation, Usability};
use crate::safe::{Nonce, Nonces, listed};
use crate::ui::{Lines, Text};
use crate::view::review_lines::review_layout::digits;

const DAY: u64 = 86_400;

/// Returns the hashes at each nonce, as a device shows them.
pub fn hashes(proposal: &Proposal, nonces: Nonces) -> Lines {
    let domain = Text::default().dim("domain hash, the same for every nonce  ");
    let mut lines = vec![domain.add(&proposal.hashes().domain.to_string())];
    for nonce in nonces.iter() {
        let hashes = *proposal.with_nonce(nonce).hashes();
        lines.push(Text::default().bold(&format!("nonce {nonce}")));
        lines.push(Text::default().dim("  message  ").add(&hashes.message.to_string()));
        lines.push(Text::default().dim("  safeTx   ").add(&hashes.safe_tx.to_string()));
    }
    lines.into_iter().collect()
}

/// Returns the values to compare on the device for one nonce of several.
pub fn on_the_device(proposal: &Proposal, (at, of): (usize, usize)) -> Lines {
    let line = |label: &str, hash: String| Text::new("   ").dim(label).to_column(11).bold(&digits(&hash));
    let title = format!("nonce {}", proposal.nonce());
    Lines::from([
        Text::default().bold(&title).add(&format!("   {at} of {of}")),
        line("domain", proposal.hashes().domain.to_string()),
        line("message", proposal.hashes().message.to_string()),
        line("safeTx", proposal.hashes().safe_tx.to_string()),
    ])
}

/// Returns the result of an import for one transaction.
pub fn import_result(kept: &KeptAhead, name: impl Fn(Address) -> String) -> Lines {
    let mut lines = Vec::new();
    let mut owners: Vec<Address> = kept.signed.iter().map(|one| one.signature.owner()).collect();
    owners.sort();
    owners.dedup();
    for owner in owners {
        let of_owner = kept.signed.iter().filter(|one| one.signature.owner() == owner);
        let nonces: Vec<Nonce> = of_owner.map(|one| one.nonce).collect();
        let text = format!("{} for {}, {}", name(owner), kept.title, listed(nonces));
        lines.push(Text::default().good("kept      ").add(&text));
    }
    if let Some(path) = &kept.path {
        lines.push(Text::new("in ").add(&path.display().to_string()).dim("  readable by you alone"));
    }
    if kept.known > 0 {
        let (s, are) = if kept.known == 1 { ("", "is") } else { ("s", "are") };
        let text = format!("{} signature{s} of {} {are} kept already", kept.known, kept.title);
        lines.push(Text::default().dim("known     ").add(&text));
    }
    if !kept.left_out.is_empty() {
        let (count, most) = (kept.left_out.values().sum::<usize>(), kept.threshold - 1);
        let text = format!(
            "{count} signatures, {}: of each nonce at most {most} is kept, one less than the threshold. The last one \
             is made when it is needed",
            listed(kept.left_out.keys().copied())
        );
        lines.push(Text::default().warn("left out  ").add(&text));
        lines.push(
            Text::default()
                .dim("  → ")
                .add("--complete keeps all: a person who has the file can then use it alone"),
        );
    }
    if !kept.used.is_empty() {
        let text = format!("{}: used by the Safe already", listed(kept.used.iter().copied()));
        lines.push(Text::default().warn("left out  ").add(&text));
    }
    for next in next_steps(kept) {
        lines.push(Text::default().dim("  → ").add(&next));
    }
    lines.into_iter().collect()
}

/// Returns the commands that come next; empty if nothing of the set is kept.
pub fn next_steps(kept: &KeptAhead) -> Vec<String> {
    if kept.signed.is_empty() && kept.known == 0 {
        return Vec::new();
    }
    vec![
        "breakglass armed   what it is worth now".into(),
        format!("breakglass broadcast {}   when it is needed; a missing owner signs first", kept.words),
    ]
}

/// A function from an address to a person's name.
type Names<'n> = &'n dyn Fn(Address) -> String;

fn names(owners: &[Address], name: Names) -> String {
    owners.iter().map(|owner| name(*owner)).collect::<Vec<_>>().join(", ")
}

/// Returns the lines about the signatures made ahead of one transaction; `today` in seconds since 1970.
pub fn armed(examined: &Examined, armed: &ArmedStatus, today: u64, name: Names) -> Lines {
    let Examined { words, safe, chain, now, .. } = examined;
    let mut lines = vec![Text::default().bold(words).add(&format!(
        "   {safe} on {chain}, nonce {} is next, threshold {}",
        now.nonce,
        now.owners.threshold()
    ))];
    let field = |label: &str, text: Text| Text::new("  ").dim(label).to_column(11).then(text);
    for (nonces, row) in runs(&armed.rows) {
        let tone = match row.standing {
            NonceStatus::Used => Text::default().dim(&describe(row, name)),
            NonceStatus::Complete => Text::default().bold(&describe(row, name)),
            NonceStatus::Short(_) => Text::new(&describe(row, name)),
        };
        lines.push(field("signed", Text::default().bold(&nonces).add("  ").then(tone)));
    }
    if !armed.gaps.is_empty() {
        let gaps = format!("{}: signed by nobody", listed(armed.gaps.iter().copied()));
        lines.push(field("gaps", Text::default().warn(&gaps)));
    }
    if examined.strange > 0 {
        let text = format!(
            "{} signatures by people who are not owners, now or in your council file: they do not count",
            examined.strange
        );
        lines.push(field("strange", Text::default().warn(&text)));
    }
    for state in state(examined, armed) {
        lines.push(field("now", state));
    }
    for drift in &examined.drift {
        let text = format!("since it was signed, {}: {} → {}", drift.what, drift.was, drift.now);
        lines.push(field("changed", Text::default().warn(&text)));
    }
    lines.push(field("who", Text::new(&usable(armed.by))));
    for (at, way) in armed.ways.iter().enumerate() {
        let label = if at == 0 { "to end it" } else { "or" };
        lines.push(field(label, Text::new(&end(way, name))));
    }
    if armed.races() {
        for text in [
            "each of these takes the next nonce, and a person who has the set can take it first:",
            "name a private relay (send, in breakglass.toml), so that they do not see it coming",
        ] {
            lines.push(field("race", Text::default().warn(text)));
        }
    }
    lines.push(field("age", Text::new(&age(examined, today))));
    lines.extend(
        examined.files.iter().map(|file| field("file", Text::default().dim(&file.display().to_string()))),
    );
    lines.into_iter().collect()
}

/// Returns the rows, those that follow one another with the same values as one, with their nonces.
fn runs(rows: &[NonceRow]) -> Vec<(String, &NonceRow)> {
    let mut runs: Vec<(Vec<Nonce>, &NonceRow)> = Vec::new();
    for row in rows {
        match runs.last_mut() {
            Some((nonces, first))
                if (&first.signed, &first.former, first.standing)
                    == (&row.signed, &row.former, row.standing) =>
            {
                nonces.push(row.nonce);
            }
            _ => runs.push((vec![row.nonce], row)),
        }
    }
    runs.into_iter().map(|(nonces, row)| (listed(nonces), row)).collect()
}

fn describe(row: &NonceRow, name: Names) -> String {
    let signed = if row.signed.is_empty() { "nobody".into() } else { names(&row.signed, name) };
    let standing = match row.standing {
        NonceStatus::Used => "used".to_string(),
        NonceStatus::Complete => "complete".into(),
        NonceStatus::Short(missing) => format!("{missing} more needed"),
    };
    if row.former.is_empty() {
        return format!("{signed}   {standing}");
    }
    format!("{signed}   {standing}; no longer owners: {}", names(&row.former, name))
}

/// Returns whether it can be used now, by the chain.
fn state(examined: &Examined, armed: &ArmedStatus) -> Vec<Text> {
    if let Usability::Nobody(death) = armed.by {
        let why = match death {
            Death::Used => "the Safe has used the last of its nonces",
            Death::NoOwner => "none of its signers is still an owner",
            Death::TooFew(_) => "too few of its signers are owners now, or the threshold was raised",
        };
        return vec![Text::default().bad("DEAD: ").add(why).add(". Move its file away")];
    }
    let mut state: Vec<Text> =
        examined.stale.iter().map(|why| Text::default().bad("STALE: ").add(why)).collect();
    if let Some(promised) = &examined.already_done {
        state.push(Text::default().warn("already done: ").add(promised));
    }
    if state.is_empty() {
        state.push(
            Text::default().good("good: ").add("rehearsed as if it were its turn, it does what it promises"),
        );
    }
    state
}

pub(in crate::view) fn usable(by: Usability) -> String {
    match by {
        Usability::Anyone => "anyone who has the file can use it without asking anybody".into(),
        Usability::With(1) => "anyone who has the file, with one owner's signature more".into(),
        Usability::With(more) => format!("anyone who has the file, with {more} owners' signatures more"),
        Usability::Nobody(Death::TooFew(1)) => "nobody, unless one more owner signs it".into(),
        Usability::Nobody(Death::TooFew(more)) => format!("nobody, unless {more} more owners sign it"),
        Usability::Nobody(_) => "nobody".into(),
    }
}

fn end(way: &Revocation, name: Names) -> String {
    let count = way.transactions();
    let cost = if count == 1 { "1 transaction".into() } else { format!("{count} transactions") };
    match way {
        Revocation::Burn { first, last, .. } => {
            format!(
                "{cost}: use up nonces {first} to {last} (rotate/safe-burn-nonce, --nonces {first}..{last})"
            )
        }
        Revocation::Remove(owners) => {
            format!("{cost}: remove {} (rotate/safe-remove-owner)", names(owners, name))
        }
        Revocation::Raise(threshold) => {
            format!("{cost}: raise the threshold to {threshold} (rotate/safe-threshold)")
        }
    }
}

fn age(examined: &Examined, today: u64) -> String {
    let days = |then: u64| match today.saturating_sub(then) / DAY {
        0 => "today".to_string(),
        1 => "1 day ago".into(),
        days => format!("{days} days ago"),
    };
    let at = |then: u64| {
        let moment = Utc::from_millis(then.saturating_mul(1_000)).to_string();
        format!("{} ({})", moment.get(..10).unwrap_or(&moment), days(then))
    };
    let kept = format!("kept here {}", at(examined.kept));
    match examined.made {
        Some(made) => format!("made {}, as it says itself; {kept}", at(made)),
        None => kept,
    }
}

/// The signatures made ahead of one transaction.
#[derive(Debug, Serialize)]
pub struct ArmedObject {
    what: String,
    safe: String,
    chain: String,
    next_nonce: String,
    threshold: usize,
    races: bool,
    nonces: Vec<AtNonce>,
    gaps: Vec<String>,
    stale: Vec<String>,
    already_done: Option<String>,
    is_dead: bool,
    usable_by: String,
    ways_to_end_it: Vec<WayToEnd>,
    kept: u64,
    made: Option<u64>,
    files: Vec<String>,
}

#[derive(Debug, Serialize)]
struct AtNonce {
    nonce: String,
    signed: Vec<String>,
    former: Vec<String>,
    standing: &'static str,
}

#[derive(Debug, Serialize)]
struct WayToEnd {
    #[serde(flatten)]
    by: EndBy,
    transactions: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum EndBy {
    Burn(String),
    Remove(Vec<String>),
    Threshold(usize),
}

fn texts<T: ToString>(all: &[T]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

impl ArmedObject {
    pub fn new(examined: &Examined, armed: &ArmedStatus) -> Self {
        Self {
            what: examined.words.clone(),
            safe: examined.safe.clone(),
            chain: examined.chain.clone(),
            next_nonce: examined.now.nonce.to_string(),
            threshold: examined.now.owners.threshold().get(),
            races: armed.races(),
            nonces: armed.rows.iter().map(AtNonce::from).collect(),
            gaps: texts(&armed.gaps),
            stale: examined.stale.clone(),
            already_done: examined.already_done.clone(),
            is_dead: matches!(armed.by, Usability::Nobody(_)),
            usable_by: usable(armed.by),
            ways_to_end_it: armed.ways.iter().map(WayToEnd::from).collect(),
            kept: examined.kept,
            made: examined.made,
            files: examined.files.iter().map(|file| file.display().to_string()).collect(),
        }
    }
}

impl From<&NonceRow> for AtNonce {
    fn from(row: &NonceRow) -> Self {
        let standing = match row.standing {
            NonceStatus::Used => "used",
            NonceStatus::Complete => "complete",
            NonceStatus::Short(_) => "short",
        };
        let (signed, former) = (texts::<Address>(&row.signed), texts::<Address>(&row.former));
        Self { nonce: row.nonce.to_string(), signed, former, standing }
    }
}

impl From<&Revocation> for WayToEnd {
    fn from(way: &Revocation) -> Self {
        let by = match way {
            Revocation::Burn { first, last, .. } => EndBy::Burn(format!("{first}..{last}")),
            Revocation::Remove(owners) => EndBy::Remove(texts::<Address>(owners)),
            Revocation::Raise(threshold) => EndBy::Threshold(*threshold),
        };
        Self { by, transactions: way.transactions() }
    }
}

/// The part of an import that was made ahead of one transaction.
#[derive(Debug, Serialize)]
pub struct KeptObject {
    what: String,
    file: Option<String>,
    kept: Vec<KeptSignature>,
    known: usize,
    left_out: Vec<String>,
    used: Vec<String>,
    next: Vec<String>,
}

#[derive(Debug, Serialize)]
struct KeptSignature {
    owner: String,
    nonce: String,
}

impl From<&KeptAhead> for KeptObject {
    fn from(kept: &KeptAhead) -> Self {
        let signed = kept.signed.iter().map(|one| KeptSignature {
            owner: one.signature.owner().to_string(),
            nonce: one.nonce.to_string(),
        });
        Self {
            what: kept.title.clone(),
            file: kept.path.as_ref().map(|path| path.display().to_string()),
            kept: signed.collect(),
            known: kept.known,
            left_out: kept.left_out.keys().map(ToString::to_string).collect(),
            used: texts(&kept.used),
            next: next_steps(kept),
        }
    }
}
