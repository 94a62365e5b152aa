//! The original freeing-bump algorithm, over any [`Memory`]. No unsafe code: a wrong pointer or a trampled heap makes an
//! error, never undefined behaviour here.

use super::error::Error;
use super::header::{HEADER_BYTES, Header, Link};
use super::memory::Memory;
use super::order::{LISTS, Order};
use crate::memory::Growth;
use crate::memory::{PAGE_BYTES, PageCount};
use crate::stats::Stats;

#[cfg(any(test, fuzzing))]
#[path = "tests/subject.rs"]
pub(crate) mod subject;

/// The largest request that is served unless [`with_max_allocation`](FreeingBumpHeapAllocator::with_max_allocation)
/// says otherwise: 16 MiB.
pub(crate) const DEFAULT_MAX_ALLOCATION_BYTES: u32 = 1 << 24;

/// The freeing-bump allocator in its original form: power-of-two orders, an 8-byte header before each block, one free
/// list per order, a bump pointer, and poisoning after the first error.
///
/// ```text
/// heap base, rounded up to 8                              bumper                memory end
/// v                                                       v                     v
/// +--------+-----------+--------+-----------+--------+----+---------------------+
/// | header | block     | header | block     | header | .. | tail                |
/// +--------+-----------+--------+-----------+--------+----+---------------------+
/// +0       +8          +8+16             a free block's header links to the next free one of its order
/// ```
///
/// A request is rounded up to a power of two, 8 bytes at least and 16 MiB at most. The block on top of that order's
/// free list serves it, else the bump pointer moves up by block and header, for which the memory may grow. A released
/// block is the next to be handed out for its order. It never serves another order and is never merged with its
/// neighbours: that is what [`allocate`](Self::allocate) and [`deallocate`](Self::deallocate) pay for being O(1).
///
/// It owns no memory. Each call gets the same [`Memory`]. The bytes from the heap base on are the allocator's alone.
///
/// ```
/// use freeing_bump::{Error, FreeingBumpHeapAllocator};
///
/// let mut memory = [0; 65_536];
/// let mut heap = FreeingBumpHeapAllocator::new(13);
///
/// // The heap base is rounded up to 16, and the block has its header before it.
/// let pointer = heap.allocate(&mut memory[..], 100)?;
/// assert_eq!(pointer, 24);
/// assert_eq!(heap.total_size(), 8 + 128);
///
/// heap.deallocate(&mut memory[..], pointer)?;
/// assert_eq!(heap.total_size(), 0);
/// assert_eq!(heap.allocate(&mut memory[..], 128)?, pointer);
///
/// // One error poisons the allocator.
/// assert_eq!(heap.deallocate(&mut memory[..], 4), Err(Error::InvalidPointer { pointer: 4 }));
/// assert_eq!(heap.allocate(&mut memory[..], 8), Err(Error::Poisoned));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct FreeingBumpHeapAllocator {
    /// The heap base as it was passed to `new`.
    heap_base: u32,
    /// `heap_base` rounded up to a multiple of 8, saturating: where the first header goes.
    start: u32,
    /// The first byte never handed out, a multiple of 8.
    bumper: u32,
    /// The link to the first free block of each order; only the first `max_order + 1` are used.
    free_lists: [Link; LISTS],
    max_order: Order,
    growth: Growth,
    /// The memory's size in bytes at the last call.
    memory_bytes: u64,
    poisoned: bool,
    /// Bytes of live blocks with their headers.
    total_size: u32,
    peak_size: u32,
    sum_of_sizes: u64,
}

