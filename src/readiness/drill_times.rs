//! The time that each person and each phase of a drill took, with the council's goals; and earlier drills. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use alloy::primitives::Address;

use crate::council::Response;
use crate::incident::{DrillStep, Entry, Measure, Plain, TimedPhase, Utc};
use crate::safe::{Nonce, SafeTxHash};

/// One drill, by the entries of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drill {
    pub hash: SafeTxHash,
    pub what: Plain,
    pub chain_id: u64,
    pub safe: Address,
    pub nonce: Nonce,
    /// The time when it was announced, or else of its first entry here.
    pub began: Utc,
    /// Its announcement is in this journal.
    pub is_announced: bool,
    /// Each owner once, the earliest first.
    pub signed: Vec<Signed>,
    pub proven: Option<ProvenDrill>,
}

/// An owner's signature, and when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    pub owner: Address,
    pub at: Utc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenDrill {
    pub at: Utc,
    /// The number of keys whose signatures it took.
    pub keys: usize,
}

impl Drill {
    /// Returns the drill with this hash; `None` if the entries do not have it.
    pub fn of<'e>(entries: impl Iterator<Item = &'e Entry>, hash: SafeTxHash) -> Option<Self> {
        all(entries).into_iter().find(|drill| drill.hash == hash)
    }

    /// Returns the time at which enough had signed. `None` before it is proven: only then the number is known.
    pub fn threshold_met(&self) -> Option<Utc> {
        let last = self.proven?.keys.checked_sub(1)?;
        self.signed.get(last).map(|signed| signed.at)
    }

    /// Returns the time that each phase took from the beginning, with the council's goal.
    pub fn measures(&self, response: &Response) -> Vec<Measure> {
        let took = |at: Option<Utc>| at.map(|at| at.since(self.began));
        let first = self.signed.first().map(|signed| signed.at);
        let proven = self.proven.map(|proven| proven.at);
        let rows = [
            (TimedPhase::FirstSignature, took(first), response.first_signature),
            (TimedPhase::EnoughSignatures, took(self.threshold_met()), None),
            (TimedPhase::Proven, took(proven), response.proof),
        ];
        rows.into_iter().map(|(phase, took, wanted)| Measure { phase, took, wanted }).collect()
    }

    /// Adds a step. If one owner's signature has several times, the earliest counts.
    fn add_step(&mut self, signed: &mut BTreeMap<Address, Utc>, step: &DrillStep, time: Utc) {
        let mut add = |owner: Address, at: Utc| {
            signed.entry(owner).and_modify(|known| *known = at.min(*known)).or_insert(at);
        };
        match step {
            DrillStep::Announced {} if !self.is_announced => {
                (self.is_announced, self.began) = (true, time);
            }
            DrillStep::Signed { owner, .. } => add(*owner, time),
            // A line only claims its time, which counts neither before the drill began nor after the import.
            DrillStep::Imported { owner, made } => {
                // The claim has whole seconds: the second in which the drill began counts.
                let is_possible =
                    |made: &Utc| made.later(Duration::from_secs(1)) > self.began && *made <= time;
                let made = made.filter(is_possible).map(|made| made.max(self.began));
                add(*owner, made.unwrap_or(time));
            }
            DrillStep::Proven { keys, .. } if self.proven.is_none() => {
                let keys = usize::try_from(*keys).unwrap_or(usize::MAX);
                self.proven = Some(ProvenDrill { at: time, keys });
            }
            DrillStep::Announced {} | DrillStep::Accepted { .. } | DrillStep::Proven { .. } => {}
        }
    }
}

/// Returns every drill of the entries, in the order of their beginning.
pub fn all<'e>(entries: impl Iterator<Item = &'e Entry>) -> Vec<Drill> {
    let mut drills: BTreeMap<SafeTxHash, (Drill, BTreeMap<Address, Utc>)> = BTreeMap::new();
    for entry in entries {
        let (Some((step, hash)), Some(about)) = (entry.drill(), &entry.draft.about) else { continue };
        let time = entry.draft.time;
        let new = || Drill {
            hash,
            what: about.what.clone(),
            chain_id: about.chain_id,
            safe: about.address,
            nonce: about.nonce,
            began: time,
            is_announced: false,
            signed: Vec::new(),
            proven: None,
        };
        let (drill, signed) = drills.entry(hash).or_insert_with(|| (new(), BTreeMap::new()));
        drill.add_step(signed, step, time);
    }
    let whole = |(mut drill, signed): (Drill, BTreeMap<Address, Utc>)| {
        drill.signed = signed.into_iter().map(|(owner, at)| Signed { owner, at }).collect();
        drill.signed.sort_by_key(|signed| signed.at);
        drill
    };
    let mut drills: Vec<Drill> = drills.into_values().map(whole).collect();
    drills.sort_by_key(|drill| drill.began);
    drills
}

