//! The Safe room against the Safe contracts themselves: addresses and code, hashes, signatures, slots, events.
//!
//! Code, not memory, is the authority: every version runs on a local chain and is asked.

#![allow(clippy::unwrap_used, reason = "a test that cannot ask has failed")]

mod nested;
#[path = "../stage/mod.rs"]
mod stage;
#[path = "../stage/tests.rs"]
mod stage_tests;

use std::collections::BTreeSet;
use std::fs;

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};
use breakglass::safe::SafeVersion::{self, V1_0_0, V1_1_1, V1_3_0, V1_4_1, V1_5_0};
use breakglass::safe::deployments::{Contract, Deployment, KNOWN, batch_contracts, is_proxy_code};
use breakglass::safe::{
    Approval, Call, EcdsaSignature, Execution, Hashes, ISafe, Nonce, Operation, SENTINEL, SafeId, SafeTx,
    approved_hash_slot, encode_approvals, encode_batch, find_execution, published_batch_contract,
    published_chains, slot, slot_word,
};
use serde_json::Value;
use stage::{Anvil, Receipt, SafeSetup, deploy, deploy_contracts, deploy_safe, key, published};

sol! {
    function domainSeparator() external view returns (bytes32);
    function approveHash(bytes32 hashToApprove) external;
    function setGuard(address guard) external;
    function setModuleGuard(address guard) external;
    function enableModule(address module) external;
    function checkSignatures(bytes32 dataHash, bytes data, bytes signatures) external view;
    function checkNSignatures(bytes32 dataHash, bytes data, bytes signatures, uint256 required) external view;

    interface IVault {
        function pause() external;
        function paused() external view returns (bool);
        function setFee(uint256 newFee) external;
        function fee() external view returns (uint256);
    }
}

/// A Safe on a chain of its own.
struct Stand {
    anvil: Anvil,
    safe: Address,
    id: SafeId,
}

impl Stand {
    fn new(setup: &SafeSetup, chain_id: u64) -> Self {
        let anvil = Anvil::with_chain_id(chain_id);
        let safe = deploy_safe(&anvil, setup);
        Self { anvil, safe, id: SafeId { chain_id, address: safe, version: setup.version } }
    }

    fn approve_on_chain(&self, owner: Address, hashes: &Hashes) -> Approval {
        let call = approveHashCall { hashToApprove: *hashes.safe_tx.word() };
        self.anvil.send(owner, self.safe, &call.abi_encode().into(), U256::ZERO);
        Approval::OnChain(owner)
    }

    fn execute(&self, tx: &SafeTx, approvals: &[Approval]) -> Receipt {
        let data = tx.exec_calldata(encode_approvals(approvals));
        self.anvil.try_send(key(9).address, Some(self.safe), &data, U256::ZERO)
    }

    fn slot(&self, slot: B256) -> B256 {
        self.anvil.storage(self.safe, slot)
    }

    /// A call that the Safe makes to itself.
    fn administer(&self, call: &impl SolCall) {
        self.anvil.set_balance(self.safe, U256::from(10).pow(U256::from(18)));
        self.anvil.send(self.safe, self.safe, &call.abi_encode().into(), U256::ZERO);
    }
}

fn ecdsa(n: usize, hashes: &Hashes, version: SafeVersion) -> Approval {
    let bytes = key(n).sign(*hashes.safe_tx.word());
    Approval::Signed(EcdsaSignature::from_safe_bytes(&bytes, &hashes.safe_tx, version).unwrap())
}

fn eth_sign(n: usize, hashes: &Hashes, version: SafeVersion) -> Approval {
    let bytes = key(n).eth_sign(*hashes.safe_tx.word());
    Approval::Signed(EcdsaSignature::from_safe_bytes(&bytes, &hashes.safe_tx, version).unwrap())
}

