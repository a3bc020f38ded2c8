//! An owner signs on a Ledger: the strict emulator over TCP, with the test mnemonic's keys (alice is its first, bob its
//! second), in a whole ceremony.

use std::fs;
use std::time::Duration;

use alloy::consensus::{Transaction, TxEnvelope};
use alloy::network::eip2718::Decodable2718;
use alloy::primitives::{Bytes, keccak256};
use alloy::sol;
use alloy::sol_types::SolCall;
use breakglass::device::{Ledger, SigningMode, SigningRequest, Signs};
use breakglass::safe::{Domain, SafeId, SafeVersion, SignatureKind};

use crate::emulator::app::{Behaviour, Open, Opening, Reject, Signed};
use crate::emulator::{Emulator, Wire};
use crate::stage::{Anvil, CTRL_C, Ceremony, Desk, Run, SafeSetup, Terminal, dead_url, deploy_safe, key};
use crate::steps;

fn on_ledger(desk: &Desk, what: &[&str], emulator: &Emulator) -> Run {
    let url = emulator.url();
    desk.run(&[&["sign"], what, &["--ledger", &url, "--as", &desk.name, "--timeout", "3"]].concat())
}

#[test]
fn alice_compares_the_pages_and_approves_on_the_device() {
    let ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let emulator = Emulator::start(Behaviour::default());
    let run = on_ledger(alice, &["vault"], &emulator).ended(0);
    let run =
        run.says("On your Ledger").says("Review struct").says("verifyingContract").says("signed by alice");
    let chat = format!("{}\n{}", run.stdout, steps::sign(bob, &["vault"]));
    fs::write(alice.path("chat.txt"), chat).unwrap();
    alice.run(&["import", "vault", "chat.txt"]).ended(0);
    steps::broadcast(alice, &["vault"]).ended(0).says("done and proven");
    assert_eq!(emulator.faults(), Vec::<String>::new(), "the device was asked nothing out of order");
}

#[test]
fn a_person_who_stops_at_the_owner_question_is_not_shown_the_owners_again() {
    let ceremony = steps::two_of_three();
    let alice = &ceremony.desks[0];
    let emulator = Emulator::start(Behaviour::default());
    let url = emulator.url();
    let mut terminal = Terminal::start(&mut alice.command(&["sign", "vault", "--ledger", &url]));
    terminal.asks("Whose? Type its number, 1 to 3").types(CTRL_C);
    let run = terminal.ended(4).says("stopped at the question").says("nothing further was done");
    run.never_says("its owners").never_says("it needs the key of");
    assert!(emulator.signed().is_empty() && !alice.path("incidents").exists());
}

/// Without a terminal there is no spinner: a line says what the program waits for.
#[test]
fn a_missing_ledger_is_reported_long_before_the_wait_ends() {
    let ceremony = steps::two_of_three();
    let url = dead_url().replace("http", "tcp");
    let run = ceremony.desks[0].run(&["device", "--ledger", &url, "--timeout", "3"]).ended(6);
    let run = run.says("waiting: nothing listens at tcp://").says("Ctrl-C ends it, and nothing is signed");
    assert_eq!(run.stderr.matches("waiting: ").count(), 1, "{}", run.stderr);
    // A name that nobody has is told at once.
    let run = ceremony.desks[0].run(&["device", "--verify", "nobody", "--ledger", &url]).ended(2);
    run.says("no signer of the council file is called").never_says("waiting: ");
}

#[test]
fn a_rejection_signs_nothing_and_says_so() {
    let ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let alice = &ceremony.desks[0];
    let emulator = Emulator::start(Behaviour { reject: Some(Reject::End), ..Behaviour::default() });
    on_ledger(alice, &["vault"], &emulator).ended(6).says("rejected");
    assert!(!alice.path("incidents").exists(), "something was written");
}

