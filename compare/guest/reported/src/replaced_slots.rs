//! A cache of large buffers of nearly equal sizes, replaced one by one at random.

use crate::block::Block;
use harness::Random;

/// 1,000 buffers of 40,000 to 44,000 bytes; `replacements` times, a random one is released and another made.
pub fn buffers_of_40_kb(replacements: u32) -> u64 {
    replace::<1000>(40_000, 44_000, replacements)
}

/// 200 buffers of 300,000 to 330,000 bytes; `replacements` times, a random one is released and another made.
pub fn buffers_of_300_kb(replacements: u32) -> u64 {
    replace::<200>(300_000, 330_000, replacements)
}

fn replace<const SLOTS: usize>(least: usize, most: usize, replacements: u32) -> u64 {
    let mut random = Random::new(40_000);
    // On the stack: the allocator serves the buffers alone.
    let mut slots: [Block; SLOTS] = std::array::from_fn(|_| Block::new(random.within(least, most)));
    let mut bytes = 0;
    for _ in 0..replacements {
        let slot = &mut slots[random.below(SLOTS)];
        bytes += slot.release() as u64;
        *slot = Block::new(random.within(least, most));
    }
    bytes + slots.into_iter().map(|block| block.release() as u64).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use crate::limited_heap;

    #[test]
    fn every_buffer_that_is_made_is_released_and_is_as_large_as_described() {
        let (bytes, left) = limited_heap::with_bytes(1 << 30, || super::buffers_of_300_kb(100));
        assert!((300 * 300_000..=300 * 330_000).contains(&bytes), "{bytes}");
        assert_eq!(left, 0);
    }
}
