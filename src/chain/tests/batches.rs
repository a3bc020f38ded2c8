//! Cutting a question into batches, and the number of them under way at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use super::balance;
use super::fake::{Act, Server, chain, chain_of, good, options, reply, wait_until};
use crate::chain::json_rpc::Request;
use crate::chain::{Chain, Options};
use crate::evm::BlockTag;

#[test]
fn a_refused_batch_is_sent_in_smaller_ones_and_at_last_alone() {
    for (limit, status) in [(20, 200), (3, 200), (1, 200), (1, 400), (3, 413)] {
        let server = Server::new(move |_, body| {
            let refusal = json!({"id": null, "error": {"code": -32600, "message": "batch too large"}});
            match body.as_array() {
                Some(batch) if limit == 1 || batch.len() > limit => {
                    Act::Answer { status, headers: "", body: refusal.to_string() }
                }
                _ => Act::ok(&reply(body, &good(9))),
            }
        });
        let chain = chain(&[&server], 1);
        let many: Vec<Request> = (0..40).map(|_| balance()).collect();
        let (header, replies) = chain.ask(&many, BlockTag::Latest).unwrap();
        assert_eq!((header.number, replies.len()), (9, 40), "limit {limit}");
        assert!(replies.iter().all(|reply| *reply == Ok(json!("0x5"))));
        let learnt = chain.rounds();
        chain.ask(&many, BlockTag::Number(9)).unwrap();
        // Single requests, the chain's id and the header among them, leave eight at once.
        let waves = if limit == 1 { 6 } else { 1 };
        assert_eq!(chain.rounds(), learnt + waves, "what was learnt is kept");
    }
}

/// Some servers refuse a batch by refusing each of its requests.
#[test]
fn a_batch_refused_piece_by_piece_is_sent_in_smaller_ones() {
    let server = Server::new(|_, body| match body.as_array() {
        Some(batch) if batch.len() > 3 => {
            Act::ok(&reply(body, &|_, _| json!({"error": {"code": -32600, "message": "at most 3"}})))
        }
        _ => Act::ok(&reply(body, &good(9))),
    });
    let many: Vec<Request> = (0..5).map(|_| balance()).collect();
    assert_eq!(chain(&[&server], 1).ask(&many, BlockTag::Latest).unwrap().1.len(), 5);
}

#[test]
fn chunks_are_sent_at_the_same_time() {
    let server = Server::node(good(9));
    let chain = chain_of(vec![server.url()], 1, 10);
    let many: Vec<Request> = (0..79).map(|_| balance()).collect();
    assert_eq!(chain.ask(&many, BlockTag::Latest).unwrap().1.len(), 79);
    assert_eq!((chain.rounds(), server.hits()), (1, 10));
}

/// No more batches are under way than the council file allows, and each wave of them is a round.
#[test]
fn as_many_batches_leave_at_once_as_is_allowed() {
    for (parallel, waves) in [(1, 5), (2, 3), (5, 1)] {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (under_way, peak) = (Arc::clone(&now), Arc::clone(&most));
        let server = Server::new(move |_, body| {
            peak.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Those of the first wave wait for each other, and a moment for one too many.
            wait_until(|| peak.load(Ordering::SeqCst) >= parallel);
            std::thread::sleep(Duration::from_millis(10));
            under_way.fetch_sub(1, Ordering::SeqCst);
            Act::ok(&reply(body, &good(9)))
        });
        let options = Options { parallel, ..options() };
        let chain = Chain::new("local", 31337, vec![server.url()], 1, 10, options).unwrap();
        let many: Vec<Request> = (0..39).map(|_| balance()).collect();
        assert_eq!(chain.ask(&many, BlockTag::Latest).unwrap().1.len(), 39);
        assert_eq!((server.hits(), most.load(Ordering::SeqCst)), (5, parallel));
        assert_eq!(chain.rounds(), waves);
    }
}

#[test]
fn a_batch_that_runs_into_a_rate_limit_is_halved() {
    let server = Server::new(|_, body| match body.as_array() {
        Some(batch) if batch.len() > 12 => Act::ok(&reply(
            body,
            &|_, _| json!({"error": {"code": -32007, "message": "50/second request limit reached"}}),
        )),
        _ => Act::ok(&reply(body, &good(9))),
    });
    let chain = chain_of(vec![server.url()], 1, 20);
    let many: Vec<Request> = (0..30).map(|_| balance()).collect();
    assert_eq!(chain.ask(&many, BlockTag::Latest).unwrap().1.len(), 30);
    assert_eq!(chain.endpoints()[0].batch, Some(10));
}
