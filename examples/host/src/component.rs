//! A host that has a component make an index of texts.

use crate::build;
use wasmtime::component::{Component, Linker, Val};
use wasmtime::{Engine, Result, Store, StoreLimits, StoreLimitsBuilder, bail};

/// A word, and the numbers of the texts that have it.
pub type Entry = (String, Vec<u32>);

/// Builds the component.
///
/// # Panics
///
/// When the build fails, with what cargo said.
pub fn build_component() -> Vec<u8> {
    build("component", "", "wasm32-wasip2", &[])
}

/// A running component.
pub struct Indexer {
    store: Store<StoreLimits>,
    function: wasmtime::component::Func,
}

impl Indexer {
    /// Instantiates the component, whose memory may have that many bytes at most.
    ///
    /// # Errors
    ///
    /// When it is another one.
    pub fn new(component: &[u8], most_bytes: usize) -> Result<Self> {
        let engine = Engine::default();
        let component = Component::new(&engine, component)?;
        let mut store = Store::new(&engine, StoreLimitsBuilder::new().memory_size(most_bytes).build());
        store.limiter(|limits| limits);
        let mut linker = Linker::new(&engine);
        // Rust's standard library imports WASI, but this component calls none of it.
        linker.define_unknown_imports_as_traps(&component)?;
        let instance = linker.instantiate(&mut store, &component)?;
        let Some(function) = instance.get_func(&mut store, "index") else {
            bail!("the component has no function `index`");
        };
        Ok(Indexer { store, function })
    }

    /// The index of the texts.
    ///
    /// # Errors
    ///
    /// When the memory does not suffice.
    pub fn index(&mut self, texts: &[&str]) -> Result<Vec<Entry>> {
        let texts = texts.iter().map(|&text| Val::String(text.into())).collect();
        let mut results = [Val::Bool(false)];
        self.function.call(&mut self.store, &[Val::List(texts)], &mut results)?;
        match results {
            [Val::List(entries)] => entries.into_iter().map(entry).collect(),
            other => bail!("the component returns {other:?}"),
        }
    }
}

fn entry(entry: Val) -> Result<Entry> {
    let Val::Record(fields) = entry else {
        bail!("the component returns {entry:?} for an entry");
    };
    match fields
        .into_iter()
        .map(|(_, value)| value)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [Val::String(word), Val::List(texts)] => Ok((word.clone(), texts.iter().map(number).collect::<Result<_>>()?)),
        other => bail!("the component returns {other:?} for an entry"),
    }
}

fn number(text: &Val) -> Result<u32> {
    match text {
        Val::U32(number) => Ok(*number),
        other => bail!("the component returns {other:?} for the number of a text"),
    }
}
