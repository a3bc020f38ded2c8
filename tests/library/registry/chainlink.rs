//! Chainlink: CCIP and a bundle feed.

use super::*;

sol! {
    function proposeAggregator(address aggregator) external;
    function applyRampUpdates((uint64,address)[] on, (uint64,address)[] off, (uint64,address)[] add) external;
}

const CCIP: &str = "npm/@chainlink/contracts-ccip@2.0.0/bytecode/latest";

/// Gives the contracts of its deployer to the council.
fn hand_over(scene: &Scene, contract: Address) {
    scene.act(key(9).address, contract, &transferOwnershipCall { to: COUNCIL });
    scene.act(COUNCIL, contract, &acceptOwnershipCall {});
}

#[test]
fn ccip() {
    let scene = Scene::new();
    let admins: Vec<Address> = vec![somebody(0xca)];
    let rmn = scene.deploy(&format!("{CCIP}/rmn.bin"), &admins.abi_encode());
    hand_over(&scene, rmn);
    let cursed = |subject: &str| args([("rmn", text(rmn)), ("subject", subject.into())]);
    let (one, all) = ("0x0000000000000000000000000000beef", "0x01000000000000000000000000000001");
    scene.life("pause/ccip-curse", &cursed(one), COUNCIL);
    scene.life("pause/ccip-curse", &cursed(all), COUNCIL);
    // While all are cursed, each can still be cursed and lifted by itself.
    scene.proven("pause/ccip-curse", COUNCIL, &cursed(all));
    scene.life("pause/ccip-curse", &cursed(one), COUNCIL);
    // Several at once, of which one is cursed already.
    let several =
        args([("rmn", text(rmn)), ("subjects", format!("[{one}, 0x0000000000000000000000000000cafe]"))]);
    scene.proven("pause/ccip-curse", COUNCIL, &cursed(one));
    scene.life("pause/ccip-curse-many", &several, COUNCIL);
    // An authorised caller curses, and only the owner lifts it.
    scene.enrich(somebody(0xca));
    scene.proven("pause/ccip-curse", somebody(0xca), &cursed(one));
    scene.refused("pause/ccip-curse-undo", somebody(0xca), &cursed(one));

    let zero = Address::ZERO;
    let router = scene.deploy(&format!("{CCIP}/router.bin"), &(zero, zero).abi_encode_params());
    hand_over(&scene, router);
    let ramp = somebody(0x33);
    let open = applyRampUpdatesCall { on: vec![(7, ramp)], off: vec![], add: vec![] };
    scene.act(COUNCIL, router, &open);
    let lane = args([("router", text(router)), ("chain", "7".into()), ("on_ramp", text(ramp))]);
    scene.life("pause/ccip-lane", &lane, COUNCIL);
}

#[test]
fn a_bundle_feed() {
    let scene = Scene::new();
    let (was, next) = (somebody(1), somebody(2));
    let proxy = scene.deploy("registry/BundleAggregatorProxy", &(was, COUNCIL).abi_encode_params());
    let given = args([("proxy", text(proxy)), ("aggregator", text(next))]);
    let why = scene.refused("param/chainlink-aggregator", COUNCIL, &given);
    assert!(why.contains("proposedAggregator()"), "{why}");
    scene.act(COUNCIL, proxy, &proposeAggregatorCall { aggregator: next });
    scene.life("param/chainlink-aggregator", &given, COUNCIL);
}
