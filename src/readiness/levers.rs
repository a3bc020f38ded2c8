//! Gaps of the levers: each can be pulled, undone, and by nobody else; a combined one fits into one transaction. Pure.

use std::collections::BTreeMap;

use super::told::{GapReport, not_ready, warning};
use crate::ceremony::trials::trial_report::TrialPart;
use crate::council::{self, Council};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeverGap {
    /// The reader's own files make it unusable.
    Bad { lever: String, why: String },
    /// Levers that fail on the fork, for one reason.
    Fails { levers: Vec<String>, why: String },
    /// Its undo fails on the fork.
    NotTakenBack { lever: String, why: String },
    /// Somebody without the role can do it.
    Open { lever: String, why: String },
    /// It works for this many days only.
    Ends { lever: String, days: u64 },
    /// The council file gives no example of the arguments that it leaves open.
    NotTried { lever: String, open: Vec<String> },
    /// Levers that are pulled together take more gas than one transaction may have.
    TooMuchGas { lever: String, safe: String, gas: u64, cap: u64 },
}

impl LeverGap {
    pub(super) fn report(&self) -> GapReport {
        match self {
            Self::Bad { lever, why } => not_ready(
                "lever-bad",
                format!("lever {lever}: {why}"),
                "fix the council file: breakglass council check",
            ),
            Self::Fails { levers, why } => not_ready(
                "lever-fails",
                format!("lever {} cannot be pulled: {why}", levers.join(", ")),
                "give the Safe its role back, or bind another playbook",
            ),
            Self::NotTakenBack { lever, why } => warning(
                "undo-fails",
                format!("lever {lever}: no Safe of your file can take it back: {why}"),
                "know who can take it back before you pull it",
            ),
            Self::Open { lever, why } => not_ready(
                "lever-open",
                format!("lever {lever}: {why}"),
                "the contract does not check who calls: fix it; if anybody may, say so: anyone = true",
            ),
            Self::Ends { lever, days } => warning(
                "lever-ends",
                format!("lever {lever} works now, and no longer in {days} days"),
                "a window closes or a role ends: renew it, or bind another playbook",
            ),
            Self::NotTried { lever, open } => warning(
                "lever-untried",
                format!("lever {lever} was not tried: it leaves open {}", open.join(", ")),
                format!("write examples: [levers.{lever}.try]"),
            ),
            Self::TooMuchGas { lever, safe, gas, cap } => not_ready(
                "lever-gas",
                format!(
                    "lever {lever}: its transaction of {safe} takes about {gas} gas, and one may have {cap}"
                ),
                format!("let some of its levers stand alone: alone = [\"…\"] in [levers.{lever}]"),
            ),
        }
    }
}

/// The result of trying a lever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeverTrial {
    /// It can be pulled and undone.
    Works { gas: u64 },
    /// Everything that it promises holds already.
    Done,
    /// A part of it failed.
    Wrong { part: TrialPart, why: String, gas: Option<u64> },
    /// Arguments that it leaves open and no example gives.
    Open(Vec<String>),
    /// The reader's own files make it unusable.
    Bad(String),
}

/// A lever and the result of its trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExaminedLever {
    pub lever: String,
    pub tried: LeverTrial,
    /// The number of days after which it can no longer be pulled; `None` if it still can after those that were tried.
    pub ends_in: Option<u64>,
}

impl ExaminedLever {
    /// Returns the gas of its transaction, if it could be pulled.
    pub const fn gas(&self) -> Option<u64> {
        match self.tried {
            LeverTrial::Works { gas } => Some(gas),
            LeverTrial::Wrong { gas, .. } => gas,
            _ => None,
        }
    }
}

/// Returns the gaps of the levers. Those that fail for one reason are one gap.
pub fn gaps(seen: &[ExaminedLever]) -> Vec<LeverGap> {
    let mut failing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut gaps = Vec::new();
    for ExaminedLever { lever, tried, ends_in } in seen {
        let (lever, own) = (lever.clone(), |why: &String| why.clone());
        gaps.extend(ends_in.map(|days| LeverGap::Ends { lever: lever.clone(), days }));
        gaps.extend(match tried {
            LeverTrial::Works { .. } | LeverTrial::Done => None,
            LeverTrial::Wrong { part: TrialPart::Lever, why, .. } => {
                failing.entry(why).or_default().push(lever);
                None
            }
            LeverTrial::Wrong { part: TrialPart::Undo, why, .. } => {
                Some(LeverGap::NotTakenBack { lever, why: own(why) })
            }
            LeverTrial::Wrong { part: TrialPart::Stranger, why, .. } => {
                Some(LeverGap::Open { lever, why: own(why) })
            }
            LeverTrial::Open(open) => Some(LeverGap::NotTried { lever, open: open.clone() }),
            LeverTrial::Bad(why) => Some(LeverGap::Bad { lever, why: own(why) }),
        });
    }
    let failing = failing.into_iter().map(|(why, levers)| LeverGap::Fails { levers, why: why.into() });
    failing.chain(gaps).collect()
}

