//! A long Markdown document rendered to HTML.

use harness::{Checksum, Input, Random, with_input};
use pulldown_cmark::{Event, Options, Parser, html};
use std::fmt::Write;

harness::export_workloads! {
    "markdown_prepare" => prepare,
    "markdown" => render,
}

thread_local! {
    static DOCUMENT: Input<String> = const { Input::new(None) };
}

/// Makes a document of `argument` sections with lists, code, tables, quotes, links and emphasis.
fn prepare(argument: u32) -> u64 {
    let mut random = Random::new(31);
    let mut document = String::new();
    for number in 1..=argument {
        section(number, &mut random, &mut document).expect("writing to a string succeeds");
    }
    let bytes = document.len() as u64;
    DOCUMENT.set(Some(document));
    bytes
}

fn section(number: u32, random: &mut Random, out: &mut String) -> std::fmt::Result {
    writeln!(out, "## {number}. {}\n", random.sentence(4))?;
    for _ in 0..3 {
        let (bold, code, link) = (random.word(), random.word(), random.word());
        let (first, second) = (random.sentence(12), random.sentence(9));
        writeln!(
            out,
            "{first} **{bold}** and `{code}` in *{second}* [{link}](#{link} \"{bold}\")\n"
        )?;
    }
    for item in 1..=random.within(2, 6) {
        writeln!(out, "{item}. {}\n   - [x] {}", random.sentence(6), random.sentence(5))?;
    }
    writeln!(out, "\n> {}\n\n| name | value |\n|---|--:|", random.sentence(15))?;
    for _ in 0..random.within(2, 8) {
        writeln!(out, "| {} | {} |", random.word(), random.below(1000))?;
    }
    writeln!(out, "\n```rust\nlet {} = {};\n```\n", random.word(), random.below(1000))
}

/// Renders the document twice, once from a list of all events, as programs do that rewrite them.
fn render(_argument: u32) -> u64 {
    with_input(&DOCUMENT, |document| {
        let mut checksum = Checksum::new();
        let mut page = String::new();
        html::push_html(&mut page, Parser::new_ext(document, Options::all()));
        checksum.add_bytes(page.as_bytes());
        let events: Vec<Event> = Parser::new_ext(document, Options::all())
            .map(|event| match event {
                Event::Text(text) => Event::Text(text.to_uppercase().into()),
                other => other,
            })
            .collect();
        let mut page = String::new();
        html::push_html(&mut page, events.into_iter());
        checksum.add_bytes(page.as_bytes());
        checksum.finish()
    })
}

#[cfg(test)]
mod tests {
    use super::{DOCUMENT, prepare, render};
    use harness::with_input;

    #[test]
    fn a_section_has_a_heading_a_table_and_a_list() {
        prepare(1);
        with_input(&DOCUMENT, |document| {
            assert!(document.starts_with("## 1. "));
            assert!(document.contains("|---|--:|"));
            assert!(document.contains("\n1. "));
        });
    }

    #[test]
    fn rendering_again_gives_the_same_checksum() {
        prepare(5);
        assert_eq!(render(0), render(0));
    }
}
