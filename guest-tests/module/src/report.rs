//! Keeps the error that `CheckedFreeingBump` found, in a form that the host can read after the trap.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use freeing_bump::Error;

/// A text that grows by `write!`; what does not fit is left out.
struct Text {
    bytes: [AtomicU8; 256],
    length: AtomicUsize,
}

static ERROR: Text = Text {
    bytes: [const { AtomicU8::new(0) }; 256],
    length: AtomicUsize::new(0),
};

impl Write for &Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            let index = self.length.load(Ordering::Relaxed);
            self.bytes.get(index).ok_or(fmt::Error)?.store(byte, Ordering::Relaxed);
            self.length.store(index + 1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// The error handler of this module's allocator.
pub(crate) fn keep_and_trap(error: &Error) -> ! {
    // An error that is too long to be kept whole fails the host's comparison.
    let _ = write!(&ERROR, "{error:?}");
    core::arch::wasm32::unreachable()
}

/// The address of the error's text, as `Debug` prints it.
#[unsafe(no_mangle)]
pub extern "C" fn error_address() -> usize {
    (&raw const ERROR.bytes).addr()
}

/// The number of bytes of that text, 0 if no error handler has run.
#[unsafe(no_mangle)]
pub extern "C" fn error_length() -> usize {
    ERROR.length.load(Ordering::Relaxed)
}

/// Whether the allocator refuses everything.
#[unsafe(no_mangle)]
pub extern "C" fn is_poisoned() -> bool {
    crate::ALLOCATOR.is_poisoned()
}
