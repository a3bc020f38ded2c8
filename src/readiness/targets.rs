//! Gaps of the contracts of the council file: their code must be pinned, a lever must stop each, and the council must
//! control them. Pure.

use std::collections::BTreeSet;

use alloy::json_abi::Function;
use alloy::primitives::{Address, B256, Selector};

use super::told::{GapLevel, GapReport, not_ready, warning};
use crate::playbook::{Catalogue, Playbook, PlaybookKind, Undo};

/// A contract of the council file, as it is on its chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExaminedTarget {
    pub target: String,
    pub chain: String,
    /// The code that answers for it, by its address: its own first, then its implementation's.
    pub code: Vec<(Address, B256)>,
    /// The code that the council file pins.
    pub pins: Vec<B256>,
    pub functions: BTreeSet<Selector>,
    /// The functions that levers call there.
    pub called: BTreeSet<Selector>,
    /// A lever that works, or is done already, calls it.
    pub is_reached: bool,
    /// Those who control it and are neither a Safe nor a target of the file.
    pub strangers: Vec<Stranger>,
}

/// An account that controls a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// `owner()`, or the name of a role.
    pub by: &'static str,
    /// `None` for a role that no Safe of the file has.
    pub who: Option<Address>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetGap {
    /// Nothing is at its address.
    NoCode { target: String, chain: String },
    /// Code that the council file does not pin for this target.
    OtherCode { target: String, chain: String, at: Address, hash: B256 },
    /// Targets without a pin.
    Unpinned(Vec<String>),
    /// No lever works on it, and somebody else is in charge of it.
    NotYours { target: String, chain: String, by: Stranger },
    /// A function that stops the contract, and no lever calls it there; `has_lever` if another lever calls the contract.
    Uncovered { target: String, chain: String, function: String, playbook: String, has_lever: bool },
}

impl TargetGap {
    pub(super) fn report(&self) -> GapReport {
        match self {
            Self::NoCode { target, chain } => not_ready(
                "target-empty",
                format!("{target} on {chain} has no code"),
                "fix its address in the council file",
            ),
            Self::OtherCode { target, chain, at, hash } => not_ready(
                "code-differs",
                format!("{target} on {chain} runs code {hash} at {at}, which your file does not pin"),
                "ask who replaced that code, and what it does; if it was your protocol, pin the new one",
            ),
            Self::Unpinned(targets) => warning(
                "code-unpinned",
                format!("your file does not pin the code of {}", targets.join(", ")),
                "NAME = { address = \"0x…\", code = \"0x…\" } in its target; breakglass check names the code",
            ),
            Self::NotYours { target, chain, by: Stranger { by, who } } => {
                let who = who.map_or_else(
                    || format!("no Safe of your file has its {by}"),
                    |who| format!("its {by} is {who}, which your file does not have"),
                );
                warning(
                    "target-not-yours",
                    format!("{target} on {chain}: {who}, and no lever works on it"),
                    "add the Safe that is in charge and a lever, or take the target out",
                )
            }
            Self::Uncovered { target, chain, function, playbook, has_lever } => {
                let level = if *has_lever { GapLevel::Warning } else { GapLevel::NotReady };
                let sentence = format!("{target} on {chain} has {function}, and no lever calls it");
                let fix = format!("breakglass playbook show {playbook}, then breakglass council add lever");
                GapReport { id: "uncovered", level, sentence, fix }
            }
        }
    }
}

/// Returns the gaps of the contracts.
pub fn gaps(seen: &[ExaminedTarget], stopping: &[Stopping]) -> Vec<TargetGap> {
    let mut gaps: Vec<TargetGap> = seen.iter().flat_map(of_code).collect();
    gaps.extend(seen.iter().flat_map(|one| uncovered(one, stopping)));
    gaps.extend(seen.iter().filter_map(foreign_target));
    let unpinned = seen.iter().filter(|one| one.pins.is_empty() && !one.code.is_empty());
    let unpinned: Vec<String> = unpinned.map(|one| one.target.clone()).collect();
    gaps.extend((!unpinned.is_empty()).then_some(TargetGap::Unpinned(unpinned)));
    gaps
}

fn of_code(seen: &ExaminedTarget) -> Vec<TargetGap> {
    let (target, chain) = (&seen.target, &seen.chain);
    if seen.code.is_empty() {
        return vec![TargetGap::NoCode { target: target.clone(), chain: chain.clone() }];
    }
    let others = seen.code.iter().filter(|(_, hash)| !seen.pins.is_empty() && !seen.pins.contains(hash));
    let gap = |(at, hash): &(Address, B256)| TargetGap::OtherCode {
        target: target.clone(),
        chain: chain.clone(),
        at: *at,
        hash: *hash,
    };
    others.map(gap).collect()
}

fn foreign_target(seen: &ExaminedTarget) -> Option<TargetGap> {
    let by = seen.strangers.first().filter(|_| !seen.is_reached)?.clone();
    Some(TargetGap::NotYours { target: seen.target.clone(), chain: seen.chain.clone(), by })
}

