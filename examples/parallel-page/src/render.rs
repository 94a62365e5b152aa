//! Renders one post, as a program with one thread would: nothing here knows of threads or of the allocator.

use pulldown_cmark::{Event, Options, Parser, html};
use serde_json::Value;
use std::collections::BTreeMap;

/// How many of its words a page names.
const FREQUENT: usize = 5;

/// A rendered post.
pub struct Page {
    pub number: u32,
    pub html: String,
}

/// Parses the JSON of a post, and renders its Markdown to a page with its tags and its most frequent words.
pub fn render(json: &str) -> Page {
    let post: Value = serde_json::from_str(json).expect("the text was made from JSON");
    let text = post["text"].as_str().expect("each post has a text");
    let events: Vec<Event> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
    let words = frequent_words(&events);
    let mut html = format!("<article>\n<h1>{}</h1>\n", escaped(&post["title"]));
    html::push_html(&mut html, events.into_iter());
    let tags: Vec<String> = post["tags"].as_array().into_iter().flatten().map(escaped).collect();
    html += &format!(
        "<footer>{}; often here: {}</footer>\n</article>\n",
        tags.join(", "),
        words.join(", ")
    );
    Page {
        number: post["number"].as_u64().expect("each post has a number") as u32,
        html,
    }
}

/// The words that these events have most often, the first ones in the alphabet where there are as many.
fn frequent_words(events: &[Event]) -> Vec<String> {
    let mut counts = BTreeMap::<String, u32>::new();
    for event in events {
        if let Event::Text(text) = event {
            for word in text.split_whitespace() {
                *counts.entry(word.trim_matches('.').to_lowercase()).or_default() += 1;
            }
        }
    }
    let mut words: Vec<(String, u32)> = counts.into_iter().collect();
    words.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    words.into_iter().take(FREQUENT).map(|(word, _)| word).collect()
}

/// A string of the JSON, as HTML.
fn escaped(value: &Value) -> String {
    let mut html = String::new();
    html::push_html(
        &mut html,
        std::iter::once(Event::Text(value.as_str().unwrap_or_default().into())),
    );
    html
}
