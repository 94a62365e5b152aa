//! A contract: its host hands in a state and transfers, and gets the next state or a refusal.
//!
//! A state is a record for each account: its number, 4 bytes, and its balance, 8 bytes. A transfer has 16 bytes: the numbers
//! of the two accounts and the amount. All numbers are little-endian.
#![no_std]

extern crate alloc;

mod allocator;
mod transfers;

use alloc::boxed::Box;
use alloc::vec;
use core::ptr;

/// A buffer of `length` bytes for the host to write to. [`apply`] or [`release`] takes it back.
#[unsafe(no_mangle)]
pub extern "C" fn allocate(length: usize) -> *mut u8 {
    Box::into_raw(vec![0_u8; length].into_boxed_slice()).cast()
}

/// Releases a buffer.
///
/// # Safety
///
/// `buffer` must come from [`allocate`] or [`apply`], with this length, and must not have been taken back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn release(buffer: *mut u8, length: usize) {
    // SAFETY: the buffer was a box of this length, as the host must see to.
    drop(unsafe { taken_back(buffer, length) });
}

/// Plays `transfers` over `state`, and takes both buffers back. Returns the buffer of the next state: its address in the
/// upper half, its length in the lower half. 0 is a refusal: an account has too little, or an input is malformed.
///
/// # Safety
///
/// As for [`release`], for both buffers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apply(
    state: *mut u8,
    state_length: usize,
    transfers: *mut u8,
    transfers_length: usize,
) -> u64 {
    // SAFETY: the buffers were boxes of these lengths, as the host must see to.
    let (state, transfers) = unsafe { (taken_back(state, state_length), taken_back(transfers, transfers_length)) };
    match transfers::apply(&state, &transfers) {
        Some(next) => {
            let length = next.len() as u64;
            let address = Box::into_raw(next).cast::<u8>().addr() as u64;
            address << 32 | length
        }
        None => 0,
    }
}

/// The box that a buffer was.
///
/// # Safety
///
/// As for [`release`].
unsafe fn taken_back(buffer: *mut u8, length: usize) -> Box<[u8]> {
    // SAFETY: a box of this length was given away at this address, as the host must see to, and is taken back once.
    unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(buffer, length)) }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
