//! A block that is stamped over all its bytes by its maker, and verified by whoever resizes or releases it.

use crate::failure::fail;
use core::alloc::Layout;
use core::fmt;
use core::ptr::NonNull;
use core::slice;
use std::alloc;

/// An odd number whose bits look random.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Who wrote the bytes of a block.
#[derive(Clone, Copy)]
pub(crate) struct Stamp {
    pub(crate) worker: u32,
    /// Counted by the worker.
    pub(crate) serial: u32,
}

/// What to ask the allocator for.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    /// Not 0.
    pub(crate) size: usize,
    pub(crate) align: usize,
    pub(crate) zeroed: bool,
}

/// A live block. It is verified and released when it is dropped, by whichever thread does that.
pub(crate) struct StampedBlock {
    start: NonNull<u8>,
    layout: Layout,
    stamp: Stamp,
}

// SAFETY: the block may be used in any thread, and this value is the only reference to it.
unsafe impl Send for StampedBlock {}

impl StampedBlock {
    /// A block with the bytes of `stamp`; none if the allocator refuses.
    pub(crate) fn make(request: Request, stamp: Stamp) -> Option<Self> {
        let Ok(layout) = Layout::from_size_align(request.size, request.align) else {
            fail(format_args!(
                "{} bytes at {} make no layout",
                request.size, request.align
            ));
        };
        assert!(layout.size() > 0);
        let start = if request.zeroed {
            // SAFETY: the size is not 0.
            unsafe { alloc::alloc_zeroed(layout) }
        } else {
            // SAFETY: the size is not 0.
            unsafe { alloc::alloc(layout) }
        };
        let block = StampedBlock {
            start: NonNull::new(start)?,
            layout,
            stamp,
        };
        if !block.start.addr().get().is_multiple_of(layout.align()) {
            fail(format_args!("{block} is not aligned"));
        }
        if request.zeroed {
            block.verify_zeros();
        }
        block.write();
        Some(block)
    }

    /// Verifies the block, resizes it, verifies the bytes that must be kept, and stamps all of it anew. False if the allocator
    /// refuses, and the block is as before.
    #[must_use]
    pub(crate) fn resize(&mut self, new_size: usize, stamp: Stamp) -> bool {
        self.verify(self.layout.size());
        assert!(new_size > 0);
        // SAFETY: the block was allocated with this layout, and the new size is not 0.
        let start = unsafe { alloc::realloc(self.start.as_ptr(), self.layout, new_size) };
        let Some(start) = NonNull::new(start) else {
            self.verify(self.layout.size());
            return false;
        };
        self.start = start;
        self.verify(self.layout.size().min(new_size));
        let Ok(layout) = Layout::from_size_align(new_size, self.layout.align()) else {
            fail(format_args!(
                "{self} was resized to {new_size} bytes, which make no layout"
            ));
        };
        self.layout = layout;
        self.stamp = stamp;
        self.write();
        true
    }

    /// What its word of this index is, as its stamp and its layout say.
    fn word(&self, index: usize) -> u64 {
        let stamp = (u64::from(self.stamp.worker) << 32) | u64::from(self.stamp.serial);
        let layout = ((self.layout.align() as u64) << 32) | self.layout.size() as u64;
        let key = (stamp.wrapping_mul(STEP) ^ layout).wrapping_mul(STEP);
        // The middle of the product is the most mixed.
        key.wrapping_add(index as u64).wrapping_mul(STEP).rotate_right(24)
    }

    /// Writes all bytes, by plain stores.
    fn write(&self) {
        // SAFETY: the block is live and has this size. This value is the only reference to it.
        let bytes = unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.layout.size()) };
        let (words, rest) = bytes.as_chunks_mut();
        let count = words.len();
        for (index, word) in words.iter_mut().enumerate() {
            *word = self.word(index).to_le_bytes();
        }
        let last = self.word(count);
        for (index, byte) in rest.iter_mut().enumerate() {
            *byte = (last >> (8 * index)) as u8;
        }
    }

    /// Compares its first `length` bytes with what was written there.
    fn verify(&self, length: usize) {
        // SAFETY: the block is live, and at least this long. All of it was written. This value is the only reference to it.
        let bytes = unsafe { slice::from_raw_parts(self.start.as_ptr(), length) };
        let (words, rest) = bytes.as_chunks();
        for (index, &word) in words.iter().enumerate() {
            self.assert_equal(8 * index, u64::from_le_bytes(word), self.word(index));
        }
        let last = self.word(words.len());
        for (index, &byte) in rest.iter().enumerate() {
            let expected = (last >> (8 * index)) as u8;
            self.assert_equal(8 * words.len() + index, byte.into(), expected.into());
        }
    }

    fn verify_zeros(&self) {
        // SAFETY: the block is live, has this size, and was allocated as zeros. This value is the only reference to it.
        let bytes = unsafe { slice::from_raw_parts(self.start.as_ptr(), self.layout.size()) };
        let (words, rest) = bytes.as_chunks();
        for (index, &word) in words.iter().enumerate() {
            self.assert_equal(8 * index, u64::from_le_bytes(word), 0);
        }
        for (index, &byte) in rest.iter().enumerate() {
            self.assert_equal(8 * words.len() + index, byte.into(), 0);
        }
    }

    fn assert_equal(&self, offset: usize, found: u64, expected: u64) {
        if found != expected {
            fail(format_args!(
                "{self} has {found:#x} at byte {offset}, where {expected:#x} must be"
            ));
        }
    }
}

impl Drop for StampedBlock {
    fn drop(&mut self) {
        self.verify(self.layout.size());
        // SAFETY: the block was allocated with this layout and is released once, here.
        unsafe { alloc::dealloc(self.start.as_ptr(), self.layout) }
    }
}

impl fmt::Display for StampedBlock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the block of {} bytes at {:p}, aligned to {}, number {} of worker {},",
            self.layout.size(),
            self.start,
            self.layout.align(),
            self.stamp.serial,
            self.stamp.worker
        )
    }
}
