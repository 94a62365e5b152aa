//! All heaps: where a block comes from, and where it goes back to.
//!
//! | who asks | for | is served by |
//! |---|---|---|
//! | a thread | up to 10 KiB | its own heap |
//! | a thread without a heap | up to 10 KiB | the first heap that is free, which becomes its own; a common one if none is |
//! | a thread | more | a common heap |
//! | code without a thread's storage | anything | a common heap |
//! | anyone | what these have no memory for | any heap that is free |
//!
//! | who releases | does |
//! |---|---|
//! | the thread whose heap the block is from | what it would without threads |
//! | anyone else | pushes the block on the stack of its heap |

use super::heap_memory::HeapMemory;
use super::pages::Owner;
use super::seat::Seat;
use super::shared_memory::SharedMemory;
use super::thread::Thread;
use super::thread_heap::{NewBlock, Rule, ThreadHeap};
use crate::heaps::merging::{MergingHeap, has_class};
use crate::heaps::{Request, UncheckedHeap};
use crate::memory::{PAGE_SHIFT, PageCount};
use crate::stats::HeapStats;
use core::ptr::NonNull;

#[cfg(test)]
#[path = "tests/survey.rs"]
mod survey;

/// The numbers of heaps are from 1 to 254. In the row in which they are asked, 0 stands for a thread's own heap.
const PLACES: u32 = 255;

/// From one heap to the next in the row. The even numbers come first, so that few threads use a line of the processor's cache
/// together.
const STEP: u32 = 2;

/// The first heap of the row, a common one. Those after the last common one are kept by threads.
const FIRST_COMMON: u32 = STEP;
const LAST_COMMON: u32 = 4 * STEP;
const FIRST_KEPT: u32 = LAST_COMMON + STEP;

/// Whether no thread keeps a heap.
const fn is_common(number: u32) -> bool {
    number <= LAST_COMMON && number % STEP == 0
}

/// Larger requests are served by a common heap, so that all threads can use what is free of them.
const LARGEST_OF_OWN_HEAP: u32 = 10 << 10;

/// A block of a thread's own heap that becomes larger than this moves to a common heap. Up to that it can grow where it is, which
/// spares a copy.
const LARGEST_IN_OWN_HEAP: u32 = 256 << 10;

/// How many heaps are asked before a request is refused because others use all of them: each a million times, for seconds.
const MOST_ASKED: u32 = PLACES << 20;

/// The heaps of all threads over one memory; all zero at first.
pub(crate) struct Heaps<M: SharedMemory> {
    memory: M,
    /// One for each number that fits into a byte.
    seats: [Seat<M>; 256],
}

// SAFETY: a seat's heap is used only by the thread that has taken the seat. All else is atomic.
unsafe impl<M: SharedMemory + Sync> Sync for Heaps<M> {}

impl<M: SharedMemory> Heaps<M> {
    /// No heap yet.
    pub(crate) const fn new(memory: M) -> Self {
        Heaps {
            memory,
            seats: [const { Seat::new() }; 256],
        }
    }

    /// The address of a block for the request, or 0 if there is no memory for it: as [`UncheckedHeap::allocate`]. `thread` is
    /// the calling one, or none where it has no storage.
    #[inline(never)]
    pub(crate) fn allocate(&self, rule: Rule, mut thread: Option<&mut Thread<M>>, request: Request) -> u32 {
        match Self::allocate_listed(thread.as_deref_mut(), request) {
            0 => self.allocate_anew(rule, thread, request),
            block => block,
        }
    }

    /// The part of [`allocate`](Self::allocate) that is inlined into a program: the first block of a free list of the thread's own
    /// heap, or 0.
    #[inline]
    pub(crate) fn allocate_listed(thread: Option<&mut Thread<M>>, request: Request) -> u32 {
        match thread.and_then(|thread| thread.heap) {
            // SAFETY: the thread has taken its heap's seat, and this is its only call.
            Some(mut heap) => unsafe { heap.as_mut() }.heap().allocate_listed(request),
            None => 0,
        }
    }

