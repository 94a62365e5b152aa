//! One instance of one module, and the machine code that it runs.

use crate::measure::plan::Plan;
use crate::shared::kept_files::keep;
use crate::shared::places::Places;
use anyhow::{Context, Result, anyhow};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::time::{Duration, Instant};
use wasmtime::{Engine, Instance, Memory, Module, Store, Trap};

/// A subject that executes more instructions than this in one call is stopped: about 10 seconds.
pub const MOST_INSTRUCTIONS: u64 = 20_000_000_000;

/// Bytes of one operation of a recording.
pub const OPERATION_BYTES: usize = 12;

/// One instance of one module.
pub struct Run {
    /// What the engine keeps of it.
    pub store: Store<()>,
    /// Its exports.
    pub instance: Instance,
}

impl Run {
    /// Starts `module` with enough fuel for one run.
    pub fn start(module: &Module) -> Result<Self> {
        let mut store = Store::new(module.engine(), ());
        // An engine that does not count refuses fuel, and needs none.
        let _ = store.set_fuel(MOST_INSTRUCTIONS);
        let instance = Instance::new(&mut store, module, &[])
            .map_err(|error| anyhow!("wasmtime cannot start a module: {error:#}"))?;
        Ok(Run { store, instance })
    }

    /// Makes the input of `plan`, if it has one.
    pub fn prepare(&mut self, plan: &Plan) -> Result<(), String> {
        if plan.prepare {
            self.call(&format!("{}_prepare", plan.export), plan.argument)?;
        }
        Ok(())
    }

    /// Calls the export once, or once for each portion of a recording; returns the time of the calls, and the checksum.
    pub fn execute(&mut self, plan: &Plan) -> Result<(Duration, u64), String> {
        let Some(operations) = &plan.operations else {
            let start = Instant::now();
            let checksum = self.call(&plan.export, plan.argument)?;
            return Ok((start.elapsed(), checksum));
        };
        let operations = fs::read(operations).map_err(|error| error.to_string())?;
        let buffer = self.call(&format!("{}_buffer", plan.export), 0)? as usize;
        let capacity = self.call(&format!("{}_capacity", plan.export), 0)? as usize;
        let memory = self.memory()?;
        let mut time = Duration::ZERO;
        let mut checksum: u64 = 0;
        for portion in operations.chunks(capacity * OPERATION_BYTES) {
            memory
                .write(&mut self.store, buffer, portion)
                .map_err(|error| error.to_string())?;
            let start = Instant::now();
            let sum = self.call(&plan.export, (portion.len() / OPERATION_BYTES) as u32)?;
            time += start.elapsed();
            checksum = checksum.wrapping_add(sum);
        }
        Ok((time, checksum))
    }

    /// The module's memory.
    pub fn memory(&mut self) -> Result<Memory, String> {
        self.instance
            .get_memory(&mut self.store, "memory")
            .ok_or_else(|| "the module exports no memory".to_owned())
    }

    /// Calls `export`; the reason if it does not return.
    pub fn call(&mut self, export: &str, argument: u32) -> Result<u64, String> {
        let function = self
            .instance
            .get_typed_func::<u32, u64>(&mut self.store, export)
            .map_err(|error| format!("{export}: {error:#}"))?;
        function
            .call(&mut self.store, argument)
            .map_err(|error| reason(&error, MOST_INSTRUCTIONS))
    }

    /// What `export` returns, without an argument.
    pub fn number(&mut self, export: &str) -> Result<u32, String> {
        self.instance
            .get_typed_func::<(), u32>(&mut self.store, export)
            .and_then(|function| function.call(&mut self.store, ()))
            .map_err(|error| format!("{export}: {error:#}"))
    }

    /// The fuel that is left; 0 in an engine that does not count.
    pub fn fuel(&self) -> u64 {
        self.store.get_fuel().unwrap_or_default()
    }
}

/// Why a call did not return.
pub fn reason(error: &wasmtime::Error, most_instructions: u64) -> String {
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => format!("more than {most_instructions} instructions"),
        Some(trap) => format!("trap: {trap}"),
        None => format!("{error:#}"),
    }
}

/// The machine code of a module. It is kept, since compiling takes longer than most runs.
pub fn compiled(engine: &Engine, module: &Path, places: &Places) -> Result<Module> {
    let mut configuration = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut configuration);
    let stem = module.file_stem().unwrap_or_default().to_string_lossy();
    let name = format!("{stem}-{:016x}.cwasm", configuration.finish());
    let kept = places.modules().join(name);
    if !kept.exists() {
        let bytes = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
        let code = engine
            .precompile_module(&bytes)
            .map_err(|error| anyhow!("wasmtime cannot compile {}: {error:#}", module.display()))?;
        keep(&kept, |unfinished| {
            fs::write(unfinished, code).with_context(|| format!("cannot write {}", unfinished.display()))
        })?;
    }
    // SAFETY: the file was written above, by this version of wasmtime and for this configuration: both are in its name.
    unsafe { Module::deserialize_file(engine, &kept) }
        .map_err(|error| anyhow!("wasmtime cannot load {}; delete it: {error:#}", kept.display()))
}
