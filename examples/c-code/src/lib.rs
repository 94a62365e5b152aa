//! Compresses and decompresses for its host, with bzip2's library in C.
//!
//! The host writes bytes into a block that it was given by `allocate`, and hands it back in a call of `compress` or
//! `decompress`. The answer is in another block, to `release` when the host has read it.

use bzip2::Compression;
use bzip2::read::{BzDecoder, BzEncoder};
use freeing_bump::FreeingBump;
use std::io::Read;

#[global_allocator]
static ALLOCATOR: FreeingBump = FreeingBump::new();

/// Where bytes lie: the address in the upper half, the length in the lower one.
type Packed = u64;

/// What `decompress` answers where the bytes are not those of `compress`.
const BROKEN: Packed = Packed::MAX;

/// A block of `length` bytes for the host to write to.
#[unsafe(no_mangle)]
extern "C" fn allocate(length: usize) -> *mut u8 {
    let block: Box<[u8]> = vec![0; length].into();
    Box::into_raw(block).cast()
}

/// Releases a block.
///
/// # Safety
///
/// It must be one of `allocate`, or an answer, of this length, and not released before.
#[unsafe(no_mangle)]
unsafe extern "C" fn release(block: *mut u8, length: usize) {
    // SAFETY: the host says that the block is one of this length.
    drop(unsafe { taken(block, length) });
}

/// Compresses the bytes of a block, and releases it.
///
/// # Safety
///
/// As for `release`.
#[unsafe(no_mangle)]
unsafe extern "C" fn compress(block: *mut u8, length: usize) -> Packed {
    // SAFETY: the host says that the block is one of this length.
    let bytes = unsafe { taken(block, length) };
    answer(BzEncoder::new(&bytes[..], Compression::best()))
}

/// Decompresses the bytes of a block, and releases it. The answer is `BROKEN` where they are not those of `compress`.
///
/// # Safety
///
/// As for `release`.
#[unsafe(no_mangle)]
unsafe extern "C" fn decompress(block: *mut u8, length: usize) -> Packed {
    // SAFETY: the host says that the block is one of this length.
    let bytes = unsafe { taken(block, length) };
    answer(BzDecoder::new(&bytes[..]))
}

/// The block that the host gives back.
///
/// # Safety
///
/// As for `release`.
unsafe fn taken(block: *mut u8, length: usize) -> Box<[u8]> {
    // SAFETY: the caller passes a block that was a boxed slice of this length.
    unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(block, length)) }
}

/// Reads all that there is into a block for the host.
fn answer(mut bytes: impl Read) -> Packed {
    let mut read = Vec::new();
    if bytes.read_to_end(&mut read).is_err() {
        return BROKEN;
    }
    let block = Box::into_raw(read.into_boxed_slice());
    (block.cast::<u8>().addr() as Packed) << 32 | block.len() as Packed
}
