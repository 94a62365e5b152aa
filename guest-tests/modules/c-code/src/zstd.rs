//! zstd: data that is compressed and decompressed must be as before.

use crate::both_sides;
use alloc::vec;
use alloc::vec::Vec;
use core::ffi::{c_int, c_uint, c_void};
use core::ptr;
use fastrand::Rng;
use guest_tests::failure;

/// How often, in steps, new contexts take the place of the old ones.
const CONTEXT_STEPS: u32 = 8;

/// The highest level for long texts. Above it zstd needs a hundred MiB for them.
const LEVEL_OF_LONG_TEXTS: c_int = 6;

const COMPRESSION_LEVEL: c_int = 100;
const SESSION: c_int = 1;
const CONTINUE: c_int = 0;
const END: c_int = 2;

#[repr(C)]
struct CustomMemory {
    allocate: extern "C" fn(*mut c_void, usize) -> *mut c_void,
    release: unsafe extern "C" fn(*mut c_void, *mut c_void),
    data: *mut c_void,
}

#[repr(C)]
struct Input {
    bytes: *const u8,
    size: usize,
    position: usize,
}

#[repr(C)]
struct Output {
    bytes: *mut u8,
    size: usize,
    position: usize,
}

unsafe extern "C" {
    fn ZSTD_createCCtx() -> *mut c_void;
    fn ZSTD_createCCtx_advanced(memory: CustomMemory) -> *mut c_void;
    fn ZSTD_freeCCtx(context: *mut c_void) -> usize;
    fn ZSTD_createDCtx() -> *mut c_void;
    fn ZSTD_createDCtx_advanced(memory: CustomMemory) -> *mut c_void;
    fn ZSTD_freeDCtx(context: *mut c_void) -> usize;
    fn ZSTD_compressBound(size: usize) -> usize;
    fn ZSTD_isError(code: usize) -> c_uint;
    fn ZSTD_CCtx_setParameter(context: *mut c_void, parameter: c_int, value: c_int) -> usize;
    fn ZSTD_CCtx_reset(context: *mut c_void, what: c_int) -> usize;
    fn ZSTD_compressCCtx(
        context: *mut c_void,
        to: *mut u8,
        capacity: usize,
        from: *const u8,
        size: usize,
        level: c_int,
    ) -> usize;
    fn ZSTD_compressStream2(context: *mut c_void, to: *mut Output, from: *mut Input, end: c_int) -> usize;
    fn ZSTD_decompressDCtx(context: *mut c_void, to: *mut u8, capacity: usize, from: *const u8, size: usize) -> usize;
    fn ZSTD_decompressStream(context: *mut c_void, to: *mut Output, from: *mut Input) -> usize;
}

/// Sends `steps` texts there and back.
pub(crate) fn play(seed: u32, steps: u32) {
    let mut random = Rng::with_seed(seed.into());
    let mut pair = Pair::new(false);
    for step in 0..steps {
        failure::begin_step();
        if step % CONTEXT_STEPS == CONTEXT_STEPS - 1 {
            // First the new ones, then the old ones go.
            pair = Pair::new(random.bool());
        }
        let text = text(&mut random);
        let level = random.i32(-5..=if text.len() < 5_000 { 19 } else { LEVEL_OF_LONG_TEXTS });
        let compressed = if random.bool() {
            pair.compress(&text, level)
        } else {
            // zstd does not know that the text is not long.
            pair.compress_in_parts(&text, level.min(LEVEL_OF_LONG_TEXTS), &mut random)
        };
        let back = if random.bool() {
            pair.decompress(&compressed, text.len())
        } else {
            pair.decompress_in_parts(&compressed, &mut random)
        };
        assert!(back == text, "{} bytes differ after level {level}", text.len());
    }
}

/// Bytes that repeat more or less.
fn text(random: &mut Rng) -> Vec<u8> {
    let longest = 1 << random.u32(0..=16);
    let size = random.usize(0..longest);
    let letters = 1 << random.u32(0..8);
    let mut text: Vec<u8> = Vec::new();
    while text.len() < size {
        if random.bool() && !text.is_empty() {
            let start = random.usize(0..text.len());
            let end = random.usize(start..text.len()).min(start + 300);
            text.extend_from_within(start..=end);
        } else {
            text.extend((0..random.usize(1..50)).map(|_| random.u8(..) % letters));
        }
    }
    text
}

/// A context for each direction.
struct Pair {
    compression: *mut c_void,
    decompression: *mut c_void,
}

