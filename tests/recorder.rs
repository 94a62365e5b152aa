//! `Recorder` around an allocator that calls it back, on the host.
#![cfg(all(feature = "record", feature = "trace"))]

use freeing_bump::{Event, Recorder, Traced};
use std::alloc::{GlobalAlloc, Layout, System};

thread_local! {
    static RECORDER: Recorder<Traced<System>> = const { Recorder::new(Traced::new(System, allocate_and_release)) };
}

const SMALL: Layout = Layout::new::<u64>();

/// A hook that allocates when the recorder does, for its buffer.
fn allocate_and_release(event: &Event) {
    if event.layout.size() <= SMALL.size() {
        return;
    }
    RECORDER.with(|recorder| {
        // SAFETY: the layout is not empty, and the block is released with it.
        unsafe {
            let block = recorder.alloc(SMALL);
            block.write(0xa5);
            recorder.dealloc(block, SMALL);
        }
    });
}

#[test]
fn a_recording_stops_and_says_so_where_a_hook_allocates_while_the_buffer_grows() {
    RECORDER.with(|recorder| {
        // SAFETY: as above. Nothing else uses this thread's recorder, so the recording stays where it is.
        let bytes = unsafe {
            let block = recorder.alloc(SMALL);
            recorder.dealloc(block, SMALL);
            let recording = recorder.recording();
            core::slice::from_raw_parts(
                core::ptr::with_exposed_provenance::<u8>(recording.address),
                recording.bytes,
            )
        };
        assert_eq!(&bytes[..5], b"FBREC");
        assert_eq!(bytes[6], 1, "the recording does not say that it has stopped");
        let events = u32::from_le_bytes(bytes[8..12].try_into().unwrap());
        assert_eq!(12 + events as usize, bytes.len());
    });
}
