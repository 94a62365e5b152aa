//! Keeps the error that `CheckedFreeingBump` found, in a form that the host can read after the trap.

use core::fmt::Write;
use freeing_bump::Error;
use guest_tests::Text;

static ERROR: Text = Text::new();

/// The error handler of this module's allocator.
pub(crate) fn keep_and_trap(error: &Error) -> ! {
    // An error that is too long to be kept whole fails the host's comparison.
    let _ = write!(&ERROR, "{error:?}");
    core::arch::wasm32::unreachable()
}

/// The address of the error's text, as `Debug` prints it.
#[unsafe(no_mangle)]
pub extern "C" fn text_address() -> usize {
    ERROR.address()
}

/// The number of bytes of that text, 0 if no error handler has run.
#[unsafe(no_mangle)]
pub extern "C" fn text_length() -> usize {
    ERROR.length()
}
