//! The checks of `make fuzz`, run with their seeds: they compile, and hold for those.

#[path = "../fuzz/import.rs"]
mod import;
#[path = "../fuzz/reply.rs"]
mod reply;

use std::fs;
use std::path::Path;

/// The seeds of a target.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(target);
    let seeds: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(!seeds.is_empty());
    seeds
}

#[test]
fn the_seeds_of_pasted_texts_hold() {
    for seed in seeds("import") {
        let text = String::from_utf8(seed).unwrap();
        assert!(!import::taken(&text).is_empty(), "no signature of the proposal that is looked for: {text}");
        import::check(&text);
    }
}

#[test]
fn the_seeds_of_a_devices_answers_hold() {
    for seed in seeds("reply") {
        reply::check(&seed);
    }
}
