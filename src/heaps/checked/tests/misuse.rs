//! What `CheckedHeap` reports for each misuse, at which call, and that no live block suffers from it.

use super::super::*;
use super::behaviour::{BASE, SOME, assert_poisoned, heap, request};
use crate::original::HEADER_BYTES;
use crate::tests::simulated_memory::SimulatedMemory;
use std::vec::Vec;

/// Writes as a program does that misuses its memory.
fn trample(heap: &mut CheckedHeap<SimulatedMemory>, address: u32, word: u64) {
    heap.memory
        .memory
        .slice(address, 8)
        .copy_from_slice(&word.to_le_bytes());
}

#[test]
fn a_second_release_is_reported_at_once() {
    for align in [8, 64] {
        let mut heap = heap();
        let live = heap.allocate(SOME).unwrap();
        let pointer = heap.allocate(request(64, align)).unwrap();
        heap.deallocate(pointer, request(64, align)).unwrap();
        let result = heap.deallocate(pointer, request(64, align));
        assert!(matches!(result, Err(Error::BlockNotOccupied { .. })), "{result:?}");
        assert_poisoned(&mut heap, live);
    }
}

#[test]
fn a_second_release_after_an_overwritten_header_is_reported_as_what_the_header_reads() {
    for (header, error) in [
        (u32::MAX.into(), Error::BlockNotOccupied { pointer: 1104 }),
        (1024, Error::BlockNotOccupied { pointer: 1104 }),
        (0, Error::BlockNotOccupied { pointer: 1104 }),
        (
            1 << 32 | 2,
            Error::LayoutMismatch {
                pointer: 1104,
                block_bytes: 32,
            },
        ),
        (
            1 << 32 | 99,
            Error::CorruptHeader {
                pointer: 1104,
                header: 1 << 32 | 99,
            },
        ),
        (
            u64::MAX,
            Error::CorruptHeader {
                pointer: 1104,
                header: u64::MAX,
            },
        ),
    ] {
        let mut heap = heap();
        let live = heap.allocate(SOME).unwrap();
        assert_eq!(heap.allocate(SOME), Ok(1104));
        heap.deallocate(1104, SOME).unwrap();
        trample(&mut heap, 1104 - HEADER_BYTES, header);
        assert_eq!(heap.deallocate(1104, SOME), Err(error));
        assert_poisoned(&mut heap, live);
    }
}

#[test]
fn a_second_release_after_the_header_of_a_block_in_use_hands_nothing_out_twice() {
    // Whether the block is the first of its list at that release, the last, or in between.
    for again in 0..3 {
        let mut heap = heap();
        let live = heap.allocate(SOME).unwrap();
        heap.memory.memory.slice(live, 64).fill(0x55);
        let blocks = [(); 3].map(|()| heap.allocate(SOME).unwrap());
        for block in blocks {
            heap.deallocate(block, SOME).unwrap();
        }
        trample(&mut heap, blocks[again] - HEADER_BYTES, 1 << 32 | 3);
        heap.deallocate(blocks[again], SOME).unwrap();
        let mut given = Vec::new();
        while let Ok(block) = heap.allocate(SOME) {
            assert!(!given.contains(&block), "{block:#x} was handed out twice");
            given.push(block);
        }
        assert!(given.iter().all(|block| blocks.contains(block)), "{given:x?}");
        assert_poisoned(&mut heap, live);
        assert_eq!(heap.memory.memory.slice(live, 64), [0x55; 64]);
    }
}

#[test]
fn a_release_as_the_first_call_is_reported() {
    let mut heap = heap();
    assert_eq!(
        heap.deallocate(2048, SOME),
        Err(Error::InvalidPointer { pointer: 2048 })
    );
    assert!(heap.is_poisoned());
    let mut heap = self::heap();
    assert_eq!(
        heap.reallocate(2048, SOME, 100),
        Err(Error::InvalidPointer { pointer: 2048 })
    );
}

#[test]
fn pointers_that_were_never_handed_out_are_reported_at_once() {
    // Before the heap, at its base, after the bump pointer, after the memory, and at its very end.
    for pointer in [
        0,
        8,
        BASE - 8,
        BASE,
        BASE + 4,
        BASE + 8 + 72,
        65_528,
        65_536,
        0xFFFF_FFF8,
        0xFFFF_FFFF,
    ] {
        for align in [1, 8] {
            let mut heap = heap();
            let live = heap.allocate(SOME).unwrap();
            let result = heap.deallocate(pointer, request(64, align));
            assert_eq!(result, Err(Error::InvalidPointer { pointer }));
            assert_poisoned(&mut heap, live);
        }
    }
}

