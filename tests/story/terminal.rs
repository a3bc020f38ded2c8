//! A person at a terminal: what they are asked, what happens when they say no, and what when nobody is there.

use std::fs;
use std::process::Command;

use breakglass::ui::Ui;
use serde_json::json;

use crate::stage::{CTRL_C, CTRL_D, Ceremony, Desk, Run, Terminal};
use crate::steps::{
    broadcast, contents, executed, files, is_paused, path, propose, read_json, refused,
    refused_without_a_trace, sign, signed_by_two, two_of_three, with_key,
};

fn at_a_terminal(desk: &Desk, words: &[&str]) -> Terminal {
    Terminal::start(&mut desk.command(words))
}

/// A key whose password is asked for.
fn asking<'a>(keystore: &'a str, words: &[&'a str]) -> Vec<&'a str> {
    [words, &["--keystore", keystore]].concat()
}

/// The desk is as it was, and the Safe has executed nothing.
#[track_caller]
fn stopped(ceremony: &Ceremony, desk: &Desk, words: &[&str], question: &str, answer: &str, code: i32) -> Run {
    let before = contents(desk.folder());
    let mut terminal = at_a_terminal(desk, words);
    terminal.asks(question).types(answer);
    let run = terminal.ended(code).says("error: ").says("→");
    let after = contents(desk.folder());
    let new: Vec<_> = after
        .iter()
        .filter(|f| !before.contains(f) && f.0.extension().is_none_or(|end| end != "lock"))
        .collect();
    assert!(new.is_empty(), "{new:?}");
    assert_eq!(executed(ceremony), 0);
    run
}

#[test]
fn a_person_signs_and_sends_by_typing_and_the_password_is_never_seen() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let keystore = alice.keystore();
    let mut terminal = at_a_terminal(alice, &asking(path(&keystore), &["sign", "vault"]));
    terminal
        .asks("yes / no / more: ")
        .types("yes\n")
        .asks("password of")
        .types(&format!("{}\n", alice.password()));
    terminal.ended(0).says("bgsig2").never_says(&alice.password());
    let bobs = sign(bob, &["vault"]);

    // A chat pasted into the terminal, wrapped by it.
    let mut terminal = at_a_terminal(alice, &["import", "vault"]);
    let (head, tail) = bobs.split_at(90);
    terminal.asks("press Ctrl-D").types(&format!("> {head}\n> {tail}\n{CTRL_D}"));
    terminal.ended(0).says("imported  bob 0x").says("2 of 2: alice, bob. Next: breakglass broadcast vault");

    let mut terminal = at_a_terminal(alice, &asking(path(&keystore), &["broadcast", "vault"]));
    terminal.asks("password of").types(&format!("{}\n", alice.password()));
    terminal.asks("Type the Safe's name, guardian: ").types("guardian\n");
    terminal.ended(0).says("done and proven").never_says(&alice.password());
    assert!(is_paused(&ceremony));
}

