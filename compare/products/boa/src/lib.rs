//! Boa: a fresh JavaScript engine runs a script, as in a host of plug-ins.

// The engine seeds `Math.random` when it starts.
use entropy as _;

use boa_engine::context::time::FixedClock;
use boa_engine::{Context, Source};
use harness::Checksum;
use std::rc::Rc;

harness::export_workloads! {
    "boa" => run_script,
}

/// Classes, closures, strings, arrays, maps, patterns and JSON; `size` is defined before it.
const SCRIPT: &str = r#"
class Shelf {
    constructor(name) { this.name = name; this.books = []; }
    add(book) { this.books.push(book); return this; }
    get pages() { return this.books.reduce((sum, book) => sum + book.pages, 0); }
}

let seed = 7;
const random = (bound) => { seed = (seed * 48271) % 2147483647; return seed % bound; };
const word = () => Array.from({ length: 2 + random(2) }, () => ["ba", "co", "di", "fe", "gu", "la"][random(6)]).join("");

const shelves = new Map();
for (let number = 0; number < size; number += 1) {
    const book = { title: `${word()} ${word()}`, pages: 50 + random(900), tags: [word(), word()], number };
    const name = book.title[0];
    if (!shelves.has(name)) shelves.set(name, new Shelf(name));
    shelves.get(name).add(book);
}

const counts = {};
for (const shelf of shelves.values()) {
    for (const { tags } of shelf.books) for (const tag of tags) counts[tag] = (counts[tag] ?? 0) + 1;
}

const catalogue = [...shelves.values()]
    .sort((one, other) => other.pages - one.pages)
    .map(({ name, books, pages }) => ({ name, pages, books: books.filter((book) => /^(ba|co)/.test(book.title)) }));
const copy = JSON.parse(JSON.stringify(catalogue));
const text = copy.flatMap(({ books }) => books.map(({ title }) => title.toUpperCase().replace(/(.+) (.+)/, "$2, $1")));
const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
`${text.join(";")} ${Object.entries(counts).sort().join(" ")} ${fib(12)}`
"#;

/// Runs the script for `argument` books.
fn run_script(argument: u32) -> u64 {
    let mut checksum = Checksum::new();
    checksum.add_bytes(output(argument).as_bytes());
    checksum.finish()
}

fn output(size: u32) -> String {
    // A module has no clock of its own.
    let mut context = Context::builder()
        .clock(Rc::new(FixedClock::from_millis(0)))
        .build()
        .expect("the engine starts");
    let script = format!("const size = {size};\n{SCRIPT}");
    let value = context
        .eval(Source::from_bytes(&script))
        .unwrap_or_else(|error| panic!("the script runs: {error}"));
    let text = value.to_string(&mut context).expect("the script ends with a string");
    text.to_std_string_escaped()
}

#[cfg(test)]
mod tests {
    use super::{output, run_script};

    #[test]
    fn the_script_counts_words_matches_titles_and_recurses() {
        let output = output(40);
        assert!(output.contains(',') && output.ends_with(" 144"), "{output}");
    }

    #[test]
    fn the_same_script_gives_the_same_checksum() {
        assert_eq!(run_script(40), run_script(40));
    }
}
