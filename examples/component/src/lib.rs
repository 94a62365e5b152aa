//! Makes an index of texts for its host.

use freeing_bump::FreeingBump;
use std::collections::BTreeMap;

#[global_allocator]
static ALLOCATOR: FreeingBump = FreeingBump::new();

wit_bindgen::generate!({ world: "index" });

struct Index;

impl Guest for Index {
    fn index(texts: Vec<String>) -> Vec<Entry> {
        let mut index: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (number, text) in (0..).zip(&texts) {
            let words = text.split(|letter: char| !letter.is_alphanumeric());
            for word in words.filter(|word| !word.is_empty()) {
                let numbers = index.entry(word.to_lowercase()).or_default();
                if numbers.last() != Some(&number) {
                    numbers.push(number);
                }
            }
        }
        let entries = index.into_iter();
        entries.map(|(word, texts)| Entry { word, texts }).collect()
    }
}

export!(Index);
