//! Loom's types with constructors that can be `const`: what loom tracks is made at the first access. All that two threads access must
//! be accessed once before there are two, since loom takes the making for a write.

use core::ops::Deref;
use core::ptr;
use core::sync::atomic::Ordering;
use loom::sync::atomic;
use std::sync::OnceLock;
use std::vec::Vec;

pub(crate) use loom::hint::spin_loop;

macro_rules! atomics {
    ($($name:ident of $value:ty;)*) => { $(
        pub(crate) struct $name {
            first: $value,
            made: OnceLock<atomic::$name>,
        }

        impl $name {
            pub(crate) const fn new(first: $value) -> Self {
                $name { first, made: OnceLock::new() }
            }
        }

        impl Deref for $name {
            type Target = atomic::$name;

            fn deref(&self) -> &atomic::$name {
                self.made.get_or_init(|| atomic::$name::new(self.first))
            }
        }
    )* };
}

atomics! {
    AtomicBool of bool;
    AtomicU32 of u32;
}

impl AtomicBool {
    /// A swap that stores nothing where that changes nothing. Loom 0.7 forgets that a swap follows the store whose value it returns
    /// directly, and then has two threads read one store where each of the two should read the other's.
    pub(crate) fn swap(&self, new: bool, order: Ordering) -> bool {
        match self.compare_exchange(!new, new, order, Ordering::Relaxed) {
            Ok(old) | Err(old) => old,
        }
    }
}

pub(crate) struct AtomicPtr<T>(OnceLock<atomic::AtomicPtr<T>>);

impl<T> AtomicPtr<T> {
    /// Null, as all of them are at first.
    pub(crate) const fn new(first: *mut T) -> Self {
        assert!(first.is_null());
        AtomicPtr(OnceLock::new())
    }
}

impl<T> Deref for AtomicPtr<T> {
    type Target = atomic::AtomicPtr<T>;

    fn deref(&self) -> &atomic::AtomicPtr<T> {
        self.0.get_or_init(|| atomic::AtomicPtr::new(ptr::null_mut()))
    }
}

/// How many bytes of a table loom tracks: the tests use no more.
const TRACKED: usize = 16;

/// A table of bytes, whose accesses loom compares with each other.
pub(crate) struct Table<const BYTES: usize>(OnceLock<Vec<loom::cell::UnsafeCell<u8>>>);

// SAFETY: loom finds accesses without an order.
unsafe impl<const BYTES: usize> Sync for Table<BYTES> {}
// SAFETY: as above.
unsafe impl<const BYTES: usize> Send for Table<BYTES> {}

impl<const BYTES: usize> Table<BYTES> {
    pub(crate) const fn new() -> Self {
        Table(OnceLock::new())
    }

    fn entries(&self) -> &[loom::cell::UnsafeCell<u8>] {
        self.0
            .get_or_init(|| (0..TRACKED).map(|_| loom::cell::UnsafeCell::new(0)).collect())
    }

    pub(crate) unsafe fn read(&self, index: u32) -> u8 {
        // SAFETY: loom finds a race.
        self.entries()[index as usize].with(|entry| unsafe { *entry })
    }

    pub(crate) unsafe fn fill(&self, first: u32, count: u32, byte: u8) {
        for index in first..first + count {
            // SAFETY: loom finds a race.
            self.entries()[index as usize].with_mut(|entry| unsafe { *entry = byte });
        }
    }
}
