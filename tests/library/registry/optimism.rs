//! OP Stack: the SuperchainConfig before U16.

use super::*;

sol! { function initialize(address guardian, bool paused) external; }

#[test]
fn before_u16() {
    let scene = Scene::new();
    let logic =
        "npm/@eth-optimism/contracts-bedrock@0.17.3/forge-artifacts/SuperchainConfig.sol/SuperchainConfig";
    let init = initializeCall { guardian: COUNCIL, paused: false };
    let config = behind_a_proxy(&scene, logic, &[], &init);
    scene.life("pause/op-superchain-before-u16", &args([("superchain_config", text(config))]), COUNCIL);
    assert!(!scene.anvil.view(config, &pausedCall {}));
}
