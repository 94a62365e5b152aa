//! The allocators that serve modules with one thread, in builds for threads: to make one is an error of the compiler that says so.

use crate::memory::Growth;
use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

/// Defines a type whose constructors cannot be evaluated.
macro_rules! refuse {
    ($name:ident) => {
        /// Serves modules with one thread: in a build for threads its constructors fail to compile in a `static`.
        #[derive(Debug)]
        pub struct $name(());

        impl $name {
            /// Fails with a message.
            #[must_use]
            pub const fn new() -> Self {
                panic!(concat!(
                    stringify!($name),
                    " serves modules with one thread: in a build for threads, use FreeingBump"
                ))
            }

            /// Fails with a message.
            #[must_use]
            pub const fn with_growth(_growth: Growth) -> Self {
                Self::new()
            }

            /// Fails with a message.
            #[must_use]
            pub const fn with_max_pages(self, _pages: u32) -> Self {
                self
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        // SAFETY: there is no value of the type.
        unsafe impl GlobalAlloc for $name {
            unsafe fn alloc(&self, _layout: Layout) -> *mut u8 {
                ptr::null_mut()
            }

            unsafe fn dealloc(&self, _block: *mut u8, _layout: Layout) {}
        }
    };
}

refuse!(TinyFreeingBump);
refuse!(CheckedFreeingBump);
