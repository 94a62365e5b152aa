//! The first calls of a program that does little.

use crate::block::Block;

/// One block of each of the sizes 8, 16 .. 256, in a memory in which nothing was allocated before.
pub fn one_of_each_size(_: u32) -> u64 {
    for size in (8..=256).step_by(8) {
        std::hint::black_box(Block::new(size));
    }
    0
}