impl FreeingBumpHeapAllocator {
    /// An allocator for the memory from `heap_base` (an address in bytes) on. Touches no memory.
    ///
    /// A heap base so high that it cannot be rounded up to a multiple of 8 makes the first call return
    /// [`Error::InvalidHeapBase`].
    #[must_use]
    pub const fn new(heap_base: u32) -> Self {
        let start = heap_base.saturating_add(HEADER_BYTES - 1) & !(HEADER_BYTES - 1);
        FreeingBumpHeapAllocator {
            heap_base,
            start,
            bumper: start,
            free_lists: [Link::NONE; LISTS],
            max_order: Order::holding_at_most(DEFAULT_MAX_ALLOCATION_BYTES),
            growth: Growth::DOUBLING,
            memory_bytes: 0,
            poisoned: false,
            total_size: 0,
            peak_size: 0,
            sum_of_sizes: 0,
        }
    }

    /// The same allocator, for requests of up to `bytes`, rounded up to a power of two: 16 MiB by default, 8 bytes at
    /// least, 2 GiB at most.
    #[must_use]
    pub const fn with_max_allocation(mut self, bytes: u32) -> Self {
        self.max_order = Order::holding_at_most(bytes);
        self
    }

    /// The same allocator with another way to grow its memory: [`Growth::DOUBLING`] by default.
    #[must_use]
    pub const fn with_growth(mut self, growth: Growth) -> Self {
        self.growth = growth;
        self
    }

    /// Allocates a block of at least `size` bytes and returns its address, a multiple of 8.
    ///
    /// The bytes are whatever the memory holds there: those of a former block, or what a never-used part of the memory
    /// contains. O(1), and may grow the memory. A `size` of 0 gets a block of 8 bytes.
    ///
    /// # Errors
    ///
    /// - [`Error::RequestedAllocationTooLarge`] if `size` is above the largest block.
    /// - [`Error::AllocatorOutOfSpace`] if neither the order's free list nor the rest of the memory serves the request,
    ///   and the memory does not grow.
    /// - [`Error::CorruptFreeList`] if the list of the order leads to something that is not a free block.
    /// - [`Error::MemoryShrunk`], [`Error::InvalidHeapBase`], [`Error::Poisoned`].
    ///
    /// An error changes no block and poisons the allocator.
    ///
    /// # Panics
    ///
    /// Never.
    pub fn allocate<M: Memory + ?Sized>(&mut self, memory: &mut M, size: u32) -> Result<u32, Error> {
        self.poisoned_by_error(|heap| heap.try_allocate(memory, size))
    }

    /// Releases the block at `ptr`, which the next request of its order will get. O(1).
    ///
    /// # Errors
    ///
    /// - [`Error::InvalidPointer`] if no block can start at `ptr`.
    /// - [`Error::BlockNotOccupied`] if the header before `ptr` says that the block is free.
    /// - [`Error::CorruptHeader`] if what is before `ptr` is not a header, or that of a block which does not fit there.
    /// - [`Error::MemoryShrunk`], [`Error::InvalidAddress`], [`Error::InvalidHeapBase`], [`Error::Poisoned`].
    ///
    /// An error changes no block and poisons the allocator.
    ///
    /// # Panics
    ///
    /// Never.
    pub fn deallocate<M: Memory + ?Sized>(&mut self, memory: &mut M, ptr: u32) -> Result<(), Error> {
        self.poisoned_by_error(|heap| heap.try_deallocate(memory, ptr))
    }

    /// The bytes that the live block at `ptr` has room for: its request rounded up. O(1).
    ///
    /// # Errors
    ///
    /// As [`deallocate`](Self::deallocate); an error poisons the allocator.
    pub fn block_bytes<M: Memory + ?Sized>(&mut self, memory: &M, ptr: u32) -> Result<u32, Error> {
        self.poisoned_by_error(|heap| {
            heap.observe(memory)?;
            Ok(heap.occupied_block(memory, ptr)?.1.block_bytes())
        })
    }

    /// The bytes of all live blocks with their headers: 0 when everything is released.
    #[must_use]
    pub const fn total_size(&self) -> u32 {
        self.total_size
    }

