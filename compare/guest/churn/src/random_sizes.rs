//! Blocks of random sizes and alignments, made and released in random order, in the manner of talc's benchmark.
//!
//! A table has a number of slots. Each step picks one at random and fills it if it is empty, or else empties it. So
//! about half of the slots hold a block. Sizes are uniform from 1 byte to the argument, alignments from 1 to 16. There
//! are fewer slots for larger sizes, which keeps the live bytes near 2.5 MB at most.

use crate::block::Block;
use crate::dice::Dice;

const STEPS: usize = 250_000;
const LIVE_BYTES: usize = 10_000_000;
const MOST_SLOTS: usize = 10_000;

/// Allocates and releases only.
pub fn without_realloc(largest: u32) -> u64 {
    churn::<false>(largest as usize)
}

/// As [`without_realloc`], but half of the steps that find a block resize it.
pub fn with_realloc(largest: u32) -> u64 {
    churn::<true>(largest as usize)
}

fn churn<const REALLOC: bool>(largest: usize) -> u64 {
    let slots = (LIVE_BYTES / largest).clamp(1, MOST_SLOTS);
    let mut dice = Dice::new(0x5eed);
    let mut sum = 0;
    let mut live: Vec<Option<Block>> = (0..slots).map(|_| None).collect();
    for step in 0..STEPS {
        let slot = &mut live[dice.below(slots)];
        let needs_size = slot.is_none() || (REALLOC && step % 2 == 0);
        if !needs_size {
            sum += slot.take().map_or(0, Block::release);
            continue;
        }
        let size = size(&mut dice, largest);
        *slot = Some(match slot.take() {
            None => Block::new(size, 1 << dice.below(5), step as u8),
            Some(block) => block.resized(size),
        });
    }
    sum + live.into_iter().flatten().map(Block::release).sum::<u64>()
}

/// A size from 1 to `largest`; above 64 KiB not every size occurs.
fn size(dice: &mut Dice, largest: usize) -> usize {
    if largest <= 1 << 16 {
        dice.below(largest) + 1
    } else {
        ((dice.below(1 << 16) * (largest >> 8)) >> 8) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::{with_realloc, without_realloc};

    #[test]
    fn the_same_size_gives_the_same_checksum_and_another_size_another() {
        assert_eq!(without_realloc(200), without_realloc(200));
        assert_ne!(without_realloc(200), without_realloc(100_000));
        assert_ne!(without_realloc(200), with_realloc(200));
    }
}
