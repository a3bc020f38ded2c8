//! Faults of a disk, and things in the place of a file: pipes, devices, folders that cannot be written,
//! a full disk behind standard output.

use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

use crate::stage::{Desk, run};
use crate::steps::{
    broadcast, contents, executed, files, is_paused, owned, path, propose, read_json, refused,
    refused_without_a_trace, sign, signed_by_two, two_of_three, with_key,
};

fn pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn a_pipe_a_socket_or_a_device_in_the_place_of_a_file_is_named_and_not_waited_for() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    // Not at the desk, whose files are all read after each refusal.
    let elsewhere = tempfile::tempdir().unwrap();
    let (in_pipe, socket) = (elsewhere.path().join("pipe.json"), elsewhere.path().join("socket.json"));
    pipe(&in_pipe);
    let _listener = UnixListener::bind(&socket).unwrap();
    let (keystore, password) = (alice.keystore(), alice.password_file());
    let (keystore, password) = (path(&keystore), path(&password));
    for (file, what) in [(path(&in_pipe), "a pipe"), (path(&socket), "a socket"), ("/dev/zero", "a device")] {
        for words in [
            with_key(alice, &["sign", file, "--yes", "--offline"]),
            owned(&["hash", file]),
            owned(&["import", "vault", file]),
            owned(&["sign", "vault", "--yes", "--keystore", file, "--password-file", password]),
            owned(&["sign", "vault", "--yes", "--keystore", keystore, "--password-file", file]),
            owned(&["--council", file, "status", "vault"]),
            owned(&["playbook", "check", file]),
        ] {
            refused_without_a_trace(alice, &words, 1, &[file, what]);
        }
    }
}

#[test]
fn a_pipe_among_the_kept_files_stops_nobody_from_signing_and_nobody_waits_for_it() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    let incidents = alice.path("incidents");
    let folder = files(&incidents)[0].parent().unwrap().to_path_buf();
    fs::create_dir(incidents.join("0xdead")).unwrap();
    pipe(&incidents.join("0xdead/proposal.json"));
    for name in ["x.sig.json", "sent-x.json"] {
        pipe(&folder.join(name));
    }
    fs::create_dir(alice.path("playbooks")).unwrap();
    pipe(&alice.path("playbooks/x.toml"));
    alice.run(&["status", "vault"]).ended(0).says("2 of 2 signed");
    sign(alice, &["vault"]);
    // A thing in the place of the lock is passed over.
    let hash =
        read_json(&folder.join("proposal.json"))["hashes"]["safe_tx_hash"].as_str().unwrap().to_string();
    pipe(&incidents.join(format!(".{hash}.lock")));
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    assert!(is_paused(&ceremony));
}

/// Starts a run whose input comes from a writer that takes its time.
fn waiting(desk: &Desk, words: &[&str]) -> Child {
    let mut command = desk.command(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Reads what a run says until it has said this.
fn hears(process: &mut Child, text: &str) {
    let source = process.stderr.as_mut().unwrap();
    let (mut said, mut byte) = (Vec::new(), [0]);
    while !String::from_utf8_lossy(&said).contains(text) {
        assert_eq!(source.read(&mut byte).unwrap(), 1, "it ended: {}", String::from_utf8_lossy(&said));
        said.extend(byte);
    }
}

#[test]
fn an_input_that_does_not_end_is_waited_for_with_a_word_and_taken_in_when_it_does() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    propose(alice);
    let line = sign(bob, &["vault"]);
    for (from, named) in
        [("-", "reading standard input"), ("/dev/stdin", "/dev/stdin"), ("/dev/fd/0", "/dev/fd/0")]
    {
        let mut process = waiting(alice, &["import", "vault", from]);
        hears(&mut process, named);
        let mut writer = process.stdin.take().unwrap();
        writeln!(writer, "{line}").unwrap();
        drop(writer);
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{from}: {output:?}");
    }
    alice.run(&["status", "vault"]).ended(3).says("1 of 2 signed");
    // A password may come from another program (`<(pass show breakglass)`).
    let keystore = alice.keystore();
    let words = ["sign", "vault", "--yes", "--keystore", path(&keystore), "--password-file", "/dev/fd/0"];
    let mut process = waiting(alice, &words);
    process.stdin.take().unwrap().write_all(&fs::read(alice.password_file()).unwrap()).unwrap();
    assert!(process.wait_with_output().unwrap().status.success());
    // An endless one is cut off.
    let mut process = waiting(alice, &["import", "vault"]);
    let mut writer = process.stdin.take().unwrap();
    let writing = thread::spawn(move || while writer.write_all(&[b'a'; 4096]).is_ok() {});
    let output = process.wait_with_output().unwrap();
    writing.join().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard input is larger than"));
}

/// Standard output on a disk that is full.
#[cfg(target_os = "linux")]
fn onto_a_full_disk(desk: &Desk, words: &[String]) -> (i32, String) {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = desk.command(&words).stdout(full).stderr(Stdio::piped()).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn a_line_that_standard_output_does_not_take_is_shown_and_kept_and_the_run_has_failed() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let signing = with_key(bob, &["sign", "vault", "--yes"]);
    let (code, said) = onto_a_full_disk(bob, &signing);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("standard output could not be written to the end"), "{said}");
    let line = said.lines().find(|line| line.starts_with("bgsig2")).expect(&said);
    assert!(files(&bob.path("incidents")).iter().any(|file| path(file).ends_with(".sig.json")), "not kept");
    propose(alice);
    crate::steps::import(alice, &["vault"], line);

    let (code, said) = onto_a_full_disk(bob, &[&signing[..], &owned(&["--json"])].concat());
    assert_eq!(code, 1, "{said}");
    let from = said.find("\n{").expect(&said);
    let mut objects = serde_json::Deserializer::from_str(&said[from..]).into_iter::<Value>();
    let object = objects.next().unwrap().unwrap();
    assert!(object["signatures"][0]["line"].as_str().unwrap().starts_with("bgsig2"), "{object}");
    for words in [&["export", "vault"][..], &["--help"], &["playbook", "list"], &["completions", "bash"]] {
        let (code, said) = onto_a_full_disk(bob, &owned(words));
        assert_eq!(code, 1, "{words:?}: {said}");
    }
    // A code that says more than "done" stays.
    let (code, said) = onto_a_full_disk(bob, &owned(&["status", "vault", "--json"]));
    assert_eq!(code, 3, "{said}");
}

