//! Several endpoints: silent, late, in the minority, or behind.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alloy::primitives::{B256, keccak256};
use serde_json::{Value, json};

use super::fake::{Act, Server, chain as chain_of_servers, good, header, reply, wait_until, with_balance};
use super::{NEVER, WHO, patient, read, standings};
use crate::chain::agreement::{EndpointView, Vote};
use crate::chain::json_rpc::{AT, Reply, Request, no_reply};
use crate::chain::panel::GRACE;
use crate::chain::quorum::replies;
use crate::chain::{Chain, EndpointFault, EndpointStatus, Options};
use crate::evm::{BlockHash, BlockTag, Header, TxHash};

/// It is waited for once, while its answer could still decide the quorum, and not again.
#[test]
fn a_silent_rpc_is_waited_for_once() {
    let (good, silent) = (Server::node(good(9)), Server::new(|_, _| Act::Late(NEVER, String::new())));
    let chain = chain_of_servers(&[&silent, &good], 1);
    let begun = Instant::now();
    assert_eq!(read(&chain), Ok((9, json!("0x5"))));
    assert!(begun.elapsed() >= GRACE);
    // One that was waited for a second time has timed out. On a busy machine, the good one may be as slow once.
    let is_passed_over = |_| {
        assert_eq!(read(&chain), Ok((9, json!("0x5"))));
        standings(&chain)[0] == EndpointStatus::Outvoted(EndpointFault::Slow)
    };
    assert!((0..20).any(is_passed_over), "{:?}", standings(&chain));
}

/// An answer that comes after the others were believed is compared with theirs.
#[test]
fn a_late_answer_that_contradicts_is_a_lie() {
    let (a, b) = (Server::node(good(9)), Server::node(good(9)));
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(held);
    let late = Server::new(move |_, body| {
        // Until the other end is dropped.
        let _ = held.lock().unwrap().recv();
        Act::ok(&reply(body, &with_balance(9, 6)))
    });
    let chain = patient(&[&a, &b, &late], 2);
    assert_eq!(read(&chain), Ok((9, json!("0x5"))));
    assert!(matches!(standings(&chain)[2], EndpointStatus::Outvoted(_)));
    drop(release);
    wait_until(|| matches!(standings(&chain)[2], EndpointStatus::Lying(_)));
    assert!(matches!(&standings(&chain)[2], EndpointStatus::Lying(EndpointFault::Lying { number: 9, .. })));
}

/// Three of five are at different heights, and an attacker's two are ahead of them on another chain.
#[test]
fn the_majority_is_believed_at_a_block_that_it_has() {
    let forked = |newest| {
        move |method: &str, params: &Value| {
            let mut answer = with_balance(newest, 6)(method, params);
            if let Some(number) = answer["result"]["number"].as_str().map(str::to_string) {
                let number = u64::from_str_radix(number.trim_start_matches("0x"), 16).unwrap();
                answer["result"] = header(number, 7);
            }
            answer
        }
    };
    let honest: Vec<Server> = [9, 8, 8].map(|number| Server::node(good(number))).into();
    let attackers: Vec<Server> = [14, 14].map(|number| Server::node(forked(number))).into();
    let all: Vec<&Server> = attackers.iter().chain(&honest).collect();
    let chain = chain_of_servers(&all, 2);
    assert_eq!(read(&chain), Ok((8, json!("0x5"))));
    assert_eq!(chain.rounds(), 3);
    // Two against two: nobody is believed.
    let error = read(&chain_of_servers(&all[..4], 2)).unwrap_err().to_string();
    assert!(error.contains("and 3 must") && error.contains("has another block"), "{error}");
}

