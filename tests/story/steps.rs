//! The steps of a ceremony as its people take them, and what every refusal must look like.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use alloy::primitives::{Address, Bytes, U256};
use alloy::sol;
use breakglass::safe::SafeVersion;
use serde_json::Value;

use crate::stage::{Anvil, Ceremony, Desk, Proxy, Run, SafeSetup, Terminal};

sol! {
    function paused() external view returns (bool);
    function nonce() external view returns (uint256);
}

/// Two of three, 1.4.1: the Safe of every story whose version does not matter.
pub fn two_of_three() -> Ceremony {
    Ceremony::new(SafeSetup::new(SafeVersion::V1_4_1, 3, 2))
}

/// The same, and every desk asks the chain through these many proxies, each an RPC of the council file.
pub fn behind<const N: usize>() -> (Ceremony, [Proxy; N]) {
    let anvil = Anvil::start();
    let proxies = [(); N].map(|()| Proxy::to(&anvil));
    let urls: Vec<String> = proxies.iter().map(Proxy::url).collect();
    (Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), &urls), proxies)
}

pub fn behind_a_proxy() -> (Ceremony, Proxy) {
    let (ceremony, [proxy]) = behind();
    (ceremony, proxy)
}

/// Returns how often a transaction was given to the chain.
pub fn sent(proxy: &Proxy) -> usize {
    proxy.counts().by_method.get("eth_sendRawTransaction").copied().unwrap_or(0)
}

/// Returns how many transactions a desk has ever signed for sending.
pub fn records(desk: &Desk) -> usize {
    files(desk.folder()).iter().filter(|f| path(f).contains("sent-")).count()
}

pub fn is_paused(ceremony: &Ceremony) -> bool {
    ceremony.anvil.view(ceremony.vault, &pausedCall {})
}

/// Returns how many transactions the Safe has executed.
pub fn executed(ceremony: &Ceremony) -> u64 {
    let nonce: U256 = ceremony.anvil.view(ceremony.safe, &nonceCall {});
    nonce.to()
}

/// A Safe's transaction made by hand, as if the owners had agreed on it elsewhere: from the Safe itself.
pub fn as_the_safe(ceremony: &Ceremony, to: Address, data: impl Into<Bytes>) {
    ceremony.anvil.set_balance(ceremony.safe, U256::from(10).pow(U256::from(18)));
    ceremony.anvil.send(ceremony.safe, to, &data.into(), U256::ZERO);
}

pub fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

/// A command with the desk's own key.
pub fn with_key(desk: &Desk, words: &[&str]) -> Vec<String> {
    let (keystore, password) = (desk.keystore(), desk.password_file());
    owned(&[words, &["--keystore", path(&keystore), "--password-file", path(&password)]].concat())
}

pub fn run(desk: &Desk, words: &[String]) -> Run {
    desk.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// At a terminal with the desk's own key, up to this question.
pub fn asked(desk: &Desk, words: &[&str], question: &str) -> Terminal {
    let words = with_key(desk, words);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut terminal = Terminal::start(&mut desk.command(&words));
    terminal.asks(question);
    terminal
}

/// The seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub fn journal(desk: &Desk) -> PathBuf {
    desk.path("incidents/journal.jsonl")
}

