//! Drills: the whole ceremony with real keys and a real Safe's code, with signatures that are good on no chain; and a drill
//! that is taken for the real thing, or the reverse.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use alloy::primitives::{Address, Bytes, U256};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};
use breakglass::proposal::{Proposal, find_signatures};
use breakglass::safe::{Approval, DRILL_CHAIN_ID, EcdsaSignature, SafeVersion, encode_approvals};
use serde_json::Value;

use crate::emulator::Emulator;
use crate::emulator::app::{Behaviour, Signed};
use crate::stage::{Ceremony, Desk, Run, SafeSetup, deploy, deploy_safe, encrypt, key};
use crate::steps::{
    self, behind_a_proxy, broadcast, contents, executed, files, import, is_paused, path, pausedCall, refused,
    run, sent, sign, try_import, try_sign, two_of_three, with_key,
};

sol! {
    function checkSignatures(bytes32 dataHash, bytes data, bytes signatures) external view;
}

/// Announces a drill; gives its words, as they stand in the line for the chat.
pub fn announce(desk: &Desk, what: &[&str]) -> (String, Value) {
    let object = desk.run(&[&["--json", "drill"], what].concat()).ended(0).json();
    let line = object["announcement"].as_str().unwrap();
    let words = line.split(": breakglass sign ").nth(1).unwrap().to_string();
    assert_eq!(object["drill"], words, "{object}");
    (words, object)
}

/// Runs what the line for the chat says.
fn try_drill(desk: &Desk, words: &str) -> Run {
    try_sign(desk, &words.split(' ').collect::<Vec<_>>())
}

pub fn drill(desk: &Desk, words: &str) -> String {
    let run = try_drill(desk, words).ended(0).says("DRILL signed by").never_says("REAL");
    let line = run.stdout.trim().to_string();
    assert!(line.starts_with("bgdrill2"), "{line}");
    line
}

pub fn prove(desk: &Desk, words: &str) -> Run {
    desk.run(&["broadcast", words])
}