impl Pair {
    /// Contexts whose memory is from C's functions, or from both sides.
    fn new(from_both_sides: bool) -> Self {
        let memory = || CustomMemory {
            allocate: both_sides::allocate_with,
            release: both_sides::release_with,
            data: ptr::null_mut(),
        };
        let (compression, decompression) = if from_both_sides {
            // SAFETY: the functions serve any size, and release what they have allocated.
            unsafe { (ZSTD_createCCtx_advanced(memory()), ZSTD_createDCtx_advanced(memory())) }
        } else {
            // SAFETY: nothing is asked of the caller.
            unsafe { (ZSTD_createCCtx(), ZSTD_createDCtx()) }
        };
        assert!(!compression.is_null() && !decompression.is_null());
        Pair {
            compression,
            decompression,
        }
    }

    fn compress(&mut self, text: &[u8], level: i32) -> Vec<u8> {
        // SAFETY: any size may be asked about.
        let mut compressed = vec![0; unsafe { ZSTD_compressBound(text.len()) }];
        let (to, capacity) = (compressed.as_mut_ptr(), compressed.len());
        // SAFETY: the context is live, and both ranges are whole slices.
        let size = unsafe { ZSTD_compressCCtx(self.compression, to, capacity, text.as_ptr(), text.len(), level) };
        compressed.truncate(checked(size));
        compressed
    }

    fn compress_in_parts(&mut self, text: &[u8], level: i32, random: &mut Rng) -> Vec<u8> {
        // The context would take the size of the text before for that of this one.
        // SAFETY: the context is live.
        checked(unsafe { ZSTD_CCtx_reset(self.compression, SESSION) });
        // SAFETY: the context is live.
        checked(unsafe { ZSTD_CCtx_setParameter(self.compression, COMPRESSION_LEVEL, level) });
        let mut compressed = Vec::new();
        let mut parts = text.chunks(random.usize(1..=text.len().max(1))).peekable();
        loop {
            let part = parts.next().unwrap_or_default();
            let end = if parts.peek().is_none() { END } else { CONTINUE };
            let mut input = Input::of(part);
            loop {
                let rest = append(&mut compressed, random, |output| {
                    // SAFETY: the context is live, and both ranges are whole slices.
                    unsafe { ZSTD_compressStream2(self.compression, output, &mut input, end) }
                });
                if input.position == input.size && (rest == 0 || end == CONTINUE) {
                    break;
                }
            }
            if end == END {
                return compressed;
            }
        }
    }

    fn decompress(&mut self, compressed: &[u8], size: usize) -> Vec<u8> {
        let mut text = vec![0; size];
        let (from, length) = (compressed.as_ptr(), compressed.len());
        // SAFETY: the context is live, and both ranges are whole slices.
        let size = unsafe { ZSTD_decompressDCtx(self.decompression, text.as_mut_ptr(), size, from, length) };
        text.truncate(checked(size));
        text
    }

    fn decompress_in_parts(&mut self, compressed: &[u8], random: &mut Rng) -> Vec<u8> {
        let mut text = Vec::new();
        let mut rest = 1;
        for part in compressed.chunks(random.usize(1..=compressed.len())) {
            let mut input = Input::of(part);
            let mut is_full = true;
            while input.position < input.size || (is_full && rest != 0) {
                let before = text.len();
                let mut room = 0;
                rest = append(&mut text, random, |output| {
                    room = output.size;
                    // SAFETY: the context is live, and both ranges are whole slices.
                    unsafe { ZSTD_decompressStream(self.decompression, output, &mut input) }
                });
                is_full = text.len() - before == room;
            }
        }
        assert_eq!(rest, 0, "the frame must have come to its end");
        text
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        // SAFETY: the contexts are live, and nothing uses them after this.
        unsafe {
            checked(ZSTD_freeCCtx(self.compression));
            checked(ZSTD_freeDCtx(self.decompression));
        }
    }
}

impl Input {
    fn of(bytes: &[u8]) -> Self {
        Input {
            bytes: bytes.as_ptr(),
            size: bytes.len(),
            position: 0,
        }
    }
}

/// Appends what `write` puts into an output of some size. Returns what `write` does.
fn append(bytes: &mut Vec<u8>, random: &mut Rng, write: impl FnOnce(&mut Output) -> usize) -> usize {
    let mut room = vec![0; random.usize(1..10_000)];
    let mut output = Output {
        bytes: room.as_mut_ptr(),
        size: room.len(),
        position: 0,
    };
    let returned = checked(write(&mut output));
    bytes.extend_from_slice(&room[..output.position]);
    returned
}

#[track_caller]
fn checked(code: usize) -> usize {
    // SAFETY: any code may be asked about.
    assert_eq!(unsafe { ZSTD_isError(code) }, 0, "zstd's error {}", code as isize);
    code
}
