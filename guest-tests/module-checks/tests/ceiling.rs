//! Modules whose allocator has a ceiling, in a host that ends each call which asks for more memory than that.

use module_checks::{Engine, Guest, Limits, PAGE_BYTES, Trapped, build_allocator_module};

/// `CEILING_PAGES` of `allocator-module`.
const CEILING_PAGES: usize = 40;

/// A module with these features in a host that ends each call which asks for more than `max_pages`.
fn guest_that_is_ended(features: &str, max_pages: usize) -> Guest {
    let module = build_allocator_module(env!("CARGO_TARGET_TMPDIR"), features, "release");
    let limits = Limits {
        traps_on_refusal: true,
        ..Limits::pages(max_pages)
    };
    Guest::new(Engine::Wasmtime, &module, limits)
}

/// Allocates blocks of `size` until one is refused, each filled with a byte of its own.
fn fill(guest: &mut Guest, size: u32) -> Result<Vec<u32>, Trapped> {
    let mut blocks = Vec::new();
    loop {
        let block = guest.alloc(size, 8)?;
        if block == 0 {
            return Ok(blocks);
        }
        guest.fill(block, size, blocks.len() as u8);
        blocks.push(block);
    }
}

#[test]
fn a_module_without_a_ceiling_is_ended_by_a_host_that_allows_no_growth_to_fail() {
    for features in ["freeing-bump", "tiny", "checked"] {
        let mut guest = guest_that_is_ended(features, CEILING_PAGES);
        assert_eq!(fill(&mut guest, 5_000), Err(Trapped), "{features}");
    }
}

#[test]
fn a_module_with_a_ceiling_uses_every_page_below_it_and_lives_on() {
    for (features, goes_on) in [("freeing-bump,ceiling", true), ("checked,ceiling", false)] {
        for size in [100, 5_000, 70_000] {
            let mut guest = guest_that_is_ended(features, CEILING_PAGES);
            let room = (CEILING_PAGES - guest.pages()) * PAGE_BYTES;
            let blocks = fill(&mut guest, size).expect("no call may ask for more than the ceiling");
            for (index, &block) in blocks.iter().enumerate() {
                assert!(guest.is_filled(block, size, index as u8), "{features}");
            }
            assert_eq!(guest.alloc(1 << 30, 8), Ok(0), "{features}");
            if goes_on {
                assert!(
                    blocks.len() * size as usize * 10 > room * 9,
                    "{features}: {}",
                    blocks.len()
                );
                assert_eq!(guest.pages(), CEILING_PAGES);
                for &block in &blocks {
                    assert_eq!(guest.dealloc(block, size, 8), Ok(()));
                }
                let again = fill(&mut guest, size).expect("no call may ask for more than the ceiling");
                assert!(
                    again.len() >= blocks.len(),
                    "{size}: {}, then {}",
                    blocks.len(),
                    again.len()
                );
                for &block in &again {
                    assert_eq!(guest.dealloc(block, size, 8), Ok(()));
                }
                assert_eq!(
                    fill(&mut guest, size).map(|third| third.len()),
                    Ok(again.len()),
                    "{size}"
                );
            }
        }
    }
}

#[test]
fn a_ceiling_counts_the_pages_that_the_host_adds() {
    for features in ["freeing-bump,ceiling", "checked,ceiling"] {
        let mut guest = guest_that_is_ended(features, CEILING_PAGES + 10);
        let pages = guest.pages();
        guest.grow(CEILING_PAGES + 10 - pages);
        let blocks = fill(&mut guest, 5_000).expect("no call may ask for more than the ceiling");
        assert!(!blocks.is_empty(), "the initial memory serves requests");
        assert_eq!(guest.growths(), 0, "{features}");
    }
}
