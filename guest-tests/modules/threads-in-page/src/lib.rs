//! [`threads_module`] with the glue of wasm-bindgen, which gives each thread its stack and its storage, and passes texts to and
//! from JavaScript through the global allocator. The functions of that crate are exports of this module too. For other targets than
//! wasm32 the crate is empty.
#![cfg(target_arch = "wasm32")]

use threads_module as _;
use wasm_bindgen::prelude::wasm_bindgen;

/// The words of a text in alphabetical order.
#[wasm_bindgen]
pub fn sort_words(text: &str) -> String {
    let mut words: Vec<String> = text.split_whitespace().map(String::from).collect();
    words.sort_unstable();
    words.join(" ")
}
