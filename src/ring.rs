//! Rings: circular lists of what is free, linked in both directions through the free memory itself.
//!
//! A member's first word is the address of the next one, its second that of the one before. A ring is known by the
//! address of its first member, 0 if it has none.

use crate::linear_memory::LinearMemory;

/// Where a member has the address of the next one.
const NEXT: u32 = 0;

/// Where a member has the address of the one before.
const PREVIOUS: u32 = 4;

/// Puts a member behind all others. O(1).
///
/// # Safety
///
/// `ring` must be a ring in this memory, and the two words at `member` the caller's, in no ring.
pub(crate) unsafe fn join<M: LinearMemory>(memory: &mut M, ring: &mut u32, member: u32) {
    // SAFETY: the words of all members are free memory of the caller's heap.
    unsafe {
        if *ring == 0 {
            *ring = member;
            memory.write_word(member, PREVIOUS, member);
        }
        let first = *ring;
        let last = memory.read_word(first, PREVIOUS);
        memory.write_word(member, NEXT, first);
        memory.write_word(member, PREVIOUS, last);
        memory.write_word(last, NEXT, member);
        memory.write_word(first, PREVIOUS, member);
    }
}

/// Takes a member out. O(1).
///
/// # Safety
///
/// `member` must be in the ring.
pub(crate) unsafe fn leave<M: LinearMemory>(memory: &mut M, ring: &mut u32, member: u32) {
    // SAFETY: the words of all members are free memory of the caller's heap.
    unsafe {
        let next = memory.read_word(member, NEXT);
        let previous = memory.read_word(member, PREVIOUS);
        memory.write_word(previous, NEXT, next);
        memory.write_word(next, PREVIOUS, previous);
        if *ring == member {
            *ring = if next == member { 0 } else { next };
        }
    }
}

/// Calls `visit` with each member.
///
/// # Safety
///
/// `ring` must be a ring in this memory.
pub(crate) unsafe fn for_each<M: LinearMemory>(memory: &M, ring: u32, mut visit: impl FnMut(u32)) {
    let mut member = ring;
    while member != 0 {
        visit(member);
        // SAFETY: a member's links are free memory of the caller's heap.
        member = unsafe { memory.read_word(member, NEXT) };
        if member == ring {
            break;
        }
    }
}

/// The members of a ring; asserts that their links agree.
#[cfg(test)]
pub(crate) fn survey(memory: &crate::simulated_memory::SimulatedMemory, ring: u32) -> std::vec::Vec<u32> {
    let mut members = std::vec::Vec::new();
    let mut previous = None;
    // SAFETY: the simulated memory checks all addresses.
    unsafe {
        for_each(memory, ring, |member| {
            assert!(members.len() < 1_000_000, "the ring from {ring:#x} does not close");
            assert!(
                previous.is_none_or(|previous| memory.read_word(member, PREVIOUS) == previous),
                "the ring is broken at {member:#x}"
            );
            members.push(member);
            previous = Some(member);
        });
        if let Some(last) = previous {
            assert_eq!(
                memory.read_word(ring, PREVIOUS),
                last,
                "the ring from {ring:#x} does not close"
            );
        }
    }
    members
}
