//! The Safe's own levers, on real Safes of every version that this program builds for. The Safe calls itself, so there
//! is not a role to lack: whoever reaches the threshold holds it.

use alloy::primitives::{Address, B256, U256, keccak256};
use breakglass::safe::SafeVersion;

use crate::scene::{Ended, Scene, args, somebody, text};
use crate::stage::{SafeSetup, deploy_safe, key};

const VERSIONS: [SafeVersion; 3] = [SafeVersion::V1_3_0, SafeVersion::V1_4_1, SafeVersion::V1_5_0];

fn safe(scene: &Scene, version: SafeVersion) -> Address {
    let safe = deploy_safe(&scene.anvil, &SafeSetup::new(version, 3, 2));
    scene.anvil.set_balance(safe, U256::from(10).pow(U256::from(20)));
    safe
}

/// Proven, told when done already, and taken back.
fn life(scene: &Scene, id: &str, safe: Address, given: &std::collections::BTreeMap<String, String>) {
    scene.proposed(id, safe, given);
    scene.proven(id, safe, given);
    scene.aside(|| scene.refused(id, safe, given));
    let (undo, back) = scene.playbook(id).undo_args(given).unwrap();
    scene.proposed(undo.as_str(), safe, &back);
    scene.proven(undo.as_str(), safe, &back);
}

#[test]
fn owners_and_threshold() {
    let scene = Scene::new();
    for version in VERSIONS {
        let safe = safe(&scene, version);
        for at in 0..3 {
            let swap = args([("old", text(key(at).address)), ("new", text(key(7).address))]);
            life(&scene, "rotate/safe-swap-owner", safe, &swap);
        }
        life(&scene, "rotate/safe-add-owner", safe, &args([("owner", text(key(7).address))]));
        let leaves = args([("owner", text(key(1).address))]);
        life(&scene, "rotate/safe-remove-owner", safe, &leaves);
        let threshold = args([("threshold", "3".into()), ("was", "2".into())]);
        life(&scene, "rotate/safe-threshold", safe, &threshold);
        let too_many = args([("threshold", "4".into()), ("was", "2".into())]);
        let why = scene.refused("rotate/safe-threshold", safe, &too_many);
        assert_eq!(why, "threshold=4: 4 is above the maximum, 3");
        scene.proven("rotate/safe-threshold", safe, &threshold);
        let why = scene.refused("rotate/safe-remove-owner", safe, &leaves);
        assert!(why.contains("getThreshold() is 3; expected: is at most 2"), "{why}");
    }
}

/// The whole way with real signatures is in `tests/story/ahead.rs`: only the Safe's own transaction moves its nonce.
#[test]
fn a_nonce_is_used_up() {
    let scene = Scene::new();
    for version in VERSIONS {
        scene.proposed("rotate/safe-burn-nonce", safe(&scene, version), &args([]));
    }
}

#[test]
fn modules() {
    let scene = Scene::new();
    for version in VERSIONS {
        let safe = safe(&scene, version);
        let module = |n: u8| args([("module", text(somebody(n))), ("code_hash", text(B256::ZERO))]);
        for n in [1, 2, 3] {
            scene.proven("rotate/safe-enable-module", safe, &module(n));
        }
        for n in [1, 2, 3] {
            scene.aside(|| life(&scene, "rotate/safe-disable-module", safe, &module(n)));
        }
        let mut other = module(4);
        other.insert("code_hash".into(), text(B256::repeat_byte(1)));
        assert!(scene.refused("rotate/safe-enable-module", safe, &other).contains("code hash is"));
    }
}

#[test]
fn guards_and_fallback_handler() {
    let scene = Scene::new();
    let guard = scene.deploy("OpenGuard", &[]);
    let hash = |at: Address| {
        let code = scene.anvil.code(at);
        text(if code.is_empty() { B256::ZERO } else { keccak256(code) })
    };
    for version in VERSIONS {
        let safe = safe(&scene, version);
        let given = |name, new: Address, was: Address| {
            args([
                (name, text(new)),
                ("code_hash", hash(new)),
                ("was", text(was)),
                ("was_code_hash", hash(was)),
            ])
        };
        let guarded = given("guard", guard, Address::ZERO);
        life(&scene, "rotate/safe-guard", safe, &guarded);
        let slot = keccak256("fallback_manager.handler.address");
        let handler = Address::from_word(scene.anvil.storage(safe, slot));
        life(&scene, "rotate/safe-fallback-handler", safe, &given("handler", guard, handler));
        if version == SafeVersion::V1_5_0 {
            life(&scene, "rotate/safe-module-guard", safe, &guarded);
        } else {
            let ended = scene.pull("rotate/safe-module-guard", safe, &guarded);
            assert!(matches!(&ended, Ended::Refused(why) if why.contains("VERSION() is")), "{ended:?}");
        }
    }
}
