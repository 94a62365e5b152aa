//! A thread that allocates and releases at random. Whoever has a block fills all of its bytes, and checks them before it passes the
//! block on, resizes it or releases it. So two blocks that overlap, and a block that the allocator writes to, are found.

use super::world::{Shared, World};
use crate::heaps::Request;
use crate::memory::Growth;
use crate::memory::linear::{PackedGrowth, PageLimit};
use crate::tests::model::oracle::{PERIOD, consists_of, fill, is_filled};
use crate::tests::model::random::generator;
use crate::threads::heaps::Heaps;
use crate::threads::thread::Thread;
use crate::threads::thread_heap::Rule;
use proptest::prelude::RngCore;
use proptest::test_runner::TestRng;
use std::sync::Mutex;
use std::vec::Vec;

/// How the memory grows where a test says nothing else.
pub(super) const RULE: Rule = Rule {
    growth: PackedGrowth::new(Growth::THIRTY_SECOND),
    limit: PageLimit::NONE,
};

/// The most blocks that a player holds.
const MOST_HELD: usize = 48;

/// A live block: what it was asked for, and how its bytes are filled.
pub(super) struct Block {
    address: u32,
    request: Request,
    phase: usize,
}

/// What a player leaves when its thread ends.
pub(super) struct Estate {
    held: Vec<Block>,
    /// How many requests were refused.
    pub(super) refused: u32,
}

/// Where players leave blocks for each other.
pub(super) struct Exchange<const SLOTS: usize>([Mutex<Option<Block>>; SLOTS]);

impl<const SLOTS: usize> Exchange<SLOTS> {
    /// Without blocks.
    pub(super) fn new() -> Self {
        Exchange([const { Mutex::new(None) }; SLOTS])
    }

    /// Leaves a block in a slot, or takes the one that is there.
    fn swap(&self, slot: usize, block: Option<Block>) -> Option<Block> {
        let mut slot = self.0[slot % SLOTS].lock().expect("no player has panicked");
        core::mem::replace(&mut *slot, block)
    }
}

/// A thread, with the blocks that it holds.
pub(super) struct Player<'w> {
    world: &'w World,
    heaps: &'w Heaps<Shared<'w>>,
    rule: Rule,
    /// None for code without a thread's storage.
    pub(super) thread: Option<Thread<Shared<'w>>>,
    random: TestRng,
    held: Vec<Block>,
    /// How many requests were refused.
    pub(super) refused: u32,
}

impl<'w> Player<'w> {
    pub(super) fn new(world: &'w World, heaps: &'w Heaps<Shared<'w>>, rule: Rule, seed: u32) -> Self {
        Player {
            world,
            heaps,
            rule,
            thread: Some(Thread::NEW),
            random: generator(seed),
            held: Vec::new(),
            refused: 0,
        }
    }

    /// As it was, in a thread without storage.
    pub(super) fn without_storage(mut self) -> Self {
        self.thread = None;
        self
    }

