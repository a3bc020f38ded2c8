//! Levers beside the first ones of their families: small contracts with the signatures and the traps of the real sources.

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::sol;
use alloy::sol_types::SolValue;

use crate::scene::{COUNCIL, Ended, STRANGER, Scene, args, somebody, text};

sol! {
    function enable(bytes32 id) external;
    function MORPHO() external view returns (address);
    function adapter() external view returns (address);
    function asset() external view returns (address);
    function osms(uint256 at) external view returns (address);
    function emergencyActionsInBatch(uint256 start, uint256 end) external;
    function hookConfig() external view returns (address, uint32);
}

const RULER: Address = Address::repeat_byte(0xad);

fn held(scene: &Scene, contract: &str) -> Address {
    scene.deploy(contract, &COUNCIL.abi_encode())
}

#[test]
fn compound_transfers_and_a_strategy_that_can_be_unpaused() {
    let scene = Scene::new();
    scene.enrich(RULER);
    let comptroller = scene.deploy("Comptroller", &(RULER, COUNCIL).abi_encode_params());
    scene.life("pause/compound-v2-transfer", &args([("comptroller", text(comptroller))]), RULER);
    let strategy = args([("target", text(held(&scene, "YearnVault")))]);
    scene.life("pause/yearn-strategy-pause", &strategy, COUNCIL);
}

#[test]
fn pending_changes_of_a_metamorpho_vault_are_vetoed_and_a_market_is_left() {
    let scene = Scene::new();
    let of = |n: u8| [somebody(n), somebody(n + 1), somebody(n + 2), somebody(n + 3)];
    let id = |parts: [Address; 4]| {
        keccak256((parts[0], parts[1], parts[2], parts[3], U256::from(86)).abi_encode())
    };
    let (left, idle) = (of(1), of(11));
    let vault = scene.deploy("MetaMorpho", &(COUNCIL, id(left), B256::repeat_byte(9)).abi_encode_params());
    let whole = args([("vault", text(vault))]);
    scene.life("pause/metamorpho-revoke-timelock", &whole, COUNCIL);
    scene.life("pause/metamorpho-revoke-guardian", &whole, COUNCIL);

    let morpho = scene.anvil.view(vault, &MORPHOCall {});
    let mut given = args([
        ("vault", text(vault)),
        ("morpho", text(morpho)),
        ("market", text(id(left))),
        ("lltv", "86".into()),
        ("to_lltv", "86".into()),
    ]);
    for (name, (from, to)) in ["loan", "collateral", "oracle", "irm"].iter().zip(left.into_iter().zip(idle)) {
        given.insert((*name).into(), text(from));
        given.insert(format!("to_{name}"), text(to));
    }
    // A market without a cap takes nothing, and that is said by its name before anybody signs.
    let why = scene.refused("pause/metamorpho-leave-market", COUNCIL, &given);
    assert!(why.contains(&format!("UnauthorizedMarket({})", id(idle))), "{why}");
    scene.act(COUNCIL, vault, &enableCall { id: id(idle) });
    scene.life("pause/metamorpho-leave-market", &given, COUNCIL);
}

#[test]
fn morpho_v2_lowers_a_share_and_takes_funds_out_of_an_adapter() {
    let scene = Scene::new();
    let id_data = Bytes::from(vec![4]);
    let vault =
        scene.deploy("MorphoVaultV2", &(COUNCIL, Bytes::from(vec![1]), id_data.clone()).abi_encode_params());
    let id = || ("id", text(keccak256(&id_data)));
    let cap = args([("vault", text(vault)), ("id_data", text(&id_data)), id(), ("cap", "25 %".into())]);
    scene.life("param/morpho-v2-relative-cap", &cap, COUNCIL);
    let mut higher = cap;
    higher.insert("cap".into(), "26 %".into());
    assert!(scene.refused("param/morpho-v2-relative-cap", COUNCIL, &higher).contains("above the maximum"));

    let (adapter, asset) = (scene.anvil.view(vault, &adapterCall {}), scene.anvil.view(vault, &assetCall {}));
    let out = args([
        ("vault", text(vault)),
        ("adapter", text(adapter)),
        ("data", text(&id_data)),
        ("assets", "400".into()),
        id(),
        ("token", text(asset)),
        ("touched", format!("[{asset}]")),
    ]);
    scene.life("pause/morpho-v2-deallocate", &out, COUNCIL);
}

