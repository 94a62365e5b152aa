//! Random requests against a plain oracle: a list of the live blocks with the bytes that each must contain.
//!
//! The seed is fixed, so that every run does the same; `FREEING_BUMP_SEED=7 cargo make test-guest` compiles another
//! one in. A failing run prints the seed that it was compiled with.

use guest_tests::{Block, ForeignPages};
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

const STEPS: usize = 30_000;
const SLOTS: usize = 400;

fn seed() -> u64 {
    option_env!("FREEING_BUMP_SEED").map_or(1, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("FREEING_BUMP_SEED is {text:?}; set it to a whole number from 0 to 2^64 - 1"))
    })
}

/// Mostly small, sometimes of many pages.
fn random_size(random: &mut fastrand::Rng) -> usize {
    let bits = match random.u32(0..100) {
        0..70 => random.u32(0..8),
        70..95 => random.u32(8..13),
        _ => random.u32(13..19),
    };
    (1 << bits) + random.usize(0..1 << bits)
}

/// Mostly what the standard library asks for, sometimes up to 64 KiB.
fn random_alignment(random: &mut fastrand::Rng) -> usize {
    match random.u32(0..50) {
        0 => 1 << random.u32(0..=16),
        _ => 1 << random.u32(0..=4),
    }
}

fn assert_apart_from_all_others(slots: &[Option<Block>], index: usize) {
    let Some(block) = &slots[index] else { return };
    for (other_index, other) in slots.iter().enumerate() {
        let Some(other) = other else { continue };
        assert!(
            other_index == index || block.last_address() < other.address() || other.last_address() < block.address(),
            "the blocks at {:#x} and {:#x} overlap",
            block.address(),
            other.address(),
        );
    }
}

#[wasm_bindgen_test]
fn random_requests_never_overlap_and_keep_their_bytes() {
    let seed = seed();
    console_log!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut slots: Vec<Option<Block>> = (0..SLOTS).map(|_| None).collect();
    let mut foreign = Vec::new();

    for step in 0..STEPS {
        let index = random.usize(0..SLOTS);
        match (&mut slots[index], random.u32(0..10)) {
            (Some(block), 0..4) => block.resize(random_size(&mut random)),
            (slot @ Some(_), _) => *slot = None,
            (slot @ None, kind) => {
                let size = random_size(&mut random);
                let alignment = random_alignment(&mut random);
                let make = if kind < 3 { Block::new_zeroed } else { Block::new };
                *slot = Some(make(size, alignment, step as u8));
            }
        }
        assert_apart_from_all_others(&slots, index);
        if step % (STEPS / 8) == 0 {
            foreign.push(ForeignPages::grow(1, step as u8));
            for block in slots.iter().flatten() {
                block.check();
            }
        }
    }

    drop(slots);
    for pages in &foreign {
        pages.check();
    }
}