#[test]
fn a_device_that_is_not_ready_is_reported_and_nothing_is_written() {
    let ceremony = steps::two_of_three();
    let alice = &ceremony.desks[0];
    let ready = Behaviour::default();
    let awake = Wire::default();
    for (behaviour, wire, said) in [
        (
            Behaviour { open: Open::Other("Bitcoin"), ..ready.clone() },
            awake.clone(),
            "the Bitcoin app is open",
        ),
        (Behaviour { open: Open::Dashboard, ..ready.clone() }, awake.clone(), "open the Ethereum app"),
        (Behaviour { locked_for: usize::MAX, ..ready.clone() }, awake.clone(), "enter its PIN"),
        (Behaviour { raw_messages: false, ..ready.clone() }, awake.clone(), "\"Raw messages\" is off"),
        (ready.clone(), Wire { asleep: true, ..awake.clone() }, "press a button to wake it"),
        (ready.clone(), Wire { hangs_up_at: Some(20), ..awake.clone() }, "unplugged or its app was closed"),
    ] {
        let run = on_ledger(alice, &["vault"], &Emulator::start_with(behaviour, wire));
        run.ended(6).says(said);
        assert!(!alice.path("incidents").exists(), "something was written: {said}");
    }
}

/// The device has every key of the test mnemonic, so alice must name one.
#[test]
fn a_device_with_several_owners_keys_signs_as_the_one_who_is_named() {
    let ceremony = steps::two_of_three();
    let alice = &ceremony.desks[0];
    let emulator = Emulator::start(Behaviour::default());
    let url = emulator.url();
    steps::refused(alice.run(&["sign", "vault", "--ledger", &url]), 2, &["--as NAME"]);
    alice.run(&["sign", "vault", "--ledger", &url, "--as", "bob"]).ended(0).says("signed by bob");
    steps::refused(alice.run(&["sign", "vault", "--ledger", &url, "--as", "zoe"]), 2, &["zoe", "alice"]);
    alice.settings("me = \"carol\"\n[ledger]\nraw_messages = true\ntransaction_hash = true\n");
    let run = alice.run(&["sign", "vault", "--ledger", &url]).ended(0).says("signed by carol");
    // With stated settings one end is shown: both hashes, and the pages to read of 36.
    let run = run.says("Read of the 36:").says("data 0x8456CB59").says("operation 0").says("Message hash");
    assert!(!run.stderr.contains("with Transaction hash off"), "{}", run.stderr);
    run.says("never press both on pages 4 to 33").says("every other value must be 0");
}