#[test]
fn a_transaction_that_only_one_endpoint_knows_is_reported_with_the_other_endpoint() {
    let receipt = json!({
        "transactionHash": keccak256("tx"), "blockHash": header(9, 0)["hash"], "blockNumber": "0x9",
        "from": WHO, "status": "0x1", "gasUsed": "0x5", "effectiveGasPrice": null, "logs": [],
    });
    let knows = Server::node(move |method, params| match method {
        "eth_getTransactionReceipt" => json!({"result": receipt}),
        _ => good(9)(method, params),
    });
    let behind = Server::node(|method, params| match method {
        "eth_getTransactionReceipt" => json!({"result": null}),
        _ => good(8)(method, params),
    });
    let chain = chain_of_servers(&[&behind, &knows], 2);
    let tx = TxHash::claimed(keccak256("tx"));
    assert_eq!(chain.receipt(tx), Ok(None));
    let seen = chain.endpoints_with_receipt(tx).unwrap();
    assert!(seen.contains("has it in block 9") && seen.contains("does not know it yet"), "{seen}");
    assert_eq!(chain_of_servers(&[&behind], 1).endpoints_with_receipt(tx), None);
}

/// An endpoint that accepts at once and does nothing does not keep the transaction from the others.
#[test]
fn a_slow_endpoint_is_given_the_transaction_although_a_fast_one_took_it() {
    let takes = || json!({"jsonrpc": "2.0", "id": 1, "result": keccak256([1, 2, 3])});
    let fast = Server::new(move |_, body| Act::ok(&reply(body, &|_, _| takes())));
    let busy = Server::new(move |hit, body| match hit {
        0 | 1 => Act::Answer { status: 503, headers: "", body: "{}".into() },
        _ => Act::ok(&reply(body, &|_, _| takes())),
    });
    let chain = chain_of_servers(&[&fast, &busy], 1);
    assert!(chain.send_raw(&[1, 2, 3]).is_ok());
    // It is not given up when the other has answered.
    wait_until(|| busy.hits() == 3);
}

/// Two contradict each other, and a third that was silent before can settle it.
#[test]
fn a_silent_rpc_is_asked_again_if_the_others_do_not_agree() {
    // Only of block 10 they say different things, and there the third one answers, after the others.
    let node = |balance, [newest, tenth]: [Duration; 2]| {
        Server::new(move |_, body| {
            let asks_anew = body.to_string().contains("0xa");
            let (told, pause) = if asks_anew { (balance, tenth) } else { (5, newest) };
            Act::Late(pause, reply(body, &with_balance(10, told)).to_string())
        })
    };
    let (soon, later) = (Duration::ZERO, Duration::from_millis(200));
    let (honest, liar, slow) = (node(5, [soon; 2]), node(6, [soon; 2]), node(5, [NEVER, later]));
    let chain = chain_of_servers(&[&honest, &liar, &slow], 2);
    assert_eq!(read(&chain), Ok((10, json!("0x5"))));
    assert!(matches!(standings(&chain)[2], EndpointStatus::Outvoted(_)));
    let balance = Request::new("eth_getBalance", json!([WHO, AT]));
    let (head, replies) = chain.ask(&[balance], BlockTag::Number(10)).unwrap();
    assert_eq!((head.number, &replies[0]), (10, &Ok(json!("0x5"))));
    assert!(matches!(standings(&chain)[1], EndpointStatus::Lying(_)));
}

/// The block time of a chain that is not in the table is measured from its headers.
#[test]
fn an_unknown_chain_is_asked_at_the_pace_of_its_own_blocks() {
    let newest = Arc::new(AtomicU64::new(9));
    let shown = Arc::clone(&newest);
    let server = Server::node(move |method, params| match method {
        "eth_chainId" => json!({"result": "0x539a"}),
        _ => good(shown.load(Ordering::Relaxed))(method, params),
    });
    let of = |block_time| {
        let options = Options { block_time, ..super::fake::options() };
        Chain::new("new", 0x539a, vec![server.url()], 1, 100, options).unwrap()
    };
    let chain = of(None);
    assert_eq!(chain.poll_interval(), Duration::from_millis(100), "nothing is known yet");
    for number in [10, 11] {
        newest.store(number, Ordering::Relaxed);
        chain.ask(&[], BlockTag::Latest).unwrap();
    }
    // The headers lie twelve seconds apart.
    assert_eq!(chain.poll_interval(), Duration::from_millis(1200));
    assert_eq!(of(Some(Duration::from_secs(3))).poll_interval(), Duration::from_millis(300), "the council's");
    let usual = |id| Chain::new("c", id, vec![server.url()], 1, 100, super::fake::options()).unwrap();
    let millis = |id| usual(id).poll_interval().as_millis();
    assert_eq!((millis(1), millis(8453), millis(42_161), millis(31_337)), (1200, 200, 100, 100));
}

