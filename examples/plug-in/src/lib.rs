//! A plug-in of a log viewer: it keeps as many lines of a log as fit under its ceiling, and searches them.
//!
//! Two things hold the memory down. The allocator has a ceiling, so that the host is never asked for more: some hosts end a
//! plug-in for asking. And a reserve is set aside: when a request is refused, the reserve is released and the request tried
//! once more. So the step under way comes to its end. Then the plug-in forgets the older half of its lines, tells
//! its host, and sets a new reserve aside.

mod reserve;

use freeing_bump::{FreeingBump, OnRefusal};
use std::collections::BTreeMap;
use std::ptr;
use std::sync::Mutex;

/// The most pages of 64 KiB that the memory may have: 4 MiB.
const CEILING_PAGES: u32 = 64;

#[global_allocator]
static ALLOCATOR: OnRefusal<FreeingBump> =
    OnRefusal::new(FreeingBump::new().with_max_pages(CEILING_PAGES), reserve::release);

/// The longest line that is kept, in bytes: a reserve has room for one.
const LONGEST_LINE_BYTES: usize = 1 << 16;

/// The lines that are kept, by their number in the log.
static LINES: Mutex<BTreeMap<u64, Box<[u8]>>> = Mutex::new(BTreeMap::new());

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    /// Tells the host that memory has run out, how many bytes were asked for, and how many lines are forgotten for it.
    safe fn ran_out(refused_bytes: usize, forgotten_lines: usize);
}

/// Sets the first reserve aside. To be called once, before everything else.
#[unsafe(no_mangle)]
pub extern "C" fn start() {
    reserve::set_aside();
}

/// A buffer of `length` bytes for the host to write a line or a text to; null if that is longer than 64 KiB.
#[unsafe(no_mangle)]
pub extern "C" fn buffer(length: usize) -> *mut u8 {
    if length > LONGEST_LINE_BYTES {
        return ptr::null_mut();
    }
    Box::into_raw(vec![0_u8; length].into_boxed_slice()).cast()
}

/// Keeps the line in `buffer` as number `number`, and takes the buffer back.
///
/// # Safety
///
/// `text` must come from [`buffer`], with this length, and must not have been taken back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keep(number: u64, text: *mut u8, length: usize) {
    // SAFETY: the buffer was a box of this length, as the host must see to, and is taken back once.
    let line = unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(text, length)) };
    step(|lines| {
        lines.insert(number, line);
    });
}

/// How many lines contain the text in `buffer`, which is taken back. The empty text is in each line.
///
/// # Safety
///
/// As for [`keep`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lines_with(text: *mut u8, length: usize) -> usize {
    // SAFETY: the buffer was a box of this length, as the host must see to, and is taken back once.
    let text = unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(text, length)) };
    let contains = |line: &[u8]| text.is_empty() || line.windows(text.len()).any(|window| *window == *text);
    step(|lines| lines.values().filter(|line| contains(line)).count())
}

/// Does this with the lines. If memory has run out meanwhile, forgets the older half of them, sets a new reserve aside, and tells
/// the host.
fn step<Answer>(work: impl FnOnce(&mut BTreeMap<u64, Box<[u8]>>) -> Answer) -> Answer {
    let mut lines = LINES.lock().expect("a step that panics ends the module");
    let answer = work(&mut lines);
    if let Some(refused_bytes) = reserve::refused_bytes() {
        let mut forgotten = forget_older_half(&mut lines);
        // The lines that are left may lie so that no gap between them has room for the reserve.
        while !reserve::set_aside() && !lines.is_empty() {
            forgotten += forget_older_half(&mut lines);
        }
        ran_out(refused_bytes, forgotten);
    }
    answer
}

/// Returns how many lines were forgotten: the older half, or the only one.
fn forget_older_half(lines: &mut BTreeMap<u64, Box<[u8]>>) -> usize {
    let newer = match lines.keys().nth(lines.len().div_ceil(2)).copied() {
        Some(first) => lines.split_off(&first),
        None => BTreeMap::new(),
    };
    std::mem::replace(lines, newer).len()
}
