//! What the host calls.

use crate::scenarios::{FIGURES, Scenario, Worker};
use crate::{failure, meeting, scenarios};
use core::sync::atomic::Ordering;

/// Makes ready for a run with `workers` workers. No worker may be at work.
#[unsafe(no_mangle)]
extern "C" fn prepare(workers: u32) {
    std::panic::set_hook(Box::new(|info| failure::fail(format_args!("{info}"))));
    failure::forget_stop();
    meeting::expect(workers);
    for figure in &FIGURES {
        figure.store(0, Ordering::Relaxed);
    }
}

/// Does the work of one thread, number `index` of those that [`prepare`] was told of. Returns 0 when it is done, and 1 when
/// it was stopped. A check that fails traps.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn worker(scenario: u32, index: u32, rounds: u32, seed: u32) -> u32 {
    Worker::new(index, seed)
        .play(Scenario::of(scenario), rounds)
        .is_err()
        .into()
}

/// Has all workers end at their next round.
#[unsafe(no_mangle)]
extern "C" fn stop() {
    failure::stop();
}

/// Releases the blocks that a storm has left in the shared slots.
#[unsafe(no_mangle)]
extern "C" fn release_shared_blocks() {
    scenarios::release_shared_blocks();
}

/// Gives the calling thread's heap up, where the allocator has such.
#[unsafe(no_mangle)]
extern "C" fn release_thread() {
    scenarios::release_thread();
}

/// The figure of this index, as `Figure` lists them, since [`prepare`].
#[unsafe(no_mangle)]
extern "C" fn figure(index: u32) -> u32 {
    match FIGURES.get(index as usize) {
        Some(figure) => figure.load(Ordering::Relaxed),
        None => failure::fail(format_args!("there is no figure {index}")),
    }
}

/// The pages of the memory.
#[unsafe(no_mangle)]
extern "C" fn pages() -> u32 {
    scenarios::pages()
}

/// The bytes of the heaps that are in use, as the allocator says.
#[cfg(feature = "freeing-bump")]
#[unsafe(no_mangle)]
extern "C" fn live_bytes() -> u32 {
    crate::ALLOCATOR.stats().live_bytes
}

guest_tests::export_text!(failure::text);
