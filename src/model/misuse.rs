//! Random misuse of the allocators that check: whatever a program does to them, they return or refuse, never panic, and
//! never hand out a byte that is in use.
//!
//! What cannot be told from right use is left out, or counts as right: a second release of a block that was handed out
//! again; a layout that is wrong within a power of two; for the original algorithm, which gets no layout and stamps
//! nothing, also a header or link that was overwritten by another valid one.

use super::oracle::Oracle;
use super::programs::fitting;
use super::random::{aligns, places, sizes};
use super::{Fallible, test_random};
use crate::checked_heap::Request;
use crate::error::Error;
use crate::page::PAGE_BYTES;
use crate::simulated_memory::SimulatedMemory;
use proptest::collection::vec;
use proptest::prelude::*;
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

/// The acts of a program on average. The first error ends it, so that they are short and many.
const AVERAGE_ACTS: u32 = if cfg!(miri) { 20 } else { 100 };

/// Plays random acts, as many as the number of steps asks for, on subjects that `new` makes.
pub(crate) fn test_misuse<S: Fallible>(new: impl Fn(SimulatedMemory) -> S) {
    let acts = vec(acts(S::MAX_ALIGN), 1..=2 * AVERAGE_ACTS as usize);
    test_random((places(), acts), AVERAGE_ACTS, |((base, pages), acts)| {
        let limit_pages = (base / PAGE_BYTES + 384).min(65_536);
        let subject = new(SimulatedMemory::new(base, pages, limit_pages));
        Victim {
            subject,
            oracle: Oracle::new(),
            gone: Vec::new(),
        }
        .suffer(&acts);
    });
}

/// An allocator that is misused, what is live in it, and what was.
struct Victim<S> {
    subject: S,
    oracle: Oracle,
    gone: Vec<(u32, Request)>,
}

impl<S: Fallible> Victim<S> {
    fn suffer(&mut self, acts: &[Act]) {
        for act in acts {
            let result = self.commit(act);
            assert_eq!(
                result.is_err(),
                self.subject.is_poisoned(),
                "an error must poison, and nothing else"
            );
            if result.is_err() {
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

    /// Releases a block, or what is none. If that is accepted, right or not, nobody must be using the bytes any more.
    fn release(&mut self, address: u32, request: Request) -> Result<(), Error> {
        self.oracle.check_all_contents(self.subject.memory());
        self.subject.try_deallocate(address, request)?;
        let released = match self.oracle.at(address) {
            Some(live) => (address, live),
            None => self.handed_out_again(address),
        };
        self.oracle.forget(released.0);
        self.gone.push(released);
        Ok(())
    }

    /// The over-aligned live block that begins, with the bytes before its payload, where an earlier block did. A second
    /// release of the earlier one cannot be told from one of this block.
    fn handed_out_again(&self, address: u32) -> (u32, Request) {
        self.oracle
            .first_from(address)
            .filter(|(live, request)| live - address <= request.align + 8)
            .filter(|_| self.gone.iter().any(|&(gone, _)| gone == address))
            .unwrap_or_else(|| panic!("a release of {address:#x} was accepted, where no live block starts"))
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
        }
    }

    fn gone_nth(&self, number: u16) -> Option<(u32, Request)> {
        let number = usize::from(number) % self.gone.len().max(1);
        self.gone.get(number).copied()
    }
}
