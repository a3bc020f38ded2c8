//! OpenZeppelin's own contracts, compiled from its npm package.

use alloy::primitives::{Address, B256, Bytes, U256, b256, hex, keccak256};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};

use crate::scene::{COUNCIL, STRANGER, Scene, args, somebody, text};

sol! {
    function initialise(address first) external;
    function setTargetFunctionRole(address target, bytes4[] selectors, uint64 roleId) external;
    function am_schedule(address target, bytes data, uint48 when) external;
    function schedule(address target, uint256 value, bytes data, bytes32 predecessor, bytes32 salt, uint256 delay) external;
    function castVote(uint256 proposal, uint8 support) external;
    function queue(address[] targets, uint256[] values, bytes[] calldatas, bytes32 description) external;
    function hashProposal(address[] targets, uint256[] values, bytes[] calldatas, bytes32 description) external view returns (uint256);
    function grantRole(bytes32 role, address account) external;
    function propose(address[] targets, uint256[] values, bytes[] calldatas, string description) external;
}

const ROLE: B256 = b256!("65d7a28e3265b37a6474929f336521b332c1681b933f6cb9f3376673440d862a");
const NEXT: Address = Address::repeat_byte(0x4e);

fn rich(scene: &Scene, who: Address) {
    scene.anvil.set_balance(who, U256::from(10).pow(U256::from(20)));
}

fn send(scene: &Scene, from: Address, to: Address, data: Vec<u8>) {
    scene.anvil.send(from, to, &data.into(), U256::ZERO);
}

#[test]
fn pausable_and_a_fee() {
    let scene = Scene::new();
    let vault = text(scene.deploy("Vault", &COUNCIL.abi_encode()));
    scene.life("pause/oz-pausable", &args([("target", vault.clone())]), COUNCIL);
    let fee = args([("target", vault), ("fee", "0.5 %".into()), ("was", "0".into())]);
    scene.life("param/fee-bps", &fee, COUNCIL);
}

#[test]
fn several_pausables() {
    let scene = Scene::new();
    let vaults = [(); 3].map(|()| scene.deploy("Vault", &COUNCIL.abi_encode()));
    let targets = vaults.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let targets = args([("targets", format!("[{targets}]"))]);
    scene.life("pause/oz-pausable-many", &targets, COUNCIL);
    // One that is paused already is left alone, also when all are taken back.
    let one = args([("target", text(vaults[1]))]);
    scene.proven("pause/oz-pausable", COUNCIL, &one);
    let plan = scene.plan("pause/oz-pausable-many", COUNCIL, &targets).unwrap();
    assert_eq!((plan.calls.len(), plan.skipped.len(), plan.after.len()), (2, 1, 3));
    scene.proven("pause/oz-pausable-many", COUNCIL, &targets);
}

#[test]
fn owners() {
    let scene = Scene::new();
    rich(&scene, NEXT);
    let once = scene.deploy("OwnedOnce", &COUNCIL.abi_encode());
    let given = args([("target", text(once)), ("new", text(NEXT))]);
    scene.life("rotate/oz-ownable", &given, COUNCIL);
    scene.proven("rotate/oz-ownable", NEXT, &args([("target", text(once)), ("new", text(COUNCIL))]));

    let twice = scene.deploy("OwnedTwice", &COUNCIL.abi_encode());
    let offered = args([("target", text(twice)), ("new", text(NEXT))]);
    scene.life("rotate/oz-ownable2step", &offered, COUNCIL);
    scene.proven("rotate/oz-ownable2step", COUNCIL, &offered);
    let accepted = args([("target", text(twice))]);
    scene.refused("rotate/oz-ownable2step-accept", STRANGER, &accepted);
    scene.proven("rotate/oz-ownable2step-accept", NEXT, &accepted);
    let why = scene.refused("rotate/oz-ownable2step-accept", NEXT, &accepted);
    assert!(why.starts_with("already done: "), "{why}");
}

#[test]
fn roles() {
    let scene = Scene::new();
    let (old, new) = (somebody(1), somebody(2));
    let plain = text(scene.deploy("Controlled", &(COUNCIL, ROLE, old).abi_encode_params()));
    let role = || ("role", text(ROLE));
    let moved = args([("target", plain.clone()), role(), ("old", text(old)), ("new", text(new))]);
    scene.life("rotate/oz-access-control", &moved, COUNCIL);
    let account = args([("target", plain), role(), ("account", text(old))]);
    scene.life("rotate/oz-access-control-revoke", &account, COUNCIL);

    // Three members, so that the order in which the contract keeps them changes.
    let members = vec![old, new, somebody(3)];
    let list = text(scene.deploy("ControlledList", &(COUNCIL, ROLE, members).abi_encode_params()));
    let account = args([("target", list), role(), ("account", text(old))]);
    scene.life("rotate/oz-access-control-enumerable-revoke", &account, COUNCIL);
}

