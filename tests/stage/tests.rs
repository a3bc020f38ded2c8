//! The stage's own tests: that its keys, keystores and desks are right, and that its proxy fails and lies as told.

use std::time::{Duration, Instant};

use aes::Aes128;
use alloy::primitives::{B256, Signature, keccak256};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use futures_util::future::join;
use reqwest::{Client, ClientBuilder};
use serde_json::{Value, json};

use super::stage::{Anvil, Ceremony, Desk, Fault, KEYS, Proxy, SafeSetup, dead_url, encrypt, key};
use breakglass::council::Council;
use breakglass::safe::SafeVersion;

#[test]
fn each_key_signs_as_its_address() {
    let digest = keccak256("digest");
    for key in KEYS {
        let signature = Signature::from_raw(&key.sign(digest)).unwrap();
        assert_eq!(signature.recover_address_from_prehash(&digest).unwrap(), key.address);
    }
}

#[test]
fn a_keystore_opens_with_its_password() {
    let store = encrypt(&key(3), "open sesame");
    let field = |path: &str| alloy::hex::decode(store.pointer(path).unwrap().as_str().unwrap()).unwrap();
    let mut derived = [0; 32];
    let params = scrypt::Params::new(10, 8, 1).unwrap();
    scrypt::scrypt(b"open sesame", &field("/crypto/kdfparams/salt"), &params, &mut derived).unwrap();
    let mut secret = field("/crypto/ciphertext");
    let mac = keccak256([&derived[16..], &secret].concat());
    assert_eq!(mac.as_slice(), field("/crypto/mac"));
    let vector = field("/crypto/cipherparams/iv");
    Ctr128BE::<Aes128>::new_from_slices(&derived[..16], &vector).unwrap().apply_keystream(&mut secret);
    assert_eq!(B256::from_slice(&secret), key(3).secret);
}

#[test]
fn a_ceremony_has_a_desk_for_each_owner_with_a_council_that_reads() {
    let mut ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    ceremony.add_to_council("\n[contacts.security]\nreach = \"+1 555 0100\"\n");
    let council = Council::parse("breakglass.toml", ceremony.council()).unwrap();
    assert_eq!(council.safes["guardian"].address, ceremony.safe);
    assert_eq!(council.targets["vault"]["anvil"].address, ceremony.vault);
    let names: Vec<_> = ceremony.desks.iter().map(|desk| desk.name.as_str()).collect();
    assert_eq!(names, ["alice", "bob", "carol"]);
    for desk in &ceremony.desks {
        assert_eq!(council.signers[&desk.name].address, desk.key.address);
        assert!(desk.keystore().exists() && desk.password_file().exists());
        assert_eq!(std::fs::read_to_string(desk.path("breakglass.toml")).unwrap(), ceremony.council());
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A client for the stage, which speaks plain HTTP; reqwest wants a TLS provider all the same.
fn client_builder() -> ClientBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
}

fn plain_client() -> Client {
    client_builder().build().unwrap()
}

async fn post(client: &Client, url: &str, body: Value) -> Result<Value, reqwest::Error> {
    let sent = client.post(url).header("content-type", "application/json").body(body.to_string()).send();
    let text = sent.await?.error_for_status()?.text().await?;
    Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
}

fn ask(method: &str, id: u64) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": []})
}

/// Through the client library that the program uses, kept-alive connections included.
#[test]
fn the_proxy_counts_rounds_and_not_requests() {
    let anvil = Anvil::with_chain_id(77);
    let proxy = Proxy::to(&anvil);
    let client = plain_client();
    let url = proxy.url();
    proxy.delay(Duration::from_millis(30));
    let begun = Instant::now();
    wait(async {
        let batch = json!([ask("eth_chainId", 1), ask("eth_blockNumber", 2)]);
        let first = post(&client, &url, batch).await.unwrap();
        assert_eq!(first[0]["result"], "0x4d");
        let (a, b) =
            join(post(&client, &url, ask("eth_chainId", 3)), post(&client, &url, ask("eth_chainId", 4)))
                .await;
        assert_eq!((&a.unwrap()["id"], &b.unwrap()["id"]), (&json!(3), &json!(4)));
    });
    assert!(begun.elapsed() >= Duration::from_millis(60));
    let counts = proxy.counts();
    assert_eq!((counts.posts, counts.requests, counts.rounds), (3, 4, 2));
    assert_eq!(counts.by_method["eth_chainId"], 3);
    assert_eq!(proxy.forget_counts().counts().posts, 0);
}

#[test]
fn the_proxy_lies_and_refuses_as_told() {
    let anvil = Anvil::start();
    let proxy = Proxy::to(&anvil);
    proxy.rewrite(|method, _, truth| match method {
        "eth_chainId" => Ok(json!("0x1")),
        "eth_gasPrice" => Err(json!({"code": -32601, "message": "not here"})),
        _ => truth,
    });
    let batch = json!([ask("eth_chainId", 1), ask("eth_gasPrice", 2), ask("eth_blockNumber", 3)]);
    let url = proxy.url();
    let client = plain_client();
    let answer = wait(post(&client, &url, batch.clone())).unwrap();
    assert_eq!((&answer[0]["result"], &answer[1]["error"]["code"]), (&json!("0x1"), &json!(-32601)));
    assert_eq!(answer[2]["result"], "0x0");
    proxy.honest();
    assert_eq!(wait(post(&plain_client(), &url, batch)).unwrap()[0]["result"], "0x7a69");
}

#[test]
fn the_proxy_fails_in_every_way() {
    let anvil = Anvil::start();
    let proxy = Proxy::to(&anvil);
    let client = || client_builder().timeout(Duration::from_millis(300)).build().unwrap();
    let attempt = |url: &str| wait(post(&client(), url, ask("eth_chainId", 1)));
    proxy.fail(Some(Fault::Close));
    assert!(attempt(&proxy.url()).is_err_and(|e| !e.is_timeout()));
    proxy.fail(Some(Fault::Hang));
    assert!(attempt(&proxy.url()).is_err_and(|e| e.is_timeout()));
    proxy.fail(Some(Fault::Status(429)));
    assert!(attempt(&proxy.url()).is_err_and(|e| e.status().is_some_and(|s| s == 429)));
    for unreadable in [Fault::Garbage, Fault::Half] {
        proxy.fail(Some(unreadable));
        assert_eq!(attempt(&proxy.url()).unwrap(), Value::Null);
    }
    proxy.fail(None);
    assert_eq!(attempt(&proxy.url()).unwrap()["result"], "0x7a69");
    assert!(attempt(&dead_url()).is_err_and(|e| e.is_connect()));
}

#[test]
fn the_program_runs_at_a_desk_and_sees_none_of_the_hosts_environment() {
    let desk = Desk::new("alice", key(0), "schema = 1\nname = \"x\"\n");
    let command = desk.command(&["--help"]);
    let mut seen: Vec<_> = command.get_envs().map(|(name, _)| name.to_str().unwrap()).collect();
    seen.sort_unstable();
    assert_eq!(seen, ["HOME", "PATH"]);
    assert_eq!(desk.run(&["--help"]).ended(0).code, 0);
}
