//! Council files, command lines and environments that are refused: they name a secret of the shell, a Safe twice, a
//! mistyped address, or a way through somebody else's machine without a word.

use std::fs;

use crate::stage::{Proxy, run};
use crate::steps::{behind_a_proxy, refused, refused_without_a_trace, sign, two_of_three, with_key};

/// A person who was sent a file runs the program in the folder of that file.
#[test]
fn a_council_file_planted_among_the_incidents_is_never_used() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    sign(alice, &["vault"]);
    let folder = fs::read_dir(alice.path("incidents")).unwrap().next().unwrap().unwrap().path();
    let forged = ceremony.council().replace("Test protocol", "Forged protocol");
    fs::write(folder.join("breakglass.toml"), &forged).unwrap();
    let at = |words: &[&str]| run(alice.command(words).current_dir(&folder));
    at(&[]).ended(0).says("Test protocol").says("is not used: it lies in a folder of incidents");
    at(&["--json", "status", "vault"]).ended(3);
    // Named by hand it is what the person means.
    at(&["--council", "breakglass.toml"]).ended(0).says("Forged protocol").never_says("is not used");
    fs::remove_file(alice.path("breakglass.toml")).unwrap();
    refused(at(&["status", "vault"]), 2, &["there is no breakglass.toml", "is not used", "--council FILE"]);
}

#[test]
fn a_safe_with_two_names_is_a_fault_of_the_council_file() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    let twice =
        format!("{}\n[safes.twin]\nchain = \"anvil\"\naddress = \"{}\"\n", ceremony.council(), ceremony.safe);
    fs::write(alice.path("breakglass.toml"), twice).unwrap();
    let words = with_key(alice, &["sign", "vault", "--yes"]);
    refused_without_a_trace(alice, &words, 1, &["\"twin\" is the same Safe as \"guardian\"", "^^^"]);
}

#[test]
fn every_flag_that_takes_an_address_refuses_a_mistyped_one() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    let right = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    let wrong = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92267";
    let flags = ["--safe", "--to", "--gas-token", "--refund-receiver"];
    let hash = |mistyped: Option<&str>| {
        let rest = ["--chain-id", "1", "--safe-version", "1.4.1", "--nonce", "0"];
        let mut words: Vec<&str> = ["hash"].iter().chain(&rest).copied().collect();
        for flag in flags {
            words.extend([flag, if mistyped == Some(flag) { wrong } else { right }]);
        }
        alice.run(&words)
    };
    hash(None).ended(0);
    for flag in flags {
        hash(Some(flag)).ended(2).says(&format!("the checksum of {wrong} is wrong")).says(flag);
    }
    let words = ["--council", "new.toml", "init", "--safe", wrong, "--rpc", &ceremony.anvil.url()];
    alice.run(&words).ended(2).says(&format!("the checksum of {wrong} is wrong"));
    let set = format!("target={wrong}");
    let words = ["pause", "--playbook", "pause/oz-pausable", "--safe", "guardian", "--set", &set];
    refused(alice.run(&words), 2, &[&format!("the checksum of {wrong} is wrong")]);
}

/// A poisoned council file would send any secret of the shell to its own host.
#[test]
fn no_variable_of_the_shell_goes_into_an_address_of_the_files_choice() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = &ceremony.desks[0];
    let secret = "S3cretOfTheShell";
    let refused = |address: &str, words: &[&str], code, said: &[&str]| {
        let council = ceremony.council().replace(&proxy.url(), address);
        fs::write(alice.path("breakglass.toml"), council).unwrap();
        let run = run(alice.command(words).env("CLOUD_KEY", secret).env("EMPTY", ""));
        refused(run, code, said).never_says(secret);
        assert_eq!(proxy.counts().posts, 0, "{address}");
    };
    let way = "write \"${CLOUD_KEY}\" and set CLOUD_KEY to the whole address";
    for inside in ["/${CLOUD_KEY}", "/v2/$CLOUD_KEY", "/?key=${CLOUD_KEY}&x"] {
        refused(&format!("{}{inside}", proxy.url()), &["status", "vault"], 1, &[way, "breakglass.toml:6:"]);
    }
    let of_host = format!("{}:8545", "http://${CLOUD_KEY}.localhost");
    refused(&of_host, &["status", "vault"], 1, &[way]);
    refused(
        "${CLOUD_KEY}",
        &["status", "vault"],
        2,
        &["CLOUD_KEY does not hold an http:// or https:// address"],
    );
    refused("${EMPTY}", &["status", "vault"], 2, &["the environment variable EMPTY is not set"]);
    let inside = format!("{}/${{CLOUD_KEY}}", proxy.url());
    let safe = ceremony.safe.to_string();
    refused("x", &["init", "--council", "new.toml", "--safe", &safe, "--rpc", &inside], 2, &[way]);
    let dry_run = ["dry-run", "vault", "--fork-url", &inside];
    refused("http://localhost:1", &dry_run, 2, &[way]);
}

/// The owner of the proxy sees the address, and with http:// its key.
#[test]
fn a_proxy_in_force_is_reported_once_and_without_its_password() {
    let (ceremony, node) = behind_a_proxy();
    let alice = &ceremony.desks[0];
    let second = Proxy::to(&ceremony.anvil);
    let council = ceremony
        .council()
        .replace(&format!("rpc = [\"{}\"]", node.url()), "rpc = [\"http://rpc.example/v2/KEY\"]");
    fs::write(alice.path("breakglass.toml"), council).unwrap();
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        let value = second.url().replace("//", "//user:S3cret@");
        let words = with_key(alice, &["sign", "vault", "--yes"]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let run = run(alice.command(&words).env(name, &value)).ended(0);
        let said = format!("go through the proxy {}", second.url().trim_start_matches("http://"));
        let run = run.says(&said).says("requests to http://rpc.example/…").never_says("S3cret");
        assert_eq!(run.stderr.matches("go through the proxy").count(), 1, "{}", run.stderr);
    }
    assert!(second.counts().posts > 0);
    let before = second.counts().posts;
    let mut direct = alice.command(&["status", "vault"]);
    direct.env("HTTP_PROXY", second.url()).env("NO_PROXY", "rpc.example");
    run(&mut direct).ended(7).never_says("go through the proxy");
    assert_eq!(second.counts().posts, before);
}