    /// As [`allocate`](Self::allocate), where [`allocate_listed`](Self::allocate_listed) has no block.
    #[inline]
    pub(crate) fn allocate_anew(&self, rule: Rule, mut thread: Option<&mut Thread<M>>, request: Request) -> u32 {
        // The way that almost every request takes, at the price of some code.
        if !cfg!(for_size) && request.size <= LARGEST_OF_OWN_HEAP {
            if let Some(thread) = thread.as_deref_mut() {
                if let Some(mut heap) = thread.heap {
                    // SAFETY: the thread has taken its heap's seat, and this is its only call.
                    let heap = unsafe { heap.as_mut() };
                    heap.take_back(&self.seat(thread.owner).remote);
                    let block = heap.heap().allocate_anew(request);
                    if block != 0 {
                        return block;
                    }
                }
            }
        }
        self.allocate_new(rule, thread, request).address()
    }

    /// As [`allocate`](Self::allocate), with zeros in the bytes that were asked for. They are written when a heap of others is free
    /// again.
    pub(crate) fn allocate_zeroed(&self, rule: Rule, thread: Option<&mut Thread<M>>, request: Request) -> u32 {
        let mut memory = self.memory.clone();
        if has_class(request) {
            let block = self.allocate(rule, thread, request);
            if block != 0 {
                // SAFETY: the block is new, and all blocks with a class are multiples of 8 bytes.
                unsafe { memory.clear_small(block, request.size.next_multiple_of(8)) };
            }
            return block;
        }
        let new = self.allocate_new(rule, thread, request);
        if new.address() != 0 && !new.is_zero() {
            // SAFETY: the block is new, and these are the bytes that were asked for. The thread sees all pages of the heap that it is
            // from.
            unsafe { memory.clear(new.address(), request.size) };
        }
        new.address()
    }

    /// Takes back a block. Never waits.
    ///
    /// # Safety
    ///
    /// `block` must come from these heaps, allocated with this request (or resized to it), and not be released since. The calling
    /// thread must know it from the one that allocated it.
    #[cfg(test)]
    pub(crate) unsafe fn deallocate(&self, mut thread: Option<&mut Thread<M>>, block: u32, request: Request) {
        // SAFETY: the caller gives up the block.
        if unsafe { !self.deallocate_in_run(thread.as_deref_mut(), block, request) } {
            // SAFETY: the caller gives up the block, which is still live.
            unsafe { self.deallocate_anyhow(thread, block, request) }
        }
    }

    /// The part of [`deallocate`](Self::deallocate) that is inlined into a program: takes back a block that lies in a run of the
    /// thread's own heap. Whether it did.
    ///
    /// # Safety
    ///
    /// As for [`deallocate_anyhow`](Self::deallocate_anyhow).
    #[inline]
    pub(crate) unsafe fn deallocate_in_run(
        &self,
        thread: Option<&mut Thread<M>>,
        block: u32,
        request: Request,
    ) -> bool {
        // SAFETY: the block is live.
        let owner = unsafe { self.memory.pages().owner_of(block) };
        match Self::heap_if_owner(thread, owner) {
            // SAFETY: the block is from this heap, and the caller gives it up.
            Some(heap) => unsafe { heap.deallocate_in_run(block, request) },
            None => false,
        }
    }

    /// As [`deallocate`](Self::deallocate), whatever [`deallocate_in_run`](Self::deallocate_in_run) can take.
    ///
    /// # Safety
    ///
    /// As for [`deallocate_anyhow`](Self::deallocate_anyhow).
    pub(crate) unsafe fn deallocate_anyhow(&self, thread: Option<&mut Thread<M>>, block: u32, request: Request) {
        let mut memory = self.memory.clone();
        // SAFETY: the block is live.
        let owner = unsafe { memory.pages().owner_of(block) };
        let has_class = has_class(request);
        match Self::heap_if_owner(thread, owner) {
            // SAFETY: the block is from this heap, and the caller gives it up.
            Some(heap) => unsafe { heap.deallocate_with(block, has_class) },
            // SAFETY: the caller gives up the block, which is from this seat's heap.
            None => unsafe { self.seat(owner).remote.push(&mut memory, block, has_class) },
        }
    }

    /// The heap of a thread, if it is that of a block with this owner.
    #[inline]
    fn heap_if_owner(thread: Option<&mut Thread<M>>, owner: Owner) -> Option<&mut MergingHeap<HeapMemory<M>>> {
        match thread {
            Some(thread) if thread.owner == owner => {
                // SAFETY: no block is of a heap without a number, so the thread has one.
                let mut heap = unsafe { thread.heap.unwrap_unchecked() };
                // SAFETY: the thread has taken its heap's seat, and this is its only call.
                Some(unsafe { heap.as_mut() }.heap())
            }
            _ => None,
        }
    }

