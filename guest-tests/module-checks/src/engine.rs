//! What a test needs from an engine, and the limits that it sets.

use std::ops::Range;

/// The unit in which a linear memory grows.
pub const PAGE_BYTES: usize = 1 << 16;

/// All the pages that 32 bits can address.
pub const ALL_PAGES: usize = 1 << 16;

/// The engines that run the modules under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The engine of Node and Chrome.
    V8,
    /// The one that Rust programs embed.
    Wasmtime,
}

impl Engine {
    /// Both.
    pub const ALL: [Engine; 2] = [Engine::V8, Engine::Wasmtime];
}

/// What the host allows a module.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The memory cannot grow above this. In V8 this limits only modules that import their memory.
    pub max_pages: usize,
    /// The calls of `memory.grow`, counted from 0, that are refused. In wasmtime only.
    pub refused_growth: Range<usize>,
    /// Whether the host ends a call that asks for more than `max_pages`, instead of refusing the growth. In wasmtime only.
    pub traps_on_refusal: bool,
    /// Whether the host has what else the module imports, and ends each call of it. Otherwise there is nothing but a memory. In
    /// wasmtime only.
    pub traps_on_imports: bool,
}

impl Limits {
    /// Up to `max_pages` every growth is granted.
    pub const fn pages(max_pages: usize) -> Self {
        Limits {
            max_pages,
            refused_growth: 0..0,
            traps_on_refusal: false,
            traps_on_imports: false,
        }
    }
}

/// A call did not return: it executed `unreachable`, or it asked for more memory than a host allows that ends calls for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trapped;

/// A running module in one of the engines.
pub(crate) trait Instance {
    /// Calls an export and returns its result, if it has one.
    fn call(&mut self, function: &str, arguments: &[u32]) -> Result<Option<u32>, Trapped>;

    /// The value of an exported global; `None` if there is none of this name.
    fn global(&mut self, name: &str) -> Option<u32>;

    /// The number of pages of the memory.
    fn pages(&mut self) -> usize;

    /// How often the module has called `memory.grow`; `None` where the engine does not report it.
    fn growths(&self) -> Option<usize>;

    /// Grows the memory from the host; returns whether that was possible.
    fn grow(&mut self, pages: usize) -> bool;

    /// The bytes of the memory from `address` on.
    fn read(&mut self, address: u32, length: u32) -> Vec<u8>;

    /// Writes `bytes` to the memory from `address` on.
    fn write(&mut self, address: u32, bytes: &[u8]);

    /// Writes `length` bytes of the value `fill` to the memory from `address` on.
    fn fill(&mut self, address: u32, length: u32, fill: u8);
}
