//! What `CheckedFreeingBump` reports to its error handler for each kind of misuse, and at which call. From then on it
//! refuses everything.
//!
//! The host makes the wrong calls and writes. In Rust they are undefined behaviour, and a compiler that sees them may
//! leave them out.

use freeing_bump::Error;
use module_checks::{Engine, Guest, Limits, Trapped, build_allocator_module};

const BLOCK_BYTES: u32 = 64;
const HEADER_BYTES: u32 = 8;

/// From the start of one block to the start of the next.
const STRIDE: u32 = BLOCK_BYTES + HEADER_BYTES;

/// The order of blocks of 64 bytes.
const ORDER: u32 = 3;

/// Calls `test` in each engine with an instance that has three live blocks side by side, each filled with 0xaa, and
/// with the middle one of them; then checks that the other two have kept their bytes.
fn in_each_engine(test: impl Fn(&mut Guest, u32)) {
    let module = build_allocator_module(env!("CARGO_TARGET_TMPDIR"), "report-errors", "release");
    for engine in Engine::ALL {
        let mut guest = Guest::new(engine, &module, Limits::pages(100));
        let blocks = [(); 3].map(|()| guest.alloc(BLOCK_BYTES, 8).expect("a request must not trap"));
        assert_eq!(
            blocks.map(|block| block.wrapping_sub(blocks[0])),
            [0, STRIDE, 2 * STRIDE]
        );
        for block in blocks {
            guest.fill(block, BLOCK_BYTES, 0xaa);
        }
        test(&mut guest, blocks[1]);
        for neighbour in [blocks[0], blocks[2]] {
            assert!(guest.is_filled(neighbour, BLOCK_BYTES, 0xaa), "{engine:?}");
        }
    }
}

fn header(guest: &mut Guest, block: u32) -> u64 {
    let bytes = guest.read(block - HEADER_BYTES, HEADER_BYTES);
    u64::from_le_bytes(bytes.try_into().expect("a header has 8 bytes"))
}

/// Makes the header of the free block `from` link to that of `to`.
fn link(guest: &mut Guest, from: u32, to: u32) {
    guest.write(from - HEADER_BYTES, &(to - HEADER_BYTES).to_le_bytes());
}

/// Checks that `misuse` trapped after the handler got `error`, and that the allocator refuses everything from then on.
fn assert_caught<Returned: PartialEq + std::fmt::Debug>(
    guest: &mut Guest,
    misuse: Result<Returned, Trapped>,
    error: Error,
) {
    assert_eq!(guest.text(), format!("{error:?}"));
    assert_eq!(misuse, Err(Trapped));
    assert!(guest.is_poisoned());
    assert_eq!(guest.alloc(8, 8), Ok(0));
    assert_eq!(guest.alloc_zeroed(8, 8), Ok(0));
}

/// Checks that the handler has not been called.
fn assert_nothing_caught(guest: &mut Guest) {
    assert_eq!(guest.text(), "");
    assert!(!guest.is_poisoned());
}

#[test]
fn correct_use_calls_no_handler() {
    in_each_engine(|guest, block| {
        let resized = guest
            .realloc(block, BLOCK_BYTES, 8, 1_000)
            .expect("a resize must not trap");
        assert!(guest.is_filled(resized, BLOCK_BYTES, 0xaa));
        assert_eq!(guest.dealloc(resized, 1_000, 8), Ok(()));
        assert_nothing_caught(guest);
    });
}

#[test]
fn a_double_free_is_caught_at_the_second_release() {
    in_each_engine(|guest, block| {
        assert_eq!(guest.dealloc(block, BLOCK_BYTES, 8), Ok(()));
        assert_nothing_caught(guest);
        let misuse = guest.dealloc(block, BLOCK_BYTES, 8);
        assert_caught(guest, misuse, Error::BlockNotOccupied { pointer: block });
    });
}

#[test]
fn a_double_free_of_an_over_aligned_block_is_caught_at_the_second_release() {
    in_each_engine(|guest, _| {
        let block = guest.alloc(BLOCK_BYTES, 128).expect("a request must not trap");
        assert_eq!(guest.dealloc(block, BLOCK_BYTES, 128), Ok(()));
        assert_nothing_caught(guest);
        let misuse = guest.dealloc(block, BLOCK_BYTES, 128);
        assert_eq!(misuse, Err(Trapped));
        // The error names the block that the over-aligned one lies in.
        assert!(guest.text().starts_with("BlockNotOccupied"), "{}", guest.text());
        assert_eq!(guest.alloc(8, 8), Ok(0));
    });
}

