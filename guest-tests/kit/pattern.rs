//! The bytes that tests write into memory. A check of them finds a byte that was lost, moved or overwritten.
//!
//! Byte `i` of a piece of memory with fill `f` is `(i + f) % 251`. 251 is prime: bytes that were copied from the wrong
//! offset, or from another piece, do not look right by accident.

/// After this many bytes the pattern repeats.
const PERIOD_BYTES: usize = 251;

/// How many bytes are written and compared at once; any multiple of the period will do.
const CHUNK_BYTES: usize = 16 * PERIOD_BYTES;

/// The pattern of fill 0. It is long enough to contain a chunk of every other fill.
static PATTERN: [u8; CHUNK_BYTES + u8::MAX as usize] = {
    let mut pattern = [0; CHUNK_BYTES + u8::MAX as usize];
    let mut index = 0;
    while index < pattern.len() {
        pattern[index] = (index % PERIOD_BYTES) as u8;
        index += 1;
    }
    pattern
};

/// Writes the pattern of `fill` to `memory`, whose first byte has index `first_index` in the pattern.
pub(crate) fn write(memory: &mut [u8], first_index: usize, fill: u8) {
    let phase = (first_index + usize::from(fill)) % PERIOD_BYTES;
    for chunk in memory.chunks_mut(CHUNK_BYTES) {
        chunk.copy_from_slice(&PATTERN[phase..][..chunk.len()]);
    }
}

/// Panics when a byte of `memory` is not what [`write`] has written there from index 0 on.
pub(crate) fn check(memory: &[u8], fill: u8) {
    let pattern = &PATTERN[usize::from(fill)..];
    for (index, chunk) in memory.chunks(CHUNK_BYTES).enumerate() {
        if chunk != &pattern[..chunk.len()] {
            let at = (0..chunk.len())
                .find(|&at| chunk[at] != pattern[at])
                .unwrap_or_default();
            panic!(
                "byte {} of the {} bytes at {:p} is {:#04x}; {:#04x} was written there",
                index * CHUNK_BYTES + at,
                memory.len(),
                memory.as_ptr(),
                chunk[at],
                pattern[at],
            );
        }
    }
}
