//! The findings of `doctor` for a person and for a script.

use std::time::Duration;

use alloy::primitives::Address;
use serde_json::{Value, json};

use crate::chain::{EndpointFault, EndpointReport, EndpointStatus, Offers, ServiceAnswer, ServiceSays};
use crate::council::Response;
use crate::readiness::by_cast::Compared;
use crate::readiness::examine::ExaminedChain;
use crate::readiness::key_gaps::{ExaminedKey, KeyState};
use crate::readiness::last_drills::{DrilledSafe, LastDrill};
use crate::readiness::levers::{ExaminedLever, LeverTrial};
use crate::readiness::prepared::{ExaminedCard, ExaminedSet};
use crate::readiness::seal::{ConditionState, Control};
use crate::readiness::{GapLevel, GapReport};
use crate::ui::{Lines, Text};
use crate::view::drill_lines::Times;

/// The header of [`drill_rows`].
pub const DRILLS: [&str; 7] =
    ["Safe", "last drill", "lever", "first signature", "enough", "proven", "did not sign"];

/// Returns a row for each lever: its name, its chain, how it was tried, and its gas.
pub fn lever_rows(seen: &[ExaminedChain]) -> Vec<Vec<String>> {
    let levers = seen.iter().flat_map(|chain| chain.levers.iter().map(move |lever| (chain, lever)));
    let row = |(chain, lever): (&ExaminedChain, &ExaminedLever)| {
        let gas = lever.gas().map(|gas| gas.to_string()).unwrap_or_default();
        vec![lever.lever.clone(), chain.chain.clone(), state(&lever.tried).into(), gas]
    };
    levers.map(row).collect()
}

/// Returns a row for each RPC that answered, how fast it is and what it offers; and for each Transaction Service.
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

/// Returns a row for each Safe: its last drill, what each phase took, and who did not sign.
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

pub fn drill_object(one: &DrilledSafe, response: &Response, name: impl Fn(Address) -> String) -> Value {
    let last = one.last.as_ref().map(|last| Times::new(&last.drill, response, &name));
    let absent = one.last.as_ref().map(|last| last.absent.iter().map(|owner| name(*owner)).collect());
    let absent: Option<Vec<String>> = absent;
    let is_stated = one.last.as_ref().map(|last| last.is_stated);
    json!({ "safe": one.safe, "last": last, "did_not_sign": absent, "stated_by_others": is_stated })
}

/// Returns the gaps as lines, each with what to do; what must be repaired stands last, nearest to the prompt.
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

const fn state(tried: &LeverTrial) -> &'static str {
    match tried {
        LeverTrial::Works { .. } => "works",
        LeverTrial::Done => "done already",
        LeverTrial::Wrong { .. } => "see below",
        LeverTrial::Open(_) => "not tried",
        LeverTrial::Bad(_) => "bad",
    }
}

pub fn gap_object(told: &GapReport) -> Value {
    let level = if told.level == GapLevel::NotReady { "not_ready" } else { "warning" };
    json!({ "id": told.id, "level": level, "sentence": told.sentence, "fix": told.fix })
}

/// Returns SEAL's controls as lines: whether each is met, what it asks, and the evidence.
pub fn seal_lines(controls: &[Control]) -> Lines {
    let lines = |control: &Control| {
        let state = match control.state {
            ConditionState::Met => Text::default().good("✓ "),
            ConditionState::NotMet => Text::default().bad("✗ "),
            ConditionState::Unknown => Text::default().dim("? "),
        };
        let asks = state.bold(control.id).add(&format!("  {}: {}", control.asks, control.state.text()));
        let evidence =
            (!control.evidence.is_empty()).then(|| Text::default().dim("  → ").add(&control.evidence));
        std::iter::once(asks).chain(evidence).collect::<Vec<_>>()
    };
    controls.iter().flat_map(lines).collect()
}

pub fn seal_object(controls: &[Control]) -> Value {
    let control = |control: &Control| {
        json!({
            "id": control.id, "asks": control.asks, "state": control.state.text(), "evidence": control.evidence,
        })
    };
    controls.iter().map(control).collect()
}

/// Returns the hash that `cast` computes too; `null` if it was not asked.
pub fn compared_object(compared: &Compared) -> Value {
    match compared {
        Compared::Not => Value::Null,
        Compared::Same(hash) => json!({ "safe_tx_hash": hash.to_string(), "agrees": true }),
        Compared::Differs { own, .. } => json!({ "safe_tx_hash": own.to_string(), "agrees": false }),
        Compared::Failed(why) => json!({ "why": why }),
    }
}

