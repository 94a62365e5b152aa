//! The contract: a host that keeps its state, and the size of its module with each allocator.

use crate::build;
use comfy_table::{CellAlignment, Table, presets};
use wasmtime::error::Context as _;
use wasmtime::{Engine, Instance, Memory, Module, Result, Store, TypedFunc};

/// The features of the contract's crate that choose its allocator. The first is the contract's own.
pub const ALLOCATORS: [&str; 7] = [
    "tiny-freeing-bump",
    "mini-alloc",
    "lol_alloc",
    "talc",
    "wee_alloc",
    "freeing-bump",
    "dlmalloc",
];

/// An account's number and its balance.
pub type Account = (u32, u64);

/// The two accounts of a transfer, from and to, and the amount.
pub type Transfer = (u32, u32, u64);

/// Builds the contract with the allocator of this feature; returns its module.
///
/// # Panics
///
/// When the build fails, with what cargo said.
pub fn build_with(allocator: &str) -> Vec<u8> {
    let arguments = ["--no-default-features", "--features", allocator];
    build("contract", allocator, "wasm32v1-none", &arguments)
}

/// A running contract. A host that is real makes one for each call.
pub struct Contract {
    store: Store<()>,
    memory: Memory,
    allocate: TypedFunc<u32, u32>,
    release: TypedFunc<(u32, u32), ()>,
    apply: TypedFunc<(u32, u32, u32, u32), u64>,
}

impl Contract {
    /// Instantiates the module.
    ///
    /// # Errors
    ///
    /// When it imports anything, or is no contract.
    pub fn new(module: &[u8]) -> Result<Self> {
        let engine = Engine::default();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &Module::new(&engine, module)?, &[])?;
        let memory = instance
            .get_memory(&mut store, "memory")
            .context("the contract has a memory")?;
        Ok(Contract {
            memory,
            allocate: instance.get_typed_func(&mut store, "allocate")?,
            release: instance.get_typed_func(&mut store, "release")?,
            apply: instance.get_typed_func(&mut store, "apply")?,
            store,
        })
    }

    /// The accounts after the transfers; `None` if the contract refuses them.
    ///
    /// # Errors
    ///
    /// When the contract traps.
    pub fn apply(&mut self, accounts: &[Account], transfers: &[Transfer]) -> Result<Option<Vec<Account>>> {
        let state = accounts
            .iter()
            .flat_map(|(number, balance)| number.to_le_bytes().into_iter().chain(balance.to_le_bytes()));
        let (state, state_length) = self.give(state.collect())?;
        let transfers = transfers.iter().flat_map(|(from, to, amount)| {
            let accounts = from.to_le_bytes().into_iter().chain(to.to_le_bytes());
            accounts.chain(amount.to_le_bytes())
        });
        let (transfers, transfers_length) = self.give(transfers.collect())?;

        let next = self
            .apply
            .call(&mut self.store, (state, state_length, transfers, transfers_length))?;
        if next == 0 {
            return Ok(None);
        }
        let (address, length) = ((next >> 32) as u32, next as u32);
        let mut bytes = vec![0; length as usize];
        self.memory.read(&self.store, address as usize, &mut bytes)?;
        self.release.call(&mut self.store, (address, length))?;
        let (records, _) = bytes.as_chunks::<12>();
        let account = |record: &[u8; 12]| {
            let (number, balance) = record.split_first_chunk()?;
            Some((
                u32::from_le_bytes(*number),
                u64::from_le_bytes(balance.try_into().ok()?),
            ))
        };
        Ok(records.iter().map(account).collect())
    }

    /// The pages of the contract's memory.
    pub fn pages(&self) -> u64 {
        self.memory.size(&self.store)
    }

    /// Copies the bytes into the contract's memory; returns their address and length.
    fn give(&mut self, bytes: Vec<u8>) -> Result<(u32, u32)> {
        let length = bytes.len() as u32;
        let address = self.allocate.call(&mut self.store, length)?;
        self.memory.write(&mut self.store, address as usize, &bytes)?;
        Ok((address, length))
    }
}

/// Builds the contract with each allocator; returns a table of the sizes of the modules, as the linker writes them.
pub fn sizes() -> Table {
    let sizes: Vec<(&str, usize)> = ALLOCATORS
        .iter()
        .map(|allocator| (*allocator, build_with(allocator).len()))
        .collect();
    let own = sizes.first().map_or(0, |(_, bytes)| *bytes);
    let mut table = Table::new();
    table
        .load_style(presets::ASCII_MARKDOWN)
        .set_header(["allocator", "module, bytes", "more than the first"]);
    for (allocator, bytes) in sizes {
        let more = bytes as i64 - own as i64;
        table.add_row([allocator.to_owned(), bytes.to_string(), format!("{more:+}")]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
