//! `Profiled`, the wrapper: which calls count, and the memory of the table.

use super::header::Header;
use super::row::Place;
use super::snapshot::Snapshot;
use super::table::{State, Table};
use super::tally::Tally;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::{Cell, UnsafeCell};
use core::ptr::{self, NonNull};

/// The slots of the hash table unless [`Profiled::with_entries`] says otherwise.
const DEFAULT_ENTRIES: usize = 1024;

const MOST_ENTRIES: usize = 1 << 24;
const FEWEST_ENTRIES: usize = 8;

/// A global allocator that counts what is live, by size class and by place, and so names the place of a leak.
///
/// A **place** is a number that a function of yours returns for each block: what your program knows of where it is, or the hash
/// of a JavaScript stack. Blocks, bytes, their peak and their total are counted for each place and size class, for each place,
/// for each size class, and for all together.
///
/// ```
/// # #[cfg(target_arch = "wasm32")]
/// # mod module {
/// use core::fmt::Write;
/// use freeing_bump::{FreeingBump, Profiled};
/// use std::alloc::Layout;
/// use std::cell::Cell;
///
/// #[global_allocator]
/// static ALLOCATOR: Profiled<FreeingBump> = Profiled::new(FreeingBump::new(), place);
///
/// const NAMES: [&str; 3] = ["elsewhere", "parsing", "drawing"];
///
/// thread_local! {
///     /// What the program is about: an index of `NAMES`.
///     static WORK: Cell<u64> = const { Cell::new(0) };
/// }
///
/// fn place(_layout: Layout) -> u64 {
///     WORK.get()
/// }
///
/// /// What is live of what `action` has made, as a table. The place with the most bytes comes first.
/// fn kept_by(action: fn()) -> String {
///     ALLOCATOR.mark();
///     action();
///     let snapshot = ALLOCATOR.snapshot().expect("there is memory for a copy of the counts");
///     let mut table = String::new();
///     snapshot
///         .write_table(&mut table, &|place, out| out.write_str(NAMES[place as usize]))
///         .expect("a String takes everything");
///     table
/// }
/// # }
/// ```
///
/// # Finding a leak
///
/// Let the program run until it has made what it keeps for good. Call [`mark`](Self::mark). Do what should leave nothing
/// behind, some ten times. Then [`snapshot`](Self::snapshot) has in each row as `kept` what is live of what was made since the
/// mark: a place that keeps ten blocks, or a multiple, leaks. [`Snapshot::write_dhat`] and [`Snapshot::write_kept_dhat`] write
/// it for the viewer of Valgrind's DHAT, and `cargo make profile -- FILE` of the repository prints such a file as a table.
///
/// # The place function
///
/// It gets the layout of the block, which was made already. In a browser it can call a JavaScript function that hashes
/// `new Error().stack` and keeps the text under its hash. The page then has a name for each number.
///
/// The function may allocate and release. Such blocks count as made at [`Place::Asking`], and it is not called for them. It must
/// not unwind.
///
/// A block that is resized counts as released, and as made again where it is resized: a vector counts where it last grew. A
/// release needs no place.
///
/// # What it costs
///
/// - **8 bytes before each block**, or the block's alignment if that is more: they say which row it counts in. The allocator
///   within gets requests that are larger by that, with an alignment of 4 at least, and so its heap is not quite the one of the
///   program without the wrapper. The counts are of what the program asked for.
/// - **A table of fixed size** from the allocator within, made at the first request and kept for good: 88 bytes on wasm32 for
///   each entry, and 31 rows more, 92,840 bytes for 1,024 entries. A place takes one entry, and each of its size classes one.
///   Seven of eight entries are used. Then what is made at a new place, or in a new size class of a place, counts as made at
///   [`Place::Other`]: see [`Snapshot::is_complete`].
/// - **Time**: no loop but that of the hash table. A call counts in four rows. Around `FreeingBump` in a module that is built for
///   speed an allocation takes up to 620 instructions more, a release 320, and a resize 920, without those of the place
///   function; built for size, 900, 600 and 1,450 (wasmtime's fuel, which counts each WebAssembly instruction).
/// - **Code**: 2.4 kB in a module that is built for size, 3.3 kB in one for speed. To export DHAT's JSON takes 8.7 kB or 15 kB
///   more, with `core::fmt`. `profile_feature.rs` in the repository's `guest-tests/module-checks` measures these figures.
///
/// If memory is refused for the table, blocks are served and not counted, and the next request tries again. Such blocks are not
/// counted when they are released either. The same holds for blocks that the allocator within asks of this wrapper while it
/// makes the table, as a hook of `Traced` may.
///
/// A request that is refused counts nothing. Requests of more than `isize::MAX` less 8 bytes, or less the alignment, are refused.
pub struct Profiled<A> {
    allocator: A,
    place: fn(Layout) -> u64,
    /// The slots of the hash table, a power of two.
    entries: usize,
    /// The first row of the table; null before there is one.
    rows: Cell<*mut Tally>,
    state: UnsafeCell<State>,
    /// Whether the allocator within is being called for the table.
    making: Cell<bool>,
    /// Whether the place function is running.
    asking: Cell<bool>,
}

