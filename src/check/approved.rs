//! Is what a Safe approves on chain itself something to sign?

use super::description::{Description, Id};
use crate::safe::SafeTxHash;

/// A fault of the transaction that an `approveHash` approves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApprovedProblem {
    /// The transaction that is approved was looked at, and it is the one that is named.
    LookedAt { hash: SafeTxHash },
    /// It was not looked at, or another one was.
    NotLookedAt { hash: SafeTxHash },
}

impl ApprovedProblem {
    pub(super) fn describe(&self) -> Description {
        match self {
            Self::LookedAt { hash } => {
                Description::pass("approved-unknown", format!("what it approves, {hash}, was looked at too"))
            }
            Self::NotLookedAt { hash } => Description::refuse(
                Id::from("approved-unknown").digest([hash as &dyn std::fmt::Display]),
                format!("it approves {hash}, and nobody looked at that transaction"),
                "do not sign it; name the lever that it approves: breakglass sign LEVER --approve-as SAFE",
            ),
        }
    }
}
