//! Sections of 1 MiB that must lie at a multiple of 1 MiB, as a collected heap asks for them.

use crate::block::{Block, Chain};
use harness::Random;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

const LAYOUT: Layout = match Layout::from_size_align(1 << 20, 1 << 20) {
    Ok(layout) => layout,
    Err(_) => panic!("a MiB is a power of two"),
};

/// Sections that live at once.
const SECTIONS: usize = 24;

/// Large objects that are made beside the heap for each section.
const OBJECTS: usize = 8;

struct Section(NonNull<u8>);

impl Section {
    fn new() -> Self {
        // SAFETY: the layout's size is not 0.
        match NonNull::new(unsafe { alloc(LAYOUT) }) {
            Some(start) => Section(start),
            None => handle_alloc_error(LAYOUT),
        }
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        // SAFETY: the section is live, and was allocated with this layout.
        unsafe { dealloc(self.0.as_ptr(), LAYOUT) }
    }
}

/// 24 sections live; `replacements` times a random one is released and another made. With each section come 8 objects
/// of 8 to 100 kB, of which half stay until the end.
///
/// Counts the sections, and a million for each that does not lie where it must.
pub fn replaced(replacements: u32) -> u64 {
    let mut random = Random::new(118_099);
    let mut count = 0;
    let mut stay = Chain::new();
    let mut section = |random: &mut Random| {
        let mut go = Chain::new();
        for number in 0..OBJECTS {
            let object = Block::new(random.within(8000, 100_000));
            match number % 2 {
                0 => go.push(object),
                _ => stay.push(object),
            }
        }
        let section = Section::new();
        go.release();
        count += 1 + 1_000_000 * u64::from(section.0.addr().get() & (LAYOUT.align() - 1) != 0);
        section
    };
    let mut sections: Vec<Section> = (0..SECTIONS).map(|_| section(&mut random)).collect();
    for _ in 0..replacements {
        let slot = random.below(SECTIONS);
        sections.swap_remove(slot);
        sections.push(section(&mut random));
    }
    drop(sections);
    stay.release();
    count
}

#[cfg(test)]
mod tests {
    use crate::limited_heap;

    #[test]
    fn each_section_lies_at_a_multiple_of_its_size() {
        let (count, left) = limited_heap::with_bytes(1 << 30, || super::replaced(10));
        assert_eq!((count, left), (34, 0));
    }
}
