//! Modules whose memory has a lower maximum than the one they were linked with.
//!
//! The maximum is written into a copy of the module. So every engine enforces it without being asked.

use crate::shared::kept_files::keep;
use crate::shared::places::Places;
use anyhow::{Context, Result, anyhow};
use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{MemoryType, Module};
use wasmparser::Parser;

/// The file of a module like that in `module`, whose memory has at most `pages` pages; `module` itself if there is no limit.
pub fn with_memory_limit(module: &Path, pages: Option<u32>, places: &Places) -> Result<PathBuf> {
    let Some(pages) = pages else {
        return Ok(module.to_owned());
    };
    let stem = module.file_stem().unwrap_or_default().to_string_lossy();
    let path = places.modules().join(format!("{stem}-max-{pages}.wasm"));
    if !path.exists() {
        let bytes = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
        let limited =
            with_maximum(&bytes, pages).with_context(|| format!("cannot limit the memory of {}", module.display()))?;
        keep(&path, |unfinished| {
            fs::write(unfinished, limited).with_context(|| format!("cannot write {}", unfinished.display()))
        })?;
    }
    Ok(path)
}

/// The same module, with `pages` as the maximum of each memory that it defines or imports.
fn with_maximum(module: &[u8], pages: u32) -> Result<Vec<u8>> {
    let mut limited = Module::new();
    Maximum(pages)
        .parse_core_module(&mut limited, Parser::new(0), module)
        .map_err(|error| anyhow!("this is not a module: {error}"))?;
    Ok(limited.finish())
}

/// Copies a module and sets the maximum of its memories.
struct Maximum(u32);

impl Reencode for Maximum {
    type Error = Infallible;

    fn memory_type(&mut self, memory: wasmparser::MemoryType) -> Result<MemoryType, Error<Infallible>> {
        Ok(MemoryType {
            maximum: Some(u64::from(self.0)),
            ..utils::memory_type(self, memory)
        })
    }
}

#[cfg(all(test, feature = "wasmtime"))]
mod tests {
    use super::with_maximum;
    use wasmtime::{Engine, Instance, Module, Store};

    #[test]
    fn a_memory_grows_to_the_maximum_and_no_further() {
        for (declared, grown, answer) in [("2", 3, 2), ("2", 4, -1), ("2 100", 3, 2), ("2 100", 4, -1)] {
            let text = format!(
                r#"(module (memory (export "memory") {declared})
                    (func (export "grow") (result i32) (memory.grow (i32.const {grown}))))"#
            );
            let module = with_maximum(&wat::parse_str(text).unwrap(), 5).unwrap();
            let engine = Engine::default();
            let mut store = Store::new(&engine, ());
            let module = Module::new(&engine, module).unwrap();
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let grow = instance.get_typed_func::<(), i32>(&mut store, "grow").unwrap();
            let grew = grow.call(&mut store, ()).unwrap();
            assert_eq!(grew, answer, "{declared} pages, grown by {grown}");
        }
    }

    #[test]
    fn everything_else_of_a_module_stays_as_it_is() {
        let module = |maximum: &str| {
            let text = format!(
                r#"(module (memory (export "memory") 1 {maximum}) (global (mut i32) (i32.const 7))
                    (table 1 funcref) (elem (i32.const 0) $f)
                    (func $f (export "f") (result i32) (i32.load8_u (i32.const 3)))
                    (data (i32.const 3) "*"))"#
            );
            wat::parse_str(text).unwrap()
        };
        assert_eq!(with_maximum(&module(""), 9).unwrap(), module("9"));
    }

    #[test]
    fn bytes_that_are_not_a_module_are_refused() {
        let message = with_maximum(b"no module", 5).unwrap_err().to_string();
        assert!(message.contains("not a module"), "{message}");
    }
}
