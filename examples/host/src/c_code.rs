//! A host that has bytes compressed by a module with C code.

use crate::build;
use wasmtime::error::Context as _;
use wasmtime::{Engine, Instance, Memory, Module, Result, Store, TypedFunc, ensure};

/// What the module answers for bytes that it cannot decompress.
const BROKEN: u64 = u64::MAX;

/// Builds the module.
///
/// # Panics
///
/// When the build fails, with what cargo said.
pub fn build_module() -> Vec<u8> {
    build("c-code", "", "wasm32-unknown-unknown", &[])
}

/// A function from a block to another one.
type Function = TypedFunc<(u32, u32), u64>;

/// A running module.
pub struct Compressor {
    store: Store<()>,
    memory: Memory,
    allocate: TypedFunc<u32, u32>,
    release: TypedFunc<(u32, u32), ()>,
    compress: Function,
    decompress: Function,
}

impl Compressor {
    /// Instantiates the module.
    ///
    /// # Errors
    ///
    /// When it imports anything, or is another one.
    pub fn new(module: &[u8]) -> Result<Self> {
        let engine = Engine::default();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &Module::new(&engine, module)?, &[])?;
        Ok(Compressor {
            memory: instance
                .get_memory(&mut store, "memory")
                .context("the module has a memory")?,
            allocate: instance.get_typed_func(&mut store, "allocate")?,
            release: instance.get_typed_func(&mut store, "release")?,
            compress: instance.get_typed_func(&mut store, "compress")?,
            decompress: instance.get_typed_func(&mut store, "decompress")?,
            store,
        })
    }

    /// The bytes compressed.
    ///
    /// # Errors
    ///
    /// When there is no memory for them.
    pub fn compress(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        let compress = self.compress.clone();
        self.call(&compress, bytes)
    }

    /// What the bytes were before they were compressed.
    ///
    /// # Errors
    ///
    /// When they are no compressed bytes, or there is no memory for what they were.
    pub fn decompress(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        let decompress = self.decompress.clone();
        self.call(&decompress, bytes)
    }

    /// The pages of the module's memory.
    pub fn pages(&self) -> u64 {
        self.memory.size(&self.store)
    }

    /// Hands the bytes over and reads the answer.
    fn call(&mut self, function: &Function, bytes: &[u8]) -> Result<Vec<u8>> {
        let length = u32::try_from(bytes.len())?;
        let block = self.allocate.call(&mut self.store, length)?;
        self.memory.write(&mut self.store, block as usize, bytes)?;
        let answer = function.call(&mut self.store, (block, length))?;
        ensure!(answer != BROKEN, "these are no compressed bytes");
        let (block, length) = ((answer >> 32) as u32, answer as u32);
        let mut read = vec![0; length as usize];
        self.memory.read(&self.store, block as usize, &mut read)?;
        self.release.call(&mut self.store, (block, length))?;
        Ok(read)
    }
}
