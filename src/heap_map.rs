//! The words of a walk through a heap: ranges of addresses, what each is used for, and a summary of them. This layer uses no
//! other.

/// A range of addresses with one use, as `FreeingBump::walk` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeapRange {
    /// The address of the first byte, a multiple of 4. A live range begins where the program's block does.
    pub address: u32,
    /// How many bytes, a multiple of 4 and not 0.
    pub bytes: u32,
    /// What the bytes are used for.
    pub kind: RangeKind,
}

/// What the bytes of a [`HeapRange`] are used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RangeKind {
    /// One live block, with the bytes that its request was rounded up by.
    Live,
    /// Free: one block among those of its size, or what has been merged and serves any size.
    Free,
    /// After the bump pointer: memory that no block has now. There is one such range at most.
    Tail,
    /// The heap's own: tags, the headers of runs and what their blocks leave over, the ends of regions.
    Own,
    /// Pages that others have added, with pages of the heap before and after them. Others are the host, or code of the module
    /// that calls `memory.grow` itself.
    Foreign,
}

/// The sums of some ranges, and the largest one that is free: what a walk says of a heap in a few numbers.
///
/// ```
/// # #[cfg(target_arch = "wasm32")]
/// # mod module {
/// use freeing_bump::{FreeingBump, HeapSummary};
///
/// #[global_allocator]
/// static ALLOCATOR: FreeingBump = FreeingBump::new();
///
/// fn percent_fragmented() -> f64 {
///     let mut summary = HeapSummary::default();
///     ALLOCATOR.walk(|range| summary.add(range));
///     100.0 * summary.fragmentation()
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeapSummary {
    /// How many live blocks there are.
    pub live_blocks: u32,
    /// Bytes of the live blocks, with what each request was rounded up by.
    pub live_bytes: u32,
    /// Bytes of the free blocks.
    pub free_bytes: u32,
    /// Bytes after the bump pointer.
    pub tail_bytes: u32,
    /// Bytes that the heap needs for itself.
    pub own_bytes: u32,
    /// Bytes of pages that others have added between those of the heap.
    pub foreign_bytes: u32,
    /// Bytes of the largest free block, or of the tail if that is larger. A request of more than 512 bytes needs 4 bytes
    /// more than its size.
    pub largest_free_bytes: u32,
}

impl HeapSummary {
    /// Adds a range to the sums. O(1).
    pub const fn add(&mut self, range: HeapRange) {
        let HeapRange { bytes, kind, .. } = range;
        let sum = match kind {
            RangeKind::Live => {
                self.live_blocks += 1;
                &mut self.live_bytes
            }
            RangeKind::Free => &mut self.free_bytes,
            RangeKind::Tail => &mut self.tail_bytes,
            RangeKind::Own => &mut self.own_bytes,
            RangeKind::Foreign => &mut self.foreign_bytes,
        };
        *sum += bytes;
        let is_free = matches!(kind, RangeKind::Free | RangeKind::Tail);
        if is_free && bytes > self.largest_free_bytes {
            self.largest_free_bytes = bytes;
        }
    }

    /// Which part of the free memory, the tail included, lies outside the largest free block: from 0.0, where all of it is
    /// in one piece or none is free, to almost 1.0, where it is in many small ones.
    #[must_use]
    pub fn fragmentation(&self) -> f64 {
        let free_bytes = f64::from(self.free_bytes) + f64::from(self.tail_bytes);
        if free_bytes == 0.0 {
            return 0.0;
        }
        1.0 - f64::from(self.largest_free_bytes) / free_bytes
    }
}

#[cfg(test)]
mod tests {
    //! In this file since a `HeapRange` is made in this crate alone.
    use super::*;

    fn summary(ranges: &[(u32, RangeKind)]) -> HeapSummary {
        let mut summary = HeapSummary::default();
        for &(bytes, kind) in ranges {
            let address = 1024;
            summary.add(HeapRange { address, bytes, kind });
        }
        summary
    }

    #[test]
    fn a_summary_counts_each_kind_apart_and_live_blocks_too() {
        let ranges = [
            (4, RangeKind::Own),
            (100, RangeKind::Live),
            (24, RangeKind::Live),
            (48, RangeKind::Free),
            (16, RangeKind::Free),
            (1 << 16, RangeKind::Foreign),
            (400, RangeKind::Tail),
        ];
        let expected = HeapSummary {
            live_blocks: 2,
            live_bytes: 124,
            free_bytes: 64,
            tail_bytes: 400,
            own_bytes: 4,
            foreign_bytes: 1 << 16,
            largest_free_bytes: 400,
        };
        assert_eq!(summary(&ranges), expected);
        assert_eq!(summary(&ranges[..6]).largest_free_bytes, 48);
    }

    #[test]
    fn fragmentation_is_what_lies_outside_the_largest_free_block() {
        assert_eq!(summary(&[]).fragmentation(), 0.0);
        assert_eq!(summary(&[(64, RangeKind::Live)]).fragmentation(), 0.0);
        assert_eq!(summary(&[(64, RangeKind::Free)]).fragmentation(), 0.0);
        let quarters = [(16, RangeKind::Free), (16, RangeKind::Free), (32, RangeKind::Tail)];
        assert_eq!(summary(&quarters).fragmentation(), 0.5);
        let sixteenths = [(16, RangeKind::Free); 16];
        assert_eq!(summary(&sixteenths).fragmentation(), 15.0 / 16.0);
    }

    #[test]
    fn the_sums_of_a_whole_address_space_do_not_overflow() {
        let halves = [(1 << 31, RangeKind::Free), ((1 << 31) - 1024, RangeKind::Tail)];
        assert_eq!(summary(&halves).largest_free_bytes, 1 << 31);
        assert!(summary(&halves).fragmentation() < 0.5);
    }
}
