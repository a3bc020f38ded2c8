//! Gaps of the RPCs of a chain: they must answer, be several, and show a new block. Pure.

use std::time::Duration;

use super::told::{GapReport, not_ready, warning};
use crate::chain::{Age, EndpointReport, EndpointStatus, Offers, agreeing};

/// An RPC may be this far behind the newest block.
const ALLOWED_LAG: Duration = Duration::from_secs(30);
/// An RPC may be this many blocks behind on a chain that makes blocks on demand.
const ALLOWED_BLOCKS: u64 = 3;
/// An RPC that takes longer for the smallest question costs a signer seconds in every round.
const SLOW: Duration = Duration::from_secs(2);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RpcGap {
    /// The chain cannot be read at all.
    Unread { chain: String, why: String },
    /// Two addresses of one operator.
    SameHost { rpc: String, other: String },
    /// No other RPC can contradict it.
    Single { chain: String },
    /// It did not answer, or its answer was not used.
    Unused { rpc: String, why: String },
    /// It is behind the others.
    Lagging { rpc: String, blocks: u64 },
    /// The newest block of all RPCs is old.
    OldBlock { chain: String, seconds: u64, allowed: u64 },
    /// The newest block is in this machine's future.
    Clock { seconds: u64 },
    /// It costs time in every round.
    Slow { rpc: String, millis: u128 },
    /// No RPC of the chain offers this service.
    Missing { chain: String, service: Service },
    /// A private endpoint for transactions does not answer, or serves another chain.
    Relay { relay: String, why: String },
}

/// A service that an RPC may offer or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    AccessLists,
    Proofs,
    History,
}

impl RpcGap {
    pub(super) fn report(&self) -> GapReport {
        match self {
            Self::Unread { chain, why } => not_ready(
                "chain",
                format!("{chain} cannot be read: {why}"),
                "fix its rpc in the council file",
            ),
            Self::SameHost { rpc, other } => not_ready(
                "rpc-same",
                format!("RPC {rpc} is the same host as {other}: together they count as one"),
                "name an RPC of another operator",
            ),
            Self::Single { chain } => warning(
                "rpc-single",
                format!("{chain}: only one RPC is named, and no other can show that it lies"),
                "name a second one, of another operator",
            ),
            Self::Unused { rpc, why } => {
                not_ready("rpc", format!("RPC {rpc} {why}"), "find out why, or name another one")
            }
            Self::Lagging { rpc, blocks } => not_ready(
                "rpc-lagging",
                format!("RPC {rpc} is {blocks} blocks behind"),
                "name another one, or ask its operator",
            ),
            Self::OldBlock { chain, seconds, allowed } => not_ready(
                "block-age",
                format!("{chain}: the newest block is {seconds} s old, and at most {allowed} s are usual"),
                "name other RPCs; compare with a block explorer",
            ),
            Self::Clock { seconds } => not_ready(
                "clock",
                format!("this machine's clock is wrong: the newest block is {seconds} s in its future"),
                "set the clock of this machine",
            ),
            Self::Slow { rpc, millis } => warning(
                "rpc-slow",
                format!("RPC {rpc} took {millis} ms for the smallest question"),
                "ask again; name a faster one if it stays so",
            ),
            Self::Missing { chain, service } => {
                let (what, then) = match service {
                    Service::AccessLists => ("access lists", "a first rehearsal takes more rounds"),
                    Service::Proofs => ("proofs", "--proofs cannot be used"),
                    Service::History => {
                        ("the state of old blocks", "what was done long ago cannot be looked at")
                    }
                };
                warning(
                    "rpc-service",
                    format!("{chain}: none of its RPCs offers {what}: {then}"),
                    "name one that does; your RPC's operator may offer it for another price",
                )
            }
            Self::Relay { relay, why } => not_ready(
                "relay",
                format!("private endpoint {relay} {why}"),
                "fix send in the council file: without it transactions are public at once",
            ),
        }
    }
}

/// Returns the gaps of the RPCs of a chain that was read.
pub fn gaps(
    chain: &str,
    endpoints: &[EndpointReport],
    age: Option<Age>,
    block_time: Option<Duration>,
) -> Vec<RpcGap> {
    let newest = endpoints.iter().filter_map(|endpoint| endpoint.newest).max();
    let one = |endpoint: &EndpointReport| {
        let rpc = endpoint.shown.clone();
        match &endpoint.standing {
            EndpointStatus::SameAs(other) => Some(RpcGap::SameHost { rpc, other: other.clone() }),
            EndpointStatus::Lying(fault) | EndpointStatus::Outvoted(fault) => {
                Some(RpcGap::Unused { rpc, why: fault.to_string() })
            }
            EndpointStatus::Unasked => None,
            EndpointStatus::Agrees => {
                let blocks = newest?.saturating_sub(endpoint.newest?);
                is_behind(blocks, block_time).then_some(RpcGap::Lagging { rpc, blocks })
            }
        }
    };
    let mut gaps: Vec<RpcGap> = endpoints.iter().filter_map(one).collect();
    if agreeing(endpoints).1 < 2 {
        gaps.push(RpcGap::Single { chain: chain.into() });
    }
    gaps.extend(match age {
        Some(Age::Old { seconds, allowed, .. }) => {
            Some(RpcGap::OldBlock { chain: chain.into(), seconds, allowed })
        }
        Some(Age::Ahead { seconds, .. }) => Some(RpcGap::Clock { seconds }),
        Some(Age::New(_)) | None => None,
    });
    gaps
}

