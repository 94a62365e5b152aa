//! What each command does, one file for each. `comparison` is what two of them share.
//!
//! Uses every other folder.

pub mod check_figures;
mod comparison;
pub mod heap_profile;
pub mod publish;
#[cfg(feature = "wasmtime")]
pub mod record;
pub mod replay;
pub mod report;
pub mod settings;
#[cfg(feature = "wasmtime")]
pub mod worst_case;
