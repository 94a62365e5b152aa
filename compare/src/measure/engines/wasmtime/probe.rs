//! An allocator whose calls are counted one by one.

use super::run::{MOST_INSTRUCTIONS, Run, compiled, reason};
use crate::shared::places::Places;
use anyhow::{Result, anyhow};
use std::path::Path;
use wasmtime::{Engine, Store, TypedFunc};

/// A call of a probe that executes more than this is stopped: about a tenth of a second.
const MOST_INSTRUCTIONS_OF_A_CALL: u64 = 100_000_000;

/// The alignment of all blocks of a probe.
const ALIGN: u32 = 8;

/// An allocator whose calls are counted one by one.
pub struct Probe {
    run: Run,
    alloc: TypedFunc<(u32, u32), u32>,
    dealloc: TypedFunc<(u32, u32, u32), ()>,
    realloc: TypedFunc<(u32, u32, u32, u32), u32>,
    /// The instructions of all calls so far.
    executed: u64,
}

impl Probe {
    /// Starts the size probe `module` in an engine that counts.
    pub fn start(engine: &Engine, module: &Path, places: &Places) -> Result<Self> {
        let mut run = Run::start(&compiled(engine, module, places)?)?;
        let (instance, store) = (run.instance, &mut run.store);
        let missing = |error| anyhow!("the size probe lacks an export: {error:#}");
        Ok(Probe {
            alloc: instance.get_typed_func(&mut *store, "alloc").map_err(missing)?,
            dealloc: instance.get_typed_func(&mut *store, "dealloc").map_err(missing)?,
            realloc: instance.get_typed_func(&mut *store, "realloc").map_err(missing)?,
            executed: 0,
            run,
        })
    }

    /// Allocates a block of `size` bytes; its address, and the instructions of the call.
    pub fn allocate(&mut self, size: u32) -> Result<(u32, u64), String> {
        let alloc = self.alloc.clone();
        self.counted(|store| alloc.call(store, (size, ALIGN))).and_then(block)
    }

    /// Releases a block; the instructions of the call.
    pub fn release(&mut self, block: u32, size: u32) -> Result<u64, String> {
        let dealloc = self.dealloc.clone();
        let ((), instructions) = self.counted(|store| dealloc.call(store, (block, size, ALIGN)))?;
        Ok(instructions)
    }

    /// Resizes a block; its new address, and the instructions of the call.
    pub fn resize(&mut self, old: u32, size: u32, new_size: u32) -> Result<(u32, u64), String> {
        let realloc = self.realloc.clone();
        self.counted(|store| realloc.call(store, (old, size, ALIGN, new_size)))
            .and_then(block)
    }

    /// The memory of the module.
    pub fn memory_bytes(&mut self) -> usize {
        match self.run.memory() {
            Ok(memory) => memory.data_size(&self.run.store),
            Err(_) => 0,
        }
    }

    fn counted<T>(&mut self, call: impl FnOnce(&mut Store<()>) -> wasmtime::Result<T>) -> Result<(T, u64), String> {
        let store = &mut self.run.store;
        // The engine counts, and takes fuel.
        let _ = store.set_fuel(MOST_INSTRUCTIONS_OF_A_CALL);
        let value = call(store).map_err(|error| reason(&error, MOST_INSTRUCTIONS_OF_A_CALL))?;
        let instructions = MOST_INSTRUCTIONS_OF_A_CALL - self.run.fuel();
        self.executed += instructions;
        if self.executed > MOST_INSTRUCTIONS {
            return Err(format!("more than {MOST_INSTRUCTIONS} instructions in all"));
        }
        Ok((value, instructions))
    }
}

/// The block, unless it is null.
fn block((block, instructions): (u32, u64)) -> Result<(u32, u64), String> {
    match block {
        0 => Err("out of memory".to_owned()),
        block => Ok((block, instructions)),
    }
}