/// A Ledger shows the beginning of a batch. Without a page with a hash of the rest, the signer accepts that separately.
#[test]
fn a_batch_that_the_device_does_not_show_whole_needs_a_yes_of_its_own() {
    let mut ceremony = Ceremony::with_two_rpcs(Anvil::start(), SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let arguments = alloy::sol_types::SolValue::abi_encode(&ceremony.safe);
    let second = crate::stage::deploy(&ceremony.anvil, "Vault", &arguments);
    ceremony.add_to_council(&format!(
        "\n[targets.second]\nanvil = \"{second}\"\n\n[levers.both]\nplaybook = \"pause/two-vaults\"\n\
         safe = \"guardian\"\nset = {{ first = \"vault\", second = \"second\" }}\n"
    ));
    let alice = &ceremony.desks[0];
    fs::create_dir(alice.path("playbooks")).unwrap();
    fs::write(alice.path("playbooks/two-vaults.toml"), crate::ceremony::TWO_VAULTS).unwrap();
    let emulator = Emulator::start(Behaviour::default());
    let run = on_ledger(alice, &["both"], &emulator).ended(2).says("--unseen").says("--eth-sign");
    let run = run.says("with Transaction hash off, the Ledger shows only the first 187 bytes of the data");
    let run = run.says("operation 1 is right only if `to` is, whole, MultiSendCallOnly 1.4.1:");
    run.says("0x9641d764fc13c8B624c04430C7356C1C7C8102e2").says("any other character: reject");
    assert_eq!(emulator.signed(), [], "signed without the yes");
    on_ledger(alice, &["both", "--unseen"], &emulator).ended(0);
    on_ledger(alice, &["both", "--eth-sign"], &emulator).ended(0).says("as asked for");
    // An owner who has signed is not asked again.
    let forget = || fs::remove_dir_all(alice.path("incidents")).unwrap();
    forget();
    alice.settings("[ledger]\nraw_messages = true\ntransaction_hash = true\n");
    let run = on_ledger(alice, &["both"], &emulator).ended(0);
    assert!(!run.stderr.contains("shows only the first"), "{}", run.stderr);
    alice.settings("[ledger]\nraw_messages = true\ntransaction_hash = false\n");
    forget();
    on_ledger(alice, &["both"], &emulator).ended(2).says("! the Ledger shows only the first 187 bytes");
}

/// The review can be read before the device is connected, and shows both possible last pages if the settings are not
/// known.
#[test]
fn the_review_comes_before_the_device() {
    let ceremony = steps::two_of_three();
    let alice = &ceremony.desks[0];
    let gone = Emulator::start(Behaviour::default()).url();
    let run = alice.run(&["sign", "vault", "--ledger", &gone, "--as", "alice", "--timeout", "1"]).ended(6);
    run.says("nothing listens at").says("safeTxHash");
    let run = on_ledger(alice, &["vault"], &Emulator::start(Behaviour::default())).ended(0);
    let run = run.says("with Transaction hash on: 36 pages").says("with Transaction hash off: 30 pages");
    run.says("breakglass device --settings");
}

#[test]
fn another_seed_is_reported_with_all_paths_that_were_searched() {
    let mut ceremony = steps::two_of_three();
    ceremony.add_to_council("\n[signers.zoe]\naddress = \"0x0707070707070707070707070707070707070707\"\n");
    let emulator = Emulator::start(Behaviour::default());
    let run = ceremony.desks[0].run(&["device", "--ledger", &emulator.url(), "--verify", "zoe"]).ended(6);
    let run = run.says("this Ledger has no key of 0x07070707").says("m/44'/60'/0'/0 to m/44'/60'/0'/9");
    run.says(&key(0).address.to_string());

    // None of the owners is on it: they are named, and ten questions are asked.
    let emulator = Emulator::start(Behaviour { other_seed: true, ..Behaviour::default() });
    let run = ceremony.desks[0].run(&["sign", "vault", "--ledger", &emulator.url()]).ended(6);
    let run = run.says("this Ledger has no owner's key").says("m/44'/60'/1'/0/0 to m/44'/60'/9'/0/0");
    run.says("it needs the key of alice ")
        .says(&key(0).address.to_string())
        .says(&key(2).address.to_string());
    assert_eq!(emulator.commands().iter().filter(|command| command[1] == 0x02).count(), 10);
}

/// No app is open: the Ledger opens it after a confirmation on the device.
#[test]
fn the_ethereum_app_is_opened_by_command() {
    let ceremony = steps::two_of_three();
    let alice = &ceremony.desks[0];
    let dashboard =
        |opening| Emulator::start(Behaviour { open: Open::Dashboard, opening, ..Behaviour::default() });
    on_ledger(alice, &["vault"], &dashboard(Opening::Refused)).ended(6).says("open the Ethereum app");
    on_ledger(alice, &["vault"], &dashboard(Opening::NotInstalled)).ended(6).says("is not installed");
    on_ledger(alice, &["vault"], &dashboard(Opening::Agreed)).ended(0).says("signed by alice");
}

#[test]
fn a_second_person_verifies_an_owner_s_address_on_the_device() {
    let ceremony = steps::two_of_three();
    let alice = &ceremony.desks[0];
    let emulator = Emulator::start(Behaviour::default());
    let url = emulator.url();
    let run = alice.run(&["device", "--ledger", &url, "--verify", "bob", "--model", "flex"]).ended(0);
    assert_eq!(run.stdout.trim(), key(1).address.to_string());
    run.says("Verify Ethereum").says("bob is 0x").says("confirmed");
    emulator.change(|device| device.reject = Some(Reject::End));
    alice.run(&["device", "--ledger", &url, "--show-address"]).ended(6).says("rejected");
}

#[test]
fn a_strangers_device_is_reported_as_one() {
    let mut setup = SafeSetup::new(SafeVersion::V1_4_1, 2, 1);
    setup.owners = vec![key(8).address, key(9).address];
    let strangers = Ceremony::new(setup);
    let ethereum = Emulator::start(Behaviour::default());
    let run = strangers.desks[0].run(&["device", "--ledger", &ethereum.url()]).ended(0);
    run.says(&key(0).address.to_string()).says("Raw messages");
}

/// "Hashes only" is never silent: the review names the mode and the reason, and the device shows two hashes.
#[test]
fn hashes_are_given_only_when_they_are_asked_for() {
    let ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let alice = &ceremony.desks[0];
    let emulator = Emulator::start(Behaviour { blind_signing: true, ..Behaviour::default() });
    on_ledger(alice, &["vault", "--hashes"], &emulator).ended(0).says("Domain hash").says("as asked for");
}

/// Four owners sign, so that the call takes several commands to reach the device.
fn ready_to_send() -> Ceremony {
    let ceremony = Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 5, 4));
    let lines: Vec<String> = ceremony.desks[..4].iter().map(|desk| steps::sign(desk, &["vault"])).collect();
    steps::import(&ceremony.desks[0], &["vault"], &lines.join("\n"));
    ceremony
}