/// The entries of a desk's journal.
pub fn entries(desk: &Desk) -> Vec<Value> {
    let text = fs::read_to_string(journal(desk)).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The acts of a desk's journal.
pub fn acts(desk: &Desk) -> Vec<String> {
    entries(desk).iter().map(|entry| entry["act"]["kind"].as_str().unwrap().into()).collect()
}

pub fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub fn try_sign(desk: &Desk, what: &[&str]) -> Run {
    run(desk, &with_key(desk, &[&["sign"], what, &["--yes"]].concat()))
}

/// Signs at one desk; gives the line that was printed.
pub fn sign(desk: &Desk, what: &[&str]) -> String {
    let run = try_sign(desk, what).ended(0);
    let line = run.stdout.trim().to_string();
    assert!(line.starts_with("bgsig2"), "{}", run.stdout);
    line
}

pub fn try_import(desk: &Desk, what: &[&str], chat: &str) -> Run {
    let file = desk.path("chat.txt");
    fs::write(&file, chat).unwrap();
    desk.run(&[&["import"], &what[..1], &[path(&file)], &what[1..]].concat())
}

/// Takes in a pasted chat.
pub fn import(desk: &Desk, what: &[&str], chat: &str) {
    try_import(desk, what, chat).ended(0);
}

pub fn broadcast(desk: &Desk, what: &[&str]) -> Run {
    run(desk, &with_key(desk, &[&["broadcast"], what, &["--confirm", "guardian"]].concat()))
}

/// Both owners' signatures for the lever `vault`, at the first desk: what remains is to send it.
pub fn signed_by_two(ceremony: &Ceremony) -> &Desk {
    let [alice, bob, ..] = &ceremony.desks[..] else { panic!("two desks are needed") };
    sign(alice, &["vault"]);
    let bobs = sign(bob, &["vault"]);
    import(alice, &["vault"], &bobs);
    alice
}

/// Proposes the lever `vault` at a desk; gives the path of the file.
pub fn propose(desk: &Desk) -> PathBuf {
    let object = desk.run(&["--json", "pause", "vault"]).ended(0).json();
    desk.path(object["proposal"].as_str().unwrap())
}

pub fn read_json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Every file below a folder, links and temporary files too.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.symlink_metadata().unwrap().is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Names and contents of every file below a folder: what must be as it was after a refusal. The journal is left out: it
/// tells of what was done all the same.
pub fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let kept = files(folder).into_iter().filter(|file| !file.ends_with("journal.jsonl"));
    kept.map(|path| (path.clone(), fs::read(&path).unwrap_or_default())).collect()
}

/// The ids of what a run refused: the first and the others. A refusal hands out no flag.
pub fn refusals(run: &Run) -> Vec<String> {
    assert!(!run.stderr.contains("--accept "), "a refusal hands out the way past it: {}", run.stderr);
    let after = |text: &str, end: &str| {
        let rest = run.stderr.split(text).nth(1).unwrap_or_default();
        rest.split(end).next().unwrap_or_default().to_string()
    };
    let all = format!("{}, {}", after("refused (", "): "), after("refused as well: ", "\n"));
    all.split(", ").filter(|id| !id.is_empty()).map(str::to_string).collect()
}

/// The words that accept what a run refused, of the refusals whose ids begin so.
pub fn acceptance(refused: &Run, names: &[&str]) -> Vec<String> {
    let mut found = refusals(refused);
    found.retain(|id| names.iter().any(|name| id.starts_with(name)));
    found.sort_unstable();
    found.dedup();
    assert!(found.len() >= names.len(), "{names:?} are not all refused: {}", refused.stderr);
    found.into_iter().flat_map(|id| ["--accept".to_string(), id]).collect()
}

/// Runs once, and again with what it refuses under these names accepted.
pub fn accepting(names: &[&str], run: impl Fn(&[&str]) -> Run) -> Run {
    let accepted = acceptance(&run(&[]), names);
    run(&accepted.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A refusal: its exit code, the value at fault by name, and what to do next.
#[track_caller]
pub fn refused(run: Run, code: i32, named: &[&str]) -> Run {
    let mut run = run.ended(code).says("error: ").says("→");
    for name in named {
        run = run.says(name);
    }
    run
}

/// The same, and the desk is as it was before.
#[track_caller]
pub fn refused_without_a_trace(desk: &Desk, words: &[String], code: i32, named: &[&str]) -> Run {
    let before = contents(desk.folder());
    let run = refused(run(desk, words), code, named);
    assert_eq!(before, contents(desk.folder()), "files changed");
    run
}
