//! The chain is not, or not any more, as the signers found it; and signatures that do not count.

use std::fs;

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol;
use alloy::sol_types::SolCall;
use breakglass::safe::{slot, slot_word};
use serde_json::json;

use crate::stage::{Ceremony, Desk, Run, key};
use crate::steps::{
    accepting, as_the_safe, behind_a_proxy, broadcast, executed, files, import, is_paused, path, propose,
    read_json, refusals, refused, run, sent, sign, signed_by_two, try_import, try_sign, two_of_three,
    with_key,
};

sol! {
    function pause() external;
    function transferOwnership(address owner) external;
    function swapOwner(address prevOwner, address oldOwner, address newOwner) external;
}

const GWEI: u64 = 1_000_000_000;

/// Sends although every check refuses: what then stops it is the chain's own answer.
fn accepting_all(desk: &Desk) -> Run {
    let mut accepted: Vec<String> = Vec::new();
    loop {
        let words: Vec<&str> = ["vault"].into_iter().chain(accepted.iter().map(String::as_str)).collect();
        let run = broadcast(desk, &words);
        let mut new = refusals(&run);
        new.retain(|id| !accepted.contains(id));
        if !matches!(run.code, 4 | 5) || new.is_empty() {
            return run;
        }
        accepted.extend(new.into_iter().flat_map(|id| ["--accept".to_string(), id]));
    }
}

fn set_nonce(ceremony: &Ceremony, nonce: u64) {
    ceremony.anvil.set_storage(ceremony.safe, slot_word(slot::NONCE), B256::from(U256::from(nonce)));
}

/// Fails the test if a transaction was recorded as sent at this desk.
#[track_caller]
fn nothing_was_sent(ceremony: &Ceremony, desk: &Desk) {
    assert!(!files(desk.folder()).iter().any(|f| path(f).contains("sent-")), "a transaction was recorded");
    assert!(!is_paused(ceremony));
}

#[test]
fn one_below_the_threshold_is_exit_code_3_and_sends_nothing() {
    let ceremony = two_of_three();
    let alice = &ceremony.desks[0];
    sign(alice, &["vault"]);
    let missing: Vec<String> = ceremony.setup.owners[1..].iter().map(Address::to_string).collect();
    alice
        .run(&["status", "vault"])
        .ended(3)
        .says("1 of 2 signed")
        .says("more signatures needed")
        .says("an owner who is missing runs breakglass sign vault; breakglass import vault reads the line");
    let named: Vec<&str> = missing.iter().map(String::as_str).collect();
    refused(broadcast(alice, &["vault"]), 3, &named);
    broadcast(alice, &["vault"])
        .ended(3)
        .says(&format!("still to sign: bob {}, carol {}", missing[0], missing[1]))
        .says("breakglass import vault reads their lines");
    refused(alice.run(&["broadcast", "vault", "--calldata"]), 3, &named);
    nothing_was_sent(&ceremony, alice);
}

#[test]
fn one_owner_counts_once_however_often_and_in_whatever_form_they_sign() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let line = sign(bob, &["vault"]);
    let hash: B256 =
        alice.run(&["--json", "pause", "vault"]).json()["safe_tx_hash"].as_str().unwrap().parse().unwrap();
    let bare = Bytes::from(bob.key.sign(hash));
    let personal = Bytes::from(bob.key.eth_sign(hash));
    let chat = format!("{line}\n{}\n> {line}\n{bare}\n{personal}", line.to_uppercase());
    import(alice, &["vault"], &chat);
    import(alice, &["vault"], &chat);
    let folder = files(bob.folder()).into_iter().find(|f| path(f).ends_with(".sig.json")).unwrap();
    alice.run(&["import", "vault", path(&folder)]).ended(0).says("known");
    alice.run(&["status", "vault"]).ended(3).says("1 of 2 signed");
    refused(broadcast(alice, &["vault"]), 3, &["1 of 2"]);
    nothing_was_sent(&ceremony, alice);
}

