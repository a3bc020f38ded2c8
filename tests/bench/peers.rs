//! The cost of other tools: a dry run of the same pause, behind the same proxy, with the state as it was left
//! before anybody signed. `make bench-peers` installs them into `target/peers`; one that is not there is a row that
//! says so.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use alloy::hex;
use alloy::primitives::U256;
use alloy::sol;
use alloy::sol_types::SolCall;
use breakglass::safe::{Approval, Nonce, Operation, SafeTx, SafeVersion, encode_approvals, slot, slot_word};

use crate::ceremony::DELAY;
use crate::measure::{Cost, cost, myself};
use crate::stage::{Anvil, Ceremony, Proxy, SafeSetup, fixtures, key};
use crate::table::Row;

/// The part of the time of `safe` that `pause` may take.
const SHARE: f64 = 0.08;

sol! {
    function pause() external;
    function paused() external view returns (bool);
}

/// `pause` is what our own cold `pause` took in this run.
pub fn rows(pause: Cost) -> Vec<Row> {
    let anvil = Anvil::start();
    let proxy = Proxy::to(&anvil);
    let rpc = [proxy.url()];
    let ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 5, 3), &rpc);
    proxy.delay(DELAY);
    let safe = safe_rs(&ceremony, &proxy);
    let mut rows = vec![share(pause, safe.as_ref().ok())];
    rows.push(safe.map_or_else(|row| row, |(row, _)| row));
    rows.extend([safe_cli(&ceremony, &proxy), fork(&ceremony, &proxy)]);
    rows
}

fn share(pause: Cost, safe: Option<&(Row, Cost)>) -> Row {
    let row = Row::new("pause, cold, in wall time");
    match safe {
        Some((_, safe)) => {
            let share = pause.millis / safe.millis;
            row.must(share <= SHARE, &format!("{SHARE} of safe's; measured {share:.3}"))
        }
        None => row.note("(nothing to compare with: make bench-peers)"),
    }
}

/// The crate safe-rs-cli: `safe send`, simulated in process and not sent.
fn safe_rs(ceremony: &Ceremony, proxy: &Proxy) -> Result<(Row, Cost), Row> {
    let what = "safe send --simulate-only --call-only";
    let program = installed("bin/safe").ok_or_else(|| missing(what))?;
    let (safe, vault, url) = (ceremony.safe.to_string(), ceremony.vault.to_string(), proxy.url());
    let secret = key(0).secret.to_string();
    let args = ["send", &vault, "pause()", "--safe", &safe, "--rpc-url", &url, "--private-key", &secret];
    let args = [&args[..], &["--simulate-only", "--call-only", "--no-confirm"]].concat();
    let (cost, rounds) = run(ceremony, proxy, &program, &args);
    let cost = cost.ended(what, 0);
    Ok((Row::new(what).cost(cost).rounds(rounds).note("(for comparison)"), cost))
}

/// safe-cli has no dry run: it calls, tells what came out and asks whether to send. Nobody answers it here.
fn safe_cli(ceremony: &Ceremony, proxy: &Proxy) -> Row {
    let what = "safe-cli send-custom, to its question";
    let Some(program) = installed("venv/bin/safe-cli") else { return missing(what) };
    let data = hex::encode_prefixed(pauseCall {}.abi_encode());
    let keys: Vec<String> = (0..3).map(|n| key(n).secret.to_string()).collect();
    let (safe, vault, url) = (ceremony.safe.to_string(), ceremony.vault.to_string(), proxy.url());
    let mut args = vec!["send-custom", &safe, &url, &vault, "0", &data];
    args.extend(keys.iter().flat_map(|key| ["--private-key", key]));
    let (cost, rounds) = run(ceremony, proxy, &program, &args);
    let sent = proxy.counts().by_method.contains_key("eth_sendRawTransaction");
    Row::new(what).cost(cost).rounds(rounds).must(!sent, "(for comparison; nothing sent)")
}

/// By hand: anvil forks the chain, its Safe's threshold is set to one, cast sends the Safe's transaction as that owner
/// and reads the result.
fn fork(ceremony: &Ceremony, proxy: &Proxy) -> Row {
    let what = "anvil --fork-url, cast send, cast call";
    let cast = fixtures().join("node_modules/@foundry-rs/cast-linux-amd64/bin/cast");
    let Some(cast) = present(&cast) else { return missing(what) };
    let (safe, vault, owner) = (ceremony.safe, ceremony.vault.to_string(), key(0).address);
    let tx = SafeTx::new(
        ceremony.vault,
        U256::ZERO,
        pauseCall {}.abi_encode().into(),
        Operation::Call,
        Nonce::from(0),
    );
    let data = tx.exec_calldata(encode_approvals(&[Approval::OnChain(owner)])).to_string();
    let (to, from) = (safe.to_string(), owner.to_string());
    proxy.forget_counts();
    let begun = Instant::now();
    let fork = Anvil::with_args(ceremony.anvil.chain_id, &["--fork-url", &proxy.url()]);
    fork.set_storage(safe, slot_word(slot::THRESHOLD), slot_word(1));
    let url = fork.url();
    let execute = ["send", "--rpc-url", &url, "--unlocked", "--from", &from, &to, &data];
    let sent = cost(myself(), &cast, &execute).ended("cast send", 0);
    let look = ["call", "--rpc-url", &url, &vault, "paused()(bool)"];
    let called = cost(myself(), &cast, &look).ended("cast call", 0);
    assert!(fork.view(ceremony.vault, &pausedCall {}), "cast has paused nothing");
    let all = Cost {
        millis: begun.elapsed().as_secs_f64() * 1000.0,
        cpu: sent.cpu + called.cpu,
        megabytes: sent.megabytes.max(called.megabytes),
        code: 0,
    };
    let note = "(for comparison; processor and memory without anvil's)";
    Row::new(what).cost(all).rounds(proxy.counts().rounds).note(note)
}

fn run(ceremony: &Ceremony, proxy: &Proxy, program: &str, args: &[&str]) -> (Cost, usize) {
    let home = ceremony.desks[0].folder();
    let mut command = myself();
    command.current_dir(home).env("HOME", home);
    proxy.forget_counts();
    let cost = cost(command, program, args);
    (cost, proxy.counts().rounds)
}

fn missing(what: &str) -> Row {
    Row::new(what).note("(not installed: make bench-peers)")
}

/// A program below `target/peers`.
fn installed(path: &str) -> Option<String> {
    present(&Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers").join(path))
}

fn present(path: &Path) -> Option<String> {
    let path: PathBuf = path.into();
    fs::metadata(&path).ok()?;
    path.to_str().map(str::to_string)
}
