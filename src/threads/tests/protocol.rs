//! What threads do to each other, in cases small enough that loom plays all of them: all orders in which the threads can run, and all
//! values that a load can see by C11's rules. The words of the memory, the owners of the pages, and what a seat guards are
//! cells of loom's: an access without an order is an error.
//!
//! The code under test is that of this layer; only its atomic types are loom's (`sync.rs`). The larger cases stop at a number of
//! switches between threads where both could go on: `FREEING_BUMP_LOOM_SWITCHES`, or three.

use super::loom_types::AtomicU32;
use crate::heaps::Request;
use crate::memory::linear::{LinearMemory, PackedGrowth, PageLimit, Region};
use crate::memory::{Growth, PAGE_SHIFT, PageCount};
use crate::tests::model::random::number_from_environment;
use crate::threads::heaps::Heaps;
use crate::threads::pages::{Owner, Pages};
use crate::threads::remote_blocks::{RemoteBlocks, RemoteStack};
use crate::threads::seat::Seat;
use crate::threads::shared_memory::SharedMemory;
use crate::threads::thread::Thread;
use crate::threads::thread_heap::Rule;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;
use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::thread;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::boxed::Box;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::vec::Vec;

const RULE: Rule = Rule {
    growth: PackedGrowth::new(Growth::Exact),
    limit: PageLimit::NONE,
};

const SMALL: Request = Request { size: 512, align: 8 };

/// The memory: its words are made at their first access, as cells.
struct World {
    words: Mutex<BTreeMap<u32, Arc<UnsafeCell<u32>>>>,
    end_page: AtomicU32,
    ceiling_page: u32,
    pages: Pages,
    placed: Mutex<Vec<(NonNull<u8>, Layout)>>,
}

/// An access to the world, which outlives it.
#[derive(Clone, Copy)]
struct Access(*const World);

// SAFETY: a world is shared by all threads of a test, which have ended before it is dropped.
unsafe impl Send for Access {}
// SAFETY: as above.
unsafe impl Sync for Access {}
// SAFETY: as above; its cells are loom's, which finds accesses without an order.
unsafe impl Send for World {}
// SAFETY: as above.
unsafe impl Sync for World {}

impl World {
    fn new(ceiling_page: u32) -> Self {
        let world = World {
            words: Mutex::new(BTreeMap::new()),
            end_page: AtomicU32::new(1),
            ceiling_page,
            pages: Pages::new(),
            placed: Mutex::new(Vec::new()),
        };
        // Made before there are threads.
        world.end_page.load(Ordering::Relaxed);
        world.pages.touch();
        world
    }

    fn word(&self, address: u32) -> Arc<UnsafeCell<u32>> {
        let mut words = self.words.lock().expect("no thread has panicked");
        words
            .entry(address)
            .or_insert_with(|| Arc::new(UnsafeCell::new(0)))
            .clone()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let placed = self.placed.get_mut().expect("no thread has panicked");
        for (heap, layout) in placed.drain(..) {
            // SAFETY: it was allocated with this layout, and no thread uses the heap any more.
            unsafe { dealloc(heap.as_ptr(), layout) };
        }
    }
}

impl Access {
    fn world(&self) -> &World {
        // SAFETY: the world is dropped after all that has an access to it.
        unsafe { &*self.0 }
    }
}

// SAFETY: growth is one atomic addition. There is one `Pages` for a world, and what was placed is dropped with that.
unsafe impl SharedMemory for Access {
    fn pages(&self) -> &Pages {
        &self.world().pages
    }

    fn refresh(&mut self) -> PageCount {
        self.size()
    }

    fn give_heap_up_at_end_of_thread(&self) {}

    unsafe fn place<T>(&mut self, page: u32) -> (NonNull<T>, u32) {
        let layout = Layout::new::<T>();
        // SAFETY: a heap's state is not empty.
        let heap = NonNull::new(unsafe { alloc_zeroed(layout) }).expect("there is memory");
        let mut placed = self.world().placed.lock().expect("no thread has panicked");
        placed.push((heap, layout));
        (heap.cast(), (page << PAGE_SHIFT) + 1200)
    }
}

