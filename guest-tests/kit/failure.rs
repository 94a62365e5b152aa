//! What a module keeps for its host when a check has failed: the step, and the message of the panic.

use crate::text::Text;
use core::fmt::Write;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU32, Ordering};

static FAILURE: Text = Text::new();

/// The steps or rounds begun.
static STEP: AtomicU32 = AtomicU32::new(0);

/// Counts one more step.
pub fn begin_step() {
    STEP.fetch_add(1, Ordering::Relaxed);
}

/// Keeps the message of a panic, and traps. It is what a module's panic handler does.
pub fn keep_and_trap(info: &PanicInfo) -> ! {
    // What does not fit is left out; the beginning says enough.
    let _ = write!(&FAILURE, "step {}: {info}", STEP.load(Ordering::Relaxed));
    core::arch::wasm32::unreachable()
}

/// The text that was kept; empty if no check has failed.
pub fn text() -> &'static Text {
    &FAILURE
}
