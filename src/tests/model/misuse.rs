//! Random misuse of the allocators that check: whatever a program does to them, they return or refuse, never panic, and
//! never hand out a byte that is in use.
//!
//! Misuse that looks like right use counts as right: a second release of a block that was handed out again, or whose
//! header the program has put back; a layout that is wrong within a power of two. Misuse whose harm no allocator could
//! prevent is left out: a release by the header of a block that does not exist; for the original algorithm, which gets no
//! layout and stamps nothing, a header or link that was overwritten by another valid one.

use super::oracle::Oracle;
use super::programs::fitting;
use super::random::{aligns, places, sizes};
use super::runner::test_random;
use super::subject::Fallible;
use crate::heaps::Request;
use crate::memory::PAGE_BYTES;
use crate::original::Error;
use crate::tests::simulated_memory::SimulatedMemory;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::vec::Vec;

/// Right use and misuse. Blocks are named by number: `which` is a live one, `gone` one that was released.
#[derive(Clone, Debug)]
enum Act {
    Allocate {
        size: u32,
        align: u32,
    },
    Release {
        which: u16,
    },
    ReleaseAgain {
        gone: u16,
    },
    ReleaseInside {
        which: u16,
        offset: u32,
    },
    ReleaseAnything {
        address: u32,
        size: u32,
        align: u32,
    },
    ReleaseWithAnotherLayout {
        which: u16,
        size: u32,
        align: u32,
    },
    /// Overwrites the eight bytes before a live block.
    TrampleLive {
        which: u16,
        with: Garbage,
    },
    /// Overwrites the eight bytes before a released block.
    TrampleFreeHeader {
        gone: u16,
        with: Garbage,
    },
    /// Overwrites the first eight bytes of a released block.
    WriteAfterFree {
        gone: u16,
        with: Garbage,
    },
}

/// Eight bytes.
#[derive(Clone, Debug)]
enum Garbage {
    /// These.
    Bits(u64),
    /// What an occupied header of this order reads.
    OccupiedHeader {
        order: u32,
    },
    /// What a free header reads that links to the header of a released block, or of a live one.
    LinkToFree {
        gone: u16,
    },
    LinkToLive {
        which: u16,
    },
    /// What a free header reads that is the last of its list.
    LastOfList,
}

fn garbage() -> impl Strategy<Value = Garbage> {
    prop_oneof![
        3 => any::<u64>().prop_map(Garbage::Bits),
        1 => (any::<u32>()).prop_map(|low| Garbage::Bits(low.into())),
        1 => (0..32u32).prop_map(|order| Garbage::OccupiedHeader { order }),
        1 => any::<u16>().prop_map(|gone| Garbage::LinkToFree { gone }),
        1 => any::<u16>().prop_map(|which| Garbage::LinkToLive { which }),
        1 => Just(Garbage::LastOfList),
    ]
}

fn acts(max_align: u32) -> impl Strategy<Value = Act> {
    let request = move || (sizes(), aligns(max_align)).prop_map(|(size, align)| (fitting(size, align), align));
    prop_oneof![
        60 => request().prop_map(|(size, align)| Act::Allocate { size, align }),
        40 => any::<u16>().prop_map(|which| Act::Release { which }),
        1 => any::<u16>().prop_map(|gone| Act::ReleaseAgain { gone }),
        1 => (any::<u16>(), 1..4096u32).prop_map(|(which, offset)| Act::ReleaseInside { which, offset }),
        1 => (prop_oneof![any::<u32>(), 0..8 * PAGE_BYTES], request())
            .prop_map(|(address, (size, align))| Act::ReleaseAnything { address, size, align }),
        1 => (any::<u16>(), request())
            .prop_map(|(which, (size, align))| Act::ReleaseWithAnotherLayout { which, size, align }),
        1 => (any::<u16>(), garbage()).prop_map(|(which, with)| Act::TrampleLive { which, with }),
        2 => (any::<u16>(), garbage()).prop_map(|(gone, with)| Act::TrampleFreeHeader { gone, with }),
        2 => (any::<u16>(), garbage()).prop_map(|(gone, with)| Act::WriteAfterFree { gone, with }),
    ]
}

/// The acts of a program on average. The first error ends it, so programs are short and many.
const AVERAGE_ACTS: u32 = if cfg!(miri) { 20 } else { 100 };

/// Plays random acts, as many as the number of steps asks for, on subjects that `new` makes.
pub(crate) fn test_misuse<S: Fallible>(new: impl Fn(SimulatedMemory) -> S) {
    let acts = vec(acts(S::MAX_ALIGN), 1..=2 * AVERAGE_ACTS as usize);
    test_random((places(), acts), AVERAGE_ACTS, |((base, pages), acts)| {
        let limit_pages = (base / PAGE_BYTES + 384).min(65_536);
        Victim::new(new(SimulatedMemory::new(base, pages, limit_pages))).suffer(&acts);
    });
}

