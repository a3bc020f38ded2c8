//! Several transactions are sent at once: one that waits or fails does not hold up the others.

use std::fmt::Write;
use std::thread;

use alloy::primitives::Address;
use alloy::sol_types::SolValue;
use breakglass::safe::SafeVersion;
use serde_json::json;

use crate::stage::{Anvil, Ceremony, Fault, Proxy, SafeSetup, Terminal, deploy, deploy_safe, wait_until};
use crate::steps::{import, pausedCall, run, sent, try_sign, two_of_three, with_key};

/// A Safe of the same owners that owns a vault, and a lever that pauses it; the names end as the chain's does.
struct Other {
    chain: &'static str,
    vault: Address,
}

/// Adds a Safe on the chain that is called so and is asked here, with the same owners.
fn another_safe(ceremony: &Ceremony, text: &mut String, chain: &'static str, anvil: &Anvil) -> Other {
    let safe = deploy_safe(anvil, &ceremony.setup);
    let vault = deploy(anvil, "Vault", &safe.abi_encode());
    write!(
        text,
        "\n[safes.guardian-{chain}]\nchain = \"{chain}\"\naddress = \"{safe}\"\nversion = \"1.4.1\"\n\
         owners = [\"alice\", \"bob\", \"carol\"]\nthreshold = 2\n\
         [targets.vault-{chain}]\n{chain} = \"{vault}\"\n\
         [levers.vault-{chain}]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian-{chain}\"\n\
         set = {{ target = \"vault-{chain}\" }}\n"
    )
    .unwrap();
    Other { chain, vault }
}

fn a_chain(text: &mut String, chain: &str, anvil: &Anvil, proxy: &Proxy) {
    write!(text, "\n[chains.{chain}]\nid = {}\nrpc = [{:?}]\n", anvil.chain_id, proxy.url()).unwrap();
}

/// Alice and bob sign what the words name, and alice has both lines of each.
fn signed_by_both(ceremony: &Ceremony, words: &[&str]) {
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    try_sign(alice, words).ended(0);
    import(alice, words, &try_sign(bob, words).ended(0).stdout);
}

fn broadcast(words: &[&str], others: &[&Other]) -> Vec<String> {
    let mut all = vec!["--json".to_string(), "broadcast".into()];
    all.extend(words.iter().map(ToString::to_string));
    all.extend(["--confirm".into(), "guardian".into()]);
    for other in others {
        all.extend(["--confirm".into(), format!("guardian-{}", other.chain)]);
    }
    all
}

/// Three Safes on three chains. One chain is dead at the time of sending, one mines late: the third is mined meanwhile.
#[test]
fn a_slow_chain_and_a_dead_one_do_not_delay_the_others() {
    let (anvil, second, third) = (Anvil::start(), Anvil::with_chain_id(31_339), Anvil::with_chain_id(31_340));
    let [first_proxy, second_proxy, third_proxy] = [&anvil, &second, &third].map(Proxy::to);
    let setup = SafeSetup::new(SafeVersion::V1_4_1, 3, 2);
    let mut ceremony = Ceremony::on(anvil, setup, &[first_proxy.url()]);
    let mut text = String::new();
    a_chain(&mut text, "second", &second, &second_proxy);
    a_chain(&mut text, "third", &third, &third_proxy);
    let on_second = another_safe(&ceremony, &mut text, "second", &second);
    let on_third = another_safe(&ceremony, &mut text, "third", &third);
    text.push_str("\n[levers.everywhere]\npull = [\"vault\", \"vault-second\", \"vault-third\"]\n");
    ceremony.add_to_council(&text);
    signed_by_both(&ceremony, &["everywhere"]);

    third_proxy.fail(Some(Fault::Close));
    first_proxy.hold("eth_sendRawTransaction");
    let alice = &ceremony.desks[0];
    let words: Vec<String> = broadcast(&["everywhere"], &[&on_second, &on_third]);
    let words = with_key(alice, &words.iter().map(String::as_str).collect::<Vec<_>>());
    let ended = thread::scope(|scope| {
        let running = scope.spawn(|| run(alice, &words));
        first_proxy.reached("eth_sendRawTransaction");
        wait_until("the second is mined", || second.view(on_second.vault, &pausedCall {}));
        assert!(!ceremony.anvil.view(ceremony.vault, &pausedCall {}), "the first is still held back");
        first_proxy.release();
        running.join().unwrap()
    });
    let object = ended.ended(7).says("1/3 │").says("2/3 │").json();
    let exits: Vec<_> = object["parts"].as_array().unwrap().iter().map(|part| part["exit"].clone()).collect();
    assert_eq!(exits, [0, 0, 7], "{object}");
    assert_eq!(object["parts"][0]["proven"], json!(true), "{object}");
    assert!(ceremony.anvil.view(ceremony.vault, &pausedCall {}));
    assert!(!third.view(on_third.vault, &pausedCall {}));
}

/// Two Safes on one chain, paid for by one account: the second takes the account's next nonce and does not wait.
#[test]
fn two_safes_of_one_chain_are_sent_before_either_is_mined() {
    let mut ceremony = two_of_three();
    let mut text = String::new();
    let other = another_safe(&ceremony, &mut text, "anvil", &ceremony.anvil);
    text.push_str("\n[levers.both]\npull = [\"vault\", \"vault-anvil\"]\n");
    ceremony.add_to_council(&text);
    signed_by_both(&ceremony, &["both"]);

    let alice = &ceremony.desks[0];
    let words = broadcast(&["both"], &[&other]);
    let words = with_key(alice, &words.iter().map(String::as_str).collect::<Vec<_>>());
    ceremony.anvil.rpc("evm_setAutomine", &json!([false]));
    let ended = thread::scope(|scope| {
        let running = scope.spawn(|| run(alice, &words));
        wait_until("both wait for a block", || {
            ceremony.anvil.rpc("txpool_status", &json!([]))["pending"] == json!("0x2")
        });
        ceremony.anvil.mine(1);
        running.join().unwrap()
    });
    let object = ended.ended(0).json();
    assert_eq!(object["parts"][0]["block"], object["parts"][1]["block"], "{object}");
    for vault in [ceremony.vault, other.vault] {
        assert!(ceremony.anvil.view(vault, &pausedCall {}));
    }
}

/// All questions come before the first transaction is sent, and a no to one does not answer the other.
#[test]
fn a_person_is_asked_about_all_before_anything_is_sent() {
    let anvil = Anvil::start();
    let proxy = Proxy::to(&anvil);
    let mut ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), &[proxy.url()]);
    let mut text = String::new();
    let other = another_safe(&ceremony, &mut text, "anvil", &ceremony.anvil);
    text.push_str("\n[levers.both]\npull = [\"vault\", \"vault-anvil\"]\n");
    ceremony.add_to_council(&text);
    signed_by_both(&ceremony, &["both"]);

    let alice = &ceremony.desks[0];
    let words = with_key(alice, &["broadcast", "both"]);
    let mut command = alice.command(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let mut terminal = Terminal::start(&mut command);
    terminal.asks("Type the Safe's name, guardian: ").types("guardian\n");
    terminal.asks("Type the Safe's name, guardian-anvil: ");
    assert_eq!(sent(&proxy), 0, "nothing leaves before the last answer");
    terminal.types("no\n");
    terminal.ended(4).says("not sent: the Safe's name is guardian-anvil").says("done and proven");
    assert!(ceremony.anvil.view(ceremony.vault, &pausedCall {}));
    assert!(!ceremony.anvil.view(other.vault, &pausedCall {}));
}
