//! Safes that are owned by Safes: who signs what, what it comes to, and what goes wrong.

use std::fmt::Write;

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};
use breakglass::proposal::find_signatures;
use breakglass::safe::{SafeId, SafeVersion};

use crate::stage::{Anvil, Desk, SafeSetup, Terminal, deploy, deploy_safe, key};
use crate::steps::{broadcast, import, propose, read_json, refused, sign, try_import, try_sign};

sol! {
    function paused() external view returns (bool);
    function swapOwner(address previous, address old, address new) external;
    function approveHash(bytes32 hash) external;
}

pub const NAMES: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];

/// guardian, owned by alice and two Safes: foundation (bob and carol, both) and labs (dave or erin).
pub struct Scene {
    pub anvil: Anvil,
    pub vault: Address,
    pub guardian: Address,
    pub foundation: Address,
    pub labs: Address,
    pub council: String,
    pub desks: Vec<Desk>,
}

pub fn safe_of(anvil: &Anvil, version: SafeVersion, owners: &[Address], threshold: u64) -> Address {
    deploy_safe(anvil, &SafeSetup { version, l2: false, owners: owners.to_vec(), threshold })
}

pub fn address(n: usize) -> Address {
    key(n).address
}

pub fn safe_text(name: &str, at: Address, version: SafeVersion, owners: &[&str], threshold: u64) -> String {
    format!(
        "[safes.{name}]\nchain = \"anvil\"\naddress = \"{at}\"\nversion = \"{version}\"\nowners = {owners:?}\nthreshold = {threshold}\n\n"
    )
}

impl Scene {
    pub fn new(version: SafeVersion, threshold: u64) -> Self {
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
        Self { anvil, vault, guardian, foundation, labs, council, desks }
    }

    pub fn desk(&self, name: &str) -> &Desk {
        self.desks.iter().find(|desk| desk.name == name).unwrap()
    }

    /// The line of each of these people.
    pub fn lines(&self, names: &[&str]) -> Vec<String> {
        names.iter().map(|name| sign(self.desk(name), &["vault"])).collect()
    }

    /// A hash of the lever, by somebody else's machine.
    fn hash_called(&self, name: &str) -> B256 {
        let desk = Desk::new("frank", key(5), &self.council);
        read_json(&propose(&desk))["hashes"][name].as_str().unwrap().parse().unwrap()
    }

    pub fn hash(&self) -> B256 {
        self.hash_called("safe_tx_hash")
    }

    /// The bytes whose hash is that one.
    fn pre_image(&self) -> Bytes {
        let parts = ["domain_hash", "message_hash"].map(|name| self.hash_called(name));
        [&[0x19, 0x01][..], parts[0].as_slice(), parts[1].as_slice()].concat().into()
    }

    /// Has an owner call `approveHash` on guardian.
    pub fn approve(&self, owner: Address, hash: B256) {
        self.anvil.set_balance(owner, U256::from(10).pow(U256::from(18)));
        let call = approveHashCall { hash }.abi_encode().into();
        self.anvil.send(owner, self.guardian, &call, U256::ZERO);
    }

    pub fn is_paused(&self) -> bool {
        self.anvil.view(self.vault, &pausedCall {})
    }
}