    /// A random number below `end`.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        self.random.next_u32() % end
    }

    /// Sizes of all kinds: in runs, in the heap of a thread, in common heaps, over-aligned.
    fn request(&mut self) -> Request {
        let size = match self.below(32) {
            0..=19 => 1 + self.below(512),
            20..=27 => 1 + self.below(5000),
            28..=30 => 1 + self.below(30_000),
            _ => (16 << 10) - 64 + self.below(100_000),
        };
        let log2 = match self.below(16) {
            0..=12 => self.below(5),
            13..=14 => 5 + self.below(8),
            _ => 13 + self.below(5),
        };
        Request { size, align: 1 << log2 }
    }

    /// Fills a new block.
    fn hold(&mut self, address: u32, request: Request) -> Block {
        assert_eq!(address % request.align, 0, "{address:#x} for {request:?}");
        let phase = self.below(PERIOD as u32) as usize;
        // SAFETY: the block is this player's.
        fill(unsafe { self.world.slice(address, request.size) }, phase);
        Block {
            address,
            request,
            phase,
        }
    }

    /// Asserts that the first bytes of a block are as they were written.
    fn check(&self, block: &Block, address: u32, bytes: u32) {
        // SAFETY: the block is this player's.
        let bytes = unsafe { self.world.slice(address, bytes) };
        assert!(
            is_filled(bytes, block.phase),
            "the block at {:#x} has lost its contents, now at {address:#x}: {:?}",
            block.address,
            block.request
        );
    }

    /// A block for the request, or none if it was refused.
    pub(super) fn allocate(&mut self, request: Request, zeroed: bool) -> Option<Block> {
        let thread = self.thread.as_mut();
        let address = if zeroed {
            self.heaps.allocate_zeroed(self.rule, thread, request)
        } else {
            self.heaps.allocate(self.rule, thread, request)
        };
        if address == 0 {
            self.refused += 1;
            return None;
        }
        if zeroed {
            // SAFETY: the block is this player's.
            let bytes = unsafe { self.world.slice(address, request.size) };
            assert!(consists_of(bytes, 0), "alloc_zeroed left a byte that is not 0");
        }
        Some(self.hold(address, request))
    }

    /// Another block, which has what is kept of the bytes; the same one if that was refused.
    pub(super) fn resize(&mut self, block: Block, new_size: u32) -> Block {
        self.check(&block, block.address, block.request.size);
        let thread = self.thread.as_mut();
        // SAFETY: the block is live and this player's.
        let address = unsafe {
            self.heaps
                .reallocate(self.rule, thread, block.address, block.request, new_size)
        };
        if address == 0 {
            self.refused += 1;
            return block;
        }
        self.check(&block, address, block.request.size.min(new_size));
        self.hold(address, block.request.with_size(new_size))
    }

    /// Releases a block.
    pub(super) fn release(&mut self, block: Block) {
        self.check(&block, block.address, block.request.size);
        // SAFETY: the block is live and this player's.
        unsafe {
            self.heaps
                .deallocate(self.thread.as_mut(), block.address, block.request);
        }
    }

    /// Does something at random.
    pub(super) fn step<const SLOTS: usize>(&mut self, exchange: &Exchange<SLOTS>) {
        let which = self.below(self.held.len().max(1) as u32) as usize;
        match self.below(16) {
            0..=6 if self.held.len() < MOST_HELD => {
                let (request, zeroed) = (self.request(), self.below(4) == 0);
                let block = self.allocate(request, zeroed);
                self.held.extend(block);
            }
            7..=8 if !self.held.is_empty() => {
                let block = self.held.swap_remove(which);
                let size = self.request().size;
                let block = self.resize(block, size);
                self.held.push(block);
            }
            9..=12 => {
                let block = (!self.held.is_empty()).then(|| self.held.swap_remove(which));
                let slot = self.below(SLOTS as u32) as usize;
                self.held.extend(exchange.swap(slot, block));
            }
            _ if !self.held.is_empty() => {
                let block = self.held.swap_remove(which);
                self.release(block);
            }
            _ => (),
        }
    }

    /// Gives its heap up, for another thread.
    pub(super) fn release_heap(&mut self) {
        if let Some(thread) = &mut self.thread {
            self.heaps.release(thread);
        }
    }

    /// Ends. What its thread knows is forgotten, as at the end of a real thread.
    pub(super) fn end(self) -> Estate {
        Estate {
            held: self.held,
            refused: self.refused,
        }
    }

    /// Takes over what another player has left.
    pub(super) fn inherit(&mut self, other: Estate) {
        self.held.extend(other.held);
        self.refused += other.refused;
    }

    /// Releases all blocks, those that are left in the exchange too.
    pub(super) fn release_all<const SLOTS: usize>(&mut self, exchange: &Exchange<SLOTS>) {
        for slot in 0..SLOTS {
            self.held.extend(exchange.swap(slot, None));
        }
        while let Some(block) = self.held.pop() {
            self.release(block);
        }
    }
}