/// An allocator that is misused, what is live in it, and what was.
struct Victim<S> {
    subject: S,
    oracle: Oracle,
    gone: Vec<(u32, Request)>,
    /// All blocks that were ever handed out, by the addresses of their headers.
    blocks: BTreeMap<u32, Block>,
    /// The headers that the program has overwritten since the allocator wrote them.
    overwritten: BTreeSet<u32>,
}

/// A block, which never moves.
struct Block {
    /// What its header reads while it is in use.
    in_use: u64,
    /// Where its user has it, if it is in use.
    user: Option<u32>,
}

impl<S: Fallible> Victim<S> {
    fn new(subject: S) -> Self {
        Victim {
            subject,
            oracle: Oracle::new(),
            gone: Vec::new(),
            blocks: BTreeMap::new(),
            overwritten: BTreeSet::new(),
        }
    }

    fn suffer(mut self, acts: &[Act]) {
        let mut misused = false;
        for act in acts {
            misused |= !matches!(act, Act::Allocate { .. } | Act::Release { .. });
            let result = self.commit(act);
            assert_eq!(
                result.is_err(),
                self.subject.is_poisoned(),
                "an error must poison, and nothing else"
            );
            if let Err(error) = result {
                let no_memory = [Error::AllocatorOutOfSpace, Error::RequestedAllocationTooLarge].contains(&error);
                assert!(misused || no_memory, "right use was taken for misuse: {error}");
                break;
            }
        }
        self.oracle.check_all_contents(self.subject.memory());
        if self.subject.is_poisoned() {
            let request = Request { size: 1, align: 1 };
            assert_eq!(self.subject.try_allocate(request), Err(Error::Poisoned));
            assert_eq!(self.subject.try_deallocate(8, request), Err(Error::Poisoned));
            self.oracle.check_all_contents(self.subject.memory());
        }
        self.oracle.check_the_memory_of_others(self.subject.memory());
    }

    fn commit(&mut self, act: &Act) -> Result<(), Error> {
        match *act {
            Act::Allocate { size, align } => {
                let request = Request { size, align };
                let address = self.subject.try_allocate(request)?;
                self.oracle.place(self.subject.memory(), address, request);
                self.take_note(address, request);
                Ok(())
            }
            Act::Release { which } => match self.oracle.nth(which) {
                Some((address, request)) => self.release(address, request),
                None => Ok(()),
            },
            Act::ReleaseAgain { gone } => match self.gone_nth(gone) {
                Some((address, request)) => self.release(address, request),
                None => Ok(()),
            },
            Act::ReleaseInside { which, offset } => match self.oracle.nth(which) {
                Some((address, request)) => self.release(address.saturating_add(offset), request),
                None => Ok(()),
            },
            Act::ReleaseAnything { address, size, align } => self.release(address, Request { size, align }),
            Act::ReleaseWithAnotherLayout { which, size, align } => match self.oracle.nth(which) {
                Some((address, _)) => self.release(address, Request { size, align }),
                None => Ok(()),
            },
            Act::TrampleLive { which, ref with } => {
                if let Some((address, _)) = self.oracle.nth(which) {
                    self.write(address - 8, with);
                }
                Ok(())
            }
            Act::TrampleFreeHeader { gone, ref with } => {
                if let Some((address, _)) = self.gone_nth(gone) {
                    self.write(address - 8, with);
                }
                Ok(())
            }
            Act::WriteAfterFree { gone, ref with } => {
                if let Some((address, _)) = self.gone_nth(gone) {
                    self.write(address, with);
                }
                Ok(())
            }
        }
    }

    /// Takes note of the block that was handed out at this address.
    fn take_note(&mut self, address: u32, request: Request) {
        let header = self.subject.header_in_use(address, request);
        let header = header.expect("the header of a block that is handed out reads so");
        let block = Block {
            in_use: self.word(header),
            user: Some(address),
        };
        let before = self.blocks.insert(header, block);
        assert!(
            before.is_none_or(|before| before.user.is_none()),
            "the block at {address:#x} was handed out while it was in use"
        );
        self.overwritten.remove(&header);
    }

    /// Releases a block, or what is none. If that is accepted, right or not, the bytes must be in no use any more.
    fn release(&mut self, address: u32, request: Request) -> Result<(), Error> {
        self.oracle.check_all_contents(self.subject.memory());
        let header = self.subject.header_in_use(address, request);
        if header.is_some_and(|header| !self.is_the_header_of_a_block(header)) {
            return Ok(());
        }
        self.subject.try_deallocate(address, request)?;
        let block = header.and_then(|header| self.blocks.get_mut(&header));
        let block = block.unwrap_or_else(|| panic!("a release of {address:#x} was accepted, where no block is in use"));
        let header_was_overwritten = header.is_some_and(|header| self.overwritten.remove(&header));
        match block.user.take() {
            // Not always at `address`: a second release looks like one by the block's new user.
            Some(user) => {
                let request = self.oracle.at(user).expect("it has a user");
                self.oracle.forget(user);
                self.gone.push((user, request));
            }
            None => assert!(
                header_was_overwritten,
                "a release of {address:#x} was accepted, which was released before"
            ),
        }
        Ok(())
    }

