//! A database in memory, and its statements.

use crate::both_sides;
use alloc::vec::Vec;
use core::ffi::{CStr, c_char, c_int, c_uchar, c_uint, c_void};
use core::ptr;
use core::slice;

const OK: c_int = 0;
const ROW: c_int = 100;
const DONE: c_int = 101;

/// SQLite releases the block of the database, and may resize it.
const FREE_ON_CLOSE_AND_RESIZABLE: c_uint = 1 | 2;

const MAIN: &CStr = c"main";

unsafe extern "C" {
    fn sqlite3_open(name: *const c_char, database: *mut *mut c_void) -> c_int;
    fn sqlite3_close(database: *mut c_void) -> c_int;
    fn sqlite3_shutdown() -> c_int;
    fn sqlite3_errmsg(database: *mut c_void) -> *const c_char;
    fn sqlite3_exec(
        database: *mut c_void,
        sql: *const c_char,
        callback: Option<extern "C" fn(*mut c_void, c_int, *mut *mut c_char, *mut *mut c_char) -> c_int>,
        data: *mut c_void,
        message: *mut *mut c_char,
    ) -> c_int;
    fn sqlite3_serialize(database: *mut c_void, schema: *const c_char, size: *mut i64, flags: c_uint) -> *mut c_uchar;
    fn sqlite3_deserialize(
        database: *mut c_void,
        schema: *const c_char,
        bytes: *mut c_uchar,
        size: i64,
        capacity: i64,
        flags: c_uint,
    ) -> c_int;
    fn sqlite3_prepare_v2(
        database: *mut c_void,
        sql: *const c_char,
        length: c_int,
        statement: *mut *mut c_void,
        tail: *mut *const c_char,
    ) -> c_int;
    fn sqlite3_bind_int64(statement: *mut c_void, index: c_int, value: i64) -> c_int;
    fn sqlite3_bind_blob64(
        statement: *mut c_void,
        index: c_int,
        bytes: *const c_void,
        size: u64,
        release: unsafe extern "C" fn(*mut c_void),
    ) -> c_int;
    fn sqlite3_step(statement: *mut c_void) -> c_int;
    fn sqlite3_reset(statement: *mut c_void) -> c_int;
    fn sqlite3_finalize(statement: *mut c_void) -> c_int;
    fn sqlite3_column_int64(statement: *mut c_void, column: c_int) -> i64;
    fn sqlite3_column_blob(statement: *mut c_void, column: c_int) -> *const c_void;
    fn sqlite3_column_bytes(statement: *mut c_void, column: c_int) -> c_int;
}

/// Has SQLite release what it keeps from one database to the next.
pub(super) fn shut_down() {
    // SAFETY: no database is open.
    assert_eq!(unsafe { sqlite3_shutdown() }, OK);
}

pub(super) struct Database(*mut c_void);

impl Database {
    pub(super) fn new() -> Self {
        let mut database = ptr::null_mut();
        // SAFETY: the name ends, and SQLite writes where it may.
        let code = unsafe { sqlite3_open(c":memory:".as_ptr(), &raw mut database) };
        let database = Database(database);
        database.expect(OK, code);
        database
    }

    /// The bytes of the database as it would be in a file. SQLite has allocated them, and Rust releases them.
    pub(super) fn into_file(self) -> Vec<u8> {
        let mut size = 0;
        // SAFETY: the database is open, the name ends, and SQLite writes where it may.
        let bytes = unsafe { sqlite3_serialize(self.0, MAIN.as_ptr(), &raw mut size, 0) };
        assert!(!bytes.is_null());
        let size = size as usize;
        // SAFETY: the block is from `malloc`, which gives a block that Rust may release, has that size, and is the
        // caller's.
        unsafe { Vec::from_raw_parts(bytes, size, size) }
    }

