//! Levers that lapse: read beforehand, and refused when it is too late.

use alloy::primitives::U256;
use alloy::sol_types::SolValue;

use crate::scene::{COUNCIL, Scene, args, somebody, text};

const DAY: u64 = 86_400;

#[test]
fn an_expired_seal_is_reported_before_anybody_signs() {
    let scene = Scene::new();
    let expiry = scene.now() + DAY;
    let target = scene.deploy("PausableUntil", &COUNCIL.abi_encode());
    let made = (COUNCIL, U256::from(expiry), vec![target]).abi_encode_params();
    let seal = args([("seal", text(scene.deploy("GateSeal", &made))), ("sealables", format!("[{target}]"))]);
    scene.pass(DAY + 1);
    let why = scene.refused("pause/lido-gateseal", COUNCIL, &seal);
    let late = format!("the block's time is {}; expected: is at most {}", scene.now(), expiry - 1);
    assert!(why.contains(&late), "{why}");
}

/// The deadline of a Curve pool is private: the call itself is tried.
#[test]
fn a_deadline_that_nobody_can_read_is_found_by_trying() {
    let scene = Scene::new();
    let proxy = scene.deploy("PoolProxy", &COUNCIL.abi_encode());
    let pool = scene.deploy("CurvePool", &(proxy, U256::from(scene.now() + DAY)).abi_encode_params());
    scene.pass(DAY + 1);
    let why = scene.refused(
        "pause/curve-pool",
        COUNCIL,
        &args([
            ("pool_proxy", text(proxy)),
            ("pool", text(pool)),
            ("trader", text(somebody(1))),
            ("amount", "1".into()),
        ]),
    );
    assert!(why.contains("kill_me(") && why.contains("expected: does not revert"), "{why}");
}

#[test]
fn after_a_heartbeat_has_lapsed_its_lever_is_gone() {
    let scene = Scene::new();
    let target = scene.deploy("PausableUntil", &COUNCIL.abi_encode());
    let live = U256::from(scene.now() + DAY);
    let breaker = text(scene.deploy("CircuitBreaker", &(COUNCIL, target, live).abi_encode_params()));
    scene.pass(DAY + 1);
    for id in ["pause/lido-circuit-breaker", "param/lido-heartbeat"] {
        let mut given = args([("breaker", breaker.clone())]);
        if id.starts_with("pause") {
            given.insert("target".into(), text(target));
        }
        let why = scene.refused(id, COUNCIL, &given);
        assert!(why.contains("isPauserLive"), "{id}: {why}");
    }
}

/// After a pause of the OP Stack has lapsed, pause() reverts until it was lifted: the lever says so.
#[test]
fn a_pause_that_lapsed_must_be_lifted_first() {
    let scene = Scene::new();
    let config = scene.deploy("SuperchainConfig", &COUNCIL.abi_encode());
    let system = scene.deploy("SystemConfig", &(config, somebody(1)).abi_encode_params());
    let chain = args([
        ("superchain_config", text(config)),
        ("identifier", text(somebody(1))),
        ("system_config", text(system)),
    ]);
    scene.proven("pause/op-superchain", COUNCIL, &chain);
    scene.pass(91 * DAY);
    let why = scene.refused("pause/op-superchain", COUNCIL, &chain);
    assert!(why.contains("pausable("), "{why}");
    scene.proven("pause/op-superchain-undo", COUNCIL, &chain);
    scene.proven("pause/op-superchain", COUNCIL, &chain);
}
