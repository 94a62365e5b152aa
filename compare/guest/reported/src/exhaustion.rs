//! Programs in a memory with a maximum: what is served before a block is refused, and what after a release.

use crate::block::{Block, Chain};
use crate::served::{Phase, Served, record};
use harness::Random;
use std::hint::black_box;

/// `pairs` pairs of a block of 5,000 bytes and one of 400, then blocks of 400 until one is refused. The blocks of 5,000 are
/// released. Blocks of 120 follow until one is refused.
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
    record(Phase::AfterRelease, until_refused(|| 120, &mut small));
    u64::from(pairs)
}

/// `pairs` pairs of a block of 4,500 to 7,000 bytes and one of 300, in a memory that they nearly fill. The larger ones are
/// released. Blocks of 100 follow until one is refused.
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
    record(Phase::AfterRelease, until_refused(|| 100, &mut small));
    u64::from(pairs)
}

/// Blocks of 8, 16 .. 256 bytes, and again from 8, until one is refused.
pub fn every_small_size(_: u32) -> u64 {
    let mut before = Served::default();
    // None is released, and a block of 8 bytes has no room for a chain on every machine. So the blocks are forgotten, and
    // the compiler must not see that.
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

/// Blocks of sizes that programs have, up to 20,000 bytes, until one is refused; every second one is released; then more
/// until one is refused.
pub fn half_released(_: u32) -> u64 {
    let mut random = Random::new(128);
    let mut blocks = Chain::new();
    record(
        Phase::BeforeRefusal,
        until_refused(|| usual_size(&mut random), &mut blocks),
    );
    let mut kept = Chain::new();
    while let Some(block) = blocks.pop() {
        block.release();
        if let Some(block) = blocks.pop() {
            kept.push(block);
        }
    }
    record(
        Phase::AfterRelease,
        until_refused(|| usual_size(&mut random), &mut kept),
    );
    kept.release();
    0
}

/// Blocks of 1 KiB until one is refused; the last one is released; then more until one is refused.
pub fn kilobytes(_: u32) -> u64 {
    let mut all_but_last = Chain::new();
    let mut before = Served::default();
    let mut last: Option<Block> = None;
    while let Some(block) = Block::try_new(1024) {
        before.add(1024);
        if let Some(block) = last.replace(block) {
            all_but_last.push(block);
        }
    }
    record(Phase::BeforeRefusal, before);
    last.map(Block::release);
    record(Phase::AfterRelease, until_refused(|| 1024, &mut all_but_last));
    all_but_last.release();
    0
}

/// A plug-in that keeps what it shows. Each call makes a message, which grows by doubling to 50 to 400 kB and is released,
/// and keeps 200 lines of 20 to 200 bytes and a result of 1 to 20 kB. It ends when a block is refused. What it keeps by
/// then is what was served.
pub fn plug_in(_: u32) -> u64 {
    let mut random = Random::new(16);
    let mut kept = Chain::new();
    let mut before = Served::default();
    'calls: loop {
        let mut message: Vec<u8> = Vec::new();
        let bytes = random.within(50_000, 400_000);
        while message.len() < bytes {
            if message.try_reserve(1000).is_err() {
                break 'calls;
            }
            message.resize(message.len() + 1000, 1);
        }
        for _ in 0..200 {
            if !serve(random.within(20, 200), &mut kept, &mut before) {
                break 'calls;
            }
        }
        if !serve(random.within(1000, 20_000), &mut kept, &mut before) {
            break 'calls;
        }
    }
    record(Phase::BeforeRefusal, before);
    kept.release();
    0
}

/// Most sizes are below 100 bytes, one in 8 is up to 2,000, and one in 64 up to 20,000.
fn usual_size(random: &mut Random) -> usize {
    match random.below(64) {
        0 => random.within(2000, 20_000),
        1..=8 => random.within(100, 2000),
        _ => random.within(16, 100),
    }
}

/// Serves blocks of the sizes that `size` gives until one is refused.
fn until_refused(mut size: impl FnMut() -> usize, into: &mut Chain) -> Served {
    let mut served = Served::default();
    while serve(size(), into, &mut served) {}
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
    use super::{half_released, holes_at_the_limit, kilobytes, plug_in, small_after_large};
    use crate::limited_heap;
    use crate::served::{Phase, of};

    #[test]
    fn what_the_large_blocks_held_serves_small_ones_after_their_release() {
        limited_heap::with_bytes(20_000, || small_after_large(3));
        // 3 x 5,400 bytes, and 9 more blocks of 400.
        assert_eq!(
            (of(Phase::BeforeRefusal).blocks, of(Phase::BeforeRefusal).bytes),
            (15, 19_800)
        );
        // The 15,000 bytes of the released blocks, and the 200 that were left.
        assert_eq!(of(Phase::AfterRelease).blocks, 15_200 / 120);
    }

    #[test]
    fn pairs_that_do_not_fit_end_the_first_phase() {
        limited_heap::with_bytes(20_000, || holes_at_the_limit(1000));
        let before = of(Phase::BeforeRefusal);
        assert!((12_700..=20_000).contains(&before.bytes), "{before:?}");
        assert!(of(Phase::AfterRelease).bytes >= 9000);
    }

    #[test]
    fn half_of_the_memory_is_served_again() {
        let (_, left) = limited_heap::with_bytes(1_000_000, || half_released(0));
        assert_eq!(left, 0);
        for (phase, expected) in [(Phase::BeforeRefusal, 1_000_000), (Phase::AfterRelease, 500_000)] {
            let bytes = of(phase).bytes;
            assert!(bytes.abs_diff(expected) < 150_000, "{phase:?}: {bytes}");
        }
    }

    #[test]
    fn the_last_kilobyte_is_served_again() {
        let (_, left) = limited_heap::with_bytes(20_000, || kilobytes(0));
        assert_eq!(
            (of(Phase::BeforeRefusal).blocks, of(Phase::AfterRelease).blocks, left),
            (19, 1, 0)
        );
    }

    #[test]
    fn a_plug_in_keeps_no_more_than_there_is() {
        let (_, left) = limited_heap::with_bytes(2_000_000, || plug_in(0));
        let bytes = of(Phase::BeforeRefusal).bytes;
        assert!((1_000_000..=2_000_000).contains(&bytes), "{bytes}");
        assert_eq!(left, 0);
    }
}
