//! LayerZero: the endpoint, and an OApp of its base contract.

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
