//! What a [`Profiled`] counts: what is live, by size class and by place.
//!
//! # Files
//!
//! They are layers too. Each uses those below it:
//!
//! | file | what it owns |
//! |---|---|
//! | `profiled` | `Profiled`, the wrapper: which calls count, and the memory of the table |
//! | `dhat`, `text` | a snapshot as DHAT's JSON, and as a table to read |
//! | `snapshot` | a copy of all rows in memory of its own, and the difference of two |
//! | `table` | the rows, and the hash table that finds the row of a place and a size class |
//! | `tally` | the counts of one row |
//! | `header` | the eight bytes before each block that say which row it counts in |
//! | `row`, `size_class` | what the reader of a snapshot sees of a row |

mod dhat;
mod header;
mod profiled;
mod row;
mod size_class;
mod snapshot;
mod table;
mod tally;
#[cfg(test)]
mod tests;
mod text;

pub use profiled::Profiled;
pub use row::{Amount, Change, Place, PlaceName, Row};
pub use size_class::SizeClass;
pub use snapshot::Snapshot;