#[test]
fn over_aligned_pointers_that_were_never_handed_out_are_reported_at_once() {
    for pointer in [
        0,
        64,
        960,
        BASE,
        BASE + 64,
        BASE + 16,
        65_472,
        65_536,
        0xFFFF_FFC0,
        0xFFFF_FFFF,
    ] {
        let mut heap = heap();
        let live = heap.allocate(SOME).unwrap();
        let result = heap.deallocate(pointer, request(64, 64));
        assert!(
            matches!(result, Err(Error::InvalidPointer { .. } | Error::CorruptHeader { .. })),
            "{pointer:#x}: {result:?}"
        );
        assert_poisoned(&mut heap, live);
    }
}

#[test]
fn a_pointer_into_a_block_is_reported_at_once() {
    for offset in [1, 4, 8, 16, 56, 63] {
        let mut heap = heap();
        let live = heap.allocate(SOME).unwrap();
        heap.memory.memory.slice(live, 64).fill(0x77);
        let result = heap.deallocate(live + offset, SOME);
        assert!(
            matches!(result, Err(Error::InvalidPointer { .. } | Error::CorruptHeader { .. })),
            "{offset}: {result:?}"
        );
        assert_poisoned(&mut heap, live);
    }
}

#[test]
fn an_overflow_by_one_byte_into_the_next_header_is_reported_when_that_block_is_released() {
    let mut heap = heap();
    let first = heap.allocate(SOME).unwrap();
    let second = heap.allocate(SOME).unwrap();
    assert_eq!(second, first + 64 + HEADER_BYTES);
    heap.memory.memory.slice(first, 65).fill(0x41);
    let result = heap.deallocate(second, SOME);
    assert_eq!(
        result,
        Err(Error::CorruptHeader {
            pointer: second,
            header: 1 << 32 | 0x41
        })
    );
    assert_poisoned(&mut heap, first);
}

#[test]
fn an_overflow_that_makes_a_valid_header_of_another_order_is_reported_when_that_block_is_released() {
    let mut heap = heap();
    let first = heap.allocate(SOME).unwrap();
    let second = heap.allocate(SOME).unwrap();
    heap.memory.memory.slice(first, 65).fill(2);
    let result = heap.deallocate(second, SOME);
    assert_eq!(
        result,
        Err(Error::LayoutMismatch {
            pointer: second,
            block_bytes: 32
        })
    );
    assert_poisoned(&mut heap, first);
}

#[test]
fn an_overflow_into_the_header_of_a_free_block_is_reported_when_it_would_be_handed_out() {
    let mut heap = heap();
    let first = heap.allocate(SOME).unwrap();
    let second = heap.allocate(SOME).unwrap();
    heap.deallocate(second, SOME).unwrap();
    heap.memory.memory.slice(first, 65).fill(0x41);
    let result = heap.allocate(SOME);
    assert!(
        matches!(result, Err(Error::CorruptFreeList { order: 3, .. })),
        "{result:?}"
    );
    assert_poisoned(&mut heap, first);
}

#[test]
fn a_write_after_free_into_the_first_eight_bytes_is_reported_when_the_block_would_be_handed_out() {
    for at in 0..8 {
        let mut heap = heap();
        let live = heap.allocate(SOME).unwrap();
        let block = heap.allocate(SOME).unwrap();
        heap.deallocate(block, SOME).unwrap();
        heap.memory.memory.slice(block + at, 1)[0] ^= 1;
        assert_eq!(heap.allocate(SOME), Err(Error::WrittenAfterFree { pointer: block }));
        assert_poisoned(&mut heap, live);
    }
}

#[test]
fn a_free_list_bent_into_a_cycle_hands_no_block_out_twice() {
    let mut heap = heap();
    let [first, second] = [(); 2].map(|()| heap.allocate(SOME).unwrap());
    heap.deallocate(first, SOME).unwrap();
    heap.deallocate(second, SOME).unwrap();
    // The list is second, first; now first leads back to second.
    trample(&mut heap, first - HEADER_BYTES, u64::from(second - HEADER_BYTES));
    let mut given: Vec<u32> = Vec::new();
    while let Ok(block) = heap.allocate(SOME) {
        assert!(!given.contains(&block), "{block:#x} was handed out twice");
        given.push(block);
    }
    assert!(heap.is_poisoned());
}