/// `sign vault | no-such-program`: the line must not vanish with its reader.
#[test]
fn a_line_whose_reader_is_gone_is_shown_and_a_reader_that_has_enough_is_no_failure() {
    let ceremony = two_of_three();
    let bob = &ceremony.desks[1];
    let words = with_key(bob, &["sign", "vault", "--yes"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = bob.command(&words).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.lines().any(|line| line.starts_with("bgsig2")), "{said}");

    let mut command = bob.command(&["playbook", "show", "pause/oz-pausable"]);
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = process.stdout.take().unwrap();
    assert_eq!(stdout.read(&mut [0]).unwrap(), 1);
    drop(stdout);
    assert!(process.wait().unwrap().success());
}

/// The desk as somebody finds it who may read it and write nothing there: on a mounted image, or as another user.
fn read_only(desk: &Desk, words: &[&str]) -> Command {
    for file in files(desk.folder()) {
        let mode = if file.ends_with("password") { 0o644 } else { 0o444 };
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    }
    set_folders(desk.folder(), 0o555);
    let mut command = desk.command(words);
    if rustix::process::geteuid().is_root() {
        command.uid(65_534); // nobody: root may write everywhere
    }
    command
}

fn set_folders(folder: &Path, mode: u32) {
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.symlink_metadata().unwrap().is_dir() {
            set_folders(&path, mode);
        }
    }
    fs::set_permissions(folder, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn in_a_folder_that_cannot_be_written_nothing_is_sent_and_what_was_executed_is_proven() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    let sending = with_key(alice, &["broadcast", "vault", "--confirm", "guardian"]);
    let sending: Vec<&str> = sending.iter().map(String::as_str).collect();
    let before = contents(alice.folder());
    let said = run(&mut read_only(alice, &sending));
    refused(said, 1, &["cannot write", ".lock", "nothing was sent", "--calldata"]);
    assert_eq!(executed(&ceremony), 0);
    run(&mut read_only(alice, &["broadcast", "vault", "--calldata"])).ended(0).says("Nothing sent");
    assert_eq!(contents(alice.folder()), before);

    set_folders(alice.folder(), 0o755);
    broadcast(alice, &["vault"]).ended(0);
    let note = files(alice.folder()).into_iter().find(|file| file.ends_with("outcome.json")).unwrap();
    fs::remove_file(note).unwrap();
    for _ in 0..2 {
        let said = run(&mut read_only(alice, &sending)).ended(0);
        said.says("Nothing sent: already executed").says("the outcome is not kept").says("done and proven");
    }
    let object = run(&mut read_only(alice, &[&sending[..], &["--json"]].concat())).ended(0).json();
    assert_eq!(object["proven"], json!(true));
    assert!(object["warnings"][0].as_str().unwrap().contains("outcome.json"), "{object}");
    set_folders(alice.folder(), 0o755);
}

#[test]
fn files_of_a_killed_run_are_cleared_by_the_next_that_writes_there() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    let folder = propose(alice).parent().unwrap().to_path_buf();
    let left = folder.join(".breakglass-killed.tmp");
    fs::write(&left, "{").unwrap();
    let older = SystemTime::now() - Duration::from_secs(5);
    File::options().write(true).open(&left).unwrap().set_modified(older).unwrap();
    sign(alice, &["vault"]);
    assert!(!left.exists(), "{:?}", files(&folder));
}

#[test]
fn an_export_makes_its_folder_and_follows_no_link_to_one() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), alice.path("stick")).unwrap();
    for to in ["stick", "stick/", "./stick/."] {
        let words = owned(&["export", "vault", "--to", to]);
        refused_without_a_trace(alice, &words, 1, &["stick", "symbolic link"]);
    }
    assert!(files(elsewhere.path()).is_empty());
    alice.run(&["export", "vault", "--to", "new"]).ended(0).says("new/0x");
    assert_eq!(files(&alice.path("new")).len(), 3);
    // Not a whole path: a stick that is not there is not replaced by folders.
    refused_without_a_trace(alice, &owned(&["export", "vault", "--to", "no/stick"]), 1, &["no/stick"]);
}
