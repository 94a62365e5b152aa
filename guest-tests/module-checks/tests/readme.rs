//! The first lines of Rust in the README, pasted into a new crate, make a program that runs.

use module_checks::{TARGET, build_module, repository};
use std::fs;
use std::path::Path;
use std::process::Command;

/// What the user of the README had before: a program that allocates.
const PROGRAM: &str = r#"
use std::collections::BTreeMap;

#[unsafe(no_mangle)]
pub extern "C" fn distinct_words(count: u32) -> u32 {
    let text: Vec<String> = (0..count).map(|number| format!("word{}", number % 100)).collect();
    let mut words = BTreeMap::new();
    for word in text.join(" ").split(' ') {
        *words.entry(word.to_owned()).or_insert(0) += 1;
    }
    words.len() as u32
}
"#;

const RUN_IN_NODE: &str = "
    const module = require('fs').readFileSync(process.argv[1]);
    WebAssembly.instantiate(module).then(({ instance }) => console.log(instance.exports.distinct_words(100000)));
";

fn first_rust_block(markdown: &str) -> String {
    let lines = markdown.lines();
    let block: Vec<&str> = lines
        .skip_while(|line| !line.starts_with("```rust"))
        .skip(1)
        .take_while(|line| !line.starts_with("```"))
        .collect();
    block.join("\n")
}

#[test]
fn the_lines_of_use_in_the_readme_make_a_program_that_runs_in_node() {
    let readme = fs::read_to_string(repository().join("README.md")).expect("there is a README.md");
    let lines_of_use = first_rust_block(&readme);
    assert!(
        lines_of_use.contains("#[global_allocator]"),
        "the first Rust block of README.md should show the lines of use, but is:\n{lines_of_use}"
    );

    let user_crate = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme-user");
    fs::create_dir_all(user_crate.join("src")).expect("target/tmp can be written to");
    let manifest = format!(
        "[package]\nname = \"readme-user\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [lib]\ncrate-type = [\"cdylib\"]\n\n\
         [dependencies]\nfreeing-bump = {{ path = {:?} }}\n\n[workspace]\n",
        repository()
    );
    fs::write(user_crate.join("Cargo.toml"), manifest).expect("target/tmp can be written to");
    fs::write(user_crate.join("src/lib.rs"), lines_of_use + PROGRAM).expect("target/tmp can be written to");
    build_module(&user_crate, TARGET, &user_crate.join("target"), &["--release"]);

    let output = Command::new("node")
        .args(["--eval", RUN_IN_NODE])
        .arg(user_crate.join("target/wasm32-unknown-unknown/release/readme_user.wasm"))
        .output()
        .expect("Node must be in PATH: install Node.js 20 or newer");
    assert_eq!(
        (String::from_utf8_lossy(&output.stdout).trim(), output.status.success()),
        ("100", true),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
