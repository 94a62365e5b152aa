//! The log viewer: a host that hands lines to the plug-in, and limits its memory.

use crate::build;
use wasmtime::error::Context as _;
use wasmtime::{Caller, Engine, Linker, Memory, Module, Result, Store, StoreLimits, StoreLimitsBuilder, TypedFunc};

/// `CEILING_PAGES` of the plug-in.
pub const CEILING_PAGES: u64 = 64;

/// The bytes of a page.
pub const PAGE_BYTES: usize = 1 << 16;

/// Builds the plug-in; returns its module.
///
/// # Panics
///
/// When the build fails, with what cargo said.
pub fn build_module() -> Vec<u8> {
    build("plug-in", "", "wasm32-unknown-unknown", &[])
}

/// What the host does when a plug-in asks for more memory than it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It refuses the growth.
    Refuses,
    /// It ends the call.
    Ends,
}

/// The plug-in's word that memory has run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many bytes were asked for.
    pub refused_bytes: u32,
    /// How many lines are forgotten for it.
    pub forgotten_lines: u32,
}

struct State {
    limits: StoreLimits,
    reports: Vec<Report>,
}

/// A running plug-in.
pub struct PlugIn {
    store: Store<State>,
    memory: Memory,
    buffer: TypedFunc<u32, u32>,
    keep: TypedFunc<(u64, u32, u32), ()>,
    lines_with: TypedFunc<(u32, u32), u32>,
    kept: u64,
}

impl PlugIn {
    /// Instantiates the module in a memory of at most `most_pages`.
    ///
    /// # Errors
    ///
    /// When it is no plug-in, or begins with more memory than that.
    pub fn new(module: &[u8], most_pages: usize, manner: Manner) -> Result<Self> {
        let engine = Engine::default();
        let limits = StoreLimitsBuilder::new()
            .memory_size(most_pages * PAGE_BYTES)
            .trap_on_grow_failure(manner == Manner::Ends)
            .build();
        let mut store = Store::new(
            &engine,
            State {
                limits,
                reports: Vec::new(),
            },
        );
        store.limiter(|state| &mut state.limits);
        let mut linker = Linker::new(&engine);
        linker.func_wrap(
            "host",
            "ran_out",
            |mut caller: Caller<State>, refused_bytes, forgotten_lines| {
                let report = Report {
                    refused_bytes,
                    forgotten_lines,
                };
                caller.data_mut().reports.push(report);
            },
        )?;
        let instance = linker.instantiate(&mut store, &Module::new(&engine, module)?)?;
        instance
            .get_typed_func::<(), ()>(&mut store, "start")?
            .call(&mut store, ())?;
        Ok(PlugIn {
            memory: instance
                .get_memory(&mut store, "memory")
                .context("the plug-in has a memory")?,
            buffer: instance.get_typed_func(&mut store, "buffer")?,
            keep: instance.get_typed_func(&mut store, "keep")?,
            lines_with: instance.get_typed_func(&mut store, "lines_with")?,
            store,
            kept: 0,
        })
    }

    /// Hands the next line of the log over.
    ///
    /// # Errors
    ///
    /// When the line is too long, and when the plug-in is ended.
    pub fn keep(&mut self, line: &str) -> Result<()> {
        let (address, length) = self.give(line)?;
        self.keep.call(&mut self.store, (self.kept, address, length))?;
        self.kept += 1;
        Ok(())
    }

    /// What the plug-in has reported since this was last asked.
    pub fn take_reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.store.data_mut().reports)
    }

    /// How many of the kept lines contain the text.
    ///
    /// # Errors
    ///
    /// As for [`keep`](Self::keep).
    pub fn lines_with(&mut self, text: &str) -> Result<u32> {
        let (address, length) = self.give(text)?;
        self.lines_with.call(&mut self.store, (address, length))
    }

    /// The pages of the plug-in's memory.
    pub fn pages(&self) -> u64 {
        self.memory.size(&self.store)
    }

    /// Copies the text into the plug-in's memory; returns its address and length.
    fn give(&mut self, text: &str) -> Result<(u32, u32)> {
        let length = text.len() as u32;
        let address = self.buffer.call(&mut self.store, length)?;
        wasmtime::ensure!(address != 0, "a line of {length} bytes is too long for the plug-in");
        self.memory.write(&mut self.store, address as usize, text.as_bytes())?;
        Ok((address, length))
    }
}

/// Line `number` of a log that is made up.
pub fn line(number: u64) -> String {
    let path = "/".to_owned() + &"section/".repeat((number % 7) as usize);
    format!("{number:08} GET {path}page-{}.html 200", number * 7919 % 1000)
}