// SAFETY: this crate refuses builds for threads, so that a module is run by one thread at a time.
#[cfg(all(target_arch = "wasm32", not(any(for_threads, target_feature = "atomics"))))]
unsafe impl<A: Sync> Sync for Profiled<A> {}

impl<A> Profiled<A> {
    /// The wrapper around `allocator`, for use in a `static`. `place` says for each block where it is made.
    #[must_use]
    pub const fn new(allocator: A, place: fn(Layout) -> u64) -> Self {
        Profiled {
            allocator,
            place,
            entries: DEFAULT_ENTRIES,
            rows: Cell::new(ptr::null_mut()),
            state: UnsafeCell::new(State::new()),
            making: Cell::new(false),
            asking: Cell::new(false),
        }
    }

    /// The same with a table of so many entries instead of 1,024: rounded up to a power of two, between 8 and 16,777,216.
    #[must_use]
    pub const fn with_entries(mut self, entries: usize) -> Self {
        self.entries = if entries > MOST_ENTRIES {
            MOST_ENTRIES
        } else if entries < FEWEST_ENTRIES {
            FEWEST_ENTRIES
        } else {
            entries.next_power_of_two()
        };
        self
    }

    /// The allocator that calls are passed on to.
    #[must_use]
    pub const fn inner(&self) -> &A {
        &self.allocator
    }

    /// Begins anew to count what is [`kept`](super::Row::kept): 0 now, and from now on what is live of what was made since. All
    /// other counts go on. O(1).
    pub fn mark(&self) {
        self.with_table(|table| table.mark());
    }

    /// Counts the release of the block of `size` bytes that has this header.
    #[inline(never)]
    fn count_release(&self, header: Header, size: usize) {
        self.with_table(|table| table.release(header, size));
    }

    /// Runs `work` on the table, if there is one.
    #[inline]
    fn with_table<Returned>(&self, work: impl FnOnce(&mut Table) -> Returned) -> Option<Returned> {
        let rows = NonNull::new(self.rows.get())?;
        let mut rows = NonNull::slice_from_raw_parts(rows, Table::row_count(self.entries));
        // SAFETY: `make_table` has made a block of so many rows of zeros, which a row may consist of, and nothing releases it.
        // There is one reference at a time: `work` is one call on the table, which calls neither the place function nor an
        // allocator.
        let rows = unsafe { rows.as_mut() };
        // SAFETY: there is one reference at a time, as before.
        let state = unsafe { &mut *self.state.get() };
        Some(work(&mut Table::new(rows, state)))
    }
}

