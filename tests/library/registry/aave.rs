//! Aave v3, compiled from its source.

use std::fs;

use super::*;
use crate::stage::{Desk, Run};

sol! {
    struct InitReserveInput {
        address aTokenImpl;
        address variableDebtTokenImpl;
        address underlyingAsset;
        string aTokenName;
        string aTokenSymbol;
        string variableDebtTokenName;
        string variableDebtTokenSymbol;
        bytes params;
        bytes interestRateData;
    }
    function setACLAdmin(address admin) external;
    function setACLManager(address manager) external;
    function setPriceOracle(address oracle) external;
    function setPoolImpl(address pool) external;
    function getPool() external view returns (address);
    function setPoolConfiguratorImpl(address configurator) external;
    function getPoolConfigurator() external view returns (address);
    function initReserves(InitReserveInput[] input) external;
    function configureReserveAsCollateral(address asset, uint256 ltv, uint256 threshold, uint256 bonus) external;
    function setEModeCategory(uint8 id, uint16 ltv, uint16 threshold, uint16 bonus, string label) external;
    function setAssetCollateralInEMode(address asset, uint8 id, bool collateral) external;
    function getEModeCategoryLtvzeroBitmap(uint8 id) external view returns (uint128);
    function setSupplyCap(address asset, uint256 cap) external;
    function addPoolAdmin(address admin) external;
    function addEmergencyAdmin(address admin) external;
    function grantRole(bytes32 role, address account) external;
    function getReserveConfigurationData(address asset) external view returns (uint256 decimals, uint256 ltv);
}

struct Market {
    pool: Address,
    configurator: Address,
    data_provider: Address,
    acl: Address,
    oracle: Address,
    assets: [Address; 2],
}

/// Two reserves; `ADMIN` rules, and the council is nothing yet.
const ADMIN: Address = Address::repeat_byte(0xad);

fn market(scene: &Scene) -> Market {
    scene.enrich(ADMIN);
    let zero = Address::ZERO;
    let provider = scene.deploy("registry/PoolAddressesProvider", &("market", ADMIN).abi_encode_params());
    scene.act(ADMIN, provider, &setACLAdminCall { admin: ADMIN });
    let acl = scene.deploy("registry/ACLManager", &provider.abi_encode());
    scene.act(ADMIN, provider, &setACLManagerCall { manager: acl });
    scene.act(ADMIN, acl, &addPoolAdminCall { admin: ADMIN });
    let none: Vec<Address> = Vec::new();
    let oracle = (provider, none.clone(), none, zero, zero, U256::from(100_000_000)).abi_encode_params();
    let oracle = scene.deploy("registry/AaveOracle", &oracle);
    scene.act(ADMIN, provider, &setPriceOracleCall { oracle });
    let rates = scene.deploy("registry/DefaultReserveInterestRateStrategyV2", &provider.abi_encode());
    let pool = scene.deploy("registry/PoolInstance", &(provider, rates).abi_encode_params());
    scene.act(ADMIN, provider, &setPoolImplCall { pool });
    let pool = scene.anvil.view(provider, &getPoolCall {});
    let configurator = scene.deploy("registry/PoolConfiguratorInstance", &[]);
    scene.act(ADMIN, provider, &setPoolConfiguratorImplCall { configurator });
    let configurator = scene.anvil.view(provider, &getPoolConfiguratorCall {});
    let data_provider = scene.deploy("registry/AaveProtocolDataProvider", &provider.abi_encode());
    let a_token = (pool, zero, somebody(7)).abi_encode_params();
    let a_token = scene.deploy("registry/ATokenInstance", &a_token);
    let debt = scene.deploy("registry/VariableDebtTokenInstance", &(pool, zero).abi_encode_params());
    let assets = [0, 1].map(|_| scene.deploy("Token", &(ADMIN, U256::from(1)).abi_encode_params()));
    let reserve = |asset: Address| InitReserveInput {
        aTokenImpl: a_token,
        variableDebtTokenImpl: debt,
        underlyingAsset: asset,
        aTokenName: "a".into(),
        aTokenSymbol: "a".into(),
        variableDebtTokenName: "d".into(),
        variableDebtTokenSymbol: "d".into(),
        params: Bytes::new(),
        interestRateData: (U256::from(9000), U256::ZERO, U256::from(400), U256::from(6000))
            .abi_encode_params()
            .into(),
    };
    scene.act(ADMIN, configurator, &initReservesCall { input: assets.map(reserve).to_vec() });
    for asset in assets {
        let collateral = configureReserveAsCollateralCall {
            asset,
            ltv: U256::from(7500),
            threshold: U256::from(8000),
            bonus: U256::from(10_500),
        };
        scene.act(ADMIN, configurator, &collateral);
        scene.act(ADMIN, configurator, &setSupplyCapCall { asset, cap: U256::from(1_000_000) });
    }
    Market { pool, configurator, data_provider, acl, oracle, assets }
}