#[test]
fn a_signature_of_another_hash_and_one_by_a_stranger_are_named() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let mine = read_json(&propose(alice));
    let hash = mine["hashes"]["safe_tx_hash"].as_str().unwrap();
    let other = sign(bob, &["vault", "--nonce", "5"]);
    let run = try_import(alice, &["vault"], &other);
    refused(run, 4, &["bob signed vault at nonce 5, not at nonce 0"]);
    // A file that says our hash over another's signature: whose it is decides.
    let theirs = files(bob.folder()).into_iter().find(|f| path(f).ends_with(".sig.json")).unwrap();
    let mut lying = read_json(&theirs);
    lying["safe_tx_hash"] = json!(hash);
    let file = alice.path("lying.json");
    fs::write(&file, lying.to_string()).unwrap();
    refused(
        alice.run(&["import", "vault", path(&file)]),
        4,
        &["bob signed vault at nonce 5, not at nonce 0"],
    );
    // A real signature over the real hash, by somebody who owns nothing.
    let stranger = key(7);
    let bare = Bytes::from(stranger.sign(hash.parse().unwrap()));
    let run = try_import(alice, &["vault"], &bare.to_string());
    refused(run, 4, &[&stranger.address.to_string(), "not an owner"]);
    let frank = ceremony.outsider("frank", stranger);
    let owners = ceremony.setup.owners[0].to_string();
    refused(try_sign(&frank, &["vault"]), 1, &[&stranger.address.to_string(), "not an owner", &owners]);
    // None of these was kept; a good one among bad ones is.
    alice.run(&["status", "vault"]).ended(3).says("0 of 2 signed");
    let good = sign(bob, &["vault"]);
    let run = try_import(alice, &["vault"], &format!("{other}\n{bare}\n{good}\n{}", &good[..80]));
    run.ended(4).says("imported").says("refused").says("cannot be read");
    alice.run(&["status", "vault"]).ended(3).says("1 of 2 signed");
}

#[test]
fn a_former_owners_signature_no_longer_counts() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    let owners = &ceremony.setup.owners;
    let (bob, new) = (owners[1], key(7).address);
    let swap = swapOwnerCall { prevOwner: owners[0], oldOwner: bob, newOwner: new };
    as_the_safe(&ceremony, ceremony.safe, swap.abi_encode());
    let (was, is) = (bob.to_string(), new.to_string());
    let status = alice.run(&["status", "vault"]).ended(5).says("1 of 2 signed").says("no longer an owner");
    status.says(&was).says(&is);
    refused(broadcast(alice, &["vault"]), 5, &["owners", &was, &is]);
    // Accepting that the owners changed brings the signature no more weight.
    let sent = accepting(&["safe-owners", "safe-drift:owners"], |words| {
        broadcast(alice, &[&["vault"], words].concat())
    });
    refused(sent, 3, &["1 of 2", &is]);
    // And bob, whose key is out, signs nothing more.
    let signed =
        accepting(&["safe-owners"], |words| try_sign(&ceremony.desks[1], &[&["vault"], words].concat()));
    refused(signed, 1, &[&was, "not an owner"]);
    refused(try_sign(&ceremony.desks[1], &["vault"]), 5, &["safe-owners", &is]);
    nothing_was_sent(&ceremony, alice);
}

#[test]
fn a_used_nonce_is_named_and_nothing_is_signed_or_sent_for_it() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    let carol = &ceremony.desks[2];
    let carried = carol.path("carried.json");
    fs::copy(propose(alice), &carried).unwrap();
    set_nonce(&ceremony, 3);
    alice.run(&["status", "vault"]).ended(5).says("nonce 0 is used, the Safe is at 3");
    refused(broadcast(alice, &["vault"]), 5, &["nonce 0", "the Safe is at 3"]);
    refused(try_sign(carol, &[path(&carried)]), 5, &["nonce 0 is used", "the Safe is at 3"]);
    refused(try_sign(carol, &["vault", "--nonce", "2"]), 5, &["nonce 2 is used", "the Safe is at 3"]);
    nothing_was_sent(&ceremony, alice);
}

#[test]
fn a_future_nonce_may_be_signed_and_waits_for_its_turn() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let what = ["vault", "--nonce", "2"];
    try_sign(alice, &what).ended(0).says("nonce 2 is not next: the Safe is at 0");
    let bobs = sign(bob, &what);
    import(alice, &what, &bobs);
    alice.run(&["status", "vault", "--nonce", "2"]).ended(5).says("lower nonces");
    refused(broadcast(alice, &what), 5, &["nonce 2 is not next", "the Safe is at 0"]);
    nothing_was_sent(&ceremony, alice);
    set_nonce(&ceremony, 2);
    broadcast(alice, &what).ended(0).says("done and proven");
}

#[test]
fn a_change_made_in_between_is_seen_before_sending() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    as_the_safe(&ceremony, ceremony.vault, pauseCall {}.abi_encode());
    for run in [broadcast(alice, &["vault"]), try_sign(&ceremony.desks[2], &["vault"])] {
        let run = run.ended(0).says("NOTHING TO DO: vault paused() is true").never_says("REFUSE");
        run.says("since not known: none of the last transactions of guardian").never_says("--accept");
    }
    // A person who wants it done all the same finds the ids in `check`; then the chain's own answer stops it.
    let check = alice.run(&["--json", "check", "vault"]).ended(0).json();
    assert_eq!(check["nothing_to_do"]["exit"], 0);
    let findings = check["findings"].as_array().unwrap().iter();
    let done: Vec<&str> =
        findings.filter(|f| f["level"] == "already-done").map(|f| f["id"].as_str().unwrap()).collect();
    let words = done.iter().flat_map(|id| ["--accept", *id]);
    let words: Vec<&str> = ["vault"].into_iter().chain(words).collect();
    refused(broadcast(alice, &words), 1, &["would fail", "EnforcedPause()", "nothing was sent"]);
    assert!(!files(alice.folder()).iter().any(|f| path(f).contains("sent-")));
    assert_eq!(executed(&ceremony), 0);
}