#[test]
fn three_people_drill_and_nothing_is_sent() {
    let (mut ceremony, proxy) = behind_a_proxy();
    ceremony.add_to_council("\n[response]\nfirst_signature = \"10 minutes\"\nproof = \"30 minutes\"\n");
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let run = alice.run(&["drill", "vault"]).ended(0);
    let line = run.stdout.trim().to_string();
    run.says("DRILL · PAUSE vault").says("DRILL announced").never_says("REAL");
    let name = line.split(' ').next_back().unwrap();
    let head = name.rsplit('-').next().unwrap();
    assert_eq!(line, format!("DRILL vault n0 {head}: breakglass sign drill:vault-n0-{head}"));
    assert!(files(alice.folder()).iter().any(|file| path(file).contains("/incidents/DRILL-20")));

    // Bob's machine has nothing but the line: it derives the drill alone, and says that his journal does not know it.
    let bobs = drill(bob, name);
    let told = try_drill(bob, name).ended(0);
    told.says("has signed this before");
    // Carol has no network at hand.
    let carols = try_sign(carol, &[name, "--offline"]).ended(0).says("DRILL signed by").never_says("REAL");
    assert!(carols.stdout.starts_with("bgdrill2"));
    let carols =
        carols.says("drill-unannounced").says("call the person who is said to have announced it").stdout;

    prove(alice, name).ended(3).says("0 of 2 owners have signed");
    alice.run(&["status", name]).ended(3).says("0 of 2 signed");
    let chat = alice.path("chat.txt");
    fs::write(&chat, format!("bob: {bobs}\nok\ncarol: {carols}")).unwrap();
    let proven = alice.run(&["--json", "broadcast", name, "--chat", path(&chat)]).ended(0).json();
    assert_eq!((&proven["proven"], &proven["sent"]), (&Value::from(true), &Value::from(false)), "{proven}");
    assert_eq!(proven["after"][0]["holds"], true);
    assert_eq!(proven["times"]["signed"].as_array().unwrap().len(), 2);
    assert_eq!(proven["times"]["phases"][2]["what"], "proven");
    assert_eq!(proven["times"]["phases"][2]["target_seconds"], 1_800);
    alice.run(&["status", name]).ended(0).says("DRILL: enough have signed");
    let told = prove(alice, name).ended(0);
    told.says("DRILL proven").says("Nothing was sent").says("signed by bob").says("in time");

    // The chain knows nothing of it, and the journal nothing real.
    assert!(!is_paused(&ceremony) && executed(&ceremony) == 0 && sent(&proxy) == 0);
    for desk in [alice, bob, carol] {
        let journal = fs::read_to_string(steps::journal(desk)).unwrap();
        assert!(journal.contains(r#""kind":"drill""#), "{journal}");
        for real in ["proposed", "signed", "imported", "sent", "proven"] {
            assert!(!journal.contains(&format!("\"kind\":\"{real}\"")), "{real}: {journal}");
        }
    }
    alice
        .run(&["log"])
        .ended(0)
        .says("DRILL: announced")
        .says("DRILL: took in bob")
        .says("DRILL: proven on a fork");
    alice.run(&["report"]).never_says("Sent");
    alice.run(&["status", "vault"]).ended(3).says("0 of 2 signed");

    // The next drill is another one: nobody's old signature counts for it.
    let (next, _) = announce(alice, &["vault"]);
    assert!(next.starts_with("drill:vault-n1-"), "{next}");
    prove(alice, &next).ended(3).says("0 of 2 owners have signed");
    // Then the real thing, with the same people: its signatures are its own.
    let lines = [sign(bob, &["vault"]), sign(carol, &["vault"])];
    import(alice, &["vault"], &lines.join("\n"));
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    assert!(is_paused(&ceremony));
}

#[test]
fn a_line_of_one_pasted_into_the_other_is_refused_and_explained() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let (name, _) = announce(alice, &["vault"]);
    let drilled = drill(bob, &name);
    let real = sign(carol, &["vault"]);
    let before = contents(alice.folder());
    refused(try_import(alice, &["vault"], &drilled), 4, &["it is of a DRILL, and signs nothing real"]);
    refused(try_import(alice, &[&name], &real), 4, &["it is REAL, and not of a drill"]);
    // Without the head that says what it is: the signer that comes out is nobody.
    let bare =
        |line: &str| format!("0x{}", alloy::primitives::hex::encode(find_signatures(line).stated[0].bytes));
    refused(try_import(alice, &["vault"], &bare(&drilled)), 4, &["bob signed a DRILL of vault at nonce 0"]);
    refused(try_import(alice, &[&name], &bare(&real)), 4, &["carol signed the REAL vault at nonce 0"]);
    let kept = |file: &std::path::PathBuf| path(file).contains("incidents");
    let left = |all: Vec<(std::path::PathBuf, Vec<u8>)>| -> Vec<_> {
        all.into_iter().filter(|(file, _)| kept(file)).collect()
    };
    assert_eq!(left(before), left(contents(alice.folder())), "something was kept");
    // In one chat with both, each takes its own.
    let both = format!("{drilled}\n{real}");
    try_import(alice, &["vault"], &both).ended(4).says("1 of 2: carol").says("DRILL");
    try_import(alice, &[&name], &both).ended(4).says("1 of 2: bob").says("REAL");
    refused(
        try_import(alice, &["vault", &name], &both),
        2,
        &["vault is REAL, and a drill is named beside it"],
    );
    // A file of a signature, laid beside the other's proposal by hand.
    let folder = |desk: &Desk, is_drill: bool| {
        let all = fs::read_dir(desk.path("incidents")).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|at| at.is_dir()).find(|at| path(at).contains("DRILL") == is_drill).unwrap()
    };
    let laid = fs::read_dir(folder(bob, true)).unwrap().map(|entry| entry.unwrap().path());
    let laid = laid.into_iter().find(|file| path(file).ends_with(".sig.json")).unwrap();
    fs::copy(&laid, folder(alice, false).join(laid.file_name().unwrap())).unwrap();
    alice.run(&["status", "vault"]).ended(3).says("1 of 2 signed").says("DRILL");
}

#[test]
fn a_drills_signatures_are_refused_by_the_real_chain() {
    for version in [SafeVersion::V1_3_0, SafeVersion::V1_4_1] {
        let ceremony = Ceremony::new(SafeSetup::new(version, 3, 2));
        let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
        let (name, object) = announce(alice, &["vault"]);
        let lines = [drill(bob, &name), drill(carol, &name)];
        let read = |line: &String| {
            let stated = find_signatures(line).stated[0].clone();
            EcdsaSignature::from_safe_bytes(&stated.bytes, &stated.hash.unwrap(), version).unwrap()
        };
        let mut signatures: Vec<EcdsaSignature> = lines.iter().map(read).collect();
        signatures.sort_by_key(EcdsaSignature::signer);
        let approvals: Vec<Approval> = signatures.into_iter().map(Approval::Signed).collect();
        let packed = encode_approvals(&approvals);
        let text = fs::read_to_string(alice.path(object["proposal"].as_str().unwrap())).unwrap();
        let drilled = Proposal::parse(&text).unwrap();
        let signed_for_real = drilled.safe().hashes(drilled.tx());
        let check = |hash| {
            let data = drilled.hashes().pre_image();
            let call = checkSignaturesCall { dataHash: hash, data, signatures: packed.clone() };
            ceremony.anvil.try_call(Address::ZERO, ceremony.safe, &call.abi_encode().into())
        };
        // They are good signatures of the drill's hash, and of nothing that this Safe can be made to execute.
        assert!(check(*drilled.hash().word()).is_ok());
        assert!(check(*signed_for_real.safe_tx.word()).is_err());
        let call: Bytes = drilled.tx().exec_calldata(packed.clone());
        assert!(ceremony.anvil.try_call(key(8).address, ceremony.safe, &call).is_err());
        let receipt = ceremony.anvil.try_send(key(8).address, Some(ceremony.safe), &call, U256::ZERO);
        assert!(!receipt.succeeded && !is_paused(&ceremony) && executed(&ceremony) == 0);
    }
}

