//! Sizes of modules, and code size: that of the smallest module that exports alloc, dealloc and realloc, over one whose
//! allocator always fails.

use crate::cache::{digest_of, keep};
use crate::catalogue::Catalogue;
use crate::modules::Modules;
use crate::places::Places;
use crate::progress::Step;
use crate::workspace::{Profile, SIZE_PROBE};
use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What rustc 1.87 and later let a wasm32-unknown-unknown module use; `wasm-opt` refuses a feature it was not told of.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Bytes of one module, or bytes of one allocator over the floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// As the compiler leaves it.
    pub raw: i64,
    /// After `wasm-opt -Oz`.
    pub optimized: i64,
    /// After `wasm-opt -Oz` and gzip.
    pub gzipped: i64,
}

/// The code size of one allocator under one profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CodeSize {
    /// The allocator's identifier.
    pub allocator: String,
    /// The profile's name.
    pub profile: String,
    /// Bytes over the allocator that always fails.
    pub over_floor: Size,
}

/// Measures all allocators of `catalogue` under `profile`.
pub fn measure(catalogue: &Catalogue, modules: &Modules, profile: Profile, places: &Places) -> Result<Vec<CodeSize>> {
    let size_of = |id: &str| of_module(modules.path(SIZE_PROBE, id, profile)?, places);
    let floor = size_of(&catalogue.size_floor()?.id)?;
    let mut sizes = Vec::new();
    let step = Step::begin(&format!("sizes for {}", profile.name()), catalogue.contenders().count());
    for allocator in catalogue.contenders() {
        step.part(&allocator.name);
        let size = size_of(&allocator.id)?;
        sizes.push(CodeSize {
            allocator: allocator.id.clone(),
            profile: profile.name().to_owned(),
            over_floor: Size {
                raw: size.raw - floor.raw,
                optimized: size.optimized - floor.optimized,
                gzipped: size.gzipped - floor.gzipped,
            },
        });
    }
    Ok(sizes)
}

/// Where npm puts `wasm-opt`.
pub fn wasm_opt(places: &Places) -> PathBuf {
    places.packages().join(".bin").join("wasm-opt")
}

/// The bytes of the modules in the files `modules`, in their order.
pub fn of_modules(modules: &[&Path], places: &Places) -> Result<Vec<Size>> {
    modules.par_iter().map(|module| of_module(module, places)).collect()
}

/// The bytes of the module in the file `module`; `wasm-opt` takes more than a minute for some.
pub fn of_module(module: &Path, places: &Places) -> Result<Size> {
    let raw = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let optimized = optimize(module, &raw, places)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&optimized)?;
    Ok(Size {
        raw: raw.len() as i64,
        optimized: optimized.len() as i64,
        gzipped: gzip.finish()?.len() as i64,
    })
}

/// The module after `wasm-opt -Oz`; a result is kept under the digest of what it was made from.
fn optimize(module: &Path, raw: &[u8], places: &Places) -> Result<Vec<u8>> {
    let package = fs::read(places.compare.join("package-lock.json"))?;
    let name = format!("optimized-{}-{}.wasm", digest_of(raw), digest_of(&package));
    let output = places.modules().join(name);
    if !output.exists() {
        keep(&output, |unfinished| {
            let result = Command::new(wasm_opt(places))
                .arg("-Oz")
                .args(WASM_FEATURES)
                .arg(module)
                .arg("-o")
                .arg(unfinished)
                .output()
                .context("cannot start wasm-opt: run `cargo make report`, which installs it with npm")?;
            if !result.status.success() {
                bail!(
                    "wasm-opt could not optimize {}:\n{}",
                    module.display(),
                    String::from_utf8_lossy(&result.stderr)
                );
            }
            Ok(())
        })?;
    }
    fs::read(&output).with_context(|| format!("cannot read {}", output.display()))
}
