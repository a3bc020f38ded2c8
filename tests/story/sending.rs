//! From the question to the block: who sees the signatures and when, what is read again, and a transaction that is stuck.

use crate::stage::{Desk, Proxy};
use crate::steps::{behind_a_proxy, broadcast, files, path, read_json, run, sent, signed_by_two, with_key};

/// The owners' signatures that lie at a desk, as hexadecimal digits without `v`.
fn signatures(desk: &Desk) -> Vec<String> {
    let kept = files(desk.folder()).into_iter().filter(|file| path(file).ends_with(".sig.json"));
    let all: Vec<String> =
        kept.map(|file| read_json(&file)["signature"].as_str().unwrap()[2..130].to_lowercase()).collect();
    assert_eq!(all.len(), 2, "two have signed");
    all
}

/// How many requests with this method (or any) showed a signature to an RPC.
fn shown(proxy: &Proxy, method: Option<&str>, signatures: &[String]) -> usize {
    signatures.iter().map(|signature| proxy.asked_with(method, signature)).sum()
}

#[test]
fn no_rpc_sees_a_signature_before_the_transaction_itself() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    let signatures = signatures(alice);
    proxy.rewrite(|method, _, truth| {
        assert!(method != "eth_estimateGas" || truth.is_ok(), "the estimate failed: {truth:?}");
        truth
    });
    for looks in [
        &["status", "vault"][..],
        &["check", "vault"],
        &["dry-run", "vault"],
        &["broadcast", "vault", "--calldata"],
    ] {
        alice.run(looks).ended(0);
    }
    // Everything is ready, and nobody is there to be asked.
    run(alice, &with_key(alice, &["broadcast", "vault"])).ended(2).says("--confirm guardian");
    assert_eq!(shown(&proxy, None, &signatures), 0);
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    assert_eq!(shown(&proxy, None, &signatures), 2, "both, in the one transaction");
    assert_eq!((shown(&proxy, Some("eth_sendRawTransaction"), &signatures), sent(&proxy)), (2, 1));
    assert!(proxy.counts().by_method.contains_key("eth_estimateGas"), "the estimate was asked for unsigned");
}
