//! One lever for many contracts: one transaction, or the same pieces of it on every machine.

use std::fmt::Write;

use alloy::primitives::{Address, B256};
use alloy::sol_types::SolValue;
use breakglass::safe::SafeVersion;
use serde_json::json;

use crate::stage::{Anvil, Ceremony, SafeSetup, deploy};
use crate::steps::{as_the_safe, broadcast, executed, import, pausedCall, sign};

const POOLS: u64 = 128;

/// A council with 128 pools, which its Safe may pause.
fn with_pools(anvil: Anvil) -> (Ceremony, Vec<Address>) {
    let mut ceremony = Ceremony::with_two_rpcs(anvil, SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
    let one = deploy(&ceremony.anvil, "Vault", &ceremony.safe.abi_encode());
    let code = ceremony.anvil.code(one);
    let owner = ceremony.anvil.storage(one, B256::ZERO);
    let pool = |n: u64| Address::left_padding_from(&(0x9001_0000 + n).to_be_bytes());
    let pools: Vec<Address> = (0..POOLS).map(pool).collect();
    let mut text = String::new();
    for (n, pool) in pools.iter().enumerate() {
        ceremony.anvil.set_code(*pool, &code);
        ceremony.anvil.set_storage(*pool, B256::ZERO, owner);
        write!(text, "\n[targets.pool-{n}]\nanvil = \"{pool}\"\n").unwrap();
    }
    let names: Vec<String> = (0..POOLS).map(|n| format!("pool-{n}")).collect();
    write!(
        text,
        "\n[levers.pools]\nplaybook = \"pause/oz-pausable-many\"\nsafe = \"guardian\"\nset = {{ targets = {names:?} }}\n"
    )
    .unwrap();
    ceremony.add_to_council(&text);
    (ceremony, pools)
}

fn paused(ceremony: &Ceremony, pools: &[Address]) -> usize {
    pools.iter().filter(|pool| ceremony.anvil.view(**pool, &pausedCall {})).count()
}

#[test]
fn a_lever_of_128_pools_is_one_transaction() {
    let (ceremony, pools) = with_pools(Anvil::start());
    let [alice, bob, ..] = &ceremony.desks[..] else { panic!("two desks are needed") };
    // Somebody was faster with one of them: its call would revert, and with it all the others.
    as_the_safe(&ceremony, pools[5], alloy::primitives::hex!("8456cb59"));
    let proposed = alice.run(&["pause", "pools"]).ended(0).says("127 calls in one");
    proposed.says("left out: pause(), because pool-5 paused() is true").says("and 124 more");
    sign(alice, &["pools"]);
    import(alice, &["pools"], &sign(bob, &["pools"]));
    broadcast(alice, &["pools"]).ended(0).says("done and proven");
    assert_eq!((paused(&ceremony, &pools), executed(&ceremony)), (128, 1));
    alice.run(&["pause", "pools"]).says("already done: pool-0 paused() is true").says("and 120 more");
}

/// The lever needs twice the gas of a block: every machine cuts it at the same place, whatever gas it measured.
#[test]
fn a_lever_too_large_for_one_transaction_is_cut_alike_for_everybody() {
    let (ceremony, pools) = with_pools(Anvil::start());
    ceremony.anvil.rpc("evm_setBlockGasLimit", &json!(["0x16e360"]));
    ceremony.anvil.mine(1);
    let [alice, bob, ..] = &ceremony.desks[..] else { panic!("two desks are needed") };
    let whole = alice.run(&["pause", "pools"]);
    whole.says("--set piece=1/2 and --set piece=2/2");
    for piece in ["piece=1/2", "piece=2/2"] {
        let words = ["pools", "--set", piece];
        sign(alice, &words);
        import(alice, &["pools"], &sign(bob, &words));
        broadcast(alice, &words).ended(0).says("done and proven");
    }
    assert_eq!((paused(&ceremony, &pools), executed(&ceremony)), (128, 2));
}