    /// The address of a block for `new_size` bytes that begins with those of `block`: as [`UncheckedHeap::reallocate`].
    ///
    /// # Safety
    ///
    /// As for [`deallocate_anyhow`](Self::deallocate_anyhow).
    pub(crate) unsafe fn reallocate(
        &self,
        rule: Rule,
        mut thread: Option<&mut Thread<M>>,
        block: u32,
        request: Request,
        new_size: u32,
    ) -> u32 {
        // SAFETY: the caller passes a live block with its request.
        if unsafe { self.resize_in_place(thread.as_deref_mut(), block, request, new_size) } {
            return block;
        }
        let new_block = self.allocate(rule, thread.as_deref_mut(), request.with_size(new_size));
        if new_block != 0 {
            let bytes = request.size.min(new_size);
            // The old block may be another thread's. The new one is of a heap all of whose pages the thread sees.
            let last_byte = block + (bytes - 1);
            self.see(thread.as_deref_mut(), (last_byte >> PAGE_SHIFT) + 1);
            // SAFETY: both blocks are live and hold the bytes. The thread sees the pages of both.
            unsafe { self.memory.clone().copy(block, new_block, bytes) };
            // SAFETY: the caller gives up the old block.
            unsafe { self.deallocate_anyhow(thread, block, request) };
        }
        new_block
    }

    /// Whether a block serves so many bytes where it is. One of the thread's own heap does up to 256 KiB. Another one does if it is
    /// large, becomes larger than blocks of a thread's own heap, and nobody uses its heap.
    ///
    /// # Safety
    ///
    /// As for [`deallocate_anyhow`](Self::deallocate_anyhow).
    unsafe fn resize_in_place(
        &self,
        thread: Option<&mut Thread<M>>,
        block: u32,
        request: Request,
        new_size: u32,
    ) -> bool {
        // SAFETY: the block is live.
        let owner = unsafe { self.memory.pages().owner_of(block) };
        if let Some(heap) = Self::heap_if_owner(thread, owner) {
            // SAFETY: the block is from this heap, and live, with its request.
            return new_size <= LARGEST_IN_OWN_HEAP && unsafe { heap.resize_in_place(block, request, new_size) };
        }
        if has_class(request) || new_size <= LARGEST_OF_OWN_HEAP {
            return false;
        }
        let seat = self.seat(owner);
        if !seat.try_take() {
            return false;
        }
        let resized = match seat.heap() {
            // SAFETY: the seat was taken just now.
            Some(mut heap) => unsafe { heap.as_mut().heap().resize_in_place(block, request, new_size) },
            None => false,
        };
        // SAFETY: it was taken just now, and its heap is not used any longer.
        unsafe { seat.give_up() };
        resized
    }

    /// Gives up the heap of a thread, for the next thread that needs one. O(blocks that others have released).
    pub(crate) fn release(&self, thread: &mut Thread<M>) {
        let Some(mut heap) = thread.heap.take() else { return };
        let seat = self.seat(thread.owner);
        thread.owner = Owner::NONE;
        // SAFETY: the thread had taken its heap's seat, and this is its only call.
        unsafe { heap.as_mut() }.take_back_all(&seat.remote);
        // SAFETY: the thread has no reference to the heap any more.
        unsafe { seat.give_up() };
    }

    /// What the memory is used for: all pages of all heaps. What is free in a heap that another thread uses is not known, and
    /// counts as live, like blocks that others have released and that their heap has not taken back.
    pub(crate) fn stats(&self, thread: Option<&mut Thread<M>>) -> HeapStats {
        let mut stats = HeapStats {
            address_space_bytes: self.memory.pages().owned().0 << PAGE_SHIFT,
            ..HeapStats::default()
        };
        let mut add = |heap: &ThreadHeap<M>| {
            let part = heap.stats();
            stats.free_bytes += part.free_bytes;
            stats.tail_bytes += part.tail_bytes;
            stats.largest_free_bytes = stats.largest_free_bytes.max(part.largest_free_bytes);
        };
        if let Some(heap) = thread.and_then(|thread| thread.heap) {
            // SAFETY: the thread has taken its heap's seat, and this is its only call.
            add(unsafe { heap.as_ref() });
        }
        for seat in &self.seats {
            if seat.try_take() {
                if let Some(heap) = seat.heap() {
                    // SAFETY: the seat was taken just now.
                    add(unsafe { heap.as_ref() });
                }
                // SAFETY: it was taken just now, and its heap is not used any longer.
                unsafe { seat.give_up() };
            }
        }
        stats.live_bytes = stats
            .address_space_bytes
            .saturating_sub(stats.free_bytes + stats.tail_bytes);
        stats
    }

