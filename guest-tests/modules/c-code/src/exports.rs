//! What the host calls.

use crate::{ALLOCATOR, both_sides, sqlite, tree_sitter, zstd};
use core::panic::PanicInfo;
use guest_tests::failure;

/// Makes `steps` changes to a database, as `seed` chooses them.
#[unsafe(no_mangle)]
extern "C" fn play_sqlite(seed: u32, steps: u32) {
    play(sqlite::play, seed, steps);
}

/// Makes `steps` changes to a text and its syntax tree, as `seed` chooses them.
#[unsafe(no_mangle)]
extern "C" fn play_tree_sitter(seed: u32, steps: u32) {
    play(tree_sitter::play, seed, steps);
}

/// Compresses and decompresses `steps` texts, as `seed` chooses them.
#[unsafe(no_mangle)]
extern "C" fn play_zstd(seed: u32, steps: u32) {
    play(zstd::play, seed, steps);
}

/// Plays, then checks that every block that went from side to side was released.
fn play(library: fn(u32, u32), seed: u32, steps: u32) {
    both_sides::begin(seed.into());
    library(seed, steps);
    both_sides::assert_none_is_live();
}

/// The bytes of the blocks in use, Rust's and C's.
#[unsafe(no_mangle)]
extern "C" fn live_bytes() -> u32 {
    ALLOCATOR.stats().live_bytes
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    failure::keep_and_trap(info)
}

guest_tests::export_text!(failure::text);