impl<A: GlobalAlloc> Profiled<A> {
    /// A copy of all counts as they are now, in memory of the allocator within, which it releases at its end. It counts nothing
    /// itself. `None` if memory is refused for it: 112 bytes for each row, or for the table. O(n log n) for n entries.
    #[must_use]
    pub fn snapshot(&self) -> Option<Snapshot<'_, A>> {
        if self.rows.get().is_null() {
            self.make_table();
        }
        let rows = self.with_table(|table| table.used_row_count())?;
        let mut copy = Snapshot::with_room_for(rows, &self.allocator)?;
        self.with_table(|table| copy.fill(table.used_rows(), table.clock()));
        Some(copy)
    }

    /// Makes the table, unless that is what the allocator within is being called for.
    #[cold]
    #[inline(never)]
    fn make_table(&self) {
        let Ok(layout) = Layout::array::<Tally>(Table::row_count(self.entries)) else {
            return;
        };
        if self.making.replace(true) {
            return;
        }
        // SAFETY: a table has rows, and a row has bytes.
        let rows = unsafe { self.allocator.alloc_zeroed(layout) };
        self.making.set(false);
        self.rows.set(rows.cast());
    }

    /// Counts the new block of `layout` after its place was asked for; its header.
    #[inline(never)]
    fn count(&self, layout: Layout) -> Header {
        if self.rows.get().is_null() {
            self.make_table();
        }
        let place = self.place_of(layout);
        self.with_table(|table| table.make(place, layout.size()))
            .unwrap_or(Header::UNCOUNTED)
    }

    #[inline]
    fn place_of(&self, layout: Layout) -> Place {
        if self.asking.replace(true) {
            return Place::Asking;
        }
        let number = (self.place)(layout);
        self.asking.set(false);
        Place::Number(number)
    }

    /// The caller's block within what `request` returns for the layout with room for a header, after it was counted.
    #[inline]
    fn make(&self, layout: Layout, request: impl FnOnce(Layout) -> *mut u8) -> *mut u8 {
        let Some(around) = Header::around(layout) else {
            return ptr::null_mut();
        };
        let start = request(around);
        if start.is_null() {
            return start;
        }
        // SAFETY: the space lies within what was just handed out.
        let block = unsafe { start.add(Header::space(layout.align())) };
        let header = self.count(layout);
        // SAFETY: the block lies behind the space that `around` has made room for, and nobody else knows it yet.
        unsafe { header.write(block) };
        block
    }
}

// SAFETY: each block lies within one of the allocator within, behind its header, aligned as the header's file says. It is
// released with the layout it was allocated with. A refused request is passed back as null.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Profiled<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the size of the layout is 8 at least.
        self.make(layout, |around| unsafe { self.allocator.alloc(around) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the size of the layout is 8 at least.
        self.make(layout, |around| unsafe { self.allocator.alloc_zeroed(around) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block was made by this wrapper, which has written a header before it.
        let header = unsafe { Header::read(block) };
        self.count_release(header, layout.size());
        // SAFETY: what was handed out begins with the space before the block.
        let start = unsafe { block.sub(Header::space(layout.align())) };
        // SAFETY: `around` has returned a layout when the block was made.
        let around = unsafe { Header::around_live(layout) };
        // SAFETY: this is what the allocator within has handed out for this layout, and it is live.
        unsafe { self.allocator.dealloc(start, around) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller says that the new size, rounded up to the alignment, does not overflow an `isize`.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        // SAFETY: the block was made by this wrapper, which has written a header before it.
        let header = unsafe { Header::read(block) };
        // SAFETY: what was handed out begins with the space before the block.
        let start = unsafe { block.sub(Header::space(layout.align())) };
        // SAFETY: `around` has returned a layout when the block was made.
        let around = unsafe { Header::around_live(layout) };
        self.make(new_layout, |new_around| {
            // SAFETY: this is what the allocator within has handed out for this layout, and it is live. The new size makes a
            // layout of the same alignment.
            let resized = unsafe { self.allocator.realloc(start, around, new_around.size()) };
            if !resized.is_null() {
                self.count_release(header, layout.size());
            }
            resized
        })
    }
}