pub fn council(anvil: &Anvil, vault: Address, safes: &str) -> String {
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

/// For the owner of an owning Safe too, the refusals stand above the question, and the message to sign below the
/// review.
#[test]
fn the_review_of_a_childs_owner_fits_a_small_terminal() {
    let scene = Scene::new(SafeVersion::V1_4_1, 2);
    let bob = scene.desk("bob");
    let words = ["sign", "vault", "--keystore", "keystore.json", "--password-file", "password"];
    let mut terminal = Terminal::of_width(80, &mut bob.command(&words));
    terminal.asks("yes / no / more: ");
    let lines = terminal.lines();
    terminal.types("no\n");
    terminal.ended(4);
    let shown = &lines[lines.len() - 24..];
    assert!(shown[0].starts_with(" REAL · PAUSE vault"), "{}", shown.join("\n"));
}

/// Every mix of kinds that meets the threshold, in every order.
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
fn a_status_is_a_tree_and_a_safe_below_its_threshold_does_not_approve() {
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
        .says("No device shows a call, target or nonce of it")
        .says("for foundation");
    // Ahead, nothing is signed for a Safe below.
    let ahead = ["vault", "--nonces", "0..3", "--to", "set.txt"];
    refused(try_sign(scene.desk("bob"), &ahead), 2, &["nothing is signed ahead for foundation"]);
    // Once more, it is the same line.
    try_sign(scene.desk("bob"), &["vault"]).ended(0).says("already signed");
    refused(try_sign(scene.desk("alice"), &["vault", "--for", "foundation"]), 1, &["is not an owner"]);
    refused(try_sign(scene.desk("alice"), &["vault", "--for", "nobody"]), 2, &["foundation", "labs"]);
}

/// The approval on chain of a key, and of a Safe by its own transaction; nothing is kept on the machine that sends.
#[test]
fn approvals_on_chain_count_where_nothing_is_kept() {
    let scene = Scene::new(SafeVersion::V1_4_1, 2);
    let hash = scene.hash();
    let sender = scene.desk("erin");
    refused(broadcast(sender, &["vault"]), 3, &["alice"]);
    for owner in [address(0), scene.foundation] {
        scene.approve(owner, hash);
    }
    sender.run(&["status", "vault"]).says("2 of 2 signed").says("approved on chain");
    broadcast(sender, &["vault"]).ended(0).says("done and proven");
    assert!(scene.is_paused());
}

/// By signature and by hash: it is one owner.
#[test]
fn a_safe_that_approves_twice_counts_once() {
    for version in [SafeVersion::V1_3_0, SafeVersion::V1_4_1, SafeVersion::V1_5_0] {
        let scene = Scene::new(version, 2);
        scene.approve(scene.labs, scene.hash());
        let dave = scene.desk("dave");
        sign(dave, &["vault"]);
        refused(broadcast(dave, &["vault"]), 3, &["alice", "foundation"]);
        assert!(!scene.is_paused(), "{version}");
    }
}

#[test]
fn an_owner_counts_by_sending_with_a_keystore_and_for_nobody_else() {
    let scene = Scene::new(SafeVersion::V1_4_1, 2);
    let line = scene.lines(&["dave"]).pop().unwrap();
    let (alice, frank) = (scene.desk("alice"), scene.desk("bob"));
    import(alice, &["vault"], &line);
    import(frank, &["vault"], &line);
    refused(broadcast(alice, &["vault"]), 3, &["alice"]);
    // An owner of a child is no owner of the parent.
    refused(broadcast(frank, &["vault", "--approve-by-sending"]), 3, &["alice"]);
    alice.run(&["broadcast", "vault", "--approve-by-sending", "--calldata"]).ended(2);
    alice.run(&["broadcast", "vault", "--approve-by-sending", "--ledger"]).ended(2);
    broadcast(alice, &["vault", "--approve-by-sending"]).ended(0).says("done and proven");
    assert!(scene.is_paused());
}

/// guardian, owned by alice and middle, both of which sign; middle by bob or inner; inner by carol and dave, both.
pub struct Tree {
    pub anvil: Anvil,
    pub vault: Address,
    pub middle: Address,
    pub inner: Address,
    pub council: String,
}

impl Tree {
    /// Of the Safe at the top one approval is enough where `threshold` is 1.
    pub fn new(version: SafeVersion, threshold: u64) -> Self {
        let anvil = Anvil::start();
        let inner = safe_of(&anvil, version, &[address(2), address(3)], 2);
        let middle = safe_of(&anvil, version, &[address(1), inner], 1);
        let guardian = safe_of(&anvil, version, &[address(0), middle], threshold);
        let vault = deploy(&anvil, "Vault", &guardian.abi_encode());
        let safes = [
            safe_text("guardian", guardian, version, &["alice", "middle"], threshold),
            safe_text("middle", middle, version, &["bob", "inner"], 1),
            safe_text("inner", inner, version, &["carol", "dave"], 2),
        ];
        let council = council(&anvil, vault, &safes.concat());
        Self { anvil, vault, middle, inner, council }
    }

    pub fn desk(&self, n: usize) -> Desk {
        Desk::new(NAMES[n], key(n), &self.council)
    }

    pub fn is_paused(&self) -> bool {
        self.anvil.view(self.vault, &pausedCall {})
    }
}

#[test]
fn a_safe_three_levels_down_signs_for_the_one_at_the_top() {
    for version in [SafeVersion::V1_3_0, SafeVersion::V1_4_1, SafeVersion::V1_5_0] {
        let tree = Tree::new(version, 2);
        let desks = [0, 2, 3].map(|n| tree.desk(n));
        let lines: Vec<String> = desks.iter().map(|desk| sign(desk, &["vault"])).collect();
        import(&desks[0], &["vault"], &lines[1..].join("\n"));
        desks[0].run(&["status", "vault"]).says("2 of 2 signed").says("contract signature");
        broadcast(&desks[0], &["vault"]).ended(0).says("done and proven");
        assert!(tree.is_paused(), "{version}");
    }
}

/// At each Safe of the tree how many of its owners have signed, in the columns of a small terminal.
#[test]
fn a_status_three_levels_down_counts_at_each_safe() {
    let tree = Tree::new(SafeVersion::V1_4_1, 2);
    let [carol, dave] = [2, 3].map(|n| tree.desk(n));
    let shown = |desk: &Desk, code: i32| {
        let screen = Terminal::of_width(80, &mut desk.command(&["status", "vault"])).ended(code).stdout;
        let lines: Vec<String> = screen.lines().map(|line| line.trim_end().to_string()).collect();
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{screen}");
        lines
    };
    // What stands behind the address: the name with its indentation, and how far its owners are.
    let row = |lines: &[String], at: Address| {
        let behind =
            lines.iter().find_map(|line| Some(line.split_once(&at.to_string())?.1.to_string())).unwrap();
        let indent = behind.len() - behind.trim_start().len();
        (indent - 2, behind.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let line = sign(&carol, &["vault"]);
    import(&dave, &["vault"], &line);
    let lines = shown(&dave, 3);
    assert!(lines.iter().any(|line| line.contains("0 of 2 signed")), "{lines:?}");
    for (at, indent, expected) in [
        (address(0), 0, "alice no"),
        (tree.middle, 0, "middle 0 of 1 a Safe"),
        (address(1), 2, "bob no"),
        (tree.inner, 2, "inner 1 of 2 a Safe"),
        (address(2), 4, "carol yes ecdsa"),
        (address(3), 4, "dave no"),
    ] {
        assert_eq!(row(&lines, at), (indent, expected.to_string()), "{lines:?}");
    }
    sign(&dave, &["vault"]);
    let lines = shown(&dave, 3);
    assert!(lines.iter().any(|line| line.contains("1 of 2 signed")), "{lines:?}");
    assert!(row(&lines, tree.inner).1.contains("2 of 2"), "{lines:?}");
    assert!(row(&lines, tree.middle).1.contains("1 of 1"), "{lines:?}");
    let told = dave.run(&["--json", "status", "vault"]).ended(3).json();
    let inner = &told["owners"][1]["safe"]["owners"][1];
    assert_eq!(
        (&inner["safe"]["signed"], &inner["safe"]["owners"][0]["kind"]),
        (&2.into(), &"ecdsa".into()),
        "{told}"
    );
}

/// A Safe signed and is then no longer an owner: it is named, and nothing is sent.
#[test]
fn a_safe_that_was_replaced_as_an_owner_does_not_count() {
    let scene = Scene::new(SafeVersion::V1_4_1, 2);
    let alice = scene.desk("alice");
    let lines = scene.lines(&["alice", "dave"]);
    import(alice, &["vault"], &lines[1]);
    let swap = swapOwnerCall { previous: scene.foundation, old: scene.labs, new: address(5) };
    scene.anvil.set_balance(scene.guardian, U256::from(10).pow(U256::from(18)));
    scene.anvil.send(scene.guardian, scene.guardian, &swap.abi_encode().into(), U256::ZERO);
    let run = broadcast(alice, &["vault"]);
    assert_ne!(run.code, 0, "{run:?}");
    assert!(!scene.is_paused());
    let labs = scene.labs.to_string();
    alice.run(&["status", "vault"]).says(&format!("{labs} is no longer an owner"));
}

/// Signatures over the hash where the Safe checks the pre-image, over the pre-image where it checks the hash, over the
/// transaction itself, and for another parent.
#[test]
fn a_signature_over_the_other_message_and_one_for_another_parent_are_refused() {
    for version in [SafeVersion::V1_3_0, SafeVersion::V1_4_1, SafeVersion::V1_5_0] {
        let scene = Scene::new(version, 2);
        sign(scene.desk("alice"), &["vault"]);
        let labs = SafeId { chain_id: scene.anvil.chain_id, address: scene.labs, version };
        let (hash, pre_image) = (scene.hash(), scene.pre_image());
        let other = if version < SafeVersion::V1_5_0 { hash.to_vec().into() } else { pre_image };
        let of_other = labs.message_hashes(&other).safe_tx;
        let other = Scene::new(version, 3);
        let line = sign(other.desk("dave"), &["vault"]);
        let replayed = find_signatures(&line).stated[0].bytes;
        for (bytes, says) in [
            (
                key(3).sign(*of_other.word()),
                "dave signed a message of labs in a form that this Safe does not",
            ),
            (key(3).sign(hash), "dave signed the transaction itself, and owns labs: breakglass sign makes"),
            (replayed, "it is for another transaction, or by 0x"),
        ] {
            let text = alloy::hex::encode_prefixed(bytes);
            let run = try_import(scene.desk("alice"), &["vault"], &text);
            refused(run, 4, &[says]);
        }
    }
}

/// The owners of a child sign the drill too; with a child that signs no chain id the whole tree cannot be drilled.
#[test]
fn a_tree_of_safes_is_drilled_by_its_own_code() {
    for version in [SafeVersion::V1_3_0, SafeVersion::V1_4_1, SafeVersion::V1_5_0] {
        let scene = Scene::new(version, 2);
        let alice = scene.desk("alice");
        let announced = alice.run(&["drill", "vault"]).ended(0).stdout;
        let name = announced.trim().split(' ').next_back().unwrap();
        let lines: Vec<String> = ["bob", "carol", "dave"]
            .map(|who| try_sign(scene.desk(who), &[name]).ended(0).says("DRILL").stdout.trim().to_string())
            .into();
        assert!(lines.iter().all(|line| line.starts_with("bgdrill2")), "{lines:?}");
        import(alice, &[name], &lines.join("\n"));
        let run = alice.run(&["broadcast", name]).ended(0).says("DRILL proven");
        run.says("signed by dave").never_says("REAL");
        assert!(!scene.is_paused());
        refused(try_import(alice, &["vault"], &lines[0]), 4, &["it is of a DRILL"]);
    }
    let anvil = Anvil::start();
    let old = safe_of(&anvil, SafeVersion::V1_1_1, &[address(1)], 1);
    let guardian = safe_of(&anvil, SafeVersion::V1_4_1, &[address(0), old], 1);
    let vault = deploy(&anvil, "Vault", &guardian.abi_encode());
    let safes = [
        safe_text("guardian", guardian, SafeVersion::V1_4_1, &["alice", "foundation"], 1),
        safe_text("foundation", old, SafeVersion::V1_1_1, &["bob"], 1),
    ];
    let desk = Desk::new("alice", key(0), &council(&anvil, vault, &safes.concat()));
    refused(desk.run(&["drill", "vault"]), 4, &["1.1.1", &old.to_string()]);
    assert!(!desk.path("incidents").exists());
}
