//! Protocols whose contracts no registry carries ready to run: small contracts with the documented signatures and the
//! documented traps stand for them (`tests/fixtures/contracts`).

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::sol;
use alloy::sol_types::SolValue;

use crate::scene::{COUNCIL, Ended, Scene, args, somebody, text};

sol! {
    struct MarketParams {
        address loan;
        address collateral;
        address oracle;
        address irm;
        uint256 lltv;
    }
    function submitCap(MarketParams market, uint256 cap) external;
    function osm() external view returns (address);
    function allow(address seal) external;
    function approve(address token, address spender, uint160 amount, uint48 expiration) external;
    function isTransferPaused() external view returns (bool);
    function paused() external view returns (uint256);
    function caps() external view returns (uint16, uint16);
    function hookConfig() external view returns (address, uint32);
}

const ASSET: Address = Address::repeat_byte(0xa5);

fn held(scene: &Scene, contract: &str) -> Address {
    scene.deploy(contract, &COUNCIL.abi_encode())
}

#[test]
fn compound_v2_and_v3() {
    let scene = Scene::new();
    let admin = somebody(0xad);
    scene.anvil.set_balance(admin, U256::from(10).pow(U256::from(20)));
    let comptroller = scene.deploy("Comptroller", &(admin, COUNCIL).abi_encode_params());
    let market = args([("comptroller", text(comptroller)), ("market", text(ASSET))]);
    // The guardian pauses, and only the admin takes it back.
    for id in ["pause/compound-v2-mint", "pause/compound-v2-borrow"] {
        scene.aside(|| {
            scene.proven(id, COUNCIL, &market);
            scene.refused(&format!("{id}-undo"), COUNCIL, &market);
        });
        scene.life(id, &market, admin);
    }
    scene.life("pause/compound-v2-seize", &args([("comptroller", text(comptroller))]), admin);

    let comet = held(&scene, "Comet");
    let flags = args([("comet", text(comet)), ("supply", "true".into()), ("buy", "true".into())]);
    scene.life("pause/compound-v3-comet", &flags, COUNCIL);
    // Transfers were paused by somebody else, before and after.
    assert!(scene.anvil.view(comet, &isTransferPausedCall {}));
    let why = scene.refused("pause/compound-v3-comet", COUNCIL, &args([("comet", text(comet))]));
    assert!(why.starts_with("already done: "), "{why}");
}

#[test]
fn morpho() {
    let scene = Scene::new();
    let parts = [somebody(1), somebody(2), somebody(3), somebody(4)];
    let market = keccak256((parts[0], parts[1], parts[2], parts[3], U256::from(86)).abi_encode());
    let pending = B256::repeat_byte(9);
    let vault = scene.deploy("MetaMorpho", &(COUNCIL, market, pending).abi_encode_params());
    let queue = args([("vault", text(vault)), ("queue", format!("[{market}]"))]);
    scene.life("pause/metamorpho-deposits", &queue, COUNCIL);
    // A council file that is behind, or says nothing of the queue, stops no pause; the undo asks for it.
    let bare = args([("vault", text(vault))]);
    scene.aside(|| {
        scene.proven("pause/metamorpho-deposits", COUNCIL, &bare);
        let why = scene.refused("pause/metamorpho-deposits-undo", COUNCIL, &bare);
        assert!(why.contains("needs queue (bytes32[]): give --set queue=…"), "{why}");
    });
    scene.aside(|| {
        let stale = args([("vault", text(vault)), ("queue", format!("[{pending}]"))]);
        scene.proven("pause/metamorpho-deposits", COUNCIL, &stale);
    });
    scene.life(
        "pause/metamorpho-revoke-cap",
        &args([("vault", text(vault)), ("market", text(pending))]),
        COUNCIL,
    );
    let mut cap = args([("vault", text(vault)), ("market", text(market)), ("lltv", "86".into())]);
    let names = ["loan", "collateral", "oracle", "irm"];
    cap.extend(names.iter().zip(parts).map(|(name, part)| ((*name).to_string(), text(part))));
    cap.insert("cap".into(), "1000001".into());
    let why = scene.refused("param/metamorpho-cap", COUNCIL, &cap);
    assert_eq!(why, "cap=1000001: 1000001 is above the maximum, 1000000");
    cap.insert("cap".into(), "0".into());
    // A raise that is pending would come after: it is revoked in the same transaction.
    scene.aside(|| {
        let market_of = MarketParams {
            loan: parts[0],
            collateral: parts[1],
            oracle: parts[2],
            irm: parts[3],
            lltv: U256::from(86),
        };
        let raise = submitCapCall { market: market_of, cap: U256::from(2_000_000) };
        scene.act(COUNCIL, vault, &raise);
        let plan = scene.plan("param/metamorpho-cap", COUNCIL, &cap).unwrap();
        assert_eq!(plan.calls.len(), 2);
        scene.proven("param/metamorpho-cap", COUNCIL, &cap);
    });
    scene.life("param/metamorpho-cap", &cap, COUNCIL);

    let (data, id_data) = (Bytes::from(vec![1, 2, 3]), Bytes::from(vec![4]));
    let vault = scene.deploy("MorphoVaultV2", &(COUNCIL, data.clone(), id_data.clone()).abi_encode_params());
    scene.life("pause/morpho-v2-revoke", &args([("vault", text(vault)), ("data", text(data))]), COUNCIL);
    let cap = args([
        ("vault", text(vault)),
        ("id_data", text(&id_data)),
        ("id", text(keccak256(&id_data))),
        ("cap", "0".into()),
    ]);
    scene.life("param/morpho-v2-cap", &cap, COUNCIL);
}

