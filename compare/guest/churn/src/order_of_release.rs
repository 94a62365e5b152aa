//! Many small blocks, released in a given order.

use crate::block::Block;
use crate::dice::Dice;
use std::collections::VecDeque;

const BATCH: usize = 10_000;

/// Sizes that small objects of programs have: most below 64 bytes, few up to 512.
const SIZES: [usize; 16] = [8, 8, 16, 16, 16, 24, 24, 32, 32, 40, 48, 64, 80, 96, 200, 512];

/// 1000 blocks of 24 bytes live; `argument` times, 500 random ones are released and as many made again.
pub fn one_size(argument: u32) -> u64 {
    let mut dice = Dice::new(24);
    let mut sum = 0;
    let mut live: Vec<Block> = (0..1000).map(|n| Block::new(24, 8, n as u8)).collect();
    for _ in 0..argument {
        for _ in 0..500 {
            let index = dice.below(live.len());
            sum += live.swap_remove(index).release();
        }
        for mark in 0..500 {
            live.push(Block::new(24, 8, mark as u8));
        }
    }
    sum + release_all(live)
}

/// `argument` times: 10,000 blocks are made, and released from the newest to the oldest.
pub fn last_in_first_out(argument: u32) -> u64 {
    let mut dice = Dice::new(1);
    let mut sum = 0;
    let mut live = Vec::with_capacity(BATCH);
    for _ in 0..argument {
        fill(&mut live, &mut dice);
        while let Some(block) = live.pop() {
            sum += block.release();
        }
    }
    sum
}

/// A queue of 10,000 blocks: `argument` times 10,000 times, the oldest is released and a new one made.
pub fn first_in_first_out(argument: u32) -> u64 {
    let mut dice = Dice::new(2);
    let mut sum = 0;
    let mut queue = VecDeque::with_capacity(BATCH);
    for step in 0..BATCH * (argument as usize + 1) {
        if queue.len() == BATCH
            && let Some(oldest) = queue.pop_front()
        {
            sum += Block::release(oldest);
        }
        queue.push_back(small_block(&mut dice, step));
    }
    sum + release_all(queue)
}

/// `argument` times: 10,000 blocks are made, and released in random order.
pub fn random_release(argument: u32) -> u64 {
    let mut dice = Dice::new(3);
    let mut sum = 0;
    let mut live = Vec::with_capacity(BATCH);
    for _ in 0..argument {
        fill(&mut live, &mut dice);
        while !live.is_empty() {
            let index = dice.below(live.len());
            sum += live.swap_remove(index).release();
        }
    }
    sum
}

fn fill(live: &mut Vec<Block>, dice: &mut Dice) {
    for index in 0..BATCH {
        live.push(small_block(dice, index));
    }
}

fn small_block(dice: &mut Dice, mark: usize) -> Block {
    Block::new(SIZES[dice.below(SIZES.len())], 8, mark as u8)
}

fn release_all(live: impl IntoIterator<Item = Block>) -> u64 {
    live.into_iter().map(Block::release).sum()
}

#[cfg(test)]
mod tests {
    use super::{first_in_first_out, last_in_first_out, one_size, random_release};

    #[test]
    fn every_block_made_is_released_whatever_the_order() {
        // Marks are the low byte of a block's number.
        let batch: u64 = (0..10_000u64).map(|mark| mark & 255).sum();
        assert_eq!(last_in_first_out(2), 2 * batch);
        assert_eq!(random_release(2), 2 * batch);
        let queue: u64 = (0..20_000u64).map(|mark| mark & 255).sum();
        assert_eq!(first_in_first_out(1), queue);
        let first: u64 = (0..1000u64).map(|mark| mark & 255).sum();
        let again: u64 = (0..500u64).map(|mark| mark & 255).sum();
        assert_eq!(one_size(3), first + 3 * again);
    }
}
