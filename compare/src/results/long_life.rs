//! Memory over time: one program that runs on and on as a row of a table.

use super::figure::Figure;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The first number of cycles that tables compare; by now the program has its working set.
pub const EARLY: u32 = 10;

/// The last number of cycles.
pub const LATE: u32 = 1000;

/// A program that runs on and on as a row of tables.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LongLifeRow {
    /// The program's name.
    pub name: String,
    /// What a cycle does.
    pub about: String,
    /// The pages after some numbers of cycles, by allocator.
    pub cells: BTreeMap<String, Figure<Vec<(u32, u32)>>>,
}