// SAFETY: as above; the words are loom's cells.
unsafe impl LinearMemory for Access {
    fn initial_region(&self) -> Region {
        Region::of_pages(1, 1)
    }

    fn size(&self) -> PageCount {
        PageCount(self.world().end_page.load(Ordering::Relaxed))
    }

    fn grow(&mut self, pages: PageCount) -> Option<Region> {
        let first = self.world().end_page.fetch_add(pages.0, Ordering::Relaxed);
        assert!(
            first + pages.0 <= self.world().ceiling_page,
            "the engine was asked for {} pages after {first}, with a ceiling of {}",
            pages.0,
            self.world().ceiling_page
        );
        Some(Region::of_pages(first, first + pages.0))
    }

    unsafe fn read_word(&self, address: u32, offset: u32) -> u32 {
        // SAFETY: loom finds a race.
        self.world().word(address + offset).with(|word| unsafe { *word })
    }

    unsafe fn write_word(&mut self, address: u32, offset: u32, new: u32) {
        // SAFETY: loom finds a race.
        self.world()
            .word(address + offset)
            .with_mut(|word| unsafe { *word = new });
    }

    unsafe fn copy(&mut self, from: u32, to: u32, bytes: u32) {
        for offset in (0..bytes).step_by(4) {
            // SAFETY: as the caller says.
            let word = unsafe { self.read_word(from, offset) };
            // SAFETY: as the caller says.
            unsafe { self.write_word(to, offset, word) };
        }
    }

    unsafe fn clear(&mut self, address: u32, bytes: u32) {
        for offset in (0..bytes).step_by(4) {
            // SAFETY: as the caller says.
            unsafe { self.write_word(address, offset, 0) };
        }
    }

    unsafe fn clear_small(&mut self, address: u32, bytes: u32) {
        // SAFETY: as the caller says.
        unsafe { self.clear(address, bytes) }
    }
}

/// Plays all cases of a test, or those with few switches between threads where there are too many.
fn play(few_switches: bool, test: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.max_branches = 100_000;
    if few_switches {
        let switches = number_from_environment("FREEING_BUMP_LOOM_SWITCHES", 3);
        builder.preemption_bound = Some(switches as usize);
    }
    builder.check(test);
}

/// The blocks, last one first.
fn all_of(mut blocks: RemoteBlocks, memory: Access) -> Vec<(u32, bool)> {
    core::iter::from_fn(|| blocks.pop(&memory)).collect()
}

#[test]
fn a_stack_loses_no_block_and_hands_none_out_twice_and_its_links_are_written_before_they_are_read() {
    play(false, || {
        let world = Arc::new((World::new(2), RemoteStack::new()));
        assert!(world.1.is_empty());
        let pushers: Vec<_> = [[(8, true), (16, false)].as_slice(), &[(24, true)]]
            .into_iter()
            .map(|blocks| {
                let world = world.clone();
                thread::spawn(move || {
                    for &(block, has_class) in blocks {
                        // SAFETY: the block is this thread's.
                        unsafe { world.1.push(&mut Access(&world.0), block, has_class) };
                    }
                })
            })
            .collect();
        let mut taken = all_of(world.1.take(), Access(&world.0));
        for pusher in pushers {
            pusher.join().expect("no thread has panicked");
        }
        taken.extend(all_of(world.1.take(), Access(&world.0)));
        taken.sort_unstable();
        assert_eq!(taken, [(8, true), (16, false), (24, true)]);
    });
}

#[test]
fn a_seat_is_taken_by_one_thread_at_a_time_which_sees_what_the_one_before_has_done() {
    play(true, || {
        let seat = Arc::new((Seat::<Access>::new(), UnsafeCell::new(0u32)));
        seat.0.touch();
        let use_it = |seat: &(Seat<Access>, UnsafeCell<u32>)| {
            let taken = seat.0.try_take();
            if taken {
                // SAFETY: loom finds a race.
                seat.1.with_mut(|used| unsafe { *used += 1 });
                // SAFETY: the seat was taken just now.
                unsafe { seat.0.give_up() };
            }
            u32::from(taken)
        };
        let threads = [(); 2].map(|()| {
            let seat = seat.clone();
            thread::spawn(move || use_it(&seat))
        });
        let mut times = use_it(&seat);
        for thread in threads {
            times += thread.join().expect("no thread has panicked");
        }
        // SAFETY: loom finds a race.
        assert_eq!(seat.1.with(|used| unsafe { *used }), times);
        assert!(times >= 1, "a seat was refused to all");
    });
}

