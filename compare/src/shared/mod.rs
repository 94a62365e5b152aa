//! What every folder may use: what can be compared, where everything lies, and what a long step shows.
//!
//! Uses no other folder.

pub mod catalogue;
pub mod kept_files;
pub mod places;
pub mod profile;
pub mod programs;
pub mod progress;
pub mod toml_file;