#[test]
fn a_free_list_bent_to_a_block_of_another_order_is_reported_before_it_is_handed_out() {
    let mut heap = heap();
    let small = heap.allocate(request(8, 8)).unwrap();
    let neighbour = heap.allocate(request(8, 8)).unwrap();
    heap.memory.memory.slice(neighbour, 8).fill(0x55);
    let [first, second] = [(); 2].map(|()| heap.allocate(SOME).unwrap());
    heap.deallocate(small, request(8, 8)).unwrap();
    heap.deallocate(first, SOME).unwrap();
    heap.deallocate(second, SOME).unwrap();
    trample(&mut heap, second - HEADER_BYTES, u64::from(small - HEADER_BYTES));
    assert_eq!(heap.allocate(SOME), Ok(second));
    assert_eq!(heap.allocate(SOME), Err(Error::WrittenAfterFree { pointer: small }));
    assert_eq!(heap.memory.memory.slice(neighbour, 8), [0x55; 8]);
}

#[test]
fn a_free_list_bent_into_a_live_block_writes_nothing_there() {
    let mut heap = heap();
    let live = heap.allocate(request(256, 8)).unwrap();
    let block = heap.allocate(SOME).unwrap();
    heap.deallocate(block, SOME).unwrap();
    // What lives there reads like the header of the last free block of a list.
    heap.memory.memory.slice(live, 256).fill(3);
    trample(&mut heap, live + 16, u32::MAX.into());
    trample(&mut heap, block - HEADER_BYTES, u64::from(live + 16));
    let before = heap.memory.memory.slice(live, 256).to_vec();
    while heap.allocate(SOME).is_ok() {}
    assert!(heap.is_poisoned());
    assert_eq!(heap.memory.memory.slice(live, 256), before);
}

#[test]
fn a_free_list_bent_to_a_live_over_aligned_block_whose_header_reads_free_hands_it_out_no_second_time() {
    let mut heap = heap();
    let over_aligned = request(64, 64);
    // Released once: the block carries a stamp, and nothing is written there after that.
    let pointer = heap.allocate(over_aligned).unwrap();
    heap.deallocate(pointer, over_aligned).unwrap();
    assert_eq!(heap.allocate(over_aligned), Ok(pointer));
    let live = marked_block(&heap.memory, pointer, 64).unwrap();
    let same_order = request(heap.block_bytes_for(over_aligned).unwrap(), 8);
    let free = heap.allocate(same_order).unwrap();
    heap.deallocate(free, same_order).unwrap();
    trample(&mut heap, free - HEADER_BYTES, u64::from(live - HEADER_BYTES));
    trample(&mut heap, live - HEADER_BYTES, u32::MAX.into());
    assert_eq!(heap.allocate(same_order), Ok(free));
    assert_eq!(
        heap.allocate(same_order),
        Err(Error::WrittenAfterFree { pointer: live })
    );
}

#[test]
fn a_layout_of_another_power_of_two_is_reported_at_the_release_and_at_a_resizing() {
    for wrong in [
        request(65, 8),
        request(32, 8),
        request(1, 1),
        request(5000, 8),
        request(i32::MAX as u32, 1),
    ] {
        let mut heap = heap();
        let block = heap.allocate(SOME).unwrap();
        let reported = Error::LayoutMismatch {
            pointer: block,
            block_bytes: 64,
        };
        assert_eq!(heap.deallocate(block, wrong), Err(reported));
        assert_poisoned(&mut heap, block);
        let mut heap = self::heap();
        assert_eq!(heap.allocate(SOME), Ok(block));
        assert_eq!(heap.reallocate(block, wrong, 64), Err(reported));
        assert_poisoned(&mut heap, block);
    }
}

#[test]
fn an_alignment_above_eight_that_was_not_asked_for_is_reported_at_the_release() {
    let mut heap = heap();
    let plain = heap.allocate(request(1000, 8)).unwrap();
    let aligned = heap.allocate(request(64, 64)).unwrap();
    assert!(matches!(
        heap.deallocate(aligned, SOME),
        Err(Error::CorruptHeader { .. })
    ));
    let mut heap = self::heap();
    assert_eq!(heap.allocate(request(1000, 8)), Ok(plain));
    let result = heap.deallocate(plain, request(1000, 16));
    assert!(
        matches!(result, Err(Error::CorruptHeader { .. } | Error::InvalidPointer { .. })),
        "{result:?}"
    );
}

