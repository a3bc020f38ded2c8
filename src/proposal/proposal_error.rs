//! The versions of a proposal file, and what can be wrong with one.

use super::BindingError;
use crate::safe::NoDrill;

/// Version 1 had one lever, or one playbook without a lever; it is still read.
pub(super) const FIRST: u32 = 1;
pub(super) const LEVERS: u32 = 2;
/// Version 3 approves a transaction of another Safe, and has it in place of levers.
pub(super) const APPROVAL: u32 = 3;
/// Version 4 is of a drill, and says so: a program that knows no drills reads none.
pub(super) const DRILL: u32 = 4;

/// The reason that a text is not a proposal file, or not an unaltered one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProposalError {
    #[error("it is not a proposal file: {0}")]
    Json(String),
    #[error("it is of version {0}, and this program reads 1 to {DRILL}")]
    Version(u32),
    #[error("{field} {text:?} {why}")]
    Field { field: &'static str, text: String, why: String },
    #[error("it has {count} {what}, and this program reads at most {most}")]
    TooMany { what: &'static str, count: usize, most: usize },
    #[error("it names no block, but has values that were read from the chain or a rehearsal")]
    NoBlock,
    #[error(transparent)]
    Binding(#[from] BindingError),
    #[error(transparent)]
    NoDrill(#[from] NoDrill),
    #[error("lever {lever} has no playbook text, and no lever before it has the text with digest {digest}")]
    NoText { lever: String, digest: String },
    #[error(
        "it states {what} {stated}, but its contents give {computed}: the file was altered; do not sign it"
    )]
    Altered { what: &'static str, stated: String, computed: String },
}

pub(super) fn at_most(
    lists: impl IntoIterator<Item = (&'static str, usize, usize)>,
) -> Result<(), ProposalError> {
    match lists.into_iter().find(|(_, count, most)| count > most) {
        None => Ok(()),
        Some((what, count, most)) => Err(ProposalError::TooMany { what, count, most }),
    }
}

pub(super) fn field(field: &'static str, text: &str, why: impl Into<String>) -> ProposalError {
    ProposalError::Field { field, text: text.into(), why: why.into() }
}
