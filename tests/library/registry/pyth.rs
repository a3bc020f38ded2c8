//! Pyth.

use super::*;

sol! {
    function createPriceFeedUpdateData(
        bytes32 id, int64 price, uint64 conf, int32 expo, int64 emaPrice, uint64 emaConf, uint64 publishTime,
        uint64 prevPublishTime
    ) external pure returns (bytes);
}

/// Pyth's own stand-in for its contract. Anybody may bring a price up to date: there is no role to lack.
#[test]
fn a_price() {
    let scene = Scene::new();
    let pyth = scene.deploy("registry/MockPyth", &(U256::from(60), U256::from(7)).abi_encode_params());
    let id = B256::repeat_byte(1);
    let update = |scene: &Scene| {
        let (now, price, conf) = (scene.now(), 100_000_000, 1000);
        let call = createPriceFeedUpdateDataCall {
            id,
            price,
            conf,
            expo: -8,
            emaPrice: price,
            emaConf: conf,
            publishTime: now,
            prevPublishTime: now,
        };
        args([
            ("pyth", text(pyth)),
            ("feed", text(id)),
            ("update", format!("[{}]", scene.anvil.view(pyth, &call))),
        ])
    };
    let first = update(&scene);
    scene.proven("param/pyth-refresh", COUNCIL, &first);
    assert_eq!(scene.anvil.balance(pyth), U256::from(7), "the fee that was read");
    assert!(scene.refused("param/pyth-refresh", COUNCIL, &first).starts_with("already done: "));
    // An update that is as old as the price in force proves nothing.
    scene.pass(120);
    let ended = scene.pull("param/pyth-refresh", STRANGER, &first);
    assert!(matches!(ended, Ended::Failed(_)), "{ended:?}");
    scene.proven("param/pyth-refresh", STRANGER, &update(&scene));
}
