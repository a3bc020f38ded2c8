//! A Transaction Service beside the chain: what it says is compared and never trusted, and `doctor` says where the two differ.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use alloy::primitives::{Address, U256};
use breakglass::safe::{Call, Nonce, Operation, SafeId, SafeTx, SafeVersion, encode_batch};
use serde_json::{Value, json};

use crate::altered::{changed, rehashed};
use crate::doctor::{RICH, doctor, gaps, is_not_ready, ready, warns};
use crate::stage::{Ceremony, dead_url, write_response};
use crate::steps::{as_the_safe, propose, read_json};

/// `pause()`
const PAUSE: &str = "0x8456cb59";
/// `unpause()`
const UNPAUSE: &str = "0x3f4ba83a";

/// A service on this machine, with an answer for each beginning of a path; 404 for all others.
struct Service {
    port: u16,
    answers: Arc<Mutex<Vec<(String, u16, String)>>>,
    /// Each request: its first line, and the key it brought.
    heard: Arc<Mutex<Vec<(String, String)>>>,
}

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (answers, heard) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let (own, log) = (Arc::clone(&answers), Arc::clone(&heard));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (own, log) = (Arc::clone(&own), Arc::clone(&log));
                thread::spawn(move || while answer(&stream, &own, &log).is_some() {});
            }
        });
        Self { port, answers, heard }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/tx-service/test", self.port)
    }

    fn says(&self, path: &str, status: u16, body: &str) {
        let path = format!("/tx-service/test{path}");
        let mut answers = self.answers.lock().unwrap();
        answers.retain(|(known, ..)| *known != path);
        answers.push((path, status, body.into()));
    }

    /// As the chain is: the Safe's owners, threshold and nonce, and what is pending.
    fn is_honest(&self, ceremony: &Ceremony, pending: &[Value]) {
        self.says(
            "/api/v1/about/ethereum-rpc/",
            200,
            &json!({ "chain_id": ceremony.anvil.chain_id }).to_string(),
        );
        self.knows(ceremony, &json!({}));
        let page = json!({ "count": pending.len(), "next": null, "results": pending });
        self.says(&format!("/api/v2/safes/{}/multisig-transactions/", ceremony.safe), 200, &page.to_string());
    }

    /// The Safe as it is, but for these fields.
    fn knows(&self, ceremony: &Ceremony, but: &Value) {
        let owners: Vec<String> = ceremony.desks.iter().map(|desk| desk.key.address.to_string()).collect();
        let mut safe = json!({
            "address": ceremony.safe.to_string(), "nonce": "0", "threshold": 2, "owners": owners, "version": "1.4.1",
        });
        safe.as_object_mut().unwrap().extend(but.as_object().unwrap().clone());
        self.says(&format!("/api/v1/safes/{}/", ceremony.safe), 200, &safe.to_string());
    }
}

/// Answers one request; nothing when the other side has closed.
fn answer(
    stream: &TcpStream,
    answers: &Mutex<Vec<(String, u16, String)>>,
    heard: &Mutex<Vec<(String, String)>>,
) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let (mut line, mut key) = (String::new(), String::new());
    while reader.read_line(&mut line).ok()? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("authorization:") {
            key = line[line.len() - value.len()..].trim().into();
        }
        line.clear();
    }
    let path = first.split(' ').nth(1)?.to_string();
    heard.lock().unwrap().push((first.trim().into(), key));
    let found = answers.lock().unwrap().iter().find(|(known, ..)| path.starts_with(known.as_str())).cloned();
    let (_, status, body) = found.unwrap_or((String::new(), 404, "{}".into()));
    write_response(&mut stream.try_clone().ok()?, status, body.as_bytes()).ok()
}

/// A plain call that waits, as the service states it.
fn pending(ceremony: &Ceremony, nonce: u64, to: Address, data: &str) -> Value {
    let data = data.parse().unwrap();
    stated(ceremony, &SafeTx::new(to, U256::ZERO, data, Operation::Call, Nonce::from(nonce)))
}