    /// The bump pointer: the address of the first byte never handed out.
    #[must_use]
    pub const fn bumper(&self) -> u32 {
        self.bumper
    }

    /// Whether a call has returned an error. All later ones do, too.
    #[must_use]
    pub const fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    /// Bytes in use now, at peak and in sum, and address space used. O(1).
    #[must_use]
    pub const fn stats(&self) -> Stats {
        Stats {
            bytes_allocated: self.total_size,
            bytes_allocated_peak: self.peak_size,
            bytes_allocated_sum: self.sum_of_sizes,
            address_space_used: self.bumper - self.start,
        }
    }

    /// Poisons the allocator, as an error that its owner has found must.
    #[cfg(any(target_arch = "wasm32", test, fuzzing))]
    pub(crate) fn poison(&mut self) {
        self.poisoned = true;
    }

    /// The pointer and size of the free block, if any, that a request for `size` bytes will get: the first of its list.
    #[cfg(any(target_arch = "wasm32", test, fuzzing))]
    pub(crate) fn next_free_block(&self, size: u32) -> Option<(u32, u32)> {
        let order = Order::holding(size, self.max_order).ok()?;
        let header_address = self.free_lists[order.number() as usize % LISTS].address()?;
        Some((header_address + HEADER_BYTES, order.block_bytes()))
    }

    /// Runs `call` unless an earlier error forbids it, and remembers the error that it returns.
    fn poisoned_by_error<T>(&mut self, call: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.poisoned {
            return Err(Error::Poisoned);
        }
        let result = call(self);
        self.poisoned = result.is_err();
        result
    }

    fn try_allocate<M: Memory + ?Sized>(&mut self, memory: &mut M, size: u32) -> Result<u32, Error> {
        self.observe(memory)?;
        let order = Order::holding(size, self.max_order)?;
        let header_address = match self.free_list(order).address() {
            Some(head) => {
                let next = self.free_block(memory, head, order)?;
                if let Some(next_address) = next.address() {
                    // A broken link is reported here, when it is about to become the list's head, not a call later.
                    self.free_block(memory, next_address, order)?;
                }
                *self.free_list(order) = next;
                head
            }
            None => self.bump(memory, order)?,
        };
        Header::write_occupied(memory, header_address, order)?;
        // Live blocks do not overlap, so their sum saturates only if headers are being forged.
        let bytes = HEADER_BYTES + order.block_bytes();
        self.total_size = self.total_size.saturating_add(bytes);
        self.peak_size = self.peak_size.max(self.total_size);
        self.sum_of_sizes = self.sum_of_sizes.saturating_add(u64::from(bytes));
        Ok(header_address + HEADER_BYTES)
    }

    fn try_deallocate<M: Memory + ?Sized>(&mut self, memory: &mut M, ptr: u32) -> Result<(), Error> {
        self.observe(memory)?;
        let (header_address, order) = self.occupied_block(memory, ptr)?;
        // Only a header whose order was overwritten by a higher one claims more bytes than are live.
        let total_size = self.total_size.checked_sub(HEADER_BYTES + order.block_bytes());
        let Some(total_size) = total_size else {
            return Err(Error::CorruptHeader {
                pointer: ptr,
                header: memory.read_le_u64(header_address)?,
            });
        };
        Header::write_free(memory, header_address, *self.free_list(order))?;
        *self.free_list(order) = Link::to(header_address);
        self.total_size = total_size;
        Ok(())
    }

    /// Takes note of the memory's size, which must not have become less.
    fn observe<M: Memory + ?Sized>(&mut self, memory: &M) -> Result<(), Error> {
        if self.start < self.heap_base {
            return Err(Error::InvalidHeapBase {
                heap_base: self.heap_base,
            });
        }
        let bytes = memory.size();
        if bytes < self.memory_bytes {
            return Err(Error::MemoryShrunk);
        }
        self.memory_bytes = bytes;
        Ok(())
    }

