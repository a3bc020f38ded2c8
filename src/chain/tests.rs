//! Faults first: what a chain's endpoints can do wrong, over real sockets. `anvil` holds the tests against a real node.

mod anvil;
mod batches;
pub(crate) mod fake;
mod http;
mod receipts;
mod send;
mod several;
mod votes;

use std::time::Duration;

use alloy::primitives::{Address, Bytes, U256, keccak256};
use serde_json::{Value, json};

use super::json_rpc::{AT, Request};
use super::{Chain, ChainError, EndpointFault, EndpointStatus, Options};
use crate::council::RpcAddress;
use crate::evm::{Answer, BlockTag, Query};
use fake::{Act, KEY, Server, chain, chain_of, good, header, reply, with_balance};

const WHO: Address = Address::repeat_byte(7);
/// Longer than any test may take.
const NEVER: Duration = Duration::from_hours(1);

fn balance() -> Request {
    Request::new("eth_getBalance", json!([WHO, AT]))
}

/// A chain whose requests may take for ever.
fn patient(servers: &[&Server], quorum: usize) -> Chain {
    let options = Options { timeout: NEVER, ..fake::options() };
    let urls = servers.iter().map(|server| server.url()).collect();
    Chain::new("local", 31337, urls, quorum, 100, options).unwrap()
}

/// The balance of [`WHO`] and the block it was read at. No error may ever show the key.
fn read(chain: &Chain) -> Result<(u64, Value), ChainError> {
    let result = chain.ask(&[balance()], BlockTag::Latest);
    let seen = format!(
        "{result:?} {:?} {:?}",
        result.as_ref().map_err(ToString::to_string).err(),
        chain.endpoints()
    );
    assert!(!seen.contains(KEY), "{seen}");
    result.map(|(header, replies)| (header.number, replies[0].clone().unwrap()))
}

fn fault(server: &Server) -> EndpointFault {
    fault_of(&chain(&[server], 1))
}

fn fault_of(chain: &Chain) -> EndpointFault {
    match read(chain) {
        Err(ChainError::NoQuorum { mut faults, .. }) => faults.pop().unwrap().1.unwrap(),
        other => panic!("{other:?}"),
    }
}

fn standings(chain: &Chain) -> Vec<EndpointStatus> {
    chain.endpoints().into_iter().map(|report| report.standing).collect()
}

#[test]
fn one_good_endpoint_takes_one_round() {
    let server = Server::node(good(9));
    let chain = chain(&[&server], 1);
    assert_eq!(read(&chain), Ok((9, json!("0x5"))));
    assert_eq!((chain.rounds(), server.hits()), (1, 1));
    assert_eq!(standings(&chain), [EndpointStatus::Agrees]);
}

#[test]
fn two_that_agree_take_one_round() {
    let (a, b) = (Server::node(good(9)), Server::node(good(9)));
    let chain = chain(&[&a, &b], 2);
    assert_eq!(read(&chain), Ok((9, json!("0x5"))));
    assert_eq!(chain.rounds(), 1);
}

#[test]
fn two_at_different_blocks_take_two_rounds() {
    let (a, b) = (Server::node(good(9)), Server::node(good(8)));
    let chain = chain(&[&a, &b], 2);
    assert_eq!(read(&chain), Ok((8, json!("0x5"))));
    assert_eq!(chain.rounds(), 2);
}

#[test]
fn a_liar_is_outvoted_named_and_not_asked_again() {
    let (a, b, c) = (Server::node(good(9)), Server::node(with_balance(9, 6)), Server::node(good(9)));
    let chain = chain(&[&a, &b, &c], 2);
    assert_eq!(read(&chain), Ok((9, json!("0x5"))));
    let EndpointStatus::Lying(fault) = &standings(&chain)[1] else { panic!("{:?}", chain.endpoints()) };
    assert!(fault.to_string().contains("eth_getBalance"), "{fault}");
    assert_eq!(read(&chain), Ok((9, json!("0x5"))));
    assert_eq!(b.hits(), 1);
    assert!(matches!(standings(&chain)[1], EndpointStatus::Lying(_)));
}

#[test]
fn two_endpoints_that_contradict_each_other_are_refused() {
    let (a, b) = (Server::node(good(9)), Server::node(with_balance(9, 6)));
    let error = read(&chain(&[&a, &b], 2)).unwrap_err().to_string();
    assert!(
        error.contains("0 of 2 RPCs agree and 2 must") && error.contains("differs from another"),
        "{error}"
    );
}

