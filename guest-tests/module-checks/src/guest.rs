//! A running module whose allocator the host calls, misuses and starves.

use crate::engine::{Engine, Instance, Limits, Trapped};
use crate::in_v8::InV8;
use crate::in_wasmtime::InWasmtime;
use wasmparser::{Parser, Payload, TypeRef};

/// An instance of `allocator-module` or `driver-module` with a memory of its own.
pub struct Guest {
    instance: Box<dyn Instance>,
}

impl Guest {
    /// Instantiates `module` in `engine`. If it imports its memory, the maximum is `limits.max_pages`.
    ///
    /// # Panics
    ///
    /// When the bytes are not a module that can be instantiated without other imports.
    pub fn new(engine: Engine, module: &[u8], limits: Limits) -> Self {
        let imported_pages = imported_memory_pages(module);
        let instance: Box<dyn Instance> = match engine {
            Engine::V8 => Box::new(InV8::new(module, limits, imported_pages)),
            Engine::Wasmtime => Box::new(InWasmtime::new(module, limits, imported_pages)),
        };
        Guest { instance }
    }

    /// Calls `alloc`; returns the block's address, or 0 for a refusal.
    pub fn alloc(&mut self, size: u32, align: u32) -> Result<u32, Trapped> {
        self.call("heap_alloc", &[size, align])
    }

    /// Calls `alloc_zeroed`; returns the block's address, or 0 for a refusal.
    pub fn alloc_zeroed(&mut self, size: u32, align: u32) -> Result<u32, Trapped> {
        self.call("heap_alloc_zeroed", &[size, align])
    }

    /// Calls `realloc`; returns the block's address, or 0 for a refusal.
    pub fn realloc(&mut self, block: u32, size: u32, align: u32, new_size: u32) -> Result<u32, Trapped> {
        self.call("heap_realloc", &[block, size, align, new_size])
    }

    /// Calls `dealloc`.
    pub fn dealloc(&mut self, block: u32, size: u32, align: u32) -> Result<(), Trapped> {
        self.instance.call("heap_dealloc", &[block, size, align]).map(|_| ())
    }

    /// Calls `malloc` of the C library, in a module with the feature `libc`.
    pub fn libc_malloc(&mut self, size: u32) -> Result<u32, Trapped> {
        self.call("libc_malloc", &[size])
    }

    /// Calls one of C's functions for memory, in a module with the feature `malloc`: what it returns, 0 if that is nothing.
    pub fn call_c(&mut self, function: &str, arguments: &[u32]) -> Result<u32, Trapped> {
        let returned = self.instance.call(function, arguments)?;
        Ok(returned.unwrap_or_default())
    }

    /// Whether the allocator of a module with the feature `report-errors` is poisoned.
    pub fn is_poisoned(&mut self) -> bool {
        self.call("is_poisoned", &[]) == Ok(1)
    }

    /// The text that the module keeps for its host; empty if there is none. With the feature `report-errors` it is the
    /// error that the handler got, in `driver-module` the check that failed.
    pub fn text(&mut self) -> String {
        let address = self.call("text_address", &[]).expect("this only reads");
        let length = self.call("text_length", &[]).expect("this only reads");
        String::from_utf8_lossy(&self.read(address, length)).into_owned()
    }

    /// Calls an export of `driver-module`.
    ///
    /// # Panics
    ///
    /// When a check in the module fails. The message has `context` and the module's text.
    pub fn drive(&mut self, function: &str, arguments: &[u32], context: &str) -> u32 {
        match self.instance.call(function, arguments) {
            Ok(returned) => returned.unwrap_or_default(),
            Err(Trapped) => panic!("{context}: {function}{arguments:?} failed at {}", self.text()),
        }
    }

    /// The value of the exported global `__heap_base`.
    ///
    /// # Panics
    ///
    /// When the module was linked without `--export=__heap_base`.
    pub fn heap_base(&mut self) -> u32 {
        self.instance
            .global("__heap_base")
            .expect("the module must export __heap_base: link it with --export=__heap_base")
    }

    /// The number of pages of the memory.
    pub fn pages(&mut self) -> usize {
        self.instance.pages()
    }

    /// How often the module has called `memory.grow`.
    ///
    /// # Panics
    ///
    /// In V8, which does not report it.
    pub fn growths(&self) -> usize {
        self.instance.growths().expect("only wasmtime reports this")
    }

    /// Grows the memory from the host, as code that is not the allocator may.
    ///
    /// # Panics
    ///
    /// When the memory would exceed its maximum.
    pub fn grow(&mut self, pages: usize) {
        assert!(
            self.instance.grow(pages),
            "the test must leave room for {pages} more pages"
        );
    }

    /// The bytes of the memory from `address` on.
    pub fn read(&mut self, address: u32, length: u32) -> Vec<u8> {
        self.instance.read(address, length)
    }

    /// Writes `bytes` to the memory from `address` on.
    pub fn write(&mut self, address: u32, bytes: &[u8]) {
        self.instance.write(address, bytes);
    }

    /// Writes `length` bytes of the value `fill` to the memory from `address` on.
    pub fn fill(&mut self, address: u32, length: u32, fill: u8) {
        self.instance.fill(address, length, fill);
    }

    /// Whether the `length` bytes from `address` on all have the value `fill`.
    pub fn is_filled(&mut self, address: u32, length: u32, fill: u8) -> bool {
        self.read(address, length).iter().all(|&byte| byte == fill)
    }

    fn call(&mut self, function: &str, arguments: &[u32]) -> Result<u32, Trapped> {
        let returned = self.instance.call(function, arguments)?;
        Ok(returned.unwrap_or_else(|| panic!("{function} must return a number")))
    }
}

/// The initial pages of the memory that `module` imports; `None` if it has a memory of its own.
fn imported_memory_pages(module: &[u8]) -> Option<u32> {
    Parser::new(0)
        .parse_all(module)
        .filter_map(|payload| match payload.expect("rustc must have made a valid module") {
            Payload::ImportSection(imports) => Some(imports),
            _ => None,
        })
        .flat_map(|imports| imports.into_imports())
        .find_map(|import| match import.expect("rustc must have made a valid import").ty {
            TypeRef::Memory(memory) => Some(memory.initial as u32),
            _ => None,
        })
}
