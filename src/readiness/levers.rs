//! Can each lever be pulled, taken back, and by nobody else; and does one reach every function that stops a contract? Pure.

use std::collections::{BTreeMap, BTreeSet};

use alloy::json_abi::Function;
use alloy::primitives::Selector;

use super::told::{Level, Told, not_ready, warning};
use crate::ceremony::trial::Part;
use crate::playbook::{Catalogue, Kind, Playbook, Undo};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// By the reader's own files.
    Bad {
        lever: String,
        why: String,
    },
    /// Levers that fail on the fork, for one reason.
    Fails {
        levers: Vec<String>,
        why: String,
    },
    NotTakenBack {
        lever: String,
        why: String,
    },
    /// Somebody without the role can do it.
    Open {
        lever: String,
        why: String,
    },
    Ends {
        lever: String,
        days: u64,
    },
    NotTried {
        lever: String,
        open: Vec<String>,
    },
    /// A function that stops the contract, and no lever calls it there.
    Uncovered {
        target: String,
        chain: String,
        function: String,
        playbook: String,
        /// Another lever calls the contract.
        has_lever: bool,
    },
}

impl Gap {
    pub(super) fn tell(&self) -> Told {
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
            Self::Uncovered { target, chain, function, playbook, has_lever } => {
                let level = if *has_lever { Level::Warning } else { Level::NotReady };
                let sentence = format!("{target} on {chain} has {function}, and no lever calls it");
                let fix = format!("breakglass playbook show {playbook}, then breakglass council add lever");
                Told { id: "uncovered", level, sentence, fix }
            }
        }
    }
}

/// The result of trying a lever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    Works {
        gas: u64,
    },
    /// All that it promises holds already.
    Done,
    Wrong {
        part: Part,
        why: String,
        gas: Option<u64>,
    },
    /// Arguments that it leaves open and no example gives.
    Open(Vec<String>),
    /// It is bad by the reader's own files.
    Bad(String),
}

/// A lever and how it was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeverSeen {
    pub lever: String,
    pub tried: Tried,
    /// The first day from now on which it cannot be pulled any more, within the time that was looked at.
    pub ends_in: Option<u64>,
}

impl LeverSeen {
    /// Returns the gas of its transaction, if it could be pulled.
    #[must_use]
    pub const fn gas(&self) -> Option<u64> {
        match self.tried {
            Tried::Works { gas } => Some(gas),
            Tried::Wrong { gas, .. } => gas,
            _ => None,
        }
    }
}

/// Returns what is wrong with the levers. Those that fail for one reason are one gap.
#[must_use]
pub fn gaps(seen: &[LeverSeen]) -> Vec<Gap> {
    let mut failing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut gaps = Vec::new();
    for LeverSeen { lever, tried, ends_in } in seen {
        let (lever, own) = (lever.clone(), |why: &String| why.clone());
        gaps.extend(ends_in.map(|days| Gap::Ends { lever: lever.clone(), days }));
        gaps.extend(match tried {
            Tried::Works { .. } | Tried::Done => None,
            Tried::Wrong { part: Part::Lever, why, .. } => {
                failing.entry(why).or_default().push(lever);
                None
            }
            Tried::Wrong { part: Part::Undo, why, .. } => Some(Gap::NotTakenBack { lever, why: own(why) }),
            Tried::Wrong { part: Part::Stranger, why, .. } => Some(Gap::Open { lever, why: own(why) }),
            Tried::Open(open) => Some(Gap::NotTried { lever, open: open.clone() }),
            Tried::Bad(why) => Some(Gap::Bad { lever, why: own(why) }),
        });
    }
    let failing = failing.into_iter().map(|(why, levers)| Gap::Fails { levers, why: why.into() });
    failing.chain(gaps).collect()
}

/// A contract of the council file, and what its code has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    pub target: String,
    pub chain: String,
    pub functions: BTreeSet<Selector>,
    /// The functions that levers call there.
    pub called: BTreeSet<Selector>,
}

/// A function that stops a contract, by a playbook of the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopping {
    pub selector: Selector,
    /// `pause()`
    pub signature: String,
    pub playbook: String,
}

/// Parts of the names of functions that stop a contract. A library's playbooks also call `transfer`, `approve` and the like.
const STOPS: [&str; 8] = ["pause", "freeze", "shutdown", "stop", "kill", "halt", "seal", "recovery"];

