//! A table that has no entry left, and one for which there is no memory.

use super::super::{Place, Profiled};
use super::inner::{Inner, PLACE, place};
use core::alloc::{GlobalAlloc, Layout};

const LAYOUT: Layout = Layout::new::<u64>();

/// Makes a block at `place` and keeps it.
fn make_at(profiled: &Profiled<Inner>, place: u64) -> *mut u8 {
    PLACE.set(place);
    // SAFETY: the layout is not empty.
    unsafe { profiled.alloc(LAYOUT) }
}

#[test]
fn places_that_find_no_entry_count_as_other_and_the_snapshot_says_so() {
    // Seven of eight entries are used: three places with one size class each, and one entry for which no place is left.
    let profiled = Profiled::new(Inner::default(), place).with_entries(8);
    for place in 0..3 {
        make_at(&profiled, place);
    }
    assert!(profiled.snapshot().unwrap().is_complete());
    let of_a_fourth = make_at(&profiled, 3);
    make_at(&profiled, 4);
    make_at(&profiled, 0);
    let snapshot = profiled.snapshot().unwrap();
    assert!(!snapshot.is_complete());
    let live = |place| snapshot.row(Some(place), None).map(|row| row.live.blocks);
    assert_eq!(live(Place::Other), Some(2));
    assert_eq!(live(Place::Number(0)), Some(2));
    assert_eq!(live(Place::Number(3)), None);
    // SAFETY: the block is live.
    unsafe { profiled.dealloc(of_a_fourth, LAYOUT) };
    let later = profiled.snapshot().unwrap();
    assert_eq!(later.row(Some(Place::Other), None).unwrap().live.blocks, 1);
}

#[test]
fn a_new_size_class_of_a_known_place_counts_as_other_when_no_entry_is_left() {
    let profiled = Profiled::new(Inner::default(), place).with_entries(1);
    for size in (3..12).map(|log2| 1 << log2) {
        // SAFETY: the layout is not empty.
        unsafe { profiled.alloc(Layout::from_size_align(size, 1).unwrap()) };
    }
    // Eight entries, of which seven are used: the place, and six of its nine size classes.
    let snapshot = profiled.snapshot().unwrap();
    assert_eq!(snapshot.row(Some(Place::Number(0)), None).unwrap().live.blocks, 6);
    let other = snapshot.row(Some(Place::Other), None).unwrap().live;
    assert_eq!((other.blocks, other.bytes), (3, 512 + 1024 + 2048));
}

#[test]
fn without_memory_for_the_table_blocks_are_served_and_counted_from_the_next_request_on() {
    let profiled = Profiled::new(Inner::default(), place);
    profiled.inner().refusals.set(1);
    assert!(profiled.snapshot().is_none());
    // The block itself is served; the table is refused.
    let allocator = Profiled::new(RefusesZeroed(Inner::default()), place);
    allocator.inner().0.refusals.set(1);
    // SAFETY: the layout is not empty, and each block is live until it is released.
    unsafe {
        let uncounted = allocator.alloc(LAYOUT);
        uncounted.write_bytes(1, LAYOUT.size());
        let counted = allocator.alloc(LAYOUT);
        let resized = allocator.realloc(uncounted, LAYOUT, 100);
        assert_eq!(resized.read(), 1);
        let another = allocator.alloc(LAYOUT);
        allocator.dealloc(another, LAYOUT);
        let live = allocator.snapshot().unwrap().row(None, None).unwrap().live;
        assert_eq!((live.blocks, live.bytes), (2, 108));
        allocator.dealloc(counted, LAYOUT);
        allocator.dealloc(resized, Layout::from_size_align(100, 8).unwrap());
    }
    let snapshot = allocator.snapshot().unwrap();
    assert_eq!(snapshot.row(None, None).unwrap().live.blocks, 0);
}

/// Refuses only blocks of zeros, as the table is.
struct RefusesZeroed(Inner);

// SAFETY: each call is passed on as it is, or refused.
unsafe impl GlobalAlloc for RefusesZeroed {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let refusals = self.0.refusals.replace(0);
        // SAFETY: the size of the layout is not 0, as the caller must see to.
        let block = unsafe { self.0.alloc(layout) };
        self.0.refusals.set(refusals);
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the size of the layout is not 0, as the caller must see to.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block comes from the allocator within, with this layout, and is live.
        unsafe { self.0.dealloc(block, layout) }
    }
}
