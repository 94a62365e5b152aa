//! All heaps: where a block comes from, and where it goes back to.
//!
//! | who asks | for | is served by |
//! |---|---|---|
//! | a thread | up to 32 KiB | its own heap |
//! | a thread | more | a common heap, or its own where all of them are in use just now |
//! | code without a thread's storage, a thread beyond the last seat | anything | a common heap, or another one that is free |
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
use super::thread_heap::{ThreadHeap, Uncleared};
use crate::heaps::merging::{MergingHeap, has_class, has_same_class};
use crate::heaps::{Request, UncheckedHeap};
use crate::memory::linear::{LinearMemory, PackedGrowth, PageLimit, Region};
use crate::memory::{Growth, PAGE_SHIFT, PageCount};
use crate::stats::HeapStats;
use core::hint::spin_loop;
use core::ptr::NonNull;

#[cfg(test)]
#[path = "tests/survey.rs"]
mod survey;

/// One more than the heaps that there can be: no heap has the number 0.
const SEATS: usize = 64;

/// The heaps that no thread keeps: those with the numbers 1 to 4.
const COMMON: usize = 4;

/// Larger requests are served by a common heap, so that all threads can use what is free of them.
const LARGEST_OF_OWN_HEAP: u32 = 32 << 10;

/// How often all seats are looked at before a request is refused because none is free: some seconds.
const ROUNDS: u32 = 1 << 16;

/// Whether a heap is a common one.
const fn is_common(owner: Owner) -> bool {
    owner.number() as usize <= COMMON
}

/// How a heap's memory grows, and to what ceiling.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) growth: PackedGrowth,
    pub(crate) limit: PageLimit,
}

/// The heaps of all threads over one memory; all zero at first.
pub(crate) struct Heaps<M: SharedMemory> {
    memory: M,
    seats: [Seat<M>; SEATS],
}

// SAFETY: a seat's heap is used only by the thread that has taken the seat. All else is atomic.
unsafe impl<M: SharedMemory + Sync> Sync for Heaps<M> {}

impl<M: SharedMemory> Heaps<M> {
    /// No heap yet.
    pub(crate) const fn new(memory: M) -> Self {
        Heaps {
            memory,
            seats: [const { Seat::new() }; SEATS],
        }
    }

    /// The address of a block for the request, or 0 if there is no memory for it: as [`UncheckedHeap::allocate`]. `thread` is
    /// the calling one, or none where it has no storage.
    #[inline]
    pub(crate) fn allocate(&self, rule: Rule, thread: Option<&mut Thread<M>>, request: Request) -> u32 {
        match thread {
            Some(thread) => {
                if let Some(mut heap) = thread.heap {
                    // SAFETY: the thread has taken its heap's seat, and this is its only call.
                    let block = unsafe { heap.as_mut() }.heap().allocate_listed(request);
                    if block != 0 {
                        return block;
                    }
                }
                self.allocate_anew(rule, Some(thread), request)
            }
            None => self.allocate_anew(rule, None, request),
        }
    }

    /// As [`allocate`](Self::allocate), where the thread's free list has no block.
    #[inline(never)]
    fn allocate_anew(&self, rule: Rule, mut thread: Option<&mut Thread<M>>, request: Request) -> u32 {
        let mut tried = false;
        if request.size <= LARGEST_OF_OWN_HEAP {
            if let Some(heap) = self.own_heap(rule, thread.as_deref_mut()) {
                tried = true;
                let block = heap.heap().allocate(request);
                if block != 0 {
                    return block;
                }
            }
        }
        self.allocate_elsewhere(rule, thread, request, tried).block
    }

    /// As [`allocate`](Self::allocate), with zeros in the bytes that were asked for.
    #[inline(never)]
    pub(crate) fn allocate_zeroed(&self, rule: Rule, mut thread: Option<&mut Thread<M>>, request: Request) -> u32 {
        let mut tried = false;
        if request.size <= LARGEST_OF_OWN_HEAP {
            if let Some(heap) = self.own_heap(rule, thread.as_deref_mut()) {
                tried = true;
                let block = heap.heap().allocate_zeroed(request);
                if block != 0 {
                    return block;
                }
            }
        }
        let Uncleared { block, used } = self.allocate_elsewhere(rule, thread, request, tried);
        if block != 0 && used != 0 {
            // SAFETY: the block is new, and these are no more bytes than were asked for. The thread sees all pages of the heap that
            // it is from.
            unsafe { self.memory.clone().clear(block, used) };
        }
        block
    }

