//! A recording of each call on an allocator, compiled in by the cargo feature `record`.
//!
//! The recording is kept in a buffer that the recorded allocator itself provides, and that the host reads out of linear
//! memory. `cargo make replay` of this crate's repository runs it through other allocators.
//!
//! # Format, version 1
//!
//! ```text
//! +-------+---------+----------+------+-------+  +--------+----------+---------+
//! | FBREC | version | stopped? |  0   | bytes |  | length | checksum | events  |  further frames ...
//! +-------+---------+----------+------+-------+  +--------+----------+---------+
//! 0       5         6          7      8       12 +0       +2         +6        +6+length
//! ```
//!
//! `bytes` counts all bytes after the header. `stopped?` is 1 if the buffer could not grow, or if a call was made while it
//! did. Later calls are then missing. A frame holds at most 4096 bytes of events, and no event crosses it. Its checksum is
//! the 32-bit FNV-1a of the events. Numbers in headers are little-endian.
//!
//! | event | bytes |
//! |---|---|
//! | allocated | kind 0 and alignment, size, address |
//! | allocated with zeros | kind 1 and alignment, size, address |
//! | released | kind 2, address |
//! | resized | kind 3, address before, size after, address after |
//!
//! The first byte holds the kind in bits 0 and 1, and log2 of the alignment above. Sizes are LEB128 varints; addresses
//! are the difference to the address mentioned before, zigzag-coded as a varint. Requests that were refused are left out.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr;

/// The version that the header states.
const VERSION: u8 = 1;

const HEADER_BYTES: usize = 12;
const FRAME_HEADER_BYTES: usize = 6;

/// The most bytes of events in a frame.
const FRAME_BYTES: usize = 4096;

/// The longest event: its first byte and three varints of 64 bits.
const LONGEST_EVENT_BYTES: usize = 1 + 3 * 10;

const FIRST_CAPACITY: usize = 65_536;
const _: () = assert!(FIRST_CAPACITY > HEADER_BYTES + FRAME_HEADER_BYTES + LONGEST_EVENT_BYTES);

/// The byte of the header that says whether recording has stopped early.
const STOPPED_AT: usize = 6;

/// A global allocator that records each call which it passes on.
///
/// ```
/// # #[cfg(target_arch = "wasm32")]
/// # mod module {
/// use freeing_bump::{FreeingBump, Recorder};
///
/// #[global_allocator]
/// static ALLOCATOR: Recorder<FreeingBump> = Recorder::new(FreeingBump::new());
///
/// // The host reads `recording_bytes()` bytes at `recording_address()` and writes them to a file.
/// #[unsafe(no_mangle)]
/// extern "C" fn recording_address() -> usize {
///     ALLOCATOR.recording().address
/// }
///
/// #[unsafe(no_mangle)]
/// extern "C" fn recording_bytes() -> usize {
///     ALLOCATOR.recording().bytes
/// }
/// # }
/// ```
///
/// A call costs O(1) more than without recording, except for the growth of the buffer, which doubles. When the buffer
/// cannot grow, or the wrapped allocator makes a call of its own meanwhile, the recording stops and says so. Calls are
/// passed on as before.
#[derive(Debug)]
pub struct Recorder<A> {
    allocator: A,
    buffer: UnsafeCell<Buffer>,
}

/// Where a recording lies. It moves when the next call is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The address of the first byte; 0 before anything was recorded.
    pub address: usize,
    /// The number of bytes.
    pub bytes: usize,
}

/// The bytes of a recording and the state of its last frame.
#[derive(Debug)]
struct Buffer {
    start: *mut u8,
    capacity: usize,
    len: usize,
    /// Where the last frame's header starts.
    frame: usize,
    checksum: u32,
    last_address: usize,
    /// Whether the allocator is being called for more room.
    growing: bool,
    stopped: bool,
}

// SAFETY: this crate refuses builds for threads, so one thread at a time runs a module.
#[cfg(all(target_arch = "wasm32", not(any(for_threads, target_feature = "atomics"))))]
unsafe impl<A: Sync> Sync for Recorder<A> {}

impl<A> Recorder<A> {
    /// An allocator that passes every call on to `allocator` and records it.
    #[must_use]
    pub const fn new(allocator: A) -> Self {
        Recorder {
            allocator,
            buffer: UnsafeCell::new(Buffer {
                start: ptr::null_mut(),
                capacity: 0,
                len: 0,
                frame: 0,
                checksum: 0,
                last_address: 0,
                growing: false,
                stopped: false,
            }),
        }
    }