#[test]
fn a_wrong_chain_is_named_with_both_ids() {
    let server = Server::node(|method, params| match method {
        "eth_chainId" => json!({"result": "0x1"}),
        _ => good(9)(method, params),
    });
    let error = read(&chain(&[&server], 1)).unwrap_err();
    assert!(
        matches!(&error, ChainError::WrongChain { expected: 31337, found, .. } if found == "1"),
        "{error}"
    );
}

#[test]
fn a_refused_connection_is_named_and_outvoted() {
    let good = Server::node(good(9));
    let closed = RpcAddress::parse(&format!("http://127.0.0.1:1/{KEY}")).unwrap().resolve(|_| None).unwrap();
    let both = chain_of(vec![closed.clone(), good.url()], 1, 100);
    assert_eq!(read(&both), Ok((9, json!("0x5"))));
    assert!(matches!(&standings(&both)[0], EndpointStatus::Outvoted(EndpointFault::Unreachable(_))));
    let error = read(&chain_of(vec![closed], 1, 100)).unwrap_err().to_string();
    assert!(error.contains("http://127.0.0.1:1/… cannot be reached (Connection refused"), "{error}");
}

#[test]
fn a_silent_endpoint_times_out() {
    let silent = Server::new(|_, _| Act::Late(NEVER, String::new()));
    let options = Options { timeout: Duration::from_secs(1), ..fake::options() };
    let chain = Chain::new("local", 31337, vec![silent.url()], 1, 100, options).unwrap();
    assert_eq!(fault_of(&chain), EndpointFault::TimedOut(1));
}

#[test]
fn a_silent_endpoint_does_not_hold_up_a_quorum() {
    let (a, b) = (Server::node(good(9)), Server::node(good(9)));
    let silent = Server::new(|_, _| Act::Late(NEVER, String::new()));
    let chain = patient(&[&a, &b, &silent], 2);
    assert_eq!(read(&chain), Ok((9, json!("0x5"))));
    assert!(matches!(&standings(&chain)[2], EndpointStatus::Outvoted(_)), "{:?}", standings(&chain));
}

#[test]
fn garbage_is_a_fault_of_its_endpoint() {
    for body in [
        "",
        "no",
        "null",
        "[]",
        "{}",
        "[null]",
        "[{}]",
        r#"{"id":1}"#,
        r#"[{"id":1,"result":1}]"#,
        "\u{feff}[]",
    ] {
        let server = Server::new(move |_, _| Act::Answer { status: 200, headers: "", body: body.into() });
        assert!(matches!(fault(&server), EndpointFault::Garbage(_)), "{body}");
    }
}

/// Every kind of answer, wrong in each of these ways.
#[test]
fn hostile_values_are_faults() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let wrong: Vec<Value> = vec![
        json!(null),
        json!(-1),
        json!(1.5),
        json!("0x-1"),
        json!({}),
        json!([1]),
        json!("0xzz"),
        json!(true),
        json!(format!("0x1{}", "0".repeat(64))),
        json!("😀"),
        serde_json::from_str(&deep[150..250]).unwrap_or(json!([])),
    ];
    for method in ["eth_chainId", "eth_getBalance", "eth_getBlockByNumber", "eth_getCode"] {
        for value in wrong.clone() {
            let shown = format!("{method} {value}");
            let server = Server::node(move |asked, params| match asked {
                _ if asked == method => json!({"result": value}),
                _ => good(9)(asked, params),
            });
            let code = Request::new("eth_getCode", json!([WHO, AT]));
            assert!(chain(&[&server], 1).ask(&[balance(), code], BlockTag::Latest).is_err(), "{shown}");
        }
    }
}

#[test]
fn a_header_with_a_missing_or_impossible_field_is_a_fault() {
    for (field, value) in [
        ("number", json!(null)),
        ("hash", json!("0x12")),
        ("timestamp", json!("0x1ffffffffffffffff")),
        ("gasLimit", json!("-5")),
        ("miner", json!([])),
        ("stateRoot", json!({})),
    ] {
        let server = Server::node(move |method, params| {
            let mut answer = good(9)(method, params);
            if method == "eth_getBlockByNumber" {
                answer["result"][field] = value.clone();
            }
            answer
        });
        assert!(matches!(fault(&server), EndpointFault::Garbage(_)), "{field}");
    }
}