    /// Takes back a block. Never waits.
    ///
    /// # Safety
    ///
    /// `block` must come from these heaps, allocated with this request (or resized to it), and not be released since. The calling
    /// thread must know it from the one that allocated it.
    #[inline]
    pub(crate) unsafe fn deallocate(&self, thread: Option<&mut Thread<M>>, block: u32, request: Request) {
        if let Some(thread) = thread {
            // SAFETY: the block is live.
            if unsafe { self.memory.pages().owner_of(block) } == thread.owner {
                if let Some(mut heap) = thread.heap {
                    // SAFETY: the thread has taken its heap's seat, and this is its only call.
                    let heap = unsafe { heap.as_mut() }.heap();
                    // SAFETY: the block is from this heap, and the caller gives it up.
                    return unsafe { heap.deallocate(block, request) };
                }
            }
        }
        // SAFETY: the caller gives up the block.
        unsafe { self.deallocate_remotely(block, request) }
    }

    /// Takes back a block for a heap of another's.
    ///
    /// # Safety
    ///
    /// As for [`deallocate`](Self::deallocate).
    #[inline(never)]
    unsafe fn deallocate_remotely(&self, block: u32, request: Request) {
        let mut memory = self.memory.clone();
        // SAFETY: the block is live.
        let seat = self.seat(unsafe { memory.pages().owner_of(block) });
        // SAFETY: the caller gives up the block, which is from this seat's heap.
        unsafe { seat.remote.push(&mut memory, block, has_class(request)) };
    }

