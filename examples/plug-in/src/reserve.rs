//! Memory that is set aside for the moment when a request is refused.

use std::alloc::Layout;
use std::sync::Mutex;

/// Room for the longest line, 64 KiB, and for what the map of lines needs to take it in.
const RESERVE_BYTES: usize = 96 << 10;

struct Reserve {
    memory: Vec<u8>,
    /// The size of the first request that was refused since the reserve was set aside, if any was.
    refused_bytes: Option<usize>,
}

static RESERVE: Mutex<Reserve> = Mutex::new(Reserve {
    memory: Vec::new(),
    refused_bytes: None,
});

/// Sets a reserve aside; returns whether there was room for one.
pub fn set_aside() -> bool {
    let mut memory = Vec::new();
    // The allocator must not be asked while the lock is held, since it may call `release`.
    let has_room = memory.try_reserve_exact(RESERVE_BYTES).is_ok();
    if let Ok(mut reserve) = RESERVE.lock() {
        reserve.memory = memory;
        reserve.refused_bytes = None;
    }
    has_room
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
