//! A walk through the heap, in address order, in steps between which the heap may change.
//!
//! A [`Walk`] is an address. A step asks the heap what lies there, and notes how far that goes. Nobody sees the heap while a
//! step runs, and nothing of it is kept between two steps, so that in between the program may allocate and release. The next
//! step begins where the one before has ended: so the ranges have no gaps and no overlaps whatever happens. What a step tells
//! was so when it ran.
//!
//! The bytes of one chunk are one step, or two for its tag and its block. A run is a chunk: its step notes in a bitmap which of
//! its blocks are free.
//!
//! | file | what it adds |
//! |---|---|
//! | `chunk_heap.rs`, `runs.rs`, `heap.rs` | what the heap's files of these names tell of themselves: children of theirs, which see their fields |
//! | `landmarks.rs` | what a heap notes for walks while it works |
//! | `sight.rs` | what a heap says of an address |

pub(super) mod landmarks;
pub(super) mod sight;
#[cfg(any(test, fuzzing))]
#[path = "tests/survey.rs"]
pub(super) mod survey;

use super::heap::MergingHeap;
use crate::heap_map::HeapRange;
use crate::memory::linear::LinearMemory;
use sight::Sight;

/// A walk that is under way.
pub(crate) struct Walk {
    /// Where the next step begins.
    at: u32,
    /// How many bytes are still to be told.
    left: u32,
}

impl Walk {
    /// A walk through the memory that the heap has now.
    pub(crate) fn of<M: LinearMemory>(heap: &MergingHeap<M>) -> Self {
        let (at, left) = heap.memory_with_others();
        Walk { at, left }
    }

    /// What lies next, or none at the end. O(1) for the steps after the first if no block above 512 bytes was released or
    /// resized since the last step and no run was given back; else O(larger blocks and runs before).
    #[inline(never)]
    pub(crate) fn step<M: LinearMemory>(&mut self, heap: &mut MergingHeap<M>) -> Option<Seen> {
        if self.left == 0 {
            return None;
        }
        let sight = heap.sight_at(self.at);
        let bytes = sight.end().wrapping_sub(self.at).min(self.left);
        let address = self.at;
        self.at = self.at.wrapping_add(bytes);
        self.left -= bytes;
        Some(Seen { address, bytes, sight })
    }
}

/// What a step has seen: as many bytes as it tells of.
pub(crate) struct Seen {
    address: u32,
    bytes: u32,
    sight: Sight,
}

impl Seen {
    /// Tells each range of it, in address order. O(1): at most 1,023 ranges.
    pub(crate) fn tell(&self, mut visitor: impl FnMut(HeapRange)) {
        match &self.sight {
            Sight::Alike { kind, .. } => visitor(HeapRange {
                address: self.address,
                bytes: self.bytes,
                kind: *kind,
            }),
            Sight::Run(run) => {
                let end = self.address + self.bytes;
                let mut address = self.address;
                run.for_each(|border, kind| {
                    let border = border.min(end);
                    if border > address {
                        let bytes = border - address;
                        visitor(HeapRange { address, bytes, kind });
                        address = border;
                    }
                });
            }
        }
    }
}
