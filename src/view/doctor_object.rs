//! The findings of `doctor` as an object.

use std::collections::BTreeMap;
use std::time::Duration;

use alloy::primitives::Address;
use serde::Serialize;

use crate::chain::{EndpointFault, EndpointReport, EndpointStatus, Offers, ServiceAnswer, ServiceSays};
use crate::readiness::by_cast::Compared;
use crate::readiness::council_gaps::ExaminedCouncil;
use crate::readiness::examine::ExaminedChain;
use crate::readiness::key_gaps::{ExaminedKey, KeyState};
use crate::readiness::last_drills::DrilledSafe;
use crate::readiness::levers::ExaminedLever;
use crate::readiness::prepared::{ExaminedCard, ExaminedSet};
use crate::readiness::seal::Control;
use crate::readiness::{GapLevel, GapReport};
use crate::view::doctor_lines::state;
use crate::view::drill_lines::Times;

/// The whole of `doctor --json`.
#[derive(Serialize)]
pub struct DoctorObject<'a> {
    ready: bool,
    chains: Vec<ChainObject<'a>>,
    keys: Vec<KeyObject<'a>>,
    armed: Vec<SetObject<'a>>,
    drills: Vec<DrillObject>,
    cards: Vec<CardObject<'a>>,
    gaps: &'a [GapReport],
    /// `None` if `cast` was not asked.
    cast: Option<CastObject<'a>>,
    /// `None` if it was not asked for.
    seal: Option<&'a [Control]>,
    council_digest: String,
}

impl<'a> DoctorObject<'a> {
    pub fn new(
        council: &'a ExaminedCouncil,
        gaps: &'a [GapReport],
        seal: Option<&'a [Control]>,
        name: impl Fn(Address) -> String + Copy,
    ) -> Self {
        let state = council.seen;
        let drill = |one: &DrilledSafe| DrillObject::new(one, council, name);
        Self {
            ready: gaps.iter().all(|gap| gap.level != GapLevel::NotReady),
            chains: state.chains.iter().map(ChainObject::new).collect(),
            keys: council.keys.into_iter().flatten().map(KeyObject::new).collect(),
            armed: state.sets.iter().map(SetObject::new).collect(),
            drills: council.drilled().iter().map(drill).collect(),
            cards: state.cards.iter().map(CardObject::new).collect(),
            gaps,
            cast: CastObject::new(council.compared),
            seal,
            council_digest: council.digest.to_string(),
        }
    }
}

#[derive(Serialize)]
struct DrillObject {
    safe: String,
    last: Option<Times>,
    did_not_sign: Option<Vec<String>>,
    stated_by_others: Option<bool>,
}

impl DrillObject {
    fn new(one: &DrilledSafe, council: &ExaminedCouncil, name: impl Fn(Address) -> String + Copy) -> Self {
        let last = one.last.as_ref();
        Self {
            safe: one.safe.clone(),
            last: last.map(|last| Times::new(&last.drill, &council.council.response, name)),
            did_not_sign: last.map(|last| last.absent.iter().map(|owner| name(*owner)).collect()),
            stated_by_others: last.map(|last| last.is_stated),
        }
    }
}

/// The comparison of one hash with that of `cast`.
#[derive(Serialize)]
#[serde(untagged)]
enum CastObject<'a> {
    Compared { safe_tx_hash: String, agrees: bool },
    Failed { why: &'a str },
}

impl<'a> CastObject<'a> {
    fn new(compared: &'a Compared) -> Option<Self> {
        match compared {
            Compared::Not => None,
            Compared::Same(hash) => Some(Self::Compared { safe_tx_hash: hash.to_string(), agrees: true }),
            Compared::Differs { own, .. } => {
                Some(Self::Compared { safe_tx_hash: own.to_string(), agrees: false })
            }
            Compared::Failed(why) => Some(Self::Failed { why }),
        }
    }
}

/// A transaction that is signed ahead.
#[derive(Serialize)]
struct SetObject<'a> {
    what: &'a str,
    safe: &'a str,
    nonces_left: usize,
    why: Option<&'a str>,
}

impl<'a> SetObject<'a> {
    fn new(set: &'a ExaminedSet) -> Self {
        let why = set.state.as_ref().err().or(set.stale.first()).map(String::as_str);
        Self { what: &set.what, safe: &set.safe, nonces_left: set.left(), why }
    }
}

#[derive(Serialize)]
struct CardObject<'a> {
    what: String,
    safe: String,
    printed: String,
    nonces: String,
    why: Option<&'a str>,
}

impl<'a> CardObject<'a> {
    fn new(card: &'a ExaminedCard) -> Self {
        let kept = &card.kept;
        Self {
            what: kept.about.what.to_string(),
            safe: kept.about.safe.to_string(),
            printed: kept.time.to_string(),
            nonces: kept.card.nonces.to_string(),
            why: card.now.as_ref().err().map(String::as_str),
        }
    }
}

#[derive(Serialize)]
struct KeyObject<'a> {
    key: &'a str,
    usable: bool,
    #[serde(flatten)]
    state: KeyStateObject<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum KeyStateObject<'a> {
    Unusable { why: &'a str },
    WithoutScreen { address: Option<String> },
    Device(ExaminedDevice<'a>),
}

#[derive(Serialize)]
struct ExaminedDevice<'a> {
    model: Option<&'a str>,
    app: &'a str,
    blind_signing: bool,
    stated: &'a BTreeMap<&'static str, Option<bool>>,
    signers: Vec<String>,
}

