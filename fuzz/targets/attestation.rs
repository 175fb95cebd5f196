#![no_main]

#[path = "../parsers.rs"]
#[expect(dead_code, reason = "each fuzz target uses one parser")]
mod parsers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::attestation(bytes));
