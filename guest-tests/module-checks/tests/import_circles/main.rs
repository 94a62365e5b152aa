//! No file of the repository is part of a circle of files that import each other.
//!
//! So a reader of a file needs to know only the files below it. Test modules count as well. To declare a module, or to
//! re-export a name, is not an import.

mod circles;
mod imports;
mod modules;

use cargo_metadata::MetadataCommand;
use circles::circles;
use imports::{Imports, add_imports};
use module_checks::repository;
use modules::Crate;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The manifests of the workspaces in the repository.
const WORKSPACES: [&str; 10] = [
    "Cargo.toml",
    "compare/products/Cargo.toml",
    "examples/c-code/Cargo.toml",
    "examples/component/Cargo.toml",
    "examples/contract/Cargo.toml",
    "examples/heap-picture/Cargo.toml",
    "examples/parallel-page/Cargo.toml",
    "examples/plug-in/Cargo.toml",
    "examples/word-count/Cargo.toml",
    "fuzz/Cargo.toml",
];

/// All crates of the repository.
fn crates() -> Vec<Crate> {
    let metadata = WORKSPACES.map(|manifest| {
        MetadataCommand::new()
            .manifest_path(repository().join(manifest))
            .no_deps()
            .exec()
            .unwrap_or_else(|error| panic!("cargo must be able to read {manifest}: {error}"))
    });
    metadata
        .iter()
        .flat_map(|workspace| &workspace.packages)
        .flat_map(|package| &package.targets)
        .map(|target| Crate::read(target.src_path.as_std_path()))
        .collect()
}

/// The Rust files below `folder`, except those that were installed or built.
fn rust_files(folder: &Path, files: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with("node_modules") {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.insert(path);
        }
    }
}

#[test]
fn no_file_is_part_of_a_circle_of_imports() {
    let mut imports = Imports::new();
    for source in crates() {
        add_imports(&source, &mut imports);
    }
    assert!(imports.len() > 100, "the files import each other: {imports:?}");
    let circles = circles(&imports, &repository());
    assert!(
        circles.is_empty(),
        "{}Move what the files share into one that imports none of them.",
        circles.concat()
    );
}

#[test]
fn every_rust_file_is_a_module_of_a_crate_that_was_read() {
    let mut files = BTreeSet::new();
    rust_files(&repository(), &mut files);
    let crates = crates();
    let read: BTreeSet<&Path> = crates.iter().flat_map(Crate::files).collect();
    let unread: Vec<&PathBuf> = files.iter().filter(|file| !read.contains(file.as_path())).collect();
    assert!(unread.is_empty(), "no crate has these files: {unread:?}");
}

/// The circles of a crate of these files, of which the first is the root.
fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder for the made-up crate");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("the folder can be made");
        fs::write(path, text).expect("the folder can be written to");
    }
    let mut imports = Imports::new();
    add_imports(&Crate::read(&folder.path().join(files[0].0)), &mut imports);
    circles(&imports, folder.path())
}

const ROOT: (&str, &str) = ("lib.rs", "mod a;\nmod b;\nmod c;\n");

#[test]
fn two_files_that_import_each_other_are_named_with_what_ties_them() {
    let found = circles_of(&[
        ROOT,
        ("a.rs", "use crate::b::Play;\npub const SPAN: u32 = 1;"),
        ("b.rs", "use crate::a::SPAN;\npub struct Play([u8; SPAN as usize]);"),
        ("c.rs", "use crate::{a::SPAN, b::Play};"),
    ]);
    let expected = "a circle of 2 files:\n    a.rs takes Play from b.rs\n    b.rs takes SPAN from a.rs\n";
    assert_eq!(found, [expected]);
}

#[test]
fn a_circle_over_three_files_in_folders_is_found() {
    let found = circles_of(&[
        ROOT,
        ("a.rs", "use super::b::deep::Two;\npub struct One;"),
        ("b/mod.rs", "pub mod deep;"),
        ("b/deep.rs", "use super::super::c::Three;\npub struct Two;"),
        ("c.rs", "use crate::a::*;\npub struct Three;"),
    ]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("a circle of 3 files:"), "{found:?}");
}

#[test]
fn a_path_in_code_or_in_a_macro_is_an_import_without_a_use() {
    for call in [
        "crate::b::two();",
        "println!(\"{}\", crate::b::two());",
        "{ b::two() };",
    ] {
        let found = circles_of(&[
            ROOT,
            ("a.rs", &format!("use crate::b;\npub fn one() {{ {call} }}")),
            ("b.rs", "pub fn two() { super::a::one() }"),
            ("c.rs", ""),
        ]);
        assert_eq!(found.len(), 1, "{call}");
    }
}

#[test]
fn a_test_module_counts_as_a_part_of_its_file() {
    let found = circles_of(&[
        ROOT,
        (
            "a.rs",
            "pub fn one() {}\n#[cfg(test)]\nmod tests { use super::*; use crate::b::two; }",
        ),
        ("b.rs", "use crate::a::one;\npub fn two() { one() }"),
        ("c.rs", ""),
    ]);
    assert_eq!(found.len(), 1);
}

#[test]
fn a_parent_that_uses_its_child_and_is_used_by_it_is_found() {
    let child = ("a/child.rs", "use super::SPAN;\npub struct Child([u8; SPAN]);");
    for parent in [
        "mod child;\nuse child::Child;\npub const SPAN: usize = 1;\npub fn one(_: Child) {}",
        "mod child;\npub use child::Child;\npub const SPAN: usize = 1;\npub fn one(_: Child) {}",
        "mod child;\npub const SPAN: usize = 1;\npub fn one(_: child::Child) {}",
    ] {
        let found = circles_of(&[ROOT, ("a/mod.rs", parent), ("b.rs", ""), ("c.rs", ""), child]);
        assert_eq!(found.len(), 1, "{parent}");
    }
}

#[test]
fn a_parent_that_only_declares_and_re_exports_makes_no_circle() {
    let found = circles_of(&[
        ROOT,
        (
            "a/mod.rs",
            "mod one;\nmod two;\npub use one::One;\npub use two::*;\npub const SPAN: usize = 1;",
        ),
        ("a/one.rs", "use super::{SPAN, Two};\npub struct One(pub [Two; SPAN]);"),
        ("a/two.rs", "pub struct Two;"),
        ("b.rs", "use crate::a::{One, Two};\npub fn both(_: One, _: Two) {}"),
        ("c.rs", "pub use crate::b::both;"),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_re_export_between_two_files_does_not_hide_their_circle() {
    let found = circles_of(&[
        ROOT,
        ("a/mod.rs", "mod one;\nmod two;\npub use one::One;\npub use two::Two;"),
        ("a/one.rs", "pub struct One(Option<&'static super::Two>);"),
        ("a/two.rs", "use crate::a::One;\npub struct Two(Option<&'static One>);"),
        ("b.rs", ""),
        ("c.rs", ""),
    ]);
    let expected = "a circle of 2 files:\n    a/one.rs takes Two from a/two.rs\n    a/two.rs takes One from a/one.rs\n";
    assert_eq!(found, [expected]);
}
