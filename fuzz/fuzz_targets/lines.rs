#![no_main]

use imglint_fuzz::differ::{compose, difference};

libfuzzer_sys::fuzz_target!(|choices: &[u8]| {
    let text = compose(choices.iter().copied());
    if let Some(difference) = difference(&text) {
        panic!("{difference}\n{text:?}\n{text}");
    }
});
