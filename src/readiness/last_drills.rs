//! The last drill of each Safe: its date, the time of each phase, and who did not sign. Pure.
//!
//! A journal has the drills in which its own machine took part: it signed, imported lines, or proved the drill. Other
//! people's journals can be read beside it: what only they state is marked.

use std::collections::BTreeSet;
use std::time::Duration;

use alloy::primitives::Address;
use jiff::civil::Date;

use super::drill_times::Drill;
use super::roll_call::{day, days};
use super::told::{GapReport, not_ready, warning};
use crate::council::{Council, Response};
use crate::safe::SafeState;

/// A drill older than this, in days, is a gap.
pub const OLD: i64 = 90;
/// The depth to which Safes that own a Safe are followed.
const DEEPEST: usize = 4;

/// A Safe that has levers, and its last drill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrilledSafe {
    pub safe: String,
    pub lever: String,
    pub last: Option<LastDrill>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastDrill {
    pub drill: Drill,
    /// The present owners whose keys did not sign it.
    pub absent: Vec<Address>,
    /// Some of it is only in the journals of other machines.
    pub is_stated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DrillGap {
    /// No drill of this Safe is in the journal.
    Never { safe: String, lever: String },
    /// The last drill was this many days ago.
    Old { safe: String, lever: String, date: Date, days: i64 },
    /// Some of the last drill is only in the journals of others.
    Stated { safe: String, lever: String, date: Date },
    /// A phase of the last drill took longer than the council wants.
    Late { safe: String, date: Date, what: &'static str, took: Duration, wanted: Duration },
}

impl DrillGap {
    pub(super) fn report(&self) -> GapReport {
        let drill = |lever: &str| format!("breakglass drill {lever}, with everybody's own keys");
        match self {
            Self::Never { safe, lever } => {
                warning("drill", format!("{safe}: this machine's journal has no drill of it"), drill(lever))
            }
            Self::Old { safe, lever, date, days } => not_ready(
                "drill-old",
                format!("{safe}: the last drill was on {date}, {days} days ago, and {OLD} is the most"),
                drill(lever),
            ),
            Self::Stated { safe, lever, date } => warning(
                "drill-stated",
                format!("{safe}: part of the drill of {date} is known only from the journals of others"),
                format!("believe it as far as you believe them; take part in the next one: {}", drill(lever)),
            ),
            Self::Late { safe, date, what, took, wanted } => warning(
                "drill-late",
                format!(
                    "{safe}: in the drill of {date}: {what} after {}, and [response] wants {}",
                    in_words(*took),
                    in_words(*wanted)
                ),
                "find out what took so long, and drill again",
            ),
        }
    }
}

/// `1 h 12 min`, `12 min`, `40 s`
fn in_words(time: Duration) -> String {
    match (time.as_secs() / 3_600, time.as_secs() / 60 % 60, time.as_secs()) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, _) => format!("{minutes} min"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// Returns each Safe that has levers and can be drilled, with its last drill in which somebody signed. `own` are the
/// drills of the reader's own journal. A drill with a time in the future is ignored.
pub fn last_drills(
    council: &Council,
    (drills, own): (&[Drill], &[Drill]),
    safes: &[(&str, &SafeState)],
    today: Date,
) -> Vec<DrilledSafe> {
    let of = |(name, state): &(&str, &SafeState)| {
        let lever = council.levers.values().find(|lever| lever.safe == *name)?;
        // Safes before 1.3.0 cannot be drilled.
        if !state.id.version.domain_has_chain_id() {
            return None;
        }
        let is_its = |drill: &&Drill| {
            (drill.chain_id, drill.safe) == (state.id.chain_id, state.id.address)
                && (!drill.signed.is_empty() || drill.proven.is_some())
                && days(day(drill.began.as_seconds()), today) >= -1
        };
        let last = drills.iter().filter(is_its).max_by_key(|drill| drill.began);
        let absent = |drill: &Drill| {
            let mut seen: BTreeSet<Address> = drill.signed.iter().map(|one| one.owner).collect();
            keys(state, safes, DEEPEST).into_iter().filter(|key| seen.insert(*key)).collect()
        };
        let last = last.map(|drill| LastDrill {
            absent: absent(drill),
            is_stated: !own.contains(drill),
            drill: drill.clone(),
        });
        Some(DrilledSafe { safe: (*name).into(), lever: lever.name.clone(), last })
    };
    safes.iter().filter_map(of).collect()
}

/// Returns the owners that have keys: for a Safe of the file, the owners of that.
fn keys(state: &SafeState, safes: &[(&str, &SafeState)], deeper: usize) -> Vec<Address> {
    let of = |owner: &Address| {
        let is_it = |id: crate::safe::SafeId| (id.chain_id, id.address) == (state.id.chain_id, *owner);
        match safes.iter().find(|(_, other)| is_it(other.id)) {
            Some((_, child)) if deeper > 0 => keys(child, safes, deeper - 1),
            _ => vec![*owner],
        }
    };
    state.owners.list().iter().flat_map(of).collect()
}

pub fn gaps(drilled: &[DrilledSafe], response: &Response, today: Date) -> Vec<DrillGap> {
    let of = |DrilledSafe { safe, lever, last }: &DrilledSafe| {
        let (safe, lever) = (safe.clone(), lever.clone());
        let Some(LastDrill { drill, is_stated, .. }) = last else {
            return vec![DrillGap::Never { safe, lever }];
        };
        let date = day(drill.began.as_seconds());
        let age = days(date, today);
        let stated = is_stated.then(|| DrillGap::Stated { safe: safe.clone(), lever: lever.clone(), date });
        if age > OLD {
            return std::iter::once(DrillGap::Old { safe, lever, date, days: age }).chain(stated).collect();
        }
        let late = drill.measures(response).into_iter().filter(crate::incident::Measure::is_late);
        let late = late.filter_map(|measure| {
            let (took, wanted) = (measure.took?, measure.wanted?);
            Some(DrillGap::Late { safe: safe.clone(), date, what: measure.phase.as_str(), took, wanted })
        });
        stated.into_iter().chain(late).collect()
    };
    drilled.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;

    use super::super::GapLevel;
    use super::super::drill_times::{ProvenDrill, Signed};
    use super::*;
    use crate::council::tests::written::CouncilText;
    use crate::incident::{Plain, Utc};
    use crate::safe::{Nonce, Owners, SafeId, SafeTxHash, SafeVersion};

    fn council() -> Council {
        let text = CouncilText::new().safe("guardian", owner(1), &[], 0).safe("foundation", owner(2), &[], 0);
        text.lever("vault", "pause/oz-pausable", "vault").council()
    }

    fn owner(seed: u8) -> Address {
        Address::repeat_byte(seed)
    }

    fn state(address: u8, owners: &[u8], version: SafeVersion) -> SafeState {
        let owners = owners.iter().map(|seed| owner(*seed)).collect();
        SafeState::bare(
            SafeId { chain_id: 1, address: owner(address), version },
            Owners::new(owners, 2).unwrap(),
            Nonce::from(0),
        )
    }

    fn at(day: u64, minute: u64) -> Utc {
        Utc::from_millis((day * 1_440 + minute) * 60_000)
    }

    /// Returns a drill of guardian on a day, signed by each after its minutes, and proven after `proven` minutes.
    fn drill(day: u64, signed: &[(u8, u64)], proven: Option<u64>) -> Drill {
        Drill {
            hash: SafeTxHash::claimed(B256::ZERO),
            what: Plain::new("vault").unwrap(),
            chain_id: 1,
            safe: owner(1),
            nonce: Nonce::from(0),
            began: at(day, 0),
            is_announced: true,
            signed: signed
                .iter()
                .map(|(seed, after)| Signed { owner: owner(*seed), at: at(day, *after) })
                .collect(),
            proven: proven.map(|after| ProvenDrill { at: at(day, after), keys: 2 }),
        }
    }

    fn told(drills: &[Drill], response: &Response, today: u64) -> Vec<(&'static str, GapLevel, String)> {
        let state = state(1, &[11, 12, 13], SafeVersion::V1_4_1);
        let today = day(today * 86_400);
        let drilled = last_drills(&council(), (drills, drills), &[("guardian", &state)], today);
        let told = gaps(&drilled, response, today).into_iter().map(|gap| gap.report());
        told.map(|told| (told.id, told.level, told.sentence)).collect()
    }

    #[test]
    fn a_safe_that_was_never_drilled_or_long_ago_is_a_gap() {
        let none = Response::default();
        let never = told(&[], &none, 200);
        assert_eq!(
            never,
            [("drill", GapLevel::Warning, "guardian: this machine's journal has no drill of it".into())]
        );
        // Announced, and nobody came.
        assert_eq!(told(&[drill(199, &[], None)], &none, 200), never);
        let signed = drill(110, &[(11, 3)], None);
        assert_eq!(told(std::slice::from_ref(&signed), &none, 200), [], "90 days");
        let old = told(&[signed, drill(50, &[(11, 3)], Some(9))], &none, 201);
        let sentence = "guardian: the last drill was on 1970-04-21, 91 days ago, and 90 is the most";
        assert_eq!(old, [("drill-old", GapLevel::NotReady, sentence.into())]);
        // A drill of another Safe, or of the same address on another chain.
        let elsewhere = Drill { chain_id: 5, ..drill(199, &[(11, 3)], Some(9)) };
        let other = Drill { safe: owner(7), ..drill(199, &[(11, 3)], Some(9)) };
        assert_eq!(told(&[elsewhere, other], &none, 200), never);
        // A journal may have any day; that of another zone may have tomorrow.
        let to_come = || drill(202, &[(11, 3)], Some(9));
        assert_eq!(told(&[to_come()], &none, 200), never);
        assert_eq!(told(&[drill(50, &[(11, 3)], None), to_come()], &none, 200).len(), 1);
        assert_eq!(told(&[to_come()], &none, 201), []);
    }

    #[test]
    fn a_late_phase_of_the_last_drill_is_a_gap_with_both_times() {
        let minutes = |n| Some(Duration::from_mins(n));
        let response = Response { first_signature: minutes(10), proof: minutes(90) };
        let good = drill(199, &[(11, 10), (12, 40)], Some(90));
        assert_eq!(told(std::slice::from_ref(&good), &response, 200), []);
        let late = drill(199, &[(11, 11), (12, 40)], Some(91));
        let sentences: Vec<String> =
            told(&[good, late], &response, 200).into_iter().map(|(.., s)| s).collect();
        assert_eq!(
            sentences,
            [
                "guardian: in the drill of 1970-07-19: first signature after 11 min, and [response] wants 10 min",
                "guardian: in the drill of 1970-07-19: proven after 1 h 31 min, and [response] wants 1 h 30 min",
            ]
        );
    }

    #[test]
    fn absent_keys_are_listed_for_owners_that_are_safes_too() {
        let guardian = state(1, &[11, 2, 13], SafeVersion::V1_4_1);
        let foundation = state(2, &[21, 22], SafeVersion::V1_4_1);
        let safes = [("guardian", &guardian), ("foundation", &foundation)];
        let drills = [drill(1, &[(11, 1), (22, 2)], Some(3))];
        let drilled = last_drills(&council(), (&drills, &[]), &safes, day(2 * 86_400));
        assert_eq!(drilled.len(), 1, "foundation has no lever");
        let last = drilled[0].last.as_ref().unwrap();
        assert_eq!(last.absent, [owner(21), owner(13)]);
        assert_eq!(last.drill.threshold_met(), Some(at(1, 2)));
    }

    /// Bob's journal has his signature alone; alice's journal has both signatures and the proof.
    #[test]
    fn a_drill_that_only_other_journals_state_is_marked() {
        let state = state(1, &[11, 12, 13], SafeVersion::V1_4_1);
        let (own, whole) = (drill(199, &[(12, 3)], None), drill(199, &[(11, 2), (12, 3)], Some(9)));
        let of = |all: &[Drill], own: &[Drill], today: u64| {
            let today = day(today * 86_400);
            let drilled = last_drills(&council(), (all, own), &[("guardian", &state)], today);
            let told = gaps(&drilled, &Response::default(), today);
            let told: Vec<_> = told.iter().map(DrillGap::report).map(|told| (told.id, told.level)).collect();
            (drilled[0].last.as_ref().unwrap().absent.len(), told)
        };
        let (own, whole) = (&[own][..], &[whole][..]);
        assert_eq!(of(own, own, 200), (2, vec![]));
        let stated = ("drill-stated", GapLevel::Warning);
        assert_eq!(of(whole, own, 200), (1, vec![stated]));
        assert_eq!(of(whole, &[], 200), (1, vec![stated]), "this machine took no part");
        assert_eq!(of(whole, own, 300), (1, vec![("drill-old", GapLevel::NotReady), stated]));
    }

    #[test]
    fn a_safe_that_cannot_be_drilled_is_skipped() {
        let old = state(1, &[11, 12, 13], SafeVersion::V1_1_1);
        assert_eq!(last_drills(&council(), (&[], &[]), &[("guardian", &old)], day(0)), []);
    }
}