fn stated(ceremony: &Ceremony, tx: &SafeTx) -> Value {
    let id =
        SafeId { chain_id: ceremony.anvil.chain_id, address: ceremony.safe, version: SafeVersion::V1_4_1 };
    json!({
        "safe": ceremony.safe.to_string(), "to": tx.to.to_string(), "value": tx.value.to_string(),
        "data": tx.data.to_string(), "operation": tx.operation.as_u8(), "gasToken": tx.gas_token.to_string(),
        "safeTxGas": 0, "baseGas": 0, "gasPrice": tx.gas_price.to_string(),
        "refundReceiver": tx.refund_receiver.to_string(), "nonce": tx.nonce.to_string(),
        "safeTxHash": id.hashes(tx).safe_tx.to_string(), "isExecuted": false, "confirmations": [],
    })
}

/// A ready council that names the service.
fn with_service() -> (Ceremony, Service) {
    let (mut ceremony, service) = (ready(), Service::start());
    let named = format!("[chains.anvil]\nservice = {:?}\n", service.url());
    let council = ceremony.council().replacen("[chains.anvil]\n", &named, 1);
    ceremony.replace_council(council);
    (ceremony, service)
}

fn of_service(ceremony: &Ceremony) -> Vec<String> {
    let all = gaps(&doctor(&ceremony.desks[0]).ended(0)).into_iter();
    all.map(|(id, ..)| id).filter(|id| id.starts_with("service")).collect()
}

#[test]
fn a_service_that_agrees_is_listed_and_gets_the_key_and_no_signature() {
    let (ceremony, service) = with_service();
    let alice = &ceremony.desks[0];
    propose(alice);
    service.is_honest(
        &ceremony,
        &[
            pending(&ceremony, 0, ceremony.vault, PAUSE),
            pending(&ceremony, 0, ceremony.vault, UNPAUSE),
            // A later one, from a service that does not know the filter.
            pending(&ceremony, 1, Address::repeat_byte(9), PAUSE),
        ],
    );
    let mut command = alice.command(&["--json", "doctor", "--payer", RICH]);
    let run = crate::stage::run(command.env("SAFE_API_KEY", "S3cretKeyOfTheService")).ended(0);
    let object = run.json();
    let said = &object["chains"][0]["service"];
    assert!(said["latency_ms"].is_u64(), "{object}");
    assert_eq!(
        (&said["says"][0]["nonce"], &said["says"][0]["threshold"]),
        (&json!("0"), &json!(2)),
        "{object}"
    );
    assert_eq!(said["says"][0]["pending"].as_array().unwrap().len(), 2, "{object}");
    assert!(!run.stdout.contains("S3cretKeyOfTheService") && !run.stderr.contains("S3cretKeyOfTheService"));
    assert_eq!(of_service(&ceremony), [""; 0]);
    let heard = service.heard.lock().unwrap().clone();
    assert!(heard.iter().all(|(line, _)| line.starts_with("GET ")), "{heard:?}");
    assert_eq!(heard.iter().filter(|(_, key)| key == "Bearer S3cretKeyOfTheService").count(), 3, "{heard:?}");
    alice.run(&["doctor", "--payer", RICH]).ended(0).says("the service http://127.0.0.1");
}

