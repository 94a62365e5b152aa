//! What each worker has: its number, a stack and a block for its thread-local storage.

use std::cell::Cell;

/// The most workers of a module.
pub const MOST_WORKERS: usize = 4;

thread_local! {
    static WORKER: Cell<usize> = const { Cell::new(0) };
    static WORKERS: Cell<usize> = const { Cell::new(1) };
}

/// The number of this worker, counted from 0.
pub fn worker() -> usize {
    WORKER.get()
}

/// The number of all workers.
pub fn workers() -> usize {
    WORKERS.get()
}

/// Says which worker of how many this thread is.
#[cfg(any(test, target_arch = "wasm32"))]
pub fn enter(worker: usize, workers: usize) {
    assert!(worker < workers && workers <= MOST_WORKERS);
    WORKER.set(worker);
    WORKERS.set(workers);
}

#[cfg(target_arch = "wasm32")]
mod exports {
    use super::MOST_WORKERS;
    use std::cell::UnsafeCell;

    const STACK_BYTES: usize = 1 << 18;
    const STORAGE_BYTES: usize = 1 << 12;

    /// Bytes that a host gives to a worker.
    #[repr(C, align(16))]
    struct Area<const BYTES: usize>(UnsafeCell<[u8; BYTES]>);

    // SAFETY: the module hands out the addresses of areas and reads none of them: each worker has areas of its own.
    unsafe impl<const BYTES: usize> Sync for Area<BYTES> {}

    static STACKS: [Area<STACK_BYTES>; MOST_WORKERS] =
        [const { Area(UnsafeCell::new([0; STACK_BYTES])) }; MOST_WORKERS];
    static STORAGES: [Area<STORAGE_BYTES>; MOST_WORKERS] =
        [const { Area(UnsafeCell::new([0; STORAGE_BYTES])) }; MOST_WORKERS];

    /// The address after the stack of a worker.
    #[unsafe(export_name = "end_of_stack")]
    extern "C" fn end_of_stack(worker: usize) -> usize {
        STACKS[worker].0.get().addr() + STACK_BYTES
    }

    /// The address of the block for the thread-local storage of a worker; 0 if it is shorter than `bytes`.
    #[unsafe(export_name = "storage")]
    extern "C" fn storage(worker: usize, bytes: usize) -> usize {
        if bytes <= STORAGE_BYTES {
            STORAGES[worker].0.get().addr()
        } else {
            0
        }
    }

    #[unsafe(export_name = "enter")]
    extern "C" fn enter(worker: usize, workers: usize) {
        super::enter(worker, workers);
    }
}
