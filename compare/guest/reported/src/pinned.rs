//! A few live blocks pin the memory of many released ones.

use crate::block::{Block, Chain};

/// 200,000 blocks of 24 bytes, of which every 170th stays; then 100,000 of 40 bytes.
pub fn one_in_170(_: u32) -> u64 {
    let mut all = Chain::new();
    for _ in 0..200_000 {
        all.push(Block::new(24));
    }
    let mut kept = Chain::new();
    let mut number = 0;
    while let Some(block) = all.pop() {
        if number % 170 == 0 {
            kept.push(block);
        } else {
            block.release();
        }
        number += 1;
    }
    for _ in 0..100_000 {
        kept.push(Block::new(40));
    }
    kept.release()
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_170th_block_and_all_later_ones_stay_to_the_end() {
        assert_eq!(super::one_in_170(0), 1177 * 24 + 100_000 * 40);
    }
}
