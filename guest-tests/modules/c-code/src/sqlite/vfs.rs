//! What SQLite needs of an operating system where no database is a file: nothing but numbers that look random.

use core::ffi::{c_char, c_int, c_void};
use core::ptr;

const OK: c_int = 0;
const CANNOT_OPEN: c_int = 14;

/// `sqlite3_vfs` in its first version.
#[repr(C)]
struct Vfs {
    version: c_int,
    file_size: c_int,
    longest_path: c_int,
    next: *mut Vfs,
    name: *const c_char,
    data: *mut c_void,
    open: extern "C" fn(*mut Vfs, *const c_char, *mut c_void, c_int, *mut c_int) -> c_int,
    delete: Option<extern "C" fn(*mut Vfs, *const c_char, c_int) -> c_int>,
    access: Option<extern "C" fn(*mut Vfs, *const c_char, c_int, *mut c_int) -> c_int>,
    full_path: Option<extern "C" fn(*mut Vfs, *const c_char, c_int, *mut c_char) -> c_int>,
    /// Those that load libraries.
    load: [*const c_void; 4],
    randomness: unsafe extern "C" fn(*mut Vfs, c_int, *mut u8) -> c_int,
    sleep: Option<extern "C" fn(*mut Vfs, c_int) -> c_int>,
    current_time: unsafe extern "C" fn(*mut Vfs, *mut f64) -> c_int,
    last_error: Option<extern "C" fn(*mut Vfs, c_int, *mut c_char) -> c_int>,
}

unsafe extern "C" {
    fn sqlite3_vfs_register(vfs: *mut Vfs, is_default: c_int) -> c_int;
}

static mut VFS: Vfs = Vfs {
    version: 1,
    file_size: 64,
    longest_path: 64,
    next: ptr::null_mut(),
    name: c"none".as_ptr(),
    data: ptr::null_mut(),
    open: refuse_to_open,
    delete: None,
    access: None,
    full_path: None,
    load: [ptr::null(); 4],
    randomness: fill,
    sleep: None,
    current_time: julian_epoch,
    last_error: None,
};

/// SQLite calls this when it starts.
#[unsafe(no_mangle)]
extern "C" fn sqlite3_os_init() -> c_int {
    // SAFETY: only SQLite uses the structure, which has the shape of its first version.
    unsafe { sqlite3_vfs_register(&raw mut VFS, 1) }
}

/// SQLite calls this when it ends.
#[unsafe(no_mangle)]
extern "C" fn sqlite3_os_end() -> c_int {
    OK
}

extern "C" fn refuse_to_open(_: *mut Vfs, _: *const c_char, _: *mut c_void, _: c_int, _: *mut c_int) -> c_int {
    CANNOT_OPEN
}

/// Always the same bytes: a run must come back with its seed.
unsafe extern "C" fn fill(_: *mut Vfs, size: c_int, bytes: *mut u8) -> c_int {
    // SAFETY: SQLite passes a buffer of that size.
    unsafe { ptr::write_bytes(bytes, 7, size as usize) };
    size
}

unsafe extern "C" fn julian_epoch(_: *mut Vfs, days: *mut f64) -> c_int {
    // SAFETY: SQLite passes where to write the time.
    unsafe { days.write(0.0) };
    OK
}
