//! Random requests against an oracle. The blocks stay live from one call of an export to the next.

use fastrand::Rng;
#[cfg(feature = "freeing-bump")]
use guest_tests::Block;
use guest_tests::{BlockTable, Exclusive, Outcome, failure};

const SLOTS: usize = 400;

static TABLE: Exclusive<BlockTable<SLOTS>> = Exclusive::new(BlockTable::new());

/// Makes up to `steps` steps of the sequence of `seed`, until a request is refused. Returns how many were done.
#[unsafe(no_mangle)]
extern "C" fn run(seed: u32, steps: u32) -> u32 {
    let mut random = Rng::with_seed(seed.into());
    TABLE.with(|table| {
        for step in 0..steps {
            failure::begin_step();
            if table.step(&mut random) == Outcome::Refused {
                return step;
            }
        }
        steps
    })
}

/// Makes `steps` steps with an allocator that must refuse every request.
#[unsafe(no_mangle)]
extern "C" fn run_refused(seed: u32, steps: u32) {
    let mut random = Rng::with_seed(seed.into());
    TABLE.with(|table| {
        for _ in 0..steps {
            failure::begin_step();
            assert_ne!(
                table.step(&mut random),
                Outcome::Served,
                "a request was served that must be refused"
            );
        }
    });
}

/// Allocates blocks of `size` bytes until one is refused or there are as many as the table holds. Returns how many.
#[unsafe(no_mangle)]
extern "C" fn fill(size: usize) -> usize {
    TABLE.with(|table| table.fill(size))
}

/// Checks every byte of the live blocks.
#[unsafe(no_mangle)]
extern "C" fn check() {
    TABLE.with(|table| table.check());
}

/// Releases each live block and allocates it again at once, which must be served.
#[unsafe(no_mangle)]
extern "C" fn exchange_all() {
    TABLE.with(BlockTable::exchange_all);
}

/// Allocates and releases a block of three quarters of the largest size that the heap says it has free. Up to that size
/// a search among the free blocks must find one.
#[cfg(feature = "freeing-bump")]
#[unsafe(no_mangle)]
extern "C" fn exchange_largest() {
    let largest = crate::ALLOCATOR.stats().largest_free_bytes as usize;
    drop(Block::new(largest / 4 * 3, 8, 0));
}

/// Releases all live blocks.
#[unsafe(no_mangle)]
extern "C" fn release_all() {
    TABLE.with(BlockTable::release_all);
}

/// The last address of the live blocks.
#[unsafe(no_mangle)]
extern "C" fn last_address() -> usize {
    TABLE.with(|table| table.last_address())
}
