//! Keys of RPCs, of owners and of keystores: used, and never seen. Every command, right and wrong, at desks whose RPC
//! address holds a key; then all that was printed and every file that was made is searched.

use std::fs;

use alloy::primitives::hex;
use serde_json::json;

use crate::stage::{Ceremony, Desk, Fault, Proxy, Run, run};
use crate::steps::{behind_a_proxy, contents, path, propose, with_key};

const RPC_KEY: &str = "S3cretRpcKey0123456789";

/// The ways in which a council file may hold the address.
const FORMS: [&str; 2] = ["literal", "a variable"];

struct Told {
    texts: Vec<(String, String)>,
}

impl Told {
    fn run(&mut self, desk: &Desk, proxy: &Proxy, words: &[String]) -> Run {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut command = desk.command(&words);
        command.env("RPC_URL", format!("{}/v2/{RPC_KEY}", proxy.url()));
        let run = run(&mut command);
        self.texts.push((words.join(" "), format!("{}\n{}", run.stdout, run.stderr)));
        run
    }

    /// These words with `--json`.
    fn both(&mut self, desk: &Desk, proxy: &Proxy, words: &[&str]) -> Run {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        self.run(desk, proxy, &[&["--json".to_string()], &words[..]].concat());
        self.run(desk, proxy, &words)
    }
}

fn secrets(ceremony: &Ceremony) -> Vec<String> {
    let mut secrets = vec![RPC_KEY.to_string()];
    for desk in &ceremony.desks {
        secrets.push(hex::encode(desk.key.secret));
        secrets.push(fs::read_to_string(desk.password_file()).unwrap().trim().to_string());
    }
    secrets
}

fn council(ceremony: &Ceremony, proxy: &Proxy, form: &str) -> String {
    let address = match form {
        "literal" => format!("{}/v2/{RPC_KEY}", proxy.url()),
        _ => "${RPC_URL}".into(),
    };
    ceremony.council().replace(&proxy.url(), &address)
}

/// Everything that goes well.
fn a_whole_ceremony(told: &mut Told, ceremony: &Ceremony, proxy: &Proxy) {
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    told.both(alice, proxy, &[]);
    told.both(alice, proxy, &["pause", "vault"]).ended(0);
    let file = propose_path(alice);
    told.run(alice, proxy, &with_key(alice, &["sign", "vault", "--yes"])).ended(0);
    let carried = bob.path("carried.json");
    fs::copy(&file, &carried).unwrap();
    let line = told.run(bob, proxy, &with_key(bob, &["sign", path(&carried), "--offline", "--yes"])).ended(0);
    fs::write(alice.path("chat.txt"), &line.stdout).unwrap();
    told.both(alice, proxy, &["import", "vault", "chat.txt"]).ended(0);
    told.both(alice, proxy, &["status", "vault"]).ended(0);
    told.both(alice, proxy, &["export", "vault"]).ended(0);
    told.both(alice, proxy, &["hash", &file]).ended(0);
    told.both(alice, proxy, &["broadcast", "vault", "--calldata"]).ended(0);
    told.run(alice, proxy, &with_key(alice, &["broadcast", "vault", "--confirm", "guardian"])).ended(0);
    told.both(carol, proxy, &["playbook", "list"]).ended(0);
    let safe = ceremony.safe.to_string();
    let init = ["init", "--council", "new.toml", "--safe", &safe, "--rpc", "${RPC_URL}"];
    told.both(carol, proxy, &init);
}

fn propose_path(desk: &Desk) -> String {
    let files = crate::steps::files(desk.folder());
    path(files.iter().find(|f| f.ends_with("proposal.json")).unwrap()).to_string()
}

