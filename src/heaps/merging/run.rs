//! What a run looks like in memory: 8 KiB of blocks of one size class, after a header.
//!
//! ```text
//! a run: a block of the chunk heap, aligned to 8192
//! +----------+-------+----------+------+-------+-------+-------+------------+-----+
//! | released | waits | previous | next | block | block | block |     ..     | tag |
//! +----------+-------+----------+------+-------+-------+-------+------------+-----+
//! +0         +4      +8         +12    +16     +16+s   +16+2s              +8188
//!                    |<-links in a bin>|
//! ```
//!
//! `released` is the list of the run's blocks that were released. `waits` says for how many releases the run waits until
//! something is to be done, and below that, in 8 bits, its class. A current run is in no bin: instead of `previous` it has its
//! first block that was never on a list, or 0.
//!
//! A run is found from an address by masking it: `run_address = block_address & !8191`.

use super::chunk::TAG_BYTES;
use super::free_list::FreeList;
use super::size_class::SizeClass;
use crate::memory::linear::LinearMemory;

/// log2 of [`RUN_BYTES`].
pub(super) const RUN_SHIFT: u32 = 13;

/// The bytes of a run, and its alignment.
pub(super) const RUN_BYTES: u32 = 1 << RUN_SHIFT;

const RELEASED_OFFSET: u32 = 0;
const WAITS_OFFSET: u32 = 4;
const UNLINKED_OFFSET: u32 = 8;

/// Where a run has its first block.
pub(super) const BLOCKS_OFFSET: u32 = 16;

/// The room for blocks in a run: the next chunk's tag lies in its last 4 bytes.
const ROOM_BYTES: u32 = RUN_BYTES - BLOCKS_OFFSET - TAG_BYTES;

/// How many blocks a run of this class has.
pub(super) const fn capacity(class: SizeClass) -> u32 {
    class.blocks_in(ROOM_BYTES)
}

/// What a run waits for: a number of releases, and below that its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waits(u32);

impl Waits {
    const ONE_RELEASE: u32 = 1 << 8;

    /// A run of this class that waits for this many releases.
    pub(super) const fn for_releases(releases: u32, class: SizeClass) -> Self {
        Waits((releases * Self::ONE_RELEASE) | class.steps())
    }

    /// How many releases are still to come.
    pub(super) const fn releases(self) -> u32 {
        self.0 / Self::ONE_RELEASE
    }

    /// The class of the run's blocks.
    pub(super) const fn class(self) -> SizeClass {
        SizeClass::from_steps(self.0 % Self::ONE_RELEASE)
    }

    /// The same for a caller that returns a class or none: there is one, and that needs no check.
    #[cfg(feature = "malloc")]
    pub(super) const fn class_if_any(self) -> Option<SizeClass> {
        SizeClass::with_steps(self.0 % Self::ONE_RELEASE)
    }

    /// The same after one release, of at least one to come.
    const fn after_release(self) -> Self {
        Waits(self.0.wrapping_sub(Self::ONE_RELEASE))
    }

    /// Whether no release is to come.
    pub(super) const fn are_over(self) -> bool {
        self.0 < Self::ONE_RELEASE
    }
}

/// Where the run starts that holds this address, if there is one.
#[inline]
pub(super) const fn run_around(address: u32) -> u32 {
    address & !(RUN_BYTES - 1)
}

/// The address of a run. It is used with the memory of its heap alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run(u32);

impl Run {
    /// The run at this address.
    ///
    /// # Safety
    ///
    /// A block of the heap must lie there that is used as a run, or will be one as soon as its header is written.
    pub(super) const unsafe fn at(address: u32) -> Self {
        Run(address)
    }

    /// The run that a block lies in.
    ///
    /// # Safety
    ///
    /// The block must lie in a run.
    #[inline]
    pub(super) const unsafe fn of_block(block: u32) -> Self {
        Run(run_around(block))
    }

    /// Where the run starts: the address of a block of the chunk heap.
    pub(super) const fn address(self) -> u32 {
        self.0
    }

    /// The run's blocks that were released.
    #[inline]
    pub(super) fn released<M: LinearMemory>(self, memory: &M) -> FreeList {
        // SAFETY: the header of a run holds the first released block.
        unsafe { FreeList::from_first(memory.read_word(self.0, RELEASED_OFFSET)) }
    }

