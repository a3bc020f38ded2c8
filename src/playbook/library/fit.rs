//! Which playbooks fit a contract, by the functions that it has. Pure.
//!
//! That a contract has a function does not say what the function does: a fit is a suggestion, and the rehearsal shows
//! what the lever does.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::Selector;

use crate::playbook::claim::{Claim, Fact, StaticCall, ValueSource};
use crate::playbook::each::Each;
use crate::playbook::language::template::Template;
use crate::playbook::{Catalogue, Ending, LibraryEntry, Playbook};

/// A playbook every call of which a contract can answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit<'p> {
    pub playbook: &'p Playbook,
    /// The param that takes the contract's address; `safe` where the Safe calls itself.
    pub param: String,
    /// The functions that its steps call on the contract.
    pub calls: BTreeMap<Selector, String>,
    /// The views that it asks of the contract, and that the contract has.
    pub asks: BTreeMap<Selector, String>,
    /// The views that it asks of the contract, and that were not found: it may be for another version, or another
    /// contract.
    pub lacks: Vec<String>,
}

impl Fit<'_> {
    /// Returns `true` if the contract has all that the playbook asks of it.
    pub fn is_whole(&self) -> bool {
        self.lacks.is_empty()
    }

    /// Returns how many of the contract's functions it knows: the more, the less it is chance.
    pub fn known(&self) -> usize {
        self.calls.len() + self.asks.len()
    }
}

/// The functions that a playbook needs of the address in one param.
#[derive(Default)]
struct RequiredFunctions {
    calls: BTreeMap<Selector, String>,
    views: BTreeMap<Selector, String>,
}

/// Returns how the playbook fits a contract with these functions: once for each param that it may be given as.
pub fn fits<'p>(playbook: &'p Playbook, has: &BTreeSet<Selector>) -> Vec<Fit<'p>> {
    let needs = needs(playbook).into_iter();
    let called =
        needs.filter(|(_, needs)| !needs.calls.is_empty() && needs.calls.keys().all(|s| has.contains(s)));
    let fit = |(param, RequiredFunctions { calls, views }): (String, RequiredFunctions)| {
        let (asks, lacks): (BTreeMap<_, _>, BTreeMap<_, _>) =
            views.into_iter().partition(|(selector, _)| has.contains(selector));
        Fit { playbook, param, calls, asks, lacks: lacks.into_values().collect() }
    };
    called.map(fit).collect()
}

impl Catalogue {
    /// Returns the playbooks that fit a contract with these functions: first those that lack nothing, and of them those
    /// that know most of its functions.
    pub fn fitting(&self, has: &BTreeSet<Selector>) -> Vec<(LibraryEntry<'_>, Fit<'_>)> {
        let entries = self.all().into_iter();
        let mut found: Vec<_> = entries
            .flat_map(|entry| fits(entry.playbook, has).into_iter().map(move |fit| (entry.clone(), fit)))
            .collect();
        found.sort_by_key(|(entry, fit)| {
            (fit.lacks.len(), std::cmp::Reverse(fit.known()), entry.playbook.id.clone())
        });
        found
    }
}

impl Playbook {
    /// Returns the signature of the view that a question's data calls; `None` if the playbook asks none such.
    pub fn view_called(&self, data: &[u8]) -> Option<String> {
        let conditions = self.steps.iter().flat_map(|step| &step.skip_if);
        let claims = conditions.chain(&self.before).chain(&self.after);
        let asked = claims.filter_map(|claim| match &claim.fact {
            Fact::Value { source, .. } => Some(source),
            Fact::Call { .. } | Fact::Event { .. } => None,
        });
        self.reads.iter().map(|read| &read.source).chain(asked).find_map(|asked| match asked {
            ValueSource::View(call) if data.starts_with(call.function.selector().as_slice()) => {
                Some(call.function.signature())
            }
            _ => None,
        })
    }
}

fn needs(playbook: &Playbook) -> BTreeMap<String, RequiredFunctions> {
    let mut needs: BTreeMap<String, RequiredFunctions> = BTreeMap::new();
    for step in &playbook.steps {
        if let Some(param) = param_of(&step.to, step.each.as_ref()) {
            let calls = &mut needs.entry(param).or_default().calls;
            calls.insert(step.function.selector(), step.function.signature());
        }
        step.skip_if.iter().for_each(|claim| ask_claim(claim, step.each.as_ref(), &mut needs));
    }
    for read in &playbook.reads {
        ask(&read.source, read.each.as_ref(), &mut needs);
    }
    for claim in playbook.before.iter().chain(&playbook.after) {
        ask_claim(claim, claim.each.as_ref(), &mut needs);
    }
    needs
}

