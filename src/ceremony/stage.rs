//! The stage of a proposal, its exit code and the next step. Pure.

use crate::check::{Finding, Sort};
use crate::error::Exit;
use crate::proposal::{NotReady, Ready, Shortfall};

#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display)]
pub enum ProposalStage {
    #[display("refused: do not sign or send it")]
    Refused,
    #[display("drifted")]
    Drifted,
    /// Its nonce is not the next one.
    #[display("waiting for transactions with lower nonces")]
    Waiting,
    #[display("more signatures needed")]
    Signing,
    #[display("ready to broadcast")]
    Ready,
    #[display("sent, and not mined yet")]
    Sent,
    /// A drill has enough signatures; nothing is sent.
    #[display("DRILL: enough have signed")]
    Drill,
    /// It has enough signatures; its nonce was not checked.
    #[display("enough have signed")]
    Enough,
}

impl ProposalStage {
    /// Returns the stage. `refused` are refusals that nobody accepted; `is_sent` if a transaction that was sent is not
    /// mined yet.
    pub fn of(refused: &[Finding], ready: Result<&Ready, &NotReady>, is_sent: bool) -> Self {
        if refused.iter().any(|finding| finding.sort == Sort::Danger) {
            return Self::Refused;
        }
        match ready {
            _ if !refused.is_empty() => Self::Drifted,
            Ok(_) if is_sent => Self::Sent,
            Ok(_) => Self::Ready,
            Err(NotReady::Shortfall(_)) => Self::Signing,
            Err(NotReady::NonceAhead { .. }) => Self::Waiting,
            Err(NotReady::Drill) => Self::Drill,
            Err(NotReady::Moved(_) | NotReady::NonceUsed { .. }) => Self::Drifted,
        }
    }

    /// Returns the stage by the kept files alone.
    pub fn offline(refused: &[Finding], tally: &Shortfall) -> Self {
        if !refused.is_empty() {
            return Self::Refused;
        }
        if tally.approved.len() < tally.threshold.get() { Self::Signing } else { Self::Enough }
    }

    pub const fn exit(self) -> Exit {
        match self {
            Self::Refused => Exit::Refused,
            Self::Drifted | Self::Waiting => Exit::Drift,
            Self::Signing => Exit::Shortfall,
            Self::Ready | Self::Sent | Self::Enough | Self::Drill => Exit::Done,
        }
    }

    /// Returns the next command, if there is one. `what` are the words that name the proposal for everybody.
    pub fn next(self, what: &str) -> Option<String> {
        match self {
            Self::Signing => Some(format!(
                "an owner who is missing runs breakglass sign {what}; breakglass import {what} reads the \
                 line"
            )),
            Self::Ready | Self::Enough => {
                Some(format!("breakglass broadcast {what} --keystore FILE, or --ledger, sends and proves it"))
            }
            Self::Drill => {
                Some(format!("breakglass broadcast {what} proves it on a fork, and sends nothing"))
            }
            Self::Refused | Self::Drifted | Self::Waiting | Self::Sent => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Age;
    use crate::check::block_age;
    use crate::safe::Nonce;

    #[test]
    fn a_refusal_comes_before_the_stage() {
        let (proposal, safe) = (Nonce::from(2), Nonce::from(1));
        let ahead = NotReady::NonceAhead { proposal, safe };
        let used = NotReady::NonceUsed { proposal: safe, safe: proposal };
        let danger: Vec<Finding> =
            block_age(Some(Age::Ahead { seconds: 60, made: 1 }), &[]).into_iter().collect();
        assert_eq!(ProposalStage::of(&danger, Err(&ahead), false), ProposalStage::Refused);
        assert_eq!(ProposalStage::of(&[], Err(&ahead), false), ProposalStage::Waiting);
        assert_eq!(
            ProposalStage::of(&[], Err(&ahead), true),
            ProposalStage::Waiting,
            "another of this nonce may be sent"
        );
        assert_eq!(ProposalStage::of(&[], Err(&used), false), ProposalStage::Drifted);
        assert_eq!(ProposalStage::of(&[], Err(&NotReady::Moved(Vec::new())), false), ProposalStage::Drifted);
    }

    #[test]
    fn the_next_step_is_one_command_or_none() {
        assert!(
            ProposalStage::Signing
                .next("vault --undo")
                .unwrap()
                .contains("sign vault --undo; breakglass import vault --undo")
        );
        assert!(
            ProposalStage::Ready.next("vault").unwrap().starts_with("breakglass broadcast vault --keystore")
        );
        for stage in
            [ProposalStage::Refused, ProposalStage::Drifted, ProposalStage::Waiting, ProposalStage::Sent]
        {
            assert_eq!(stage.next("vault"), None);
        }
    }
    #[test]
    fn offline_the_stage_follows_from_the_signatures_alone() {
        let tally = |count: usize, threshold: u64| {
            let owner = |n: usize| alloy::primitives::Address::with_last_byte(u8::try_from(n).unwrap() + 5);
            let all = (0..3).map(owner).collect();
            let owners = crate::safe::Owners::new(all, threshold).unwrap();
            Shortfall {
                approved: (0..count).map(|n| crate::safe::Approval::OnChain(owner(n))).collect(),
                threshold: owners.threshold(),
                missing: Vec::new(),
                former: Vec::new(),
                children: Vec::new(),
            }
        };
        assert_eq!(ProposalStage::offline(&[], &tally(1, 2)), ProposalStage::Signing);
        assert_eq!(ProposalStage::offline(&[], &tally(2, 2)), ProposalStage::Enough);
        let danger: Vec<Finding> =
            block_age(Some(Age::Ahead { seconds: 60, made: 1 }), &[]).into_iter().collect();
        assert_eq!(ProposalStage::offline(&danger, &tally(2, 2)), ProposalStage::Refused);
    }
}