    /// Whether a block was handed out with what now stands at this address for its header.
    fn is_the_header_of_a_block(&mut self, header: u32) -> bool {
        let found = self.word(header);
        self.blocks.get(&header).is_some_and(|block| block.in_use == found)
    }

    fn word(&mut self, address: u32) -> u64 {
        let bytes = self.subject.memory().slice(address, 8);
        u64::from_le_bytes((&*bytes).try_into().expect("there are eight"))
    }

    /// Overwrites eight bytes unless a live block has them as its own, which would be nothing that the allocator can
    /// see. What an allocator without layouts and stamps must take for right is not written either.
    fn write(&mut self, address: u32, garbage: &Garbage) {
        let bits = match *garbage {
            Garbage::Bits(bits) => bits,
            Garbage::OccupiedHeader { order } => 1 << 32 | u64::from(order),
            Garbage::LinkToFree { gone } => self.gone_nth(gone).map_or(0, |(address, _)| u64::from(address) - 8),
            Garbage::LinkToLive { which } => self.oracle.nth(which).map_or(0, |(address, _)| u64::from(address) - 8),
            Garbage::LastOfList => u32::MAX.into(),
        };
        if !S::KNOWS_LAYOUTS && bits >> 32 <= 1 {
            return;
        }
        let free = (address..address + 8).all(|byte| self.oracle.around(byte).is_none());
        let memory = self.subject.memory();
        if free && memory.get(address, 8).is_some() {
            memory.slice(address, 8).copy_from_slice(&bits.to_le_bytes());
            self.overwritten.insert(address);
        }
    }

    fn gone_nth(&self, number: u16) -> Option<(u32, Request)> {
        let number = usize::from(number) % self.gone.len().max(1);
        self.gone.get(number).copied()
    }
}

#[cfg(test)]
mod tests {
    //! In this file since the acts are private.
    use super::*;
    use crate::heaps::checked::CheckedHeap;

    /// Plays these acts on a `CheckedHeap` that begins at this address.
    fn suffer_from(base: u32, acts: &[Act]) {
        Victim::new(CheckedHeap::over(SimulatedMemory::new(base, 1, 64))).suffer(acts);
    }

    const fn allocate(size: u32, align: u32) -> Act {
        Act::Allocate { size, align }
    }

    #[test]
    fn a_second_release_after_a_header_that_was_made_to_read_in_use_is_no_fault_of_the_heap() {
        suffer_from(
            1024,
            &[
                allocate(64, 8),
                allocate(64, 8),
                Act::Release { which: 0 },
                Act::TrampleFreeHeader {
                    gone: 0,
                    with: Garbage::OccupiedHeader { order: 3 },
                },
                Act::ReleaseAgain { gone: 0 },
                allocate(64, 8),
                allocate(64, 8),
                allocate(64, 8),
            ],
        );
    }

    #[test]
    fn a_live_block_with_the_header_and_the_layout_of_a_larger_one_is_not_released() {
        suffer_from(
            1024,
            &[
                allocate(64, 8),
                allocate(64, 8),
                Act::TrampleLive {
                    which: 0,
                    with: Garbage::OccupiedHeader { order: 4 },
                },
                Act::ReleaseWithAnotherLayout {
                    which: 0,
                    size: 128,
                    align: 8,
                },
                allocate(128, 8),
            ],
        );
    }

    /// A second release of a block aligned to 64 whose place was given to another. Only this many blocks of 8 bytes lie
    /// before it. They must lead to an address that is 8 less than a multiple of 64.
    fn over_aligned_after(others: u16) -> Vec<Act> {
        let mut acts: Vec<Act> = (0..others).map(|_| allocate(8, 8)).collect();
        acts.extend([allocate(20, 64), Act::Release { which: others }, allocate(65, 8)]);
        acts
    }

    #[test]
    fn a_second_release_of_an_over_aligned_block_counts_as_one_of_what_begins_before_it_now() {
        // One byte of the first block's marker belongs to the second, whose pattern has the same byte there: with this
        // base, and this many blocks in front.
        let mut acts = over_aligned_after(53);
        acts.extend([Act::ReleaseAgain { gone: 0 }, allocate(65, 8)]);
        suffer_from(1056, &acts);
    }

    #[test]
    fn no_release_goes_by_a_header_that_was_put_into_a_block_after_its_users_bytes() {
        let mut acts = over_aligned_after(3);
        acts.extend([
            allocate(200, 8),
            Act::WriteAfterFree {
                gone: 0,
                with: Garbage::OccupiedHeader { order: 4 },
            },
            Act::ReleaseInside { which: 3, offset: 80 },
            allocate(128, 8),
        ]);
        suffer_from(1024, &acts);
    }
}
