//! The library of playbooks on a real chain: every lever is pulled, proven and taken back, refused without its role, and
//! told when it is done already; its calldata is what another encoder gives.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a story that cannot go on is a failed test"
)]

#[path = "../stage/mod.rs"]
mod stage;

mod cli;
mod finding;
mod golden;
mod levers;
mod openzeppelin;
mod protocols;
mod registry;
mod safe;
mod scene;
mod trial;
mod windows;

/// Every playbook of the library is pulled by a story.
#[test]
fn every_playbook_is_pulled_somewhere() {
    let stories = [
        include_str!("levers.rs"),
        include_str!("openzeppelin.rs"),
        include_str!("protocols.rs"),
        include_str!("registry/aave.rs"),
        include_str!("registry/aave_before_v31.rs"),
        include_str!("registry/arbitrum.rs"),
        include_str!("registry/balancer.rs"),
        include_str!("registry/balancer_v3.rs"),
        include_str!("registry/chainlink.rs"),
        include_str!("registry/circle.rs"),
        include_str!("registry/compound_timelock.rs"),
        include_str!("registry/layer_zero.rs"),
        include_str!("registry/optimism.rs"),
        include_str!("registry/pyth.rs"),
        include_str!("safe.rs"),
        include_str!("windows.rs"),
    ]
    .concat();
    let catalogue = breakglass::playbook::Catalogue::new(Vec::new());
    let named = |id: &str| stories.contains(&format!("\"{id}\""));
    // Named by a pattern: format!("pause/arbitrum-{part}").
    let patterns = [
        "pause/arbitrum-rollup",
        "pause/arbitrum-inbox",
        "param/euler-v2-supply-cap",
        "param/euler-v2-borrow-cap",
    ];
    let pulled: Vec<&str> =
        catalogue.ids().into_iter().filter(|id| named(id) || patterns.contains(id)).collect();
    for id in catalogue.ids() {
        let undoes = pulled.iter().any(|other| {
            let undo = catalogue.get(other).unwrap().playbook.undo_args(&std::collections::BTreeMap::new());
            undo.is_some_and(|(undo, _)| undo.as_str() == id)
        });
        assert!(pulled.contains(&id) || undoes, "{id} is in no story");
    }
}
