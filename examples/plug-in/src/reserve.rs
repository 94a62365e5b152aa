//! Memory that is set aside for the moment when a request is refused.

use std::alloc::Layout;
use std::sync::Mutex;

/// Room for the longest line, its buffer and what the map of lines needs for it.
const RESERVE_BYTES: usize = 1 << 18;

struct Reserve {
    memory: Vec<u8>,
    /// The size of the first request that was refused since the reserve was set aside, if any was.
    refused_bytes: Option<usize>,
}

static RESERVE: Mutex<Reserve> = Mutex::new(Reserve {
    memory: Vec::new(),
    refused_bytes: None,
});

/// Sets a reserve aside, if there is room for one.
pub fn set_aside() {
    let mut memory = Vec::new();
    // The allocator must not be asked while the lock is held, since it may call `release`.
    let _ = memory.try_reserve_exact(RESERVE_BYTES);
    if let Ok(mut reserve) = RESERVE.lock() {
        reserve.memory = memory;
        reserve.refused_bytes = None;
    }
}

/// Called by the allocator for each request that it refuses: whether to try it once more, since there was a reserve.
pub fn release(refused: Layout) -> bool {
    let Ok(mut reserve) = RESERVE.try_lock() else {
        return false;
    };
    reserve.refused_bytes.get_or_insert(refused.size());
    let memory = std::mem::take(&mut reserve.memory);
    memory.capacity() > 0
}

/// The size of the first request that was refused since the reserve was set aside, in bytes; `None` if none was.
pub fn refused_bytes() -> Option<usize> {
    RESERVE.lock().ok()?.refused_bytes
}
