//! The heaps of all threads as a subject of the model: two threads with storage and one without take turns on one real thread. Which
//! one makes the next call, and when one gives up its heap, follows from the number of the call.

use super::world::{Placed, end_of_state};
use crate::heaps::merging::has_class;
use crate::heaps::{Request, UncheckedHeap};
use crate::memory::linear::{LinearMemory, PackedGrowth, PageLimit, Region};
use crate::memory::{Growth, PAGE_BYTES, PAGE_SHIFT, PageCount};
use crate::tests::model::oracle::bytes_of_region;
use crate::tests::model::programs::END_PAGE;
use crate::tests::model::{Calls, Idle, Subject, Totals, test_programs};
use crate::tests::simulated_memory::SimulatedMemory;
use crate::threads::heaps::Heaps;
use crate::threads::pages::{Owner, Pages};
use crate::threads::shared_memory::SharedMemory;
use crate::threads::thread::Thread;
use crate::threads::thread_heap::Rule;
use core::cell::{Cell, RefCell, UnsafeCell};
use core::ops::Range;
use core::ptr::NonNull;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::vec::Vec;

/// Who calls: one of the threads with storage, or the one without.
const WITHOUT_STORAGE: usize = 2;

/// A simulated memory that several heaps use in turn.
struct Common {
    memory: UnsafeCell<SimulatedMemory>,
    pages: Pages,
    /// Who calls now.
    caller: Cell<usize>,
    /// The page before which each caller sees all pages.
    seen_to: [Cell<u32>; 3],
    placed: RefCell<Vec<Placed>>,
}

/// An access to it, without a count of how many there are: a heap's state is never dropped.
#[derive(Clone, Copy)]
struct InTurn(*const Common);

impl InTurn {
    fn common(&self) -> &Common {
        // SAFETY: the heaps are dropped before.
        unsafe { &*self.0 }
    }

    /// The memory, for one access.
    #[allow(clippy::mut_from_ref)]
    fn memory(&self) -> &mut SimulatedMemory {
        // SAFETY: all of this runs on one thread, and no reference from before is used after this one is made.
        unsafe { &mut *self.common().memory.get() }
    }

    fn seen_to(&self) -> &Cell<u32> {
        &self.common().seen_to[self.common().caller.get()]
    }

    /// Asserts that a bulk instruction may reach this range in the thread that calls.
    fn check_seen(&self, address: u32, bytes: u32) {
        let last_page = (address + (bytes.max(1) - 1)) >> PAGE_SHIFT;
        assert!(
            last_page < self.seen_to().get(),
            "trap: a bulk instruction reaches page {last_page}, and the thread sees those before {}",
            self.seen_to().get()
        );
    }
}

// SAFETY: a simulated memory returns pages once. There is one `Pages` for it, and what was placed is dropped last.
unsafe impl SharedMemory for InTurn {
    fn pages(&self) -> &Pages {
        &self.common().pages
    }

    fn refresh(&mut self) -> PageCount {
        self.seen_to().set(self.memory().end_page());
        PageCount(self.seen_to().get())
    }

    fn give_heap_up_at_end_of_thread(&self) {}

    unsafe fn place<T>(&mut self, page: u32) -> (NonNull<T>, u32) {
        let placed = Placed::new::<T>();
        let heap = placed.0.cast();
        self.common().placed.borrow_mut().push(placed);
        (heap, end_of_state(page))
    }
}

// SAFETY: as for the simulated memory.
unsafe impl LinearMemory for InTurn {
    fn initial_region(&self) -> Region {
        self.memory().initial_region()
    }

    fn size(&self) -> PageCount {
        self.memory().size()
    }

    fn grow(&mut self, pages: PageCount) -> Option<Region> {
        let region = self.memory().grow(pages)?;
        self.seen_to().set((region.start >> PAGE_SHIFT) + pages.0);
        Some(region)
    }

    unsafe fn read_word(&self, address: u32, offset: u32) -> u32 {
        // SAFETY: as the caller says.
        unsafe { self.memory().read_word(address, offset) }
    }

    unsafe fn write_word(&mut self, address: u32, offset: u32, word: u32) {
        // SAFETY: as the caller says.
        unsafe { self.memory().write_word(address, offset, word) }
    }

    unsafe fn copy(&mut self, from: u32, to: u32, bytes: u32) {
        self.check_seen(from, bytes);
        self.check_seen(to, bytes);
        // SAFETY: as the caller says.
        unsafe { self.memory().copy(from, to, bytes) }
    }

