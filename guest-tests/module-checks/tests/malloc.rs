//! C's functions for memory, which the feature `malloc` adds to a module: what C promises of them, and blocks that one side
//! allocates and the other releases.

use fastrand::Rng;
use module_checks::{Engine, Guest, Limits, PAGE_BYTES, Trapped, build_allocator_module, repository, seed};
use std::fs;
use std::path::Path;
use std::process::Command;
use wasmparser::{ExternalKind, Parser, Payload};

/// C's functions, and those of the module's own.
const FUNCTIONS: [&str; 12] = [
    "aligned_alloc",
    "calloc",
    "free",
    "heap_alloc",
    "heap_alloc_zeroed",
    "heap_dealloc",
    "heap_realloc",
    "malloc",
    "malloc_usable_size",
    "memalign",
    "posix_memalign",
    "realloc",
];

/// As the documentation has them.
const EINVAL: u32 = 28;
const ENOMEM: u32 = 48;

/// The greatest request that a `Layout` aligned to 16 can make.
const LARGEST: u32 = i32::MAX as u32 - 15;

fn module() -> Vec<u8> {
    build_allocator_module(env!("CARGO_TARGET_TMPDIR"), "freeing-bump,malloc", "release")
}

fn guest(max_pages: usize) -> Guest {
    Guest::new(Engine::Wasmtime, &module(), Limits::pages(max_pages))
}

/// Calls a function that must not trap.
fn call(guest: &mut Guest, function: &str, arguments: &[u32]) -> u32 {
    guest
        .call_c(function, arguments)
        .unwrap_or_else(|Trapped| panic!("{function}{arguments:?} must not trap"))
}

fn payloads(module: &[u8]) -> impl Iterator<Item = Payload<'_>> {
    Parser::new(0)
        .parse_all(module)
        .map(|payload| payload.expect("rustc must have made a valid module"))
}

#[test]
fn the_feature_adds_the_functions_of_c_and_no_import() {
    let module = module();
    let mut functions = Vec::new();
    for payload in payloads(&module) {
        match payload {
            Payload::ImportSection(imports) => panic!("the module imports something: {imports:?}"),
            Payload::ExportSection(exports) => functions.extend(
                exports
                    .into_iter()
                    .map(|export| export.expect("rustc must have made a valid export"))
                    .filter(|export| export.kind == ExternalKind::Func)
                    .map(|export| export.name.to_owned()),
            ),
            _ => (),
        }
    }
    functions.sort_unstable();
    assert_eq!(functions, FUNCTIONS);
}

/// What rustc lets a module for wasm32-unknown-unknown use.
const WASM_FEATURES: [&str; 6] = [
    "bulk-memory",
    "multivalue",
    "mutable-globals",
    "nontrapping-float-to-int",
    "reference-types",
    "sign-ext",
];

