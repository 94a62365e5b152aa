//! The oracle: a second, dumb allocator that only remembers. It knows the range and the bytes of each live block.

use super::subject::{Idle, Subject, Totals, Use};
use crate::heaps::Request;
use crate::memory::PAGE_BYTES;
use crate::memory::linear::{LinearMemory, Region};
use crate::tests::simulated_memory::{FOREIGN_BYTE, HOST_BYTE, SimulatedMemory};
use core::ops::Range;
use std::collections::BTreeMap;
use std::vec::Vec;

/// The length after which a pattern repeats: a prime, so that bytes moved by any usual distance do not match.
pub(crate) const PERIOD: usize = 251;

/// How many bytes are filled and compared at once.
const CHUNK: usize = 16 * PERIOD;

/// The bytes 1 to 251, again and again: eight of them are never a block header, nor zeros.
static PATTERN: [u8; CHUNK + PERIOD] = {
    let mut bytes = [0; CHUNK + PERIOD];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = (at % PERIOD) as u8 + 1;
        at += 1;
    }
    bytes
};

/// A live block: what was asked for, and where in the pattern its bytes begin.
#[derive(Clone, Copy)]
struct Block {
    request: Request,
    phase: usize,
}

/// What lives where.
pub(crate) struct Oracle {
    live: BTreeMap<u32, Block>,
    placed: usize,
}

impl Oracle {
    /// Knows of no block.
    pub(crate) fn new() -> Self {
        Oracle {
            live: BTreeMap::new(),
            placed: 0,
        }
    }

    /// All live blocks, in the order of their addresses.
    pub(crate) fn live(&self) -> Vec<(u32, Request)> {
        let blocks = self.live.iter();
        blocks.map(|(&address, block)| (address, block.request)).collect()
    }

    /// The live block with this number modulo how many there are, if there is any.
    pub(crate) fn nth(&self, number: u16) -> Option<(u32, Request)> {
        let number = usize::from(number) % self.live.len().max(1);
        let (&address, block) = self.live.iter().nth(number)?;
        Some((address, block.request))
    }

    /// The live block at this address.
    pub(crate) fn at(&self, address: u32) -> Option<Request> {
        self.live.get(&address).map(|block| block.request)
    }

    /// The first live block at this address or above.
    pub(crate) fn first_from(&self, address: u32) -> Option<(u32, Request)> {
        let (&address, block) = self.live.range(address..).next()?;
        Some((address, block.request))
    }

    /// The live block whose bytes this address is one of.
    pub(crate) fn around(&self, address: u32) -> Option<(u32, Request)> {
        let (&start, block) = self.live.range(..=address).next_back()?;
        (address - start < block.request.size).then_some((start, block.request))
    }

    /// Takes note of a new block, asserts that it overlaps nothing, and fills it.
    pub(crate) fn place(&mut self, memory: &mut SimulatedMemory, address: u32, request: Request) {
        assert!(
            address != 0 && address % request.align == 0,
            "{address:#x} is not aligned to {}",
            request.align
        );
        let new = bytes_of(address, request);
        let heap = u64::from(memory.initial_region().start)..u64::from(memory.end_page()) * u64::from(PAGE_BYTES);
        assert!(
            heap.start <= new.start && new.end <= heap.end,
            "a block at {new:#x?} lies outside the heap, {heap:#x?}"
        );
        let before = self.live.range(..=address).next_back();
        let after = self.live.range(address..).next();
        for (&other, block) in before.into_iter().chain(after) {
            let other = bytes_of(other, block.request);
            assert!(
                other.end <= new.start || new.end <= other.start,
                "a new block at {new:#x?} overlaps the live one at {other:#x?}"
            );
        }
        for &foreign in &memory.foreign {
            let foreign = bytes_of_region(foreign);
            assert!(
                foreign.end <= new.start || new.end <= foreign.start,
                "a new block at {new:#x?} overlaps the pages of others at {foreign:#x?}"
            );
        }
        self.placed += 1;
        let phase = self.placed % PERIOD;
        fill(memory.slice(address, request.size), phase);
        self.live.insert(address, Block { request, phase });
    }

    /// Takes note that a block was resized, and asserts that its bytes came along.
    pub(crate) fn moved(&mut self, memory: &mut SimulatedMemory, from: u32, to: u32, request: Request) {
        let block = self.live[&from];
        self.forget(from);
        let kept = block.request.size.min(request.size);
        check_contents(memory, to, kept, block.phase);
        self.place(memory, to, request);
    }

    /// Asserts that the bytes of a block are its own, and forgets it. To be called before it is released.
    pub(crate) fn release_nth(&mut self, memory: &mut SimulatedMemory, number: u16) -> Option<(u32, Request)> {
        let (address, request) = self.nth(number)?;
        check_contents(memory, address, request.size, self.live[&address].phase);
        self.forget(address);
        Some((address, request))
    }

    /// Forgets the block at this address.
    pub(crate) fn forget(&mut self, address: u32) {
        self.live.remove(&address).expect("the block is live");
    }

