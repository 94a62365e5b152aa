//! The engine of `CheckedFreeingBump`: the original algorithm over a linear memory, with what a `Layout` adds to it:
//! alignments above 8, a check of the layout at each release, and a stamp in free blocks.
//!
//! ```text
//! a block with an alignment of 8 or less          a block with a larger alignment
//! header   pointer                                header   block    marker   pointer, aligned
//! v        v                                      v        v        v        v
//! +--------+----------------------+               +--------+- - - - +--------+---------------+
//! | header | payload              |               | header | unused | marker | payload       |
//! +--------+----------------------+               +--------+- - - - +--------+---------------+
//! ```
//!
//! `marker_address = pointer - 8`. It holds `block` in its low and `!block` in its high half. At least 8 bytes lie between
//! block and marker, so the stamp of a free block leaves the marker as it is.

use crate::heaps::Request;
use crate::memory::Growth;
use crate::memory::PageCount;
use crate::memory::linear::LinearMemory;
use crate::memory::linear::PageLimit;
use crate::original::Error;
use crate::original::Memory;
use crate::original::{DEFAULT_MAX_ALLOCATION_BYTES, FreeingBumpHeapAllocator};
use crate::original::{MIN_BLOCK_BYTES, Order};
use crate::stats::Stats;

#[cfg(any(test, fuzzing))]
#[path = "tests/mod.rs"]
pub(super) mod tests;

/// The alignment that every block of the original algorithm has.
const BLOCK_ALIGN: u32 = MIN_BLOCK_BYTES;

/// The bytes of the marker before an over-aligned payload, and of the stamp at the start of a free block.
const WORD_BYTES: u32 = 8;

/// What a debugger sees in the first eight bytes of a free block, except for the bits of its address and size.
const FREE_STAMP: u64 = 0xF4EE_B10C_F4EE_B10C;

/// The bytes to ask the engine for.
fn block_request(request: Request) -> Result<u32, Error> {
    if request.align <= BLOCK_ALIGN {
        return Ok(request.size);
    }
    request
        .size
        .checked_add(request.align)
        .and_then(|bytes| bytes.checked_add(WORD_BYTES))
        .ok_or(Error::RequestedAllocationTooLarge)
}

/// The heap, of which nothing is in memory before its first use.
pub(crate) struct CheckedHeap<M> {
    memory: OwnedMemory<M>,
    /// Set at the first use, when the heap base is known.
    engine: Option<FreeingBumpHeapAllocator>,
    pub(crate) max_allocation: u32,
    pub(crate) growth: Growth,
}

impl<M: LinearMemory> CheckedHeap<M> {
    /// A heap in `memory` with the engine's largest block, growing by an eighth.
    pub(crate) const fn new(memory: M) -> Self {
        CheckedHeap {
            memory: OwnedMemory {
                memory,
                limit: PageLimit::NONE,
                bytes: 0,
            },
            engine: None,
            max_allocation: DEFAULT_MAX_ALLOCATION_BYTES,
            growth: Growth::EIGHTH,
        }
    }

    /// Lets the memory grow to `pages` pages and no further.
    #[cfg(any(target_arch = "wasm32", test))]
    pub(crate) const fn limit_pages(&mut self, pages: u32) {
        self.memory.limit = PageLimit::new(pages);
    }