    fn free_list(&mut self, order: Order) -> &mut Link {
        // The mask changes nothing and spares the module a bounds check that can panic.
        &mut self.free_lists[order.number() as usize % LISTS]
    }

    /// Moves the bump pointer up by a header and a block of `order`, growing the memory where that is needed. Returns
    /// the header's address.
    fn bump<M: Memory + ?Sized>(&mut self, memory: &mut M, order: Order) -> Result<u32, Error> {
        let bytes = HEADER_BYTES + order.block_bytes();
        loop {
            // A block ends below 2^32, so the address after it is a 32-bit one.
            let end = self.bumper.checked_add(bytes).ok_or(Error::AllocatorOutOfSpace)?;
            if u64::from(end) <= self.memory_bytes {
                let header_address = self.bumper;
                self.bumper = end;
                return Ok(header_address);
            }
            self.grow(memory, end)?;
        }
    }

    /// Grows the memory to at least `end` bytes: by as much as the growth policy says, else by what is lacking. When
    /// others took the memory in between, the bump pointer moves past it.
    #[cold]
    fn grow<M: Memory + ?Sized>(&mut self, memory: &mut M, end: u32) -> Result<(), Error> {
        let former_bytes = self.memory_bytes;
        // At most `u32::MAX`, since `end` is above it.
        let lacking = PageCount::covering(end - former_bytes as u32);
        let present = PageCount((former_bytes / u64::from(PAGE_BYTES)) as u32);
        let start = memory
            .grow(self.growth.pages(lacking, present).0)
            .or_else(|_| memory.grow(lacking.0))
            .map_err(|_| Error::AllocatorOutOfSpace)?;
        self.memory_bytes = memory.size();
        if self.memory_bytes <= former_bytes {
            // A memory that says it grew and did not must not be asked again and again.
            return Err(Error::AllocatorOutOfSpace);
        }
        if start > former_bytes {
            self.bumper = u32::try_from(start)
                .ok()
                .and_then(|start| start.checked_next_multiple_of(HEADER_BYTES))
                .ok_or(Error::AllocatorOutOfSpace)?
                // Memory below the heap base belongs to others, too.
                .max(self.bumper);
        }
        Ok(())
    }

    /// The link of the block on the free list of `order` whose header is at `header_address`, checked to be a free
    /// block inside the part of the heap that was handed out.
    fn free_block<M: Memory + ?Sized>(&self, memory: &M, header_address: u32, order: Order) -> Result<Link, Error> {
        if self.is_block(header_address, order) {
            if let Header::Free(next) = Header::read(memory, header_address, self.max_order)? {
                return Ok(next);
            }
        }
        Err(Error::CorruptFreeList {
            order: order.number(),
            header_address,
        })
    }

    /// The header's address and the order of the block at `ptr`, checked to be in use.
    fn occupied_block<M: Memory + ?Sized>(&self, memory: &M, ptr: u32) -> Result<(u32, Order), Error> {
        let header_address = ptr
            .checked_sub(HEADER_BYTES)
            .filter(|&address| self.is_block(address, Order::MIN))
            .ok_or(Error::InvalidPointer { pointer: ptr })?;
        match Header::read(memory, header_address, self.max_order)? {
            Header::Occupied(order) if self.is_block(header_address, order) => Ok((header_address, order)),
            Header::Free(_) => Err(Error::BlockNotOccupied { pointer: ptr }),
            _ => Err(Error::CorruptHeader {
                pointer: ptr,
                header: memory.read_le_u64(header_address)?,
            }),
        }
    }

    /// Whether a header at this address and a block of this order after it lie where blocks were handed out.
    fn is_block(&self, header_address: u32, order: Order) -> bool {
        header_address >= self.start
            && header_address % HEADER_BYTES == 0
            && self
                .bumper
                .checked_sub(header_address)
                .is_some_and(|bytes| bytes >= HEADER_BYTES + order.block_bytes())
    }
}
