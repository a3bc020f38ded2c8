//! A person with a Ledger at a terminal: reviews that take their time, are stopped, rejected, or need a setting first.

use std::fs;
use std::time::Duration;

use crate::emulator::app::{Behaviour, Reject};
use crate::emulator::{Emulator, Wire};
use crate::stage::{Ceremony, Desk, Terminal};
use crate::steps::{self, files, two_of_three};

fn at_a_terminal(desk: &Desk, words: &[&str], emulator: &Emulator) -> Terminal {
    let url = emulator.url();
    let ledger = ["--ledger", &url, "--timeout", "20"];
    let mut command = desk.command(&[words, &ledger].concat());
    Terminal::of_width(80, command.env("TERM", "xterm").env("NO_COLOR", "1"))
}

fn signing(desk: &Desk, emulator: &Emulator) -> Terminal {
    at_a_terminal(desk, &["sign", "vault", "--as", &desk.name], emulator)
}

/// Alice's Safe, whose vault three levers pause.
fn three_levers() -> Ceremony {
    let mut ceremony = two_of_three();
    for lever in ["again", "once-more"] {
        ceremony.add_to_council(&format!(
            "\n[levers.{lever}]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian\"\nset = {{ target = \"vault\" }}\n"
        ));
    }
    ceremony.add_to_council(
        "\n[levers.all]\npull = [\"vault\", \"again\", \"once-more\"]\nalone = [\"again\", \"once-more\"]\n",
    );
    ceremony
}

/// A rejection skips only its proposal: the others are printed, kept and in the JSON object, and the exit code reports
/// the rejection.
#[test]
fn of_several_one_is_rejected_on_the_device_and_the_others_are_signed() {
    let ceremony = three_levers();
    let alice = &ceremony.desks[0];
    for (point, rejected) in [(Reject::End, 0), (Reject::Warning, 1), (Reject::End, 2)] {
        let emulator =
            Emulator::start(Behaviour { reject_at: Some((rejected, point)), ..Behaviour::default() });
        let url = emulator.url();
        let words = ["sign", "all", "--ledger", &url, "--as", "alice"];
        let run = alice.run(&words).ended(6);
        let run = run
            .says("for each of them: it shows each call whole")
            .says("3 to sign")
            .says("3 of 3")
            .says("skipped: rejected on the Ledger");
        let run = run.says("1 of 3 were not signed: you said no").says("the others are signed");
        assert_eq!((emulator.signed().len(), run.stdout.trim().lines().count()), (2, 2));
        // Those that follow on the same Safe wait for the nonce of the one that was rejected.
        assert_eq!(run.stderr.contains("can be sent only once nonce"), rejected < 2, "{}", run.stderr);
        // Those that are signed are not asked for again.
        let again = alice.run(&[&words[..], &["--json"]].concat());
        assert_eq!(again.stderr.matches("already signed: ").count(), 2, "{}", again.stderr);
        fs::remove_dir_all(alice.path("incidents")).unwrap();
        let emulator =
            Emulator::start(Behaviour { reject_at: Some((rejected, point)), ..Behaviour::default() });
        let url = emulator.url();
        let words = ["sign", "all", "--ledger", &url, "--as", "alice", "--json"];
        let object = alice.run(&words).ended(6).json();
        let count = |name: &str| object[name].as_array().unwrap().len();
        assert_eq!((count("signatures"), count("rejected")), (2, 1), "{object}");
        fs::remove_dir_all(alice.path("incidents")).unwrap();
    }
}

/// The time that the review has taken is shown; Ctrl-C ends it with nothing written, and the next one starts clean.
#[test]
fn a_review_shows_its_time_and_ctrl_c_ends_it() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    let slow = Wire { thinks_for: Duration::from_mins(5), ..Wire::default() };
    let emulator = Emulator::start_with(Behaviour::default(), slow);
    let mut terminal = signing(alice, &emulator);
    terminal.asks("Read of the 36:").asks("compare, and approve or reject; Ctrl-C ends it (0s)");
    terminal.asks("Ctrl-C ends it (1s)").asks("Ctrl-C ends it (2s)");
    terminal.interrupts();
    let run = terminal.ends();
    assert_ne!(run.code, 0);
    run.never_says("bgsig1").never_says("signed by");
    assert!(!files(alice.folder()).iter().any(|file| steps::path(file).ends_with(".sig.json")));
    // An approval of the review that is left on the device has no effect.
    emulator.change_wire(|wire| wire.thinks_for = Duration::ZERO);
    signing(alice, &emulator).ended(0).says("signed by alice");
    assert_eq!(emulator.faults(), Vec::<String>::new());
}

/// The app does not tell whether Raw messages is on: it refuses, its person turns it on, and the same review begins again.
#[test]
fn raw_messages_is_turned_on_and_the_signing_goes_on() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    let emulator = Emulator::start(Behaviour { raw_messages: false, ..Behaviour::default() });
    let mut terminal = signing(alice, &emulator);
    terminal.asks("\"Raw messages\" is off in the Ethereum app's settings: turn it on");
    terminal.asks("then press Enter: ").types("\n");
    // It was not: the same is said again.
    terminal.asks_times("then press Enter: ", 2);
    assert_eq!(emulator.signed(), []);
    emulator.change(|device| device.raw_messages = true);
    terminal.types("\n");
    terminal.ended(0).says("signed by alice");

    // Somebody who stops at the question signs nothing.
    emulator.change(|device| device.raw_messages = false);
    fs::remove_dir_all(alice.path("incidents")).unwrap();
    let mut terminal = signing(alice, &emulator);
    terminal.asks("then press Enter: ").types("\u{3}");
    terminal.ended(4).says("stopped at the question");
    assert_eq!(emulator.signed().len(), 1);
}

/// A person who turned Blind signing on is still in the menu: the review begins after they confirm that they left it.
/// Its pages were shown before.
#[test]
fn a_review_does_not_begin_under_the_menu() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    let emulator = Emulator::start(Behaviour::default());
    let mut terminal = at_a_terminal(alice, &["sign", "vault", "--as", "alice", "--hashes"], &emulator);
    terminal.asks("\"Blind signing\" is off and this needs it").asks("Domain hash").asks("s left)");
    emulator.change(|device| device.blind_signing = true);
    terminal.asks("then press Enter: ");
    let before = emulator.commands().len();
    std::thread::sleep(Duration::from_millis(300));
    assert!(emulator.signed().is_empty() && emulator.commands().len() == before, "it began under the menu");
    terminal.types("\n");
    terminal.ended(0).says("signed by alice").never_says("must be enabled");
}

/// The search for the owner's key shows how far it is.
#[test]
fn a_search_says_how_far_it_is() {
    let mut ceremony = two_of_three();
    ceremony.add_to_council("\n[signers.zoe]\naddress = \"0x0707070707070707070707070707070707070707\"\n");
    let slow = Wire { answers_after: Duration::from_millis(150), ..Wire::default() };
    let emulator = Emulator::start_with(Behaviour::default(), slow);
    let alice = &ceremony.desks[0];
    let mut terminal = at_a_terminal(alice, &["device", "--verify", "zoe"], &emulator);
    terminal.asks("looking for the key: path ").asks("of 29");
    terminal.ended(6).says("no key of 0x0707");
}