    /// A block for the request: its address, a multiple of the alignment. Its bytes are arbitrary.
    pub(crate) fn allocate(&mut self, request: Request) -> Result<u32, Error> {
        let (engine, memory) = self.parts();
        let bytes = block_request(request).inspect_err(|_| engine.poison())?;
        if engine.is_poisoned() {
            return Err(Error::Poisoned);
        }
        // Before the engine writes the block's header: where the list was bent into a live block, there is none.
        let written = engine
            .next_free_block(bytes)
            .filter(|&(block, block_bytes)| memory.read_le_u64(block) != Ok(free_stamp(block, block_bytes)));
        if let Some((block, _)) = written {
            engine.poison();
            return Err(Error::WrittenAfterFree { pointer: block });
        }
        let block = engine.allocate(memory, bytes)?;
        // The owner may never write there: a stamp from when the block was free would be taken for that of a free block.
        memory.write_le_u64(block, 0)?;
        if request.align <= BLOCK_ALIGN {
            return Ok(block);
        }
        // Fits in 32 bits, since the block holds size, alignment and marker.
        let pointer = (block + 2 * WORD_BYTES + (request.align - 1)) & !(request.align - 1);
        memory.write_le_u64(pointer - WORD_BYTES, marker(block))?;
        Ok(pointer)
    }

    /// Releases the block at `pointer`, which must have been allocated with this request.
    pub(crate) fn deallocate(&mut self, pointer: u32, request: Request) -> Result<(), Error> {
        let (block, block_bytes) = self.live_block(pointer, request)?;
        let (engine, memory) = self.parts();
        engine.deallocate(memory, block)?;
        memory.write_le_u64(block, free_stamp(block, block_bytes))
    }

    /// Resizes the block at `pointer`: in place while the order stays the same, else by a copy. After an error the
    /// block is unchanged.
    pub(crate) fn reallocate(&mut self, pointer: u32, request: Request, new_size: u32) -> Result<u32, Error> {
        let (_, block_bytes) = self.live_block(pointer, request)?;
        let new_request = request.with_size(new_size);
        if self.block_bytes_for(new_request) == Some(block_bytes) {
            return Ok(pointer);
        }
        let new_pointer = self.allocate(new_request)?;
        // SAFETY: the engine holds both blocks for live, one of them since just now. Each has room for the bytes copied.
        unsafe {
            self.memory
                .memory
                .copy(pointer, new_pointer, request.size.min(new_size))
        };
        self.deallocate(pointer, request)?;
        Ok(new_pointer)
    }

    /// Whether an error has occurred. Nothing is served since then.
    pub(crate) fn is_poisoned(&self) -> bool {
        self.engine.as_ref().is_some_and(FreeingBumpHeapAllocator::is_poisoned)
    }

    /// The engine's figures; all 0 before the first use.
    pub(crate) fn stats(&self) -> Stats {
        self.engine
            .as_ref()
            .map_or_else(Stats::default, FreeingBumpHeapAllocator::stats)
    }

    /// The engine, set up with the initial memory if this is the first use, and its memory.
    fn parts(&mut self) -> (&mut FreeingBumpHeapAllocator, &mut OwnedMemory<M>) {
        let memory = &mut self.memory;
        let (max_allocation, growth) = (self.max_allocation, self.growth);
        let engine = self.engine.get_or_insert_with(|| {
            let region = memory.memory.initial_region();
            memory.bytes = bytes_up_to(region.end);
            FreeingBumpHeapAllocator::new(region.start)
                .with_max_allocation(max_allocation)
                .with_growth(growth)
        });
        (engine, memory)
    }

    /// The address and size of the engine's live block for what was allocated at `pointer` with this request.
    fn live_block(&mut self, pointer: u32, request: Request) -> Result<(u32, u32), Error> {
        let expected_bytes = self.block_bytes_for(request);
        let (engine, memory) = self.parts();
        if engine.is_poisoned() {
            return Err(Error::Poisoned);
        }
        let block = if request.align <= BLOCK_ALIGN {
            pointer
        } else {
            marked_block(memory, pointer, request.align).inspect_err(|_| engine.poison())?
        };
        let block_bytes = engine.block_bytes(memory, block)?;
        if Some(block_bytes) != expected_bytes {
            engine.poison();
            return Err(Error::LayoutMismatch { pointer, block_bytes });
        }
        Ok((block, block_bytes))
    }