    /// A block of the first heap that has memory for it, in the order that the table at the top shows. Once a heap had none, only
    /// heaps that exist are asked.
    #[cold]
    #[inline(never)]
    fn allocate_new(&self, rule: Rule, mut thread: Option<&mut Thread<M>>, request: Request) -> NewBlock {
        // A thread's own heap has the number 0 here.
        let own = thread.as_deref().map(|thread| thread.heap);
        let first = match own {
            _ if request.size > LARGEST_OF_OWN_HEAP => FIRST_COMMON,
            Some(None) => FIRST_KEPT,
            _ => 0,
        };
        let mut number = first;
        // None from the first answer on: then only heaps that exist are asked.
        let mut founding = Some(rule);
        for _ in 0..MOST_ASKED {
            let owner = Owner::heap(number as u8);
            let is_own = number == 0;
            let taken = if is_own {
                own.flatten()
            } else {
                self.take_seat(thread.as_deref_mut(), owner, &mut founding)
            };
            if let Some(mut heap) = taken {
                founding = None;
                // SAFETY: the seat was taken just now, or is the thread's own, and this is its only call.
                let state = unsafe { heap.as_mut() };
                let seat = self.seat(state.owner());
                let new = state.allocate(&seat.remote, request);
                match thread.as_deref_mut() {
                    _ if is_own => {}
                    Some(thread) if thread.heap.is_none() && !is_common(number) => {
                        thread.heap = Some(heap);
                        thread.owner = owner;
                        seat.keep();
                        self.memory.give_heap_up_at_end_of_thread();
                    }
                    // SAFETY: it was taken just now, and its heap is not used any longer.
                    _ => unsafe { seat.give_up() },
                }
                if new.address() != 0 {
                    return new;
                }
            }
            number = (number + STEP) % PLACES;
            if number == first && founding.is_none() {
                break;
            }
        }
        NewBlock::NONE
    }

    /// Takes the seat of a heap if it is free, or is soon. The thread sees all pages of the heap then. A
    /// seat without a heap gets one that grows by the rule for founding, if there is such a rule, which is taken, and memory.
    fn take_seat(
        &self,
        thread: Option<&mut Thread<M>>,
        owner: Owner,
        founding: &mut Option<Rule>,
    ) -> Option<NonNull<ThreadHeap<M>>> {
        let seat = self.seat(owner);
        if !seat.try_take() {
            return None;
        }
        let heap = match seat.heap() {
            Some(mut heap) => {
                // SAFETY: the seat was taken just now.
                let end_page = unsafe { heap.as_mut() }.heap().memory().end_page();
                self.see(thread, end_page);
                Some(heap)
            }
            None => founding.take().and_then(|rule| self.found(owner, rule)),
        };
        match heap {
            Some(heap) => seat.set_heap(heap),
            // SAFETY: it was taken just now, and has no heap.
            None => unsafe { seat.give_up() },
        }
        heap
    }

    /// Makes a heap. None if there is no memory for it.
    fn found(&self, owner: Owner, rule: Rule) -> Option<NonNull<ThreadHeap<M>>> {
        let mut memory = self.memory.clone();
        let page = self.memory.pages().grow(&mut memory, rule.limit, PageCount(1));
        if page == 0 {
            return None;
        }
        // SAFETY: the page was added just now, for this heap. The state of a heap is all 0 before its first use.
        let (mut heap, end_of_state) = unsafe { memory.place::<ThreadHeap<M>>(page) };
        // SAFETY: no other thread knows the heap yet.
        let state = unsafe { heap.as_mut() };
        // SAFETY: the page was added just now, for this heap.
        unsafe { state.begin(memory, owner, page, end_of_state, rule) };
        Some(heap)
    }

    /// Has the calling thread see all pages before `end_page`, to which instructions are about to refer that need that: see
    /// [`SharedMemory::refresh`].
    #[cfg_attr(for_size, inline(never))]
    fn see(&self, thread: Option<&mut Thread<M>>, end_page: u32) {
        if thread.as_deref().is_some_and(|thread| thread.seen_to >= end_page) {
            return;
        }
        let pages = self.memory.clone().refresh();
        if let Some(thread) = thread {
            thread.seen_to = pages.0;
        }
    }

    /// The seat of a heap.
    fn seat(&self, owner: Owner) -> &Seat<M> {
        &self.seats[usize::from(owner.number())]
    }
}
