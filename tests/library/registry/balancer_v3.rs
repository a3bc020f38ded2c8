//! Balancer v3: its Vault, compiled from source with an optimiser that leaves it too large for a chain's own limit.

use super::*;
use crate::stage::Anvil;

sol! {
    struct TokenConfig {
        address token;
        uint8 tokenType;
        address rateProvider;
        bool paysYieldFees;
    }
    struct PoolRoleAccounts {
        address pauseManager;
        address swapFeeManager;
        address poolCreator;
    }
    struct LiquidityManagement {
        bool disableUnbalancedLiquidity;
        bool enableAddLiquidityCustom;
        bool enableRemoveLiquidityCustom;
        bool enableDonation;
    }
    function registerPool(
        address pool, TokenConfig[] tokens, uint256 swapFee, uint32 pauseWindowEndTime, bool exempt,
        PoolRoleAccounts roles, address hooks, LiquidityManagement liquidity
    ) external;
    function getActionId(bytes4 selector) external view returns (bytes32);
    function grantRole(bytes32 role, address account) external;
    function areBuffersPaused() external view returns (bool);
}

/// The Vault, with a window of a day and a buffer of another, and a pool of it; the council may pause both.
fn vault_and_pool(scene: &Scene) -> [Address; 2] {
    let admin = key(9).address;
    let authorizer =
        "npm/@balancer-labs/v2-deployments@3.2.0/dist/tasks/20210418-authorizer/artifact/Authorizer";
    let authorizer = scene.deploy(authorizer, &admin.abi_encode());
    let tokens = [0, 1].map(|_| scene.deploy("Token", &(admin, U256::from(1)).abi_encode_params()));
    let pool = scene.deploy("registry/QuietPool", &[]);
    // Its parts name the Vault before it is there.
    let nonce = scene.anvil.rpc("eth_getTransactionCount", &serde_json::json!([admin, "latest"]));
    let nonce: u64 = serde_json::from_value::<U256>(nonce).unwrap().to();
    let vault = admin.create(nonce + 3);
    let (day, zero) = (U256::from(DAY), U256::ZERO);
    let parts = scene.deploy("registry/VaultAdmin", &(vault, day, day, zero, zero).abi_encode_params());
    let parts = scene.deploy("registry/VaultExtension", &(vault, parts).abi_encode_params());
    let fees = scene.deploy("registry/ProtocolFeeController", &(vault, zero, zero).abi_encode_params());
    let deployed = scene.deploy("registry/Vault", &(parts, authorizer, fees).abi_encode_params());
    assert_eq!(deployed, vault);
    for signature in [
        "pauseVault()",
        "unpauseVault()",
        "pauseVaultBuffers()",
        "unpauseVaultBuffers()",
        "enableRecoveryMode(address)",
        "disableRecoveryMode(address)",
    ] {
        let selector: [u8; 4] = keccak256(signature)[..4].try_into().unwrap();
        let role = scene.anvil.view(vault, &getActionIdCall { selector: selector.into() });
        scene.act(admin, authorizer, &grantRoleCall { role, account: COUNCIL });
    }
    let mut tokens = tokens.map(|token| TokenConfig {
        token,
        tokenType: 0,
        rateProvider: Address::ZERO,
        paysYieldFees: false,
    });
    tokens.sort_by_key(|config| config.token);
    let register = registerPoolCall {
        pool,
        tokens: tokens.to_vec(),
        swapFee: U256::from(10).pow(U256::from(16)),
        pauseWindowEndTime: u32::try_from(scene.now() + DAY).unwrap(),
        exempt: false,
        roles: PoolRoleAccounts {
            pauseManager: COUNCIL,
            swapFeeManager: Address::ZERO,
            poolCreator: Address::ZERO,
        },
        hooks: Address::ZERO,
        liquidity: LiquidityManagement {
            disableUnbalancedLiquidity: false,
            enableAddLiquidityCustom: false,
            enableRemoveLiquidityCustom: false,
            enableDonation: false,
        },
    };
    scene.act(admin, vault, &register);
    [vault, pool]
}

fn scene() -> Scene {
    Scene::on(Anvil::with_args(31_337, &["--code-size-limit", "40000"]))
}

#[test]
fn balancer_v3() {
    let scene = scene();
    let [vault, pool] = vault_and_pool(&scene);
    let whole = args([("vault", text(vault))]);
    scene.life("pause/balancer-v3-vault", &whole, COUNCIL);
    scene.life("pause/balancer-v3-buffers", &whole, COUNCIL);
    let one = args([("vault", text(vault)), ("pool", text(pool))]);
    scene.life("pause/balancer-v3-pool", &one, COUNCIL);
    scene.life("pause/balancer-v3-recovery", &one, COUNCIL);
}

#[test]
fn a_window_that_has_passed_is_reported_before_anybody_signs() {
    let scene = scene();
    let [vault, pool] = vault_and_pool(&scene);
    let whole = args([("vault", text(vault))]);
    scene.proven("pause/balancer-v3-vault", COUNCIL, &whole);
    scene.pass(DAY + 1);
    let why = scene.refused(
        "pause/balancer-v3-pool",
        COUNCIL,
        &args([("vault", text(vault)), ("pool", text(pool))]),
    );
    assert!(why.contains("the block's time is "), "{why}");
    scene.aside(|| {
        scene.proven("pause/balancer-v3-vault-undo", COUNCIL, &whole);
        let why = scene.refused("pause/balancer-v3-vault", COUNCIL, &whole);
        assert!(why.contains("the block's time is "), "{why}");
        scene.proven("pause/balancer-v3-buffers", COUNCIL, &whole);
    });
    // After the buffer the Vault is unpaused by itself, and the buffers are not: the undo still does that much.
    scene.pass(DAY);
    assert!(scene.anvil.view(vault, &areBuffersPausedCall {}));
    scene.proven("pause/balancer-v3-vault-undo", COUNCIL, &whole);
    assert!(!scene.anvil.view(vault, &areBuffersPausedCall {}));
}