    /// The bytes of the blocks that serve this request, if any do.
    fn block_bytes_for(&self, request: Request) -> Option<u32> {
        let max = Order::holding_at_most(self.max_allocation);
        let order = Order::holding(block_request(request).ok()?, max).ok()?;
        Some(order.block_bytes())
    }
}

/// What the first eight bytes of a free block say: a link that is bent to a block of another order, or to a place that
/// is not a free block, does not find this there.
const fn free_stamp(block: u32, block_bytes: u32) -> u64 {
    FREE_STAMP ^ ((block as u64) << 32 | block_bytes as u64)
}

/// What the eight bytes before an over-aligned payload say.
const fn marker(block: u32) -> u64 {
    (!block as u64) << 32 | block as u64
}

/// The block that the marker before `pointer` names.
fn marked_block<M: Memory>(memory: &M, pointer: u32, align: u32) -> Result<u32, Error> {
    if pointer & (align - 1) != 0 || pointer < WORD_BYTES {
        return Err(Error::InvalidPointer { pointer });
    }
    let found = memory
        .read_le_u64(pointer - WORD_BYTES)
        .map_err(|_| Error::InvalidPointer { pointer })?;
    let block = found as u32;
    // The payload starts at the first multiple of the alignment that leaves room for stamp and marker.
    let offset = pointer.wrapping_sub(block);
    if found == marker(block) && offset >= 2 * WORD_BYTES && offset <= align + WORD_BYTES {
        Ok(block)
    } else {
        Err(Error::CorruptHeader { pointer, header: found })
    }
}

/// A linear memory up to the end of what this heap owns, read and written with bounds checks.
struct OwnedMemory<M> {
    memory: M,
    /// What the memory may grow to, with the pages of others.
    limit: PageLimit,
    /// The end of the last region, up to 2^32: in bytes from address 0.
    bytes: u64,
}

/// The end of a region as a number of bytes: 0 stands for 2^32.
const fn bytes_up_to(end: u32) -> u64 {
    end.wrapping_sub(1) as u64 + 1
}

impl<M: LinearMemory> OwnedMemory<M> {
    /// Whether eight bytes at `ptr` are two aligned words of the memory.
    fn check(&self, ptr: u32) -> Result<(), Error> {
        if ptr % BLOCK_ALIGN == 0 && u64::from(ptr) < self.bytes {
            Ok(())
        } else {
            Err(Error::InvalidAddress { address: ptr })
        }
    }
}

impl<M: LinearMemory> Memory for OwnedMemory<M> {
    fn size(&self) -> u64 {
        self.bytes
    }

    fn read_le_u64(&self, ptr: u32) -> Result<u64, Error> {
        self.check(ptr)?;
        // SAFETY: `ptr` is a multiple of 8 below the end of the memory, which is one too.
        let low = unsafe { self.memory.read_word(ptr, 0) };
        // SAFETY: as above.
        let high = unsafe { self.memory.read_word(ptr, 4) };
        Ok(u64::from(high) << 32 | u64::from(low))
    }

    fn write_le_u64(&mut self, ptr: u32, value: u64) -> Result<(), Error> {
        self.check(ptr)?;
        // SAFETY: as in `read_le_u64`. The engine and this file write headers, markers and stamps only, which lie in
        // regions of this heap and in no payload that is in use.
        unsafe { self.memory.write_word(ptr, 0, value as u32) };
        // SAFETY: as above.
        unsafe { self.memory.write_word(ptr, 4, (value >> 32) as u32) };
        Ok(())
    }

    fn grow(&mut self, pages: u32) -> Result<u64, Error> {
        // All or nothing, as `Memory` wants it: where the ceiling refuses a step of the policy, the engine asks for the bare
        // need.
        let pages = PageCount(pages);
        let allowed = self.limit.allows(pages, self.memory.size());
        let region = allowed
            .then(|| self.memory.grow(pages))
            .flatten()
            .ok_or(Error::AllocatorOutOfSpace)?;
        self.bytes = bytes_up_to(region.end);
        Ok(u64::from(region.start))
    }
}