    unsafe fn clear(&mut self, address: u32, bytes: u32) {
        self.check_seen(address, bytes);
        // SAFETY: as the caller says.
        unsafe { self.memory().clear(address, bytes) }
    }

    unsafe fn clear_small(&mut self, address: u32, bytes: u32) {
        // SAFETY: as the caller says.
        unsafe { self.memory().clear_small(address, bytes) }
    }
}

/// The heaps, the threads, and what they have released and the heaps have not taken back.
struct Turns {
    memory: InTurn,
    heaps: Heaps<InTurn>,
    // After the heaps, which have accesses to it.
    common: Rc<Common>,
    rule: Rule,
    threads: RefCell<[Thread<InTurn>; 2]>,
    calls: u32,
    pending: BTreeMap<u32, Request>,
}

impl Turns {
    fn new(rule: Rule, memory: SimulatedMemory) -> Self {
        let common = Rc::new(Common {
            memory: UnsafeCell::new(memory),
            pages: Pages::new(),
            caller: Cell::new(0),
            seen_to: [const { Cell::new(0) }; 3],
            placed: RefCell::new(Vec::new()),
        });
        let memory = InTurn(&*common);
        Turns {
            heaps: Heaps::new(memory),
            memory,
            common,
            rule,
            threads: RefCell::new([Thread::NEW; 2]),
            calls: 0,
            pending: BTreeMap::new(),
        }
    }

    /// Says whose the next call is. Now and then a thread gives its heap up before.
    fn next_turn(&mut self) {
        self.calls += 1;
        let random = self.calls.wrapping_mul(0x9E37_79B9) >> 16;
        let caller = match random % 16 {
            0..=6 => 0,
            7..=13 => 1,
            _ => WITHOUT_STORAGE,
        };
        self.common.caller.set(caller);
        if let (Some(thread), 0) = (self.threads.borrow_mut().get_mut(caller), random / 16 % 32) {
            self.heaps.release(thread);
        }
    }

    /// What a call returns for the thread whose turn it is.
    fn call<R>(&self, call: impl FnOnce(&Heaps<InTurn>, Option<&mut Thread<InTurn>>) -> R) -> R {
        let mut threads = self.threads.borrow_mut();
        call(&self.heaps, threads.get_mut(self.common.caller.get()))
    }

    /// The number of the heap that a block is from.
    fn heap_of(&self, block: u64) -> u8 {
        // SAFETY: all of this runs on one thread.
        unsafe { self.common.pages.owner_of(block as u32) }.number()
    }

    /// Whether the thread whose turn it is could have a block from this heap: not from the other thread's.
    fn is_reachable(&self, heap: u8) -> bool {
        let caller = self.common.caller.get();
        let threads = self.threads.borrow();
        let mut others = threads.iter().enumerate().filter(|&(number, _)| number != caller);
        others.all(|(_, thread)| thread.owner != Owner::heap(heap))
    }

    /// The blocks that were released and that this heap has not taken back.
    fn pending_of(&self, heap: u8) -> Vec<(u32, Request)> {
        let blocks = self.heaps.pending(heap);
        let with_request = |(block, class)| {
            let request = self.pending[&block];
            assert_eq!(has_class(request), class, "the mark of {block:#x}");
            (block, request)
        };
        blocks.into_iter().map(with_request).collect()
    }
}

impl Calls for Turns {
    const MAX_ALIGN: u32 = 1 << 19;
    const SHARES_THE_MEMORY: bool = true;
    const SERVES_AFTER_REFUSAL: bool = true;

    fn memory(&mut self) -> &mut SimulatedMemory {
        self.memory.memory()
    }

    fn allocate(&mut self, request: Request) -> Option<u32> {
        self.next_turn();
        let address = self.call(|heaps, thread| heaps.allocate(self.rule, thread, request));
        (address != 0).then_some(address)
    }

    fn allocate_zeroed(&mut self, request: Request) -> Option<u32> {
        self.next_turn();
        let address = self.call(|heaps, thread| heaps.allocate_zeroed(self.rule, thread, request));
        (address != 0).then_some(address)
    }

    fn tail_bytes(&self) -> u32 {
        self.call(|heaps, thread| heaps.stats(thread)).tail_bytes
    }

    fn reallocate(&mut self, address: u32, request: Request, new_size: u32) -> Option<u32> {
        self.next_turn();
        // SAFETY: the model passes live blocks with their layouts.
        let new = self.call(|heaps, thread| unsafe { heaps.reallocate(self.rule, thread, address, request, new_size) });
        if new != address && new != 0 {
            self.pending.insert(address, request);
        }
        (new != 0).then_some(new)
    }