    /// Asserts that all live blocks hold the bytes that were written to them.
    pub(crate) fn check_all_contents(&self, memory: &mut SimulatedMemory) {
        for (&address, block) in &self.live {
            check_contents(memory, address, block.request.size, block.phase);
        }
    }

    /// Asserts that nothing was written below the heap base or to the pages of others.
    pub(crate) fn check_the_memory_of_others(&self, memory: &mut SimulatedMemory) {
        let base = memory.initial_region().start;
        let below = memory.slice(base & !(PAGE_BYTES - 1), base % PAGE_BYTES);
        assert!(consists_of(below, HOST_BYTE), "written below the heap base");
        for region in memory.foreign.clone() {
            let pages = memory.slice(region.start, region.end.wrapping_sub(region.start));
            assert!(consists_of(pages, FOREIGN_BYTE), "written to the pages of others");
        }
    }

    /// What the bytes of the memory are used for, in address order. Asserts that each block has room for its request.
    pub(crate) fn uses<S: Subject>(&self, subject: &mut S) -> Vec<(Range<u64>, Use)> {
        let mut uses = Vec::with_capacity(self.live.len() + 64);
        for (&address, block) in &self.live {
            let extent = subject.extent(address, block.request);
            let bytes = bytes_of(address, block.request);
            assert!(
                extent.start <= bytes.start && bytes.end <= extent.end,
                "a block has no room for its request"
            );
            uses.push((extent, Use::Live));
        }
        let idle = subject.idle(&self.live()).into_iter();
        uses.extend(idle.map(|(idle, range)| (range, Use::Idle(idle))));
        let foreign = subject.memory().foreign.iter();
        uses.extend(foreign.map(|&region| (bytes_of_region(region), Use::Foreign)));
        uses.sort_unstable_by_key(|(range, _)| (range.start, range.end));
        uses
    }

    /// Asserts that each byte of the memory has exactly one use, and that the allocator's figures say so.
    ///
    /// Bytes without a use are allowed only right before the pages of others, where they are of no use to the heap.
    pub(crate) fn check<S: Subject>(&self, subject: &mut S) -> Totals {
        let uses = self.uses(subject);
        let mut totals = Totals::default();
        let memory = subject.memory();
        let mut end = u64::from(memory.initial_region().start);
        let mut foreign_behind = 0;
        for (range, use_) in &uses {
            let bytes = range.end - range.start;
            match use_ {
                Use::Live => totals.live += bytes,
                Use::Idle(Idle::Free) => totals.free += bytes,
                Use::Idle(Idle::Tail) => totals.tail += bytes,
                Use::Idle(Idle::Overhead) => totals.overhead += bytes,
                Use::Foreign => (),
            }
            if matches!(use_, Use::Idle(Idle::Free | Idle::Tail)) {
                totals.largest_idle = totals.largest_idle.max(bytes);
            }
            let foreign = *use_ == Use::Foreign;
            assert!(
                end <= range.start,
                "two uses of the bytes at {range:#x?}, which are in use up to {end:#x}"
            );
            assert!(
                foreign || end == range.start,
                "no use of the bytes from {end:#x} to {:#x}",
                range.start
            );
            if foreign {
                totals.lost += range.start - end;
                foreign_behind += bytes;
            } else if range.start < range.end {
                totals.foreign_between += core::mem::take(&mut foreign_behind);
            }
            end = range.end;
        }
        let memory_end = u64::from(memory.end_page()) * u64::from(PAGE_BYTES);
        assert_eq!(end, memory_end, "no use of the bytes up to the end of the memory");
        subject.check_uses(&uses);
        subject.check_figures(&totals);
        totals
    }
}

/// The bytes of a live block that its user may write to.
fn bytes_of(address: u32, request: Request) -> Range<u64> {
    u64::from(address)..u64::from(address) + u64::from(request.size)
}

/// The bytes of a region, which may end at 2^32.
pub(crate) fn bytes_of_region(region: Region) -> Range<u64> {
    let start = u64::from(region.start);
    start..start + u64::from(region.end.wrapping_sub(region.start))
}

/// Whether all of these bytes are this one. Compared many at a time, which under Miri is a hundred times faster.
pub(crate) fn consists_of(bytes: &[u8], byte: u8) -> bool {
    let expected = [byte; CHUNK];
    bytes.chunks(CHUNK).all(|chunk| *chunk == expected[..chunk.len()])
}

fn check_contents(memory: &mut SimulatedMemory, address: u32, bytes: u32, phase: usize) {
    assert!(
        is_filled(memory.slice(address, bytes), phase),
        "the block at {address:#x} has lost its contents"
    );
}

/// Fills a block with the pattern from its byte number `phase` on, which is below 251.
pub(crate) fn fill(bytes: &mut [u8], phase: usize) {
    for chunk in bytes.chunks_mut(CHUNK) {
        chunk.copy_from_slice(&PATTERN[phase..phase + chunk.len()]);
    }
}

/// Whether a block holds what [`fill`] has written.
pub(crate) fn is_filled(bytes: &[u8], phase: usize) -> bool {
    bytes
        .chunks(CHUNK)
        .all(|chunk| *chunk == PATTERN[phase..phase + chunk.len()])
}