    /// The address of a block for `new_size` bytes that begins with those of `block`: as [`UncheckedHeap::reallocate`].
    ///
    /// # Safety
    ///
    /// As for [`deallocate`](Self::deallocate).
    #[inline(never)]
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
            let last_byte = block.max(new_block) + (bytes - 1);
            self.see(thread.as_deref_mut(), (last_byte >> PAGE_SHIFT) + 1);
            // SAFETY: both blocks are live and hold the bytes. The thread sees the pages of both.
            unsafe { self.memory.clone().copy(block, new_block, bytes) };
            // SAFETY: the caller gives up the old block.
            unsafe { self.deallocate(thread, block, request) };
        }
        new_block
    }

    /// Whether a block serves so many bytes where it is. A block that would pass from the sizes of a thread's own heap to those of
    /// common heaps, or back, does not.
    ///
    /// # Safety
    ///
    /// As for [`deallocate`](Self::deallocate).
    unsafe fn resize_in_place(
        &self,
        thread: Option<&mut Thread<M>>,
        block: u32,
        request: Request,
        new_size: u32,
    ) -> bool {
        // SAFETY: the block is live.
        let owner = unsafe { self.memory.pages().owner_of(block) };
        if let Some(thread) = thread {
            if let (Some(mut heap), true) = (thread.heap, owner == thread.owner) {
                if new_size > LARGEST_OF_OWN_HEAP && request.size <= LARGEST_OF_OWN_HEAP {
                    return false;
                }
                // SAFETY: the thread has taken its heap's seat, and this is its only call.
                let heap = unsafe { heap.as_mut() }.heap();
                // SAFETY: the block is from this heap, and live, with its request.
                return unsafe { heap.resize_in_place(block, request, new_size) };
            }
        }
        if has_class(request) {
            // The block of a run stays while its class is the same.
            return has_same_class(request, new_size);
        }
        if !is_common(owner) || new_size <= LARGEST_OF_OWN_HEAP {
            return false;
        }
        let seat = self.seat(owner);
        if !seat.try_take_soon() {
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

    /// Gives up the heap of a thread, for the next thread that needs one. With `for_good` this thread takes no other. O(blocks
    /// that others have released).
    pub(crate) fn release(&self, thread: &mut Thread<M>, for_good: bool) {
        thread.has_ended |= for_good;
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
    pub(crate) fn stats(&self, mut thread: Option<&mut Thread<M>>) -> HeapStats {
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
        if let Some(heap) = thread.as_deref_mut().and_then(|thread| thread.heap) {
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

    /// The heap of a thread, which takes one now if it has none; with what others have released taken back. None for code without a
    /// thread's storage, and where no seat or no memory for a heap is left.
    fn own_heap<'a>(&self, rule: Rule, thread: Option<&'a mut Thread<M>>) -> Option<&'a mut ThreadHeap<M>> {
        let thread = thread?;
        if thread.heap.is_none() {
            self.take_heap(rule, thread);
        }
        // SAFETY: the thread has taken its heap's seat, and this is its only call.
        let heap = unsafe { thread.heap?.as_mut() };
        heap.take_back(&self.seat(thread.owner).remote);
        Some(heap)
    }

    /// Gives a thread the first heap that is free, and makes one if there is none.
    #[cold]
    #[inline(never)]
    fn take_heap(&self, rule: Rule, thread: &mut Thread<M>) {
        if thread.has_ended {
            return;
        }
        for number in COMMON + 1..SEATS {
            let owner = Owner::heap(number as u8);
            if let Some(heap) = self.take_seat(Some(thread), owner, Some(rule)) {
                thread.heap = Some(heap);
                thread.owner = owner;
                self.memory.give_heap_up_at_end_of_thread();
                return;
            }
        }
    }

    /// A block of a heap that the calling thread takes for this call: of a common one, or of any that is free. If all common ones
    /// are in use, its own heap serves a large request too. `tried` says whether a heap had no memory for the request. From then
    /// on only heaps that exist are asked.
    #[cold]
    #[inline(never)]
    fn allocate_elsewhere(
        &self,
        rule: Rule,
        mut thread: Option<&mut Thread<M>>,
        request: Request,
        mut tried: bool,
    ) -> Uncleared {
        for _ in 0..ROUNDS {
            for number in 1..SEATS {
                let owner = Owner::heap(number as u8);
                if number == COMMON + 1 && request.size > LARGEST_OF_OWN_HEAP {
                    if let Some(heap) = self.own_heap(rule, thread.as_deref_mut()) {
                        tried = true;
                        let new = heap.allocate_uncleared(request);
                        if new.block != 0 {
                            return new;
                        }
                    }
                }
                let founding = if tried { None } else { Some(rule) };
                if let Some(mut heap) = self.take_seat(thread.as_deref_mut(), owner, founding) {
                    tried = true;
                    let seat = self.seat(owner);
                    // SAFETY: the seat was taken just now.
                    let heap = unsafe { heap.as_mut() };
                    heap.take_back(&seat.remote);
                    let new = heap.allocate_uncleared(request);
                    // SAFETY: it was taken just now, and its heap is not used any longer.
                    unsafe { seat.give_up() };
                    if new.block != 0 {
                        return new;
                    }
                }
            }
            if tried {
                break;
            }
            spin_loop();
        }
        Uncleared::NONE
    }

    /// Takes the seat of a heap if it is free, or is soon. The thread sees all pages of the heap then. A
    /// seat without a heap gets one that grows by the rule for founding, if there is a rule and memory for it.
    fn take_seat(
        &self,
        thread: Option<&mut Thread<M>>,
        owner: Owner,
        founding: Option<Rule>,
    ) -> Option<NonNull<ThreadHeap<M>>> {
        let seat = self.seat(owner);
        // A thread has a heap of its own for as long as it lives: there is nothing to wait for.
        let is_taken = if is_common(owner) {
            seat.try_take_soon()
        } else {
            seat.try_take()
        };
        if !is_taken {
            return None;
        }
        let heap = match (seat.heap(), founding) {
            (Some(mut heap), _) => {
                // SAFETY: the seat was taken just now.
                let end_page = unsafe { heap.as_mut() }.heap().memory().end_page();
                self.see(thread, end_page);
                Some(heap)
            }
            (None, Some(rule)) => self.found(owner, rule),
            (None, None) => None,
        };
        match heap {
            Some(heap) => seat.set_heap(heap),
            // SAFETY: it was taken just now, and has no heap.
            None => unsafe { seat.give_up() },
        }
        heap
    }

    /// Makes a heap, whose state lies at the beginning of its first page. None if there is no memory for it.
    #[cold]
    fn found(&self, owner: Owner, rule: Rule) -> Option<NonNull<ThreadHeap<M>>> {
        let mut shared = self.memory.clone();
        let mut memory = HeapMemory::new(shared.clone(), owner);
        let page = memory.grow_heap_within(rule.limit, PageCount(1), PageCount(1))?;
        let mut heap = MergingHeap::new(memory, Growth::THIRTY_SECOND);
        heap.set_policy(rule.growth, rule.limit);
        // SAFETY: the page was added just now, for this heap.
        let (mut heap, end_of_state) = unsafe { shared.place(page, ThreadHeap::new(heap)) };
        // SAFETY: no other thread knows the heap yet.
        unsafe { heap.as_mut() }.heap().memory().set_first(Region {
            start: end_of_state,
            end: page.end,
        });
        Some(heap)
    }

    /// Has the calling thread see all pages before `end_page`, to which instructions are about to refer that need that: see
    /// [`SharedMemory::refresh`].
    fn see(&self, thread: Option<&mut Thread<M>>, end_page: u32) {
        match thread {
            Some(thread) if thread.seen_to >= end_page => {}
            Some(thread) => thread.seen_to = self.memory.clone().refresh().0,
            None => {
                self.memory.clone().refresh();
            }
        }
    }

    /// The seat of a heap. The modulus spares the module a bounds check.
    fn seat(&self, owner: Owner) -> &Seat<M> {
        &self.seats[usize::from(owner.number()) % SEATS]
    }
}
