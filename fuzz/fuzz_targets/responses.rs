#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| healthomics::fuzzing::responses(data));