impl<'a> KeyObject<'a> {
    fn new(key: &'a ExaminedKey) -> Self {
        let without_screen =
            || KeyStateObject::WithoutScreen { address: key.address().map(|address| address.to_string()) };
        let state = match &key.state {
            KeyState::Unusable(why) => KeyStateObject::Unusable { why },
            KeyState::Locked(_) => without_screen(),
            KeyState::Answered(answer) => answer.report.as_ref().map_or_else(without_screen, |report| {
                KeyStateObject::Device(ExaminedDevice {
                    model: report.model.as_deref(),
                    app: &report.version,
                    blind_signing: report.blind_signing,
                    stated: &report.stated,
                    signers: texts(&answer.held),
                })
            }),
        };
        Self { key: &key.named, usable: !matches!(state, KeyStateObject::Unusable { .. }), state }
    }
}

#[derive(Serialize)]
struct ChainObject<'a> {
    chain: &'a str,
    block: Option<u64>,
    /// Sequential rounds: those side by side count once.
    rounds: u32,
    rpcs: Vec<RpcObject<'a>>,
    offers: Vec<OffersObject<'a>>,
    service: Option<ServiceObject<'a>>,
    relays: Vec<RelayObject<'a>>,
    levers: Vec<TriedLeverObject<'a>>,
}

impl<'a> ChainObject<'a> {
    fn new(chain: &'a ExaminedChain) -> Self {
        Self {
            chain: &chain.chain,
            block: chain.block,
            rounds: chain.rounds,
            rpcs: chain.endpoints.iter().map(RpcObject::new).collect(),
            offers: chain.offers.iter().map(OffersObject::new).collect(),
            service: chain.service.as_ref().map(ServiceObject::new),
            relays: chain.relays.iter().map(RelayObject::new).collect(),
            levers: chain.levers.iter().map(TriedLeverObject::new).collect(),
        }
    }
}

#[derive(Serialize)]
struct RpcObject<'a> {
    rpc: &'a str,
    agrees: bool,
    newest: Option<u64>,
}

impl<'a> RpcObject<'a> {
    fn new(endpoint: &'a EndpointReport) -> Self {
        Self {
            rpc: &endpoint.shown,
            agrees: endpoint.standing == EndpointStatus::Agrees,
            newest: endpoint.newest,
        }
    }
}

/// The services of an RPC; all `None` if it did not answer.
#[derive(Serialize)]
struct OffersObject<'a> {
    rpc: &'a str,
    latency_ms: Option<u64>,
    access_lists: Option<bool>,
    proofs: Option<bool>,
    old_state: Option<bool>,
}

impl<'a> OffersObject<'a> {
    fn new((rpc, offers): &'a (String, Result<Offers, String>)) -> Self {
        let offers = offers.as_ref().ok();
        Self {
            rpc,
            latency_ms: offers.map(|offers| millis(offers.latency)),
            access_lists: offers.map(|offers| offers.access_lists),
            proofs: offers.map(|offers| offers.proofs),
            old_state: offers.map(|offers| offers.history),
        }
    }
}

/// The answers of a Transaction Service, as it gives them.
#[derive(Serialize)]
#[serde(untagged)]
enum ServiceObject<'a> {
    Unusable { why: &'a str },
    Asked { service: &'a str, latency_ms: Option<u64>, why: Option<String>, says: Vec<SafeSaidObject> },
}

/// The answer of a Transaction Service about one Safe.
#[derive(Serialize)]
struct SafeSaidObject {
    address: String,
    why: Option<String>,
    owners: Option<Vec<String>>,
    threshold: Option<u64>,
    nonce: Option<String>,
    pending: Vec<String>,
}

impl<'a> ServiceObject<'a> {
    fn new(service: &'a Result<ServiceSays, String>) -> Self {
        match service {
            Err(why) => Self::Unusable { why },
            Ok(says) => Self::Asked {
                service: &says.shown,
                latency_ms: says.latency.as_ref().ok().copied().map(millis),
                why: says.latency.as_ref().err().map(ToString::to_string),
                says: says.safes.iter().map(SafeSaidObject::new).collect(),
            },
        }
    }
}

impl SafeSaidObject {
    fn new((address, said): &(Address, Result<ServiceAnswer, EndpointFault>)) -> Self {
        let known = said.as_ref().ok().and_then(|said| said.known.as_ref());
        Self {
            address: address.to_string(),
            why: said.as_ref().err().map(ToString::to_string),
            owners: known.map(|known| texts(&known.owners)),
            threshold: known.map(|known| known.threshold),
            nonce: known.map(|known| known.nonce.to_string()),
            pending: said.iter().flat_map(|said| &said.pending).map(|one| one.hash.to_string()).collect(),
        }
    }
}

#[derive(Serialize)]
struct RelayObject<'a> {
    relay: &'a str,
    latency_ms: Option<u64>,
    why: Option<&'a str>,
}

impl<'a> RelayObject<'a> {
    fn new((relay, answer): &'a (String, Result<Duration, String>)) -> Self {
        let latency_ms = answer.as_ref().ok().copied().map(millis);
        Self { relay, latency_ms, why: answer.as_ref().err().map(String::as_str) }
    }
}

#[derive(Serialize)]
struct TriedLeverObject<'a> {
    lever: &'a str,
    state: &'static str,
    gas: Option<u64>,
    ends_in_days: Option<u64>,
}

impl<'a> TriedLeverObject<'a> {
    fn new(lever: &'a ExaminedLever) -> Self {
        Self {
            lever: &lever.lever,
            state: state(&lever.tried),
            gas: lever.gas(),
            ends_in_days: lever.ends_in,
        }
    }
}

fn texts(addresses: &[Address]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
