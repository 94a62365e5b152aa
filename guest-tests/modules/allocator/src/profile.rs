//! Exports what the profile says.

use crate::ALLOCATOR;
use core::fmt::{self, Write};
use core::sync::atomic::{AtomicUsize, Ordering};

/// Counts the bytes that are written.
struct Length(AtomicUsize);

static LENGTH: Length = Length(AtomicUsize::new(0));

impl Write for &Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.fetch_add(text.len(), Ordering::Relaxed);
        Ok(())
    }
}

/// The bytes of the profile as DHAT's JSON, 0 if there is no memory for a snapshot.
#[unsafe(no_mangle)]
pub extern "C" fn profile_length() -> usize {
    LENGTH.0.store(0, Ordering::Relaxed);
    let Some(snapshot) = ALLOCATOR.snapshot() else {
        return 0;
    };
    // The writer takes everything.
    let _ = snapshot.write_dhat(&mut &LENGTH, "module", &|place, out| write!(out, "{place}"));
    LENGTH.0.load(Ordering::Relaxed)
}
