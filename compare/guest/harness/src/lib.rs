//! What every measured guest program shares: how it exports its workloads, seeded inputs, and checksums.
//!
//! A guest program is a crate whose workloads are exported from a wasm32 module by name. Each takes one number that
//! scales it and returns a checksum of what it computed, so that a host can tell whether two allocators made the same
//! program compute the same thing. Inputs that should not be timed are built by a second export, `<name>_prepare`.

mod checksum;
mod input;
mod memory;
mod random;

pub use checksum::Checksum;
pub use input::{Input, with_input};
pub use random::Random;

/// Exports functions `fn(u32) -> u64` under the names of their workloads.
///
/// ```
/// fn sum_to(last: u32) -> u64 {
///     (1..=u64::from(last)).sum()
/// }
///
/// guest_harness::export_workloads! {
///     "sum" => sum_to,
/// }
/// ```
#[macro_export]
macro_rules! export_workloads {
    ($($name:literal => $function:path),+ $(,)?) => {
        $(const _: () = {
            #[unsafe(export_name = $name)]
            extern "C" fn export(argument: u32) -> u64 {
                $function(argument)
            }
        };)+
    };
}
