//! Runs a recording of allocations: the host writes some operations into a buffer, calls, and goes on with the next.
//!
//! An operation is three words: kind in bits 0 and 1, log2 of the alignment in bits 2 to 7 and the block's slot above;
//! its size, or its new size; its size before. The host has checked that operations refer to live blocks.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error, realloc};
use std::cell::RefCell;

harness::export_workloads! {
    "replay_prepare" => prepare,
    "replay_buffer" => buffer,
    "replay_capacity" => capacity,
    "replay" => replay,
}

/// Operations that the buffer holds.
const CAPACITY: usize = 4096;

struct Replay {
    /// The block of each slot.
    blocks: Vec<*mut u8>,
    operations: [[u32; 3]; CAPACITY],
}

thread_local! {
    static REPLAY: RefCell<Replay> = const {
        RefCell::new(Replay { blocks: Vec::new(), operations: [[0; 3]; CAPACITY] })
    };
}

/// Makes room for `slots` blocks.
fn prepare(slots: u32) -> u64 {
    REPLAY.with_borrow_mut(|replay| replay.blocks = vec![std::ptr::null_mut(); slots as usize]);
    0
}

/// The address of the buffer.
fn buffer(_argument: u32) -> u64 {
    REPLAY.with_borrow(|replay| replay.operations.as_ptr().addr() as u64)
}

/// The operations that the buffer holds. The host asks for the number, so no other place has to name it.
fn capacity(_argument: u32) -> u64 {
    CAPACITY as u64
}

/// Runs the first `count` operations of the buffer; returns the sum of the marks read from released blocks.
fn replay(count: u32) -> u64 {
    REPLAY.with_borrow_mut(|replay| {
        let Replay { blocks, operations } = replay;
        let mut sum = 0;
        for &[head, size, size_before] in &operations[..count as usize] {
            let slot = (head >> 8) as usize;
            let mark = slot as u8;
            let align = 1 << (head >> 2 & 63);
            // SAFETY: the host passes layouts and live blocks as they were recorded.
            unsafe {
                let layout = Layout::from_size_align_unchecked(size as usize, align);
                match head & 3 {
                    0 => blocks[slot] = marked(alloc(layout), layout, mark),
                    1 => {
                        let block = alloc_zeroed(layout);
                        if !block.is_null() {
                            sum += u64::from(block.add(layout.size() / 2).read());
                        }
                        blocks[slot] = marked(block, layout, mark);
                    }
                    2 => {
                        sum += u64::from(blocks[slot].read());
                        dealloc(blocks[slot], layout);
                    }
                    _ => {
                        let before = Layout::from_size_align_unchecked(size_before as usize, align);
                        let block = realloc(blocks[slot], before, layout.size());
                        if !block.is_null() {
                            sum += u64::from(block.read());
                        }
                        blocks[slot] = marked(block, layout, mark);
                    }
                }
            }
        }
        sum
    })
}

/// Writes `mark` into the first and the last byte of a new block, which a recording never makes empty.
///
/// # Safety
///
/// `block` is null or a live block of `layout`.
unsafe fn marked(block: *mut u8, layout: Layout, mark: u8) -> *mut u8 {
    if block.is_null() {
        handle_alloc_error(layout);
    }
    // SAFETY: the block is live and not empty.
    unsafe {
        block.add(layout.size() - 1).write(mark);
        block.write(mark);
    }
    block
}

#[cfg(test)]
mod tests {
    use super::{REPLAY, prepare, replay};

    #[test]
    fn released_and_resized_blocks_give_back_their_marks() {
        prepare(8);
        let head = |kind: u32, slot: u32| kind | 3 << 2 | slot << 8;
        let operations = [
            [head(0, 5), 24, 0],
            [head(1, 7), 100, 0],
            [head(3, 5), 5000, 24],
            [head(2, 5), 5000, 0],
            [head(2, 7), 100, 0],
        ];
        REPLAY.with_borrow_mut(|state| state.operations[..5].copy_from_slice(&operations));
        assert_eq!(replay(5), 5 + 5 + 7);
    }
}
