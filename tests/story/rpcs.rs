//! Several RPCs: which of them count, whom to believe, and what happens when one is down, slow, behind or hostile.

use std::fs;

use breakglass::safe::SafeVersion;

use crate::stage::{Anvil, Ceremony, Desk, Proxy, SafeSetup};
use crate::steps::{refused_without_a_trace, with_key};

/// A ceremony whose council file names these RPCs.
fn with_rpcs(anvil: Anvil, rpc: &[String]) -> Ceremony {
    Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), rpc)
}

/// Changes a desk's council file, as if it had been so from the beginning.
fn edit(desk: &Desk, from: &str, to: &str) {
    let path = desk.path("breakglass.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from:?} is not in\n{text}");
    fs::write(path, text.replace(from, to)).unwrap();
    desk.forgets();
}

#[test]
fn one_rpc_named_twice_is_one_and_agrees_with_nobody() {
    let anvil = Anvil::start();
    let url = anvil.url();
    let rpc = [url.clone(), url.replace("127.0.0.1", "localhost") + "/"];
    let ceremony = with_rpcs(anvil, &rpc);
    let alice = &ceremony.desks[0];
    let words = with_key(alice, &["sign", "vault", "--yes"]);
    refused_without_a_trace(alice, &words, 7, &["2 RPCs must agree, and only 1", "is the same as"]);
    // A third address makes two.
    let proxy = Proxy::to(&ceremony.anvil);
    edit(alice, "rpc = [", &format!("rpc = [{:?}, ", proxy.url()));
    alice.run(&["pause", "vault"]).ended(0).says("2 of 2 RPCs agree").says("rpc-same").says("is the same as");
}
