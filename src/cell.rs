//! The cell that lets a `static` allocator change.
use core::cell::UnsafeCell;

#[cfg(target_feature = "atomics")]
compile_error!(
    "freeing-bump's global allocators serve one thread: build without the `atomics` target feature"
);

/// A value that one thread alone uses.
pub(crate) struct SingleThreaded<T>(UnsafeCell<T>);

// SAFETY: without the `atomics` target feature, which is refused above, a module's memory is not shared.
unsafe impl<T> Sync for SingleThreaded<T> {}

impl<T> SingleThreaded<T> {
    pub(crate) const fn new(value: T) -> Self {
        SingleThreaded(UnsafeCell::new(value))
    }
    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn get(&self) -> &mut T {
        unsafe { &mut *self.0.get() }
    }
}
