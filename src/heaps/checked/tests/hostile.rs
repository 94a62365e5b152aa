//! `CheckedHeap` in a memory that others write to: between right calls, any bytes that lie in no live block are
//! overwritten.
//!
//! Whatever is written, no call panics, and no block is handed out over a live one. An error may be returned at any
//! time. Two things are not written: the stamp that a free block at that address would have, and a marker. They are
//! what the heap knows its own blocks by.

use super::super::*;
use crate::memory::PAGE_BYTES;
use crate::tests::model::input::{Input, SPAN_PAGES};
use crate::tests::model::oracle::Oracle;
use crate::tests::simulated_memory::SimulatedMemory;
use std::vec::Vec;

/// How many acts an input has at most.
const MAX_ACTS: usize = 500;

/// The heap, what is live in it, and what was.
struct Besieged {
    heap: CheckedHeap<SimulatedMemory>,
    oracle: Oracle,
    released: Vec<u32>,
}

/// Plays an input until it ends or a call returns an error.
pub(crate) fn play(input: &mut Input<'_>) {
    let (heap_base, initial_pages) = input.place();
    let limit_pages = (heap_base / PAGE_BYTES + SPAN_PAGES).min(65_536);
    let mut besieged = Besieged {
        heap: CheckedHeap::over(SimulatedMemory::new(heap_base, initial_pages, limit_pages)),
        oracle: Oracle::new(),
        released: Vec::new(),
    };
    for _ in 0..MAX_ACTS {
        if input.is_empty() {
            break;
        }
        let result = besieged.act(input);
        besieged.oracle.check_all_contents(&mut besieged.heap.memory.memory);
        assert_eq!(
            result.is_err(),
            besieged.heap.is_poisoned(),
            "an error must poison, and nothing else"
        );
        if result.is_err() {
            break;
        }
    }
}

impl Besieged {
    fn act(&mut self, input: &mut Input<'_>) -> Result<(), Error> {
        match input.u8() % 8 {
            0..=1 => {
                let request = input.request(1 << 19);
                let pointer = self.heap.allocate(request)?;
                self.oracle.place(&mut self.heap.memory.memory, pointer, request);
            }
            2..=3 => {
                if let Some((pointer, request)) = self.oracle.nth(input.u16()) {
                    self.heap.deallocate(pointer, request)?;
                    self.oracle.forget(pointer);
                    self.released.push(pointer);
                }
            }
            4 => {
                if let Some((pointer, request)) = self.oracle.nth(input.u16()) {
                    let size = input.size();
                    let new_pointer = self.heap.reallocate(pointer, request, size)?;
                    let new_request = Request { size, ..request };
                    self.oracle
                        .moved(&mut self.heap.memory.memory, pointer, new_pointer, new_request);
                    if new_pointer != pointer {
                        self.released.push(pointer);
                    }
                }
            }
            _ => {
                let address = self.place(input);
                let word = self.word(input);
                self.overwrite(address, word);
            }
        }
        Ok(())
    }

    /// Where to write: a header, the start of a released block, or anywhere.
    fn place(&self, input: &mut Input<'_>) -> u32 {
        let (kind, number) = (input.u8() % 4, input.u16());
        let before = |pointer: Option<u32>| pointer.map_or(0, |pointer| pointer.wrapping_sub(WORD_BYTES));
        match kind {
            0 => before(self.oracle.nth(number).map(|(pointer, _)| pointer)),
            1 => before(self.released_nth(number)),
            2 => self.released_nth(number).unwrap_or(0),
            _ => {
                let start = self.heap.memory.memory.initial_region().start;
                start.wrapping_add(u32::from(number) * WORD_BYTES)
            }
        }
    }

    /// What to write: the header of a block in use, a link to a released or live block, the end of a list, or anything.
    fn word(&self, input: &mut Input<'_>) -> u64 {
        let kind = input.u8() % 8;
        let link = |pointer: u32| u64::from(pointer.wrapping_sub(WORD_BYTES));
        match kind {
            0 => 1 << 32 | u64::from(input.u8() % 32),
            1 => self.released_nth(input.u16()).map_or(0, link),
            2 => self.oracle.nth(input.u16()).map_or(0, |(pointer, _)| link(pointer)),
            3 => u32::MAX.into(),
            4 => u64::from(input.u16()) * 8,
            _ => input.u64(),
        }
    }

    /// Overwrites eight bytes if they belong to the heap, to no live block, and would be no stamp or marker then.
    fn overwrite(&mut self, address: u32, word: u64) {
        let looks_like_a_stamp = ((word ^ FREE_STAMP) >> 32) as u32 == address;
        let looks_like_a_marker = word == marker(word as u32);
        let live = (0..WORD_BYTES).any(|byte| self.oracle.around(address.wrapping_add(byte)).is_some());
        let memory = &mut self.heap.memory.memory;
        let heap_start = memory.initial_region().start;
        if looks_like_a_stamp || looks_like_a_marker || live || address < heap_start {
            return;
        }
        if memory.get(address, WORD_BYTES).is_some() {
            memory.slice(address, WORD_BYTES).copy_from_slice(&word.to_le_bytes());
        }
    }

    fn released_nth(&self, number: u16) -> Option<u32> {
        let number = usize::from(number) % self.released.len().max(1);
        self.released.get(number).copied()
    }
}
