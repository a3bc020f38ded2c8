//! Balancer v2, as it was deployed.

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
fn a_window_that_has_passed_is_reported_before_anybody_signs() {
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