#[test]
fn a_machine_that_comes_to_another_drill_says_so_and_signs_nothing() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let (name, _) = announce(alice, &["vault"]);
    let head = name.rsplit('-').next().unwrap();
    let other = name.replace(head, if head == "0000" { "0001" } else { "0000" });
    for (word, code, said) in [
        (other.as_str(), 4, "is not the drill that your own files give: that is 0x"),
        (&name.replace("-n0-", "-n3-"), 4, "is not the drill that your own files give"),
        (&name.replace("vault", "bridge"), 2, "no lever is called \"bridge\""),
        ("drill:vault", 2, "is not the name of a drill"),
    ] {
        refused(try_drill(bob, word), code, &[said]);
        refused(prove(bob, word), code, &[said]);
    }
    refused(try_sign(bob, &[&name, "vault"]), 2, &["vault is REAL, and a drill is named beside it"]);
    refused(try_sign(bob, &[&name, "--nonce", "4"]), 2, &["names its nonce already"]);
    let ahead = with_key(bob, &["sign", &name, "--nonces", "0..3", "--to", "set.txt"]);
    refused(run(bob, &ahead), 2, &["a drill is signed once"]);
    assert!(
        !bob.path("incidents").exists()
            || files(&bob.path("incidents")).iter().all(|f| !path(f).ends_with(".sig.json"))
    );
    for flag in ["--calldata", "--nonces=0..1"] {
        refused(alice.run(&["broadcast", &name, flag]), 2, &["is for what is sent"]);
    }
}

#[test]
fn a_safe_that_signs_no_chain_id_is_not_drilled() {
    let ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_1_1, 3, 2));
    let alice = &ceremony.desks[0];
    let run = refused(alice.run(&["drill", "vault"]), 4, &["1.1.1", &ceremony.safe.to_string()]);
    assert!(run.stdout.is_empty(), "{}", run.stdout);
    refused(try_drill(alice, "drill:vault-n0-7f3a"), 4, &["1.1.1", "would be a real one"]);
    assert!(!alice.path("incidents").exists());
}

#[test]
fn the_arguments_that_a_lever_leaves_open_are_in_the_line() {
    let mut ceremony = two_of_three();
    let (old, new) = (ceremony.setup.owners[2], key(7).address);
    ceremony.add_to_council(
        "\n[levers.swap]\nplaybook = \"rotate/safe-swap-owner\"\nsafe = \"guardian\"\n\
         \n[levers.both]\npull = [\"vault\", \"swap\"]\n",
    );
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let (words, _) =
        announce(alice, &["swap", "--set", &format!("old={old}"), "--set", &format!("new={new}")]);
    assert!(words.starts_with("drill:swap-n0-") && words.contains(&format!("--set new={new}")), "{words}");
    let lines = [drill(bob, &words), drill(carol, &words)];
    let name = words.split(' ').next().unwrap();
    let command: Vec<&str> = std::iter::once("broadcast").chain(words.split(' ')).collect();
    let chat = alice.path("chat.txt");
    fs::write(&chat, lines.join("\n")).unwrap();
    alice.run(&[&command[..], &["--chat", path(&chat)]].concat()).ended(0).says("DRILL proven");
    // Without them the drill is another one, or none.
    assert_ne!(try_drill(bob, name).code, 0);
    // Several levers of one Safe are one drill.
    let set = [format!("swap.old={old}"), format!("swap.new={new}")];
    let (words, _) = announce(alice, &["both", "--set", &set[0], "--set", &set[1]]);
    assert!(words.starts_with("drill:both-n0-"), "{words}");
    drill(bob, &words);
}

#[test]
fn a_ledger_shows_the_chain_of_the_drill() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let (name, object) = announce(alice, &["vault"]);
    let emulator = Emulator::start(Behaviour::default());
    let run = bob.run(&["sign", &name, "--ledger", &emulator.url(), "--as", "bob"]).ended(0);
    let chain = DRILL_CHAIN_ID.to_string();
    let line = run.stdout.trim().to_string();
    run.says(&format!("chainId {chain}")).says("DRILL").never_says("REAL");
    let [Signed::Fields(received)] = &emulator.signed()[..] else { panic!("{:?}", emulator.signed()) };
    assert_eq!(received.domain_hash.to_string(), object["domain_hash"]);
    assert_eq!(received.message_hash.to_string(), object["message_hash"]);
    import(alice, &[&name], &line);
    alice.run(&["status", &name]).ended(3).says("1 of 2 signed");
}

