//! Modules in wasmtime, which asks before it grows a memory.

use crate::engine::{Instance, Limits, PAGE_BYTES, Trapped};
use wasmtime::{
    Engine, Linker, Memory, MemoryType, Module, ResourceLimiter, Store, StoreLimits, StoreLimitsBuilder, Trap, Val,
};

pub(crate) struct InWasmtime {
    store: Store<Limiter>,
    instance: wasmtime::Instance,
    memory: Memory,
}

/// Refuses the module's growth as the limits say. The refusals by number do not count growth that the host asks for.
struct Limiter {
    limits: Limits,
    /// wasmtime's own limiter. It knows the most pages, and whether asking for more is refused or traps.
    most_pages: StoreLimits,
    /// Calls of `memory.grow` by the module.
    growths: usize,
    in_module: bool,
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if !self.most_pages.memory_growing(current, desired, maximum)? {
            return Ok(false);
        }
        if !self.in_module {
            return Ok(true);
        }
        let growth = self.growths;
        self.growths += 1;
        Ok(!self.limits.refused_growth.contains(&growth))
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

impl InWasmtime {
    /// Instantiates `module`, with a memory of `imported_pages` if it imports one.
    pub(crate) fn new(module: &[u8], limits: Limits, imported_pages: Option<u32>) -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, module).expect("rustc must have made a valid module");
        let max_pages = limits.max_pages as u32;
        let traps_on_imports = limits.traps_on_imports;
        let most_pages = StoreLimitsBuilder::new()
            .memory_size(limits.max_pages * PAGE_BYTES)
            .trap_on_grow_failure(limits.traps_on_refusal)
            .build();
        let limiter = Limiter {
            limits,
            most_pages,
            growths: 0,
            in_module: false,
        };
        let mut store = Store::new(&engine, limiter);
        store.limiter(|limiter| limiter);
        let mut linker = Linker::new(&engine);
        let imported = imported_pages.map(|pages| {
            let memory = Memory::new(&mut store, MemoryType::new(pages, Some(max_pages)))
                .expect("the memory must not start with more than it may have");
            linker
                .define(&store, "env", "memory", memory)
                .expect("nothing else has this name");
            memory
        });
        if traps_on_imports {
            linker
                .define_unknown_imports_as_traps(&module)
                .expect("a module of rustc imports functions and a memory");
        }
        let instance = linker
            .instantiate(&mut store, &module)
            .expect("the module must need no other imports and no more memory than it may have");
        let memory = imported
            .or_else(|| instance.get_memory(&mut store, "memory"))
            .expect("rustc exports the memory");
        InWasmtime {
            store,
            instance,
            memory,
        }
    }
}

impl Instance for InWasmtime {
    fn call(&mut self, function: &str, arguments: &[u32]) -> Result<Option<u32>, Trapped> {
        let exported = self
            .instance
            .get_func(&mut self.store, function)
            .unwrap_or_else(|| panic!("the module must export {function}"));
        let arguments: Vec<Val> = arguments.iter().map(|&argument| Val::I32(argument as i32)).collect();
        let mut results = vec![Val::I32(0); exported.ty(&self.store).results().len()];
        self.store.data_mut().in_module = true;
        let outcome = exported.call(&mut self.store, &arguments, &mut results);
        self.store.data_mut().in_module = false;
        match outcome {
            Ok(()) => Ok(results.first().map(|result| result.unwrap_i32() as u32)),
            Err(_) if self.store.data().limits.traps_on_refusal => Err(Trapped),
            Err(error) => {
                assert_eq!(
                    error.downcast_ref(),
                    Some(&Trap::UnreachableCodeReached),
                    "{function} must return or trap on purpose, but got: {error:#}"
                );
                Err(Trapped)
            }
        }
    }

    fn global(&mut self, name: &str) -> Option<u32> {
        let global = self.instance.get_global(&mut self.store, name)?;
        global.get(&mut self.store).i32().map(|value| value as u32)
    }

    fn pages(&mut self) -> usize {
        self.memory.size(&self.store) as usize
    }

    fn growths(&self) -> Option<usize> {
        Some(self.store.data().growths)
    }

    fn grow(&mut self, pages: usize) -> bool {
        self.memory.grow(&mut self.store, pages as u64).is_ok()
    }

    fn read(&mut self, address: u32, length: u32) -> Vec<u8> {
        self.memory.data(&self.store)[address as usize..][..length as usize].to_vec()
    }

    fn write(&mut self, address: u32, bytes: &[u8]) {
        self.memory.data_mut(&mut self.store)[address as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    fn fill(&mut self, address: u32, length: u32, fill: u8) {
        self.memory.data_mut(&mut self.store)[address as usize..][..length as usize].fill(fill);
    }
}