/// Returns the combined levers that take more gas than one transaction of their chain may have, by the sum of their
/// levers, which is an upper bound. `cap` gives the limit of a Safe's chain.
pub fn too_much_gas(
    council: &Council,
    seen: &[ExaminedLever],
    cap: impl Fn(&council::Safe) -> Option<u64>,
) -> Vec<LeverGap> {
    let gas_of = |name: &String| seen.iter().find(|one| one.lever == *name).and_then(ExaminedLever::gas);
    let of_part = |lever: &str, part: &council::Part| {
        let cap = cap(council.safes.get(&part.safe)?)?;
        let gas = part.levers.iter().filter_map(gas_of).fold(0, u64::saturating_add);
        let (lever, safe) = (lever.to_string(), part.safe.clone());
        (gas > cap).then_some(LeverGap::TooMuchGas { lever, safe, gas, cap })
    };
    let of = |name: &String| {
        let expansion = council::expand(council, std::slice::from_ref(name), &[], false);
        let parts = expansion.map(|expansion| expansion.parts).unwrap_or_default();
        parts.iter().filter_map(|part| of_part(name, part)).collect::<Vec<_>>()
    };
    council.combined.keys().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use alloy::primitives::Address;

    use super::*;
    use crate::council::tests::written::CouncilText;

    fn seen(lever: &str, tried: LeverTrial) -> ExaminedLever {
        ExaminedLever { lever: lever.into(), tried, ends_in: None }
    }

    #[test]
    fn a_combined_lever_over_the_gas_limit_is_a_gap() {
        let text = CouncilText::new().safe("guardian", Address::repeat_byte(9), &[], 0).and(
            "[levers.all]\npull = [\"a\", \"b\", \"d\"]\n[levers.apart]\npull = [\"a\", \"b\", \"d\"]\nalone = [\"d\"]\n",
        );
        let lever = |text: CouncilText, name| text.lever(name, "pause/oz-pausable", "vault");
        let council = ["a", "b", "d"].into_iter().fold(text, lever).council();
        let all: Vec<ExaminedLever> =
            [("a", 6), ("b", 7), ("d", 8)].map(|(name, gas)| seen(name, LeverTrial::Works { gas })).into();
        let gaps = |cap: u64| too_much_gas(&council, &all, |_| Some(cap));
        let gap = |lever: &str, gas, cap| LeverGap::TooMuchGas {
            lever: lever.into(),
            safe: "guardian".into(),
            gas,
            cap,
        };
        assert_eq!(gaps(21), []);
        assert_eq!(gaps(20), [gap("all", 21, 20)]);
        assert_eq!(gaps(12), [gap("all", 21, 12), gap("apart", 13, 12)]);
        assert_eq!(too_much_gas(&council, &all, |_| None), [], "the cap is not known");
    }

    #[test]
    fn levers_that_fail_for_one_reason_are_one_gap() {
        let wrong = |part, why: &str| LeverTrial::Wrong { part, why: why.into(), gas: None };
        let all = [
            seen("a", LeverTrial::Works { gas: 1 }),
            seen("b", wrong(TrialPart::Lever, "no role")),
            seen("c", LeverTrial::Done),
            seen("d", wrong(TrialPart::Lever, "no role")),
            seen("e", wrong(TrialPart::Undo, "not the owner")),
            seen("f", wrong(TrialPart::Stranger, "not denied")),
            seen("g", LeverTrial::Open(vec!["fee".into()])),
            seen("h", LeverTrial::Bad("no playbook".into())),
            ExaminedLever { ends_in: Some(9), ..seen("i", LeverTrial::Works { gas: 1 }) },
        ];
        let gaps = gaps(&all);
        let told: Vec<String> = gaps.iter().map(|gap| gap.report().sentence).collect();
        assert_eq!(told[0], "lever b, d cannot be pulled: no role");
        let ids: Vec<&str> = gaps.iter().map(|gap| gap.report().id).collect();
        assert_eq!(
            ids,
            ["lever-fails", "undo-fails", "lever-open", "lever-untried", "lever-bad", "lever-ends"]
        );
    }
}
