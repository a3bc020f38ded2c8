//! Protocols whose contracts an npm package carries, as source or compiled: the very code, set up as its deployers do.

mod aave;
mod aave_before_v31;
mod arbitrum;
mod balancer;
mod balancer_v3;
mod chainlink;
mod circle;
mod compound_timelock;
mod layer_zero;
mod optimism;
mod pyth;

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
