//! The controls of SEAL for multisigs, with the evidence that this program has of each. Pure.
//!
//! Source: security-alliance/frameworks 573baae0, `certs/sfc-multisig-ops.mdx` and `certs/sfc-incident-response.mdx`,
//! both revision 1.1 of 2026-04-17. Controls of the organisation that this program cannot see are listed as not known.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_with::SerializeDisplay;

use super::GapReport;
use super::council_gaps::ExaminedCouncil;
use super::drill_times::Drill;
use super::key_gaps::KeyState;
use super::last_drills::{DrilledSafe, LastDrill};
use super::levers::LeverTrial;
use super::roll_call::{self, day, days};
use super::safe_state::ExaminedSafe;
use crate::chain::agreeing;
use crate::council::Zone;
use crate::incident::{Journal, Utc};

/// A control and its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Control {
    pub id: &'static str,
    pub asks: &'static str,
    pub state: ConditionState,
    pub evidence: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display, SerializeDisplay)]
pub enum ConditionState {
    #[display("met")]
    Met,
    #[display("not met")]
    NotMet,
    /// This program sees no evidence of either.
    #[display("not known to this program")]
    Unknown,
}

impl ConditionState {
    const fn of(is_met: bool) -> Self {
        if is_met { Self::Met } else { Self::NotMet }
    }
}

/// Every control, in the order of the two documents.
const CONTROLS: [(&str, &str); 37] = [
    ("ms-1.1.1", "a named owner of the multisig operations"),
    ("ms-1.1.2", "a registry of the multisigs, true and current"),
    ("ms-2.1.1", "3 signers or more, threshold of half or more, never all"),
    ("ms-2.1.2", "limits in the contracts: timelocks, guards, bounds"),
    ("ms-2.1.3", "exceptions are approved, written down and end"),
    ("ms-2.1.4", "assets are kept in several wallets"),
    ("ms-3.1.1", "each signer's address is proven"),
    ("ms-3.1.2", "hardware wallets, an address of its own for each multisig"),
    ("ms-3.1.3", "seed phrases are backed up and protected"),
    ("ms-3.1.4", "signers are added, removed and verified every quarter"),
    ("ms-3.1.5", "signers are trained and tested"),
    ("ms-3.1.6", "hardware wallets meet a standard"),
    ("ms-3.1.7", "signers sign on a secure machine"),
    ("ms-3.1.8", "signers of different roles, companies and places"),
    ("ms-4.1.1", "a transaction is verified, and sent privately"),
    ("ms-4.1.2", "a record of who proposed, approved and sent"),
    ("ms-4.1.3", "tools are vetted"),
    ("ms-4.1.4", "another interface and 2 or 3 RPCs"),
    ("ms-5.1.1", "secure channels, and a second one"),
    ("ms-5.1.2", "a list of emergency contacts"),
    ("ms-6.1.1", "playbooks for emergencies"),
    ("ms-6.1.2", "enough signers can be reached at any time, tested every quarter"),
    ("ms-6.1.3", "the multisigs are watched"),
    ("ms-6.1.4", "emergency drills every year, with participants and times"),
    ("ir-1.1.1", "a response team with roles and backups"),
    ("ir-1.1.2", "contacts of all who are needed in an incident"),
    ("ir-2.1.1", "a threat model"),
    ("ir-2.1.2", "monitoring covers what matters"),
    ("ir-2.1.3", "alerts and paging that reach somebody"),
    ("ir-2.1.4", "logs show tampering"),
    ("ir-3.1.1", "playbooks for incidents"),
    ("ir-3.1.2", "enough signers can be reached in an incident"),
    ("ir-3.1.3", "emergency transactions are made ahead"),
    ("ir-4.1.1", "secure channels for an incident"),
    ("ir-4.1.2", "regular updates within the organisation"),
    ("ir-4.1.3", "messages to the public are prepared"),
    ("ir-5.1.1", "incident drills every year, with what was found"),
];
/// Drills are asked for every year.
const YEAR: i64 = 365;

/// A control's name, its state, and the evidence.
type ControlEvidence = (&'static str, ConditionState, String);

/// Returns the controls in the order of the documents. `told` are the gaps.
pub fn controls(seen: &ExaminedCouncil, told: &[GapReport], journal: &Journal) -> Vec<Control> {
    let has = |ids: &[&str]| told.iter().filter(|told| ids.contains(&told.id)).count();
    let mut found = of_safes(seen, &has);
    found.extend(of_signers(seen, &has));
    found.extend(of_transactions(seen, journal));
    found.extend(of_levers(seen, &has));
    found.extend(of_drills(seen));
    found.extend(in_part(seen));
    let control = |(id, asks): (&'static str, &'static str)| {
        let known = found.iter().find(|(known, ..)| *known == id);
        let (state, evidence) =
            known.map_or((ConditionState::Unknown, String::new()), |(_, state, by)| (*state, by.clone()));
        Control { id, asks, state, evidence }
    };
    CONTROLS.into_iter().map(control).collect()
}

fn of_safes(seen: &ExaminedCouncil, has: &dyn Fn(&[&str]) -> usize) -> Vec<ControlEvidence> {
    let safes: Vec<(&str, Option<&ExaminedSafe>)> = (seen.seen.chains.iter().flat_map(|chain| &chain.safes))
        .map(|(name, safe)| (name.as_str(), safe.as_ref().ok()))
        .collect();
    let differ = has(&["safe", "safe-differs", "safe-unpinned", "safe-code", "chain"]);
    let registry = if differ == 0 {
        format!("{} Safes are on chain as the council file pins them", safes.len())
    } else {
        format!("{differ} differences between the council file and the chain")
    };
    let weak = |(name, safe): &(&str, Option<&ExaminedSafe>)| {
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
        ("ms-1.1.2", ConditionState::of(differ == 0), registry),
        ("ms-2.1.1", ConditionState::of(is_strong), strong),
    ]
}

fn of_signers(seen: &ExaminedCouncil, has: &dyn Fn(&[&str]) -> usize) -> Vec<ControlEvidence> {
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
        ("ms-3.1.1", ConditionState::of(!never && !proven.is_empty()), count),
        ("ms-3.1.4", ConditionState::of(current), quarter.clone()),
        ("ms-5.1.2", ConditionState::of(strangers == 0), reach),
        ("ms-6.1.2", ConditionState::of(current), quarter.clone()),
        ("ir-3.1.2", ConditionState::of(current), quarter),
    ]
}

