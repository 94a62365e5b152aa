//! Single situations, on threads that take turns on one real thread.

use super::player::{Exchange, Player, RULE};
use super::world::{Shared, World, see_to};
use crate::heaps::Request;
use crate::memory::PAGE_BYTES;
use crate::threads::heaps::Heaps;
use crate::threads::shared_memory::SharedMemory;
use crate::threads::thread::Thread;
use std::boxed::Box;
use std::collections::BTreeSet;
use std::vec::Vec;

const SMALL: Request = Request { size: 40, align: 8 };
const LARGE: Request = Request {
    size: 100_000,
    align: 8,
};

/// The common heaps.
const COMMON: [u8; 4] = [2, 4, 6, 8];

/// A world and its heaps, for a test.
struct Setting<'w> {
    world: &'w World,
    heaps: Box<Heaps<Shared<'w>>>,
}

impl<'w> Setting<'w> {
    fn new(world: &'w World) -> Self {
        Setting {
            world,
            heaps: Box::new(Heaps::new(world.shared())),
        }
    }

    fn player(&'w self) -> Player<'w> {
        Player::new(self.world, &self.heaps, RULE, 1)
    }

    fn allocate(&self, thread: &mut Thread<Shared<'w>>, request: Request) -> u32 {
        self.heaps.allocate(RULE, Some(thread), request)
    }

    fn release(&self, thread: &mut Thread<Shared<'w>>, block: u32, request: Request) {
        // SAFETY: the tests pass live blocks with their requests.
        unsafe { self.heaps.deallocate(Some(thread), block, request) }
    }

    fn resize(&self, thread: &mut Thread<Shared<'w>>, block: u32, request: Request, new_size: u32) -> u32 {
        // SAFETY: the tests pass live blocks with their requests.
        unsafe { self.heaps.reallocate(RULE, Some(thread), block, request, new_size) }
    }

    /// The number of the heap that a block is from.
    fn heap_of(&self, block: u32) -> u8 {
        assert_ne!(block, 0, "the request was refused");
        // SAFETY: the block was handed out.
        unsafe { self.world.shared().pages().owner_of(block) }.number()
    }
}

#[test]
fn a_memory_that_gives_no_page_refuses_at_once() {
    let world = &World::new(1, 0);
    let setting = Setting::new(world);
    for request in [SMALL, LARGE] {
        let mut thread = Thread::NEW;
        assert_eq!(setting.allocate(&mut thread, request), 0);
        assert_eq!(setting.heaps.allocate_zeroed(RULE, None, request), 0);
    }
    assert!(world.growths() <= 1024, "asked for memory {} times", world.growths());
}

#[test]
fn a_request_that_no_heap_has_memory_for_is_refused_at_once() {
    let world = &World::new(1, 3);
    let setting = Setting::new(world);
    let (mut first, mut second) = (Thread::NEW, Thread::NEW);
    let mut blocks = 0;
    while setting.allocate(&mut first, SMALL) != 0 {
        blocks += 1;
    }
    assert!(blocks > 1000);
    let before = world.growths();
    for request in [SMALL, LARGE] {
        assert_eq!(setting.allocate(&mut second, request), 0);
        assert_eq!(setting.heaps.allocate(RULE, None, request), 0);
    }
    assert!(
        world.growths() - before <= 1024,
        "asked for memory {} times",
        world.growths() - before
    );
}

#[test]
fn a_request_of_up_to_10_kib_is_served_by_the_heap_of_its_thread_and_a_larger_one_by_a_common_one() {
    let world = &World::new(1, 100);
    let setting = Setting::new(world);
    let (mut first, mut second) = (Thread::NEW, Thread::NEW);
    let of_sizes = |thread: &mut _, sizes: [u32; 3]| {
        sizes.map(|size| setting.heap_of(setting.allocate(thread, Request { size, align: 8 })))
    };
    let own = of_sizes(&mut first, [1, 5000, 10 << 10]);
    let own_of_second = of_sizes(&mut second, [1, 5000, 10 << 10]);
    assert_eq!((own[0], own[0]), (own[1], own[2]));
    assert_eq!(
        (own_of_second[0], own_of_second[0]),
        (own_of_second[1], own_of_second[2])
    );
    assert_ne!(own[0], own_of_second[0]);
    assert!(!COMMON.contains(&own[0]) && !COMMON.contains(&own_of_second[0]));
    for thread in [&mut first, &mut second] {
        let common = of_sizes(thread, [(10 << 10) + 1, 100_000, 1 << 20]);
        assert!(common.iter().all(|heap| COMMON.contains(heap)));
    }
    let without_storage = setting.heap_of(setting.heaps.allocate(RULE, None, SMALL));
    assert!(COMMON.contains(&without_storage));
}

#[test]
#[cfg_attr(miri, ignore = "counts thousands of blocks thousands of times")]
fn an_empty_list_takes_back_1024_blocks_at_most_and_the_end_of_a_thread_takes_back_all() {
    let world = &World::new(1, 40);
    let setting = Setting::new(world);
    let (mut owner, mut other) = (Thread::NEW, Thread::NEW);
    let blocks: Vec<u32> = (0..5000).map(|_| setting.allocate(&mut owner, SMALL)).collect();
    let heap = setting.heap_of(blocks[0]);
    for &block in &blocks {
        setting.release(&mut other, block, SMALL);
    }
    assert_eq!(setting.heaps.pending(heap).len(), 5000);
    let pages = world.end_page();
    let mut left = 5000;
    let mut again = BTreeSet::new();
    for _ in 0..5000 {
        again.insert(setting.allocate(&mut owner, SMALL));
        let now = setting.heaps.pending(heap).len();
        assert!(left - now <= 1024, "{} blocks at once", left - now);
        left = now;
    }
    assert_eq!(again.len(), 5000);
    assert_eq!(
        world.end_page(),
        pages,
        "what was released is handed out before the memory grows"
    );

    for block in again {
        setting.release(&mut other, block, SMALL);
    }
    setting.heaps.release(&mut owner);
    assert_eq!(setting.heaps.pending(heap).len(), 0);
    let mut next = Thread::NEW;
    assert_eq!(
        setting.heap_of(setting.allocate(&mut next, SMALL)),
        heap,
        "the heap is adopted"
    );
    assert_eq!(world.end_page(), pages);
}

#[test]
fn a_block_of_another_thread_moves_when_it_is_resized_and_one_of_a_common_heap_stays_while_it_is_large() {
    let world = &World::new(1, 40);
    let setting = Setting::new(world);
    let (mut owner, mut other) = (Thread::NEW, Thread::NEW);
    setting.allocate(&mut other, SMALL);
    let small = setting.allocate(&mut owner, SMALL);
    let moved = setting.resize(&mut other, small, SMALL, 33);
    assert_ne!(setting.heap_of(moved), setting.heap_of(small));
    assert_eq!(setting.resize(&mut other, moved, SMALL.with_size(33), 40), moved);
    // A block of a common heap grows where it is, whoever made it; a size of a thread's own heap goes there.
    let large = setting.allocate(&mut owner, LARGE);
    assert_eq!(setting.resize(&mut other, large, LARGE, 140_000), large);
    let shrunk = setting.resize(&mut other, large, LARGE.with_size(140_000), 10 << 10);
    assert!(!COMMON.contains(&setting.heap_of(shrunk)));
    // What was given up is used again.
    let pages = world.end_page();
    assert!(COMMON.contains(&setting.heap_of(setting.allocate(&mut other, LARGE))));
    assert_eq!(world.end_page(), pages);
}

#[test]
fn a_large_block_grows_in_the_heap_of_its_thread_to_256_kib() {
    let world = &World::new(1, 100);
    let setting = Setting::new(world);
    let mut thread = Thread::NEW;
    let request = Request { size: 12_000, align: 8 };
    let block = setting.allocate(&mut thread, request);
    let own = setting.heap_of(block);
    let block = setting.resize(&mut thread, block, request, 256 << 10);
    assert_eq!(setting.heap_of(block), own);
    let block = setting.resize(&mut thread, block, request.with_size(256 << 10), (256 << 10) + 1);
    assert!(COMMON.contains(&setting.heap_of(block)));
}

#[test]
fn a_thread_that_is_stopped_in_a_call_on_a_common_heap_blocks_nobody() {
    let world = &World::new(1, 100);
    let setting = Setting::new(world);
    let mut thread = Thread::NEW;
    let block = setting.allocate(&mut thread, LARGE);
    for heap in COMMON {
        let number = setting.heap_of(setting.allocate(&mut thread, LARGE));
        setting.heaps.stop_in_heap(heap);
        assert_ne!(
            setting.heap_of(setting.allocate(&mut thread, LARGE)),
            heap,
            "heap {number}"
        );
    }
    // Nor does a release wait, or a resizing.
    let moved = setting.resize(&mut thread, block, LARGE, 150_000);
    assert_ne!(setting.heap_of(moved), setting.heap_of(block));
    assert_ne!(setting.heaps.allocate(RULE, None, SMALL), 0);
}

#[test]
fn a_thread_that_has_given_its_heap_up_releases_without_one_and_takes_one_when_it_allocates() {
    let world = &World::new(1, 100);
    let setting = Setting::new(world);
    let mut thread = Thread::NEW;
    let block = setting.allocate(&mut thread, SMALL);
    setting.heaps.release(&mut thread);
    setting.heaps.release(&mut thread);
    setting.release(&mut thread, block, SMALL);
    assert!(thread.heap.is_none());
    let mut next = Thread::NEW;
    assert_eq!(
        setting.heap_of(setting.allocate(&mut next, SMALL)),
        setting.heap_of(block)
    );
    let again = setting.allocate(&mut thread, SMALL);
    assert_ne!(setting.heap_of(again), setting.heap_of(block));
    assert!(thread.heap.is_some());
}

#[test]
#[cfg_attr(miri, ignore = "ten thousand threads")]
fn short_threads_one_after_another_hold_a_steady_memory() {
    let world = &World::new(1, 400);
    let setting = Setting::new(world);
    let exchange = &Exchange::<4>::new();
    let mut pages = 0;
    for number in 0..10_000 {
        see_to(0);
        let mut player = Player::new(world, &setting.heaps, RULE, 1 + number % 100);
        for _ in 0..20 {
            player.step(exchange);
        }
        player.release_all(exchange);
        player.release_heap();
        assert_eq!(player.refused, 0);
        if number == 200 {
            pages = world.end_page();
        }
    }
    assert_eq!(world.end_page(), pages);
}

#[test]
#[cfg_attr(miri, ignore = "hundreds of thousands of rounds")]
fn what_one_thread_allocates_and_another_releases_holds_a_steady_memory() {
    let world = &World::new(1, 400);
    let setting = Setting::new(world);
    let (mut producer, mut consumer) = (setting.player(), setting.player());
    let mut pages = 0;
    for round in 0..200_000 {
        let request = Request {
            size: [40, 200, 700, 3000, 40_000][round % 5],
            align: 8,
        };
        let block = producer.allocate(request, false).expect("there is memory");
        consumer.release(block);
        if round == 10_000 {
            pages = world.end_page();
        }
    }
    assert_eq!(world.end_page(), pages);
    assert!(
        consumer.thread.is_some_and(|thread| thread.heap.is_none()),
        "a release takes no heap"
    );
}

#[test]
#[cfg_attr(miri, ignore = "hundreds of heaps")]
fn threads_beyond_the_last_heap_are_served_by_common_ones() {
    let world = &World::new(1, 400);
    let setting = Setting::new(world);
    let mut heaps = BTreeSet::new();
    let mut threads: Vec<_> = (0..300).map(|_| Thread::NEW).collect();
    for thread in &mut threads {
        let heap = setting.heap_of(setting.allocate(thread, SMALL));
        match thread.heap {
            Some(_) => assert!(heaps.insert(heap), "heap {heap} has two threads"),
            None => assert!(COMMON.contains(&heap)),
        }
    }
    assert_eq!(heaps.len(), 250);
    assert!(heaps.iter().all(|heap| !COMMON.contains(heap)));
}

#[test]
fn zeros_and_copies_reach_pages_that_another_thread_has_added() {
    let world = &World::new(1, 100);
    let setting = Setting::new(world);
    let mut adder = setting.player();
    let [small, large] = [
        Request { size: 10_000, align: 8 },
        Request {
            size: 3 * PAGE_BYTES,
            align: 8,
        },
    ];
    for request in [small, large] {
        let block = adder.allocate(request, false).expect("there is memory");
        adder.release(block);
    }
    let block = adder.allocate(large, false).expect("there is memory");
    adder.release_heap();
    // Another thread adopts the heap, uses the common one, and takes over the block: it has seen no page.
    see_to(0);
    let mut other = setting.player();
    let block = other.resize(block, 4 * PAGE_BYTES);
    other.release(block);
    for request in [small, large] {
        let block = other.allocate(request, true).expect("there is memory");
        other.release(block);
    }
    see_to(0);
    let mut without_storage = setting.player().without_storage();
    for request in [small, large] {
        let block = without_storage.allocate(request, true).expect("there is memory");
        let block = without_storage.resize(block, 40_000);
        without_storage.release(block);
    }
}
