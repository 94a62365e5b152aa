//! Random requests: which sizes and alignments a worker asks for.

use crate::stamped::Request;
use fastrand::Rng;

/// What programs ask for mostly.
const MOST_BYTES: usize = 10_000;

/// The largest block.
pub(crate) const LARGEST_BYTES: usize = 200_000;

/// A page of many systems, as over-aligned as programs ask for.
const LARGEST_ALIGN: usize = 4_096;

/// Mostly up to [`MOST_BYTES`], half of them small; one in 50 up to [`LARGEST_BYTES`].
pub(crate) fn any_size(random: &mut Rng) -> usize {
    match random.u32(0..100) {
        0..50 => random.usize(1..=256),
        50..98 => random.usize(1..=MOST_BYTES),
        _ => random.usize(1..=LARGEST_BYTES),
    }
}

/// Half of them small, the others up to half of [`MOST_BYTES`]: a thread's own heap serves twice as much too. Where the first part
/// of a scenario asks for that, it takes the memory that the second part needs in the same heap.
pub(crate) fn size_for_own_heap(random: &mut Rng) -> usize {
    match random.u32(0..100) {
        0..50 => random.usize(1..=256),
        _ => random.usize(1..=MOST_BYTES / 2),
    }
}

/// A request for this many bytes: one in ten is zeroed, and one in 20 over-aligned.
pub(crate) fn request(size: usize, random: &mut Rng) -> Request {
    let align = match random.u32(0..20) {
        0 => 16 << random.u32(0..=(LARGEST_ALIGN / 16).ilog2()),
        _ => 1 << random.u32(0..=4),
    };
    Request {
        size,
        align,
        zeroed: random.u32(0..10) == 0,
    }
}