#[test]
fn one_laptop_plays_all_roles() {
    let ceremony = two_of_three();
    let laptop = &ceremony.desks[0];
    let store = |n: usize, name: &str| {
        let file = laptop.path(name);
        fs::write(&file, encrypt(&key(n), "all roles").to_string()).unwrap();
        file
    };
    let [first, second, stranger] =
        [(1, "bob.json"), (2, "carol.json"), (7, "stranger.json")].map(|(n, name)| store(n, name));
    let password = laptop.path("all-roles");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&password).unwrap();
    writeln!(file, "all roles").unwrap();
    let solo = |stores: &[&std::path::Path]| {
        let mut words = vec!["drill", "vault", "--solo", "--password-file", path(&password)];
        for store in stores {
            words.extend(["--keystore", path(store)]);
        }
        laptop.run(&words)
    };
    refused(solo(&[&first]), 3, &["1 of 2 owners have signed", "missing: alice, carol"]);
    refused(solo(&[&first, &stranger]), 2, &["which is not an owner"]);
    let run = solo(&[&first, &second]).ended(0).says("DRILL proven").says("signed by carol");
    run.never_says("REAL").never_says("Sent");
    assert!(!is_paused(&ceremony) && executed(&ceremony) == 0);
    // Once more: another drill, and the one before it is shown beside it.
    let run = solo(&[&first, &second]).ended(0);
    run.says("earlier drills").says("nonce 1");
    // In Foundry's folder they are found by their owners' addresses.
    let folder = laptop.home().join(".foundry/keystores");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(&first, folder.join("bob")).unwrap();
    fs::copy(&second, folder.join("carol")).unwrap();
    fs::copy(&stranger, folder.join("stranger")).unwrap();
    solo(&[]).ended(0).says("DRILL proven").says("nonce 2");
}

/// Each Safe has its own drill, with its own owners and threshold: a proven one does not prove the other.
#[test]
fn levers_of_several_safes_are_a_drill_for_each_safe() {
    let mut ceremony = two_of_three();
    let strong = deploy_safe(&ceremony.anvil, &SafeSetup::new(SafeVersion::V1_3_0, 3, 3));
    let bridge = deploy(&ceremony.anvil, "Vault", &strong.abi_encode());
    ceremony.add_to_council(&format!(
        "\n[safes.strong]\nchain = \"anvil\"\naddress = \"{strong}\"\nversion = \"1.3.0\"\n\
         owners = [\"alice\", \"bob\", \"carol\"]\nthreshold = 3\n\
         [targets.bridge]\nanvil = \"{bridge}\"\n\
         [levers.bridge]\nplaybook = \"pause/oz-pausable\"\nsafe = \"strong\"\nset = {{ target = \"bridge\" }}\n\
         [levers.freeze]\ntitle = \"Stop everything\"\npull = [\"vault\", \"bridge\"]\n"
    ));
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let run = alice.run(&["drill", "freeze"]).ended(0);
    let name = |line: &str| Some(line.split_once(": breakglass sign ")?.1.to_string());
    let names: Vec<String> = run.stdout.lines().filter_map(name).collect();
    let [vault, bridged] = &names[..] else { panic!("{}", run.stdout) };
    assert!(vault.starts_with("drill:vault-n0-") && bridged.starts_with("drill:bridge-n0-"), "{names:?}");
    // One of the two in the other's place is another drill, and neither is real.
    let swapped = bridged.replace("bridge", "vault");
    refused(try_sign(bob, &[&swapped]), 4, &["is not the drill that your own files give"]);
    refused(try_sign(bob, &[vault, "bridge"]), 2, &["bridge is REAL, and a drill is named beside it"]);

    let signed = |desk: &Desk| {
        let run = try_sign(desk, &[vault, bridged]).ended(0).never_says("REAL");
        assert_eq!(run.stdout.lines().count(), 2, "{}", run.stdout);
        run.stdout
    };
    let chat = alice.path("chat.txt");
    fs::write(&chat, [signed(bob), signed(carol)].concat()).unwrap();
    let both = ["broadcast", vault, bridged, "--chat", path(&chat)];
    alice.run(&both).ended(3).says("DRILL proven").says("2 of 3 owners have signed");
    fs::write(&chat, [signed(bob), signed(carol), signed(alice)].concat()).unwrap();
    alice.run(&["broadcast", bridged, "--chat", path(&chat)]).ended(0).says("DRILL proven");
    assert!(!is_paused(&ceremony) && !ceremony.anvil.view(bridge, &pausedCall {}));
    assert_eq!(executed(&ceremony), 0);
}
