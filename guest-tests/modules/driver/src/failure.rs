//! What the host reads when a check has failed: the step, and the message of the panic.

use core::fmt::Write;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU32, Ordering};
use guest_tests::Text;

static FAILURE: Text = Text::new();

/// The steps or rounds begun.
static STEP: AtomicU32 = AtomicU32::new(0);

/// Counts one more step.
pub(crate) fn begin_step() {
    STEP.fetch_add(1, Ordering::Relaxed);
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    // What does not fit is left out; the beginning says enough.
    let _ = write!(&FAILURE, "step {}: {info}", STEP.load(Ordering::Relaxed));
    core::arch::wasm32::unreachable()
}

/// The address of the text.
#[unsafe(no_mangle)]
extern "C" fn text_address() -> usize {
    FAILURE.address()
}

/// The number of bytes of the text, 0 if no check has failed.
#[unsafe(no_mangle)]
extern "C" fn text_length() -> usize {
    FAILURE.length()
}