#[test]
fn an_error_for_state_is_the_endpoints_fault() {
    let server = Server::node(|method, params| match method {
        "eth_getBalance" => {
            json!({"error": {"code": -32000, "message": format!("missing trie node {KEY}\u{1b}[2J")}})
        }
        _ => good(9)(method, params),
    });
    let EndpointFault::Refused { method: "eth_getBalance", error } = fault(&server) else { panic!() };
    assert_eq!(error.message, "missing trie node …\\u{1b}[2J");
}

#[test]
fn a_call_that_reverts_is_an_answer_and_hints_may_fail() {
    let server = Server::node(good(9));
    let calls = [
        Request::new("eth_call", json!([{"to": WHO}, AT])),
        Request::hint("eth_gasPrice", json!([])),
        balance(),
    ];
    let (_, replies) = chain(&[&server], 1).ask(&calls, BlockTag::Latest).unwrap();
    assert_eq!(replies[0].as_ref().unwrap_err().reverted(), Some(Bytes::from_static(&[1])));
    assert_eq!(replies[1].as_ref().unwrap_err().code, -32601);
    assert_eq!(replies[2], Ok(json!("0x5")));
}

#[test]
fn two_reverts_agree_whatever_their_messages() {
    let worded = |message: &'static str, code: i64| {
        Server::node(move |method, params| match method {
            "eth_call" => json!({"error": {"code": code, "message": message, "data": "0x01"}}),
            _ => good(9)(method, params),
        })
    };
    let (a, b) = (worded("execution reverted", 3), worded("VM execution error.", -32015));
    let query = Query::Call { from: None, to: WHO, data: Bytes::new() };
    let chain = chain(&[&a, &b], 2);
    let block = chain.ask(&[], BlockTag::Latest).unwrap().0.block();
    let readings = chain.answers(std::slice::from_ref(&query), &block).unwrap();
    assert_eq!(readings.get(&query), Some(&Answer::Reverted(Bytes::from_static(&[1]))));
}

/// One client adds a field to a block, another writes words without leading zeros: neither lies.
#[test]
fn clients_may_differ_in_form() {
    let other = Server::node(|method, params| {
        let mut answer = good(9)(method, params);
        match method {
            "eth_getBlockByNumber" => answer["result"]["totalDifficulty"] = json!("0x1"),
            "eth_getBalance" => answer["result"] = json!("0x0005"),
            _ => {}
        }
        answer
    });
    let plain = Server::node(good(9));
    let chain = chain(&[&plain, &other], 2);
    let block = Request::new("eth_getBlockByNumber", json!(["0x8", false]));
    let (_, replies) = chain.ask(&[block, balance()], BlockTag::Latest).unwrap();
    assert_eq!(replies[0].as_ref().unwrap()["hash"], header(8, 0)["hash"]);
    assert_eq!(standings(&chain), [EndpointStatus::Agrees, EndpointStatus::Agrees]);
}

#[test]
fn a_chain_can_be_shared_with_a_thread_that_shows_progress() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&chain(&[&Server::node(good(9))], 1));
}

/// The head moves while a batch is answered: some answers may be older than others.
#[test]
fn answers_across_two_blocks_are_asked_again_at_one() {
    let server = Server::new(|n, body| {
        let mut answers = reply(body, &good(9));
        if n == 0 {
            let last = answers.as_array_mut().unwrap().first_mut().unwrap();
            last["result"] = header(10, 0);
        }
        Act::ok(&answers)
    });
    let chain = chain(&[&server], 1);
    assert_eq!(read(&chain), Ok((9, json!("0x5"))));
    assert_eq!((chain.rounds(), server.hits()), (2, 2));
}

#[test]
fn ids_that_do_not_match_are_refused() {
    for change in [1, 1 << 40] {
        let server = Server::new(move |_, body| {
            let mut answers = reply(body, &good(9));
            let id = answers[0]["id"].as_u64().unwrap();
            answers[0]["id"] = json!(id ^ change);
            Act::ok(&answers)
        });
        assert!(matches!(fault(&server), EndpointFault::Garbage(_)));
    }
}

#[test]
fn a_pinned_block_that_is_another_now_is_a_reorganisation() {
    let server = Server::node(good(9));
    let chain = chain(&[&server], 1);
    let mut block = chain.ask(&[], BlockTag::Latest).unwrap().0.block();
    assert!(chain.answers(&[], &block).unwrap().is_empty());
    block.hash = crate::evm::BlockHash::claimed(keccak256("other"));
    assert!(matches!(chain.answers(&[], &block), Err(ChainError::Reorganised { number: 9, .. })));
}