fn pay(desk: &Desk, emulator: &Emulator) -> Run {
    let url = emulator.url();
    desk.run(&["broadcast", "vault", "--confirm", "guardian", "--ledger", &url, "--timeout", "1"])
}

/// The key at the device's first path pays, even if it is not an owner's; the transaction sent is the one that the
/// device showed.
#[test]
fn a_ledger_pays_for_the_gas() {
    let ceremony = ready_to_send();
    let alice = &ceremony.desks[0];
    let emulator = Emulator::start(Behaviour { blind_signing: true, ..Behaviour::default() });
    let run = pay(alice, &emulator).ended(0).says("done and proven");
    let run = run.says("On your Ledger").says("Blind signing ahead").says("Accept risk and");
    assert!(steps::is_paused(&ceremony));

    let record = steps::files(alice.folder()).into_iter().find(|f| steps::path(f).contains("sent-")).unwrap();
    let raw: Bytes = steps::read_json(&record)["raw"].as_str().unwrap().parse().unwrap();
    let TxEnvelope::Eip1559(signed) = TxEnvelope::decode_2718_exact(&raw).unwrap() else {
        panic!("not EIP-1559: {raw}")
    };
    assert_eq!(signed.recover_signer().unwrap(), key(0).address);
    assert_eq!(emulator.signed(), [Signed::Transaction(signed.signature_hash())]);
    assert!(ceremony.anvil.receipt(keccak256(&raw)).succeeded);
    // Page by page as the device breaks it, the hash that was signed.
    let pages = run.stderr.lines().filter_map(|line| line.split_once("Tx hash ")?.1.split_once(") "));
    let shown: String = pages.flat_map(|(_, value)| value.split_whitespace()).collect();
    // Twice: nobody said whether the nonce is shown too.
    assert_eq!(shown, signed.signature_hash().to_string().repeat(2));

    let chunks: Vec<u8> = emulator.commands().iter().filter(|c| c[1] == 0x04).map(|c| c[2]).collect();
    assert!(chunks.len() > 2 && chunks[0] == 0 && chunks[1..].iter().all(|p1| *p1 == 0x80), "{chunks:x?}");
    assert!(signed.tx().input().len() > 255);
    assert_eq!(emulator.faults(), Vec::<String>::new(), "the device was asked nothing out of order");
}