/// Everything that goes wrong, at carol's desk.
fn everything_wrong(told: &mut Told, ceremony: &Ceremony, proxy: &Proxy, council: &str) {
    let carol = &ceremony.desks[2];
    let sign = with_key(carol, &["sign", "vault", "--undo", "--yes"]);
    let asking = |told: &mut Told| {
        told.run(carol, proxy, &sign);
        told.both(carol, proxy, &["status", "vault"]);
        told.run(carol, proxy, &with_key(carol, &["broadcast", "vault", "--confirm", "guardian"]));
    };
    for fault in [Fault::Status(403), Fault::Garbage, Fault::Half, Fault::Status(302)] {
        proxy.fail(Some(fault));
        asking(told);
    }
    proxy.fail(None);
    // A node that repeats the address it was asked at.
    let echo = format!("no route {}/v2/{RPC_KEY}?key={RPC_KEY} for {RPC_KEY}", proxy.url());
    proxy.rewrite(move |_, _, _| Err(json!({"code": -32000, "message": echo, "data": echo})));
    asking(told);
    proxy.honest();
    // The password and what else may stand beside it.
    let password = fs::read_to_string(carol.password_file()).unwrap();
    let keystore = fs::read_to_string(carol.keystore()).unwrap();
    fs::write(carol.password_file(), format!("{}x\n", password.trim())).unwrap();
    told.run(carol, proxy, &sign).says("wrong password");
    fs::write(carol.password_file(), &password).unwrap();
    for broken in [&keystore[..300], &keystore.replace("aes-128-ctr", "rot13"), &password] {
        fs::write(carol.keystore(), broken).unwrap();
        told.run(carol, proxy, &sign);
    }
    fs::write(carol.keystore(), &keystore).unwrap();
    // A keystore or a password file named where a proposal or a chat should be.
    let (store, secret) = (carol.keystore(), carol.password_file());
    for file in [path(&store), path(&secret)] {
        told.both(carol, proxy, &["hash", file]);
        told.both(carol, proxy, &["import", "vault", file]);
    }
    // Faults in the very line of the council file that holds the address.
    for (from, to) in [
        ("rpc = [", "rpc = ["),
        ("rpc = [", "rcp = ["),
        ("rpc = [\"", "rpc = [\"ftp://"),
        ("rpc = [\"http://", "rpc = [\""),
        ("rpc = [\"http://", "rpc = [\"http:/"),
        ("\"]\n", "]\n"),
        ("\"]\n", "\", 7]\n"),
        ("rpc = [", "rpc = "),
        ("id = ", "id = 9"),
    ] {
        fs::write(carol.path("breakglass.toml"), council.replacen(from, to, 1)).unwrap();
        told.both(carol, proxy, &[]);
        told.both(carol, proxy, &["status", "vault"]);
    }
    fs::write(carol.path("breakglass.toml"), council).unwrap();
    told.both(carol, proxy, &["init", "--safe", &ceremony.safe.to_string(), "--rpc", "${RPC_URL}"]);
}

#[test]
fn no_output_and_no_file_holds_a_secret() {
    for form in FORMS {
        let (ceremony, proxy) = behind_a_proxy();
        let council = council(&ceremony, &proxy, form);
        for desk in &ceremony.desks {
            fs::write(desk.path("breakglass.toml"), &council).unwrap();
        }
        let mut told = Told { texts: Vec::new() };
        a_whole_ceremony(&mut told, &ceremony, &proxy);
        everything_wrong(&mut told, &ceremony, &proxy, &council);
        let secrets = secrets(&ceremony);
        assert!(told.texts.len() > 60, "{}", told.texts.len());
        for (command, text) in &told.texts {
            for secret in &secrets {
                let seen = text.to_ascii_lowercase().contains(&secret.to_ascii_lowercase());
                assert!(!seen, "{form}: {secret} after {command}\n{text}");
            }
        }
        for desk in &ceremony.desks {
            for (file, bytes) in contents(desk.folder()) {
                // The files that the person put there themselves.
                if ["breakglass.toml", "password"].iter().any(|name| file.ends_with(name)) {
                    continue;
                }
                let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
                for secret in &secrets {
                    assert!(!text.contains(&secret.to_ascii_lowercase()), "{form}: {secret} in {file:?}");
                }
            }
        }
    }
}

/// An address with a key in it is not written to a file from the command line.
#[test]
fn init_refuses_an_address_that_holds_a_key() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = &ceremony.desks[0];
    propose(alice);
    for address in
        [format!("{}/v2/{RPC_KEY}", proxy.url()), proxy.url().replace("//", &format!("//u:{RPC_KEY}@"))]
    {
        let words =
            ["--council", "new.toml", "init", "--safe", &ceremony.safe.to_string(), "--rpc", &address];
        let run = alice.run(&words).ended(2).says("may hold a key").says("a variable of your shell");
        run.never_says(RPC_KEY);
        assert!(!alice.path("new.toml").exists());
    }
}
