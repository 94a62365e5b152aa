//! Long-lived patterns whose memory should not grow: each export runs some more cycles of a program that keeps its
//! state from one call to the next.

mod phases;
mod state;
mod two_blocks;

harness::export_workloads! {
    "replaced-state" => state::replace,
    "size-phases" => phases::run,
    "two-large-blocks" => two_blocks::run,
    "growing-buffer" => phases::grow,
}
