//! What WASI's C library calls when a thread ends: the destructor of a `pthread` key that has a value in the thread.

use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicU32, Ordering};

/// The key, plus 1; 0 before it is made.
static KEY: AtomicU32 = AtomicU32::new(0);

#[link(name = "c")]
unsafe extern "C" {
    fn pthread_key_create(key: *mut u32, destructor: unsafe extern "C" fn(*mut c_void)) -> c_int;
    fn pthread_key_delete(key: u32) -> c_int;
    fn pthread_setspecific(key: u32, value: *const c_void) -> c_int;
}

/// Has `destructor` called when the calling thread ends. All calls must pass the same one. Nothing is called where the C library
/// has no key left.
pub(super) fn call_at_end(destructor: unsafe extern "C" fn(*mut c_void)) {
    if let Some(key) = key(destructor) {
        // SAFETY: the key is not deleted. The value only has to be other than null.
        unsafe { pthread_setspecific(key, (&raw const KEY).cast()) };
    }
}

/// The key for the destructor.
fn key(destructor: unsafe extern "C" fn(*mut c_void)) -> Option<u32> {
    let known = KEY.load(Ordering::Relaxed);
    if known != 0 {
        return Some(known - 1);
    }
    let mut key = 0;
    // SAFETY: the C library writes the new key to the variable.
    if unsafe { pthread_key_create(&mut key, destructor) } != 0 {
        return None;
    }
    match KEY.compare_exchange(0, key + 1, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => Some(key),
        Err(known) => {
            // Another thread was faster.
            // SAFETY: the key is not known to anyone else.
            unsafe { pthread_key_delete(key) };
            Some(known - 1)
        }
    }
}