#[test]
fn a_resize_of_a_freed_block_is_caught() {
    in_each_engine(|guest, block| {
        assert_eq!(guest.dealloc(block, BLOCK_BYTES, 8), Ok(()));
        let misuse = guest.realloc(block, BLOCK_BYTES, 8, 500);
        assert_caught(guest, misuse, Error::BlockNotOccupied { pointer: block });
    });
}

#[test]
fn a_pointer_from_before_or_after_the_heap_is_caught() {
    for pointer in [0, 8, 4_096, 0xffff_fff8] {
        in_each_engine(|guest, _| {
            let misuse = guest.dealloc(pointer, BLOCK_BYTES, 8);
            assert_caught(guest, misuse, Error::InvalidPointer { pointer });
        });
    }
}

#[test]
fn a_pointer_to_memory_that_was_not_handed_out_yet_is_caught() {
    in_each_engine(|guest, block| {
        let pointer = block + 100 * STRIDE;
        let misuse = guest.dealloc(pointer, BLOCK_BYTES, 8);
        assert_caught(guest, misuse, Error::InvalidPointer { pointer });
    });
}

#[test]
fn a_pointer_that_no_block_can_have_is_caught() {
    in_each_engine(|guest, block| {
        let pointer = block + 4;
        let misuse = guest.dealloc(pointer, BLOCK_BYTES, 4);
        assert_caught(guest, misuse, Error::InvalidPointer { pointer });
    });
}

#[test]
fn a_pointer_into_a_block_is_caught() {
    in_each_engine(|guest, block| {
        let pointer = block + 16;
        let misuse = guest.dealloc(pointer, BLOCK_BYTES, 8);
        let header = 0xaaaa_aaaa_aaaa_aaaa;
        assert_caught(guest, misuse, Error::CorruptHeader { pointer, header });
    });
}

#[test]
fn an_overflow_by_one_byte_is_caught_when_the_next_block_is_released() {
    in_each_engine(|guest, block| {
        guest.write(block - STRIDE + BLOCK_BYTES, &[0xff]);
        let header = header(guest, block);
        assert_nothing_caught(guest);
        let misuse = guest.dealloc(block, BLOCK_BYTES, 8);
        assert_caught(guest, misuse, Error::CorruptHeader { pointer: block, header });
    });
}

#[test]
fn an_overflow_that_leaves_a_header_of_another_order_is_caught_when_the_next_block_is_released() {
    in_each_engine(|guest, block| {
        guest.write(block - STRIDE + BLOCK_BYTES, &[ORDER as u8 - 1]);
        let misuse = guest.dealloc(block, BLOCK_BYTES, 8);
        let error = Error::LayoutMismatch {
            pointer: block,
            block_bytes: BLOCK_BYTES / 2,
        };
        assert_caught(guest, misuse, error);
    });
}

#[test]
fn an_overflow_over_the_whole_header_is_caught_when_the_next_block_is_resized() {
    in_each_engine(|guest, block| {
        guest.fill(block - HEADER_BYTES, HEADER_BYTES, 0xff);
        let misuse = guest.realloc(block, BLOCK_BYTES, 8, 500);
        let header = u64::MAX;
        assert_caught(guest, misuse, Error::CorruptHeader { pointer: block, header });
    });
}

#[test]
fn an_overflow_by_one_byte_into_a_free_block_is_caught_when_that_would_be_handed_out() {
    in_each_engine(|guest, block| {
        assert_eq!(guest.dealloc(block, BLOCK_BYTES, 8), Ok(()));
        guest.write(block - STRIDE + BLOCK_BYTES, &[0x40]);
        assert_nothing_caught(guest);
        let misuse = guest.alloc(BLOCK_BYTES, 8);
        let error = Error::CorruptFreeList {
            order: ORDER,
            header_address: 0xffff_ff40,
        };
        assert_caught(guest, misuse, error);
    });
}

#[test]
fn a_write_after_free_is_caught_when_the_block_would_be_handed_out() {
    in_each_engine(|guest, block| {
        assert_eq!(guest.dealloc(block, BLOCK_BYTES, 8), Ok(()));
        guest.write(block, &[0xaa]);
        assert_nothing_caught(guest);
        let misuse = guest.alloc(BLOCK_BYTES, 8);
        assert_caught(guest, misuse, Error::WrittenAfterFree { pointer: block });
    });
}

#[test]
fn a_link_that_leads_out_of_the_heap_is_caught_when_it_is_followed() {
    in_each_engine(|guest, block| {
        assert_eq!(guest.dealloc(block, BLOCK_BYTES, 8), Ok(()));
        link(guest, block, 0x48);
        assert_nothing_caught(guest);
        let misuse = guest.alloc(BLOCK_BYTES, 8);
        let error = Error::CorruptFreeList {
            order: ORDER,
            header_address: 0x40,
        };
        assert_caught(guest, misuse, error);
    });
}