#[test]
fn default_admin() {
    let scene = Scene::new();
    rich(&scene, NEXT);
    let ruled = text(
        scene.deploy("Ruled", &(alloy::primitives::Uint::<48, 1>::from(86_400), COUNCIL).abi_encode_params()),
    );
    let begun = args([("target", ruled.clone()), ("new", text(NEXT))]);
    scene.life("rotate/oz-default-admin", &begun, COUNCIL);
    scene.proven("rotate/oz-default-admin", COUNCIL, &begun);
    let accepted = args([("target", ruled)]);
    let why = scene.refused("rotate/oz-default-admin-accept", NEXT, &accepted);
    assert!(why.contains("the block's time is "), "{why}");
    scene.pass(86_401);
    scene.refused("rotate/oz-default-admin-accept", STRANGER, &accepted);
    scene.proven("rotate/oz-default-admin-accept", NEXT, &accepted);
}

#[test]
fn access_manager() {
    let scene = Scene::new();
    let manager = scene.deploy("Manager", &COUNCIL.abi_encode());
    let target = scene.deploy("Managed", &manager.abi_encode());
    let both = || [("manager", text(manager)), ("target", text(target))];
    scene.life("pause/oz-access-manager-target", &args(both()), COUNCIL);
    let member = somebody(1);
    let role = args([
        ("manager", text(manager)),
        ("role", "7".into()),
        ("account", text(member)),
        ("execution_delay", "1 hour".into()),
    ]);
    scene.refused("rotate/oz-access-manager-grant", STRANGER, &role);
    scene.proven("rotate/oz-access-manager-grant", COUNCIL, &role);
    scene.life("rotate/oz-access-manager-revoke", &role, COUNCIL);

    // Somebody with a delay schedules an act; the council cancels it.
    rich(&scene, member);
    let act: [u8; 4] = keccak256("restrictedAct()")[..4].try_into().unwrap();
    let roles = setTargetFunctionRoleCall { target, selectors: vec![act.into()], roleId: 7 };
    send(&scene, COUNCIL, manager, roles.abi_encode());
    let mut data = am_scheduleCall { target, data: act.to_vec().into(), when: alloy::primitives::Uint::ZERO }
        .abi_encode();
    let schedule: [u8; 4] = keccak256("schedule(address,bytes,uint48)")[..4].try_into().unwrap();
    data[..4].copy_from_slice(&schedule);
    send(&scene, member, manager, data);
    let mut cancelled = args(both());
    cancelled.extend(args([("caller", text(member)), ("data", text(Bytes::from(act)))]));
    scene.life("pause/oz-access-manager-cancel", &cancelled, COUNCIL);
}

#[test]
fn timelock() {
    let scene = Scene::new();
    let council = vec![COUNCIL];
    let lock = scene.deploy("Timelock", &(U256::from(3600), council.clone(), council).abi_encode_params());
    let target = scene.deploy("Vault", &lock.abi_encode());
    let pause = Bytes::from(hex!("8456cb59"));
    let schedule = scheduleCall {
        target,
        value: U256::ZERO,
        data: pause.clone(),
        predecessor: B256::ZERO,
        salt: B256::ZERO,
        delay: U256::from(3600),
    };
    send(&scene, COUNCIL, lock, schedule.abi_encode());
    let id = keccak256((target, U256::ZERO, pause.clone(), B256::ZERO, B256::ZERO).abi_encode_params());
    let cancel = args([("timelock", text(lock)), ("operation", text(id))]);
    scene.aside(|| scene.life("pause/oz-timelock-cancel", &cancel, COUNCIL));
    let execute = args([("timelock", text(lock)), ("target", text(target)), ("data", text(pause))]);
    let why = scene.refused("param/oz-timelock-execute", COUNCIL, &execute);
    assert!(why.contains("isOperationReady("), "not before its delay: {why}");
    scene.pass(3601);
    scene.proven("param/oz-timelock-execute", COUNCIL, &execute);
    let why = scene.refused("param/oz-timelock-execute", COUNCIL, &execute);
    assert!(why.starts_with("already done: "), "{why}");
}

