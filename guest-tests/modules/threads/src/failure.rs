//! What the host reads when a check has failed, and the word that stops the other workers.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, Ordering};
use guest_tests::Text;

static FAILURE: Text = Text::new();

static HAS_FAILED: AtomicBool = AtomicBool::new(false);

static STOPPED: AtomicBool = AtomicBool::new(false);

/// The worker ends since another one has failed, or since the host has said so.
pub(crate) struct Stopped;

/// Keeps the text of the first failure, stops all workers, and traps.
pub(crate) fn fail(text: fmt::Arguments<'_>) -> ! {
    stop();
    if !HAS_FAILED.swap(true, Ordering::AcqRel) {
        // What does not fit is left out; the beginning says enough.
        let _ = (&FAILURE).write_fmt(text);
    }
    core::arch::wasm32::unreachable()
}

/// Has all workers end at their next round.
pub(crate) fn stop() {
    STOPPED.store(true, Ordering::Release);
}

/// Lets workers work after a [`stop`].
pub(crate) fn forget_stop() {
    STOPPED.store(false, Ordering::Release);
}

/// An error when the worker must end.
pub(crate) fn go_on() -> Result<(), Stopped> {
    if STOPPED.load(Ordering::Acquire) {
        Err(Stopped)
    } else {
        Ok(())
    }
}

/// The text that was kept; empty if no check has failed.
pub(crate) fn text() -> &'static Text {
    &FAILURE
}
