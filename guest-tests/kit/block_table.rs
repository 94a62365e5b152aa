//! Random requests against a plain oracle: a table of the live blocks with the bytes that each must contain.
//!
//! The table lies where its owner puts it, in a `static` for instance. So the oracle takes no memory from the allocator
//! under test.

use crate::Block;
use fastrand::Rng;

/// The blocks that are live, at most `SLOTS` of them.
pub struct BlockTable<const SLOTS: usize> {
    slots: [Option<Block>; SLOTS],
}

/// What one step has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Got a new block, or resized one.
    Served,
    /// A request was refused; every block is unchanged.
    Refused,
    /// Released a block.
    Released,
}

impl<const SLOTS: usize> BlockTable<SLOTS> {
    /// No block is live.
    pub const fn new() -> Self {
        BlockTable {
            slots: [const { None }; SLOTS],
        }
    }

    /// Allocates, allocates zeroed, resizes or releases one block, as `random` says, and fills it with bytes of its own.
    ///
    /// # Panics
    ///
    /// When a new block overlaps a live one or is not aligned, when zeroed memory is not zero, and when the block that
    /// is resized or released has lost bytes.
    pub fn step(&mut self, random: &mut Rng) -> Outcome {
        let index = random.usize(0..SLOTS);
        let slot = &mut self.slots[index];
        let served = match (slot.as_mut(), random.u32(0..10)) {
            (Some(block), 0..4) => block.try_resize(random_size(random)),
            (Some(_), _) => {
                *slot = None;
                return Outcome::Released;
            }
            (None, kind) => {
                let size = random_size(random);
                let alignment = random_alignment(random);
                let make = if kind < 3 {
                    Block::try_new_zeroed
                } else {
                    Block::try_new
                };
                *slot = make(size, alignment, random.u8(..));
                slot.is_some()
            }
        };
        if !served {
            return Outcome::Refused;
        }
        self.assert_apart_from_all_others(index);
        Outcome::Served
    }

    /// Allocates blocks of `size` bytes until one is refused or the table is full; returns how many were served.
    ///
    /// # Panics
    ///
    /// As [`step`](Self::step).
    pub fn fill(&mut self, size: usize) -> usize {
        let mut served = 0;
        for index in 0..SLOTS {
            if self.slots[index].is_some() {
                continue;
            }
            self.slots[index] = Block::try_new(size, 8, index as u8);
            if self.slots[index].is_none() {
                break;
            }
            self.assert_apart_from_all_others(index);
            served += 1;
        }
        served
    }

    /// Checks every byte of every live block.
    ///
    /// # Panics
    ///
    /// When a byte is not what was written there.
    pub fn check(&self) {
        self.blocks().for_each(Block::check);
    }

    /// Releases the live blocks one by one and asks for each of them again at once.
    ///
    /// # Panics
    ///
    /// When the allocator refuses what it has just taken back, and as [`step`](Self::step).
    pub fn exchange_all(&mut self) {
        for index in 0..SLOTS {
            let Some(block) = self.slots[index].take() else {
                continue;
            };
            let (size, alignment) = (block.size(), block.alignment());
            drop(block);
            self.slots[index] = Some(Block::new(size, alignment, index as u8));
            self.assert_apart_from_all_others(index);
        }
    }

    /// Releases all live blocks.
    ///
    /// # Panics
    ///
    /// When a block has lost bytes.
    pub fn release_all(&mut self) {
        self.slots.fill_with(|| None);
    }

    /// The last address of the live blocks, 0 if there is none.
    pub fn last_address(&self) -> usize {
        self.blocks().map(Block::last_address).max().unwrap_or_default()
    }

    fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.slots.iter().flatten()
    }

    fn assert_apart_from_all_others(&self, index: usize) {
        let Some(block) = &self.slots[index] else { return };
        for (other_index, other) in self.slots.iter().enumerate() {
            let Some(other) = other else { continue };
            assert!(
                other_index == index
                    || block.last_address() < other.address()
                    || other.last_address() < block.address(),
                "the blocks at {:#x} and {:#x} overlap",
                block.address(),
                other.address(),
            );
        }
        assert_ne!(
            block.last_address(),
            usize::MAX,
            "after the last byte of the address space no address exists"
        );
    }
}

impl<const SLOTS: usize> Default for BlockTable<SLOTS> {
    fn default() -> Self {
        Self::new()
    }
}

/// Mostly small, sometimes of many pages.
fn random_size(random: &mut Rng) -> usize {
    let bits = match random.u32(0..100) {
        0..70 => random.u32(0..8),
        70..95 => random.u32(8..13),
        _ => random.u32(13..19),
    };
    (1 << bits) + random.usize(0..1 << bits)
}

/// Mostly what the standard library asks for, sometimes up to 64 KiB.
fn random_alignment(random: &mut Rng) -> usize {
    match random.u32(0..50) {
        0 => 1 << random.u32(0..=16),
        _ => 1 << random.u32(0..=4),
    }
}