/// Returns the functions by which playbooks stop a contract, and not those that take it back.
#[must_use]
pub fn stopping(catalogue: &Catalogue) -> Vec<Stopping> {
    let all = catalogue.all();
    let counters: BTreeSet<&str> = (all.iter())
        .filter_map(|entry| match &entry.playbook.undo {
            Undo::Playbook { id, .. } => Some(id.as_str()),
            Undo::None { .. } => None,
        })
        .filter(|id| id.ends_with("-undo"))
        .collect();
    let pauses = all.iter().map(|entry| entry.playbook);
    let pauses = pauses.filter(|p| p.kind == Kind::Pause && !counters.contains(p.id.as_str()));
    let of = |playbook: &Playbook| {
        let stops = |name: &str| STOPS.iter().any(|word| name.to_lowercase().contains(word));
        let functions = playbook.steps.iter().map(|step| &step.function).filter(|f| stops(&f.name));
        let stopping = |function: &Function| Stopping {
            selector: function.selector(),
            signature: function.signature(),
            playbook: playbook.id.to_string(),
        };
        functions.map(stopping).collect::<Vec<_>>()
    };
    pauses.flat_map(of).collect()
}

/// Returns the functions that stop a contract and that no lever calls there, the first playbook's for each.
#[must_use]
pub fn uncovered(contracts: &[Contract], stopping: &[Stopping]) -> Vec<Gap> {
    let of = |contract: &Contract| {
        let mut seen = BTreeSet::new();
        let open = stopping.iter().filter(|one| {
            contract.functions.contains(&one.selector)
                && !contract.called.contains(&one.selector)
                && seen.insert(one.selector)
        });
        open.map(|one| Gap::Uncovered {
            target: contract.target.clone(),
            chain: contract.chain.clone(),
            function: one.signature.clone(),
            playbook: one.playbook.clone(),
            has_lever: !contract.called.is_empty(),
        })
        .collect::<Vec<_>>()
    };
    contracts.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(lever: &str, tried: Tried) -> LeverSeen {
        LeverSeen { lever: lever.into(), tried, ends_in: None }
    }

    #[test]
    fn the_library_knows_what_stops_a_contract_and_not_what_starts_it_again() {
        let known = stopping(&Catalogue::new(Vec::new()));
        let has = |signature: &str| known.iter().any(|one| one.signature == signature);
        assert!(has("pause()") && has("setPaused(bool)") && has("shutdown_vault()"));
        for other in ["unpause()", "approve(address,uint256)", "transfer(address,uint256)"] {
            assert!(!has(other), "{other}");
        }
    }

    #[test]
    fn levers_that_fail_for_one_reason_are_one_gap() {
        let wrong = |part, why: &str| Tried::Wrong { part, why: why.into(), gas: None };
        let all = [
            seen("a", Tried::Works { gas: 1 }),
            seen("b", wrong(Part::Lever, "no role")),
            seen("c", Tried::Done),
            seen("d", wrong(Part::Lever, "no role")),
            seen("e", wrong(Part::Undo, "not the owner")),
            seen("f", wrong(Part::Stranger, "not denied")),
            seen("g", Tried::Open(vec!["fee".into()])),
            seen("h", Tried::Bad("no playbook".into())),
            LeverSeen { ends_in: Some(9), ..seen("i", Tried::Works { gas: 1 }) },
        ];
        let gaps = gaps(&all);
        let told: Vec<String> = gaps.iter().map(|gap| gap.tell().sentence).collect();
        assert_eq!(told[0], "lever b, d cannot be pulled: no role");
        let ids: Vec<&str> = gaps.iter().map(|gap| gap.tell().id).collect();
        assert_eq!(
            ids,
            ["lever-fails", "undo-fails", "lever-open", "lever-untried", "lever-bad", "lever-ends"]
        );
    }

    #[test]
    fn a_function_that_stops_and_that_no_lever_calls_is_told_once() {
        let selector = |n: u8| Selector::from([n; 4]);
        let stopping = |n: u8, playbook: &str| Stopping {
            selector: selector(n),
            signature: format!("f{n}()"),
            playbook: playbook.into(),
        };
        let contract = |functions: &[u8], called: &[u8]| Contract {
            target: "router".into(),
            chain: "mainnet".into(),
            functions: functions.iter().map(|n| selector(*n)).collect(),
            called: called.iter().map(|n| selector(*n)).collect(),
        };
        let known = [stopping(1, "pause/a"), stopping(1, "pause/b"), stopping(2, "pause/c")];
        assert_eq!(uncovered(&[contract(&[1, 3], &[1])], &known), []);
        assert_eq!(uncovered(&[contract(&[3], &[])], &known), []);
        let bare = uncovered(&[contract(&[1, 3], &[])], &known);
        assert!(matches!(&bare[..], [one] if one.tell().level == Level::NotReady), "{bare:?}");
        let other = uncovered(&[contract(&[1, 2], &[2])], &known);
        assert!(matches!(&other[..], [one] if one.tell().level == Level::Warning), "{other:?}");
    }
}
