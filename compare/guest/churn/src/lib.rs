//! Workloads in which allocation is all that the program does.
//!
//! Each block's first byte is written when it is made and read before it is released: blocks that overlap show in the
//! checksum. Nothing else happens between two calls of the allocator.

mod block;
mod dice;
mod order_of_release;
mod random_sizes;
mod zeroed;

pub use block::Block;
pub use dice::Dice;

harness::export_workloads! {
    "random-sizes" => random_sizes::without_realloc,
    "random-sizes-realloc" => random_sizes::with_realloc,
    "one-size" => order_of_release::one_size,
    "last-in-first-out" => order_of_release::last_in_first_out,
    "first-in-first-out" => order_of_release::first_in_first_out,
    "random-release" => order_of_release::random_release,
    "zeroed-buffers" => zeroed::zeroed_buffers,
}
