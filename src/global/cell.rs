//! The cell that lets a `static` allocator change its state: the one place that says why that is sound.

use core::cell::UnsafeCell;

// `build.rs` decides which builds are sound, and says of the others what is wrong.
#[cfg(any(not(build_script_found_no_fault), target_feature = "atomics"))]
compile_error!(
    "freeing-bump's build script refuses builds in which its global allocators would break memory: it must run, and with \
     the flags of this build"
);

/// A value that one thread uses, one call at a time.
pub(crate) struct SingleThreaded<T>(UnsafeCell<T>);

// SAFETY: `build.rs` refuses builds for threads, and the check above makes sure that it has run. So one thread at a time
// runs a module.
unsafe impl<T> Sync for SingleThreaded<T> {}

impl<T> SingleThreaded<T> {
    /// A cell around `value`.
    pub(crate) const fn new(value: T) -> Self {
        SingleThreaded(UnsafeCell::new(value))
    }

    /// The value, for a caller that has the cell for itself.
    pub(crate) const fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// Calls `call` with the value and returns what it returns.
    ///
    /// # Safety
    ///
    /// `call` must not use this cell, and so must run no code of the allocator's user.
    pub(crate) unsafe fn with<R>(&self, call: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: there is one thread, and `call` does not use the cell while the reference lives.
        call(unsafe { &mut *self.0.get() })
    }
}
