//! The Safe contracts of the npm packages at their published addresses, and Safes behind the real proxy factory.
//!
//! The packages of 1.0.0 and 1.2.0 hold the right source, compiled in another folder than the published code, so
//! that its hash differs: good for asking what a Safe of that version computes, not for code hashes. No package
//! holds the published SignMessageLib 1.3.0 and SafeMigration 1.4.1.

use alloy::primitives::{Address, B256, Bytes, U256, address};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};
use breakglass::safe::SafeVersion::{self, V1_0_0, V1_1_1, V1_2_0, V1_3_0, V1_4_1, V1_5_0};
use breakglass::safe::deployments::{Contract, KNOWN};
use breakglass::safe::{slot, slot_word};
use serde_json::Value;

use super::anvil::Anvil;
use super::artifact::{deploy, npm_bytecode, npm_json};
use super::keys::key;

/// The deterministic deployment proxy that anvil starts with.
const DEPLOYMENT_PROXY: Address = address!("4e59b44847b379578588920cA78FbF26c0B4956C");
/// Safe's own singleton factory: the same code.
const SINGLETON_FACTORY: Address = address!("914d7Fec6aaC8cd542e72Bca78B30650d45643d7");

sol! {
    function createProxyWithNonce(address singleton, bytes initializer, uint256 saltNonce) external returns (address proxy);

    interface Since111 {
        function setup(
            address[] owners, uint256 threshold, address to, bytes data, address fallbackHandler,
            address paymentToken, uint256 payment, address paymentReceiver
        ) external;
    }

    interface In100 {
        function setup(
            address[] owners, uint256 threshold, address to, bytes data,
            address paymentToken, uint256 payment, address paymentReceiver
        ) external;
    }
}

/// A Safe to be.
#[derive(Clone, Debug)]
pub struct SafeSetup {
    pub version: SafeVersion,
    /// Behind the singleton that emits every transaction; from 1.3.0 on.
    pub l2: bool,
    /// In the order of the Safe's list.
    pub owners: Vec<Address>,
    pub threshold: u64,
}

impl SafeSetup {
    /// The first `owners` known keys.
    pub fn new(version: SafeVersion, owners: usize, threshold: u64) -> Self {
        Self { version, l2: false, owners: (0..owners).map(|n| key(n).address).collect(), threshold }
    }
}

/// The first published address of a contract, which is the canonical one.
pub fn published(contract: Contract, version: SafeVersion) -> Address {
    KNOWN
        .iter()
        .find(|d| d.contract == contract && d.version == version)
        .unwrap_or_else(|| panic!("no {contract:?} {version}"))
        .address
}

/// Deploys every contract of a version that a package holds; a second time it does nothing.
pub fn deploy_contracts(anvil: &Anvil, version: SafeVersion) {
    match version {
        V1_0_0 | V1_1_1 | V1_2_0 => place_old_contracts(anvil, version),
        V1_3_0 => {
            deploy_through(anvil, DEPLOYMENT_PROXY, version);
            // Where a chain demands EIP-155 the same code came through Safe's own factory.
            deploy_through(anvil, SINGLETON_FACTORY, version);
        }
        V1_4_1 | V1_5_0 => deploy_through(anvil, SINGLETON_FACTORY, version),
    }
}

/// Deploys a Safe with its version's fallback handler. Two Safes of one setup get two addresses.
pub fn deploy_safe(anvil: &Anvil, setup: &SafeSetup) -> Address {
    deploy_contracts(anvil, setup.version);
    let contract = if setup.l2 { Contract::SingletonL2 } else { Contract::Singleton };
    let create = createProxyWithNonceCall {
        singleton: published(contract, setup.version),
        initializer: setup_call(setup),
        saltNonce: U256::from(anvil.block_number()),
    };
    let factory = proxy_factory(setup.version);
    let safe = anvil.view(factory, &create);
    anvil.send(key(9).address, factory, &create.abi_encode().into(), U256::ZERO);
    assert!(!anvil.code(safe).is_empty(), "no Safe at {safe}");
    safe
}

/// Puts such a Safe where an address of the test's own choice is.
pub fn place_safe(anvil: &Anvil, at: Address, setup: &SafeSetup) {
    let proxy = deploy_safe(anvil, setup);
    anvil.set_code(at, &anvil.code(proxy));
    anvil.set_storage(at, slot_word(slot::SINGLETON), anvil.storage(proxy, slot_word(slot::SINGLETON)));
    anvil.send(key(9).address, at, &setup_call(setup), U256::ZERO);
}

