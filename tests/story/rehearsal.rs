//! The rehearsed effects of a transaction, shown before anybody signs: the rounds and RPCs that they take, and what no one
//! should sign.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use alloy::sol_types::SolValue;
use breakglass::safe::SafeVersion;
use serde_json::{Value, json};

use crate::ceremony::TWO_VAULTS;
use crate::stage::{Anvil, Ceremony, Desk, Proxy, SafeSetup, deploy, key};
use crate::steps::{acceptance, behind, import, sign, try_sign, two_of_three};

fn setup() -> SafeSetup {
    SafeSetup::new(SafeVersion::V1_4_1, 3, 2)
}

/// The proposal file that a desk keeps for a lever.
fn proposed(desk: &Desk, command: &str, lever: &str) -> PathBuf {
    let said = desk.run(&["--json", command, lever]).ended(0).json();
    desk.path(said["proposal"].as_str().unwrap())
}

fn rotate_lever(ceremony: &mut Ceremony) {
    let (old, new) = (key(1).address, key(7).address);
    ceremony.add_to_council(&format!(
        "\n[levers.rotate]\nplaybook = \"rotate/safe-swap-owner\"\nsafe = \"guardian\"\n\
         set = {{ old = \"{old}\", new = \"{new}\" }}\n"
    ));
}

#[test]
fn a_pause_shows_every_change_by_name_before_anybody_signs() {
    for version in [SafeVersion::V1_3_0, SafeVersion::V1_4_1, SafeVersion::V1_5_0] {
        let ceremony = Ceremony::new(SafeSetup::new(version, 3, 2));
        let run = ceremony.desks[0].run(&["pause", "vault"]).ended(0);
        let run = run.says("rehearsed at block").says("1 of 1 RPCs agree").says("nonce   0 → 1");
        run.says("read by vault paused()").says("✓ vault paused() is true").says("nothing else");
        let said = ceremony.desks[0].run(&["--json", "dry-run", "vault"]).ended(0).json();
        assert_eq!(said["succeeds"], json!(true));
        let writes: Vec<_> = said["writes"].as_array().unwrap().iter().map(|w| w["name"].clone()).collect();
        assert_eq!(writes.len(), 2, "{writes:?}");
        assert!(writes.contains(&json!("guardian")) && writes.contains(&json!("vault")), "{writes:?}");
    }
}

#[test]
fn a_batch_and_an_owners_rotation_show_all_that_they_change() {
    let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), setup());
    let second = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
    ceremony.add_to_council(&format!(
        "\n[targets.second]\nanvil = \"{second}\"\n\n[levers.both]\nplaybook = \"pause/two-vaults\"\n\
         safe = \"guardian\"\nset = {{ first = \"vault\", second = \"second\" }}\n"
    ));
    rotate_lever(&mut ceremony);
    let alice = &ceremony.desks[0];
    fs::create_dir(alice.path("playbooks")).unwrap();
    fs::write(alice.path("playbooks/two-vaults.toml"), TWO_VAULTS).unwrap();
    let said = alice.run(&["--json", "pause", "both"]).ended(0).json();
    assert_eq!(said["rehearsal"]["writes"].as_array().unwrap().len(), 3);
    assert_eq!(said["rehearsal"]["holds"], json!(true));
    let run = alice.run(&["rotate", "rotate"]).ended(0);
    let run = run.says("owner bob 0x70997970C51812dc3A010C7d01b50e0d17dc79C8").says("owner alice 0xf39F");
    run.says("getOwners() is").never_says("REFUSE");
}

/// Sequential rounds of one run, as the proxy counts them.
fn rounds(proxy: &Proxy, desk: &Desk, args: &[&str], code: i32) -> usize {
    proxy.forget_counts();
    desk.run(args).ended(code);
    proxy.counts().rounds
}

