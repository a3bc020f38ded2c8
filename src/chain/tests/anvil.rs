//! Against a real node and the real Safe contracts.

use std::thread::sleep;
use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, U256, address, keccak256};
use alloy::sol;
use alloy::sol_types::SolCall;
use serde_json::{Value, json};

use super::fake::{chain_of, options};
use crate::anvil_node::Node;
use crate::chain::json_rpc::Request;
use crate::chain::{Ask, CallRequest, Chain, ChainError, Fees, Receipt};
use crate::council::{RpcAddress, SecretUrl};
use crate::evm::{Answer, BlockTag, Query, TxHash};
use crate::safe::tests::artifacts::artifact;
use crate::safe::{SENTINEL, SafeVersion, slot_word};

const ALICE: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
const SINGLETON: Address = Address::repeat_byte(0x51);
const SAFE: Address = Address::repeat_byte(0x5a);

sol! {
    function setup(address[] owners, uint256 threshold, address to, bytes data, address fallbackHandler,
        address paymentToken, uint256 payment, address paymentReceiver);
    function enableModule(address module);
}

struct Anvil {
    /// Ends the process when it is dropped.
    _node: Node,
    url: SecretUrl,
    chain: Chain,
}

impl Anvil {
    fn start(arguments: &[&str]) -> Self {
        let node = Node::start(arguments);
        let url = format!("http://127.0.0.1:{}", node.port);
        let url = RpcAddress::parse(&url).unwrap().resolve(|_| None).unwrap();
        let chain = chain_of(vec![url.clone()], 1, 100);
        Self { _node: node, url, chain }
    }

    /// Just once: `ask` may ask again, and these requests change the node.
    fn rpc(&self, method: &'static str, params: Value) -> Value {
        let reply = self.chain.each(&Request::hint(method, params), |reply| reply).remove(0).1.unwrap();
        serde_json::from_str(reply.unwrap_or_else(|e| panic!("{method}: {e}")).get()).unwrap()
    }

    fn transact(&self, from: Address, to: Address, data: &Bytes) -> TxHash {
        let hash = self.rpc("eth_sendTransaction", json!([{"from": from, "to": to, "data": data}]));
        TxHash::claimed(serde_json::from_value(hash).unwrap())
    }

    /// Mining takes the node a moment.
    fn receipt(&self, tx: TxHash) -> Receipt {
        let poll = || self.chain.receipt(tx).unwrap().ok_or_else(|| sleep(Duration::from_millis(20)));
        std::iter::repeat_with(poll).take(3_000).find_map(Result::ok).unwrap()
    }

    /// A fresh chain: its count of rounds starts from nothing.
    fn fresh(&self) -> Chain {
        chain_of(vec![self.url.clone()], 1, 100)
    }

    /// Puts a proxy and its singleton in place and sets the Safe up with Alice as its owner.
    fn deploy_safe(&self, package: &str, singleton: &str, proxy: &str) {
        let code =
            |contract: &str| artifact(&format!("{package}/build/artifacts/contracts/{contract}")).deployed;
        self.rpc("anvil_setCode", json!([SINGLETON, code(singleton)]));
        self.rpc("anvil_setCode", json!([SAFE, code(proxy)]));
        self.rpc(
            "anvil_setStorageAt",
            json!([SAFE, slot_word(0), B256::left_padding_from(SINGLETON.as_slice())]),
        );
        let owners = vec![ALICE, Address::repeat_byte(0xbb), Address::repeat_byte(0xcc)];
        let setup = setupCall {
            owners,
            threshold: U256::from(2),
            to: Address::ZERO,
            data: Bytes::new(),
            fallbackHandler: Address::repeat_byte(0xfa),
            paymentToken: Address::ZERO,
            payment: U256::ZERO,
            paymentReceiver: Address::ZERO,
        };
        let tx = self.transact(ALICE, SAFE, &setup.abi_encode().into());
        assert!(self.receipt(tx).succeeded);
        // The Safe calls itself to enable a module.
        self.rpc("anvil_impersonateAccount", json!([SAFE]));
        self.rpc("anvil_setBalance", json!([SAFE, "0xde0b6b3a7640000"]));
    }

    fn enable_module(&self, module: Address) {
        let tx = self.transact(SAFE, SAFE, &enableModuleCall { module }.abi_encode().into());
        assert!(self.receipt(tx).succeeded);
    }
}

