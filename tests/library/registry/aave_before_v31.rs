//! Aave v3 before 3.1, which forks still run: as its npm package has it compiled.

use super::*;

sol! {
    struct InitReserveInput {
        address aTokenImpl;
        address stableDebtTokenImpl;
        address variableDebtTokenImpl;
        uint8 underlyingAssetDecimals;
        address interestRateStrategyAddress;
        address underlyingAsset;
        address treasury;
        address incentivesController;
        string aTokenName;
        string aTokenSymbol;
        string variableDebtTokenName;
        string variableDebtTokenSymbol;
        string stableDebtTokenName;
        string stableDebtTokenSymbol;
        bytes params;
    }
    function setACLAdmin(address admin) external;
    function setACLManager(address manager) external;
    function setPoolImpl(address pool) external;
    function getPool() external view returns (address);
    function setPoolConfiguratorImpl(address configurator) external;
    function getPoolConfigurator() external view returns (address);
    function initReserves(InitReserveInput[] input) external;
    function configureReserveAsCollateral(address asset, uint256 ltv, uint256 threshold, uint256 bonus) external;
    function addPoolAdmin(address admin) external;
    function addRiskAdmin(address admin) external;
    function addEmergencyAdmin(address admin) external;
    function getReserveConfigurationData(address asset) external view returns (uint256 decimals, uint256 ltv);
}

const ADMIN: Address = Address::repeat_byte(0xad);

#[test]
fn aave_v3_before_v31() {
    let scene = Scene::new();
    scene.enrich(ADMIN);
    let zero = Address::ZERO;
    let deploy = |path: &str, args: &[u8]| {
        let name = path.rsplit('/').next().unwrap();
        scene.deploy(&format!("npm/@aave/core-v3@1.19.3/artifacts/contracts/{path}.sol/{name}"), args)
    };
    let configuration = ("market", ADMIN).abi_encode_params();
    let provider = deploy("protocol/configuration/PoolAddressesProvider", &configuration);
    scene.act(ADMIN, provider, &setACLAdminCall { admin: ADMIN });
    let acl = deploy("protocol/configuration/ACLManager", &provider.abi_encode());
    scene.act(ADMIN, provider, &setACLManagerCall { manager: acl });
    scene.act(ADMIN, acl, &addPoolAdminCall { admin: ADMIN });
    let pool = deploy("protocol/pool/Pool", &provider.abi_encode());
    scene.act(ADMIN, provider, &setPoolImplCall { pool });
    let pool = scene.anvil.view(provider, &getPoolCall {});
    let configurator = deploy("protocol/pool/PoolConfigurator", &[]);
    scene.act(ADMIN, provider, &setPoolConfiguratorImplCall { configurator });
    let configurator = scene.anvil.view(provider, &getPoolConfiguratorCall {});
    let data_provider = deploy("misc/AaveProtocolDataProvider", &provider.abi_encode());
    let [a_token, stable, variable] = ["AToken", "StableDebtToken", "VariableDebtToken"]
        .map(|name| deploy(&format!("protocol/tokenization/{name}"), &pool.abi_encode()));
    let assets = [0, 1].map(|_| scene.deploy("Token", &(ADMIN, U256::from(1)).abi_encode_params()));
    let reserve = |asset: Address| InitReserveInput {
        aTokenImpl: a_token,
        stableDebtTokenImpl: stable,
        variableDebtTokenImpl: variable,
        underlyingAssetDecimals: 18,
        interestRateStrategyAddress: somebody(0x77),
        underlyingAsset: asset,
        treasury: somebody(7),
        incentivesController: zero,
        aTokenName: "a".into(),
        aTokenSymbol: "a".into(),
        variableDebtTokenName: "d".into(),
        variableDebtTokenSymbol: "d".into(),
        stableDebtTokenName: "s".into(),
        stableDebtTokenSymbol: "s".into(),
        params: Bytes::new(),
    };
    scene.act(ADMIN, configurator, &initReservesCall { input: assets.map(reserve).to_vec() });
    let collateral = configureReserveAsCollateralCall {
        asset: assets[0],
        ltv: U256::from(7500),
        threshold: U256::from(8000),
        bonus: U256::from(10_500),
    };
    scene.act(ADMIN, configurator, &collateral);
    scene.act(ADMIN, acl, &addEmergencyAdminCall { admin: COUNCIL });

    let parts = args([
        ("configurator", text(configurator)),
        ("data_provider", text(data_provider)),
        ("pool", text(pool)),
    ]);
    let one = [parts.clone(), args([("asset", text(assets[0]))])].into_iter().flatten().collect();
    let ends = args([("first", text(assets[0])), ("last", text(assets[1]))]);
    let whole = [parts, ends].into_iter().flatten().collect();
    scene.life("pause/aave-v3-reserve-before-v31", &one, COUNCIL);
    scene.life("pause/aave-v3-pool-before-v31", &whole, COUNCIL);
    // A playbook for later versions says why it is not for this one.
    scene.aside(|| {
        assert_eq!(scene.pull("pause/aave-v3-reserve", COUNCIL, &one), Ended::Proven);
        let why = scene.refused("pause/aave-v3-reserve-undo", COUNCIL, &one);
        assert!(why.contains("MAX_GRACE_PERIOD() reverted"), "{why}");
        scene.proven("pause/aave-v3-reserve-before-v31-undo", COUNCIL, &one);
    });
    // An emergency admin may not freeze here, and the loan-to-value stays.
    scene.refused("pause/aave-v3-freeze-before-v31", COUNCIL, &one);
    scene.act(ADMIN, acl, &addRiskAdminCall { admin: COUNCIL });
    scene.life("pause/aave-v3-freeze-before-v31", &one, COUNCIL);
    let left = getReserveConfigurationDataCall { asset: assets[0] };
    assert_eq!(scene.anvil.view(data_provider, &left).ltv, U256::from(7500));
}
