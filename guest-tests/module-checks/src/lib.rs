//! Builds `allocator-module`, the smallest module around one allocator, and runs it for the tests in `tests/`.

mod guest;

pub use guest::{Guest, PAGE_BYTES, Trapped};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The allocators, by the feature of `allocator-module` that chooses each.
pub const ALLOCATORS: [&str; 3] = ["freeing-bump", "tiny", "checked"];

/// The top folder of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the folder that this test was compiled in must still exist")
}

/// The target that the modules are built for unless a test is about another one.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Builds `allocator-module` with `features` in `profile`, below `scratch`, and returns the module's bytes.
///
/// # Panics
///
/// When the build fails, with what cargo said.
pub fn build_allocator_module(scratch: &str, features: &str, profile: &str) -> Vec<u8> {
    let name = format!("{}-{profile}", features.replace(',', "-"));
    let arguments = ["--profile", profile, "--features", features];
    build_allocator_module_with(&Path::new(scratch).join(name), TARGET, &arguments)
}

/// Builds `allocator-module` for `target` into `target_dir` with these arguments to `cargo build`, and returns the
/// module's bytes.
///
/// # Panics
///
/// When the build fails, with what cargo said.
pub fn build_allocator_module_with(target_dir: &Path, target: &str, arguments: &[&str]) -> Vec<u8> {
    build_module(&repository().join("guest-tests/module"), target, target_dir, arguments)
}

/// Builds the crate in `folder` for `target` into `target_dir` and returns the one module that comes out.
///
/// # Panics
///
/// When the build fails, with what cargo said, and when it does not make exactly one module.
pub fn build_module(folder: &Path, target: &str, target_dir: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = cargo_build(folder, target, target_dir, arguments)
        .output()
        .expect("cargo must be there, since it has built this test");
    assert!(
        output.status.success(),
        "cargo build {} failed in {}; if a target is missing, run `cargo make install-all-targets`:\n{}",
        arguments.join(" "),
        folder.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    let profiles = fs::read_dir(target_dir.join(target)).expect("cargo has made this folder");
    let modules: Vec<PathBuf> = profiles
        .flatten()
        .flat_map(|profile| fs::read_dir(profile.path()).into_iter().flatten().flatten())
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wasm"))
        .collect();
    let [module] = modules.as_slice() else {
        panic!(
            "{} should hold one module, but has {modules:?}; delete the folder and try again",
            target_dir.display()
        );
    };
    fs::read(module).expect("cargo has just written the module")
}

/// The command `cargo build` in `folder` for `target` into `target_dir`.
pub fn cargo_build(folder: &Path, target: &str, target_dir: &Path, arguments: &[&str]) -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(folder)
        .args(["build", "--target", target, "--target-dir"])
        .arg(target_dir)
        .args(arguments);
    command
}
