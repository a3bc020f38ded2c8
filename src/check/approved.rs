//! The check that the transaction which an `approveHash` approves was judged as well.

use super::description::{Description, Id};
use crate::safe::SafeTxHash;

/// The transaction that an `approveHash` approves: judged or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApprovedProblem {
    /// The transaction that was judged is the one that is approved.
    Judged { hash: SafeTxHash },
    /// It was not judged, or another one was.
    NotJudged { hash: SafeTxHash },
}

impl ApprovedProblem {
    pub(super) fn describe(&self) -> Description {
        match self {
            Self::Judged { hash } => {
                Description::pass("approved-unknown", format!("what it approves, {hash}, was looked at too"))
            }
            Self::NotJudged { hash } => Description::refuse(
                Id::from("approved-unknown").digest([hash as &dyn std::fmt::Display]),
                format!("it approves {hash}, and nobody looked at that transaction"),
                "do not sign it; name the lever that it approves: breakglass sign LEVER --approve-as SAFE",
            ),
        }
    }
}