#[test]
fn euler_v2_and_yearn() {
    let scene = Scene::new();
    let vault = scene.deploy("EVault", &(COUNCIL, Address::ZERO, 4_u32).abi_encode_params());
    let operations = args([("vault", text(vault)), ("operations", "3".into())]);
    scene.life("pause/euler-v2-operations", &operations, COUNCIL);
    let left = scene.anvil.view(vault, &hookConfigCall {});
    assert_eq!((left._0, left._1), (Address::ZERO, 4), "the flag that was set stays");
    let hooked = scene.deploy("EVault", &(COUNCIL, ASSET, 4_u32).abi_encode_params());
    let why = scene.refused(
        "pause/euler-v2-operations",
        COUNCIL,
        &args([("vault", text(hooked)), ("operations", "3".into())]),
    );
    assert!(why.contains("hookConfig() is"), "a hook that is installed is not overwritten: {why}");
    for (name, was) in [("supply", "6419"), ("borrow", "6420")] {
        let id = format!("param/euler-v2-{name}-cap");
        let mut cap = args([("vault", text(vault)), ("cap", "1".into()), ("was", was.into())]);
        scene.life(&id, &cap, COUNCIL);
        cap.insert("cap".into(), "0".into());
        assert!(scene.refused(&id, COUNCIL, &cap).contains("zero means unlimited"));
    }
    let left = scene.anvil.view(vault, &capsCall {});
    assert_eq!((left._0, left._1), (6419, 6420));
    for id in ["pause/yearn-vault", "pause/yearn-strategy"] {
        scene.life(id, &args([("target", text(held(&scene, "YearnVault")))]), COUNCIL);
    }
}

#[test]
fn lido_and_sky() {
    let scene = Scene::new();
    let [first, second, third] = [0; 3].map(|_| held(&scene, "PausableUntil"));
    let paused = args([("target", text(first)), ("duration", "6 days".into())]);
    scene.life("pause/lido-pause-for", &paused, COUNCIL);
    let sealables = vec![first, second, third];
    let made = (COUNCIL, U256::from(scene.now() + 86_400), sealables).abi_encode_params();
    let seal = scene.deploy("GateSeal", &made);
    let live = U256::from(scene.now() + 86_400);
    let breaker = scene.deploy("CircuitBreaker", &(COUNCIL, third, live).abi_encode_params());
    for (target, allowed) in [(first, seal), (second, seal), (third, breaker)] {
        let allow = alloy::sol_types::SolCall::abi_encode(&allowCall { seal: allowed });
        scene.anvil.send(COUNCIL, target, &allow.into(), U256::ZERO);
    }
    // Some of what it may seal: one, two, and never what it may not.
    let sealed = |list: &[Address]| {
        let list = list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        args([("seal", text(seal)), ("sealables", format!("[{list}]"))])
    };
    let why = scene.refused("pause/lido-gateseal", COUNCIL, &sealed(&[first, somebody(1)]));
    assert!(why.contains("get_sealables() is ["), "{why}");
    let why = scene.refused("pause/lido-gateseal", COUNCIL, &sealed(&[first, first]));
    assert!(why.contains("duplicates"), "{why}");
    scene.aside(|| scene.proven("pause/lido-gateseal", COUNCIL, &sealed(&[second])));
    scene.life("pause/lido-gateseal", &sealed(&[first, second]), COUNCIL);
    scene.life("param/lido-heartbeat", &args([("breaker", text(breaker))]), COUNCIL);
    scene.life(
        "pause/lido-circuit-breaker",
        &args([("breaker", text(breaker)), ("target", text(third))]),
        COUNCIL,
    );

    // The spell changes other contracts: the lever names them, or the program refuses it.
    let spell = scene.deploy("Spell", &[]);
    let touched = format!("[{}]", scene.anvil.view(spell, &osmCall {}));
    let spell = args([("spell", text(spell)), ("touched", touched)]);
    scene.proposed("pause/sky-spell", COUNCIL, &spell);
    scene.proven("pause/sky-spell", COUNCIL, &spell);
    assert!(scene.refused("pause/sky-spell", COUNCIL, &spell).contains("done() is true, not false"));
    let ilk = B256::right_padding_from(b"ETH-A");
    scene.life("pause/sky-osm", &args([("mom", text(held(&scene, "OsmMom"))), ("ilk", text(ilk))]), COUNCIL);
}

