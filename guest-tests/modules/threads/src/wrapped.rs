//! The allocator in two wrappers, and how often the outer one has called its function.

use core::alloc::Layout;
use core::sync::atomic::{AtomicU32, Ordering};
use freeing_bump::{FreeingBump, OnRefusal, Outlined};

#[global_allocator]
pub(crate) static ALLOCATOR: OnRefusal<Outlined<FreeingBump>> =
    OnRefusal::new(Outlined::new(FreeingBump::new()), count_refusal);

static REFUSALS: AtomicU32 = AtomicU32::new(0);

fn count_refusal(_: Layout) -> bool {
    REFUSALS.fetch_add(1, Ordering::Relaxed);
    false
}

/// How often a refusal was reported.
#[unsafe(no_mangle)]
extern "C" fn reported_refusals() -> u32 {
    REFUSALS.load(Ordering::Relaxed)
}
