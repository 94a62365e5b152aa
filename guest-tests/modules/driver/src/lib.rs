//! A module that drives its own global allocator and checks what it gets, while its host limits the memory.
//!
//! A feature chooses the allocator. `module-checks` builds this crate and calls its exports in V8 and in wasmtime. What
//! the checks themselves need lies in static data, so that nothing but what is tested comes from the allocator. A check
//! that fails leaves a text for the host and traps. For other targets than wasm32 the crate is empty.
#![cfg(target_arch = "wasm32")]
#![no_std]

mod failure;
mod random;
mod service;

#[cfg(feature = "checked")]
use freeing_bump::CheckedFreeingBump as Allocator;
#[cfg(feature = "freeing-bump")]
use freeing_bump::FreeingBump as Allocator;
#[cfg(feature = "tiny")]
use freeing_bump::TinyFreeingBump as Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator::new();
