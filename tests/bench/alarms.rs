//! Twenty alarms on one chain, read by one run of `watch --once`.

use std::fmt::Write;

use breakglass::safe::SafeVersion;

use crate::ceremony::DELAY;
use crate::measure::{cost, myself};
use crate::stage::{Anvil, Ceremony, Proxy, SafeSetup};
use crate::table::Row;

const ALARMS: usize = 20;

pub fn row() -> Row {
    let anvil = Anvil::start();
    let proxy = Proxy::to(&anvil);
    let mut ceremony = Ceremony::on(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2), &[proxy.url()]);
    let mut text = String::new();
    for n in 0..ALARMS {
        write!(
            text,
            "\n[alarms.a{n}]\ntitle = \"vault is paused\"\nlever = \"vault\"\non = \"vault\"\n\
             view = \"paused()(bool)\"\nexpect = \"false\"\n"
        )
        .unwrap();
    }
    ceremony.add_to_council(&text);
    proxy.delay(DELAY);
    let what = "watch --once, 20 alarms";
    let desk = &ceremony.desks[0];
    let mut command = myself();
    command.current_dir(desk.folder()).env("HOME", desk.folder());
    let cost = cost(command, env!("CARGO_BIN_EXE_breakglass"), &["watch", "--once"]).ended(what, 0);
    let rounds = proxy.counts().rounds;
    Row::new(what).cost(cost).rounds(rounds).at_most_rounds(1)
}