    /// The allocator that calls are passed on to.
    #[must_use]
    pub const fn inner(&self) -> &A {
        &self.allocator
    }

    /// Where the recording of all calls so far lies.
    #[must_use]
    pub fn recording(&self) -> Recording {
        // SAFETY: no reference to the buffer outlives a call on this allocator.
        let buffer = unsafe { &*self.buffer.get() };
        Recording {
            address: buffer.start.expose_provenance(),
            bytes: buffer.len,
        }
    }
}

impl<A: GlobalAlloc> Recorder<A> {
    /// Records the event that `encode` writes.
    fn record(&self, encode: impl FnOnce(&mut Event, &mut usize)) {
        if self.has_room() {
            // SAFETY: nothing that is called below uses this recorder.
            let buffer = unsafe { &mut *self.buffer.get() };
            let mut event = Event::new();
            encode(&mut event, &mut buffer.last_address);
            buffer.push(&event);
        }
    }

    /// Whether the longest event and a new frame fit, after growing if they did not. No reference to the buffer is held
    /// while the wrapped allocator is called, which may use this recorder: a hook of [`Traced`](crate::Traced) may.
    fn has_room(&self) -> bool {
        // SAFETY: nothing that is called before the reference's last use uses this recorder.
        let buffer = unsafe { &mut *self.buffer.get() };
        if buffer.growing {
            buffer.stopped = true;
        }
        if buffer.stopped {
            return false;
        }
        if buffer.capacity - buffer.len >= FRAME_HEADER_BYTES + LONGEST_EVENT_BYTES {
            return true;
        }
        buffer.growing = true;
        let (start, capacity) = (buffer.start, buffer.capacity);
        let new_capacity = (capacity * 2).max(FIRST_CAPACITY);
        let new_start = match (Layout::array::<u8>(capacity), Layout::array::<u8>(new_capacity)) {
            // SAFETY: the size is not 0.
            (_, Ok(new_layout)) if capacity == 0 => unsafe { self.allocator.alloc(new_layout) },
            // SAFETY: the buffer was allocated with the layout of its capacity, and the new size is that of a layout.
            (Ok(layout), Ok(_)) => unsafe { self.allocator.realloc(start, layout, new_capacity) },
            _ => ptr::null_mut(),
        };
        // SAFETY: as above; a call from within the allocator has changed `stopped` alone.
        let buffer = unsafe { &mut *self.buffer.get() };
        buffer.growing = false;
        buffer.replace(new_start, new_capacity)
    }
}

/// The bytes of one event.
struct Event {
    bytes: [u8; LONGEST_EVENT_BYTES],
    len: usize,
}

impl Event {
    const fn new() -> Self {
        Event {
            bytes: [0; LONGEST_EVENT_BYTES],
            len: 0,
        }
    }