#[test]
fn each_rehearsal_stays_within_its_number_of_rounds() {
    let (mut ceremony, proxies) = behind::<1>();
    rotate_lever(&mut ceremony);
    let (proxy, [alice, bob, carol]) = (&proxies[0], &ceremony.desks[..]) else { unreachable!() };
    let signing = |desk: &Desk, what: &str, more: &[&str]| {
        let (keystore, password) = (desk.keystore(), desk.password_file());
        let (keystore, password) = (keystore.to_str().unwrap(), password.to_str().unwrap());
        let args = [&["sign", what, "--keystore", keystore, "--password-file", password, "--yes"], more];
        rounds(proxy, desk, &args.concat(), 0)
    };
    let measured = [
        ("pause, cold", rounds(proxy, alice, &["pause", "vault"], 0), 2),
        ("dry-run, with hints", rounds(proxy, alice, &["dry-run", "vault"], 0), 1),
        ("rotate, cold", rounds(proxy, alice, &["rotate", "rotate"], 0), 2),
        ("rotate, with hints", rounds(proxy, alice, &["dry-run", "rotate"], 0), 1),
        ("sign, with hints", signing(alice, "vault", &[]), 1),
        ("sign, cold", signing(bob, "vault", &[]), 2),
        ("sign, cold, rotate", signing(carol, "rotate", &[]), 2),
        ("sign, offline", signing(bob, "vault", &["--offline"]), 0),
        ("status", rounds(proxy, alice, &["status", "vault"], 3), 1),
    ];
    for (what, rounds, budget) in measured {
        eprintln!("{what}: {rounds} of {budget}");
        assert!(rounds <= budget, "{what}: {rounds} rounds, and {budget} are allowed");
    }
}

/// The raw transaction is sent in the second round, and uses exactly the gas of its rehearsal.
#[test]
fn a_broadcast_leaves_in_its_second_round_with_the_rehearsed_gas() {
    let (ceremony, proxies) = behind::<1>();
    let (alice, bob) = (&ceremony.desks[0], &ceremony.desks[1]);
    alice.run(&["pause", "vault"]).ended(0);
    let lines = [sign(alice, &["vault"]), sign(bob, &["vault"])].join("\n");
    import(alice, &["vault"], &lines);
    let said = alice.run(&["--json", "dry-run", "vault"]).ended(0).json();
    assert_eq!(said["gas_is_exact"], json!(true));

    proxies[0].forget_counts();
    let (keystore, password) = (alice.keystore(), alice.password_file());
    let key = ["--keystore", keystore.to_str().unwrap(), "--password-file", password.to_str().unwrap()];
    let done =
        alice.run(&[&["--json", "broadcast", "vault", "--confirm", "guardian"][..], &key].concat()).ended(0);
    assert_eq!(proxies[0].counts().first_at["eth_sendRawTransaction"], 2);
    assert_eq!(done.json()["gas_used"], said["gas"]);
}

/// The Safe does not own the vault: the execution reverts, and the innermost reason is shown.
#[test]
fn a_transaction_that_would_revert_is_refused_with_its_reason() {
    let mut ceremony = Ceremony::new(setup());
    let foreign = deploy(&ceremony.anvil, "Vault", &key(9).address.abi_encode());
    ceremony.add_to_council(&format!(
        "\n[targets.foreign]\nanvil = \"{foreign}\"\n\n[levers.foreign]\nplaybook = \"pause/oz-pausable\"\n\
         safe = \"guardian\"\nset = {{ target = \"foreign\" }}\n"
    ));
    let alice = &ceremony.desks[0];
    let run = alice.run(&["pause", "foreign"]).ended(4).says("IT FAILS").says("rehearsal-fails");
    run.says(&format!("OwnableUnauthorizedAccount({})", ceremony.safe));
    alice.run(&["dry-run", "foreign"]).ended(1).says("OwnableUnauthorizedAccount");
}

/// The file's record decides nothing: the differences of the reader's rehearsal are shown first.
#[test]
fn differences_from_the_recorded_rehearsal_are_shown_first() {
    let ceremony = Ceremony::new(setup());
    let (alice, bob) = (&ceremony.desks[0], &ceremony.desks[1]);
    let file = proposed(alice, "pause", "vault");
    let mut json: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let carried = bob.path("carried.json");
    let dry = |json: &Value| {
        fs::write(&carried, json.to_string()).unwrap();
        bob.run(&["dry-run", carried.to_str().unwrap()]).ended(0)
    };
    dry(&json).never_says("not as recorded");
    json["rehearsal"]["writes"].as_array_mut().unwrap().pop();
    let run = dry(&json).says("not as recorded").says("rehearsed-otherwise");
    let place = |text: &str| run.stderr.find(text).unwrap();
    assert!(place("not as recorded") < place("✓ vault paused() is true"), "{}", run.stderr);

    json["rehearsal"]["version"] = json!(2);
    fs::write(&carried, json.to_string()).unwrap();
    bob.run(&["dry-run", carried.to_str().unwrap()]).ended(1).says("rehearsal.version");
}