pub fn set_object(set: &ExaminedSet) -> Value {
    let why = set.state.as_ref().err().or(set.stale.first());
    json!({ "what": set.what, "safe": set.safe, "nonces_left": set.left(), "why": why })
}

pub fn card_object(card: &ExaminedCard) -> Value {
    let about = &card.kept.about;
    json!({
        "what": about.what.to_string(), "safe": about.safe.to_string(),
        "printed": card.kept.time.to_string(), "nonces": card.kept.card.nonces.to_string(),
        "why": card.now.as_ref().err(),
    })
}

pub fn key_object(key: &ExaminedKey) -> Value {
    match &key.state {
        KeyState::Unusable(why) => json!({ "key": key.named, "usable": false, "why": why }),
        KeyState::Keystore(stated) => {
            let address = stated.map(|address| address.to_string());
            json!({ "key": key.named, "usable": true, "address": address })
        }
        KeyState::Ledger(seen) => json!({
            "key": key.named,
            "usable": true,
            "model": seen.status.model.map(|model| model.to_string()),
            "app": seen.status.version.to_string(),
            "blind_signing": seen.status.blind_signing,
            "stated": {
                "raw_messages": seen.stated.raw_messages, "transaction_hash": seen.stated.transaction_hash,
            },
            "signers": seen.held.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }),
    }
}

/// Returns what a Transaction Service says, as it says it.
fn service_object(service: &Result<ServiceSays, String>) -> Value {
    let says = match service {
        Ok(says) => says,
        Err(why) => return json!({ "why": why }),
    };
    let safe = |(address, said): &(Address, Result<ServiceAnswer, EndpointFault>)| {
        let (known, why) = (said.as_ref().ok().and_then(|said| said.known.as_ref()), said.as_ref().err());
        let pending = said.iter().flat_map(|said| &said.pending).map(|one| one.hash.to_string());
        json!({
            "address": address.to_string(), "why": why.map(ToString::to_string),
            "owners": known.map(|known| known.owners.iter().map(ToString::to_string).collect::<Vec<_>>()),
            "threshold": known.map(|known| known.threshold),
            "nonce": known.map(|known| known.nonce.to_string()),
            "pending": pending.collect::<Vec<_>>(),
        })
    };
    json!({
        "service": says.shown,
        "latency_ms": says.latency.as_ref().ok().map(Duration::as_millis),
        "why": says.latency.as_ref().err().map(ToString::to_string),
        "says": says.safes.iter().map(safe).collect::<Vec<_>>(),
    })
}

pub fn chain_object(chain: &ExaminedChain) -> Value {
    let endpoint = |endpoint: &EndpointReport| {
        json!({
            "rpc": endpoint.shown, "agrees": endpoint.standing == EndpointStatus::Agrees, "newest": endpoint.newest,
        })
    };
    let offered = |(rpc, offers): &(String, Result<Offers, String>)| {
        let offers = offers.as_ref().ok();
        json!({
            "rpc": rpc, "latency_ms": offers.map(|offers| offers.latency.as_millis()),
            "access_lists": offers.map(|offers| offers.access_lists),
            "proofs": offers.map(|offers| offers.proofs), "old_state": offers.map(|offers| offers.history),
        })
    };
    let relay = |(relay, answer): &(String, Result<Duration, String>)| {
        let millis = answer.as_ref().ok().map(Duration::as_millis);
        json!({ "relay": relay, "latency_ms": millis, "why": answer.as_ref().err() })
    };
    let lever = |lever: &ExaminedLever| {
        json!({
            "lever": lever.lever, "state": state(&lever.tried), "gas": lever.gas(), "ends_in_days": lever.ends_in,
        })
    };
    json!({
        "chain": chain.chain, "block": chain.block, "rounds": chain.rounds,
        "rpcs": chain.endpoints.iter().map(endpoint).collect::<Vec<_>>(),
        "offers": chain.offers.iter().map(offered).collect::<Vec<_>>(),
        "service": chain.service.as_ref().map(service_object),
        "relays": chain.relays.iter().map(relay).collect::<Vec<_>>(),
        "levers": chain.levers.iter().map(lever).collect::<Vec<_>>(),
    })
}
