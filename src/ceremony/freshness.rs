//! Freshness of an answer: the age of its block, and contradictions of RPCs that answered late.

use crate::ceremony::enforce::enforce;
use crate::ceremony::judged::Judged;
use crate::chain::{Age, EndpointFault, EndpointReport, EndpointStatus, agreeing, judge_age};
use crate::check::{self, Finding};
use crate::clock;
use crate::error::{Error, Exit};

impl Judged<'_> {
    /// Returns the age of the block that everything was read at; `None` offline.
    pub fn block_age(&self) -> Option<Age> {
        let seen = self.seen.as_ref()?;
        let now = clock::seconds();
        Some(judge_age(seen.snapshot.header.timestamp, now, seen.link.expected_block_time()))
    }

    /// Returns block and age for a person: "block 12, 3 s old".
    pub fn read_at(&self) -> Option<String> {
        let number = self.seen.as_ref()?.snapshot.header.number;
        Some(match self.block_age()? {
            Age::New(seconds) | Age::Old { seconds, .. } => format!("block {number}, {seconds} s old"),
            Age::Ahead { seconds, .. } => {
                format!("block {number}, {seconds} s ahead of this machine's clock")
            }
        })
    }

    /// Fails for an answer that rests on an old block or on a minority of the RPCs: "already executed" may be true only
    /// there.
    pub fn enforce_fresh(&self, accepted: &[String]) -> Result<(), Error> {
        let Some(seen) = &self.seen else { return Ok(()) };
        let endpoints = self.endpoints();
        let age = check::block_age(self.block_age(), &endpoints);
        let few = check::most_agree(&endpoints, seen.link.quorum() < self.derived.chain.quorum);
        let findings: Vec<Finding> = age.into_iter().chain(few).collect();
        enforce(&findings, accepted)
    }

    /// Fails if an RPC that answered late, while the person was reading, contradicts the others, unless the review
    /// showed that.
    pub fn require_late_agreement(&self) -> Result<(), Error> {
        // What it approves was read by a connection of its own.
        let mut each = std::iter::successors(Some(self), |judged| judged.approved.as_deref());
        let liar = each.find_map(|judged| late_liar(&judged.endpoints(), &judged.findings));
        let Some(liar) = liar else { return Ok(()) };
        Err(Error::new(Exit::Refused, format!("an answer that came late contradicts the others: {liar}"))
            .hint("nothing was signed or sent; run it again: the review will show it"))
    }
}

/// Returns the contradiction of an RPC; `None` if there is none, or the `known` findings have it.
fn late_liar(endpoints: &[EndpointReport], known: &[Finding]) -> Option<String> {
    let told = |rpc: &str| known.iter().any(|f| f.problem().lying_rpc() == Some(rpc));
    let liar = endpoints.iter().find_map(|endpoint| match &endpoint.standing {
        EndpointStatus::Lying(fault) if !told(&endpoint.shown) => {
            Some(format!("RPC {} {fault}", endpoint.shown))
        }
        _ => None,
    });
    liar.or_else(|| late_contradiction(endpoints, known))
}

/// Returns the contradiction of late RPCs with another block, once as many contradict as agree. A single RPC with
/// another block may be on a fork of its own, which is not a lie.
fn late_contradiction(endpoints: &[EndpointReport], known: &[Finding]) -> Option<String> {
    let against: Vec<String> = (endpoints.iter())
        .filter_map(|endpoint| match &endpoint.standing {
            EndpointStatus::Outvoted(fault @ EndpointFault::Forked { .. }) => {
                Some(format!("RPC {} {fault}", endpoint.shown))
            }
            _ => None,
        })
        .collect();
    let told = |sentence: &String| known.iter().any(|finding| finding.sentence.starts_with(sentence));
    let (agree, _) = agreeing(endpoints);
    let first = against.iter().find(|sentence| !told(sentence))?;
    (against.len() >= agree).then(|| first.clone())
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;

    use super::*;
    use crate::evm::BlockHash;

    #[test]
    fn as_many_rpcs_with_another_block_as_agree_are_a_contradiction() {
        let forked = || {
            EndpointStatus::Outvoted(EndpointFault::Forked {
                number: 7,
                hash: BlockHash::claimed(B256::repeat_byte(1)),
            })
        };
        let report = |shown: &str, standing| EndpointReport {
            shown: shown.into(),
            standing,
            newest: None,
            batch: None,
        };
        let agrees = || EndpointStatus::Agrees;
        let of = |all: &[EndpointReport]| late_contradiction(all, &[]);
        let [a, b, c] = ["a", "b", "c"];
        assert_eq!(of(&[report(a, agrees()), report(b, agrees()), report(c, forked())]), None);
        let two = [report(a, agrees()), report(b, forked())];
        assert!(of(&two).is_some_and(|who| who.starts_with("RPC b has another block 7")));
        let silent = [report(a, agrees()), report(b, EndpointStatus::Outvoted(EndpointFault::Slow))];
        assert_eq!(of(&silent), None);
    }
    #[test]
    fn a_lying_rpc_is_reported_unless_the_review_showed_it() {
        let lies = EndpointStatus::Lying(EndpointFault::Lying { what: "slot 1".into(), number: 7 });
        let report = |shown: &str, standing| EndpointReport {
            shown: shown.into(),
            standing,
            newest: None,
            batch: None,
        };
        let all = [report("a", EndpointStatus::Agrees), report("b", lies)];
        let told = late_liar(&all, &[]).unwrap();
        assert!(told.starts_with("RPC b "), "{told}");
        assert_eq!(late_liar(&all[..1], &[]), None);
        let known = |sentence: &str| {
            let silent = || report("z", EndpointStatus::Outvoted(EndpointFault::Slow));
            let few = [report("a", EndpointStatus::Agrees), silent(), silent()];
            let mut finding = check::most_agree(&few, false).unwrap();
            finding.sentence = sentence.into();
            finding
        };
        let forked = EndpointFault::Forked { number: 7, hash: BlockHash::claimed(B256::repeat_byte(1)) };
        let two = [report("a", EndpointStatus::Agrees), report("b", EndpointStatus::Outvoted(forked))];
        let told = late_liar(&two, &[]).unwrap();
        assert!(late_contradiction(&two, &[known(&told.replace("RPC b", "RPC c"))]).is_some());
        assert_eq!(late_contradiction(&two, &[known(&told)]), None, "the review showed it");
    }
}