#[test]
fn a_marker_that_was_overwritten_is_reported_at_the_release() {
    for at in 1..=8 {
        let mut heap = heap();
        let live = heap.allocate(SOME).unwrap();
        let aligned = heap.allocate(request(64, 64)).unwrap();
        heap.memory.memory.slice(aligned - at, 1)[0] ^= 0x80;
        let result = heap.deallocate(aligned, request(64, 64));
        assert!(matches!(result, Err(Error::CorruptHeader { .. })), "{result:?}");
        assert_poisoned(&mut heap, live);
    }
}

#[test]
fn an_alignment_that_the_pointer_does_not_have_is_reported_although_the_power_of_two_is_right() {
    let mut heap = heap();
    let mut pointer = heap.allocate(request(1000 - 24, 16)).unwrap();
    while pointer % 32 == 0 {
        pointer = heap.allocate(request(1000 - 24, 16)).unwrap();
    }
    let result = heap.deallocate(pointer, request(1000 - 40, 32));
    assert_eq!(result, Err(Error::InvalidPointer { pointer }));
}

#[test]
fn a_marker_that_leaves_no_room_for_itself_is_not_a_marker() {
    let mut heap = heap();
    let live = heap.allocate(request(256, 8)).unwrap();
    let pointer = (live + 64) & !31;
    // A payload that holds what reads like the header of 64 bytes and the marker of a block right after it.
    trample(&mut heap, pointer - 2 * WORD_BYTES, 1 << 32 | 3);
    trample(&mut heap, pointer - WORD_BYTES, marker(pointer - WORD_BYTES));
    let result = heap.deallocate(pointer, request(20, 32));
    assert!(matches!(result, Err(Error::CorruptHeader { .. })), "{result:?}");
    assert_poisoned(&mut heap, live);
}

#[test]
fn a_marker_that_names_no_multiple_of_eight_is_not_a_marker() {
    let mut heap = heap();
    let aligned = heap.allocate(request(64, 64)).unwrap();
    trample(&mut heap, aligned - WORD_BYTES, marker(aligned - 12));
    let result = heap.deallocate(aligned, request(64, 64));
    assert!(matches!(result, Err(Error::CorruptHeader { .. })), "{result:?}");
}

#[test]
fn a_marker_that_names_a_block_just_out_of_reach_is_not_a_marker() {
    let mut heap = heap();
    let live = heap.allocate(SOME).unwrap();
    let over_aligned = request(1000 - 24, 16);
    let aligned = heap.allocate(over_aligned).unwrap();
    let out_of_reach = aligned - over_aligned.align - 2 * WORD_BYTES;
    // Before it, in the bytes of another block, stands what reads like the header of the right order.
    trample(&mut heap, out_of_reach - HEADER_BYTES, 1 << 32 | 7);
    trample(&mut heap, aligned - WORD_BYTES, marker(out_of_reach));
    let result = heap.deallocate(aligned, over_aligned);
    assert!(matches!(result, Err(Error::CorruptHeader { .. })), "{result:?}");
    assert_poisoned(&mut heap, live);
}

#[test]
fn a_marker_that_names_a_block_out_of_reach_is_not_a_marker() {
    let mut heap = heap();
    let far = heap.allocate(request(1000, 8)).unwrap();
    let aligned = heap.allocate(request(1000 - 24, 16)).unwrap();
    // The right order, the right form, but the block lies too far before the pointer.
    trample(&mut heap, aligned - WORD_BYTES, marker(far));
    let result = heap.deallocate(aligned, request(1000 - 24, 16));
    assert!(matches!(result, Err(Error::CorruptHeader { .. })), "{result:?}");
    assert_poisoned(&mut heap, far);
}

#[test]
fn a_block_whose_owner_has_not_written_to_it_is_not_taken_for_free() {
    let mut heap = heap();
    let pointer = heap.allocate(SOME).unwrap();
    heap.deallocate(pointer, SOME).unwrap();
    let live = heap.allocate(SOME).unwrap();
    assert_eq!(live, pointer);
    let other = heap.allocate(SOME).unwrap();
    heap.deallocate(other, SOME).unwrap();
    // The header of a free block before the live one, to which the list is redirected.
    trample(&mut heap, live - 8, u32::MAX.into());
    trample(&mut heap, other - 8, u64::from(live - 8));
    assert_eq!(heap.allocate(SOME), Ok(other));
    assert_eq!(heap.allocate(SOME), Err(Error::WrittenAfterFree { pointer: live }));
}