/// The vote of an endpoint whose newest block is this one, made so many seconds ago.
fn made(number: u64, seconds_ago: u64) -> Vote {
    let head = Header {
        timestamp: crate::clock::seconds() - seconds_ago,
        ..Header::bare(number, BlockHash::claimed(B256::with_last_byte(9)))
    };
    Vote::View(EndpointView { head, whole: true, values: Vec::new() })
}

/// An endpoint that stopped at an old block does not lower the block that is read, and its missing block is not waited
/// for.
#[test]
fn an_endpoint_that_stopped_long_ago_is_ignored() {
    let servers = [9, 9, 5].map(|number| Server::node(good(number)));
    let urls = || servers.iter().map(Server::url).collect();
    let options = Options { block_time: Some(Duration::from_secs(12)), ..super::fake::options() };
    let chain = Chain::new("c", 31_337, urls(), 2, 100, options).unwrap();
    let is_stale = |vote: &Vote| matches!(vote, Vote::Fault(EndpointFault::Stale { at: 5, .. }));
    let all = || vec![made(9, 5), made(9, 5), made(5, 100_000)];
    let mut votes = all();
    chain.set_stale_aside(&mut votes, BlockTag::Latest);
    assert!(votes[0].view().is_some() && votes[1].view().is_some() && is_stale(&votes[2]), "{votes:?}");
    let newest: Vec<_> = chain.endpoints().iter().map(|report| report.newest).collect();
    assert_eq!(newest, [Some(9), Some(9), Some(5)]);
    let lagging = || Vote::Fault(EndpointFault::Lagging { at: Some(5), wanted: 9 });
    let mut votes = vec![made(9, 5), lagging(), lagging()];
    chain.set_stale_aside(&mut votes, BlockTag::Number(9));
    assert!(!is_stale(&votes[1]) && is_stale(&votes[2]), "it is told as what it is: {votes:?}");
    // A chain without a rhythm has no old blocks, and where all are old, nobody is set aside.
    let chain = Chain::new("c", 31_337, urls(), 2, 100, super::fake::options()).unwrap();
    let mut votes = all();
    chain.set_stale_aside(&mut votes, BlockTag::Latest);
    assert!(votes.iter().all(|vote| vote.view().is_some()), "{votes:?}");
}

/// Two endpoints stand still and two go on. The two that stand still have no vote and do not lower the block.
#[test]
fn rpcs_that_stand_still_do_not_bring_an_old_block_back() {
    let node = |newest: u64, made: u64| {
        Server::node(move |method, params| {
            let mut answer = good(newest)(method, params);
            if answer["result"]["timestamp"].is_string() {
                answer["result"]["timestamp"] = json!(format!("{made:#x}"));
            }
            answer
        })
    };
    let now = crate::clock::seconds();
    let servers = [node(9, now), node(9, now), node(5, now - 1_000_000), node(5, now - 1_000_000)];
    let options = Options { block_time: Some(Duration::from_hours(1)), ..super::fake::options() };
    let chain = Chain::new("c", 31_337, servers.iter().map(Server::url).collect(), 2, 100, options).unwrap();
    assert_eq!((read(&chain), chain.rounds()), (Ok((9, json!("0x5"))), 1));
    let is_stale =
        |standing: &EndpointStatus| matches!(standing, EndpointStatus::Outvoted(EndpointFault::Stale { .. }));
    assert!(standings(&chain)[2..].iter().all(is_stale), "{:?}", standings(&chain));
}

/// On two forks, at whatever block.
#[test]
fn endpoints_that_never_agree_are_asked_four_times() {
    let on_fork = |fork: u8| {
        Server::node(move |method, params| {
            let mut answer = good(9)(method, params);
            let number = answer["result"]["number"].as_str().and_then(|text| text.strip_prefix("0x"));
            if let Some(number) = number.map(|hex| u64::from_str_radix(hex, 16).unwrap()) {
                answer["result"] = header(number, fork);
            }
            answer
        })
    };
    let (one, other) = (on_fork(1), on_fork(2));
    let chain = chain_of_servers(&[&one, &other], 2);
    assert!(read(&chain).is_err());
    assert_eq!(chain.rounds(), 4);
}

