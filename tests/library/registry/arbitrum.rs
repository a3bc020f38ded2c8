//! Arbitrum: the rollup, its inbox and the UpgradeExecutor.

use super::*;

sol! {
    function initialize(address admin, address[] executors) external;
    interface IBridge { function initialize(address rollup) external; }
    interface IInbox { function initialize(address bridge, address sequencerInbox) external; }
}

const NITRO: &str = "npm/@arbitrum/nitro-contracts@3.2.0/build/contracts/src";
const EXECUTOR: &str =
    "npm/@offchainlabs/upgrade-executor@1.1.1/build/contracts/src/UpgradeExecutor.sol/UpgradeExecutor";
const ADMIN_SLOT: B256 = b256!("b53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103");
const ADMIN_LOGIC: B256 = b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");
const USER_LOGIC: B256 = b256!("2b1dbce74324248c222f0ec2d5ed7bd323cfc425b336f0253c5ccfda7265546d");

/// The rollup's proxy takes its admin and its two logics from these slots; the rest of its setup is left out.
#[test]
fn arbitrum() {
    let scene = Scene::new();
    let init = initializeCall { admin: somebody(1), executors: vec![COUNCIL] };
    let executor = behind_a_proxy(&scene, EXECUTOR, &[], &init);
    let part = |name: &str| format!("{NITRO}/rollup/{name}.sol/{name}");
    let rollup = scene.deploy(&part("RollupProxy"), &[]);
    for (slot, is) in [
        (ADMIN_SLOT, executor),
        (ADMIN_LOGIC, scene.deploy(&part("RollupAdminLogic"), &[])),
        (USER_LOGIC, scene.deploy(&part("RollupUserLogic"), &[])),
    ] {
        scene.anvil.set_storage(rollup, slot, is.into_word());
    }
    let bridge = format!("{NITRO}/bridge/Bridge.sol/Bridge");
    let bridge = behind_a_proxy(&scene, &bridge, &[], &IBridge::initializeCall { rollup });
    let inbox = format!("{NITRO}/bridge/Inbox.sol/Inbox");
    let init = IInbox::initializeCall { bridge, sequencerInbox: somebody(2) };
    let inbox = behind_a_proxy(&scene, &inbox, &U256::from(117_964).abi_encode(), &init);
    for (name, paused) in [("rollup", rollup), ("inbox", inbox)] {
        let given = args([("executor", text(executor)), (name, text(paused))]);
        scene.life(&format!("pause/arbitrum-{name}"), &given, COUNCIL);
    }
}
