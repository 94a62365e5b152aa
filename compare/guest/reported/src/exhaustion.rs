//! Programs in a memory with a maximum: what is served before a block is refused, and what after a release.

use crate::block::{Block, Chain};
use crate::served::{Phase, Served, record};
use harness::Random;
use std::hint::black_box;

/// Pairs of a block of 5,000 bytes and one of 400 as often as `pairs` says, then blocks of 400 until one is refused.
/// The blocks of 5,000 are released; blocks of 120 follow until one is refused.
pub fn small_after_large(pairs: u32) -> u64 {
    let mut before = Served::default();
    let mut large = Chain::new();
    let mut small = Chain::new();
    for _ in 0..pairs {
        if !serve(5000, &mut large, &mut before) || !serve(400, &mut small, &mut before) {
            break;
        }
    }
    while serve(400, &mut small, &mut before) {}
    record(Phase::BeforeRefusal, before);
    large.release();
    record(Phase::AfterRelease, until_refused(|_| 120, &mut small));
    small.release();
    u64::from(pairs)
}

/// Pairs of a block of 4,500 to 7,000 bytes and one of 300 as often as `pairs` says, in a memory that they nearly fill.
/// The larger ones are released; blocks of 100 follow until one is refused.
pub fn holes_at_the_limit(pairs: u32) -> u64 {
    let mut random = Random::new(100);
    let mut before = Served::default();
    let mut large = Chain::new();
    let mut small = Chain::new();
    for _ in 0..pairs {
        let size = random.within(4500, 7000);
        if !serve(size, &mut large, &mut before) || !serve(300, &mut small, &mut before) {
            break;
        }
    }
    record(Phase::BeforeRefusal, before);
    large.release();
    record(Phase::AfterRelease, until_refused(|_| 100, &mut small));
    small.release();
    u64::from(pairs)
}

/// Blocks of 8, 16 .. 256 bytes, and again from 8, until one is refused.
pub fn every_small_size(_: u32) -> u64 {
    let mut before = Served::default();
    // None is released, and a block of 8 bytes has no room for a chain on every machine: so they are forgotten, which
    // the compiler must not know.
    loop {
        let size = 8 + 8 * (before.blocks as usize % 32);
        if black_box(Block::try_new(size)).is_none() {
            break;
        }
        before.add(size);
    }
    record(Phase::BeforeRefusal, before);
    0
}

/// Serves blocks, the size of each being that of its number, until one is refused.
fn until_refused(size: impl Fn(u32) -> usize, into: &mut Chain) -> Served {
    let mut served = Served::default();
    while serve(size(served.blocks), into, &mut served) {}
    served
}

/// Whether a block of `size` bytes was served.
fn serve(size: usize, into: &mut Chain, served: &mut Served) -> bool {
    match Block::try_new(size) {
        Some(block) => {
            into.push(block);
            served.add(size);
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{holes_at_the_limit, small_after_large};
    use crate::limited_heap;
    use crate::served::{Phase, of};

    #[test]
    fn what_the_large_blocks_held_serves_small_ones_after_their_release() {
        let (_, left) = limited_heap::with_bytes(20_000, || small_after_large(3));
        // 3 x 5,400 bytes, and 9 more blocks of 400.
        assert_eq!(
            (of(Phase::BeforeRefusal).blocks, of(Phase::BeforeRefusal).bytes),
            (15, 19_800)
        );
        // The 15,000 bytes of the released blocks, and the 200 that were left.
        assert_eq!(of(Phase::AfterRelease).blocks, 15_200 / 120);
        assert_eq!(left, 0);
    }

    #[test]
    fn pairs_that_do_not_fit_end_the_first_phase() {
        let (_, left) = limited_heap::with_bytes(20_000, || holes_at_the_limit(1000));
        let before = of(Phase::BeforeRefusal);
        assert!((12_700..=20_000).contains(&before.bytes), "{before:?}");
        assert!(of(Phase::AfterRelease).bytes >= 9000);
        assert_eq!(left, 0);
    }
}