#[test]
fn known_deployments_are_the_published_ones_and_all_of_them() {
    let assets = "node_modules/@safe-global/safe-deployments/dist/assets";
    let mut listed = BTreeSet::new();
    for folder in fs::read_dir(stage::fixtures().join(assets)).unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let json: Value = serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap();
            let Some(contract) = contract_named(json["contractName"].as_str().unwrap()) else { continue };
            let version: SafeVersion = json["version"].as_str().unwrap().parse().unwrap();
            for kind in ["canonical", "eip155"] {
                let row = &json["deployments"][kind];
                if row.is_null() {
                    continue;
                }
                let address = row["address"].as_str().unwrap().parse().unwrap();
                let code_hash = row["codeHash"].as_str().unwrap().parse().unwrap();
                let published = Deployment { contract, version, address, code_hash };
                assert!(KNOWN.contains(&published), "published and not known: {published:?}");
                listed.insert(address);
            }
        }
    }
    for known in KNOWN {
        assert!(listed.contains(&known.address), "known and not published: {known:?}");
    }
}

/// Compares the addresses on every chain that the package lists; every other chain has none.
#[test]
fn the_batch_contract_of_each_chain_is_the_first_one_published() {
    let assets = "node_modules/@safe-global/safe-deployments/dist/assets";
    for version in [V1_3_0, V1_4_1, V1_5_0] {
        let path = stage::fixtures().join(assets).join(format!("v{version}/multi_send_call_only.json"));
        let json: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let chains = json["networkAddresses"].as_object().unwrap();
        assert!(chains.len() > 100, "{version}: {} chains", chains.len());
        let mut listed = 0;
        for (chain_id, kinds) in chains {
            let kinds = match kinds {
                Value::String(kind) => vec![kind.as_str()],
                several => several.as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect(),
            };
            let first = kinds.into_iter().find(|kind| ["canonical", "eip155"].contains(kind));
            let expected = first.map(|kind| {
                json["deployments"][kind]["address"].as_str().unwrap().parse::<Address>().unwrap()
            });
            let chain_id = chain_id.parse().unwrap();
            let found = published_batch_contract(chain_id, version).map(|d| d.address);
            assert_eq!(found, expected, "{version} on {chain_id}");
            listed += usize::from(found.is_some());
        }
        assert_eq!(listed, published_chains(version), "{version}: a chain is built in that is not published");
    }
}

fn contract_named(name: &str) -> Option<Contract> {
    Some(match name {
        "GnosisSafe" | "Safe" => Contract::Singleton,
        "GnosisSafeL2" | "SafeL2" => Contract::SingletonL2,
        "MultiSendCallOnly" => Contract::MultiSendCallOnly,
        "SafeMigration" => Contract::SafeMigration,
        "SignMessageLib" => Contract::SignMessageLib,
        "SimulateTxAccessor" => Contract::SimulateTxAccessor,
        "DefaultCallbackHandler"
        | "CompatibilityFallbackHandler"
        | "ExtensibleFallbackHandler"
        | "TokenCallbackHandler" => Contract::FallbackHandler,
        _ => return None,
    })
}

/// The packages' bytecode, deployed as it was deployed everywhere, comes to the known addresses with the known code.
#[test]
fn the_packages_deploy_to_the_known_addresses_with_the_known_code() {
    let anvil = Anvil::start();
    for version in [V1_1_1, V1_3_0, V1_4_1, V1_5_0] {
        deploy_contracts(&anvil, version);
        for known in KNOWN.iter().filter(|known| known.version == version) {
            // Published from other source than the package of the version holds.
            let elsewhere = [(V1_3_0, Contract::SignMessageLib), (V1_4_1, Contract::SafeMigration)];
            if elsewhere.contains(&(version, known.contract)) {
                continue;
            }
            assert_eq!(keccak256(anvil.code(known.address)), known.code_hash, "{known:?}");
        }
    }
}

/// Every factory makes proxies of one code; 1.2.0 used that of 1.1.1, and of 1.0.0 no package holds the published one.
#[test]
fn the_factories_make_proxies_of_the_known_code() {
    let anvil = Anvil::start();
    for version in [V1_1_1, V1_3_0, V1_4_1, V1_5_0] {
        let safe = deploy_safe(&anvil, &SafeSetup::new(version, 1, 1));
        assert!(is_proxy_code(keccak256(anvil.code(safe))), "{version}: {}", keccak256(anvil.code(safe)));
    }
}

