//! Safes that are owned by Safes, and by contracts that are not: who signs what, what it comes to, and what goes wrong.

use std::fmt::Write;

use alloy::primitives::Address;
use alloy::sol;
use alloy::sol_types::SolValue;
use breakglass::safe::SafeVersion;

use crate::stage::{Anvil, Desk, SafeSetup, deploy, deploy_safe, key};
use crate::steps::{broadcast, import, refused, sign, try_import, try_sign};

sol! {
    function paused() external view returns (bool);
}

const NAMES: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];

/// guardian, owned by alice and two Safes: foundation (bob and carol, both) and labs (dave or erin).
struct Scene {
    anvil: Anvil,
    vault: Address,
    desks: Vec<Desk>,
}

fn safe_of(anvil: &Anvil, version: SafeVersion, owners: &[Address], threshold: u64) -> Address {
    deploy_safe(anvil, &SafeSetup { version, l2: false, owners: owners.to_vec(), threshold })
}

fn address(n: usize) -> Address {
    key(n).address
}

fn safe_text(name: &str, at: Address, version: SafeVersion, owners: &[&str], threshold: u64) -> String {
    format!(
        "[safes.{name}]\nchain = \"anvil\"\naddress = \"{at}\"\nversion = \"{version}\"\nowners = {owners:?}\nthreshold = {threshold}\n\n"
    )
}

impl Scene {
    fn new(version: SafeVersion, threshold: u64) -> Self {
        let anvil = Anvil::start();
        let foundation = safe_of(&anvil, version, &[address(1), address(2)], 2);
        let labs = safe_of(&anvil, version, &[address(3), address(4)], 1);
        let guardian = safe_of(&anvil, version, &[address(0), foundation, labs], threshold);
        let vault = deploy(&anvil, "Vault", &guardian.abi_encode());
        let safes = [
            safe_text("guardian", guardian, version, &["alice", "foundation", "labs"], threshold),
            safe_text("foundation", foundation, version, &["bob", "carol"], 2),
            safe_text("labs", labs, version, &["dave", "erin"], 1),
        ];
        let council = council(&anvil, vault, &safes.concat());
        let desks = (0..5).map(|n| Desk::new(NAMES[n], key(n), &council)).collect();
        Self { anvil, vault, desks }
    }

    fn desk(&self, name: &str) -> &Desk {
        self.desks.iter().find(|desk| desk.name == name).unwrap()
    }

    /// The line of each of these people.
    fn lines(&self, names: &[&str]) -> Vec<String> {
        names.iter().map(|name| sign(self.desk(name), &["vault"])).collect()
    }

    fn is_paused(&self) -> bool {
        self.anvil.view(self.vault, &pausedCall {})
    }
}

fn council(anvil: &Anvil, vault: Address, safes: &str) -> String {
    let mut signers = String::new();
    for (n, name) in NAMES.iter().enumerate() {
        write!(signers, "[signers.{name}]\naddress = \"{}\"\n\n", address(n)).unwrap();
    }
    format!(
        "schema = 1\nname = \"Test protocol\"\n\n[chains.anvil]\nid = {}\nrpc = [{:?}]\n\n{safes}{signers}\
         [targets.vault]\nanvil = \"{vault}\"\n\n[levers.vault]\nplaybook = \"pause/oz-pausable\"\nsafe = \"guardian\"\n\
         set = {{ target = \"vault\" }}\n",
        anvil.chain_id,
        anvil.url()
    )
}

/// Every mix of kinds that meets the threshold, whatever came first.
#[test]
fn every_mix_of_keys_and_safes_pauses_the_vault() {
    for (version, threshold, who) in [
        (SafeVersion::V1_3_0, 2, &["alice", "dave"][..]),
        (SafeVersion::V1_3_0, 2, &["carol", "erin", "bob"]),
        (SafeVersion::V1_4_1, 2, &["bob", "alice", "carol"]),
        (SafeVersion::V1_4_1, 3, &["carol", "dave", "bob", "alice"]),
        (SafeVersion::V1_5_0, 2, &["erin", "bob", "carol"]),
        (SafeVersion::V1_5_0, 3, &["alice", "bob", "carol", "dave"]),
    ] {
        let scene = Scene::new(version, threshold);
        let mut lines = scene.lines(who);
        lines.reverse();
        let sender = scene.desk("erin");
        import(sender, &["vault"], &lines.join("\n"));
        broadcast(sender, &["vault"]).ended(0).says("done and proven");
        assert!(scene.is_paused(), "{version} {threshold} {who:?}");
    }
}

#[test]
fn a_status_is_a_tree_and_half_a_safe_is_no_approval() {
    let scene = Scene::new(SafeVersion::V1_4_1, 2);
    let lines = scene.lines(&["bob", "alice"]);
    let desk = scene.desk("alice");
    try_import(desk, &["vault"], &lines.join("\n"))
        .ended(0)
        .says(&format!("bob {}, for foundation", address(1)))
        .says("1 of 2: alice. Next: one of foundation (1 of 2), labs: breakglass sign vault");
    let status = desk.run(&["status", "vault"]).ended(3).says("1 of 2 signed");
    let rows: Vec<&str> = status.stdout.lines().chain(status.stderr.lines()).collect();
    let row = |name: &str| *rows.iter().find(|row| row.contains(&format!(" {name} "))).unwrap();
    assert!(row("foundation").contains("1 of 2") && row("bob").contains("yes"), "{rows:?}");
    assert!(row("carol").contains(" no") && row("labs").contains("0 of 1"), "{rows:?}");
    let told = desk.run(&["--json", "status", "vault"]).ended(3).json();
    let foundation = &told["owners"][1];
    assert_eq!(foundation["safe"]["signed"], 1, "{told}");
    assert_eq!(foundation["safe"]["owners"][1]["name"], "carol", "{told}");
    refused(broadcast(desk, &["vault"]), 3, &["foundation"]);
    assert!(!scene.is_paused());
}

#[test]
fn the_review_shows_the_act_and_says_what_is_signed_and_what_a_device_shows() {
    let scene = Scene::new(SafeVersion::V1_4_1, 2);
    try_sign(scene.desk("bob"), &["vault"])
        .ended(0)
        .says("pause()")
        .says("You sign for foundation")
        .says("foundation owns guardian")
        .says("0x1901, then the domain hash and the message hash")
        .says("no call, target or nonce")
        .says("for foundation");
    // Once more, it is the same line.
    try_sign(scene.desk("bob"), &["vault"]).ended(0).says("already signed");
    refused(try_sign(scene.desk("alice"), &["vault", "--for", "foundation"]), 1, &["is not an owner"]);
    refused(try_sign(scene.desk("alice"), &["vault", "--for", "nobody"]), 2, &["foundation", "labs"]);
}
