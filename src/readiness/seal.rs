//! The controls of SEAL for multisigs, with the evidence that this program has of each. Pure.
//!
//! Source: security-alliance/frameworks 573baae0, `certs/sfc-multisig-ops.mdx` and `certs/sfc-incident-response.mdx`, both
//! revision 1.1. What is asked of an organisation and leaves no trace here is listed as not known.

use std::collections::BTreeSet;

use super::council_gaps::CouncilSeen;
use super::levers::LeverTrial;
use super::safe_state::SafeSeen;
use super::{GapReport, roll_call};
use crate::chain::agreeing;
use crate::incident::Journal;

/// A control, and whether it is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    pub id: &'static str,
    pub asks: &'static str,
    pub state: ConditionState,
    pub evidence: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionState {
    Met,
    NotMet,
    /// Unknown: this program sees no sign of either.
    Unknown,
}

impl ConditionState {
    const fn of(is_met: bool) -> Self {
        if is_met { Self::Met } else { Self::NotMet }
    }

    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::Unknown => "not known here",
        }
    }
}

/// Controls that leave no trace here.
const UNKNOWN: [(&str, &str); 13] = [
    ("ms-1.1.1", "a named owner of the multisig operations"),
    ("ms-2.1.2", "controls of the contracts themselves"),
    ("ms-2.1.3", "exceptions are approved and written down"),
    ("ms-2.1.4", "wallets for one purpose each"),
    ("ms-3.1.2", "keys on hardware, seeds kept apart"),
    ("ms-3.1.5", "signers are trained"),
    ("ms-3.1.6", "a signing environment of their own"),
    ("ms-5.1.1", "channels to talk, and a second one"),
    ("ir-1.1.1", "a response team with roles"),
    ("ir-2.1.1", "a threat model"),
    ("ir-2.1.3", "paging that works"),
    ("ir-4.1.1", "channels for an incident"),
    ("ir-4.1.3", "drafts of messages to the public"),
];

/// Returns the controls in the order of their names. `told` are the gaps that were found.
#[must_use]
pub fn controls(seen: &CouncilSeen, told: &[GapReport], journal: &Journal) -> Vec<Control> {
    let has = |ids: &[&str]| told.iter().filter(|told| ids.contains(&told.id)).count();
    let mut all = of_safes(seen, &has);
    all.extend(of_signers(seen, &has));
    all.extend(of_transactions(seen, journal));
    all.extend(of_levers(seen, &has));
    all.extend(UNKNOWN.map(|(id, asks)| control(id, asks, ConditionState::Unknown, String::new())));
    all.sort_by_key(|control| control.id);
    all
}

const fn control(id: &'static str, asks: &'static str, state: ConditionState, evidence: String) -> Control {
    Control { id, asks, state, evidence }
}

fn of_safes(seen: &CouncilSeen, has: &dyn Fn(&[&str]) -> usize) -> Vec<Control> {
    let safes: Vec<(&str, Option<&SafeSeen>)> = (seen.seen.chains.iter().flat_map(|chain| &chain.safes))
        .map(|(name, safe)| (name.as_str(), safe.as_ref().ok()))
        .collect();
    let differ = has(&["safe", "safe-differs", "safe-unpinned", "safe-code", "chain"]);
    let registry = if differ == 0 {
        format!("{} Safes are on chain as the council file pins them", safes.len())
    } else {
        format!("{differ} differences between the council file and the chain")
    };
    let weak = |(name, safe): &(&str, Option<&SafeSeen>)| {
        let state = &(*safe)?.state;
        let (owners, threshold) = (state.owners.list().len(), state.owners.threshold().get());
        let is_strong = owners >= 3 && threshold * 2 >= owners && threshold < owners;
        (!is_strong).then(|| format!("{name} is {threshold} of {owners}"))
    };
    let weak: Vec<String> = safes.iter().filter_map(weak).collect();
    let unread = safes.iter().filter(|(_, safe)| safe.is_none()).count();
    let strong = match (weak.is_empty(), unread) {
        (true, 0) => format!("{} Safes", safes.len()),
        (true, unread) => format!("{unread} Safes could not be read"),
        (false, _) => weak.join(", "),
    };
    let is_strong = weak.is_empty() && unread == 0 && !safes.is_empty();
    vec![
        control(
            "ms-1.1.2",
            "a registry of multisigs, true and current",
            ConditionState::of(differ == 0),
            registry,
        ),
        control(
            "ms-2.1.1",
            "3 signers or more, threshold of half or more, never all",
            ConditionState::of(is_strong),
            strong,
        ),
    ]
}