    fn byte(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    fn kind(&mut self, kind: u8, layout: Layout) {
        self.byte(kind | (layout.align().trailing_zeros() as u8) << 2);
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    fn address(&mut self, address: usize, last: &mut usize) {
        let difference = address.wrapping_sub(*last) as isize as i64;
        *last = address;
        self.number(((difference << 1) ^ (difference >> 63)) as u64);
    }
}

impl Buffer {
    /// Goes on in a larger buffer at `start`, to which the bytes written were copied; stops if that is null, or if a call
    /// went unrecorded meanwhile. Whether recording goes on.
    fn replace(&mut self, start: *mut u8, capacity: usize) -> bool {
        if start.is_null() {
            self.stopped = true;
        } else {
            self.start = start;
            if self.capacity == 0 {
                self.len = HEADER_BYTES;
                self.write(0, b"FBREC");
                self.write(5, &[VERSION, 0, 0]);
            }
            self.capacity = capacity;
        }
        if self.stopped && self.capacity != 0 {
            self.write(STOPPED_AT, &[1]);
        }
        !self.stopped
    }

    fn push(&mut self, event: &Event) {
        let used = self.len.wrapping_sub(self.frame + FRAME_HEADER_BYTES);
        if self.frame == 0 || used + event.len > FRAME_BYTES {
            self.frame = self.len;
            self.len += FRAME_HEADER_BYTES;
            self.checksum = 0x811c_9dc5;
        }
        let bytes = event.bytes.get(..event.len).unwrap_or(&[]);
        for &byte in bytes {
            self.checksum = (self.checksum ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
        self.write(self.len, bytes);
        self.len += bytes.len();
        let frame_bytes = (self.len - self.frame - FRAME_HEADER_BYTES) as u16;
        self.write(self.frame, &frame_bytes.to_le_bytes());
        self.write(self.frame + 2, &self.checksum.to_le_bytes());
        self.write(8, &((self.len - HEADER_BYTES) as u32).to_le_bytes());
    }

    /// Writes `bytes` at the offset `at`, which lies within the capacity.
    fn write(&mut self, at: usize, bytes: &[u8]) {
        // SAFETY: `has_room` has made room for a frame's header and the longest event after `len`, and what lies before
        // was written already. The buffer belongs to this recorder alone.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.add(at), bytes.len()) }
    }
}

// SAFETY: all calls are passed on as they are, and what they return is passed back.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Recorder<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the size of the layout is not 0, as the caller must see to.
        let block = unsafe { self.allocator.alloc(layout) };
        self.record_new(0, block, layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the size of the layout is not 0, as the caller must see to.
        let block = unsafe { self.allocator.alloc_zeroed(layout) };
        self.record_new(1, block, layout)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block comes from the allocator within, with this layout, and is live.
        unsafe { self.allocator.dealloc(block, layout) };
        self.record(|event, last| {
            event.byte(2);
            event.address(block.addr(), last);
        });
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the block comes from the allocator within, with this layout, and is live.
        let resized = unsafe { self.allocator.realloc(block, layout, new_size) };
        if !resized.is_null() {
            self.record(|event, last| {
                event.kind(3, layout);
                event.address(block.addr(), last);
                event.number(new_size as u64);
                event.address(resized.addr(), last);
            });
        }
        resized
    }
}

impl<A: GlobalAlloc> Recorder<A> {
    /// Records a new block unless the request was refused; returns the block.
    fn record_new(&self, kind: u8, block: *mut u8, layout: Layout) -> *mut u8 {
        if !block.is_null() {
            self.record(|event, last| {
                event.kind(kind, layout);
                event.number(layout.size() as u64);
                event.address(block.addr(), last);
            });
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use super::{HEADER_BYTES, Recorder};
    use core::alloc::{GlobalAlloc, Layout};
    use std::alloc::System;
    use std::vec::Vec;

    fn bytes_of(recorder: &Recorder<System>) -> Vec<u8> {
        let recording = recorder.recording();
        let start = core::ptr::with_exposed_provenance::<u8>(recording.address);
        // SAFETY: the recording lies there until the next call on the recorder.
        unsafe { core::slice::from_raw_parts(start, recording.bytes) }.to_vec()
    }

    #[test]
    fn before_the_first_call_there_is_no_recording() {
        assert_eq!(Recorder::new(System).recording().bytes, 0);
    }

    #[test]
    fn a_block_made_and_released_is_two_events_in_one_frame() {
        let recorder = Recorder::new(System);
        let layout = Layout::from_size_align(300, 16).unwrap();
        // SAFETY: the block is released with the layout it was allocated with.
        unsafe { recorder.dealloc(recorder.alloc(layout), layout) };
        let bytes = bytes_of(&recorder);
        assert_eq!(&bytes[..8], b"FBREC\x01\0\0");
        assert_eq!(bytes[8..12], ((bytes.len() - HEADER_BYTES) as u32).to_le_bytes());
        assert_eq!(bytes[12..14], ((bytes.len() - 18) as u16).to_le_bytes());
        // Allocated, alignment 2^4, 300 = 0xAC 0x02; at the end released, at a distance of 0.
        assert_eq!(bytes[18..21], [4 << 2, 0xac, 0x02]);
        assert_eq!(bytes[bytes.len() - 2..], [2, 0]);
    }

    #[test]
    fn the_buffer_grows_and_keeps_what_it_holds() {
        let recorder = Recorder::new(System);
        let layout = Layout::from_size_align(8, 8).unwrap();
        // SAFETY: each block is released with the layout it was allocated with.
        unsafe {
            recorder.dealloc(recorder.alloc(layout), layout);
            let before = bytes_of(&recorder);
            for _ in 0..100_000 {
                recorder.dealloc(recorder.alloc(layout), layout);
            }
            let after = bytes_of(&recorder);
            assert!(after.len() > 300_000);
            assert_eq!(after[18..before.len()], before[18..]);
        }
    }
}