#[test]
fn a_call_that_the_target_refuses_is_found_before_it_costs_gas() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    let elsewhere = transferOwnershipCall { owner: key(8).address };
    as_the_safe(&ceremony, ceremony.vault, elsewhere.abi_encode());
    refused(broadcast(alice, &["vault"]), 4, &["rehearsal-fails", "OwnableUnauthorizedAccount"]);
    refused(accepting_all(alice), 1, &["would fail", "OwnableUnauthorizedAccount", "nothing was sent"]);
    nothing_was_sent(&ceremony, alice);
}

#[test]
fn too_little_gas_money_names_the_account_and_both_amounts() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    for wei in [0, 7 * GWEI] {
        ceremony.anvil.set_balance(alice.key.address, U256::from(wei));
        let has = if wei == 0 { "has 0 ether" } else { "has 0.000000007 ether" };
        refused(broadcast(alice, &["vault"]), 1, &[&alice.key.address.to_string(), has, "nothing was sent"]);
    }
    nothing_was_sent(&ceremony, alice);
    ceremony.anvil.set_balance(alice.key.address, U256::from(10).pow(U256::from(18)));
    broadcast(alice, &["vault"]).ended(0);
}

#[test]
fn a_fee_above_the_cap_names_both() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    ceremony.anvil.rpc("anvil_setNextBlockBaseFeePerGas", &json!([U256::from(80 * GWEI + GWEI / 2)]));
    ceremony.anvil.mine(1);
    let run = broadcast(alice, &["vault", "--max-fee", "80"]);
    refused(run, 1, &["gas costs 8", ".5 gwei", "--max-fee 80", "nothing was sent"]);
    refused(broadcast(alice, &["vault", "--max-fee", "0"]), 1, &["--max-fee 0"]);
    nothing_was_sent(&ceremony, alice);
    broadcast(alice, &["vault", "--max-fee", "200"]).ended(0);
}

#[test]
fn a_second_run_after_success_sends_nothing() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    assert_eq!(sent(&proxy), 1);
    for _ in 0..2 {
        broadcast(alice, &["vault"]).ended(0).says("Nothing sent").says("done and proven");
    }
    // At another desk too, which knows nothing of the first.
    let bob = &ceremony.desks[1];
    broadcast(bob, &["vault"]).ended(0).says("Nothing sent").says(&alice.key.address.to_string());
    assert_eq!((sent(&proxy), executed(&ceremony)), (1, 1));
}

/// Both were ready to send; the other's transaction is mined first.
#[test]
fn somebody_else_executes_it_while_ours_is_on_its_way() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = signed_by_two(&ceremony);
    let call = alice.run(&["--json", "broadcast", "vault", "--calldata"]).ended(0).json();
    let data: Bytes = call["data"].as_str().unwrap().parse().unwrap();
    proxy.hold("eth_sendRawTransaction");
    std::thread::scope(|scope| {
        let running = scope.spawn(|| broadcast(alice, &["vault"]));
        proxy.reached("eth_sendRawTransaction");
        ceremony.anvil.send(key(8).address, ceremony.safe, &data, U256::ZERO);
        proxy.release();
        let run = running.join().unwrap().ended(0);
        run.says("executed by somebody else").says(&key(8).address.to_string()).says("done and proven");
    });
    assert_eq!(executed(&ceremony), 1);
}

/// A proposal that states a block in the far future is still found as executed.
#[test]
fn an_altered_block_number_does_not_hide_the_execution() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let mut proposal = read_json(&propose(alice));
    proposal["block"]["number"] = json!(u64::MAX);
    let file = bob.path("handed-over.json");
    fs::write(&file, proposal.to_string()).unwrap();
    let lines = format!("{}\n{}", sign(alice, &["vault"]), sign(bob, &["vault"]));
    import(alice, &["vault"], &lines);
    broadcast(alice, &["vault"]).ended(0);
    bob.run(&["status", path(&file)]).ended(0).says("Executed in block");
    let run = run(bob, &with_key(bob, &["broadcast", path(&file), "--confirm", "guardian"]));
    run.ended(0).says("Nothing sent");
}