#[test]
fn a_grouped_spell_ends_with_its_last_part_and_an_account_is_denied() {
    let scene = Scene::new();
    let spell = scene.deploy("GroupedSpell", &[]);
    let osms = [0, 1, 2].map(|at| scene.anvil.view(spell, &osmsCall { at: U256::from(at) }));
    let given = args([
        ("spell", text(spell)),
        ("start", "2".into()),
        ("end", "9".into()),
        ("touched", format!("[{}, {}, {}]", osms[0], osms[1], osms[2])),
    ]);
    // The parts before it were not sent: the spell is not done.
    scene.aside(|| match scene.pull("pause/sky-spell-batch", COUNCIL, &given) {
        Ended::Failed(why) => assert!(why.contains("done() is false, not true"), "{why}"),
        other => panic!("{other:?}"),
    });
    let first = emergencyActionsInBatchCall { start: U256::ZERO, end: U256::from(1) };
    scene.act(somebody(0x57), spell, &first);
    scene.course("pause/sky-spell-batch", &given, COUNCIL);

    let messenger = held(&scene, "Denylistable");
    let account = args([("messenger", text(messenger)), ("account", text(somebody(1)))]);
    scene.life("pause/cctp-denylist", &account, COUNCIL);
}

#[test]
fn a_wormhole_bridge_is_frozen_prolonged_and_lifted_by_anybody_when_its_time_is_over() {
    let scene = Scene::new();
    let bridge = args([("bridge", text(held(&scene, "TokenBridge")))]);
    scene.aside(|| scene.life("pause/wormhole-token-bridge-freeze", &bridge, COUNCIL));
    scene.proven("pause/wormhole-token-bridge", COUNCIL, &bridge);
    scene.pass(10);
    scene.aside(|| scene.life("pause/wormhole-token-bridge-extend", &bridge, COUNCIL));
    let why = scene.refused("pause/wormhole-token-bridge-lift", COUNCIL, &bridge);
    assert!(why.contains("the block's time is ") && why.contains("NotExpired()"), "{why}");
    scene.pass(5 * 86_400);
    scene.course("pause/wormhole-token-bridge-lift", &bridge, COUNCIL);
    // A frozen bridge is not prolonged by who may only pause it.
    scene.proven("pause/wormhole-token-bridge-freeze", COUNCIL, &bridge);
    let why = scene.refused("pause/wormhole-token-bridge-extend", COUNCIL, &bridge);
    assert!(why.contains("PauseNotExtended()"), "{why}");
}

#[test]
fn eigenlayer_flags_by_the_names_of_each_contract() {
    let scene = Scene::new();
    let unpauser = somebody(0x0f);
    scene.enrich(unpauser);
    for (id, operations) in [
        ("pause/eigenlayer-strategies", "[deposits]"),
        ("pause/eigenlayer-delegation", "[new_delegation, enter_withdrawal_queue]"),
        ("pause/eigenlayer-allocations", "[operator_slashing]"),
        ("pause/eigenlayer-pods", "[verify_checkpoint_proofs, withdrawal_requests]"),
        ("pause/eigenlayer-rewards", "[process_claim_not]"),
    ] {
        let target = scene.deploy("EigenPausable", &(COUNCIL, unpauser).abi_encode_params());
        let mut flags = args([("target", text(target)), ("operations", operations.into())]);
        if operations.contains("not") {
            let why = scene.refused(id, COUNCIL, &flags);
            assert!(why.contains("process_claim"), "the names are offered: {why}");
            flags.insert("operations".into(), "[submit_disable_roots]".into());
        }
        scene.life(id, &flags, unpauser);
    }
}