#[test]
fn aave_v3() {
    let scene = Scene::new();
    let market = market(&scene);
    let parts = || {
        args([
            ("configurator", text(market.configurator)),
            ("data_provider", text(market.data_provider)),
            ("pool", text(market.pool)),
            ("asset", text(market.assets[0])),
        ])
    };
    // An emergency admin: pauses and freezes.
    scene.act(ADMIN, market.acl, &addEmergencyAdminCall { admin: COUNCIL });
    scene.life("pause/aave-v3-reserve", &parts(), COUNCIL);
    let mut whole = parts();
    whole.remove("asset");
    whole.extend(args([("first", text(market.assets[0])), ("last", text(market.assets[1]))]));
    scene.life("pause/aave-v3-pool", &whole, COUNCIL);
    let mut frozen = parts();
    frozen.insert("ltv".into(), "75 %".into());
    // In one eMode the asset is collateral: the freeze takes its loan-to-value there too, and the undo gives it back.
    let emode =
        setEModeCategoryCall { id: 1, ltv: 9000, threshold: 9300, bonus: 10_200, label: "stable".into() };
    scene.act(ADMIN, market.configurator, &emode);
    let collateral = setAssetCollateralInEModeCall { asset: market.assets[0], id: 1, collateral: true };
    scene.act(ADMIN, market.configurator, &collateral);
    frozen.insert("last_emode".into(), "3".into());
    scene.life("pause/aave-v3-freeze", &frozen, COUNCIL);
    let zeroed = getEModeCategoryLtvzeroBitmapCall { id: 1 };
    assert_eq!(scene.anvil.view(market.pool, &zeroed), 0);
    // A loan-to-value that moved since the council file was written stops no freeze.
    scene.aside(|| {
        frozen.insert("ltv".into(), "74 %".into());
        scene.proven("pause/aave-v3-freeze", COUNCIL, &frozen);
        assert_eq!(scene.anvil.view(market.pool, &zeroed), 1);
    });
    // A pool admin pauses too, without being an emergency admin.
    scene.aside(|| scene.proven("pause/aave-v3-reserve", ADMIN, &parts()));
    // A grace period that the market does not allow is said before anybody signs.
    scene.aside(|| {
        scene.proven("pause/aave-v3-reserve", COUNCIL, &parts());
        let mut back = parts();
        back.insert("grace".into(), "5 hours".into());
        let why = scene.refused("pause/aave-v3-reserve-undo", COUNCIL, &back);
        assert!(why.contains("above the maximum"), "{why}");
    });

    let mut cap = parts();
    cap.extend(args([("cap", "1".into()), ("was", "1000000".into())]));
    scene.refused("param/aave-v3-supply-cap", COUNCIL, &cap);
    scene.act(ADMIN, market.acl, &addPoolAdminCall { admin: COUNCIL });
    scene.life("param/aave-v3-supply-cap", &cap, COUNCIL);
    cap.insert("cap".into(), "0".into());
    let why = scene.refused("param/aave-v3-supply-cap", COUNCIL, &cap);
    assert_eq!(why, "cap=0: zero means unlimited here: write cap=unlimited if you mean that");

    let feeds = [0, 1].map(|_| scene.deploy("Feed", &[]));
    let given = |feed: Address, was: Address, least: &str| {
        args([
            ("oracle", text(market.oracle)),
            ("asset", text(market.assets[0])),
            ("feed", text(feed)),
            ("was", text(was)),
            ("least", least.into()),
            ("most", "110000000".into()),
        ])
    };
    let why = scene.refused("param/aave-v3-oracle", COUNCIL, &given(feeds[0], Address::ZERO, "100000001"));
    assert!(why.contains("latestAnswer() is 100000000; expected: is at least 100000001"), "{why}");
    scene.proven("param/aave-v3-oracle", COUNCIL, &given(feeds[0], Address::ZERO, "90000000"));
    scene.life("param/aave-v3-oracle", &given(feeds[1], feeds[0], "90000000"), COUNCIL);

    scene.act(ADMIN, market.acl, &grantRoleCall { role: B256::ZERO, account: COUNCIL });
    let admins = args([("acl", text(market.acl)), ("old", text(COUNCIL)), ("new", text(somebody(7)))]);
    scene.life("rotate/aave-v3-emergency-admin", &admins, COUNCIL);
}

