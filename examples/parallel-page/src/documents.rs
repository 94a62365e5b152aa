//! Makes what is rendered: posts, as a server would send them. Each is JSON with a title, tags and a text in Markdown.

use serde_json::json;

const WORDS: [&str; 48] = [
    "amber", "anchor", "barley", "beacon", "birch", "canal", "cedar", "cinder", "clover", "copper", "coral", "delta",
    "ember", "fable", "falcon", "fern", "garnet", "glacier", "harbor", "hazel", "heron", "indigo", "island", "ivory",
    "jasper", "juniper", "kestrel", "lagoon", "lantern", "linden", "maple", "marble", "meadow", "nectar", "ocean",
    "orchid", "pebble", "prairie", "quartz", "raven", "river", "saffron", "slate", "summit", "thistle", "timber",
    "velvet", "willow",
];

/// A source of random numbers: xorshift (Marsaglia, 2003).
struct Random(u32);

impl Random {
    /// A number below `bound`.
    fn below(&mut self, bound: u32) -> u32 {
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

/// The JSON of so many posts. They are the same in each call.
pub fn make(count: u32) -> Vec<String> {
    let mut random = Random(2_463_534_242);
    (0..count).map(|number| post(&mut random, number)).collect()
}

fn post(random: &mut Random, number: u32) -> String {
    let title_words = 2 + random.below(4);
    let tags: Vec<&str> = (0..1 + random.below(5)).map(|_| random.word()).collect();
    let sections: Vec<String> = (0..2 + random.below(5)).map(|_| section(random)).collect();
    json!({
        "number": number,
        "title": random.words(title_words),
        "tags": tags,
        "text": sections.concat(),
    })
    .to_string()
}

/// A heading in Markdown, and what follows it: a paragraph, a list, a table or code.
fn section(random: &mut Random) -> String {
    let heading = format!("## {} {}\n\n", random.word(), random.word());
    let body = match random.below(5) {
        0 => list(random),
        1 => table(random),
        2 => format!("```\nlet {} = {};\n```\n\n", random.word(), random.below(1000)),
        _ => paragraph(random),
    };
    heading + &body + &paragraph(random)
}

fn paragraph(random: &mut Random) -> String {
    let (some, more, last) = (5 + random.below(40), 3 + random.below(20), 3 + random.below(20));
    format!(
        "{} *{}* {} [{}](https://example.org/{}) {}.\n\n",
        random.words(some),
        random.word(),
        random.words(more),
        random.words(2),
        random.word(),
        random.words(last)
    )
}

fn list(random: &mut Random) -> String {
    let items: Vec<String> = (0..3 + random.below(6))
        .map(|_| format!("- **{}** {}\n", random.word(), random.words(4)))
        .collect();
    items.concat() + "\n"
}

fn table(random: &mut Random) -> String {
    let rows: Vec<String> = (0..3 + random.below(8))
        .map(|_| format!("| {} | {} |\n", random.words(2), random.below(10_000)))
        .collect();
    format!("| what | how many |\n|---|---:|\n{}\n", rows.concat())
}
