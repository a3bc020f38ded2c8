//! An owner of a Safe that owns a Safe signs on a Ledger: the pages that the program lists are those that the device
//! shows of what it received, and the review says of them what is true.

use alloy::hex;
use alloy::primitives::B256;
use breakglass::safe::SafeVersion;

use crate::emulator::Emulator;
use crate::emulator::app::{Behaviour, Open, Signed};
use crate::emulator::screens::Screen;
use crate::nested::{Scene, Tree};
use crate::stage::{Desk, Run};
use crate::steps::{broadcast, import, refused};

/// Says which settings the device has, so that one end of the pages is predicted.
fn states(desk: &Desk, on: &Behaviour) {
    let (raw, hash) = (on.raw_messages, on.transaction_hash);
    desk.settings(&format!("[ledger]\nraw_messages = {raw}\ntransaction_hash = {hash}\n"));
}

fn sign_on(emulator: &Emulator, desk: &Desk, flags: &[&str]) -> Run {
    let url = emulator.url();
    desk.run(&[&["sign", "vault", "--as", &desk.name, "--ledger", &url, "--timeout", "3"], flags].concat())
}

/// The pages that the program listed: `12  title  lines`.
fn listed(run: &Run) -> Vec<String> {
    let after = run.stderr.split_once("On your Ledger").unwrap().1;
    let number = |line: &str| line.trim_start().split("  ").next().unwrap_or_default().parse::<usize>().ok();
    let pages = after.lines().filter(|line| line.starts_with("    ") && number(line).is_some());
    pages.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn numbered(screens: &[Screen]) -> Vec<String> {
    let page = |(at, lines): (usize, &Screen)| {
        format!("{} {}", at + 1, lines.join(" ")).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    screens.iter().enumerate().map(page).collect()
}

/// Signs, and holds each page against the device's own. Returns the run, and the pages as one text.
fn signed_as_listed(on: &Behaviour, desk: &Desk, flags: &[&str]) -> (Run, String, Vec<Signed>) {
    let emulator = Emulator::start(on.clone());
    states(desk, on);
    let run = sign_on(&emulator, desk, flags).ended(0);
    let shown = emulator.shown();
    let [screens] = &shown[..] else { panic!("{} reviews", shown.len()) };
    assert_eq!(listed(&run), numbered(screens), "{flags:?} {on:?}");
    assert_eq!(emulator.faults(), Vec::<String>::new());
    let pages = screens.iter().map(|lines| lines[1..].concat()).collect();
    (run, pages, emulator.signed())
}

/// The values of the rows with this label, of each message that the review lists.
fn rows(run: &Run, label: &str) -> Vec<String> {
    let of = |line: &str| {
        let value = line.trim_start().strip_prefix(label)?;
        (value.starts_with(' ') && value.trim_start().starts_with("0x")).then(|| value.trim().to_string())
    };
    let after = run.stderr.split_once("You sign for").unwrap().1;
    after.lines().take_while(|line| !line.contains("On your Ledger")).filter_map(of).collect()
}

/// That of the message that is signed.
fn row(run: &Run, label: &str) -> String {
    rows(run, label).pop().unwrap()
}

fn word(text: &str) -> B256 {
    text.parse().unwrap()
}

#[test]
fn the_pages_of_a_childs_message_are_those_that_the_device_shows() {
    for version in [SafeVersion::V1_3_0, SafeVersion::V1_4_1, SafeVersion::V1_5_0] {
        let scene = Scene::new(version, 1);
        let bob = scene.desk("bob");
        let mut lines = Vec::new();
        for (transaction_hash, name) in [(true, "bob"), (false, "carol")] {
            let on = Behaviour { transaction_hash, ..Behaviour::default() };
            let (run, pages, signed) = signed_as_listed(&on, scene.desk(name), &[]);
            let run = run.says(&format!("signed by {name}")).says("for foundation");
            // The block above the pages speaks of what this device shows.
            let run = run.says("read: a message of foundation, without call, target and nonce:");
            let run = run.never_says("read: to, data").never_says("it shows a message instead");
            let Signed::Fields(received) = &signed[0] else { panic!("{signed:?}") };
            assert_eq!(received.primary, "SafeMessage");
            let asked = &received.fields[0].1;
            assert_eq!(row(&run, "message"), hex::encode_prefixed(asked));
            assert_eq!(row(&run, "domain"), received.domain_hash.to_string());
            assert_eq!(word(&row(&run, "to sign")), received.digest());
            // By the message's own bytes the device names the parent's transaction, whole: the call it does not show.
            let of_parent = scene.hash();
            if version < SafeVersion::V1_5_0 {
                assert_eq!(alloy::primitives::keccak256(asked), of_parent, "{version}");
                assert!(run.stderr.contains("0x1901, then the domain hash and the message hash"));
            } else {
                assert_eq!(asked[..], of_parent[..]);
                assert!(run.stderr.contains("the hash of the transaction of guardian"));
            }
            assert!(pages.contains(&hex::encode_upper(asked)), "{pages}");
            assert_eq!(pages.contains(&hex::encode_upper(received.domain_hash)), transaction_hash);
            let vault = scene.vault.to_string();
            assert!(!pages.contains(&vault) && !pages.to_lowercase().contains("nonce"), "{pages}");
            let run = run.says("The Ledger shows this message whole").says("no call, target or nonce");
            let run = run.never_says("every other value must be 0");
            lines.push(run_line(&run));
        }
        import(bob, &["vault"], &lines.join("\n"));
        broadcast(bob, &["vault"]).ended(0).says("done and proven");
        assert!(scene.is_paused(), "{version}");
    }
}

fn run_line(run: &Run) -> String {
    run.stdout.trim().to_string()
}

/// When the device signs hashes, or only "Blind signing" is on, no page shows the message, and the program says so.
#[test]
fn the_program_says_that_a_device_shows_only_hashes_of_a_childs_message() {
    let scene = Scene::new(SafeVersion::V1_4_1, 1);
    let (bob, dave) = (scene.desk("bob"), scene.desk("dave"));
    let blind = Behaviour { blind_signing: true, ..Behaviour::default() };
    let (run, pages, signed) = signed_as_listed(&blind, bob, &["--hashes"]);
    assert!(matches!(signed[..], [Signed::Hashes(_)]));
    let only = "The Ledger shows only the domain hash and the message hash of this message";
    let run = run.says(only).never_says("shows this message whole");
    for (label, is_shown) in [("domain", true), ("msg hash", true), ("message", false)] {
        let value = hex::encode_upper(hex::decode(row(&run, label)).unwrap());
        assert_eq!(pages.contains(&value), is_shown, "{label}");
    }

    let alone = Behaviour { raw_messages: false, transaction_hash: false, ..blind.clone() };
    let (run, pages, signed) = signed_as_listed(&alone, dave, &["--fields"]);
    assert!(matches!(&signed[..], [Signed::Fields(received)] if received.primary == "SafeMessage"));
    let run = run.says("The Ledger shows only the message hash of this message, and labs");
    assert!(pages.contains(&hex::encode_upper(hex::decode(row(&run, "msg hash")).unwrap())));
    assert!(pages.contains(&scene.labs.to_string()) && !pages.contains("1901"), "{pages}");

    // As a personal message it is one value, and the child takes it.
    let (erin, on) = (scene.desk("erin"), Behaviour::default());
    let (run, pages, signed) = signed_as_listed(&on, erin, &["--eth-sign"]);
    assert!(matches!(signed[..], [Signed::Message(_)]));
    let run = run.says("The Ledger shows only the hash to sign");
    assert!(pages.contains(&row(&run, "to sign")), "{pages}");
    import(dave, &["vault"], &run_line(&run));
    broadcast(erin, &["vault"]).ended(0).says("done and proven");
}

/// Three levels: each message is shown with the one that it approves, so that the device's message can be followed up
/// to the act.
#[test]
fn a_grandchilds_pages_are_followed_message_by_message_to_the_act() {
    for version in [SafeVersion::V1_3_0, SafeVersion::V1_4_1, SafeVersion::V1_5_0] {
        let tree = Tree::new(version, 1);
        let [carol, dave] = [2, 3].map(|n| tree.desk(n));
        let on = Behaviour::default();
        let (run, pages, signed) = signed_as_listed(&on, &carol, &[]);
        let Signed::Fields(received) = &signed[0] else { panic!("{signed:?}") };
        let asked = received.fields[0].1.clone();
        assert!(pages.contains(&hex::encode_upper(&asked)) && pages.contains(&tree.inner.to_string()));
        let run = run.says("inner owns middle owns guardian").says("The Ledger shows this message whole");
        // The handler of 1.3.0 hands down what it was asked, the others their own message.
        let messages = rows(&run, "message");
        let [middle, inner] = &messages[..] else { panic!("{messages:?}") };
        assert_eq!(*inner, hex::encode_prefixed(&asked), "{version}");
        let of_middle = rows(&run, "hash")[0].clone();
        match version {
            SafeVersion::V1_3_0 => assert_eq!(inner, middle),
            SafeVersion::V1_4_1 => assert_eq!(alloy::primitives::keccak256(&asked), word(&of_middle)),
            _ => assert_eq!(*inner, of_middle),
        }
        let about = if version == SafeVersion::V1_3_0 {
            "the transaction of guardian"
        } else {
            "the message of middle"
        };
        let run = run.says(about);
        import(&dave, &["vault"], &run_line(&run));
        let (run, ..) = signed_as_listed(&on, &dave, &[]);
        import(&carol, &["vault"], &run_line(&run));
        broadcast(&carol, &["vault"]).ended(0).says("done and proven");
        assert!(tree.is_paused(), "{version}");
    }
}

/// A child that approves on chain signs a transaction: all of its fields are on the pages, and so is the hash that it
/// approves.
#[test]
fn the_pages_of_a_childs_own_transaction_show_the_hash_that_it_approves() {
    let scene = Scene::new(SafeVersion::V1_4_1, 1);
    let bob = scene.desk("bob");
    let (run, pages, signed) = signed_as_listed(&Behaviour::default(), bob, &["--approve-as", "foundation"]);
    let Signed::Fields(received) = &signed[0] else { panic!("{signed:?}") };
    assert_eq!(received.primary, "SafeTx");
    let approve = format!("D4D9BDCD{}", hex::encode_upper(scene.hash()));
    assert!(pages.contains(&approve) && pages.contains(&scene.guardian.to_string()), "{pages}");
    run.says("PAUSE vault").says("every other value must be 0").never_says("shows this message whole");
}

/// Nothing is signed, and the device shows the page that the review listed.
#[test]
fn a_device_whose_settings_forbid_it_signs_no_childs_message() {
    let scene = Scene::new(SafeVersion::V1_4_1, 2);
    let bob = scene.desk("bob");
    let forbids = Behaviour { raw_messages: false, ..Behaviour::default() };
    for flags in [&[][..], &["--approve-as", "foundation"]] {
        let emulator = Emulator::start(forbids.clone());
        states(bob, &forbids);
        let run = sign_on(&emulator, bob, flags);
        assert_eq!(listed(&run), numbered(emulator.shown().last().unwrap()));
        refused(run, 6, &["\"Raw messages\" is off"]);
        assert_eq!(emulator.signed(), []);
    }
    // Over the hashes it asks for the setting that these need.
    let emulator = Emulator::start(Behaviour::default());
    refused(sign_on(&emulator, bob, &["--hashes"]), 6, &["\"Blind signing\" is off"]);
    // An app without fields gives the hashes alone, and that is said.
    let old = Behaviour { open: Open::Ethereum([1, 9, 18]), ..Behaviour::default() };
    let emulator = Emulator::start(old);
    let run = sign_on(&emulator, bob, &[]).ended(0).says("too old to take the fields");
    run.says("The Ledger shows only the domain hash and the message hash of this message");
    assert!(matches!(emulator.signed()[..], [Signed::Hashes(_)]));
}
