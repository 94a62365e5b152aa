//! What `CheckedFreeingBump` tells its error handler about each kind of misuse, and that it refuses everything after.

use freeing_bump::Error;
use module_checks::{Guest, Trapped, build_allocator_module};

const BLOCK_BYTES: u32 = 64;

/// An instance with three live blocks side by side, each filled with 0xaa, and the middle one of them.
fn guest_with_blocks() -> (Guest, u32) {
    let module = build_allocator_module(env!("CARGO_TARGET_TMPDIR"), "report-errors", "release");
    let mut guest = Guest::new(&module, 100);
    let blocks = [(); 3].map(|()| guest.alloc(BLOCK_BYTES, 8).expect("a request must not trap"));
    for block in blocks {
        assert_ne!(block, 0);
        guest.bytes_mut(block, BLOCK_BYTES).fill(0xaa);
    }
    assert_eq!(blocks.map(|block| block - blocks[0]), [0, 72, 144]);
    (guest, blocks[1])
}

/// Checks that `misuse` trapped after it told the handler `error`, and that the allocator refuses everything since.
fn assert_caught<Returned: PartialEq + std::fmt::Debug>(
    guest: &mut Guest,
    misuse: Result<Returned, Trapped>,
    error: Error,
) {
    assert_eq!(guest.error(), format!("{error:?}"));
    assert_eq!(misuse, Err(Trapped));
    assert!(guest.is_poisoned());
    assert_eq!(guest.alloc(8, 8), Ok(0));
    assert_eq!(guest.alloc_zeroed(8, 8), Ok(0));
}

#[test]
fn correct_use_calls_no_handler() {
    let (mut guest, block) = guest_with_blocks();
    let resized = guest
        .realloc(block, BLOCK_BYTES, 8, 1_000)
        .expect("a resize must not trap");
    assert_eq!(guest.bytes(resized, BLOCK_BYTES), [0xaa; BLOCK_BYTES as usize]);
    assert_eq!(guest.dealloc(resized, 1_000, 8), Ok(()));
    assert_eq!(guest.error(), "");
    assert!(!guest.is_poisoned());
}

#[test]
fn a_double_free_is_caught() {
    let (mut guest, block) = guest_with_blocks();
    assert_eq!(guest.dealloc(block, BLOCK_BYTES, 8), Ok(()));
    let misuse = guest.dealloc(block, BLOCK_BYTES, 8);
    assert_caught(&mut guest, misuse, Error::BlockNotOccupied { pointer: block });
}

#[test]
fn a_resize_of_a_freed_block_is_caught() {
    let (mut guest, block) = guest_with_blocks();
    assert_eq!(guest.dealloc(block, BLOCK_BYTES, 8), Ok(()));
    let misuse = guest.realloc(block, BLOCK_BYTES, 8, 500);
    assert_caught(&mut guest, misuse, Error::BlockNotOccupied { pointer: block });
}

#[test]
fn a_pointer_outside_the_heap_is_caught() {
    for pointer in [0, 8, 4_096, 0xffff_fff8] {
        let (mut guest, _) = guest_with_blocks();
        let misuse = guest.dealloc(pointer, BLOCK_BYTES, 8);
        assert_caught(&mut guest, misuse, Error::InvalidPointer { pointer });
    }
}

#[test]
fn a_pointer_that_no_block_can_have_is_caught() {
    let (mut guest, block) = guest_with_blocks();
    let pointer = block + 4;
    let misuse = guest.dealloc(pointer, BLOCK_BYTES, 4);
    assert_caught(&mut guest, misuse, Error::InvalidPointer { pointer });
}

#[test]
fn a_pointer_into_a_block_is_caught() {
    let (mut guest, block) = guest_with_blocks();
    let pointer = block + 16;
    let misuse = guest.dealloc(pointer, BLOCK_BYTES, 8);
    let header = 0xaaaa_aaaa_aaaa_aaaa;
    assert_caught(&mut guest, misuse, Error::CorruptHeader { pointer, header });
}

#[test]
fn a_header_that_a_neighbour_has_overwritten_is_caught() {
    for overflow in [1, 2, 8] {
        let (mut guest, block) = guest_with_blocks();
        let header_address = block - 8;
        guest.bytes_mut(header_address, overflow).fill(0xff);
        let header = u64::from_le_bytes(guest.bytes(header_address, 8).try_into().expect("8 bytes"));
        let misuse = guest.dealloc(block, BLOCK_BYTES, 8);
        let error = Error::CorruptHeader { pointer: block, header };
        assert_caught(&mut guest, misuse, error);
    }
}

#[test]
fn a_free_list_that_leads_out_of_the_heap_is_caught_when_it_is_followed() {
    let (mut guest, block) = guest_with_blocks();
    assert_eq!(guest.dealloc(block, BLOCK_BYTES, 8), Ok(()));
    // The header of a free block is the address of the next one's header.
    guest.bytes_mut(block - 8, 4).copy_from_slice(&0x40_u32.to_le_bytes());
    let misuse = guest.alloc(BLOCK_BYTES, 8);
    let error = Error::CorruptFreeList {
        order: 3,
        header_address: 0x40,
    };
    assert_caught(&mut guest, misuse, error);
}

#[test]
fn a_release_with_the_size_of_another_block_is_caught() {
    let (mut guest, block) = guest_with_blocks();
    let misuse = guest.dealloc(block, 4 * BLOCK_BYTES, 8);
    let error = Error::LayoutMismatch {
        pointer: block,
        block_bytes: BLOCK_BYTES,
    };
    assert_caught(&mut guest, misuse, error);
}

#[test]
fn misuse_changes_no_live_block() {
    let (mut guest, block) = guest_with_blocks();
    assert_eq!(guest.dealloc(block + 8, BLOCK_BYTES, 8), Err(Trapped));
    for neighbour in [block - 72, block, block + 72] {
        assert_eq!(guest.bytes(neighbour, BLOCK_BYTES), [0xaa; BLOCK_BYTES as usize]);
    }
}