/// Returns the gaps of the services of a chain's RPCs. One that does not answer is among the votes' gaps.
pub fn of_offers(chain: &str, offers: &[(String, Result<Offers, String>)]) -> Vec<RpcGap> {
    let answered = || offers.iter().filter_map(|(rpc, offers)| Some((rpc, offers.as_ref().ok()?)));
    let slow = answered().filter(|(_, offers)| offers.latency > SLOW);
    let slow =
        slow.map(|(rpc, offers)| RpcGap::Slow { rpc: rpc.clone(), millis: offers.latency.as_millis() });
    let mut gaps: Vec<RpcGap> = slow.collect();
    if answered().next().is_some() {
        let any = |has: fn(&Offers) -> bool| answered().any(|(_, offers)| has(offers));
        let services = [
            (Service::AccessLists, any(|offers| offers.access_lists)),
            (Service::Proofs, any(|offers| offers.proofs)),
            (Service::History, any(|offers| offers.history)),
        ];
        let missing = services.into_iter().filter(|(_, has)| !has);
        gaps.extend(missing.map(|(service, _)| RpcGap::Missing { chain: chain.into(), service }));
    }
    gaps
}

/// Returns the private endpoints that do not answer.
pub fn of_relays(relays: &[(String, Result<Duration, String>)]) -> Vec<RpcGap> {
    let silent = relays.iter().filter_map(|(relay, answer)| Some((relay, answer.as_ref().err()?)));
    silent.map(|(relay, why)| RpcGap::Relay { relay: relay.clone(), why: why.clone() }).collect()
}

fn is_behind(blocks: u64, block_time: Option<Duration>) -> bool {
    match block_time.filter(|time| *time < ALLOWED_LAG) {
        Some(time) => time.saturating_mul(u32::try_from(blocks).unwrap_or(u32::MAX)) > ALLOWED_LAG,
        None => blocks >= ALLOWED_BLOCKS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::EndpointFault;

    fn endpoint(shown: &str, standing: EndpointStatus, newest: Option<u64>) -> EndpointReport {
        EndpointReport { shown: shown.into(), standing, newest, batch: None }
    }

    fn ids(endpoints: &[EndpointReport], age: Option<Age>, block_time: u64) -> String {
        let gaps = gaps("mainnet", endpoints, age, Some(Duration::from_millis(block_time)));
        gaps.iter().map(|gap| gap.report().id).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn rpcs_that_agree_at_the_newest_block_have_no_gap() {
        let agree = |shown, newest| endpoint(shown, EndpointStatus::Agrees, Some(newest));
        let two = [agree("a", 100), agree("b", 98)];
        assert_eq!(ids(&two, Some(Age::New(5)), 12_000), "");
        assert_eq!(ids(&[agree("a", 100), agree("b", 97)], None, 12_000), "rpc-lagging");
        assert_eq!(
            ids(&[agree("a", 200), agree("b", 100)], None, 250),
            "",
            "100 blocks of a quarter of a second"
        );
        assert_eq!(ids(&[agree("a", 100), agree("b", 97)], None, u64::MAX), "rpc-lagging");
        let old = Age::Old { seconds: 100, allowed: 72, made: 1 };
        assert_eq!(ids(&two, Some(old), 12_000), "block-age");
        assert_eq!(ids(&two, Some(Age::Ahead { seconds: 60, made: 1 }), 12_000), "clock");
        assert_eq!(ids(&[agree("a", 1)], None, 12_000), "rpc-single");
    }

    #[test]
    fn each_unused_rpc_is_named_with_the_reason() {
        let agree = endpoint("a", EndpointStatus::Agrees, Some(100));
        let silent = endpoint("b", EndpointStatus::Outvoted(EndpointFault::TimedOut(4)), None);
        let same = endpoint("c", EndpointStatus::SameAs("a".into()), None);
        assert_eq!(ids(&[agree.clone(), silent.clone()], None, 12_000), "rpc");
        assert_eq!(ids(&[agree.clone(), same], None, 12_000), "rpc-same rpc-single");
        let sentence = gaps("mainnet", &[agree, silent], None, None)[0].report().sentence;
        assert!(sentence.starts_with("RPC b "), "{sentence}");
    }

    #[test]
    fn a_method_that_no_rpc_offers_and_a_slow_rpc_are_named() {
        let offers = |millis, access_lists, proofs, history| {
            Ok(Offers { latency: Duration::from_millis(millis), access_lists, proofs, history })
        };
        let told = |all: &[Result<Offers, String>]| {
            let all: Vec<_> = all.iter().cloned().map(|one| ("a".to_string(), one)).collect();
            of_offers("mainnet", &all).iter().map(|gap| gap.report().sentence).collect::<Vec<_>>()
        };
        assert_eq!(told(&[offers(90, true, true, true)]), [""; 0]);
        assert_eq!(told(&[offers(90, true, false, false), offers(90, false, true, true)]), [""; 0]);
        assert_eq!(told(&[Err("is away".into())]), [""; 0], "it is told with the votes");
        assert_eq!(
            told(&[offers(2_500, false, false, false), Err("is away".into())]),
            [
                "RPC a took 2500 ms for the smallest question",
                "mainnet: none of its RPCs offers access lists: a first rehearsal takes more rounds",
                "mainnet: none of its RPCs offers proofs: --proofs cannot be used",
                "mainnet: none of its RPCs offers the state of old blocks: what was done long ago cannot be looked at"
            ]
        );
    }
}