#[test]
fn op_stack() {
    let scene = Scene::new();
    let config = held(&scene, "SuperchainConfig");
    let portal = somebody(2);
    let system = text(scene.deploy("SystemConfig", &(config, portal).abi_encode_params()));
    let of = |identifier: Address| {
        args([
            ("superchain_config", text(config)),
            ("identifier", text(identifier)),
            ("system_config", system.clone()),
        ])
    };
    // Another identifier than the chain's is paused, and the chain is not: that proves nothing.
    scene.aside(|| match scene.pull("pause/op-superchain", COUNCIL, &of(somebody(3))) {
        Ended::Failed(why) => assert!(why.contains("paused() is false, not true"), "{why}"),
        other => panic!("{other:?}"),
    });
    scene.aside(|| scene.proven("pause/op-superchain", COUNCIL, &of(portal)));
    let mut extended = of(Address::ZERO);
    extended.remove("system_config");
    let chain = of(Address::ZERO);
    scene.life("pause/op-superchain", &chain, COUNCIL);
    scene.proven("pause/op-superchain", COUNCIL, &chain);
    scene.pass(10);
    scene.life("pause/op-superchain-extend", &extended, COUNCIL);
    let registry = text(held(&scene, "AnchorStateRegistry"));
    scene.life(
        "pause/op-blacklist-game",
        &args([("registry", registry.clone()), ("game", text(ASSET))]),
        COUNCIL,
    );
    let nowhere = args([("registry", registry.clone()), ("game", text(Address::ZERO))]);
    let why = scene.refused("pause/op-blacklist-game", COUNCIL, &nowhere);
    assert!(why.contains("isGameRegistered("), "{why}");
    scene.life("pause/op-retire-games", &args([("registry", registry.clone())]), COUNCIL);
    let kind = args([("registry", registry), ("game_type", "1".into()), ("was", "0".into())]);
    scene.life("param/op-game-type", &kind, COUNCIL);
}

#[test]
fn eigenlayer() {
    let scene = Scene::new();
    let unpauser = somebody(0x0f);
    scene.anvil.set_balance(unpauser, U256::from(10).pow(U256::from(20)));
    let target = scene.deploy("EigenPausable", &(COUNCIL, unpauser).abi_encode_params());
    let flags = args([("target", text(target)), ("flags", "2".into())]);
    scene.aside(|| {
        scene.proven("pause/eigenlayer", COUNCIL, &flags);
        assert_eq!(scene.anvil.view(target, &pausedCall {}), U256::from(6), "the flag that was set stays");
        scene.refused("pause/eigenlayer-undo", COUNCIL, &flags);
    });
    scene.life("pause/eigenlayer", &flags, unpauser);
    assert_eq!(scene.anvil.view(target, &pausedCall {}), U256::from(4));
    scene.life("pause/eigenlayer-all", &args([("target", text(target)), ("was", "4".into())]), unpauser);
}

#[test]
fn wormhole() {
    let scene = Scene::new();
    let bridge = args([("bridge", text(held(&scene, "TokenBridge")))]);
    scene.life("pause/wormhole-token-bridge", &bridge, COUNCIL);
}