/// Two owners of the council's Safe, each at a desk of their own.
fn desks(scene: &Scene, market: &Market) -> [Desk; 2] {
    let [alice, bob, carol] = [0, 1, 2].map(|n| key(n).address);
    let second = scene.second_url();
    let council = format!(
        "schema = 1\nname = \"Market\"\n\n[chains.anvil]\nid = {}\nrpc = [{:?}, {second:?}]\n\n\
         [safes.guardian]\nchain = \"anvil\"\naddress = \"{COUNCIL}\"\nversion = \"1.4.1\"\n\
         owners = [\"alice\", \"bob\", \"carol\"]\nthreshold = 2\n\n[signers.alice]\naddress = \"{alice}\"\n\n\
         [signers.bob]\naddress = \"{bob}\"\n\n[signers.carol]\naddress = \"{carol}\"\n\n\
         [levers.freeze]\nplaybook = \"pause/aave-v3-freeze\"\nsafe = \"guardian\"\nset = {{ configurator = \"{}\", \
         data_provider = \"{}\", pool = \"{}\", asset = \"{}\", ltv = \"7500\", last_emode = \"0\" }}\n",
        scene.anvil.chain_id,
        scene.anvil.url(),
        market.configurator,
        market.data_provider,
        market.pool,
        market.assets[0],
    );
    [("alice", 0), ("bob", 1)].map(|(name, n)| Desk::new(name, key(n), &council))
}

fn with_key(desk: &Desk, words: &[&str]) -> Run {
    let (keystore, password) = (desk.keystore(), desk.password_file());
    let key = ["--keystore", keystore.to_str().unwrap(), "--password-file", password.to_str().unwrap()];
    desk.run(&[words, &key].concat())
}

/// The council file has a loan-to-value of 75 %, and governance has moved it to 74 %. The freeze still works, and the
/// undo restores the value that this machine read when the freeze was proven, or one that a person gives.
#[test]
fn an_outdated_council_file_does_not_stop_a_freeze_and_its_values_are_not_restored() {
    let scene = Scene::new();
    let market = market(&scene);
    scene.act(ADMIN, market.acl, &addEmergencyAdminCall { admin: COUNCIL });
    let moved = configureReserveAsCollateralCall {
        asset: market.assets[0],
        ltv: U256::from(7400),
        threshold: U256::from(8000),
        bonus: U256::from(10_500),
    };
    scene.act(ADMIN, market.configurator, &moved);
    let ltv = || {
        let view = getReserveConfigurationDataCall { asset: market.assets[0] };
        scene.anvil.view(market.data_provider, &view).ltv
    };
    let [alice, bob] = desks(&scene, &market);
    let carry_out = |words: &[&str]| {
        let bobs = with_key(&bob, &[&["sign"], words, &["--yes"]].concat()).ended(0).stdout;
        with_key(&alice, &[&["sign"], words, &["--yes"]].concat()).ended(0);
        let chat = alice.path("chat.txt");
        fs::write(&chat, bobs).unwrap();
        alice.run(&[&["import", words[0], chat.to_str().unwrap()], &words[1..]].concat()).ended(0);
        with_key(&alice, &[&["broadcast"], words, &["--confirm", "guardian"]].concat()).ended(0)
    };
    let checked = bob.run(&["council", "check", "--offline"]).ended(0);
    checked.says("warning: ltv = \"7500\" is ignored: the act reads it from the chain");
    carry_out(&["freeze"]).says("done and proven");
    assert_eq!(ltv(), U256::ZERO);

    // Bob has proven nothing at his desk: he is told what his file says, that it is not used, and what to give.
    let asked = bob.run(&["undo", "freeze"]).ended(2).says("give --set ltv=…");
    asked.says("not used: ltv = \"7500\" of lever freeze");
    // Another desk can read it while its node is still one block behind.
    bob.run(&["status", "freeze"]).ended(0).says("done and proven");
    bob.run(&["undo", "freeze"]).ended(0).says("brings back ltv = 74 %");
    // Alice sent it: she gives bob the value with the words that name the undo.
    let undone = alice.run(&["--json", "undo", "freeze"]).ended(0);
    let undone = undone.says("brings back ltv = 74 %, read before block");
    let proposal = alice.path(undone.json()["proposal"].as_str().unwrap());
    let text = fs::read_to_string(proposal).unwrap();
    assert!(text.contains("\"ltv\": \"74 %\""), "{text}");
    carry_out(&["freeze", "--undo"]).says("done and proven");
    assert_eq!(ltv(), U256::from(7400));
    alice.run(&["undo", "freeze"]).ended(0).says("already done");
}