#[test]
fn a_link_to_a_live_block_is_caught_before_that_is_handed_out() {
    in_each_engine(|guest, block| {
        assert_eq!(guest.dealloc(block, BLOCK_BYTES, 8), Ok(()));
        let live = block + STRIDE;
        link(guest, block, live);
        let misuse = guest.alloc(BLOCK_BYTES, 8);
        let error = Error::CorruptFreeList {
            order: ORDER,
            header_address: live - HEADER_BYTES,
        };
        assert_caught(guest, misuse, error);
    });
}

#[test]
fn a_free_list_that_is_a_cycle_is_caught_before_a_block_is_handed_out_twice() {
    in_each_engine(|guest, first| {
        let second = guest.alloc(BLOCK_BYTES, 8).expect("a request must not trap");
        for block in [first, second] {
            assert_eq!(guest.dealloc(block, BLOCK_BYTES, 8), Ok(()));
        }
        link(guest, first, second);
        assert_eq!(guest.alloc(BLOCK_BYTES, 8), Ok(second));
        assert_nothing_caught(guest);
        let misuse = guest.alloc(BLOCK_BYTES, 8);
        let error = Error::CorruptFreeList {
            order: ORDER,
            header_address: second - HEADER_BYTES,
        };
        assert_caught(guest, misuse, error);
    });
}

#[test]
fn a_free_block_that_links_to_itself_is_caught_before_it_is_handed_out_twice() {
    in_each_engine(|guest, block| {
        assert_eq!(guest.dealloc(block, BLOCK_BYTES, 8), Ok(()));
        link(guest, block, block);
        assert_eq!(guest.alloc(BLOCK_BYTES, 8), Ok(block));
        // Its stamp is gone since it was handed out.
        let misuse = guest.alloc(BLOCK_BYTES, 8);
        assert_caught(guest, misuse, Error::WrittenAfterFree { pointer: block });
    });
}

#[test]
fn a_release_with_the_size_of_another_block_is_caught() {
    in_each_engine(|guest, block| {
        let misuse = guest.dealloc(block, 4 * BLOCK_BYTES, 8);
        let error = Error::LayoutMismatch {
            pointer: block,
            block_bytes: BLOCK_BYTES,
        };
        assert_caught(guest, misuse, error);
    });
}

#[test]
fn a_resize_with_the_size_of_another_block_is_caught() {
    in_each_engine(|guest, block| {
        let misuse = guest.realloc(block, BLOCK_BYTES / 2, 8, 500);
        let error = Error::LayoutMismatch {
            pointer: block,
            block_bytes: BLOCK_BYTES,
        };
        assert_caught(guest, misuse, error);
    });
}

#[test]
fn a_release_with_an_alignment_that_was_not_asked_for_is_caught() {
    in_each_engine(|guest, _| {
        let block = guest.alloc(BLOCK_BYTES, 64).expect("a request must not trap");
        let misuse = guest.dealloc(block, BLOCK_BYTES, 8);
        assert_eq!(misuse, Err(Trapped));
        assert!(guest.text().starts_with("CorruptHeader"), "{}", guest.text());
        assert_eq!(guest.alloc(8, 8), Ok(0));
    });
}

#[test]
fn what_the_documentation_says_cannot_be_detected_is_not() {
    in_each_engine(|guest, block| {
        let in_use = header(guest, block).to_le_bytes();
        // A size that the same block serves.
        assert_eq!(guest.dealloc(block, BLOCK_BYTES - 31, 8), Ok(()));
        // A second release, after the header of a block in use: the block is handed out once.
        guest.write(block - HEADER_BYTES, &in_use);
        assert_eq!(guest.dealloc(block, BLOCK_BYTES, 8), Ok(()));
        // A second release, after the block was handed out again.
        assert_eq!(guest.alloc(BLOCK_BYTES, 8), Ok(block));
        assert_eq!(guest.dealloc(block, BLOCK_BYTES, 8), Ok(()));
        // A write after the release, past the first eight bytes.
        guest.fill(block + 8, BLOCK_BYTES - 8, 0x55);
        assert_eq!(guest.alloc(BLOCK_BYTES, 8), Ok(block));
        // A pointer into a block, where the bytes look like a header.
        let header_of_eight_bytes = header(guest, block) & !u64::from(u32::MAX);
        guest.write(block, &header_of_eight_bytes.to_le_bytes());
        assert_eq!(guest.dealloc(block + 8, 8, 8), Ok(()));
        assert_nothing_caught(guest);
    });
}
