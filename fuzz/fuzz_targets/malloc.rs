#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| freeing_bump::fuzz::malloc(input));
