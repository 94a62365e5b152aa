//! A running instance of `allocator-module`, whose allocator the host calls, misuses and starves.

use wasmi::{Engine, Instance, Linker, Memory, Module, Store, StoreLimits, StoreLimitsBuilder, TrapCode};

/// The unit in which a linear memory grows.
pub const PAGE_BYTES: usize = 1 << 16;

/// An instance with its own memory, in an interpreter on the host.
pub struct Guest {
    store: Store<StoreLimits>,
    instance: Instance,
    memory: Memory,
}

/// What a call that does not return has done: executed `unreachable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trapped;

impl Guest {
    /// Instantiates `module` with a memory that cannot grow above `max_pages`.
    ///
    /// # Panics
    ///
    /// When the bytes are not a module that can be instantiated without imports.
    pub fn new(module: &[u8], max_pages: usize) -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, module).expect("rustc must have made a valid module");
        let limits = StoreLimitsBuilder::new().memory_size(max_pages * PAGE_BYTES).build();
        let mut store = Store::new(&engine, limits);
        store.limiter(|limits| limits);
        let instance = Linker::new(&engine)
            .instantiate_and_start(&mut store, &module)
            .expect("the module must need no imports and no more memory than it may have");
        let memory = instance.get_memory(&store, "memory").expect("rustc exports the memory");
        Guest {
            store,
            instance,
            memory,
        }
    }

    /// Calls `alloc`: the block's address, 0 when refused.
    pub fn alloc(&mut self, size: u32, align: u32) -> Result<u32, Trapped> {
        self.call("heap_alloc", (size, align))
    }

    /// Calls `alloc_zeroed`: the block's address, 0 when refused.
    pub fn alloc_zeroed(&mut self, size: u32, align: u32) -> Result<u32, Trapped> {
        self.call("heap_alloc_zeroed", (size, align))
    }

    /// Calls `realloc`: the block's address, 0 when refused.
    pub fn realloc(&mut self, block: u32, size: u32, align: u32, new_size: u32) -> Result<u32, Trapped> {
        self.call("heap_realloc", (block, size, align, new_size))
    }

    /// Calls `dealloc`.
    pub fn dealloc(&mut self, block: u32, size: u32, align: u32) -> Result<(), Trapped> {
        self.call("heap_dealloc", (block, size, align))
    }

    /// Calls `malloc` of the C library, in a module with the feature `libc`.
    pub fn libc_malloc(&mut self, size: u32) -> Result<u32, Trapped> {
        self.call("libc_malloc", size)
    }

    /// Whether the allocator of a module with the feature `report-errors` is poisoned.
    pub fn is_poisoned(&mut self) -> bool {
        self.call("is_poisoned", ()) == Ok(1)
    }

    /// What the error handler of a module with the feature `report-errors` was given; empty if it was not called.
    pub fn error(&mut self) -> String {
        let address: u32 = self.call("error_address", ()).expect("this only reads");
        let length: u32 = self.call("error_length", ()).expect("this only reads");
        String::from_utf8_lossy(self.bytes(address, length)).into_owned()
    }

    /// The value of the exported global `__heap_base`.
    ///
    /// # Panics
    ///
    /// When the module was linked without `--export=__heap_base`.
    pub fn heap_base(&self) -> u32 {
        self.instance
            .get_global(&self.store, "__heap_base")
            .and_then(|global| global.get(&self.store).i32())
            .expect("the module must export __heap_base: link it with --export=__heap_base") as u32
    }

    /// The number of pages of the memory.
    pub fn pages(&self) -> usize {
        self.memory.size(&self.store) as usize
    }

    /// Grows the memory from the host, as code that is not the allocator may.
    ///
    /// # Panics
    ///
    /// When that makes it larger than it may be.
    pub fn grow(&mut self, pages: usize) {
        self.memory
            .grow(&mut self.store, pages as u64)
            .expect("the test must leave room for this");
    }

    /// The bytes of the memory from `address` on.
    pub fn bytes(&self, address: u32, length: u32) -> &[u8] {
        &self.memory.data(&self.store)[address as usize..][..length as usize]
    }

    /// The same, to write to.
    pub fn bytes_mut(&mut self, address: u32, length: u32) -> &mut [u8] {
        &mut self.memory.data_mut(&mut self.store)[address as usize..][..length as usize]
    }

    fn call<Parameters, Results>(&mut self, function: &str, parameters: Parameters) -> Result<Results, Trapped>
    where
        Parameters: wasmi::WasmParams,
        Results: wasmi::WasmResults,
    {
        self.instance
            .get_typed_func::<Parameters, Results>(&self.store, function)
            .unwrap_or_else(|error| panic!("the module must export {function}: {error}"))
            .call(&mut self.store, parameters)
            .map_err(|error| {
                assert_eq!(
                    error.as_trap_code(),
                    Some(TrapCode::UnreachableCodeReached),
                    "{function} must return or trap on purpose, but: {error}"
                );
                Trapped
            })
    }
}