    /// The database of such a file. Rust has allocated it, and SQLite resizes and releases it.
    pub(super) fn from_file(file: Vec<u8>) -> Self {
        let database = Database::new();
        let (bytes, size, capacity) = (file.as_ptr().cast_mut(), file.len() as i64, file.capacity() as i64);
        core::mem::forget(file);
        let flags = FREE_ON_CLOSE_AND_RESIZABLE;
        // SAFETY: the database is open, the name ends, and the block is SQLite's from here on.
        let code = unsafe { sqlite3_deserialize(database.0, MAIN.as_ptr(), bytes, size, capacity, flags) };
        database.expect(OK, code);
        database
    }

    pub(super) fn execute(&mut self, sql: &CStr) {
        // SAFETY: the database is open, and the text ends.
        let code = unsafe { sqlite3_exec(self.0, sql.as_ptr(), None, ptr::null_mut(), ptr::null_mut()) };
        self.expect(OK, code);
    }

    pub(super) fn prepare(&self, sql: &CStr) -> Statement {
        let mut statement = ptr::null_mut();
        // SAFETY: the database is open, the text ends, and SQLite writes where it may.
        let code = unsafe { sqlite3_prepare_v2(self.0, sql.as_ptr(), -1, &raw mut statement, ptr::null_mut()) };
        self.expect(OK, code);
        Statement(statement)
    }

    #[track_caller]
    fn expect(&self, expected: c_int, code: c_int) {
        // SAFETY: the database is open, or the null pointer, for which there is a message too.
        let message = unsafe { CStr::from_ptr(sqlite3_errmsg(self.0)) };
        assert_eq!(code, expected, "{message:?}");
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // SAFETY: nothing uses the database after this.
        let code = unsafe { sqlite3_close(self.0) };
        // A statement that was not finalized would be said here.
        assert_eq!(code, OK);
    }
}

pub(super) struct Statement(*mut c_void);

impl Statement {
    pub(super) fn bind_number(&self, index: c_int, number: i64) -> &Self {
        // SAFETY: the statement is live and not running.
        assert_eq!(unsafe { sqlite3_bind_int64(self.0, index, number) }, OK);
        self
    }

    /// Binds a copy of `bytes` that one side allocates and one side releases.
    pub(super) fn bind_bytes(&self, index: c_int, bytes: &[u8]) -> &Self {
        let copy = both_sides::copy_of(bytes);
        // SAFETY: the statement is live and not running, and the block is SQLite's from here on, to release with that.
        let code = unsafe { sqlite3_bind_blob64(self.0, index, copy, bytes.len() as u64, both_sides::release) };
        assert_eq!(code, OK);
        self
    }

    /// Runs it to its end.
    pub(super) fn run(&self) {
        self.for_each_row(|_| {});
    }

    /// The first column of its first row, if it has one.
    pub(super) fn first_value(&self) -> Option<Vec<u8>> {
        let mut value = None;
        self.for_each_row(|row| value = Some(row.bytes(0).to_vec()));
        value
    }

    pub(super) fn for_each_row(&self, mut call: impl FnMut(&Row)) {
        loop {
            // SAFETY: the statement is live.
            match unsafe { sqlite3_step(self.0) } {
                ROW => call(&Row(self)),
                code => {
                    assert_eq!(code, DONE);
                    break;
                }
            }
        }
        // SAFETY: the statement is live.
        assert_eq!(unsafe { sqlite3_reset(self.0) }, OK);
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: the statement is live, and nothing uses it after this.
        unsafe { sqlite3_finalize(self.0) };
    }
}

/// The row that a statement is at.
pub(super) struct Row<'a>(&'a Statement);

impl Row<'_> {
    pub(super) fn number(&self, column: c_int) -> i64 {
        // SAFETY: the statement is live and at a row.
        unsafe { sqlite3_column_int64(self.0.0, column) }
    }

    pub(super) fn bytes(&self, column: c_int) -> &[u8] {
        // SAFETY: the statement is live and at a row.
        let bytes = unsafe { sqlite3_column_blob(self.0.0, column) };
        // SAFETY: as before.
        let size = unsafe { sqlite3_column_bytes(self.0.0, column) } as usize;
        if size == 0 {
            return &[];
        }
        // SAFETY: SQLite keeps them until the next step.
        unsafe { slice::from_raw_parts(bytes.cast(), size) }
    }
}
