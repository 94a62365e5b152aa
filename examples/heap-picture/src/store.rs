//! The store: documents as they were parsed, and for each word the documents that have it in their title.

use crate::documents::{Random, document_text};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};

/// One document in so many is starred.
const STARRED: u32 = 40;

/// A starred document stays while so many times as many others come and go.
const STARS_STAY: usize = 10;

/// A document, by its number in the index.
struct Document {
    number: u32,
    parsed: Value,
}

/// Documents and their index.
pub struct Store {
    /// The documents, the oldest first.
    recent: VecDeque<Document>,
    /// The starred ones, the oldest first.
    starred: VecDeque<Document>,
    /// For each word the numbers of the documents that have it in their title.
    index: HashMap<String, Vec<u32>>,
    most: usize,
    next_number: u32,
    random: Random,
}

impl Default for Store {
    fn default() -> Self {
        Store {
            recent: VecDeque::new(),
            starred: VecDeque::new(),
            index: HashMap::new(),
            most: 2000,
            next_number: 0,
            random: Random::new(2_463_534_242),
        }
    }
}

impl Store {
    /// Makes the text of a document, parses it and takes it in.
    pub fn add(&mut self) {
        let number = self.next_number;
        self.next_number += 1;
        let text = document_text(&mut self.random, number);
        let parsed = serde_json::from_str(&text).expect("the text was made from JSON");
        let document = Document { number, parsed };
        for word in title(&document).split(' ') {
            self.index.entry(word.to_owned()).or_default().push(number);
        }
        if self.random.below(STARRED) == 0 {
            self.starred.push_back(document);
        } else {
            self.recent.push_back(document);
        }
        self.drop_the_oldest();
    }

    /// Sets how many documents are kept.
    pub fn keep(&mut self, most: usize) {
        self.most = most;
        self.drop_the_oldest();
    }

    /// How many documents there are.
    pub fn len(&self) -> usize {
        self.recent.len() + self.starred.len()
    }

    /// How many documents have this word in their title.
    pub fn matches(&self, word: &str) -> usize {
        self.index.get(word).map_or(0, Vec::len)
    }

    fn drop_the_oldest(&mut self) {
        let most_starred = self.most * STARS_STAY / STARRED as usize;
        while self.recent.len() > self.most {
            let document = self.recent.pop_front().expect("there are more than may stay");
            self.forget(&document);
        }
        while self.starred.len() > most_starred {
            let document = self.starred.pop_front().expect("there are more than may stay");
            self.forget(&document);
        }
    }

    /// Takes a document out of the index.
    fn forget(&mut self, document: &Document) {
        for word in title(document).split(' ') {
            let Some(numbers) = self.index.get_mut(word) else {
                continue;
            };
            numbers.retain(|&number| number != document.number);
            if numbers.is_empty() {
                self.index.remove(word);
            }
        }
    }
}

fn title(document: &Document) -> &str {
    document.parsed["title"].as_str().expect("each document has a title")
}