    /// Sets the list of the run's blocks that were released.
    #[inline]
    pub(super) fn set_released<M: LinearMemory>(self, memory: &mut M, released: FreeList) {
        // SAFETY: the header of a run is the heap's.
        unsafe { memory.write_word(self.0, RELEASED_OFFSET, released.first()) }
    }

    /// What the run waits for.
    #[inline]
    pub(super) fn waits<M: LinearMemory>(self, memory: &M) -> Waits {
        // SAFETY: the header of a run says what it waits for.
        Waits(unsafe { memory.read_word(self.0, WAITS_OFFSET) })
    }

    /// Says what the run waits for.
    #[inline]
    pub(super) fn set_waits<M: LinearMemory>(self, memory: &mut M, waits: Waits) {
        // SAFETY: the header of a run is the heap's.
        unsafe { memory.write_word(self.0, WAITS_OFFSET, waits.0) }
    }

    /// Puts a block on the list of those released, and returns what the run waits for then. O(1).
    ///
    /// # Safety
    ///
    /// The block must be one of this run, live up to now.
    #[inline]
    pub(super) unsafe fn release<M: LinearMemory>(self, memory: &mut M, block: u32) -> Waits {
        // SAFETY: the caller gives up the block.
        let released = unsafe { self.released(memory).with_first(memory, block) };
        self.set_released(memory, released);
        let waits = self.waits(memory).after_release();
        self.set_waits(memory, waits);
        waits
    }

    /// The blocks of a current run from this address on that were never on a list; 0 for none.
    pub(super) fn unlinked<M: LinearMemory>(self, memory: &M) -> u32 {
        // SAFETY: the header of a current run holds the first such block.
        unsafe { memory.read_word(self.0, UNLINKED_OFFSET) }
    }

    /// Sets where the blocks of a current run begin that were never on a list; 0 for none.
    pub(super) fn set_unlinked<M: LinearMemory>(self, memory: &mut M, block: u32) {
        // SAFETY: the header of a run is the heap's, and a current run is in no bin.
        unsafe { memory.write_word(self.0, UNLINKED_OFFSET, block) }
    }

    /// How many blocks of a current run were never on a list.
    pub(super) fn unlinked_blocks<M: LinearMemory>(self, memory: &M) -> u32 {
        let first = self.unlinked(memory);
        if first == 0 {
            return 0;
        }
        let bytes = self.0 + BLOCKS_OFFSET + ROOM_BYTES - first;
        self.waits(memory).class().blocks_in(bytes)
    }

    /// Links the blocks from `first` on that begin in the next `bytes`: a list in the order of their addresses, which is
    /// returned. Those after it stay unlinked.
    ///
    /// # Safety
    ///
    /// `first` must be a block of this run of this class that was never handed out, as must be those after it.
    pub(super) unsafe fn link<M: LinearMemory>(
        self,
        memory: &mut M,
        first: u32,
        class: SizeClass,
        bytes: u32,
    ) -> FreeList {
        let last = self.0 + BLOCKS_OFFSET + ROOM_BYTES - class.bytes();
        let last_linked = first + (last - first).min(bytes - 1);
        let mut block = first;
        let mut next = first + class.bytes();
        while next <= last_linked {
            // SAFETY: both are blocks of the run that were never handed out.
            unsafe { FreeList::from_first(next).with_first(memory, block) };
            block = next;
            next += class.bytes();
        }
        // SAFETY: this is the last of these blocks, or `first` itself.
        unsafe { FreeList::EMPTY.with_first(memory, block) };
        self.set_unlinked(memory, if next <= last { next } else { 0 });
        // SAFETY: the blocks were linked just now.
        unsafe { FreeList::from_first(first) }
    }
}

#[cfg(test)]
mod tests {
    //! In this file since `Waits` is private.
    use super::*;
    use crate::heaps::Request;

    #[test]
    fn what_a_run_waits_for_keeps_the_number_and_the_class_apart() {
        for bytes in (8..=512).step_by(8) {
            let class = SizeClass::of(Request { size: bytes, align: 1 }).unwrap();
            let waits = Waits::for_releases(capacity(class), class);
            assert_eq!((waits.releases(), waits.class()), (capacity(class), class));
            assert_eq!(waits.after_release(), Waits::for_releases(capacity(class) - 1, class));
            assert!(!Waits::for_releases(1, class).are_over());
            assert!(Waits::for_releases(1, class).after_release().are_over());
        }
    }
}