fn ask() -> Ask<'static> {
    Ask { safe: SAFE, ..Ask::default() }
}

const SAFES: [(&str, &str, &str, SafeVersion); 3] = [
    (
        "@gnosis.pm/safe-contracts",
        "GnosisSafe.sol/GnosisSafe.json",
        "proxies/GnosisSafeProxy.sol/GnosisSafeProxy.json",
        SafeVersion::V1_3_0,
    ),
    (
        "@safe-global/safe-contracts",
        "Safe.sol/Safe.json",
        "proxies/SafeProxy.sol/SafeProxy.json",
        SafeVersion::V1_4_1,
    ),
    (
        "@safe-global/safe-smart-account",
        "Safe.sol/Safe.json",
        "proxies/SafeProxy.sol/SafeProxy.json",
        SafeVersion::V1_5_0,
    ),
];

#[test]
fn a_safe_of_each_version_is_read_in_one_round() {
    for (package, singleton, proxy, version) in SAFES {
        let anvil = Anvil::start(&[]);
        anvil.deploy_safe(package, singleton, proxy);
        anvil.enable_module(Address::repeat_byte(0xd1));
        let query = Query::Storage { address: SAFE, slot: slot_word(4) };
        let chain = anvil.fresh();
        let ask = Ask { queries: std::slice::from_ref(&query), ..ask() };
        let snapshot = chain.snapshot(&ask, BlockTag::Latest).unwrap();
        assert_eq!(chain.rounds(), 1);
        let state = &snapshot.state;
        assert_eq!((state.id.version, state.id.chain_id, state.id.address), (version, 31337, SAFE));
        assert_eq!(state.owners.list(), [ALICE, Address::repeat_byte(0xbb), Address::repeat_byte(0xcc)]);
        assert_eq!(state.owners.threshold().get(), 2);
        assert_eq!((state.nonce.0, state.singleton), (U256::ZERO, SINGLETON));
        assert_eq!((state.guard, state.module_guard), (Address::ZERO, Address::ZERO));
        assert_eq!(state.fallback_handler, Address::repeat_byte(0xfa));
        assert_eq!(state.modules, [Address::repeat_byte(0xd1)]);
        assert_eq!(snapshot.readings.get(&query), Some(&Answer::Value(slot_word(2).into())));

        // That block, pinned, answers alike.
        anvil.rpc("anvil_mine", json!([3]));
        let again = chain.snapshot(&ask, BlockTag::Pinned(snapshot.header.block())).unwrap();
        assert_eq!((&again.state, &again.header), (state, &snapshot.header));
        assert_eq!(
            chain.answers(std::slice::from_ref(&query), &snapshot.header.block()).unwrap(),
            snapshot.readings
        );
    }
}

/// 1.3.0 and 1.4.1 disagree on what the end of a page means: no module may be lost between pages.
#[test]
fn modules_beyond_one_page_are_all_read() {
    for (package, singleton, proxy, _) in SAFES {
        let anvil = Anvil::start(&[]);
        anvil.deploy_safe(package, singleton, proxy);
        let modules: Vec<Address> = (0..120).map(|n| Address::with_last_byte(100 + n)).collect();
        // The linked list as the Safe would have written it: mapping 1, from the sentinel round to the sentinel.
        let ring: Vec<Address> = [&[SENTINEL], modules.as_slice(), &[SENTINEL]].concat();
        for pair in ring.windows(2) {
            let slot = keccak256([pair[0].into_word(), slot_word(1)].concat());
            anvil.rpc("anvil_setStorageAt", json!([SAFE, slot, pair[1].into_word()]));
        }
        let chain = anvil.fresh();
        assert_eq!(chain.snapshot(&ask(), BlockTag::Latest).unwrap().state.modules, modules);
        assert_eq!(chain.rounds(), 3);
    }
}

