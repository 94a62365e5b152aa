//! What the README shows can be pasted: its Rust compiles for wasm, and its first block makes a program that runs. The
//! flags that the documentation of threads shows are those that the tests build with.

use module_checks::{TARGET, build_module, repository};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
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

/// The items that need a cargo feature, with that feature.
const FEATURES: [(&str, &str); 2] = [("Traced", "trace"), ("Recorder", "record")];

/// The Rust blocks of the README, in their order.
fn rust_blocks() -> Vec<String> {
    let readme = fs::read_to_string(repository().join("README.md")).expect("there is a README.md");
    let mut blocks = Vec::new();
    let mut lines = readme.lines();
    while lines.any(|line| line.starts_with("```rust")) {
        let block: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
        blocks.push(block.join("\n") + "\n");
    }
    blocks
}

/// Writes a crate that depends on freeing-bump, with the features that its `code` needs; returns its folder.
fn crate_of(name: &str, code: &str) -> PathBuf {
    let needed = FEATURES.iter().filter(|(item, _)| code.contains(item));
    let features: Vec<&str> = needed.map(|(_, feature)| *feature).collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(folder.join("src")).expect("target/tmp can be written to");
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [lib]\ncrate-type = [\"cdylib\"]\n\n\
         [dependencies]\nfreeing-bump = {{ path = {:?}, features = {features:?} }}\n\n[workspace]\n",
        repository()
    );
    fs::write(folder.join("Cargo.toml"), manifest).expect("target/tmp can be written to");
    fs::write(folder.join("src/lib.rs"), code).expect("target/tmp can be written to");
    folder
}

#[test]
fn every_rust_block_of_the_readme_compiles_for_wasm_in_a_crate_of_its_own() {
    let blocks = rust_blocks();
    assert!(
        blocks.len() > 1,
        "README.md should have Rust blocks, but has {blocks:?}"
    );
    for (index, block) in blocks.iter().enumerate() {
        let folder = crate_of(&format!("readme-block-{index}"), block);
        build_module(&folder, TARGET, &folder.join("target"), &[]);
    }
}

#[test]
fn the_first_block_of_the_readme_makes_a_program_that_runs_in_node() {
    let blocks = rust_blocks();
    let usage = blocks.first().expect("README.md has a Rust block");
    assert!(
        usage.contains("#[global_allocator]"),
        "the first Rust block of README.md should show how to use the crate, but is:\n{usage}"
    );

    let user_crate = crate_of("readme-user", &format!("{usage}{PROGRAM}"));
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

/// The first paragraph of a text.
fn first_paragraph(text: &str) -> String {
    let lines = text.lines().skip_while(|line| line.is_empty());
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_documentation_opens_as_the_readme_does() {
    let readme = fs::read_to_string(repository().join("README.md")).expect("there is a README.md");
    let source = fs::read_to_string(repository().join("src/lib.rs")).expect("there is a src/lib.rs");
    let documentation = source.lines().map_while(|line| line.strip_prefix("//!"));
    let documentation: Vec<&str> = documentation.map(str::trim_start).collect();
    let (_title, readme) = readme.split_once('\n').expect("README.md begins with a title");
    assert_eq!(first_paragraph(&documentation.join("\n")), first_paragraph(readme));
}

/// The words in a text of the repository that begin with one of these. `-Clink-arg=` before a word is no part of it.
fn words_of(file: &str, beginnings: &[&str]) -> BTreeSet<String> {
    let text = fs::read_to_string(repository().join(file)).expect("the file is there");
    let text = text.replace("-Clink-arg=", " ");
    let words = text.split(|letter: char| letter.is_whitespace() || "\"`,;()[]".contains(letter));
    let words = words.filter(|word| beginnings.iter().any(|beginning| word.starts_with(beginning)));
    words.map(String::from).collect()
}

#[test]
fn the_flags_that_the_documentation_of_threads_shows_are_those_that_the_tests_build_with() {
    let flags = [
        "--shared-",
        "--import-",
        "--max-memory=",
        "--export=",
        "-Ctarget-feature=",
    ];
    let script = words_of("scripts/build-for-threads.sh", &flags);
    assert!(script.len() > 8, "the script has {script:?}");
    assert_eq!(words_of("src/with_threads.md", &flags), script);
}

#[test]
fn every_file_that_the_readme_links_to_is_in_the_repository() {
    let readme = fs::read_to_string(repository().join("README.md")).expect("there is a README.md");
    let links = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files: Vec<&str> = links.filter(|link| !link.contains("://")).collect();
    assert!(
        files.len() > 5,
        "README.md should link to files, but links to {files:?}"
    );
    for file in files {
        let path = file.split('#').next().unwrap_or(file);
        assert!(
            repository().join(path).exists(),
            "README.md links to {file}, which is not there"
        );
    }
}
