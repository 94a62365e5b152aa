//! Blocks of random sizes, made and released in random order. Each worker has a table of its own.
//!
//! A step picks a slot of the table at random and fills it if it is empty, or else empties it. So about half of the slots
//! hold a block. The table stays from call to call.

use crate::stage::worker;
use churn::{Block, Dice};
use harness::Input;

/// Sizes from 8 to 256 bytes, aligned to 8, in 2,000 slots: about 130 kB are live.
const SMALL: Sizes = Sizes {
    least: 8,
    most: 256,
    alignments: 1,
    least_alignment: 8,
};
const SMALL_SLOTS: usize = 2_000;

/// Sizes from 1 to 10,000 bytes, aligned to 1 to 16, in 1,000 slots: about 2.5 MB are live. As in the workload
/// `random-sizes-10k`.
const TO_10K: Sizes = Sizes {
    least: 1,
    most: 10_000,
    alignments: 5,
    least_alignment: 1,
};
const SLOTS_TO_10K: usize = 1_000;

/// The sizes and alignments of blocks.
struct Sizes {
    least: usize,
    most: usize,
    /// How many powers of two alignments are taken from; the first is `least_alignment`.
    alignments: usize,
    least_alignment: usize,
}

/// The blocks of one worker.
struct Table {
    slots: Vec<Option<Block>>,
    dice: Dice,
    /// What the marks of this worker's blocks differ by from those of other workers.
    mark: u8,
}

thread_local! {
    static TABLE: Input<Table> = const { Input::new(None) };
}

/// Makes an empty table, unless this worker has one.
pub fn prepare_small_blocks(_: u32) -> u64 {
    prepare(SMALL_SLOTS)
}

/// Makes an empty table, unless this worker has one.
pub fn prepare_sizes_10k(_: u32) -> u64 {
    prepare(SLOTS_TO_10K)
}

/// Does `steps` steps.
pub fn small_blocks(steps: u32) -> u64 {
    play(steps, &SMALL)
}

/// Does `steps` steps.
pub fn sizes_10k(steps: u32) -> u64 {
    play(steps, &TO_10K)
}

fn prepare(slots: usize) -> u64 {
    TABLE.with_borrow_mut(|table| {
        table.get_or_insert_with(|| Table {
            slots: (0..slots).map(|_| None).collect(),
            dice: Dice::new(0x5eed + worker() as u32),
            mark: 61 * worker() as u8,
        });
    });
    0
}

fn play(steps: u32, sizes: &Sizes) -> u64 {
    TABLE.with_borrow_mut(|table| {
        let table = table.as_mut().expect("prepare the table first");
        for _ in 0..steps {
            table.step(sizes);
        }
    });
    u64::from(steps)
}

impl Table {
    #[inline]
    fn step(&mut self, sizes: &Sizes) {
        let index = self.dice.below(self.slots.len());
        let mark = self.mark.wrapping_add(index as u8);
        let slot = &mut self.slots[index];
        match slot.take() {
            Some(block) => assert!(block.release() == u64::from(mark), "a block was overwritten"),
            None => {
                let size = sizes.least + self.dice.below(sizes.most - sizes.least + 1);
                let align = sizes.least_alignment << self.dice.below(sizes.alignments);
                *slot = Some(Block::new(size, align, mark));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SMALL, TABLE, play, prepare};

    #[test]
    fn about_half_of_the_slots_hold_a_block_after_many_steps_and_stay_from_call_to_call() {
        prepare(100);
        assert_eq!(play(10_000, &SMALL), 10_000);
        let live = || TABLE.with_borrow(|table| table.as_ref().unwrap().slots.iter().flatten().count());
        let before = live();
        assert!((30..70).contains(&before), "{before}");
        prepare(100);
        assert_eq!(live(), before);
    }
}
