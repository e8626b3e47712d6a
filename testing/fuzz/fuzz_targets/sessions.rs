#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| waxwing_testkit::fuzz::sessions(data));
