//! Compound's Timelock, as Uniswap deployed it: a transaction is known by the hash of its parts alone.

use super::*;

sol! {
    function queueTransaction(address target, uint256 value, string signature, bytes data, uint256 eta) external;
}

#[test]
fn a_queued_transaction_is_cancelled() {
    let scene = Scene::new();
    let timelock = "npm/@uniswap/governance@1.0.2/build/Timelock";
    let timelock = scene.deploy(timelock, &(COUNCIL, U256::from(2 * DAY)).abi_encode_params());
    let eta = U256::from(scene.now() + 3 * DAY);
    let data = Bytes::from(U256::from(5 * DAY).abi_encode());
    let queued = queueTransactionCall {
        target: timelock,
        value: U256::ZERO,
        signature: "setDelay(uint256)".into(),
        data: data.clone(),
        eta,
    };
    scene.act(COUNCIL, timelock, &queued);
    let parts = |eta: U256| {
        args([
            ("timelock", text(timelock)),
            ("target", text(timelock)),
            ("signature", "setDelay(uint256)".into()),
            ("data", text(&data)),
            ("eta", text(eta)),
        ])
    };
    // Another second is another transaction, and the Timelock itself would cancel it without a word.
    let why = scene.refused("pause/compound-timelock-cancel", COUNCIL, &parts(eta + U256::from(1)));
    assert!(why.contains("queuedTransactions(0x") && why.ends_with("is false, not true"), "{why}");
    scene.life("pause/compound-timelock-cancel", &parts(eta), COUNCIL);
}
