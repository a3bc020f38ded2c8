//! `make fuzz`: any answer of a device.
#![no_main]

#[path = "../reply.rs"]
mod reply;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| { reply::check(bytes) });
