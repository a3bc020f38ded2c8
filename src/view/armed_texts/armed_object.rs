//! Objects about signatures made ahead: the sets, and the result of an import.

use alloy::primitives::Address;
use serde::Serialize;

use crate::ceremony::folder::armed_sets::Examined;
use crate::ceremony::folder::sets::KeptAhead;
use crate::readiness::armed_status::{ArmedStatus, NonceRow, NonceStatus, Revocation, Usability};
use crate::view::armed_texts::armed_lines::{next_steps, usable};

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

/// The signatures of an import that were made ahead of one transaction.
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
