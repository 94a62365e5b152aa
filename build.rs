//! Refuses the builds in which the global allocators would break memory. It alone decides. It runs before anything is
//! compiled for the target, so one message says what is wrong. And it sees the flags, of which stable Rust tells a crate
//! little. `src/global/cell.rs` refuses to compile where it has not run.

use std::env;

/// What separates the flags in `CARGO_ENCODED_RUSTFLAGS`.
const FLAG_SEPARATOR: char = '\x1f';

/// The crate's features: those that serve modules with one thread, and `threads`.
const CRATE_FEATURES: [&str; 6] = ["malloc", "profile", "record", "trace", "walk", "threads"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(build_script_found_no_fault, for_threads, for_size)");
    let build = Build::from_environment();
    if !build.is_for_wasm() {
        // The global allocators do not exist there.
        return;
    }
    match build.fault() {
        Some(fault) => println!("cargo::error=freeing-bump {fault}"),
        None => {
            println!("cargo::rustc-cfg=build_script_found_no_fault");
            if build.is_for_threads() {
                println!("cargo::rustc-cfg=for_threads");
                if build.is_for_size {
                    println!("cargo::rustc-cfg=for_size");
                }
            }
        }
    }
}

/// What cargo says about a build.
struct Build {
    target: String,
    arch: String,
    os: String,
    env: String,
    /// The target features that the compiler reports, on stable Rust without the unstable ones.
    features: Vec<String>,
    /// Whether the compiler is to make small code rather than fast code.
    is_for_size: bool,
    /// The crate's own features.
    crate_features: Vec<&'static str>,
    /// The compiler's flags, split wherever a name or a value may end: `-Clink-arg=--a=b` is `-Clink-arg`, `--a`, `b`.
    flags: Vec<String>,
}

impl Build {
    fn from_environment() -> Self {
        let variable = |name| env::var(name).unwrap_or_default();
        let parts = |text: String, separators: &[char]| text.split(separators).map(String::from).collect();
        Build {
            target: variable("TARGET"),
            arch: variable("CARGO_CFG_TARGET_ARCH"),
            os: variable("CARGO_CFG_TARGET_OS"),
            env: variable("CARGO_CFG_TARGET_ENV"),
            features: parts(variable("CARGO_CFG_TARGET_FEATURE"), &[',']),
            is_for_size: matches!(variable("OPT_LEVEL").as_str(), "s" | "z"),
            crate_features: CRATE_FEATURES
                .into_iter()
                .filter(|feature| env::var_os(format!("CARGO_FEATURE_{}", feature.to_uppercase())).is_some())
                .collect(),
            flags: parts(variable("CARGO_ENCODED_RUSTFLAGS"), &[FLAG_SEPARATOR, ',', '=', ' ']),
        }
    }

    fn is_for_wasm(&self) -> bool {
        self.arch.starts_with("wasm")
    }

    /// Why the build is refused, and what to do instead; none if it is not.
    fn fault(&self) -> Option<String> {
        match (self.arch.as_str(), self.os.as_str(), self.env.as_str()) {
            ("wasm32", "unknown" | "none", "") | ("wasm32", "wasi", "p1") => self.fault_of_flags().map(String::from),
            ("wasm32", "wasi", "p2") if self.has_feature("malloc") => self.fault_of_flags().map(String::from),
            _ => Some(self.fault_of_target()),
        }
    }

    fn fault_of_target(&self) -> String {
        if (self.os.as_str(), self.env.as_str()) == ("wasi", "p2") {
            return format!(
                "needs its feature `malloc` on {}: a component allocates through `cabi_realloc` with one of two allocators, \
                 Rust's and the C library's, and releases with the other, so that both must use one heap. Write \
                 `freeing-bump = {{ version = \"..\", features = [\"malloc\"] }}`, or leave the standard library's default \
                 allocator in place on this target",
                self.target
            );
        }
        let reason = if self.arch != "wasm32" {
            "it serves memories with 32-bit addresses"
        } else if self.os == "wasi" {
            "a component allocates through `cabi_realloc` with one of two allocators, Rust's and the C library's, and \
             releases with the other"
        } else {
            "a C library may hand out the same memory there"
        };
        format!(
            "does not support {}: {reason}. Build for wasm32-unknown-unknown, wasm32v1-none or wasm32-wasip1, or leave the \
             standard library's default allocator in place on this target",
            self.target
        )
    }

    fn fault_of_flags(&self) -> Option<&'static str> {
        if self.is_for_threads() && !self.has_feature("threads") {
            Some(
                "needs its feature `threads` in a build for threads: write `freeing-bump = { version = \"..\", features = \
                 [\"threads\"] }`. Without it, it serves modules with one thread: for those, build for a target without threads \
                 and without the `atomics` target feature",
            )
        } else if self.is_for_threads() && self.os == "none" {
            Some(
                "keeps what a thread knows in `std::thread_local!`, and this target has no `std`: build for threads on \
                 wasm32-unknown-unknown or wasm32-wasip1-threads",
            )
        } else if self.is_for_threads() && self.crate_features.len() > 1 {
            Some(
                "serves modules with one thread where it has one of the features `malloc`, `profile`, `record`, `trace` and \
                 `walk`: leave them out in a build for threads",
            )
        } else if self.is_for_a_memory_with_other_modules() {
            Some(
                "serves modules that have their memory to themselves: the `__heap_base` of a position-independent module \
                 is an import, and two such modules would hand out the same memory. Build without \
                 `relocation-model=pic` and without the linker's options `--shared`, `--pie` and `--experimental-pic`; \
                 in a side module, allocate with the functions of the main module",
            )
        } else if self.has_flag("--page-size") {
            Some("counts memory in pages of 64 KiB: build without the linker's option `--page-size`")
        } else {
            None
        }
    }

    fn is_for_threads(&self) -> bool {
        self.target.ends_with("-threads")
            || self.features.iter().any(|feature| feature == "atomics")
            || self.has_flag("+atomics")
    }

    fn has_feature(&self, feature: &str) -> bool {
        self.crate_features.contains(&feature)
    }

    /// Whether the flags are those of a module that is placed into a memory beside others. Position-independent code alone
    /// makes no such module, but the flags that link it into one may be for the last crate alone and so unknown here.
    fn is_for_a_memory_with_other_modules(&self) -> bool {
        let is_position_independent =
            |pair: &[String]| pair[0].ends_with("relocation-model") && pair[1].starts_with("pi");
        self.flags.windows(2).any(is_position_independent)
            || ["-shared", "--shared", "-pie", "--pie", "--experimental-pic"]
                .iter()
                .any(|flag| self.has_flag(flag))
    }

    fn has_flag(&self, flag: &str) -> bool {
        self.flags.iter().any(|it| it == flag)
    }
}
