//! A library in C takes its memory from FreeingBump, and gives it back.

use examples_host::c_code::{Compressor, build_module};
use module_checks::can_compile_c;

/// Bytes that repeat, but not all the same.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * index / 1_000) as u8).collect()
}

#[test]
fn what_was_compressed_is_decompressed_as_it_was() {
    if !can_compile_c() {
        return;
    }
    let mut compressor = Compressor::new(&build_module()).unwrap();
    for length in [0, 1, 1_000, 100_000, 3_000_000] {
        let bytes = bytes(length);
        let compressed = compressor.compress(&bytes).unwrap();
        assert!(length < 100_000 || compressed.len() < length / 2, "{length}");
        assert!(compressor.decompress(&compressed).unwrap() == bytes, "{length}");
    }
}

#[test]
fn the_memory_stays_as_it_is_however_often_the_library_is_called() {
    if !can_compile_c() {
        return;
    }
    let mut compressor = Compressor::new(&build_module()).unwrap();
    let bytes = bytes(100_000);
    let mut pages = Vec::new();
    for _ in 0..100 {
        compressor.compress(&bytes).unwrap();
        pages.push(compressor.pages());
    }
    // The first calls divide the memory among blocks of all sizes.
    assert_eq!(pages[99], pages[4], "{pages:?}");
}

#[test]
fn broken_bytes_are_refused_and_the_module_goes_on() {
    if !can_compile_c() {
        return;
    }
    let mut compressor = Compressor::new(&build_module()).unwrap();
    let bytes = bytes(1_000);
    let compressed = compressor.compress(&bytes).unwrap();
    assert!(compressor.decompress(&bytes).is_err());
    assert!(compressor.decompress(&compressed[..compressed.len() / 2]).is_err());
    assert!(compressor.decompress(&compressed).unwrap() == bytes);
}