    fn deallocate(&mut self, address: u32, request: Request) {
        self.next_turn();
        self.pending.insert(address, request);
        // SAFETY: as for `reallocate`.
        self.call(|heaps, thread| unsafe { heaps.deallocate(thread, address, request) });
    }
}

impl Subject for Turns {
    fn extent(&self, address: u32, request: Request) -> Range<u64> {
        // SAFETY: no call is under way.
        unsafe { self.heaps.heap(self.heap_of(address.into())) }
            .heap()
            .extent_of(address, request)
    }

    fn extent_bytes(&self, request: Request) -> u64 {
        u64::from(crate::heaps::merging::MergingHeap::<SimulatedMemory>::bytes_for(
            request,
        ))
    }

    /// The tail of a heap that the thread whose turn it is cannot reach counts as free. What was not taken back yet, and the
    /// initial memory, which no thread uses, are overhead.
    fn idle(&self, live: &[(u32, Request)]) -> Vec<(Idle, Range<u64>)> {
        let mut idle = std::vec![(Idle::Overhead, bytes_of_region(self.memory.initial_region()))];
        for heap in self.heaps.numbers() {
            let pending = self.pending_of(heap);
            let own = live.iter().filter(|(block, _)| self.heap_of((*block).into()) == heap);
            let in_use: Vec<_> = own.copied().chain(pending.iter().copied()).collect();
            // SAFETY: no call is under way.
            for (use_, range) in unsafe { self.heaps.survey(heap, &in_use) } {
                let use_ = if use_ == Idle::Tail && !self.is_reachable(heap) {
                    Idle::Free
                } else {
                    use_
                };
                idle.push((use_, range));
            }
            let extents = pending.iter().map(|&(block, request)| self.extent(block, request));
            idle.extend(extents.map(|extent| (Idle::Overhead, extent)));
        }
        idle
    }

    fn serves(&self, free: &Range<u64>, request: Request) -> bool {
        let heap = self.heap_of(free.start);
        // SAFETY: no call is under way.
        self.is_reachable(heap) && unsafe { self.heaps.heap(heap) }.heap().must_serve(free, request)
    }

    /// Each thread's figures have what is free in its own heap and in those that nobody uses; those of a thread without storage
    /// have the latter alone.
    fn check_figures(&self, totals: &Totals) {
        let mut threads = self.threads.borrow_mut();
        let [first, second] = &mut *threads;
        let stats = [Some(first), Some(second), None].map(|thread| self.heaps.stats(thread));
        let [first, second, neither] = stats.map(|stats| u64::from(stats.free_bytes) + u64::from(stats.tail_bytes));
        assert_eq!(first + second - neither, totals.free + totals.tail, "what is free");
        let owned: u32 = self
            .heaps
            .numbers()
            .into_iter()
            // SAFETY: no call is under way.
            .map(|heap| unsafe { self.heaps.heap(heap) }.heap().memory().own_pages().0)
            .sum();
        for stats in stats {
            assert_eq!(stats.address_space_bytes, owned * PAGE_BYTES, "address_space_bytes");
            assert_eq!(
                stats.live_bytes + stats.free_bytes + stats.tail_bytes,
                stats.address_space_bytes
            );
            assert!(u64::from(stats.largest_free_bytes) <= totals.largest_idle);
        }
    }
}

/// A rule that grows the memory like this.
fn rule(growth: Growth, limit: PageLimit) -> Rule {
    Rule {
        growth: PackedGrowth::new(growth),
        limit,
    }
}

#[test]
#[cfg_attr(miri, ignore = "real threads and the model's other programs make the same accesses")]
fn threads_that_take_turns_agree_with_the_oracle_after_each_step_of_random_programs() {
    test_programs(|memory| Turns::new(rule(Growth::THIRTY_SECOND, PageLimit::NONE), memory));
}

#[test]
#[cfg_attr(miri, ignore = "real threads and the model's other programs make the same accesses")]
fn threads_that_take_turns_agree_with_the_oracle_when_they_have_a_ceiling() {
    test_programs(|mut memory| {
        let ceiling = memory.end_page() + 12;
        // From 65,536 on there is none.
        if ceiling < END_PAGE {
            memory.ceiling_pages = ceiling;
        }
        Turns::new(rule(Growth::DOUBLING, PageLimit::new(ceiling)), memory)
    });
}
