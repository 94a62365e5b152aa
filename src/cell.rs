//! The cell that lets a `static` allocator change its state: the one place that says why that is sound.

use core::cell::UnsafeCell;

// Where the toolchain tells a crate of the feature; for the others, `build.rs` looks at the target and the flags.
#[cfg(target_feature = "atomics")]
compile_error!(
    "freeing-bump's global allocators serve modules with one thread: build without the `atomics` target feature, \
     or choose an allocator with a lock (the standard library's default has one)"
);

#[cfg(not(any(target_os = "unknown", target_os = "none", target_os = "wasi")))]
compile_error!(
    "freeing-bump knows which part of the initial memory is free on wasm32-unknown-unknown, wasm32v1-none and WASI; on \
     this target the C library may hand out the same bytes"
);

/// A value that one thread uses, one call at a time.
pub(crate) struct SingleThreaded<T>(UnsafeCell<T>);

// SAFETY: builds for threads are refused above and by `build.rs`, so that a module is run by one thread at a time.
unsafe impl<T> Sync for SingleThreaded<T> {}

impl<T> SingleThreaded<T> {
    /// A cell around `value`.
    pub(crate) const fn new(value: T) -> Self {
        SingleThreaded(UnsafeCell::new(value))
    }

    /// The value of a cell that nobody else has yet.
    pub(crate) const fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// What `call` returns for the value.
    ///
    /// # Safety
    ///
    /// `call` must not use this cell, and so must run no code of the allocator's user.
    pub(crate) unsafe fn with<R>(&self, call: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: there is one thread, and the caller lets nobody in before the reference is gone.
        call(unsafe { &mut *self.0.get() })
    }
}
