//! Place functions that allocate, and allocators that ask for memory of their own.

use super::super::{Place, Profiled};
use super::inner::{Inner, place};
use core::alloc::{GlobalAlloc, Layout};
use std::thread_local;

const LAYOUT: Layout = Layout::new::<u64>();
const ASKED_MEANWHILE: Layout = Layout::new::<[u64; 4]>();

thread_local! {
    static ALLOCATOR: Profiled<CallsBack> = const { Profiled::new(CallsBack, allocate_and_return_7) };
}

/// The system's allocator, which asks the wrapper around it for a block when it makes the table.
struct CallsBack;

// SAFETY: each call is passed on as it is.
unsafe impl GlobalAlloc for CallsBack {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the size of the layout is not 0, as the caller must see to.
        unsafe { std::alloc::System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATOR.with(make_and_release);
        // SAFETY: the size of the layout is not 0, as the caller must see to.
        unsafe { std::alloc::System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block comes from the system's allocator, with this layout, and is live.
        unsafe { std::alloc::System.dealloc(block, layout) }
    }
}

fn make_and_release<A: GlobalAlloc>(allocator: &Profiled<A>) {
    // SAFETY: the layout is not empty, and the block is released with it.
    unsafe {
        let block = allocator.alloc(ASKED_MEANWHILE);
        block.write_bytes(0xa5, ASKED_MEANWHILE.size());
        allocator.dealloc(block, ASKED_MEANWHILE);
    }
}

fn allocate_and_return_7(_: Layout) -> u64 {
    ALLOCATOR.with(make_and_release);
    7
}

#[test]
fn what_the_place_function_asks_for_counts_as_asking_and_asks_no_further() {
    ALLOCATOR.with(|allocator| {
        for _ in 0..3 {
            // SAFETY: the layout is not empty.
            unsafe { allocator.alloc(LAYOUT) };
        }
        let snapshot = allocator.snapshot().unwrap();
        let row = |place| snapshot.row(Some(place), None).unwrap();
        let numbered = row(Place::Number(7));
        assert_eq!((numbered.live.blocks, numbered.total.blocks), (3, 3));
        let asking = row(Place::Asking);
        assert_eq!((asking.live.blocks, asking.total.blocks), (0, 3));
        assert_eq!(asking.total.bytes, 3 * ASKED_MEANWHILE.size() as u64);
    });
}

#[test]
fn the_place_function_gets_the_layout_that_the_program_asked_for() {
    let allocator = Profiled::new(Inner::default(), |layout| {
        (layout.size() * 1000 + layout.align()) as u64
    });
    // SAFETY: the layout is not empty, and the block is live.
    unsafe {
        let block = allocator.alloc(Layout::from_size_align(40, 16).unwrap());
        allocator.realloc(block, Layout::from_size_align(40, 16).unwrap(), 90);
    }
    let snapshot = allocator.snapshot().unwrap();
    for (place, blocks) in [(40_016, 0), (90_016, 1)] {
        let row = snapshot.row(Some(Place::Number(place)), None).unwrap();
        assert_eq!((row.live.blocks, row.total.blocks), (blocks, 1));
    }
}

#[test]
fn a_request_that_leaves_no_room_for_a_header_is_refused_and_counts_nothing() {
    let allocator = Profiled::new(Inner::default(), place);
    let largest = Layout::from_size_align(isize::MAX as usize, 1).unwrap();
    // SAFETY: the layouts are not empty, and the block is live.
    unsafe {
        assert!(allocator.alloc(largest).is_null());
        assert!(allocator.alloc_zeroed(largest).is_null());
        let block = allocator.alloc(LAYOUT);
        block.write(9);
        assert!(allocator.realloc(block, LAYOUT, isize::MAX as usize - 7).is_null());
        assert_eq!(block.read(), 9);
    }
    let snapshot = allocator.snapshot().unwrap();
    assert_eq!(snapshot.row(None, None).unwrap().total.blocks, 1);
}