/// One node gave the receipt, and the next request reaches another that is one block behind.
#[test]
fn a_node_that_is_a_moment_behind_is_waited_for() {
    let server = Server::new(|n, body| Act::ok(&reply(body, &good(if n == 0 { 8 } else { 9 }))));
    let chain = chain(&[&server], 1);
    assert_eq!(chain.ask(&[balance()], BlockTag::Number(9)).unwrap().1, [Ok(json!("0x5"))]);
    let behind = Server::node(good(8));
    let error = fake::chain(&[&behind], 1).ask(&[], BlockTag::Number(9)).unwrap_err().to_string();
    assert!(error.contains("lags behind: has no block 9 yet"), "{error}");
}

#[test]
fn a_chain_without_endpoints_or_with_too_high_a_quorum_is_not_made() {
    let make =
        |urls: Vec<_>, quorum| Chain::new("local", 1, urls, quorum, 100, fake::options()).err().unwrap();
    assert_eq!(make(vec![], 1), ChainError::NoEndpoint("local".into()));
    let url = RpcAddress::parse("http://127.0.0.1:1").unwrap().resolve(|_| None).unwrap();
    assert!(matches!(make(vec![url.clone()], 2), ChainError::Quorum { quorum: 2, endpoints: 1, .. }));
    assert!(matches!(make(vec![url], 0), ChainError::Quorum { .. }));
}

#[test]
fn a_transaction_needs_one_endpoint_that_takes_it() {
    let hash = keccak256([1, 2, 3]);
    let says = |answer: Value| {
        Server::node(move |_, params| {
            assert_eq!(params, &json!(["0x010203"]));
            answer.clone()
        })
    };
    let takes = says(json!({"result": hash}));
    let knows = says(json!({"error": {"code": -32000, "message": "already known"}}));
    let refuses = says(json!({"error": {"code": -32000, "message": "insufficient funds"}}));
    let other = says(json!({"result": keccak256("other")}));
    for good in [&takes, &knows] {
        let chain = chain(&[&refuses, good], 2);
        assert_eq!(chain.send_raw(&[1, 2, 3]).unwrap().word(), &hash);
        assert_eq!(chain.rounds(), 1);
    }
    let error = chain(&[&refuses], 1).send_raw(&[1, 2, 3]).unwrap_err();
    assert!(matches!(error, ChainError::NotSent { unsure: false, .. }), "{error}");
    assert!(error.to_string().contains("insufficient funds"), "{error}");
    let error = chain(&[&refuses, &other], 1).send_raw(&[1, 2, 3]).unwrap_err();
    assert!(matches!(error, ChainError::NotSent { unsure: true, .. }), "{error}");
}

/// The log search goes on in shorter ranges where the provider wants them.
#[test]
fn a_refused_log_search_is_cut_up() {
    use crate::safe::{Execution, RESULT_TOPICS, SafeId, SafeTxHash, SafeVersion};
    let (safe, hash) = (Address::repeat_byte(5), SafeTxHash::claimed(keccak256("tx")));
    let found = json!({
        "address": safe, "topics": [RESULT_TOPICS[0], hash.word()], "data": format!("0x{}", "00".repeat(32)),
        "transactionHash": keccak256("outer"), "blockNumber": "0xfa0", "blockHash": header(4000, 0)["hash"],
    });
    let server = Server::node(move |method, params| match method {
        "eth_getLogs" => {
            let bound = |name: &str| {
                let hex = params[0][name].as_str().unwrap().strip_prefix("0x");
                hex.map_or(5000, |hex| u64::from_str_radix(hex, 16).unwrap())
            };
            let (from, to) = (bound("fromBlock"), bound("toBlock"));
            match to - from {
                1000.. => json!({"error": {"code": -32005, "message": "query exceeds max block range 1000"}}),
                _ if (from..=to).contains(&4000) => json!({"result": [found]}),
                _ => json!({"result": []}),
            }
        }
        _ => good(5000)(method, params),
    });
    let id = SafeId { chain_id: 31337, address: safe, version: SafeVersion::V1_4_1 };
    let executed = chain(&[&server], 1).executions(&id, &hash, 10).unwrap().unwrap();
    assert_eq!((executed.block.number, executed.outcome), (4000, Execution::Succeeded));
    assert_eq!(executed.tx.word(), &keccak256("outer"));
    assert_eq!(chain(&[&server], 1).executions(&id, &hash, 4500).unwrap(), None);
    assert_eq!(U256::from(executed.block.timestamp), U256::from(48_000));
}