#[test]
fn the_owner_of_a_page_is_written_before_whoever_is_handed_a_block_of_it_reads_it() {
    play(false, || {
        let world = Arc::new((World::new(8), RemoteStack::new()));
        world.1.is_empty();
        let other = world.clone();
        let adder = thread::spawn(move || {
            let mut memory = Access(&other.0);
            let page = other.0.pages.grow(&mut memory, PageLimit::NONE, PageCount(2));
            // SAFETY: the pages were added just now.
            unsafe { other.0.pages.set_owner(page, 2, Owner::heap(7)) };
            // The hand-over, by whatever releases and acquires.
            // SAFETY: the block is this thread's.
            unsafe { other.1.push(&mut memory, (page + 1) << PAGE_SHIFT, false) };
        });
        let mut memory = Access(&world.0);
        let page = world.0.pages.grow(&mut memory, PageLimit::NONE, PageCount(1));
        // SAFETY: the page was added just now.
        unsafe { world.0.pages.set_owner(page, 1, Owner::heap(9)) };
        for (block, _) in all_of(world.1.take(), memory) {
            // SAFETY: the block was handed over.
            assert_eq!(unsafe { world.0.pages.owner_of(block) }, Owner::heap(7));
        }
        // SAFETY: the page is this thread's.
        assert_eq!(unsafe { world.0.pages.owner_of(page << PAGE_SHIFT) }, Owner::heap(9));
        adder.join().expect("no thread has panicked");
        assert_eq!(world.0.pages.owned(), PageCount(3));
    });
}

/// Has three threads grow a memory of one page by these pages, with a ceiling: which of them were served, and the world.
fn grow_together(ceiling: u32, pages: [u32; 3]) -> ([bool; 3], Arc<World>) {
    let world = Arc::new(World::new(ceiling));
    let grow = move |world: &World, pages| {
        let first = world
            .pages
            .grow(&mut Access(world), PageLimit::new(ceiling), PageCount(pages));
        first != 0
    };
    let others = [pages[1], pages[2]].map(|pages| {
        let world = world.clone();
        (pages != 0).then(|| thread::spawn(move || grow(&world, pages)))
    });
    let first = grow(&world, pages[0]);
    let [second, third] = others.map(|other| other.is_some_and(|other| other.join().expect("no thread has panicked")));
    ([first, second, third], world)
}

#[test]
fn threads_that_grow_a_memory_together_never_pass_its_ceiling_and_one_that_fits_alone_is_served() {
    play(false, || {
        // There is room for two pages, and two threads want them: one is served.
        let (served, _) = grow_together(3, [2, 2, 0]);
        assert_eq!(served.iter().filter(|&&served| served).count(), 1);
    });
    play(false, || {
        // What is too much takes nothing from who fits.
        let (served, world) = grow_together(3, [2, 3, 0]);
        assert_eq!(served, [true, false, false]);
        assert_eq!(world.end_page.load(Ordering::Relaxed), 3);
    });
}

#[test]
fn growth_that_was_refused_leaves_room_for_what_fits_later() {
    play(true, || {
        let (served, world) = grow_together(4, [2, 2, 1]);
        assert!(served.contains(&true));
        let left = 4 - world.end_page.load(Ordering::Relaxed);
        for _ in 0..left {
            let page = world.pages.grow(&mut Access(&*world), PageLimit::new(4), PageCount(1));
            assert_ne!(page, 0, "a page below the ceiling was refused");
        }
    });
}

/// A world with heaps.
struct Setting {
    heaps: Box<Heaps<Access>>,
    // After the heaps, which have accesses to it.
    world: Box<World>,
}

