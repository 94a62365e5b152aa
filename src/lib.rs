//! x
#![no_std]
#[cfg(target_arch = "wasm32")]
mod cell;
mod linear_memory;
mod page;
#[cfg(target_arch = "wasm32")]
mod tiny;
mod tiny_heap;
#[cfg(target_arch = "wasm32")]
pub use tiny::TinyFreeingBump;
