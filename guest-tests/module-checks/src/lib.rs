//! Builds two modules and runs them in two engines, for the tests in `tests/`: `allocator-module`, the smallest around
//! one allocator, and `driver-module`, which drives its own allocator. A third, `threads-module`, runs in wasmtime with
//! threads.

mod c_compiler;
mod engine;
mod guest;
mod in_v8;
mod in_wasmtime;
mod soak;
mod wasi_threads;

pub use c_compiler::can_compile_c;
pub use engine::{ALL_PAGES, Engine, Limits, PAGE_BYTES, Trapped};
pub use guest::Guest;
pub use soak::{Point, SETTLED, growth, soak, verdict};
pub use wasi_threads::{Figures, Scenario, ThreadEnd, ThreadedGuest, ThreadsModule};

use cargo_metadata::Message;
use std::env;
use std::fs;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The allocators, each named by the feature of `allocator-module` that chooses it.
pub const ALLOCATORS: [&str; 3] = ["freeing-bump", "tiny", "checked"];

/// Whether an allocator merges free blocks, and so reuses them for other sizes.
pub fn merges(allocator: &str) -> bool {
    allocator == "freeing-bump"
}

/// The seed of random requests: `FREEING_BUMP_SEED`, or 1.
///
/// # Panics
///
/// When that is not a whole number of 32 bits.
pub fn seed() -> u32 {
    number("FREEING_BUMP_SEED").unwrap_or(1)
}

/// The number in the environment variable of this name, if it is set.
///
/// # Panics
///
/// When that is no whole number of 32 bits.
pub fn number(variable: &str) -> Option<u32> {
    let text = env::var(variable).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is {text:?}; set it to a whole number from 0 to 2^32 - 1")))
}

/// The root folder of the repository.
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
    build_module(
        &repository().join("guest-tests/modules/allocator"),
        target,
        target_dir,
        arguments,
    )
}

/// Builds `driver-module` around `allocator`, linked with these arguments, below `scratch`, and returns the module's
/// bytes.
///
/// # Panics
///
/// When the build fails, with what cargo said.
pub fn build_driver_module(scratch: &str, allocator: &str, link_arguments: &[&str]) -> Vec<u8> {
    let name = format!("driver-{allocator}{}", link_arguments.concat());
    let flags = link_flags(link_arguments);
    let arguments = ["--release", "--features", allocator, "--config", &flags];
    let folder = repository().join("guest-tests/modules/driver");
    build_module(&folder, TARGET, &Path::new(scratch).join(name), &arguments)
}

/// The target on which the tests with threads run.
pub const THREADS_TARGET: &str = "wasm32-wasip1-threads";

/// Builds `threads-module` with these features for `target`, below `scratch`, and returns the module's bytes.
///
/// # Panics
///
/// When the build fails, with what cargo said.
pub fn build_threads_module(scratch: &str, target: &str, features: &str) -> Vec<u8> {
    let arguments = ["--release", "--features", features];
    let folder = repository().join("guest-tests/modules/threads");
    let target_dir = Path::new(scratch).join(format!("threads-{features}"));
    build_module(&folder, target, &target_dir, &arguments)
}

/// Builds `allocator-module` around `FreeingBump` for threads on [`TARGET`], and returns the module's bytes. None, and a line that
/// begins with SKIPPED, where there is no nightly Rust with the sources of the standard library.
///
/// # Panics
///
/// When the build fails, with what cargo said.
pub fn build_allocator_module_for_threads() -> Option<Vec<u8>> {
    let script = |name: &str| Command::new(repository().join("scripts").join(name));
    let run = |mut command: Command| command.output().expect("the scripts run in bash, which must be there");
    let mut require = script("require.sh");
    require.args(["nightly", "rust-src"]);
    let required = run(require);
    if !required.status.success() {
        // Written past the test runner, which keeps what a test that passes prints to itself.
        let _ = write!(
            stderr(),
            "SKIPPED: modules for threads: {}",
            String::from_utf8_lossy(&required.stderr)
        );
        return None;
    }
    let mut build = script("build-for-threads.sh");
    build.current_dir(repository());
    build.args([
        "--package",
        "allocator-module",
        "--features",
        "freeing-bump,thread-host",
    ]);
    let built = run(build);
    assert!(
        built.status.success(),
        "scripts/build-for-threads.sh failed:\n{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let module = repository().join("target/threads/wasm32-unknown-unknown/speed/allocator_module.wasm");
    Some(fs::read(module).expect("cargo has just written the module"))
}

/// The value of cargo's option `--config` that links modules for [`TARGET`] with these arguments.
pub fn link_flags(link_arguments: &[&str]) -> String {
    let flags: Vec<String> = link_arguments
        .iter()
        .map(|argument| format!("'-Clink-arg={argument}'"))
        .collect();
    format!("target.{TARGET}.rustflags = [{}]", flags.join(", "))
}

/// Builds the crate in `folder` for `target` into `target_dir` and returns the one module that it makes.
///
/// # Panics
///
/// When the build fails, with what cargo said, and when it does not make exactly one module.
pub fn build_module(folder: &Path, target: &str, target_dir: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = cargo_build(folder, target, target_dir, arguments)
        .arg("--message-format=json-render-diagnostics")
        .output()
        .expect("cargo must be there, since it has built this test");
    assert!(
        output.status.success(),
        "cargo build {} failed in {}; if a target is missing, run `cargo make install-all-targets`:\n{}",
        arguments.join(" "),
        folder.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    let modules: Vec<_> = Message::parse_stream(output.stdout.as_slice())
        .filter_map(
            |message| match message.expect("cargo writes its messages as it documents them") {
                Message::CompilerArtifact(made) => Some(made.filenames),
                _ => None,
            },
        )
        .flatten()
        .filter(|file| file.extension() == Some("wasm"))
        .collect();
    let [module] = modules.as_slice() else {
        panic!("{} should make one module, but makes {modules:?}", folder.display());
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