#[test]
fn a_contract_that_is_not_a_safe_is_named() {
    let anvil = Anvil::start(&[]);
    let error = anvil.chain.snapshot(&ask(), BlockTag::Latest).unwrap_err();
    assert!(matches!(error, ChainError::NoSafe { safe: SAFE, .. }), "{error}");

    let (package, singleton, proxy, _) = SAFES[1];
    anvil.deploy_safe(package, singleton, proxy);
    for (slot, value, why) in [
        (4, B256::ZERO, "threshold 0"),
        (4, B256::repeat_byte(0xff), "threshold 18446744073709551615"),
        (3, slot_word(9), "cannot be an owner"),
    ] {
        let set = |value: B256| anvil.rpc("anvil_setStorageAt", json!([SAFE, slot_word(slot), value]));
        let before = anvil.rpc("eth_getStorageAt", json!([SAFE, slot_word(slot), "latest"]));
        set(value);
        let error = anvil.chain.snapshot(&ask(), BlockTag::Latest).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
        set(serde_json::from_value(before).unwrap());
    }
    // A contract that answers everything with nothing.
    anvil.rpc("anvil_setCode", json!([SAFE, "0x00"]));
    let error = anvil.chain.snapshot(&ask(), BlockTag::Latest).unwrap_err().to_string();
    assert!(error.contains("it has no VERSION()"), "{error}");
}

#[test]
fn a_transaction_is_prepared_sent_and_found() {
    let anvil = Anvil::start(&[]);
    let (package, singleton, proxy, _) = SAFES[1];
    anvil.deploy_safe(package, singleton, proxy);
    let data = Bytes::from_static(&[0xff, 0xa1, 0xad, 0x74]);
    let sending = CallRequest { from: ALICE, to: SAFE, data, approved: vec![B256::ZERO] };
    let chain = anvil.fresh();
    let ask = Ask { sending: Some(&sending), ..ask() };
    let snapshot = chain.snapshot(&ask, BlockTag::Latest).unwrap();
    assert_eq!(chain.rounds(), 1);
    let prepared = snapshot.prepared.unwrap();
    assert_eq!((prepared.nonce, prepared.pending_nonce), (1, 1));
    assert!(prepared.balance > U256::ZERO && prepared.gas.is_some_and(|gas| gas > 21_000));
    let base = u128::from(snapshot.header.base_fee.unwrap());
    assert!(
        matches!(prepared.fees, Fees::Dynamic { max_fee, priority_fee } if max_fee == 2 * base + priority_fee)
    );

    // A transaction that the node signs, then sent again as raw bytes: already known or already mined.
    let unknown = TxHash::claimed(keccak256("unknown"));
    assert_eq!(chain.receipt(unknown), Ok(None));
    let tx = anvil.transact(ALICE, SAFE, &Bytes::new());
    anvil.receipt(tx);
    anvil.rpc("anvil_mine", json!([2]));
    let receipt = chain.receipt(tx).unwrap().unwrap();
    assert_eq!((receipt.tx, receipt.from, receipt.succeeded), (tx, ALICE, true));
    assert_eq!(receipt.logs.len(), 1, "SafeReceived");
    assert_eq!(chain.ask(&[], BlockTag::Number(receipt.block.number)).unwrap().0.block(), receipt.block);
    let raw: Bytes =
        serde_json::from_value(anvil.rpc("eth_getRawTransactionByHash", json!([tx.word()]))).unwrap();
    match chain.send_raw(&raw) {
        Ok(again) => assert_eq!(again, tx),
        Err(ChainError::NotSent { unsure: false, tx: same, .. }) => assert_eq!(same, tx),
        Err(other) => panic!("{other}"),
    }
    let error = chain.send_raw(&[0xc0]).unwrap_err();
    assert!(matches!(error, ChainError::NotSent { unsure: false, .. }), "{error}");
}

/// Two nodes with different histories: no quorum of two, and each is named.
#[test]
fn two_nodes_of_different_chains_never_agree() {
    let (a, b) = (Anvil::start(&["--timestamp", "1700000000"]), Anvil::start(&["--timestamp", "1700000001"]));
    let both = chain_of(vec![a.url.clone(), b.url.clone()], 2, 100);
    let error = both.ask(&[], BlockTag::Latest).unwrap_err().to_string();
    assert!(error.contains("0 of 2 RPCs agree") && error.contains("has another block 0"), "{error}");
    let wrong = Chain::new("local", 1, vec![a.url.clone()], 1, 100, options()).unwrap();
    assert!(matches!(wrong.ask(&[], BlockTag::Latest), Err(ChainError::WrongChain { expected: 1, .. })));
}
