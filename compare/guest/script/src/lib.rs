//! The Rhai interpreter, embedded as a plug-in host would: a script is compiled and then works on strings, arrays and
//! maps of dynamic values.

use harness::Checksum;
use rhai::Engine;

harness::export_workloads! {
    "script" => run_script,
}

const SCRIPT: &str = r#"
fn words(count) {
    let seed = 7;
    let list = [];
    for i in 0..count {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        list.push("w" + (seed / 65536) % 97);
    }
    list
}

fn tally(list) {
    let counts = #{};
    for word in list {
        if word in counts { counts[word] += 1; } else { counts[word] = 1; }
    }
    counts
}

fn describe(counts) {
    let lines = [];
    for key in counts.keys() {
        lines.push(`${key}: ${counts[key]}`);
    }
    lines.sort();
    let text = "";
    for line in lines { text += line + "\n"; }
    text
}

fn fib(n) { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } }

let text = describe(tally(words(size)));
let squares = [];
for n in 0..size { squares.push(n * n); }
let even = squares.filter(|n| n % 2 == 0).map(|n| `<${n}>`);
text + even.len + " " + fib(14)
"#;

/// Compiles the script and runs it on `argument` words.
fn run_script(argument: u32) -> u64 {
    checksum_of(&output(argument))
}

fn output(argument: u32) -> String {
    let mut engine = Engine::new();
    engine.set_max_call_levels(64);
    let mut scope = rhai::Scope::new();
    scope.push("size", i64::from(argument));
    engine.eval_with_scope(&mut scope, SCRIPT).expect("the script is valid")
}

fn checksum_of(text: &str) -> u64 {
    let mut checksum = Checksum::new();
    checksum.add_bytes(text.as_bytes());
    checksum.finish()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_script_counts_words_filters_numbers_and_recurses() {
        let output = super::output(10);
        assert!(output.contains(": "), "{output}");
        assert!(output.ends_with("5 377"), "{output}");
    }
}
