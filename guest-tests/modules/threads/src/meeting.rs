//! Where workers wait for each other. They spin on words in static data.

use crate::failure::{Stopped, go_on};
use core::sync::atomic::{AtomicU32, Ordering};

/// How often a worker looks before it offers its processor to others.
const LOOKS: u32 = 100;

static EXPECTED: AtomicU32 = AtomicU32::new(0);

static ARRIVED: AtomicU32 = AtomicU32::new(0);

static MEETINGS: AtomicU32 = AtomicU32::new(0);

/// Has meetings expect this many workers. None may be waiting.
pub(crate) fn expect(workers: u32) {
    EXPECTED.store(workers, Ordering::Relaxed);
    ARRIVED.store(0, Ordering::Relaxed);
}

/// The workers that meetings expect.
pub(crate) fn expected() -> u32 {
    EXPECTED.load(Ordering::Relaxed)
}

/// Waits for all other workers.
pub(crate) fn meet() -> Result<(), Stopped> {
    let meeting = MEETINGS.load(Ordering::Acquire);
    if ARRIVED.fetch_add(1, Ordering::AcqRel) + 1 == expected() {
        ARRIVED.store(0, Ordering::Relaxed);
        MEETINGS.fetch_add(1, Ordering::Release);
        return go_on();
    }
    wait_until(|| MEETINGS.load(Ordering::Acquire) != meeting)
}

/// Waits until `is_so` says true.
pub(crate) fn wait_until(is_so: impl Fn() -> bool) -> Result<(), Stopped> {
    let mut looks = 0;
    while !is_so() {
        go_on()?;
        looks += 1;
        if looks % LOOKS == 0 {
            std::thread::yield_now();
        } else {
            core::hint::spin_loop();
        }
    }
    Ok(())
}