#[test]
fn without_access_lists_it_still_finishes() {
    let (ceremony, proxies) = behind::<1>();
    proxies[0].rewrite(|method, _, truth| match method {
        "eth_createAccessList" => Err(json!({"code": -32601, "message": "not here"})),
        _ => truth,
    });
    let alice = &ceremony.desks[0];
    alice.run(&["pause", "vault"]).ended(0).says("✓ vault paused() is true");
    assert!(proxies[0].counts().rounds <= 4, "{:?}", proxies[0].counts());
}

/// If no RPC gives a value, no result of the rehearsal is shown, and the missing value is named.
#[test]
fn a_rehearsal_that_cannot_be_completed_says_so() {
    let (ceremony, proxies) = behind::<1>();
    let vault = ceremony.vault;
    proxies[0].rewrite(move |method, params, truth| match method {
        "eth_getStorageAt" if params[0] == json!(vault) && params[1] == json!(format!("{:#066x}", 0)) => {
            Err(json!({"code": -32000, "message": "missing trie node"}))
        }
        _ => truth,
    });
    let alice = &ceremony.desks[0];
    let run = alice.run(&["pause", "vault"]).ended(4).says("NOT REHEARSED").says("missing trie node");
    acceptance(&run.never_says("nothing else"), &["not-rehearsed"]);
    try_sign(alice, &["vault"]).ended(4).says("refused (not-rehearsed:");
    alice.run(&["dry-run", "vault"]).ended(7).says("missing trie node");
}

#[test]
fn several_rpcs_agree_lag_or_lie_and_the_review_says_which() {
    let (ceremony, proxies) = behind::<3>();
    let alice = &ceremony.desks[0];
    alice.run(&["pause", "vault"]).ended(0).says("3 of 3 RPCs agree");
    assert!(proxies.iter().all(|proxy| proxy.counts().rounds <= 2));

    let old = ceremony.anvil.rpc("eth_getBlockByNumber", &json!(["latest", false]));
    ceremony.anvil.mine(1);
    let old = Mutex::new(old);
    proxies[2].rewrite(move |method, params, truth| match (method, params[0].as_str()) {
        ("eth_getBlockByNumber", Some("latest")) => Ok(old.lock().unwrap().clone()),
        _ => truth,
    });
    alice.run(&["dry-run", "vault"]).ended(0).says("2 of 3 RPCs agree").says("lags behind");

    let vault = ceremony.vault;
    let lie = move |method: &str, params: &Value, truth: Result<Value, Value>| match method {
        "eth_getStorageAt" if params[0] == json!(vault) => Ok(json!(format!("{:#066x}", 7))),
        _ => truth,
    };
    proxies[2].rewrite(lie);
    alice.run(&["dry-run", "vault"]).ended(0).says("2 of 3 RPCs agree").says("lies");
    proxies[1].rewrite(move |method, params, truth| match method {
        "eth_getStorageAt" if params[0] == json!(vault) => Ok(json!(format!("{:#066x}", 8))),
        _ => truth,
    });
    alice.run(&["dry-run", "vault"]).ended(7).says("agree and 2 must");
}

/// On a fork that the person names, and at a past block.
#[test]
fn a_dry_run_goes_to_a_fork_or_to_a_block_of_the_past() {
    let ceremony = Ceremony::new(setup());
    let alice = &ceremony.desks[0];
    alice.run(&["pause", "vault"]).ended(0);
    let then = ceremony.anvil.block_number();
    ceremony.anvil.mine(3);
    let at = then.to_string();
    let run = alice.run(&["dry-run", "vault", "--at", &at, "--trace"]).ended(0);
    run.says(&format!("rehearsed at block {then}")).says("delegatecall").says("would succeed");
    let council = alice.path("breakglass.toml");
    let text = fs::read_to_string(&council).unwrap();
    fs::write(&council, text.replace(&ceremony.anvil.url(), &crate::stage::dead_url())).unwrap();
    alice.run(&["dry-run", "vault"]).ended(7);
    alice.run(&["dry-run", "vault", "--fork-url", &ceremony.anvil.url()]).ended(0).says("would succeed");
}

#[test]
fn check_lists_every_finding_and_refuses_what_is_refused() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    let object = alice.run(&["--json", "check", "vault"]).ended(0).json();
    let level = |id: &str| {
        let all = object["findings"].as_array().unwrap();
        all.iter().find(|f| f["id"] == id).map(|f| f["level"].as_str().unwrap().to_string())
    };
    assert_eq!(level("not-your-playbook").as_deref(), Some("pass"));
    assert_eq!(level("rpc-single").as_deref(), Some("warn"));
    alice.run(&["check", "vault", "--nonce", "7"]).ended(0).says("nonce 7 is not next");
}
