//! Compiles the C libraries and links them with what they need of wasi-libc.
//!
//! Their sources are those that crates ship. No shims of these crates take part, so that the libraries call `malloc` and
//! its family by their own names.

use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Metadata, MetadataCommand};
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What clang calls WASI. The objects are the same for all targets of Rust that this module is built for, and wasi-libc's
/// headers are where clang looks for them.
const CLANG_TARGET: &str = "wasm32-wasi";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name| env::var(name).expect("cargo sets it for build scripts");
    if variable("CARGO_CFG_TARGET_ARCH") != "wasm32" || env::var_os("CARGO_FEATURE_LIBRARIES").is_none() {
        return;
    }
    let packages = MetadataCommand::new()
        .exec()
        .expect("cargo must tell where the sources are, as it has built this");
    compile_sqlite(&source(&packages, "libsqlite3-sys").join("sqlite3"));
    compile_tree_sitter(
        &source(&packages, "tree-sitter"),
        &source(&packages, "tree-sitter-json").join("src"),
    );
    compile_zstd(&source(&packages, "zstd-sys").join("zstd/lib"));
    link_libc(&variable("RUSTC"));
}

/// The folder of the package of this name.
fn source(packages: &Metadata, name: &str) -> Utf8PathBuf {
    let package = packages.packages.iter().find(|package| package.name == name);
    let manifest = &package.expect("it is a dependency in Cargo.toml").manifest_path;
    manifest.parent().expect("a manifest lies in a folder").to_owned()
}

fn compile_sqlite(folder: &Utf8Path) {
    let mut build = library();
    build
        .file(folder.join("sqlite3.c"))
        // There are no files: see src/sqlite/vfs.rs.
        .define("SQLITE_OS_OTHER", "1")
        .define("SQLITE_TEMP_STORE", "3")
        .define("SQLITE_THREADSAFE", "0")
        .define("SQLITE_OMIT_LOAD_EXTENSION", None)
        .define("SQLITE_OMIT_LOCALTIME", None)
        // Without it SQLite puts a header with the size before each block, and no one else could release its blocks.
        .define("HAVE_MALLOC_H", "1")
        .define("HAVE_MALLOC_USABLE_SIZE", "1")
        .define("SQLITE_DEFAULT_MEMSTATUS", "0");
    link(&build);
}

fn compile_tree_sitter(library_folder: &Utf8Path, grammar: &Utf8Path) {
    let mut build = library();
    build
        .file(library_folder.join("src/lib.c"))
        .include(library_folder.join("src"))
        .include(library_folder.join("include"))
        .define("_DEFAULT_SOURCE", None);
    link(&build);
    link(library().file(grammar.join("parser.c")).include(grammar));
}

fn compile_zstd(folder: &Utf8Path) {
    let mut build = library();
    for part in ["common", "compress", "decompress"] {
        build.files(c_files(folder.join(part).as_std_path()));
    }
    link(build.define("ZSTD_DISABLE_ASM", None));
}

fn c_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the crate has this folder")
        .map(|entry| entry.expect("a folder that can be opened can be read").path())
        .filter(|file| file.extension().is_some_and(|extension| extension == "c"))
        .collect();
    files.sort();
    files
}

/// How each of them is compiled: in seconds, which optimized SQLite takes ten times of.
fn library() -> cc::Build {
    let mut build = cc::Build::new();
    build
        .target(CLANG_TARGET)
        .opt_level(0)
        .debug(false)
        .warnings(false)
        .std("c11");
    build
}

/// Compiles and links the object files themselves: no archiver is needed that knows their format.
fn link(build: &cc::Build) {
    for object in build.compile_intermediates() {
        println!("cargo::rustc-link-arg-cdylib={}", object.display());
    }
}

/// Links wasi-libc, from which the linker takes the functions that are missing after everything else: not `malloc` and
/// its family, which are there already.
///
/// Rust brings wasi-libc with its WASI targets. wasm32-unknown-unknown borrows that of wasm32-wasip1. It imports functions of
/// WASI only for files: tree-sitter, and `snprintf`, would say on `stderr` why they abort.
fn link_libc(rustc: &str) {
    let target = match env::var("TARGET").expect("cargo sets it for build scripts") {
        target if target.contains("wasi") => target,
        _ => String::from("wasm32-wasip1"),
    };
    let output = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", &target])
        .output()
        .expect("rustc must be there, as it has compiled this");
    let folder = String::from_utf8(output.stdout).expect("a path of Unicode");
    let archive = Path::new(folder.trim()).join("self-contained/libc.a");
    assert!(
        archive.exists(),
        "{} is missing: `rustup target add {target}`",
        archive.display()
    );
    println!("cargo::rustc-link-arg-cdylib={}", archive.display());
}