#[test]
fn ctrl_c_at_each_prompt_leaves_everything_as_it_was() {
    let ceremony = two_of_three();
    let carol = &ceremony.desks[2];
    let alice = signed_by_two(&ceremony);
    let (carols, alices) = (carol.keystore(), alice.keystore());
    for answer in [CTRL_C, "ye\u{3}", CTRL_D] {
        if answer != CTRL_D {
            let words = asking(path(&alices), &["broadcast", "vault"]);
            stopped(&ceremony, alice, &words, "password of", answer, 4).says("stopped at the question");
        }
        let words = asking(path(&carols), &["sign", "vault"]);
        stopped(&ceremony, carol, &words, "no / more: ", answer, 4).says("stopped at the question");
        let words = asking(path(&carols), &["sign", "vault", "--yes"]);
        stopped(&ceremony, carol, &words, "password of", answer, 4).says("stopped at the question");
    }
    let words = with_key(alice, &["broadcast", "vault"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    stopped(&ceremony, alice, &words, "Type the Safe's name", CTRL_C, 4).says("stopped at the question");
    // The next run starts without an obstacle.
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
}

#[test]
fn a_window_that_changes_under_a_question_loses_neither_the_question_nor_the_answer() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    let keystore = alice.keystore();
    let words = asking(path(&keystore), &["sign", "vault"]);
    let mut terminal = Terminal::of_width(80, &mut alice.command(&words));
    let (question, cut) = ("yes / no / more: ", "read which ones carry it before you…");
    terminal.asks(question).resizes(60).types("mo").resizes(120).types("re\n");
    terminal.asks_times(question, 2);
    let misses: Vec<String> =
        terminal.lines().into_iter().filter(|line| line.starts_with("   misses ")).collect();
    // Laid out for the window as it is now.
    assert!(misses[0].ends_with(cut) && misses[1].ends_with("before you rely on this"), "{misses:?}");
    terminal.resizes(100).types("yes\n").asks("password of").types(&format!("{}\n", alice.password()));
    terminal.ended(0).says("bgsig2");
}

#[test]
fn an_answer_of_no_signs_nothing() {
    let ceremony = two_of_three();
    let carol = &ceremony.desks[2];
    let alice = signed_by_two(&ceremony);
    let carols = carol.keystore();
    for no in ["no\n", "N\n"] {
        let words = asking(path(&carols), &["sign", "vault"]);
        stopped(&ceremony, carol, &words, "no / more: ", no, 4).says("you did not type yes");
    }
    let words = with_key(alice, &["broadcast", "vault"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    for no in ["yes\n", "Guardian\n", "\n"] {
        let run = stopped(&ceremony, alice, &words, "Type the Safe's name", no, 4);
        run.says("the Safe's name is guardian");
    }
    refused(
        alice.run(&[&words[..], &["--confirm", "treasury"]].concat()),
        4,
        &["the Safe's name is guardian"],
    );
    assert_eq!(executed(&ceremony), 0);
    assert!(!files(alice.folder()).iter().any(|f| path(f).contains("sent-")), "a transaction was recorded");
}

/// Typed before the question was asked, it is not an answer.
#[test]
fn a_yes_typed_ahead_signs_nothing() {
    let ceremony = two_of_three();
    let bob = &ceremony.desks[1];
    let keystore = bob.keystore();
    let mut terminal = at_a_terminal(bob, &asking(path(&keystore), &["sign", "vault"]));
    terminal.types("yes\n").asks("no / more: ").types("no\n");
    terminal.ended(4).says("you did not type yes");
}

#[test]
fn without_a_terminal_the_flag_to_pass_is_named() {
    let ceremony = two_of_three();
    let carol = &ceremony.desks[2];
    let alice = signed_by_two(&ceremony);
    let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    refused_without_a_trace(carol, &with_key(carol, &["sign", "vault"]), 2, &["--yes"]);
    let keystore = carol.keystore();
    let words = owned(&["sign", "vault", "--yes", "--keystore", path(&keystore)]);
    refused_without_a_trace(carol, &words, 2, &["--password-file"]);
    refused_without_a_trace(carol, &owned(&["sign", "vault", "--yes"]), 2, &["--keystore"]);
    refused(crate::steps::run(alice, &with_key(alice, &["broadcast", "vault"])), 2, &["--confirm guardian"]);
    refused_without_a_trace(alice, &owned(&["broadcast", "vault"]), 2, &["--keystore"]);
    assert_eq!(executed(&ceremony), 0);
    refused_without_a_trace(carol, &owned(&["status", "valt"]), 2, &["did you mean vault"]);
}

/// Not a test, but the program that the next test runs: no machine here has two Ledgers.
#[test]
#[ignore = "asks somebody at a terminal"]
fn which_of_two() {
    let two = ["Nano X at /dev/hidraw3".to_string(), "Flex at /dev/hidraw5".to_string()];
    let chosen = Ui::new(false).choose("Which Ledger?", &two, "--ledger-serial SERIAL");
    println!("chosen: {}", two[chosen.unwrap()]);
}

#[test]
fn a_choice_is_asked_for_until_it_is_one() {
    let mut itself = Command::new(std::env::current_exe().unwrap());
    itself.args(["--ignored", "--exact", "--nocapture", "terminal::which_of_two"]);
    let mut terminal = Terminal::start(&mut itself);
    terminal.asks("2  Flex at /dev/hidraw5").asks("Which Ledger? Type its number, 1 to 2: ").types("3\n");
    terminal.asks("3\r\nWhich Ledger?").types("2\n");
    terminal.ended(0).says("chosen: Flex");
}

/// A line that a file would like to be the program's own.
const FORGED: &str = "✓ FORGED: matches your playbook";

/// Padded and numerous texts of a file: at a terminal and in a log none of them begins a line, and together they take
/// at most one screen.
#[test]
fn no_text_of_a_file_begins_a_line_and_all_of_them_fit_on_a_screen() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let honest = read_json(&propose(alice));
    let words = asking_nothing(bob, "handed-over.json");
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    fs::write(bob.path("handed-over.json"), honest.to_string()).unwrap();
    let rows = |run: &Run| format!("{}{}", run.stdout, run.stderr).lines().count();
    let usual = [rows(&at_a_terminal(bob, &words).ended(0)), rows(&bob.run(&words))];
    let paddings =
        [" ".repeat(110), "\n".into(), "\r\n".into(), "x ".repeat(58), "\u{2028}".into(), "大".repeat(58)];
    for padding in paddings {
        let text = format!("{padding}{FORGED}");
        let many: Vec<String> = (0..90).map(|n| format!("{n}{text}")).collect();
        let arguments: serde_json::Map<_, _> = (0..40).map(|n| (format!("a{n}"), json!(text))).collect();
        for (pointer, value) in [
            ("/accepted", json!(many)),
            ("/levers/0/arguments", arguments.into()),
            ("/levers/0/arguments/target", json!(text)),
            ("/levers/0/lever", json!(text)),
            ("/pull/names", json!([text])),
            ("/levers/0/playbook", json!(text)),
            ("/safe/version", json!(text)),
            ("/chain_id", json!(text)),
        ] {
            let mut file = honest.clone();
            *file.pointer_mut(pointer).unwrap() = value;
            fs::write(bob.path("handed-over.json"), file.to_string()).unwrap();
            let log = bob.run(&words);
            let screen = at_a_terminal(bob, &words).ends();
            for (run, usual) in [(&screen, usual[0]), (&log, usual[1])] {
                let whole = format!("{}{}", run.stdout, run.stderr);
                let begins = |line: &&str| plain(line).trim_start().starts_with(&FORGED[..8]);
                assert_eq!(whole.split(['\n', '\r']).find(begins), None, "{pointer} {padding:?}:\n{whole}");
                assert!(rows(run) < usual + 50, "{pointer} {padding:?}: {} rows:\n{whole}", rows(run));
            }
        }
    }
}

fn asking_nothing(desk: &Desk, file: &str) -> Vec<String> {
    with_key(desk, &["sign", file, "--yes"])
}

/// A line without its colours.
fn plain(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_string();
    first + &parts.map(|part| part.split_once('m').map_or("", |(_, rest)| rest)).collect::<String>()
}
