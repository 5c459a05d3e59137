#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| imglint_fuzz::readers::helmignore(bytes));