#[test]
fn every_version_on_chain_computes_our_hashes() {
    for (version, l2) in SafeVersion::ALL.into_iter().flat_map(|v| [(v, false), (v, true)]) {
        if l2 && version < V1_3_0 {
            continue;
        }
        let setup = SafeSetup { l2, ..SafeSetup::new(version, 2, 1) };
        let stand = Stand::new(&setup, 11_155_111);
        assert_eq!(stand.anvil.view(stand.safe, &ISafe::VERSIONCall {}).parse(), Ok(version));
        let separator = stand.anvil.view(stand.safe, &domainSeparatorCall {});
        assert_eq!(separator, *stand.id.domain_hash().word(), "domain of {version}");
        for tx in edge_transactions() {
            let ask = ISafe::getTransactionHashCall {
                to: tx.to,
                value: tx.value,
                data: tx.data.clone(),
                operation: tx.operation.as_u8(),
                safeTxGas: tx.safe_tx_gas,
                baseGas: tx.base_gas,
                gasPrice: tx.gas_price,
                gasToken: tx.gas_token,
                refundReceiver: tx.refund_receiver,
                nonce: tx.nonce.0,
            };
            let hash = stand.anvil.view(stand.safe, &ask);
            assert_eq!(hash, *stand.id.hashes(&tx).safe_tx.word(), "{version} {tx:?}");
        }
    }
}

/// Each field alone at its greatest, then all; data of every length around a word, and long.
fn edge_transactions() -> Vec<SafeTx> {
    let plain = SafeTx::new(key(0).address, U256::ZERO, Bytes::new(), Operation::Call, Nonce::from(0));
    let greatest = Address::repeat_byte(0xff);
    let mut all = vec![
        plain.clone(),
        SafeTx { to: Address::ZERO, ..plain.clone() },
        SafeTx { value: U256::MAX, ..plain.clone() },
        SafeTx { operation: Operation::DelegateCall, ..plain.clone() },
        SafeTx { safe_tx_gas: U256::MAX, ..plain.clone() },
        SafeTx { base_gas: U256::MAX, ..plain.clone() },
        SafeTx { gas_price: U256::MAX, ..plain.clone() },
        SafeTx { gas_token: greatest, ..plain.clone() },
        SafeTx { refund_receiver: greatest, ..plain.clone() },
        SafeTx { nonce: Nonce(U256::MAX), ..plain.clone() },
        SafeTx {
            to: greatest,
            value: U256::MAX,
            data: vec![0xff; 100].into(),
            operation: Operation::DelegateCall,
            safe_tx_gas: U256::MAX - U256::from(1),
            base_gas: U256::MAX - U256::from(2),
            gas_price: U256::MAX - U256::from(3),
            gas_token: key(1).address,
            refund_receiver: key(2).address,
            nonce: Nonce(U256::MAX),
        },
    ];
    let lengths = [1, 4, 31, 32, 33, 36, 10_000];
    all.extend(lengths.map(|length| SafeTx { data: counting(length), ..plain.clone() }));
    all
}

fn counting(length: usize) -> Bytes {
    (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect()
}

/// ECDSA, eth_sign and on-chain approval together, in whatever order they come.
#[test]
fn the_contracts_take_our_signatures_in_any_order() {
    for version in [V1_3_0, V1_4_1, V1_5_0] {
        let stand = Stand::new(&SafeSetup::new(version, 4, 3), 31_337);
        let tx = SafeTx::new(key(5).address, U256::ZERO, counting(40), Operation::Call, Nonce::from(0));
        let hashes = stand.id.hashes(&tx);
        let approvals = [
            ecdsa(0, &hashes, version),
            eth_sign(1, &hashes, version),
            stand.approve_on_chain(key(2).address, &hashes),
        ];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let signatures = encode_approvals(&order.map(|i| approvals[i].clone()));
            assert!(accepts(&stand, &hashes, &signatures, 3), "{version} {order:?}");
        }
        // These questions must be able to end in a no.
        let two = encode_approvals(&approvals[..2]);
        assert!(accepts(&stand, &hashes, &two, 2) && !accepts(&stand, &hashes, &two, 3), "{version}");
        let sorted = encode_approvals(&approvals);
        let unsorted = [&sorted[65..], &sorted[..65]].concat().into();
        assert!(!accepts(&stand, &hashes, &unsorted, 3), "{version} takes any order by itself");
        let stranger =
            encode_approvals(&[approvals[0].clone(), approvals[1].clone(), ecdsa(7, &hashes, version)]);
        assert!(!accepts(&stand, &hashes, &stranger, 3), "{version} takes a stranger");
        let unapproved = [approvals[0].clone(), approvals[1].clone(), Approval::OnChain(key(3).address)];
        assert!(!accepts(&stand, &hashes, &encode_approvals(&unapproved), 3), "{version}");
    }
}

