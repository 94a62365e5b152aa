//! A copy of all rows of a profile, and the difference of two.

use super::row::{Change, Place, Row};
use super::size_class::SizeClass;
use super::tally::Clock;
use core::alloc::{GlobalAlloc, Layout};
use core::ptr::NonNull;
use core::slice;

/// All counts of a [`Profiled`](super::Profiled) at one time, in memory of the allocator within it.
pub struct Snapshot<'a, A: GlobalAlloc> {
    allocator: &'a A,
    rows: NonNull<Row>,
    len: usize,
    capacity: usize,
    clock: Clock,
}

impl<'a, A: GlobalAlloc> Snapshot<'a, A> {
    /// One that is empty as yet; none if memory is refused for it. `capacity` is not 0.
    pub(super) fn with_room_for(capacity: usize, allocator: &'a A) -> Option<Self> {
        let layout = Layout::array::<Row>(capacity).ok()?;
        // SAFETY: there is room for a row at least, and a row has bytes.
        let start = unsafe { allocator.alloc(layout) };
        Some(Snapshot {
            allocator,
            rows: NonNull::new(start)?.cast(),
            len: 0,
            capacity,
            clock: Clock::START,
        })
    }

    /// Fills in these rows, as far as there is room, and sorts them.
    pub(super) fn fill(&mut self, rows: impl Iterator<Item = Row>, clock: Clock) {
        self.clock = clock;
        for row in rows.take(self.capacity) {
            // SAFETY: fewer rows than there is room for have been written, and the memory belongs to this snapshot alone.
            unsafe { self.rows.add(self.len).write(row) };
            self.len += 1;
        }
        // SAFETY: so many rows have been written, and nothing else refers to them.
        let rows = unsafe { slice::from_raw_parts_mut(self.rows.as_ptr(), self.len) };
        rows.sort_unstable_by_key(Row::key);
    }

    /// The rows that were ever counted in: first that of all places and all size classes together, then each size class of all
    /// places; then for each place its row of all size classes, and each of them.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        // SAFETY: so many rows have been written, and nothing changes them while the snapshot is borrowed.
        unsafe { slice::from_raw_parts(self.rows.as_ptr(), self.len) }
    }

    /// The row of a place and a size class, `None` for all; none if nothing was ever counted there. O(log n).
    #[must_use]
    pub fn row(&self, place: Option<Place>, size_class: Option<SizeClass>) -> Option<&Row> {
        let rows = self.rows();
        let found = rows.binary_search_by_key(&(place, size_class), Row::key).ok()?;
        rows.get(found)
    }

    /// Whether no block counts as made at [`Place::Other`]: whether the table had an entry for each place and size class.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.row(Some(Place::Other), None).is_none()
    }

    /// The number of blocks that were made and released before: the time in which lifetimes are stated.
    #[must_use]
    pub fn time(&self) -> u64 {
        self.clock.now
    }

    /// The [`time`](Self::time) at which the most bytes were live, for the first time.
    #[must_use]
    pub fn time_of_peak(&self) -> u64 {
        self.clock.peak_at
    }

    /// What was made and released between `earlier`, a snapshot of the same allocator, and this one, for each row in which there
    /// was something. O(log n) for each row.
    ///
    /// What of it is live now, and was made after a [`mark`](super::Profiled::mark), is [`Row::kept`].
    pub fn since<'b>(&'b self, earlier: &'b Self) -> impl Iterator<Item = Change> + 'b {
        self.rows().iter().filter_map(|row| {
            let (total, released) = earlier
                .row(row.place, row.size_class)
                .map(|before| (before.total, before.released()))
                .unwrap_or_default();
            let change = Change {
                place: row.place,
                size_class: row.size_class,
                made: row.total.less(total),
                released: row.released().less(released),
            };
            (change.made.blocks != 0 || change.released.blocks != 0).then_some(change)
        })
    }
}

impl<A: GlobalAlloc> Drop for Snapshot<'_, A> {
    fn drop(&mut self) {
        let Ok(layout) = Layout::array::<Row>(self.capacity) else {
            return;
        };
        // SAFETY: the block was allocated with this layout, and nothing refers to it any more.
        unsafe { self.allocator.dealloc(self.rows.as_ptr().cast(), layout) }
    }
}