/// The bytes of code of the smallest module with these features, after `wasm-opt -Oz`; none where that program is missing.
fn optimized_code_bytes(features: &str) -> Option<u32> {
    let wasm_opt = repository().join("compare/node_modules/.bin/wasm-opt");
    if !wasm_opt.exists() {
        return None;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let [file, optimized] = ["wasm", "optimized.wasm"].map(|end| folder.join(format!("{features}.{end}")));
    fs::write(
        &file,
        build_allocator_module(env!("CARGO_TARGET_TMPDIR"), features, "size"),
    )
    .expect("target/tmp can be written to");
    let status = Command::new(wasm_opt)
        .arg("-Oz")
        .args(WASM_FEATURES.map(|feature| format!("--enable-{feature}")))
        .arg(file)
        .arg("-o")
        .arg(&optimized)
        .status()
        .expect("wasm-opt can be started");
    assert!(status.success());
    let module = fs::read(optimized).expect("wasm-opt has just written the module");
    payloads(&module).find_map(|payload| match payload {
        Payload::CodeSectionStart { size, .. } => Some(size),
        _ => None,
    })
}

#[test]
fn the_feature_adds_at_most_320_bytes_of_code() {
    let Some(without) = optimized_code_bytes("freeing-bump") else {
        println!("SKIPPED: wasm-opt is not installed; `cargo make report` installs it");
        return;
    };
    let with = optimized_code_bytes("freeing-bump,malloc").expect("wasm-opt is there");
    assert!(with - without <= 320, "{} bytes more than {without}", with - without);
}

#[test]
fn every_block_for_c_is_aligned_to_sixteen_and_zero_bytes_are_a_block_too() {
    let mut guest = guest(1_000);
    let mut blocks = Vec::new();
    for size in (0..600).chain([4_000, 70_000]) {
        for block in [
            call(&mut guest, "malloc", &[size]),
            call(&mut guest, "calloc", &[1, size]),
            call(&mut guest, "realloc", &[0, size]),
        ] {
            assert!(block != 0 && block % 16 == 0, "{size} bytes at {block:#x}");
            assert!(call(&mut guest, "malloc_usable_size", &[block]) >= size);
            blocks.push(block);
        }
    }
    let count = blocks.len();
    blocks.sort_unstable();
    blocks.dedup();
    assert_eq!(blocks.len(), count, "two blocks have one address");
    for block in blocks {
        call(&mut guest, "free", &[block]);
    }
}

#[test]
fn null_is_released_without_effect_and_has_no_bytes() {
    let mut guest = guest(100);
    assert_eq!(call(&mut guest, "free", &[0]), 0);
    assert_eq!(call(&mut guest, "malloc_usable_size", &[0]), 0);
}

#[test]
fn calloc_clears_what_was_used_and_refuses_a_product_of_more_than_32_bits() {
    let mut guest = guest(1_000);
    for (count, size) in [(1, 24), (25, 20), (1_000, 8), (10, 10_000)] {
        let bytes = count * size;
        // More than a run of 8 KiB has.
        let blocks = if bytes > 512 { 10 } else { 600 };
        let used: Vec<u32> = (0..blocks).map(|_| call(&mut guest, "malloc", &[bytes])).collect();
        for &block in &used {
            guest.fill(block, bytes, 0xff);
            call(&mut guest, "free", &[block]);
        }
        let zeroed: Vec<u32> = (0..blocks)
            .map(|_| call(&mut guest, "calloc", &[count, size]))
            .collect();
        assert!(
            zeroed.iter().any(|block| used.contains(block)),
            "{bytes} bytes are not used again"
        );
        for block in zeroed {
            assert!(guest.is_filled(block, bytes, 0), "{bytes} bytes");
        }
    }
    for (count, size) in [
        (1 << 16, 1 << 16),
        (3, 1_431_655_766),
        (u32::MAX, u32::MAX),
        (2, 1 << 31),
    ] {
        assert_eq!(call(&mut guest, "calloc", &[count, size]), 0, "{count} * {size}");
    }
    assert_ne!(call(&mut guest, "calloc", &[0, u32::MAX]), 0);
}

#[test]
fn realloc_keeps_the_bytes_and_what_is_refused_leaves_the_block() {
    let mut guest = guest(40);
    for (size, new_size) in [
        (10, 30),
        (30, 10),
        (100, 5_000),
        (5_000, 100),
        (5_000, 70_000),
        (70_000, 600),
        (40, 0),
    ] {
        let block = call(&mut guest, "malloc", &[size]);
        guest.fill(block, size, 0xaa);
        for too_much in [LARGEST + 1, u32::MAX, 1 << 30] {
            assert_eq!(call(&mut guest, "realloc", &[block, too_much]), 0);
        }
        let resized = call(&mut guest, "realloc", &[block, new_size]);
        assert_ne!(resized, 0);
        assert_eq!(resized % 16, 0);
        assert!(
            guest.is_filled(resized, size.min(new_size), 0xaa),
            "{size} to {new_size}"
        );
        call(&mut guest, "free", &[resized]);
    }
}

#[test]
fn what_there_is_no_memory_for_is_null_and_the_rest_goes_on() {
    let mut guest = guest(40);
    let mut blocks = Vec::new();
    loop {
        let block = call(&mut guest, "malloc", &[3_000]);
        if block == 0 {
            break;
        }
        guest.fill(block, 3_000, blocks.len() as u8);
        blocks.push(block);
    }
    for too_much in [4_000, 1 << 30, LARGEST, LARGEST + 1, i32::MAX as u32, u32::MAX] {
        assert_eq!(call(&mut guest, "malloc", &[too_much]), 0);
        assert_eq!(call(&mut guest, "calloc", &[1, too_much]), 0);
        assert_eq!(call(&mut guest, "aligned_alloc", &[64, too_much]), 0);
    }
    for (index, &block) in blocks.iter().enumerate() {
        assert!(guest.is_filled(block, 3_000, index as u8));
    }
    let again = blocks[blocks.len() / 2];
    call(&mut guest, "free", &[again]);
    assert_eq!(call(&mut guest, "malloc", &[3_000]), again);
}

#[test]
fn alignments_are_checked_and_kept() {
    let mut guest = guest(1_000);
    let place = call(&mut guest, "malloc", &[4]);
    let written = |guest: &mut Guest| u32::from_le_bytes(guest.read(place, 4).try_into().expect("four bytes"));
    for log2 in 0..=16 {
        let align = 1 << log2;
        for function in ["aligned_alloc", "memalign"] {
            let block = call(&mut guest, function, &[align, 100]);
            assert!(
                block != 0 && block.is_multiple_of(align) && block.is_multiple_of(16),
                "{function} {align}"
            );
            call(&mut guest, "free", &[block]);
        }
        guest.write(place, &[0xaa; 4]);
        if align < 4 {
            assert_eq!(call(&mut guest, "posix_memalign", &[place, align, 100]), EINVAL);
            assert_eq!(written(&mut guest), 0xaaaa_aaaa);
        } else {
            assert_eq!(call(&mut guest, "posix_memalign", &[place, align, 100]), 0);
            assert_eq!(written(&mut guest) % align, 0);
        }
    }
    for wrong in [0, 3, 24, u32::MAX] {
        assert_eq!(call(&mut guest, "aligned_alloc", &[wrong, 100]), 0);
        assert_eq!(call(&mut guest, "memalign", &[wrong, 100]), 0);
        guest.write(place, &[0xaa; 4]);
        assert_eq!(call(&mut guest, "posix_memalign", &[place, wrong, 100]), EINVAL);
        assert_eq!(written(&mut guest), 0xaaaa_aaaa);
    }
    assert_eq!(call(&mut guest, "posix_memalign", &[place, 64, 1 << 30]), ENOMEM);
    assert_eq!(written(&mut guest), 0xaaaa_aaaa);
    assert_eq!(call(&mut guest, "aligned_alloc", &[1 << 31, 1 << 30]), 0);
}

/// A live block, with the layout that Rust knows of it.
struct Live {
    block: u32,
    size: u32,
    align: u32,
    fill: u8,
}

fn random_size(random: &mut Rng) -> u32 {
    match random.u32(0..10) {
        0 => random.u32(1..20_000),
        1 => random.u32(1..1_000),
        _ => random.u32(1..200),
    }
}

/// One block from either side.
fn allocate(guest: &mut Guest, random: &mut Rng) -> Live {
    let (size, align) = (random_size(random), 1 << random.u32(0..=4));
    let (block, align) = match random.u32(0..6) {
        0 | 1 => (call(guest, "malloc", &[size]), 16),
        2 => (call(guest, "calloc", &[size, 1]), 16),
        3 => (call(guest, "aligned_alloc", &[align << 3, size]), (align << 3).max(16)),
        _ => (guest.alloc(size, align).expect("a request must not trap"), align),
    };
    assert!(block != 0 && block % align == 0);
    let fill = random.u8(..);
    guest.fill(block, size, fill);
    Live {
        block,
        size,
        align,
        fill,
    }
}

#[test]
fn either_side_resizes_and_releases_what_the_other_has_allocated_and_the_memory_stays_as_it_is() {
    let mut guest = guest(2_000);
    let mut random = Rng::with_seed(seed().into());
    let mut live: Vec<Live> = Vec::new();
    let mut settled = 0;
    for step in 0..100_000 {
        if live.len() < 200 || live.len() < 400 && random.bool() {
            live.push(allocate(&mut guest, &mut random));
        } else {
            let Live {
                block,
                size,
                align,
                fill,
            } = live.swap_remove(random.usize(0..live.len()));
            assert!(
                guest.is_filled(block, size, fill),
                "step {step}: {block:#x} has lost its bytes"
            );
            let new_size = random_size(&mut random);
            match random.u32(0..5) {
                0 => guest.dealloc(block, size, align).expect("a release must not trap"),
                1 | 2 => {
                    call(&mut guest, "free", &[block]);
                }
                side => {
                    let (block, align) = match side {
                        3 => (call(&mut guest, "realloc", &[block, new_size]), 16),
                        _ => {
                            let moved = guest.realloc(block, size, align, new_size);
                            (moved.expect("a resize must not trap"), align)
                        }
                    };
                    assert!(block != 0 && block % align == 0);
                    assert!(guest.is_filled(block, size.min(new_size), fill), "step {step}");
                    guest.fill(block, new_size, fill);
                    live.push(Live {
                        block,
                        size: new_size,
                        align,
                        fill,
                    });
                }
            }
        }
        if step == 20_000 {
            settled = guest.pages();
        }
    }
    assert!(
        guest.pages() <= settled + settled / 4,
        "{settled} pages, then {}",
        guest.pages()
    );
}

#[test]
fn the_release_of_some_addresses_that_were_never_given_out_traps() {
    let module = module();
    // In the stack, in static data, and within a large block.
    for wrong in ["stack", "within a large block", "a large block again"] {
        let mut guest = Guest::new(Engine::Wasmtime, &module, Limits::pages(100));
        let large = call(&mut guest, "malloc", &[5_000]);
        let next = call(&mut guest, "malloc", &[5_000]);
        let address = match wrong {
            "stack" => 1_024,
            "within a large block" => large + 8,
            _ => {
                call(&mut guest, "free", &[large]);
                large
            }
        };
        assert_eq!(guest.call_c("free", &[address]), Err(Trapped), "{wrong}");
        assert_ne!(next, 0);
    }
}

#[test]
fn the_ceiling_of_rusts_global_allocator_holds_for_c_from_the_first_call_on() {
    /// `CEILING_PAGES` of `allocator-module`.
    const CEILING_PAGES: usize = 40;
    let module = build_allocator_module(env!("CARGO_TARGET_TMPDIR"), "freeing-bump,ceiling,malloc", "release");
    for (function, size) in [("malloc", 100), ("malloc", 5_000), ("malloc", 2 * PAGE_BYTES as u32)] {
        let limits = Limits {
            traps_on_refusal: true,
            ..Limits::pages(CEILING_PAGES)
        };
        let mut guest = Guest::new(Engine::Wasmtime, &module, limits);
        while call(&mut guest, function, &[size]) != 0 {}
        assert!(guest.pages() + 3 > CEILING_PAGES, "{} pages", guest.pages());
    }
}