/// Returns the last proven drills, at most `most`, the newest last.
pub fn trend<'e>(entries: impl Iterator<Item = &'e Entry>, most: usize) -> Vec<Drill> {
    let mut proven: Vec<Drill> = all(entries).into_iter().filter(|drill| drill.proven.is_some()).collect();
    proven.split_off(proven.len().saturating_sub(most))
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;

    use super::*;
    use crate::council::TextDigest;
    use crate::incident::{Journal, JournalAct, TransactionRef, UnnumberedEntry, next};

    fn at(minute: u64) -> Utc {
        Utc::from_millis(1_795_680_000_000).later(Duration::from_mins(minute))
    }

    fn hash(seed: u8) -> SafeTxHash {
        SafeTxHash::claimed(B256::repeat_byte(seed))
    }

    fn owner(seed: u8) -> Address {
        Address::repeat_byte(seed)
    }

    /// Returns a journal with steps of drills: minute, drill, step.
    fn journal(steps: &[(u64, u8, DrillStep)]) -> Journal {
        let mut text = String::new();
        for (minute, drill, step) in steps {
            let about = TransactionRef {
                what: Plain::new("vault").unwrap(),
                safe: Plain::new("guardian").unwrap(),
                address: owner(9),
                chain_id: 1,
                nonce: Nonce::from(u64::from(*drill)),
                safe_tx_hash: hash(*drill),
            };
            let draft = UnnumberedEntry {
                time: at(*minute),
                who: None,
                program: Plain::new("0").unwrap(),
                council: TextDigest::of(""),
                act: JournalAct::Drill { step: step.clone() },
                about: Some(about),
            };
            text += &next(text.as_bytes(), draft).unwrap().line;
        }
        Journal::read(text.as_bytes())
    }

    fn signed(seed: u8) -> DrillStep {
        DrillStep::Signed { owner: owner(seed), name: None }
    }

    fn imported(seed: u8, made: Option<u64>) -> DrillStep {
        DrillStep::Imported { owner: owner(seed), made: made.map(at) }
    }

    const ANNOUNCED: DrillStep = DrillStep::Announced {};
    const PROVEN: DrillStep = DrillStep::Proven { block: 7, keys: 2 };

    #[test]
    fn each_signer_and_phase_has_a_time() {
        let journal = journal(&[
            (0, 1, ANNOUNCED),
            (3, 1, signed(1)),
            (20, 1, imported(2, Some(12))),
            (20, 1, imported(3, Some(7))),
            (21, 1, PROVEN),
            // Of two proofs the first counts.
            (50, 1, PROVEN),
        ]);
        let drill = Drill::of(journal.iter(), hash(1)).unwrap();
        let order: Vec<_> = drill.signed.iter().map(|one| (one.owner, one.at)).collect();
        assert_eq!(order, [(owner(1), at(3)), (owner(3), at(7)), (owner(2), at(12))]);
        assert_eq!(drill.threshold_met(), Some(at(7)));
        let response =
            Response { first_signature: Some(Duration::from_mins(2)), proof: Some(Duration::from_mins(30)) };
        let measures = drill.measures(&response);
        let took: Vec<_> =
            measures.iter().map(|one| (one.took.unwrap().as_secs() / 60, one.is_late())).collect();
        assert_eq!(took, [(3, true), (7, false), (21, false)]);
        assert_eq!(Drill::of(journal.iter(), hash(2)), None);
    }

    #[test]
    fn a_line_cannot_claim_a_time_before_the_drill_or_after_its_import() {
        for claimed in [None, Some(0), Some(30)] {
            let journal =
                journal(&[(5, 1, ANNOUNCED), (20, 1, imported(2, claimed)), (21, 1, imported(2, None))]);
            assert_eq!(Drill::of(journal.iter(), hash(1)).unwrap().signed[0].at, at(20), "{claimed:?}");
        }
    }

    #[test]
    fn an_unproven_drill_has_no_threshold_time_and_is_not_in_the_trend() {
        let open = journal(&[(0, 1, signed(1))]);
        let drill = Drill::of(open.iter(), hash(1)).unwrap();
        assert!(!drill.is_announced && drill.threshold_met().is_none() && drill.began == at(0));
        assert!(drill.measures(&Response::default())[2].took.is_none());
        assert!(trend(open.iter(), 5).is_empty());
        // Fewer signatures than were needed: some are not in this journal.
        let bare = journal(&[(0, 1, ANNOUNCED), (9, 1, PROVEN)]);
        assert_eq!(Drill::of(bare.iter(), hash(1)).unwrap().threshold_met(), None);
    }

    #[test]
    fn the_trend_has_the_last_drills_with_the_newest_last() {
        let mut steps = Vec::new();
        for drill in 1..=7 {
            let start = u64::from(drill) * 100;
            steps.extend([(start, drill, ANNOUNCED), (start + 1, drill, PROVEN)]);
        }
        let journal = journal(&steps);
        let nonces: Vec<Nonce> = trend(journal.iter(), 5).iter().map(|drill| drill.nonce).collect();
        assert_eq!(nonces, [3, 4, 5, 6, 7].map(Nonce::from));
    }
}
