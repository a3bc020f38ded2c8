//! A Safe that is owned by a Safe: what its owners' commands cost, by signature and by a transaction of the child's own.

use alloy::sol_types::SolValue;
use breakglass::safe::SafeVersion;

use crate::ceremony::DELAY;
use crate::measure::{cost, myself};
use crate::stage::{Anvil, Ceremony, Desk, Proxy, SafeSetup, deploy, deploy_safe};
use crate::table::Row;

const KEY: [&str; 4] = ["--keystore", "keystore.json", "--password-file", "password"];
const AS: [&str; 3] = ["second", "--approve-as", "guardian"];

/// `parent`, owned by guardian alone, with a vault and a lever of its own.
fn ceremony(proxy: &Proxy, anvil: Anvil) -> Ceremony {
    let setup = SafeSetup::new(SafeVersion::V1_4_1, 3, 2);
    let mut ceremony = Ceremony::on(anvil, setup, &[proxy.url()]);
    let owners = vec![ceremony.safe];
    let setup = SafeSetup { owners, ..SafeSetup::new(SafeVersion::V1_4_1, 1, 1) };
    let parent = deploy_safe(&ceremony.anvil, &setup);
    let vault = deploy(&ceremony.anvil, "Vault", &parent.abi_encode());
    ceremony.add_to_council(&format!(
        "\n[safes.parent]\nchain = \"anvil\"\naddress = \"{parent}\"\nversion = \"1.4.1\"\nowners = [\"guardian\"]\nthreshold = 1\n\
         \n[targets.second]\nanvil = \"{vault}\"\n\n[levers.second]\nplaybook = \"pause/oz-pausable\"\nsafe = \"parent\"\n\
         set = {{ target = \"second\" }}\n"
    ));
    ceremony
}

pub fn rows() -> Vec<Row> {
    let anvil = Anvil::start();
    let proxy = Proxy::to(&anvil);
    let ceremony = ceremony(&proxy, anvil);
    proxy.delay(DELAY);
    let [alice, bob, carol] = &ceremony.desks[..] else { panic!("too few desks") };
    let mut rows = Vec::new();
    let mut row = |what: &str, desk: &Desk, args: &[&str], code: i32, most: usize| {
        proxy.forget_counts();
        let mut command = myself();
        command.current_dir(desk.folder()).env("HOME", desk.folder());
        let cost = cost(command, env!("CARGO_BIN_EXE_breakglass"), args).ended(what, code);
        rows.push(
            Row::new(what)
                .cost(cost)
                .rounds(proxy.counts().rounds)
                .at_most_rounds(most)
                .at_most_megabytes(64.0),
        );
    };
    let sign = [&["sign", "second"][..], &KEY, &["--yes"]].concat();
    row("sign for a child Safe, online, cold", carol, &sign, 0, 2);
    row("status of a tree of Safes", carol, &["status", "second"], 3, 1);
    let approve = [&["sign"][..], &AS, &KEY, &["--yes"]].concat();
    row("sign --approve-as, online, cold", alice, &approve, 0, 4);
    row("sign --approve-as, online, cold", bob, &approve, 0, 4);
    let line = bob.run(&[&["export"][..], &AS].concat()).ended(0).stdout;
    std::fs::write(alice.path("chat.txt"), line).unwrap();
    alice.run(&[&["import"][..], &AS, &["chat.txt"]].concat()).ended(0);
    row("status --approve-as", alice, &[&["status"][..], &AS].concat(), 0, 2);
    let send = [&["broadcast"][..], &AS, &KEY, &["--confirm", "guardian"]].concat();
    row("broadcast --approve-as, to the proof", alice, &send, 0, 4);
    rows
}
