//! A module that does not use `Traced` is what it would be if the tracing hook did not exist, with the feature `trace` and
//! without it. Without the feature `walk` it is what it would be if there were no walks.
//!
//! The sources of the crate are copied twice to the same path below `target/tmp`: once as they are, and once without
//! anything that stands under `#[cfg(feature = "trace")]` or the same for `walk`. The module that is built with the one must
//! have the same bytes as the module that is built with the other.

use module_checks::{ALLOCATORS, TARGET, build_allocator_module, build_module, repository};
use std::fs;
use std::path::{Path, PathBuf};

const CONDITIONS: [&str; 2] = ["#[cfg(feature = \"trace\")]", "#[cfg(feature = \"walk\")]"];

/// `source` without each item, statement or field under one of the [`CONDITIONS`]: up to the `;`, the comma or the closing brace
/// that ends it.
fn without_the_hook(source: &str) -> String {
    let mut kept = String::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if !CONDITIONS.contains(&line.trim()) {
            kept.push_str(line);
            kept.push('\n');
            continue;
        }
        let indentation = indentation_of(line);
        lines.by_ref().find(|line| {
            let is_comment = line.trim_start().starts_with("//");
            !is_comment && indentation_of(line) == indentation && line.ends_with([';', ',', '}'])
        });
    }
    kept
}

fn indentation_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The files of the crate's sources, relative to `src`, without the folders that hold tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let listed = repository().join("src").join(folder);
    fs::read_dir(listed)
        .expect("the crate has sources")
        .map(|entry| entry.expect("the sources can be listed"))
        .flat_map(|entry| {
            let path = folder.join(entry.file_name());
            let is_folder = entry.file_type().expect("the sources can be listed").is_dir();
            match is_folder {
                false => vec![path],
                true if path.ends_with("tests") => Vec::new(),
                true => sources(&path),
            }
        })
        .collect()
}

/// Copies the crate's sources to `folder`, each changed by `change`, with its build script and a manifest of their own.
fn copy_crate(folder: &Path, change: impl Fn(&str) -> String) {
    // An earlier run may have left files that the crate no longer has.
    if folder.join("src").exists() {
        fs::remove_dir_all(folder.join("src")).expect("target/tmp can be written to");
    }
    for file in sources(Path::new("")) {
        let source =
            fs::read_to_string(repository().join("src").join(&file)).expect("every file in src is a source text");
        let copy = folder.join("src").join(&file);
        fs::create_dir_all(copy.parent().expect("a copy lies in a folder")).expect("target/tmp can be written to");
        fs::write(copy, change(&source)).expect("target/tmp can be written to");
    }
    fs::copy(repository().join("build.rs"), folder.join("build.rs")).expect("target/tmp can be written to");
    let manifest = "[package]\nname = \"freeing-bump\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                    [features]\ntrace = []\nwalk = []\n";
    fs::write(folder.join("Cargo.toml"), manifest).expect("target/tmp can be written to");
}

/// Copies `allocator-module` to `folder`, to depend on the copy of the crate beside it.
fn copy_module(folder: &Path) {
    let original = repository().join("guest-tests/modules/allocator/src/lib.rs");
    fs::create_dir_all(folder.join("src")).expect("target/tmp can be written to");
    fs::copy(original, folder.join("src/lib.rs")).expect("target/tmp can be written to");
    let features: String = ALLOCATORS
        .iter()
        .map(|allocator| format!("{allocator} = []\n"))
        .collect();
    let manifest = format!(
        "[package]\nname = \"allocator-module\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [lib]\ncrate-type = [\"cdylib\"]\n\n[features]\n{features}\n\
         [dependencies]\nfreeing_bump = {{ package = \"freeing-bump\", path = \"../freeing-bump\" }}\n\n\
         [profile.release]\nstrip = true\n\n[workspace]\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).expect("target/tmp can be written to");
}

#[test]
fn a_module_without_the_features_is_byte_for_byte_what_it_is_without_what_they_add() {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("trace-feature");
    copy_module(&scratch.join("module"));
    for allocator in ALLOCATORS {
        let [with_hook, without_hook] = [str::to_owned, without_the_hook].map(|change| {
            copy_crate(&scratch.join("freeing-bump"), change);
            build_module(
                &scratch.join("module"),
                TARGET,
                &scratch.join("target").join(allocator),
                &["--release", "--features", allocator],
            )
        });
        assert!(
            with_hook == without_hook,
            "{allocator}: the module has {} bytes, and {} where the hook does not exist",
            with_hook.len(),
            without_hook.len()
        );
    }
}

#[test]
fn a_module_that_does_not_use_the_hook_is_byte_for_byte_the_same_with_the_feature() {
    for allocator in ALLOCATORS {
        let scratch = env!("CARGO_TARGET_TMPDIR");
        let without = build_allocator_module(scratch, allocator, "size");
        let with = build_allocator_module(scratch, &format!("{allocator},trace"), "size");
        assert!(
            without == with,
            "{allocator}: the module has {} bytes, and {} with the feature `trace`",
            without.len(),
            with.len()
        );
    }
}

#[test]
fn what_stands_under_the_feature_is_taken_out_of_the_sources() {
    let with_hook = "mod a;\n#[cfg(feature = \"trace\")]\nmod trace;\n    #[cfg(feature = \"trace\")]\n    #[inline]\n    \
                     pub fn hook() {\n        if true {\n        }\n    }\nmod b;\n";
    assert_eq!(without_the_hook(with_hook), "mod a;\nmod b;\n");
    let with_walk =
        "struct A {\n    #[cfg(feature = \"walk\")]\n    /// A field; see {}\n    place: u32,\n    end: u32,\n}\n";
    assert_eq!(without_the_hook(with_walk), "struct A {\n    end: u32,\n}\n");

    let mut conditions = [0; 2];
    for file in sources(Path::new("")) {
        let source =
            fs::read_to_string(repository().join("src").join(file)).expect("every file in src is a source text");
        for (count, condition) in conditions.iter_mut().zip(CONDITIONS) {
            *count += source.matches(condition).count();
            let feature = condition.trim_start_matches("#[cfg(").trim_end_matches(")]");
            assert!(
                !without_the_hook(&source).contains(feature),
                "each use of the feature must be `{condition}` on a line of its own, so that this test can take it out"
            );
        }
    }
    assert!(
        !conditions.contains(&0),
        "the crate must have something under each feature, and has {conditions:?} lines"
    );
}