#[test]
fn curve() {
    let scene = Scene::new();
    let proxy = held(&scene, "PoolProxy");
    let deadline = U256::from(scene.now() + 86_400);
    let pool = scene.deploy("CurvePool", &(proxy, deadline).abi_encode_params());
    let killed = args([
        ("pool_proxy", text(proxy)),
        ("pool", text(pool)),
        ("trader", text(somebody(1))),
        ("amount", "1".into()),
    ]);
    scene.life("pause/curve-pool", &killed, COUNCIL);
    let gauge = args([("owner_proxy", text(proxy)), ("gauge", text(scene.deploy("Gauge", &[])))]);
    scene.life("pause/curve-gauge", &gauge, COUNCIL);
}

#[test]
fn zodiac() {
    let scene = Scene::new();
    let module = held(&scene, "Delay");
    let delay = text(module);
    let skip = args([("module", delay.clone()), ("nonce", "6".into())]);
    let why = scene.refused("pause/zodiac-delay-skip", COUNCIL, &skip);
    assert_eq!(why, "nonce=6: 6 is above the maximum, 5");
    let skip = args([("module", delay), ("nonce", "5".into())]);
    // The vetoed account queues one more meanwhile: that must not undo the veto.
    scene.aside(|| {
        let plan = scene.plan("pause/zodiac-delay-skip", COUNCIL, &skip).unwrap();
        let queue = B256::with_last_byte(3);
        assert_eq!(scene.anvil.storage(module, queue), B256::with_last_byte(5));
        scene.anvil.set_storage(module, queue, B256::with_last_byte(6));
        assert_eq!(scene.carried_out(&plan, COUNCIL), Ended::Proven);
    });
    scene.life("pause/zodiac-delay-skip", &skip, COUNCIL);

    let member = somebody(3);
    let roles = text(scene.deploy("Roles", &(COUNCIL, member).abi_encode_params()));
    let role = || ("role", text(B256::repeat_byte(1)));
    let target = args([("module", roles.clone()), role(), ("target", text(ASSET))]);
    scene.life("pause/zodiac-roles-target", &target, COUNCIL);
    let revoked = args([("module", roles.clone()), role(), ("member", text(member))]);
    scene.life("rotate/zodiac-roles-revoke", &revoked, COUNCIL);
    let other = args([("module", roles), role(), ("member", text(somebody(4)))]);
    let why = scene.refused("rotate/zodiac-roles-assign", COUNCIL, &other);
    assert!(why.contains("isModuleEnabled"), "it would enable a module: {why}");
}

/// The Safe holds the tokens: it cannot lack a role, only a balance.
#[test]
fn allowances_and_rescue() {
    let scene = Scene::new();
    let token = scene.deploy("OldToken", &COUNCIL.abi_encode());
    let spender = args([("token", text(token)), ("spender", text(somebody(1))), ("amount", "1000".into())]);
    // The allowance may be less now than when the lever was written: the spender may be draining it.
    let mut drained = spender.clone();
    drained.insert("amount".into(), "3".into());
    scene.aside(|| {
        scene.proven("pause/erc20-revoke-undo", COUNCIL, &drained);
        scene.proven("pause/erc20-revoke", COUNCIL, &spender);
    });
    scene.proven("pause/erc20-revoke-undo", COUNCIL, &spender);
    scene.course("pause/erc20-revoke", &spender, COUNCIL);

    let permit2 = scene.deploy("Permit2", &[]);
    let until = scene.now() + 86_400;
    let approve = approveCall {
        token,
        spender: somebody(1),
        amount: alloy::primitives::Uint::from(1000),
        expiration: alloy::primitives::Uint::from(until),
    };
    let data = alloy::sol_types::SolCall::abi_encode(&approve).into();
    scene.anvil.send(COUNCIL, permit2, &data, U256::ZERO);
    let mut allowed = spender.clone();
    allowed.extend(args([("permit2", text(permit2)), ("expiration", text(until))]));
    let mut more = allowed.clone();
    more.insert("amount".into(), "5000".into());
    scene.aside(|| scene.proven("pause/permit2-lockdown", COUNCIL, &more));
    scene.course("pause/permit2-lockdown", &allowed, COUNCIL);

    let recovery = args([
        ("token", text(token)),
        ("recovery", text(somebody(9))),
        ("recovery_code_hash", text(B256::ZERO)),
    ]);
    let mut other = recovery.clone();
    other.insert("recovery_code_hash".into(), text(B256::repeat_byte(1)));
    let why = scene.refused("pause/rescue-erc20", COUNCIL, &other);
    assert!(why.contains("code hash is"), "the recovery address is pinned: {why}");
    scene.life("pause/rescue-erc20", &recovery, COUNCIL);
}
