//! The findings of `doctor` as lines and tables.

use alloy::primitives::Address;

use crate::chain::Offers;
use crate::council::Response;
use crate::readiness::examine::ExaminedChain;
use crate::readiness::last_drills::{DrilledSafe, LastDrill};
use crate::readiness::levers::{ExaminedLever, LeverTrial};
use crate::readiness::seal::{ConditionState, Control};
use crate::readiness::{GapLevel, GapReport};
use crate::ui::{Lines, Text};
use crate::view::drill_lines::Times;

/// The header of [`drill_rows`].
pub const DRILLS: [&str; 7] =
    ["Safe", "last drill", "lever", "first signature", "enough", "proven", "did not sign"];

/// Returns a row for each lever: its name, chain, trial and gas.
pub fn lever_rows(seen: &[ExaminedChain]) -> Vec<Vec<String>> {
    let levers = seen.iter().flat_map(|chain| chain.levers.iter().map(move |lever| (chain, lever)));
    let row = |(chain, lever): (&ExaminedChain, &ExaminedLever)| {
        let gas = lever.gas().map(|gas| gas.to_string()).unwrap_or_default();
        vec![lever.lever.clone(), chain.chain.clone(), state(&lever.tried).into(), gas]
    };
    levers.map(row).collect()
}

/// Returns a row for each RPC that answered, with its speed and services, and for each Transaction Service.
pub fn rpc_rows(seen: &[ExaminedChain]) -> Vec<Vec<String>> {
    let yes = |offered: bool| if offered { "yes" } else { "no" }.to_string();
    let row = |(rpc, offers): &(String, Result<Offers, String>)| {
        let Offers { latency, access_lists, proofs, history } = offers.as_ref().ok()?;
        let millis = latency.as_millis().to_string();
        Some(vec![rpc.clone(), millis, yes(*access_lists), yes(*proofs), yes(*history)])
    };
    let of_service = |chain: &ExaminedChain| {
        let says = chain.service.as_ref()?.as_ref().ok()?;
        let millis = says.latency.as_ref().ok()?.as_millis().to_string();
        let not = || "-".to_string();
        Some(vec![format!("the service {}", says.shown), millis, not(), not(), not()])
    };
    let rpcs = seen.iter().flat_map(|chain| &chain.offers).filter_map(row);
    rpcs.chain(seen.iter().filter_map(of_service)).collect()
}

/// Returns a row for each Safe: its last drill, the time of each phase, and who did not sign.
pub fn drill_rows(
    drilled: &[DrilledSafe],
    response: &Response,
    name: impl Fn(Address) -> String,
) -> Vec<Vec<String>> {
    let row = |one: &DrilledSafe| {
        let Some(LastDrill { drill, absent, .. }) = &one.last else {
            let mut row = vec![String::new(); DRILLS.len()];
            row[..2].clone_from_slice(&[one.safe.clone(), "never".into()]);
            return row;
        };
        let absent: Vec<String> = absent.iter().map(|owner| name(*owner)).collect();
        let times = Times::new(drill, response, &name).trend_row();
        std::iter::once(one.safe.clone()).chain(times).chain([absent.join(", ")]).collect()
    };
    drilled.iter().map(row).collect()
}

/// Returns the gaps as lines, each with its fix; those that must be repaired come last, nearest to the prompt.
pub fn gap_lines(told: &[GapReport]) -> Lines {
    let lines = |told: &GapReport| {
        let mark = match told.level {
            GapLevel::NotReady => Text::default().bad("✗ "),
            GapLevel::Warning => Text::default().warn("! "),
        };
        let what = mark.bold(told.id).add(&format!("  {}", told.sentence));
        [what, Text::default().dim("  → ").add(&told.fix)]
    };
    let (to_repair, others): (Vec<_>, Vec<_>) =
        told.iter().partition(|told| told.level == GapLevel::NotReady);
    others.into_iter().chain(to_repair).flat_map(lines).collect()
}

pub(super) const fn state(tried: &LeverTrial) -> &'static str {
    match tried {
        LeverTrial::Works { .. } => "works",
        LeverTrial::Done => "done already",
        LeverTrial::Wrong { .. } => "see below",
        LeverTrial::Open(_) => "not tried",
        LeverTrial::Bad(_) => "bad",
    }
}

/// Returns SEAL's controls as lines: the state of each, its question and the evidence.
pub fn seal_lines(controls: &[Control]) -> Lines {
    let lines = |control: &Control| {
        let state = match control.state {
            ConditionState::Met => Text::default().good("✓ "),
            ConditionState::NotMet => Text::default().bad("✗ "),
            ConditionState::Unknown => Text::default().dim("? "),
        };
        let asks = state.bold(control.id).add(&format!("  {}: {}", control.asks, control.state));
        let evidence =
            (!control.evidence.is_empty()).then(|| Text::default().dim("  → ").add(&control.evidence));
        std::iter::once(asks).chain(evidence).collect::<Vec<_>>()
    };
    controls.iter().flat_map(lines).collect()
}
