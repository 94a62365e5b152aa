//! Makes the text of documents: JSON with a title, tags, a body and a series of numbers.

use serde_json::{Value, json};

const WORDS: [&str; 48] = [
    "amber", "anchor", "barley", "beacon", "birch", "canal", "cedar", "cinder", "clover", "copper", "coral", "delta",
    "ember", "fable", "falcon", "fern", "garnet", "glacier", "harbor", "hazel", "heron", "indigo", "island", "ivory",
    "jasper", "juniper", "kestrel", "lagoon", "lantern", "linden", "maple", "marble", "meadow", "nectar", "ocean",
    "orchid", "pebble", "prairie", "quartz", "raven", "river", "saffron", "slate", "summit", "thistle", "timber",
    "velvet", "willow",
];

/// A source of random numbers: xorshift (Marsaglia, 2003).
pub struct Random(u32);

impl Random {
    /// The numbers that follow from this seed, which must not be 0.
    pub fn new(seed: u32) -> Self {
        Random(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % bound
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len() as u32) as usize]
    }

    fn words(&mut self, count: u32) -> String {
        let words: Vec<&str> = (0..count).map(|_| self.word()).collect();
        words.join(" ")
    }
}

/// The text of a document: mostly short, seldom some thousand bytes.
pub fn document_text(random: &mut Random, number: u32) -> String {
    let body_words = match random.below(20) {
        0 => 100 + random.below(900),
        _ => 5 + random.below(60),
    };
    let title_words = 2 + random.below(4);
    let tags: Vec<&str> = (0..random.below(5)).map(|_| random.word()).collect();
    let series: Vec<Value> = (0..random.below(40)).map(|_| random.below(10_000).into()).collect();
    json!({
        "number": number,
        "title": random.words(title_words),
        "tags": tags,
        "body": random.words(body_words),
        "series": series,
    })
    .to_string()
}