/// `checkNSignatures`, and where all are asked for `checkSignatures` too; both must say the same.
fn accepts(stand: &Stand, hashes: &Hashes, signatures: &Bytes, required: u64) -> bool {
    let (data_hash, signatures) = (*hashes.safe_tx.word(), signatures.clone());
    let ask = |data: Vec<u8>| stand.anvil.try_call(key(9).address, stand.safe, &data.into()).is_ok();
    let n = checkNSignaturesCall {
        dataHash: data_hash,
        data: Bytes::new(),
        signatures: signatures.clone(),
        required: U256::from(required),
    };
    let taken = ask(n.abi_encode());
    if required == 3 {
        let all = checkSignaturesCall { dataHash: data_hash, data: Bytes::new(), signatures };
        assert_eq!(ask(all.abi_encode()), taken, "checkSignatures and checkNSignatures differ");
    }
    taken
}

/// From signature to effect on every version: the call is made, the nonce used, and the event read right.
#[test]
fn every_version_executes_and_its_event_is_read_right() {
    for version in SafeVersion::ALL {
        let stand = Stand::new(&SafeSetup::new(version, 3, 3), 31_337);
        let vault = deploy(&stand.anvil, "Vault", &stand.safe.abi_encode());
        let pause = IVault::pauseCall {}.abi_encode().into();
        let tx = SafeTx::new(vault, U256::ZERO, pause, Operation::Call, Nonce::from(0));
        let receipt = stand.execute(&tx, &approve(&stand, &tx));
        assert!(receipt.succeeded && stand.anvil.view(vault, &IVault::pausedCall {}), "{version}");
        assert_eq!(stand.slot(slot_word(slot::NONCE)), B256::with_last_byte(1), "{version}");
        let hash = stand.id.hashes(&tx).safe_tx;
        let said = find_execution(&receipt.logs, stand.safe, version, &hash);
        assert_eq!(said, (version > V1_0_0).then_some(Execution::Succeeded), "{version}");

        // With safeTxGas every version swallows the failure and uses the nonce.
        let too_high = IVault::setFeeCall { newFee: U256::from(1001) }.abi_encode().into();
        let failing = SafeTx {
            safe_tx_gas: U256::from(100_000),
            ..SafeTx::new(vault, U256::ZERO, too_high, Operation::Call, Nonce::from(1))
        };
        let receipt = stand.execute(&failing, &approve(&stand, &failing));
        let hash = stand.id.hashes(&failing).safe_tx;
        let said = find_execution(&receipt.logs, stand.safe, version, &hash);
        assert_eq!((receipt.succeeded, said), (true, Some(Execution::Failed)), "{version}");
        assert_eq!(stand.slot(slot_word(slot::NONCE)), B256::with_last_byte(2), "{version}");

        // Without it, `can_build` says whether the Safe reverts and keeps the nonce.
        let strict = SafeTx { safe_tx_gas: U256::ZERO, nonce: Nonce::from(2), ..failing };
        let kept = !stand.execute(&strict, &approve(&stand, &strict)).succeeded;
        assert_eq!(kept, version.can_build(), "{version}");
    }
}

/// One approval of each kind that the version takes, by owners 0, 1 and 2.
fn approve(stand: &Stand, tx: &SafeTx) -> [Approval; 3] {
    let (version, hashes) = (stand.id.version, stand.id.hashes(tx));
    let second = if version.takes_eth_sign() { eth_sign } else { ecdsa };
    let third = stand.approve_on_chain(key(2).address, &hashes);
    [third, second(1, &hashes, version), ecdsa(0, &hashes, version)]
}