#[test]
fn a_gas_payer_s_ledger_that_refuses_sends_nothing() {
    let ceremony = ready_to_send();
    let alice = &ceremony.desks[0];
    let blind = Behaviour { blind_signing: true, ..Behaviour::default() };
    for (behaviour, why) in [
        (
            Behaviour::default(),
            "\"Blind signing\" is off, and this cannot be shown field by field: turn it on in the Ethereum app's settings",
        ),
        (Behaviour { reject: Some(Reject::End), ..blind.clone() }, "rejected on the Ledger"),
        (Behaviour { reject: Some(Reject::Warning), ..blind.clone() }, "rejected on the Ledger"),
        (Behaviour { wrong_key: true, ..blind.clone() }, "the signature is from"),
    ] {
        let code = if behaviour.wrong_key { 1 } else { 6 };
        let run = pay(alice, &Emulator::start(behaviour));
        steps::refused(run, code, &[why, "nothing was sent"]);
        assert_eq!((steps::executed(&ceremony), steps::records(alice)), (0, 0), "{why}");
    }
    // Turned on while the program waits, it goes on by itself.
    let emulator = Emulator::start(Behaviour { blind_signing_in: 8, ..Behaviour::default() });
    let url = emulator.url();
    alice
        .run(&["broadcast", "vault", "--confirm", "guardian", "--ledger", &url])
        .ended(0)
        .says("done and proven");
}

#[test]
fn the_udev_rule_is_installed_once_and_never_over_another() {
    let ceremony = steps::two_of_three();
    let desk = &ceremony.desks[0];
    let rules = desk.path("60-ledger.rules");
    let install = ["device", "--install-udev", steps::path(&rules)];
    let printed = desk.run(&["device", "--udev"]).ended(0).stdout;
    assert!(printed.contains("2c97") && printed.contains("uaccess"), "{printed}");
    for _ in 0..2 {
        desk.run(&install).ended(0).says("2c97").says("unplug the Ledger and plug it in again");
        assert_eq!(fs::read_to_string(&rules).unwrap(), printed);
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&rules).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o644, "the system's own user reads it");
    }
    fs::write(&rules, "another rule").unwrap();
    steps::refused(desk.run(&install), 1, &["60-ledger.rules has another rule"]);
    assert_eq!(fs::read_to_string(&rules).unwrap(), "another rule");
}

sol! {
    function getMessageHash(bytes message) external view returns (bytes32);
    /// EIP-1271 as it was before it was final: the message itself is given.
    interface Draft {
        function isValidSignature(bytes data, bytes signature) external view returns (bytes4);
    }

    /// EIP-1271: the hash of the message is given, and is itself what the Safe's message holds.
    interface Final {
        function isValidSignature(bytes32 hash, bytes signature) external view returns (bytes4);
    }
}

/// The real contracts compute the same hash and accept the device's signature.
#[test]
fn every_safe_takes_the_message_that_its_owner_signed_on_a_ledger() {
    let word = keccak256("we hold these keys");
    let message = Bytes::copy_from_slice(word.as_slice());
    let emulator = Emulator::start(Behaviour::default());
    let mut ledger =
        Ledger::open(emulator.url().parse().unwrap(), Duration::from_secs(30), Box::new(|_| {})).unwrap();
    for version in SafeVersion::ALL {
        let anvil = Anvil::start();
        let address = deploy_safe(&anvil, &SafeSetup::new(version, 1, 1));
        let safe = SafeId { chain_id: anvil.chain_id, address, version };
        let request = SigningRequest {
            domain: &Domain::real(safe),
            signs: Signs::Message(&message),
            owner: key(0).address,
            kind: SignatureKind::Ecdsa,
            way: SigningMode::Fields,
        };
        let made = ledger.sign_safe_tx(&request).unwrap();
        let signed = emulator.signed();
        let Some(Signed::Fields(received)) = signed.last() else { panic!("{signed:?}") };
        let named = anvil.view(address, &getMessageHashCall { message: message.clone() });
        assert_eq!(received.digest(), named, "{version}");
        let signature = Bytes::copy_from_slice(made.bytes());
        if version < SafeVersion::V1_3_0 {
            let call = Draft::isValidSignatureCall { data: message.clone(), signature };
            assert_eq!(anvil.view(address, &call).0, Draft::isValidSignatureCall::SELECTOR, "{version}");
        } else {
            let call = Final::isValidSignatureCall { hash: word, signature };
            assert_eq!(anvil.view(address, &call).0, Final::isValidSignatureCall::SELECTOR, "{version}");
        }
    }
}
