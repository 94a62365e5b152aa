//! Sizes of modules, and code size: that of the smallest module that exports alloc, dealloc and realloc, over one whose
//! allocator always fails.

use crate::modules::package::SIZE_PROBE;
use crate::modules::shared_memory::first_pages;
use crate::modules::workshop::Modules;
use crate::results::size::{CodeSize, Size};
use crate::shared::catalogue::Catalogue;
use crate::shared::kept_files::{digest_of, keep};
use crate::shared::places::Places;
use crate::shared::profile::Profile;
use crate::shared::progress::Step;
use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use rayon::prelude::*;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The features that rustc 1.87 and later use on wasm32-unknown-unknown. `wasm-opt` refuses a feature it was not told of.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

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

/// The bytes of the modules in the files `modules`, in their order.
pub fn of_modules(modules: &[&Path], places: &Places) -> Result<Vec<Size>> {
    modules.par_iter().map(|module| of_module(module, places)).collect()
}

/// The bytes of the module in the file `module`. `wasm-opt` takes more than a minute for some.
pub fn of_module(module: &Path, places: &Places) -> Result<Size> {
    let raw = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let path = optimized(module, places)?;
    let optimized = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&optimized)?;
    Ok(Size {
        raw: raw.len() as i64,
        optimized: optimized.len() as i64,
        gzipped: gzip.finish()?.len() as i64,
    })
}

/// Up to this size wasm-opt is done with a module before better machine code for itself would pay.
const QUICKLY_OPTIMIZED_BYTES: usize = 1 << 16;

/// The command that runs wasm-opt, which is a program for Node, on a module.
fn wasm_opt(module: &[u8], places: &Places) -> Command {
    let mut command = Command::new(places.node());
    if module.len() <= QUICKLY_OPTIMIZED_BYTES {
        command.arg("--liftoff-only");
    }
    command.arg(places.wasm_opt());
    command
}

/// The file of the module in the file `module` after `wasm-opt -Oz`. It is kept under the digest of what it was made from.
pub fn optimized(module: &Path, places: &Places) -> Result<PathBuf> {
    let raw = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let package = fs::read(places.compare.join("package-lock.json"))?;
    let name = format!("optimized-{}-{}.wasm", digest_of(&raw), digest_of(&package));
    let output = places.modules().join(name);
    if !output.exists() {
        keep(&output, |unfinished| {
            let result = wasm_opt(&raw, places)
                .arg("-Oz")
                .args(WASM_FEATURES)
                .args(first_pages(&raw)?.map(|_| "--enable-threads"))
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
    Ok(output)
}