#[test]
fn differences_between_a_service_and_the_chain_are_reported() {
    let (ceremony, service) = with_service();
    let alice = &ceremony.desks[0];
    service.is_honest(&ceremony, &[]);
    assert_eq!(of_service(&ceremony), [""; 0]);
    service.knows(&ceremony, &json!({ "owners": [Address::repeat_byte(7).to_string()] }));
    is_not_ready(alice, "service-differs", "guardian: owners: Transaction Service http://127.0.0.1");
    service.knows(&ceremony, &json!({ "threshold": 1 }));
    is_not_ready(alice, "service-differs", "says 1, and the chain 2");
    service.knows(&ceremony, &json!({ "nonce": 3 }));
    warns(alice, "service-nonce", "says nonce 3, and the chain 0");
    service.says(&format!("/api/v1/safes/{}/", ceremony.safe), 404, "{}");
    warns(alice, "service-safe", "does not know guardian");
    // One transaction that is nobody's lever waits for the next nonce.
    let stranger = Address::repeat_byte(9);
    let lever = pending(&ceremony, 0, ceremony.vault, PAUSE);
    service.is_honest(&ceremony, &[lever.clone(), pending(&ceremony, 0, stranger, PAUSE)]);
    warns(alice, "service-pending", &format!("guardian: a transaction to {stranger} waits for nonce 0"));
    // The lever's own call in another's hands: through a contract that may do anything, for a payment, under another hash.
    let call = Call { to: ceremony.vault, value: U256::ZERO, data: PAUSE.parse().unwrap() };
    let batch = encode_batch(std::slice::from_ref(&call));
    let through = SafeTx::new(stranger, U256::ZERO, batch, Operation::DelegateCall, Nonce::from(0));
    let plain = SafeTx::new(call.to, U256::ZERO, call.data, Operation::Call, Nonce::from(0));
    let paying = SafeTx { gas_price: U256::from(1), refund_receiver: stranger, ..plain };
    let mut other_hash = pending(&ceremony, 0, ceremony.vault, PAUSE);
    other_hash["safeTxHash"] = pending(&ceremony, 0, stranger, PAUSE)["safeTxHash"].clone();
    for strange in [stated(&ceremony, &through), stated(&ceremony, &paying), other_hash] {
        service.is_honest(&ceremony, &[strange]);
        warns(alice, "service-pending", "waits for nonce 0, and no lever gives it");
    }
    // A file that somebody laid beside one's own makes its calls no lever's.
    let own = propose(alice);
    let laid = rehashed(changed(&read_json(&own), "/transaction/to", &json!(stranger.to_string())));
    let folder = alice.path("incidents/2026-01-01-laid");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("proposal.json"), format!("{laid:#}\n")).unwrap();
    service.is_honest(&ceremony, &[pending(&ceremony, 0, stranger, PAUSE)]);
    warns(alice, "service-pending", &format!("a transaction to {stranger} waits for nonce 0"));
    service.is_honest(&ceremony, &[lever, pending(&ceremony, 0, stranger, PAUSE)]);
    as_the_safe(&ceremony, ceremony.vault, alloy::primitives::hex!("8456cb59"));
    assert_eq!(of_service(&ceremony), ["service-pending"], "a lever that is done is a lever all the same");
}

#[test]
fn a_service_that_is_away_of_another_chain_or_a_web_page_is_reported() {
    let (mut ceremony, service) = with_service();
    service.is_honest(&ceremony, &[]);
    let about = "/api/v1/about/ethereum-rpc/";
    service.says(about, 200, "{ \"chain_id\": 5 }");
    is_not_ready(&ceremony.desks[0], "service-chain", "is of chain 5");
    for (status, body, said) in [
        (200, "<html>", "does not answer as a Transaction Service does"),
        (503, "{}", "answers with HTTP status 503"),
        (429, "{}", "limits how often it is asked"),
        (302, "{}", "a redirection (HTTP 302), which is not followed"),
    ] {
        service.says(about, status, body);
        warns(&ceremony.desks[0], "service", said);
    }
    let away = ceremony.council().replace(&service.url(), &dead_url());
    ceremony.replace_council(away);
    warns(&ceremony.desks[0], "service", "cannot be reached");
    let unset = ceremony.council().lines().map(|line| {
        let is_service = line.starts_with("service = ");
        if is_service { "service = \"${NO_SUCH_SERVICE}\"" } else { line }
    });
    let unset = unset.collect::<Vec<_>>().join("\n") + "\n";
    ceremony.replace_council(unset);
    warns(&ceremony.desks[0], "service", "the environment variable NO_SUCH_SERVICE is not set");
}