fn setup_call(setup: &SafeSetup) -> Bytes {
    let (owners, threshold) = (setup.owners.clone(), U256::from(setup.threshold));
    let (zero, data, payment) = (Address::ZERO, Bytes::new(), U256::ZERO);
    if setup.version == V1_0_0 {
        let call = In100::setupCall {
            owners,
            threshold,
            to: zero,
            data,
            paymentToken: zero,
            payment,
            paymentReceiver: zero,
        };
        return call.abi_encode().into();
    }
    let handler = published(Contract::FallbackHandler, own_release(setup.version));
    let call = Since111::setupCall {
        owners,
        threshold,
        to: zero,
        data,
        fallbackHandler: handler,
        paymentToken: zero,
        payment,
        paymentReceiver: zero,
    };
    call.abi_encode().into()
}

/// 1.2.0 was a new singleton only: its handler and factory are those of 1.1.1.
fn own_release(version: SafeVersion) -> SafeVersion {
    if version == V1_2_0 { V1_1_1 } else { version }
}

fn proxy_factory(version: SafeVersion) -> Address {
    let name = if version < V1_4_1 { "proxy_factory" } else { "safe_proxy_factory" };
    let release = own_release(version);
    let path = format!("@safe-global/safe-deployments/dist/assets/v{release}/{name}.json");
    let deployment: Value = npm_json(&path);
    deployment["deployments"]["canonical"]["address"].as_str().unwrap().parse().unwrap()
}

/// CREATE2 with salt 0, as the contracts were deployed on every chain.
fn deploy_through(anvil: &Anvil, factory: Address, version: SafeVersion) {
    if anvil.code(factory).is_empty() {
        anvil.set_code(factory, &anvil.code(DEPLOYMENT_PROXY));
    }
    let salt = B256::ZERO;
    for creation in creations(version) {
        if anvil.code(factory.create2_from_code(salt, &creation)).is_empty() {
            let data = [salt.as_slice(), &creation].concat().into();
            anvil.send(key(9).address, factory, &data, U256::ZERO);
        }
    }
}

/// The creation code, constructor arguments included, of every contract that the package of a version holds.
fn creations(version: SafeVersion) -> Vec<Bytes> {
    let (package, artifacts): (&str, &[&str]) = match version {
        V1_3_0 => (
            "@gnosis.pm/safe-contracts",
            &[
                "GnosisSafe.sol/GnosisSafe",
                "GnosisSafeL2.sol/GnosisSafeL2",
                "proxies/GnosisSafeProxyFactory.sol/GnosisSafeProxyFactory",
            ],
        ),
        V1_4_1 => (
            "@safe-global/safe-contracts",
            &[
                "Safe.sol/Safe",
                "SafeL2.sol/SafeL2",
                "proxies/SafeProxyFactory.sol/SafeProxyFactory",
                "libraries/SignMessageLib.sol/SignMessageLib",
            ],
        ),
        _ => (
            "@safe-global/safe-smart-account",
            &[
                "Safe.sol/Safe",
                "SafeL2.sol/SafeL2",
                "proxies/SafeProxyFactory.sol/SafeProxyFactory",
                "libraries/SignMessageLib.sol/SignMessageLib",
                "handler/ExtensibleFallbackHandler.sol/ExtensibleFallbackHandler",
                "handler/TokenCallbackHandler.sol/TokenCallbackHandler",
            ],
        ),
    };
    let shared = [
        "libraries/MultiSend.sol/MultiSend",
        "libraries/MultiSendCallOnly.sol/MultiSendCallOnly",
        "handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler",
        "accessors/SimulateTxAccessor.sol/SimulateTxAccessor",
    ];
    let code = |artifact: &str| npm_bytecode(&format!("{package}/build/artifacts/contracts/{artifact}.json"));
    let mut all: Vec<Bytes> = artifacts.iter().chain(&shared).map(|artifact| code(artifact)).collect();
    if version == V1_5_0 {
        let known = [Contract::Singleton, Contract::SingletonL2, Contract::FallbackHandler];
        let args = known.map(|contract| published(contract, version)).abi_encode();
        let migration = code("libraries/SafeMigration.sol/SafeMigration");
        all.push([migration.as_ref(), &args].concat().into());
    }
    all
}

/// Below 1.3.0 nothing was deployed by CREATE2: the code is made once and put where it was published.
fn place_old_contracts(anvil: &Anvil, version: SafeVersion) {
    let place = |at: Address, release: SafeVersion, artifact: &str| {
        if anvil.code(at).is_empty() {
            let package = format!("npm/@gnosis.pm/safe-contracts@{release}/build/contracts");
            let made = deploy(anvil, &format!("{package}/{artifact}"), &[]);
            anvil.set_code(at, &anvil.code(made));
        }
    };
    let singleton = published(Contract::Singleton, version);
    place(singleton, version, "GnosisSafe");
    if version >= V1_1_1 {
        // Its constructor takes the singleton out of use.
        anvil.set_storage(singleton, slot_word(slot::THRESHOLD), B256::with_last_byte(1));
        place(published(Contract::FallbackHandler, V1_1_1), V1_1_1, "DefaultCallbackHandler");
    }
    place(proxy_factory(version), own_release(version), "ProxyFactory");
}