impl Setting {
    fn new() -> Arc<Self> {
        let world = Box::new(World::new(16));
        let access = Access(&*world);
        // The stack of loom's threads is too short for it.
        let made = std::thread::spawn(move || Box::new(Heaps::new(access))).join();
        let heaps = made.expect("the thread has not panicked");
        heaps.touch();
        Arc::new(Setting { heaps, world })
    }

    fn allocate(&self, thread: &mut Thread<Access>) -> u32 {
        let block = self.heaps.allocate(RULE, Some(thread), SMALL);
        assert_ne!(block, 0);
        // SAFETY: the block is this thread's. A block that another has is a race.
        unsafe { Access(&*self.world).write_word(block, 8, block) };
        block
    }

    fn release(&self, thread: Option<&mut Thread<Access>>, block: u32) {
        let mut memory = Access(&*self.world);
        // SAFETY: the block is this thread's.
        assert_eq!(unsafe { memory.read_word(block, 8) }, block);
        // SAFETY: as above.
        unsafe { memory.write_word(block, 8, 0) };
        // SAFETY: the block is live.
        unsafe { self.heaps.deallocate(thread, block, SMALL) };
    }
}

#[test]
fn a_block_that_another_thread_releases_is_taken_back_once_and_overlaps_none() {
    play(true, || {
        let setting = Setting::new();
        let mut owner = Thread::NEW;
        // All of a run, so that the next request looks at the stack.
        let mut blocks: Vec<u32> = (0..15).map(|_| setting.allocate(&mut owner)).collect();
        let given = [blocks.swap_remove(3), blocks.swap_remove(7)];
        let other = setting.clone();
        let releaser = thread::spawn(move || {
            let mut thread = Thread::NEW;
            for block in given {
                other.release(Some(&mut thread), block);
            }
        });
        blocks.extend([setting.allocate(&mut owner), setting.allocate(&mut owner)]);
        releaser.join().expect("no thread has panicked");
        blocks.extend((0..3).map(|_| setting.allocate(&mut owner)));
        let number = blocks.len();
        blocks.sort_unstable();
        blocks.dedup();
        assert_eq!(blocks.len(), number, "a block was handed out twice");
        for block in blocks {
            setting.release(Some(&mut owner), block);
        }
        // SAFETY: the other thread has ended, and all blocks were released.
        unsafe { setting.heaps.assert_all_is_free() };
    });
}

#[test]
fn a_thread_that_adopts_a_heap_sees_all_that_its_last_user_has_done() {
    play(true, || {
        let setting = Setting::new();
        let mut first = Thread::NEW;
        let block = setting.allocate(&mut first);
        let other = setting.clone();
        let adopter = thread::spawn(move || {
            let mut thread = Thread::NEW;
            let mut blocks: Vec<u32> = (0..2).map(|_| other.allocate(&mut thread)).collect();
            blocks.push(block);
            for block in blocks {
                other.release(Some(&mut thread), block);
            }
            other.heaps.release(&mut thread);
        });
        let more = setting.allocate(&mut first);
        setting.heaps.release(&mut first);
        setting.release(Some(&mut first), more);
        adopter.join().expect("no thread has panicked");
        // SAFETY: the other thread has ended, and all blocks were released.
        unsafe { setting.heaps.assert_all_is_free() };
    });
}

#[test]
fn threads_without_storage_share_a_common_heap() {
    play(true, || {
        let setting = Setting::new();
        let use_it = |setting: &Setting| {
            let block = setting.heaps.allocate(RULE, None, SMALL);
            assert_ne!(block, 0);
            // SAFETY: the block is this thread's.
            unsafe { Access(&*setting.world).write_word(block, 8, block) };
            setting.release(None, block);
        };
        let other = setting.clone();
        let thread = thread::spawn(move || use_it(&other));
        use_it(&setting);
        thread.join().expect("no thread has panicked");
        // SAFETY: the other thread has ended, and all blocks were released.
        unsafe { setting.heaps.assert_all_is_free() };
    });
}
