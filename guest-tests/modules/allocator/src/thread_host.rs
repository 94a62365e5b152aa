//! What a host needs that plays threads: the end of a thread, and accesses to memory that another thread has just added.
//!
//! V8 refreshes what a thread knows of the memory's size where it looks whether the stack is used up: where a function or a turn
//! of a loop begins. With its flag `--no-wasm-stack-checks` it does so only between calls of the host. So these
//! functions wait for another thread within the module, by spinning.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32;
use core::ptr::{self, with_exposed_provenance_mut};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

/// The bytes of a page.
const PAGE_BYTES: usize = 1 << 16;

/// What bytes are set to before they are released.
const DIRT: u8 = 0xd1;

/// Whether a thread waits to be told an address.
static WAITS: AtomicBool = AtomicBool::new(false);

/// The address for the thread that waits; 0 until there is one.
static TOLD: AtomicUsize = AtomicUsize::new(0);

/// Gives the calling thread's heap up for the next thread.
#[unsafe(no_mangle)]
pub extern "C" fn release_thread() {
    crate::ALLOCATOR.release_thread();
}

/// Adds a page to the memory for the thread that calls [`use_page`] meanwhile. Returns its address.
#[unsafe(no_mangle)]
pub extern "C" fn add_page() -> usize {
    await_the_other();
    let page = wasm32::memory_grow::<0>(1) * PAGE_BYTES;
    tell(page);
    page
}

/// Uses the page that another thread adds meanwhile. `access` is 0 for a plain write, 1 for an atomic addition, 2 for
/// `memory.fill`. With `refresh` it calls `memory.grow` with 0 before.
#[unsafe(no_mangle)]
pub extern "C" fn use_page(access: u32, refresh: bool) {
    let page = with_exposed_provenance_mut::<u8>(told());
    if refresh {
        wasm32::memory_grow::<0>(0);
    }
    // SAFETY: the page was just added for this thread, which alone uses it. Its address is a multiple of 4.
    unsafe {
        match access {
            0 => ptr::write_volatile(page, 1),
            1 => _ = AtomicU32::from_ptr(page.cast()).fetch_add(1, Ordering::Relaxed),
            _ => page.write_bytes(1, PAGE_BYTES),
        }
    }
}

/// Gives `rounds` blocks of `size` bytes to the thread that calls [`take_blocks`] meanwhile. Before, it releases what that thread
/// will need, so that it need not grow the memory. With `as_heap` it gives its heap up too.
#[unsafe(no_mangle)]
pub extern "C" fn give_blocks(rounds: u32, size: usize, as_heap: bool) {
    for _ in 0..rounds {
        await_the_other();
        let given = dirty_block(size);
        let released = [size, size, 3 * size].map(|size| (dirty_block(size), size));
        for (block, size) in released {
            release(block, size);
        }
        if as_heap {
            release_thread();
        }
        tell(given.expose_provenance());
    }
}

/// Takes the blocks that [`give_blocks`] gives, doubles each, and makes a zeroed one and another beside it. With `as_heap` it
/// gives its heap up before. Returns how many blocks had other bytes than they must.
#[unsafe(no_mangle)]
pub extern "C" fn take_blocks(rounds: u32, size: usize, as_heap: bool) -> u32 {
    let mut wrong = 0;
    // All stay live, or there would be nothing to grow the memory for: each zeroed block has in its first bytes the address of the
    // one before, and those of the others of its round.
    let mut last = ptr::null_mut::<Links>();
    for _ in 0..rounds {
        if as_heap {
            release_thread();
        }
        let given = with_exposed_provenance_mut::<u8>(told());
        let zeroed = served(
            // SAFETY: the size is not 0.
            unsafe { crate::ALLOCATOR.alloc_zeroed(layout(size)) },
        );
        wrong += u32::from(!is_filled(zeroed, 0, size));
        // SAFETY: the block is live, has this layout, and was given to this thread. The new size is not 0.
        let doubled = served(unsafe { crate::ALLOCATOR.realloc(given, layout(size), 2 * size) });
        wrong += u32::from(!is_filled(doubled, DIRT, size));
        let another = dirty_block(size);
        for block in [zeroed, doubled, another] {
            // SAFETY: the block is live, this thread's, aligned to 16, and longer than four bytes.
            unsafe { AtomicU32::from_ptr(block.cast()) }.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: the block is live, aligned to 16, and longer than its links.
        unsafe { zeroed.cast::<Links>().write([last.cast(), doubled, another]) };
        last = zeroed.cast();
    }
    while !last.is_null() {
        // SAFETY: the block is live, and this was written to it above.
        let [before, doubled, another] = unsafe { last.read() };
        release(doubled, 2 * size);
        release(another, size);
        release(last.cast(), size);
        last = before.cast();
    }
    wrong
}

/// The addresses in the zeroed block of a round.
type Links = [*mut u8; 3];

fn layout(size: usize) -> Layout {
    match Layout::from_size_align(size, 16) {
        Ok(layout) if size >= size_of::<Links>() => layout,
        _ => wasm32::unreachable(),
    }
}

/// The block, which must have been served.
fn served(block: *mut u8) -> *mut u8 {
    if block.is_null() {
        wasm32::unreachable();
    }
    block
}

fn dirty_block(size: usize) -> *mut u8 {
    // SAFETY: the size is not 0.
    let block = served(unsafe { crate::ALLOCATOR.alloc(layout(size)) });
    // SAFETY: the block is live and has these bytes.
    unsafe { block.write_bytes(DIRT, size) };
    block
}

fn release(block: *mut u8, size: usize) {
    // SAFETY: callers give live blocks of this layout away.
    unsafe { crate::ALLOCATOR.dealloc(block, layout(size)) };
}

/// Whether the first bytes of a block are all `byte`. It reads them one by one, as no trap can follow from.
fn is_filled(block: *const u8, byte: u8, length: usize) -> bool {
    // SAFETY: callers name live blocks of at least this length.
    (0..length).all(|at| unsafe { ptr::read_volatile(block.add(at)) } == byte)
}

/// Waits until another thread waits in [`told`]. Traps if that takes many seconds: that thread has trapped then.
fn await_the_other() {
    for _ in 0..u32::MAX {
        if WAITS.swap(false, Ordering::AcqRel) {
            return;
        }
    }
    wasm32::unreachable()
}

/// Tells it the address.
fn tell(address: usize) {
    TOLD.store(address, Ordering::Release);
}

/// Waits until another thread tells an address. Traps if that takes many seconds.
fn told() -> usize {
    WAITS.store(true, Ordering::Release);
    for _ in 0..u32::MAX {
        let address = TOLD.swap(0, Ordering::AcqRel);
        if address != 0 {
            return address;
        }
    }
    wasm32::unreachable()
}