#[test]
fn governor() {
    let scene = Scene::new();
    let votes = scene.deploy("OneVote", &[]);
    let governor = scene.deploy("Guarded", &(COUNCIL, votes).abi_encode_params());
    let target = somebody(1);
    let propose = proposeCall {
        targets: vec![target],
        values: vec![U256::ZERO],
        calldatas: vec![Bytes::from(hex!("8456cb59"))],
        description: "pause it".into(),
    };
    scene.anvil.mine(1);
    rich(&scene, NEXT);
    send(&scene, NEXT, governor, propose.abi_encode());
    let veto = args([
        ("governor", text(governor)),
        ("targets", format!("[{target}]")),
        ("values", "[0]".into()),
        ("calldatas", "[0x8456cb59]".into()),
        ("description_hash", text(keccak256("pause it"))),
    ]);
    scene.life("pause/oz-governor-cancel", &veto, COUNCIL);
}

/// The queued operation is cancelled in the timelock too: the lever names it, or the program refuses the change.
#[test]
fn a_governor_with_a_timelock() {
    let scene = Scene::new();
    let votes = scene.deploy("OneVote", &[]);
    let none: Vec<Address> = Vec::new();
    let timelock = scene.deploy("Timelock", &(U256::from(86_400), none.clone(), none).abi_encode_params());
    let governor = scene.deploy("Queued", &(COUNCIL, votes, timelock).abi_encode_params());
    scene.enrich(timelock);
    for role in ["PROPOSER_ROLE", "CANCELLER_ROLE"] {
        scene.act(timelock, timelock, &grantRoleCall { role: keccak256(role), account: governor });
    }
    let (targets, values, calldatas) =
        (vec![somebody(1)], vec![U256::ZERO], vec![Bytes::from(hex!("8456cb59"))]);
    let description = keccak256("pause it");
    let propose = proposeCall {
        targets: targets.clone(),
        values: values.clone(),
        calldatas: calldatas.clone(),
        description: "pause it".into(),
    };
    scene.anvil.mine(1);
    scene.act(STRANGER, governor, &propose);
    scene.anvil.mine(1);
    let id = hashProposalCall {
        targets: targets.clone(),
        values: values.clone(),
        calldatas: calldatas.clone(),
        description,
    };
    let proposal = scene.anvil.view(governor, &id);
    scene.act(STRANGER, governor, &castVoteCall { proposal, support: 1 });
    scene.anvil.mine(6);
    scene.act(STRANGER, governor, &queueCall { targets, values, calldatas, description });
    let veto = args([
        ("governor", text(governor)),
        ("targets", format!("[{}]", somebody(1))),
        ("values", "[0]".into()),
        ("calldatas", "[0x8456cb59]".into()),
        ("description_hash", text(description)),
        ("timelock", text(timelock)),
    ]);
    scene.life("pause/oz-governor-cancel", &veto, COUNCIL);
}

#[test]
fn upgrades() {
    let scene = Scene::new();
    let logic = ["Logic1", "Logic2"].map(|name| scene.deploy(name, &[]));
    let [was_hash, new_hash] = logic.map(|at| text(keccak256(scene.anvil.code(at))));
    let codes = || {
        args([
            ("was", text(logic[0])),
            ("was_code_hash", was_hash.clone()),
            ("implementation", text(logic[1])),
            ("code_hash", new_hash.clone()),
        ])
    };
    let initialise: Bytes = initialiseCall { first: COUNCIL }.abi_encode().into();
    let proxy = scene.deploy("Proxied", &(logic[0], initialise.clone()).abi_encode_params());
    let mut uups = codes();
    uups.insert("proxy".into(), text(proxy));
    let mut other = uups.clone();
    other.insert("code_hash".into(), text(B256::repeat_byte(1)));
    assert!(scene.refused("param/oz-uups-upgrade", COUNCIL, &other).contains("code hash is"));
    scene.life("param/oz-uups-upgrade", &uups, COUNCIL);

    let proxy = scene.deploy("Transparent", &(logic[0], COUNCIL, initialise).abi_encode_params());
    let slot = b256!("b53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103");
    let admin = Address::from_word(scene.anvil.storage(proxy, slot));
    let mut transparent = codes();
    transparent.extend(args([("proxy", text(proxy)), ("admin", text(admin))]));
    scene.life("param/oz-proxy-admin-upgrade", &transparent, COUNCIL);

    let beacon = scene.deploy("Beacon", &(logic[0], COUNCIL).abi_encode_params());
    let mut all = codes();
    all.insert("beacon".into(), text(beacon));
    scene.life("param/oz-beacon-upgrade", &all, COUNCIL);
}