fn ask_claim(claim: &Claim, each: Option<&Each>, needs: &mut BTreeMap<String, RequiredFunctions>) {
    match &claim.fact {
        Fact::Value { source, .. } => ask(source, each, needs),
        // A call that must revert may be one that the contract does not have.
        Fact::Call { call, ending: Ending::Succeeds } => ask_view(call, each, needs),
        Fact::Call { .. } | Fact::Event { .. } => {}
    }
}

fn ask(asked: &ValueSource, each: Option<&Each>, needs: &mut BTreeMap<String, RequiredFunctions>) {
    if let ValueSource::View(call) = asked {
        ask_view(call, each, needs);
    }
}

fn ask_view(call: &StaticCall, each: Option<&Each>, needs: &mut BTreeMap<String, RequiredFunctions>) {
    let Some(param) = param_of(&call.on, each) else { return };
    let (selector, signature) = (call.function.selector(), call.function.signature());
    needs.entry(param).or_default().views.insert(selector, signature);
}

/// The param that an address comes from: its own name, or that of the list whose item it is.
fn param_of(address: &Template, each: Option<&Each>) -> Option<String> {
    let name = address.sole_name()?;
    let list = each.and_then(|each| each.0.get(name));
    list.map_or(Some(name), Template::sole_name).map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::keccak256;

    fn has(signatures: &[&str]) -> BTreeSet<Selector> {
        signatures.iter().map(|text| Selector::from_slice(&keccak256(text)[..4])).collect()
    }

    fn ids(found: &[(LibraryEntry<'_>, Fit<'_>)]) -> Vec<(String, String)> {
        found.iter().map(|(entry, fit)| (entry.playbook.id.to_string(), fit.param.clone())).collect()
    }

    #[test]
    fn a_pausable_contract_is_found_with_its_undo_and_not_without_its_view() {
        let library = Catalogue::new(Vec::new());
        let found = library.fitting(&has(&["pause()", "unpause()", "paused()"]));
        let whole: Vec<_> = found.into_iter().filter(|(_, fit)| fit.is_whole()).collect();
        for (id, param) in [
            ("pause/oz-pausable", "target"),
            ("pause/oz-pausable-undo", "target"),
            ("pause/oz-pausable-many", "targets"),
        ] {
            assert!(ids(&whole).contains(&(id.into(), param.into())), "{id}: {:?}", ids(&whole));
        }
        let found = library.fitting(&has(&["pause()"]));
        let (_, fit) = found.iter().find(|(e, _)| e.playbook.id.as_str() == "pause/oz-pausable").unwrap();
        assert_eq!(fit.lacks, ["paused()"]);
        assert!(
            library.fitting(&has(&["transfer(address,uint256)"])).iter().all(|(_, fit)| fit.calls.len() == 1)
        );
        assert!(library.fitting(&BTreeSet::new()).is_empty());
    }

    /// The Safe calls itself: what fits it is bound to no target.
    #[test]
    fn a_safe_is_fit_by_what_it_calls_on_itself() {
        let library = Catalogue::new(Vec::new());
        let found = library.fitting(&has(&["changeThreshold(uint256)", "getThreshold()"]));
        let (_, fit) = found.iter().find(|(e, _)| e.playbook.id.as_str() == "rotate/safe-threshold").unwrap();
        assert_eq!(fit.param, "safe");
    }

    /// Every playbook fits the contract that has exactly what it asks.
    #[test]
    fn every_playbook_of_the_library_fits_its_own_contract() {
        for entry in Catalogue::new(Vec::new()).all() {
            let needs = needs(entry.playbook);
            let called: Vec<_> = needs.iter().filter(|(_, needs)| !needs.calls.is_empty()).collect();
            assert!(!called.is_empty(), "{} calls no param", entry.playbook.id);
            for (param, needs) in called {
                let has: BTreeSet<_> = needs.calls.keys().chain(needs.views.keys()).copied().collect();
                let fits = fits(entry.playbook, &has);
                assert!(
                    fits.iter().any(|fit| fit.param == *param && fit.is_whole()),
                    "{}",
                    entry.playbook.id
                );
            }
        }
    }
}