#[test]
fn a_batch_runs_through_the_known_batch_contract() {
    for version in [V1_3_0, V1_4_1, V1_5_0] {
        let stand = Stand::new(&SafeSetup::new(version, 1, 1), 31_337);
        let vault = deploy(&stand.anvil, "Vault", &stand.safe.abi_encode());
        stand.anvil.set_balance(stand.safe, U256::from(5));
        let payee = Address::repeat_byte(0x77);
        let fee = IVault::setFeeCall { newFee: U256::from(30) }.abi_encode().into();
        let calls = [
            Call { to: vault, value: U256::ZERO, data: IVault::pauseCall {}.abi_encode().into() },
            Call { to: vault, value: U256::ZERO, data: fee },
            Call { to: payee, value: U256::from(5), data: Bytes::new() },
        ];
        let through = batch_contracts(version).next().unwrap().address;
        let data = encode_batch(&calls);
        let tx = SafeTx::new(through, U256::ZERO, data, Operation::DelegateCall, Nonce::from(0));
        let receipt = stand.execute(&tx, &[ecdsa(0, &stand.id.hashes(&tx), version)]);
        assert!(receipt.succeeded && stand.anvil.view(vault, &IVault::pausedCall {}), "{version}");
        assert_eq!(stand.anvil.view(vault, &IVault::feeCall {}), U256::from(30));
        assert_eq!(stand.anvil.balance(payee), U256::from(5));
    }
}

#[test]
fn slots_are_where_the_contracts_keep_them() {
    for version in SafeVersion::ALL {
        let stand = Stand::new(&SafeSetup::new(version, 3, 2), 31_337);
        let plain = |slot: u8| stand.slot(slot_word(slot));
        assert_eq!(plain(slot::SINGLETON), published(Contract::Singleton, version).into_word());
        assert_eq!(plain(slot::OWNER_COUNT), B256::with_last_byte(3), "{version}");
        assert_eq!(plain(slot::THRESHOLD), B256::with_last_byte(2), "{version}");
        assert_eq!(plain(slot::NONCE), B256::ZERO, "{version}");

        // Both linked lists: what the sentinel points at, the owners' and then the modules'.
        let entry = |map: u8, at: Address| stand.slot(keccak256((at, U256::from(map)).abi_encode()));
        let owners = [SENTINEL, key(0).address, key(1).address, key(2).address, SENTINEL];
        for pair in owners.windows(2) {
            assert_eq!(entry(slot::OWNERS, pair[0]), pair[1].into_word(), "{version}");
        }
        let module = Address::repeat_byte(0x44);
        stand.administer(&enableModuleCall { module });
        assert_eq!(entry(slot::MODULES, SENTINEL), module.into_word(), "{version}");

        let tx = SafeTx::new(module, U256::ZERO, Bytes::new(), Operation::Call, Nonce::from(0));
        let hashes = stand.id.hashes(&tx);
        let at = approved_hash_slot(key(1).address, &hashes.safe_tx);
        assert_eq!(stand.slot(at), B256::ZERO);
        stand.approve_on_chain(key(1).address, &hashes);
        assert_eq!(stand.slot(at), B256::with_last_byte(1), "{version}");
        assert_eq!(stand.slot(approved_hash_slot(key(0).address, &hashes.safe_tx)), B256::ZERO);
    }
}

#[test]
fn the_named_slots_hold_handler_and_guards() {
    for version in SafeVersion::ALL.into_iter().filter(|version| *version >= V1_1_1) {
        let stand = Stand::new(&SafeSetup::new(version, 1, 1), 31_337);
        let handler = stand.slot(slot::FALLBACK_HANDLER);
        assert!(
            KNOWN.iter().any(|d| d.contract == Contract::FallbackHandler && d.address.into_word() == handler)
        );
        let guard = deploy(&stand.anvil, "StoppingGuard", &[]);
        if version >= V1_3_0 {
            stand.administer(&setGuardCall { guard });
            assert_eq!(stand.slot(slot::GUARD), guard.into_word(), "{version}");
        }
        if version >= V1_5_0 {
            stand.administer(&setModuleGuardCall { guard });
            assert_eq!(stand.slot(slot::MODULE_GUARD), guard.into_word(), "{version}");
        }
    }
}