fn of_transactions(seen: &ExaminedCouncil, journal: &Journal) -> Vec<ControlEvidence> {
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
        ("ms-4.1.1", ConditionState::of(public.is_empty()), private),
        ("ms-4.1.2", ConditionState::of(is_whole), chained.clone()),
        ("ms-4.1.3", ConditionState::Unknown, version),
        ("ms-4.1.4", ConditionState::of(single.is_empty()), rpcs),
        ("ir-2.1.4", ConditionState::of(is_whole), chained),
    ]
}

fn of_levers(seen: &ExaminedCouncil, has: &dyn Fn(&[&str]) -> usize) -> Vec<ControlEvidence> {
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
        ("ms-6.1.1", is_ready, tried.clone()),
        ("ms-6.1.3", ConditionState::of(alarms > 0), watched),
        ("ir-2.1.2", ConditionState::of(uncovered == 0 && alarms > 0), coverage),
        ("ir-3.1.1", is_ready, tried),
        ("ir-3.1.3", ConditionState::of(sets > 0), ahead),
    ]
}

fn of_drills(seen: &ExaminedCouncil) -> Vec<ControlEvidence> {
    let drilled = seen.drilled();
    let today = day(seen.now);
    let date = |drill: &Drill| day(drill.began.as_seconds());
    let is_met = |one: &DrilledSafe| {
        let last = one.last.as_ref().filter(|last| last.drill.proven.is_some());
        last.is_some_and(|last| days(date(&last.drill), today) <= YEAR)
    };
    let told = |one: &DrilledSafe| {
        let safe = &one.safe;
        let Some(LastDrill { drill, .. }) = &one.last else {
            return format!("no drill of {safe} in the journal");
        };
        let minutes = |at: Option<Utc>| at.map(|at| at.since(drill.began).as_secs().div_ceil(60));
        let (date, keys) = (date(drill), drill.signed.len());
        match (minutes(drill.threshold_met()), minutes(drill.proven.map(|proven| proven.at))) {
            (Some(enough), Some(proven)) => {
                format!(
                    "{safe} on {date}: {keys} signed, enough after {enough} min, proven after {proven} min"
                )
            }
            (None, Some(proven)) => format!("{safe} on {date}: {keys} signed, proven after {proven} min"),
            _ => format!("{safe} on {date}: {keys} signed, and this machine did not prove it"),
        }
    };
    let state = ConditionState::of(!drilled.is_empty() && drilled.iter().all(is_met));
    let evidence = drilled.iter().map(told).collect::<Vec<_>>().join("; ");
    vec![("ms-6.1.4", state, evidence.clone()), ("ir-5.1.1", state, evidence)]
}

/// Returns the controls of which this program sees only a part, so that it cannot say that they are met.
fn in_part(seen: &ExaminedCouncil) -> Vec<ControlEvidence> {
    let people = &seen.council.people;
    let zones: BTreeSet<&str> =
        people.values().filter_map(|person| person.zone.as_ref()).map(Zone::name).collect();
    let backups = people.values().filter(|person| person.backup.is_some()).count();
    let devices = seen.keys.iter().flatten().filter_map(|key| match &key.state {
        KeyState::Answered(answer) => {
            let report = answer.report.as_ref()?;
            let model = report.model.clone().unwrap_or_else(|| format!("a {}", report.device));
            Some(format!("{model} with {} on this machine", report.app))
        }
        _ => None,
    });
    let mut found = vec![
        ("ms-3.1.8", format!("people of the council file in {} time zones", zones.len())),
        ("ir-1.1.1", format!("{} people in the council file, {backups} with a backup", people.len())),
        ("ir-1.1.2", format!("{} people in the council file, with how to reach them", people.len())),
        ("ir-4.1.3", "report --draft users writes a draft".into()),
    ];
    found.extend(devices.take(1).map(|device| ("ms-3.1.6", device)));
    found.into_iter().map(|(id, evidence)| (id, ConditionState::Unknown, evidence)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_control_is_listed_once_in_the_order_of_its_document() {
        let number = |id: &str| -> Vec<u32> {
            let (document, rest) = id.split_once('-').unwrap();
            std::iter::once(u32::from(document != "ms"))
                .chain(rest.split('.').map(|part| part.parse().unwrap()))
                .collect()
        };
        let numbers: Vec<Vec<u32>> = CONTROLS.iter().map(|(id, _)| number(id)).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
        assert_eq!(CONTROLS.iter().filter(|(id, _)| id.starts_with("ms")).count(), 24);
    }
}
