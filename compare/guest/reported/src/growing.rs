//! Buffers that grow step by step.

use crate::block::{Block, Chain};

/// A vector grows to `megabytes` million bytes, 4,000 at a time, with a block of 40 bytes made after each step.
pub fn vector_among_small_blocks(megabytes: u32) -> u64 {
    let mut small = Chain::new();
    let mut vector: Vec<u8> = Vec::new();
    while vector.len() < megabytes as usize * 1_000_000 {
        vector.extend_from_slice(&[vector.len() as u8; 4000]);
        small.push(Block::new(40));
    }
    let steps = vector.chunks(4000).map(|step| u64::from(step[0])).sum::<u64>();
    steps + small.release()
}

/// A buffer grows by a page at a time to `pages` pages: each is made before the last one is released.
pub fn by_a_page(pages: u32) -> u64 {
    let mut released = 0;
    let mut last: Option<Block> = None;
    for page in 1..=pages as usize {
        let next = Block::new(page * 65_536);
        released += last.replace(next).map_or(0, Block::release) as u64;
    }
    released + last.map_or(0, Block::release) as u64
}

#[cfg(test)]
mod tests {
    use super::{by_a_page, vector_among_small_blocks};
    use crate::limited_heap;

    #[test]
    fn a_vector_holds_what_each_step_put_into_it_and_has_a_small_block_for_each() {
        let steps = (0..250u64).map(|step| step * 4000 % 256).sum::<u64>();
        let (sum, left) = limited_heap::with_bytes(1 << 30, || vector_among_small_blocks(1));
        assert_eq!((sum, left), (steps + 250 * 40, 0));
    }

    #[test]
    fn each_buffer_is_a_page_larger_than_the_one_that_goes() {
        let (sum, left) = limited_heap::with_bytes(1 << 30, || by_a_page(4));
        assert_eq!((sum, left), ((1 + 2 + 3 + 4) * 65_536, 0));
    }
}
