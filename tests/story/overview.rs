//! The overview: open proposals, missing owners and the next command; then every lever with the state of its target.

use alloy::primitives::hex;
use alloy::sol_types::SolValue;
use serde_json::{Value, json};

use crate::stage::{Ceremony, Desk, deploy, key};
use crate::steps::{as_the_safe, behind_a_proxy, broadcast, import, sign, signed_by_two, two_of_three};

const PAUSE: [u8; 4] = hex!("8456cb59");

/// Levers for other targets: paused by somebody, owned by erin (who is not known), asking for an argument.
fn with_levers(ceremony: &mut Ceremony) {
    let paused = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
    let foreign = deploy(&ceremony.anvil, "Vault", &key(2).address.abi_encode());
    as_the_safe(ceremony, paused, PAUSE);
    ceremony.add_to_council(&format!(
        "\n[targets.bridge]\nanvil = \"{paused}\"\n\n[targets.notours]\nanvil = \"{foreign}\"\n\
         \n[levers.bridge]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian\"\nset = {{ target = \"bridge\" }}\n\
         \n[levers.notours]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian\"\nset = {{ target = \"notours\" }}\n\
         \n[levers.owner]\nplaybook = \"rotate/safe-swap-owner\"\nsafe = \"guardian\"\nset = {{ old = \"alice\" }}\n\
         \n[levers.freeze]\npull = [\"vault\", \"bridge\"]\n"
    ));
}

fn lever<'v>(said: &'v Value, name: &str) -> &'v Value {
    said["levers"].as_array().unwrap().iter().find(|lever| lever["lever"] == name).unwrap()
}

#[test]
fn every_lever_is_listed_with_its_state_and_every_open_proposal_with_its_missing_owners() {
    let mut ceremony = two_of_three();
    with_levers(&mut ceremony);
    let alice = &ceremony.desks[0];
    alice.run(&[]).ended(0).says("nothing is open").says("state on anvil at block").says("propose one: ");
    sign(alice, &["vault"]);
    for words in [&[][..], &["status"]] {
        let run = alice.run(words).ended(0);
        let run = run.says("guardian on anvil 0 vault 1 of 2 bob, carol").says("→ breakglass sign vault");
        let run = run.says("pause vault vault running guardian").says("pause bridge bridge paused guardian");
        let run = run.says("pause notours notours cannot: owned by carol guardian");
        let run = run.never_says("propose one: ");
        run.says("rotate owner").says("asks for new").says("pause freeze pulls vault, bridge 1 of 2 done");
    }
    let config = alice.home().join(".config/breakglass/config.toml");
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    std::fs::write(&config, "me = \"alice\"\n").unwrap();
    alice.run(&[]).ended(0).says("→ breakglass import vault, once the others have signed");
    std::fs::remove_file(config).unwrap();
    let said = alice.run(&["--json"]).ended(0).json();
    let open = &said["open"][0];
    assert_eq!((&open["nonce"], &open["next"]), (&json!("0"), &json!("breakglass sign vault")), "{said}");
    assert_eq!(open["signed"], json!(["alice"]));
    assert!(open["since"].is_string(), "{said}");
    assert_eq!(lever(&said, "notours")["state"], "barred");
    assert_eq!(lever(&said, "bridge")["state"], "done");
    assert_eq!(lever(&said, "vault")["state"], "ready");
}

#[test]
fn a_signed_proposal_is_to_be_sent_and_a_sent_one_is_closed() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    alice.run(&["status"]).ended(0).says("2 of 2").says("→ breakglass broadcast vault");
    let carol = &ceremony.desks[2];
    sign(carol, &["vault"]);
    broadcast(alice, &["vault"]).ended(0);
    let done =
        alice.run(&["status"]).ended(0).says("nothing is open").says("pause vault vault paused since ");
    done.says("nothing to propose: every lever is done, or cannot be pulled now").never_says("propose one: ");
    // Carol's machine keeps a proposal whose nonce is used.
    carol.run(&["status"]).ended(0).says("nothing is open").says("pause vault vault paused guardian");
    let undo = [sign(alice, &["vault", "--undo"]), sign(carol, &["vault", "--undo"])].join("\n");
    alice.run(&["status"]).ended(0).says("vault --undo 1 of 2").says("→ breakglass sign vault --undo");
    import(alice, &["vault", "--undo"], &undo);
    broadcast(alice, &["vault", "--undo"]).ended(0);
    alice.run(&["status"]).ended(0).says("pause vault vault running guardian");
}

#[test]
fn a_chain_is_read_in_one_batch_and_a_missing_network_is_reported() {
    let (mut ceremony, proxy) = behind_a_proxy();
    with_levers(&mut ceremony);
    let alice = &ceremony.desks[0];
    sign(alice, &["vault"]);
    let before = proxy.counts();
    alice.run(&[]).ended(0).says("running");
    let after = proxy.counts();
    assert_eq!(after.posts - before.posts, 1, "one batch");
    let run = alice.run(&["status", "--offline"]).ended(0).says("the network was not asked");
    let run = run.says("1 of 2 bob, carol").says("pause vault vault not known guardian");
    run.says("pause freeze pulls vault, bridge not known guardian");
    assert_eq!(proxy.counts().posts, after.posts);
    drop(proxy);
    unreachable_says_so(alice);
}

fn unreachable_says_so(desk: &Desk) {
    let run = desk.run(&[]).ended(0).says("not known: the state on anvil: ");
    run.says("pause vault vault not known guardian").says("→ breakglass sign vault");
}

/// The files of this desk are listed without the network; their state on the chain is not.
#[test]
fn status_and_check_read_no_network_with_the_offline_flag() {
    let (ceremony, proxy) = behind_a_proxy();
    let alice = &ceremony.desks[0];
    let line = sign(&ceremony.desks[1], &["vault"]);
    sign(alice, &["vault"]);
    let posts = proxy.counts().posts;
    let run = alice.run(&["status", "vault", "--offline"]).ended(3);
    run.says("1 of 2 signed").says("offline: by what is kept here").says("→ an owner who is missing runs");
    import(alice, &["vault"], &line);
    let run = alice.run(&["status", "vault", "--offline"]).ended(0);
    run.says("enough have signed").says("→ breakglass broadcast vault");
    let said = alice.run(&["--json", "check", "vault", "--offline"]).ended(0).json();
    assert!(said["findings"].as_array().unwrap().iter().any(|f| f["kind"] == "not-your-playbook"), "{said}");
    assert_eq!(proxy.counts().posts, posts);
    alice.run(&["status", "vault", "--offline", "--proofs"]).ended(2);
}
