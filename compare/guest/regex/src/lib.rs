//! Regular expressions, compiled anew and run over a log, as a filter does that gets its patterns from users.

use harness::{Checksum, Input, Random, with_input};
use regex::Regex;

harness::export_workloads! {
    "regex_prepare" => prepare,
    "regex" => compile_and_run,
}

thread_local! {
    static LOG: Input<String> = const { Input::new(None) };
}

const PATTERNS: [&str; 6] = [
    r"(?m)^(\d{4})-(\d{2})-(\d{2}) (\w+)",
    r"[a-z]+\.[a-z]+@[a-z]+\.(?:com|org|net)",
    r"\b(?:error|warning|fatal)\b: (.*?)[.!?]",
    r"(?i)(?:GET|POST|PUT) /([\w/]+)(\?\S*)?",
    r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})",
    r"\p{Lu}\w{3,}\s+\w+\s+(\w+o)\b",
];

/// Makes a log of `argument` lines.
fn prepare(argument: u32) -> u64 {
    let mut random = Random::new(41);
    let mut log = String::new();
    for line in 0..argument {
        let level = *random.choose(&["info", "warning", "error", "fatal"]);
        let verb = *random.choose(&["get", "POST", "Put"]);
        log.push_str(&format!(
            "2024-{:02}-{:02} {level}: {} {verb} /{}/{}?n={line} 10.{}.{}.1 {}.{}@{}.org\n",
            random.within(1, 12),
            random.within(1, 28),
            random.sentence(5),
            random.word(),
            random.word(),
            random.below(256),
            random.below(256),
            random.word(),
            random.word(),
            random.word(),
        ));
    }
    let bytes = log.len() as u64;
    LOG.set(Some(log));
    bytes
}

/// Compiles each pattern, collects the captures of all matches as strings, and rewrites the log with it; twice.
fn compile_and_run(_argument: u32) -> u64 {
    with_input(&LOG, |log| {
        let mut checksum = Checksum::new();
        for pattern in PATTERNS.iter().cycle().take(2 * PATTERNS.len()) {
            let regex = Regex::new(pattern).expect("the pattern is valid");
            let found: Vec<Vec<String>> = regex
                .captures_iter(log)
                .map(|captures| {
                    captures
                        .iter()
                        .flatten()
                        .map(|group| group.as_str().to_owned())
                        .collect()
                })
                .collect();
            checksum.add(found.len() as u64);
            for group in found.iter().flatten() {
                checksum.add(group.len() as u64);
            }
            checksum.add(regex.replace_all(log, "<$1>").len() as u64);
        }
        checksum.finish()
    })
}

#[cfg(test)]
mod tests {
    use super::{LOG, PATTERNS, prepare};
    use harness::with_input;
    use regex::Regex;

    #[test]
    fn each_pattern_finds_something_in_the_log() {
        prepare(100);
        with_input(&LOG, |log| {
            for pattern in PATTERNS {
                assert!(Regex::new(pattern).unwrap().is_match(log), "{pattern}");
            }
        });
    }
}
