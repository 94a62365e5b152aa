//! Lightning CSS: a style sheet is parsed, compiled for older browsers, minified and printed, as a bundler does.

// Hash tables are seeded with it.
use entropy as _;

use harness::{Checksum, Input, Random, with_input};
use lightningcss::stylesheet::{MinifyOptions, ParserOptions, PrinterOptions, StyleSheet};
use lightningcss::targets::{Browsers, Targets};

harness::export_workloads! {
    "lightningcss_prepare" => prepare,
    "lightningcss" => compile,
}

thread_local! {
    static SHEET: Input<String> = const { Input::new(None) };
}

/// Makes a style sheet of `argument` rules.
fn prepare(argument: u32) -> u64 {
    let mut random = Random::new(43);
    let sheet: String = (0..argument).map(|_| rule(&mut random)).collect();
    let bytes = sheet.len() as u64;
    SHEET.set(Some(sheet));
    bytes
}

fn rule(random: &mut Random) -> String {
    let style = format!("{} {{\n{}}}\n", selector(random), declarations(random));
    match random.below(10) {
        0 => format!(
            "@media (min-width: {}px) and (prefers-color-scheme: dark) {{\n{style}}}\n",
            random.within(320, 1920)
        ),
        1 => format!("@supports (display: grid) {{\n{style}}}\n"),
        2 => format!("@layer {} {{\n{style}}}\n", random.word()),
        3 => format!(
            "@keyframes {} {{ from {{ opacity: 0; transform: translate({}px, 10%) }} to {{ opacity: 1 }} }}\n",
            random.word(),
            random.below(50)
        ),
        // Nesting, which older browsers need compiled.
        4 | 5 => format!(
            ".{} {{\n{}&:hover, & > .{} {{\n{}}}\n}}\n",
            random.word(),
            declarations(random),
            random.word(),
            declarations(random)
        ),
        _ => style,
    }
}

fn selector(random: &mut Random) -> String {
    let parts: Vec<String> = (0..random.within(1, 3))
        .map(|_| match random.below(5) {
            0 => format!("#{} > li:nth-child({}n + 1)", random.word(), random.within(2, 5)),
            1 => format!("a[href^=\"{}\"]:not(.{})", random.word(), random.word()),
            2 => format!(".{}::before", random.word()),
            3 => format!(":is(h1, h2) + .{}", random.word()),
            _ => format!(".{} .{}", random.word(), random.word()),
        })
        .collect();
    parts.join(", ")
}

fn declarations(random: &mut Random) -> String {
    (0..random.within(2, 9))
        .map(|_| format!("  {};\n", declaration(random)))
        .collect()
}

fn declaration(random: &mut Random) -> String {
    match random.below(12) {
        0 => format!("color: oklch(0.{} 0.1 {})", random.within(20, 90), random.below(360)),
        1 => format!(
            "background: linear-gradient({}deg, #{:06x} 0%, rgb(0 0 0 / 40%) 100%)",
            random.below(360),
            random.below(1 << 24)
        ),
        2 => format!(
            "margin: {}px {}px {}px {}px",
            random.below(40),
            random.below(40),
            random.below(40),
            random.below(40)
        ),
        3 => format!("padding-inline: {}rem", random.below(5)),
        4 => format!(
            "width: calc(100% - {}px - 2 * {}px)",
            random.below(90),
            random.below(20)
        ),
        5 => format!(
            "grid-template-columns: repeat({}, minmax(0, 1fr)) {}px",
            random.within(2, 6),
            random.below(300)
        ),
        6 => format!(
            "transition: opacity {}ms ease-in-out, transform 0.{}s",
            random.below(900),
            random.within(1, 9)
        ),
        7 => format!(
            "font: italic bold {}px/1.5 \"{}\", sans-serif",
            random.within(9, 40),
            random.word()
        ),
        8 => format!(
            "--{}: {} var(--{}, #{:06x})",
            random.word(),
            random.word(),
            random.word(),
            random.below(1 << 24)
        ),
        9 => format!(
            "box-shadow: 0 {}px {}px rgba({}, 0, 0, 0.5)",
            random.below(9),
            random.below(30),
            random.below(256)
        ),
        10 => format!(
            "transform: rotate({}deg) scale(1.{})",
            random.below(360),
            random.below(9)
        ),
        _ => format!(
            "display: {}; user-select: none",
            random.choose(&["flex", "grid", "inline-block", "none"])
        ),
    }
}

fn compile(_argument: u32) -> u64 {
    with_input(&SHEET, |sheet| {
        let mut checksum = Checksum::new();
        checksum.add_bytes(compiled(sheet).as_bytes());
        checksum.finish()
    })
}

/// The style sheet minified, for browsers that know neither nesting nor `oklch`.
fn compiled(sheet: &str) -> String {
    let version = |major: u32| Some(major << 16);
    let targets = Targets::from(Browsers {
        chrome: version(80),
        firefox: version(78),
        safari: version(13),
        ..Browsers::default()
    });
    let mut sheet = StyleSheet::parse(sheet, ParserOptions::default())
        .unwrap_or_else(|error| panic!("the style sheet is CSS: {error}"));
    sheet
        .minify(MinifyOptions {
            targets,
            ..MinifyOptions::default()
        })
        .unwrap_or_else(|error| panic!("the style sheet can be minified: {error}"));
    let printed = sheet.to_css(PrinterOptions {
        minify: true,
        targets,
        ..PrinterOptions::default()
    });
    printed
        .unwrap_or_else(|error| panic!("the style sheet can be printed: {error}"))
        .code
}

#[cfg(test)]
mod tests {
    use super::{compile, compiled, prepare};

    #[test]
    fn nesting_is_compiled_away_and_what_can_be_shorter_is() {
        let sheet = ".a { margin: 1px 1px 1px 1px; &:hover { color: #ff0000 } }";
        assert_eq!(compiled(sheet), ".a{margin:1px}.a:hover{color:red}");
    }

    #[test]
    fn every_made_rule_compiles() {
        prepare(300);
        assert_eq!(compile(0), compile(0));
    }
}