/// A function that stops a contract, by a playbook of the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopping {
    pub selector: Selector,
    pub signature: String,
    pub playbook: String,
}

/// Parts of the names of functions that stop a contract: playbooks that stop one also call `transfer`, `approve` and
/// the like.
const STOPS: [&str; 8] = ["pause", "freeze", "shutdown", "stop", "kill", "halt", "seal", "recovery"];

/// Returns the functions by which playbooks stop a contract, without those that undo it.
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
    let pauses = pauses.filter(|p| p.kind == PlaybookKind::Pause && !counters.contains(p.id.as_str()));
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

/// Returns the functions that stop a contract and that no lever calls there, each with the first playbook that has it.
fn uncovered(contract: &ExaminedTarget, stopping: &[Stopping]) -> Vec<TargetGap> {
    let mut seen = BTreeSet::new();
    let open = stopping.iter().filter(|one| {
        contract.functions.contains(&one.selector)
            && !contract.called.contains(&one.selector)
            && seen.insert(one.selector)
    });
    open.map(|one| TargetGap::Uncovered {
        target: contract.target.clone(),
        chain: contract.chain.clone(),
        function: one.signature.clone(),
        playbook: one.playbook.clone(),
        has_lever: !contract.called.is_empty(),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stopping_functions_of_the_library_do_not_include_those_that_undo() {
        let known = stopping(&Catalogue::new(Vec::new()));
        let has = |signature: &str| known.iter().any(|one| one.signature == signature);
        assert!(has("pause()") && has("setPaused(bool)") && has("shutdown_vault()"));
        for other in ["unpause()", "approve(address,uint256)", "transfer(address,uint256)"] {
            assert!(!has(other), "{other}");
        }
    }

    #[test]
    fn a_stopping_function_that_no_lever_calls_is_one_gap() {
        let selector = |n: u8| Selector::from([n; 4]);
        let stopping = |n: u8, playbook: &str| Stopping {
            selector: selector(n),
            signature: format!("f{n}()"),
            playbook: playbook.into(),
        };
        let contract = |functions: &[u8], called: &[u8]| ExaminedTarget {
            target: "router".into(),
            chain: "mainnet".into(),
            functions: functions.iter().map(|n| selector(*n)).collect(),
            called: called.iter().map(|n| selector(*n)).collect(),
            ..ExaminedTarget::default()
        };
        let known = [stopping(1, "pause/a"), stopping(1, "pause/b"), stopping(2, "pause/c")];
        assert_eq!(uncovered(&contract(&[1, 3], &[1]), &known), []);
        assert_eq!(uncovered(&contract(&[3], &[]), &known), []);
        let bare = uncovered(&contract(&[1, 3], &[]), &known);
        assert!(matches!(&bare[..], [one] if one.report().level == GapLevel::NotReady), "{bare:?}");
        let other = uncovered(&contract(&[1, 2], &[2]), &known);
        assert!(matches!(&other[..], [one] if one.report().level == GapLevel::Warning), "{other:?}");
    }

    #[test]
    fn missing_code_and_unpinned_code_are_gaps() {
        let (own, behind) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let hash = B256::repeat_byte;
        let with = |code: &[(Address, B256)], pins: &[B256]| {
            let seen = ExaminedTarget {
                target: "vault".into(),
                chain: "mainnet".into(),
                code: code.to_vec(),
                pins: pins.to_vec(),
                ..ExaminedTarget::default()
            };
            gaps(&[seen], &[]).iter().map(|gap| gap.report().id).collect::<Vec<_>>()
        };
        assert_eq!(with(&[(own, hash(1)), (behind, hash(2))], &[hash(1), hash(2)]), [""; 0]);
        assert_eq!(with(&[(own, hash(1)), (behind, hash(3))], &[hash(1), hash(2)]), ["code-differs"]);
        assert_eq!(with(&[(own, hash(1))], &[]), ["code-unpinned"]);
        assert_eq!(with(&[], &[]), ["target-empty"]);
        assert_eq!(with(&[], &[hash(1)]), ["target-empty"]);
    }

    #[test]
    fn a_target_that_others_control_is_a_gap_if_no_lever_works_on_it() {
        let stranger = |who| Stranger { by: "owner()", who };
        let seen = |is_reached, strangers: &[Stranger]| ExaminedTarget {
            target: "vault".into(),
            chain: "mainnet".into(),
            is_reached,
            strangers: strangers.to_vec(),
            ..ExaminedTarget::default()
        };
        let dao = stranger(Some(Address::repeat_byte(7)));
        assert_eq!(foreign_target(&seen(false, &[])), None);
        assert_eq!(foreign_target(&seen(true, std::slice::from_ref(&dao))), None, "a guardian is enough");
        let told = foreign_target(&seen(false, &[dao])).unwrap().report().sentence;
        assert!(told.starts_with("vault on mainnet: its owner() is 0x0707"), "{told}");
        let told = foreign_target(&seen(false, &[stranger(None)])).unwrap().report().sentence;
        assert!(told.starts_with("vault on mainnet: no Safe of your file has its owner()"), "{told}");
    }
}