#[test]
fn euler_vaults_behind_a_guardian() {
    let scene = Scene::new();
    let governor = scene.deploy("GovernorGuardian", &COUNCIL.abi_encode());
    let hook = somebody(0x33);
    let first = scene.deploy("EVault", &(governor, Address::ZERO, 4_u32).abi_encode_params());
    let second = scene.deploy("EVault", &(governor, hook, 7_u32).abi_encode_params());
    let other = scene.deploy("EVault", &(COUNCIL, Address::ZERO, 0_u32).abi_encode_params());
    let of = |vaults: &[Address], hooks: &str| {
        let list = vaults.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        args([("governor", text(governor)), ("vaults", format!("[{list}]")), ("hooks", hooks.into())])
    };
    let hooks = format!("[({}, 4), ({hook}, 7)]", Address::ZERO);
    // The governor would leave it out without a word.
    let why = scene.refused("pause/euler-v2-guardian", COUNCIL, &of(&[first, other], &hooks));
    assert!(why.contains("canBePaused("), "{why}");
    let given = of(&[first, second], &hooks);
    scene.proven("pause/euler-v2-guardian", COUNCIL, &given);
    scene.proven("pause/euler-v2-guardian-undo", COUNCIL, &given);
    let left = scene.anvil.view(second, &hookConfigCall {});
    assert_eq!((left._0, left._1), (hook, 7), "the hook that was installed");
    // Within the cooldown it can be paused no more, and is not said to be.
    let why = scene.refused("pause/euler-v2-guardian", COUNCIL, &given);
    assert!(why.contains("canBePaused("), "{why}");
    scene.pass(4 * 86_400);
    let third = scene.deploy("EVault", &(governor, Address::ZERO, 0_u32).abi_encode_params());
    let hooks = format!("[({zero}, 4), ({zero}, 0)]", zero = Address::ZERO);
    let given = of(&[first, third], &hooks);
    for id in ["pause/euler-v2-guardian", "pause/euler-v2-guardian-undo"] {
        scene.refused(id, STRANGER, &given);
        scene.proposed(id, COUNCIL, &given);
        scene.proven(id, COUNCIL, &given);
        scene.again(id, COUNCIL, &given);
    }
}

#[test]
fn euler_vaults_behind_the_emergency_governor() {
    let scene = Scene::new();
    scene.enrich(RULER);
    let governor = scene.deploy("GovernorEmergency", &(COUNCIL, RULER).abi_encode_params());
    let vault = scene.deploy("EVault", &(governor, somebody(0x33), 7_u32).abi_encode_params());
    let both = || [("governor", text(governor)), ("vault", text(vault))];
    let mut hook = args(both());
    hook.extend(args([("hook", text(somebody(0x33))), ("operations", "7".into())]));
    let plan = scene.plan("pause/euler-v2-governor", COUNCIL, &hook).unwrap();
    assert!(plan.calls[0].call.data.ends_with(vault.as_slice()), "the vault follows the arguments");
    assert_eq!(plan.calls[0].arguments[2].0, "appended", "and the review says so");
    scene.life("pause/euler-v2-governor", &hook, RULER);
    scene.aside(|| {
        scene.proven("pause/euler-v2-governor", COUNCIL, &hook);
        let why = scene.refused("pause/euler-v2-governor-undo", COUNCIL, &hook);
        assert!(why.contains("NotAuthorized()"), "the emergency's role lifts nothing: {why}");
    });
    let mut caps = args(both());
    caps.extend(args([
        ("supply", "6419".into()),
        ("borrow", "1".into()),
        ("supply_was", "6419".into()),
        ("borrow_was", "6420".into()),
    ]));
    scene.life("param/euler-v2-governor-caps", &caps, RULER);
    let mut ltv = args(both());
    ltv.extend(args([("collateral", text(somebody(2))), ("ltv", "0 %".into()), ("was", "85 %".into())]));
    scene.life("param/euler-v2-governor-ltv", &ltv, RULER);
}