/// One endpoint has no block first, and then an older block than the other: the fourth round is the last.
#[test]
fn an_endpoint_that_is_starting_is_asked_four_times() {
    let starting = |rounds: usize| {
        Server::new(move |round, body| {
            let answer = |method: &str, params: &Value| match method {
                "eth_getBlockByNumber" if round < rounds => json!({"result": null}),
                _ => good(8)(method, params),
            };
            Act::ok(&reply(body, &answer))
        })
    };
    let read = |rounds: usize| {
        let (there, starting) = (Server::node(good(9)), starting(rounds));
        let chain = chain_of_servers(&[&there, &starting], 2);
        (read(&chain).is_ok(), chain.rounds())
    };
    assert_eq!([read(2), read(3)], [(true, 4), (false, 4)]);
}

#[test]
fn the_id_of_an_unknown_chain_is_what_all_state() {
    let stating = |id: &str| {
        let id = id.to_string();
        Server::node(move |_, _| json!({"result": id}))
    };
    let stated = |servers: &[&Server]| {
        Chain::stated_id(servers.iter().map(|server| server.url()).collect(), super::fake::options())
    };
    let (one, same, other) = (stating("0x7a69"), stating("0x7a69"), stating("0x1"));
    assert_eq!(stated(&[&one, &same]), Ok(31_337));
    let error = stated(&[&one, &other]).unwrap_err();
    assert!(matches!(error, crate::chain::ChainError::WrongChain { .. }), "{error}");
    let silent = Server::node(|_, _| json!({"error": {"code": -32601, "message": "no"}}));
    assert_eq!(stated(&[&silent, &one]), Ok(31_337));
    assert!(matches!(stated(&[&silent]), Err(crate::chain::ChainError::NoQuorum { .. })));
}

/// The block time of a test chain, or of one that the council file states, is not measured.
#[test]
fn the_block_time_is_measured_only_on_unknown_chains() {
    let seen = |id: u64, block_time: Option<Duration>| {
        let newest = Arc::new(AtomicU64::new(9));
        let shown = Arc::clone(&newest);
        let server = Server::node(move |method, params| {
            let number = shown.load(Ordering::Relaxed);
            match method {
                "eth_chainId" => json!({"result": format!("{id:#x}")}),
                _ => good(number)(method, params),
            }
        });
        let options = Options { block_time, ..super::fake::options() };
        let chain = Chain::new("c", id, vec![server.url()], 1, 100, options).unwrap();
        read(&chain).unwrap();
        newest.store(20, Ordering::Relaxed);
        read(&chain).unwrap();
        chain.seen_block_time()
    };
    assert_eq!(seen(31_337, None), None, "a chain for tests");
    assert_eq!(seen(424_242, Some(Duration::MAX)), None, "by the council file");
    assert_eq!(seen(424_242, None), Some(Duration::from_secs(12)));
}

/// Without a quorum each RPC's fault is still reported.
#[test]
fn faults_are_reported_where_no_quorum_came_about() {
    let (good, bad) = (Server::node(good(9)), Server::new(|_, _| Act::status(500)));
    let chain = chain_of_servers(&[&good, &bad], 2);
    assert!(read(&chain).is_err());
    assert!(matches!(standings(&chain)[1], EndpointStatus::Outvoted(_)), "{:?}", standings(&chain));
}

/// An answer that needs no agreement is taken from the first that gives one.
#[test]
fn a_hint_is_the_first_answer_that_is_no_error() {
    let requests = [Request::hint("eth_gasPrice", json!([]))];
    let told = |hints: &[Vec<Reply>]| replies(&requests, Vec::new(), hints).remove(0).ok();
    assert_eq!(
        told(&[vec![no_reply("a")], vec![Ok(json!("0x5"))], vec![Ok(json!("0x6"))]]),
        Some(json!("0x5"))
    );
    assert_eq!(told(&[vec![no_reply("a")]]), None);
}