fn of_signers(seen: &CouncilSeen, has: &dyn Fn(&[&str]) -> usize) -> Vec<Control> {
    let proven: BTreeSet<_> = seen.proofs.iter().map(|proof| proof.statement().owner).collect();
    let never = has(&["roll-call"]) > 0;
    let (old, few) = (has(&["roll-call-old"]), has(&["roll-call-few"]));
    let strangers = has(&["owner-unknown", "owner-contract", "people"]);
    let count = format!("{} signers have proven their key by a roll call", proven.len());
    let current = !never && old == 0 && few == 0 && !proven.is_empty();
    let days = roll_call::OLD;
    let reach = if strangers == 0 {
        "every owner is in [people], with how to reach them; that it works is not tested".into()
    } else {
        format!("{strangers} owners or Safes are without somebody to call")
    };
    let quarter = format!("{count}; {old} of them more than {days} days ago");
    vec![
        control(
            "ms-3.1.1",
            "each signer's address is proven",
            ConditionState::of(!never && !proven.is_empty()),
            count,
        ),
        control("ms-3.1.4", "access is reviewed every quarter", ConditionState::of(current), quarter.clone()),
        control("ms-5.1.2", "a list of contacts", ConditionState::of(strangers == 0), reach),
        control(
            "ms-6.1.2",
            "signers are reachable, tested every quarter",
            ConditionState::of(current),
            quarter.clone(),
        ),
        control("ir-3.1.2", "signers are reachable in an incident", ConditionState::of(current), quarter),
    ]
}

fn of_transactions(seen: &CouncilSeen, journal: &Journal) -> Vec<Control> {
    let chains = &seen.seen.chains;
    let public: Vec<&str> =
        chains.iter().filter(|chain| chain.relays.is_empty()).map(|chain| chain.chain.as_str()).collect();
    let private = if public.is_empty() {
        "every field is shown before signing; each chain has a private endpoint".into()
    } else {
        format!("every field is shown before signing; no private endpoint on {}", public.join(", "))
    };
    let single: Vec<&str> = (chains.iter())
        .filter(|chain| agreeing(&chain.endpoints).0 < 2)
        .map(|chain| chain.chain.as_str())
        .collect();
    let rpcs = if single.is_empty() {
        "two RPCs or more agree on each chain, and this program needs no web page".into()
    } else {
        format!("fewer than two RPCs agree on {}", single.join(", "))
    };
    let (entries, breaks) = (journal.entries.len(), journal.breaks.len() + journal.more);
    let is_whole = entries > 0 && breaks == 0;
    let chained = format!("the journal has {entries} entries and {breaks} breaks of its chain");
    let version = format!("each of {entries} entries names version and build of the program");
    vec![
        control(
            "ms-4.1.1",
            "a transaction is verified, and sent privately",
            ConditionState::of(public.is_empty()),
            private,
        ),
        control(
            "ms-4.1.2",
            "a record of who proposed, approved and sent",
            ConditionState::of(is_whole),
            chained.clone(),
        ),
        control(
            "ms-4.1.3",
            "tools are vetted, their versions known",
            ConditionState::of(entries > 0),
            version,
        ),
        control("ms-4.1.4", "another interface and 2 or 3 RPCs", ConditionState::of(single.is_empty()), rpcs),
        control("ir-2.1.4", "records show tampering", ConditionState::of(is_whole), chained),
    ]
}

fn of_levers(seen: &CouncilSeen, has: &dyn Fn(&[&str]) -> usize) -> Vec<Control> {
    let levers = || seen.seen.chains.iter().flat_map(|chain| &chain.levers);
    let works =
        levers().filter(|lever| matches!(lever.tried, LeverTrial::Works { .. } | LeverTrial::Done)).count();
    let all = levers().count();
    let tried = format!("{works} of {all} levers were pulled on a fork");
    let is_ready = ConditionState::of(all > 0 && works == all);
    let uncovered = has(&["uncovered", "target-not-yours"]);
    let coverage = format!("{uncovered} functions or targets without a lever");
    let alarms = seen.council.alarms.len();
    let watched =
        format!("{alarms} alarms in the council file; doctor looks at owners, threshold, modules, guard");
    let sets = seen.seen.sets.iter().filter(|set| set.stale.is_empty() && set.left() > 0).count();
    let ahead = format!("{sets} transactions are signed ahead and good");
    vec![
        control("ms-6.1.1", "playbooks for emergencies", is_ready, tried.clone()),
        control("ms-6.1.3", "the multisigs are watched", ConditionState::of(alarms > 0), watched),
        control(
            "ir-2.1.2",
            "monitoring covers what matters",
            ConditionState::of(uncovered == 0 && alarms > 0),
            coverage,
        ),
        control("ir-3.1.1", "playbooks for incidents", is_ready, tried),
        control("ir-3.1.3", "emergency transactions made ahead", ConditionState::of(sets > 0), ahead),
    ]
}
