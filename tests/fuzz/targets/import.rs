//! `make fuzz`: any pasted text.
#![no_main]

#[path = "../import.rs"]
mod import;

libfuzzer_sys::fuzz_target!(|text: &str| { import::check(text) });
