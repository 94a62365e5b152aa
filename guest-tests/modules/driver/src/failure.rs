//! What the host reads when a check has failed.

use core::panic::PanicInfo;
use guest_tests::failure;

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    failure::keep_and_trap(info)
}

/// The address of the text.
#[unsafe(no_mangle)]
extern "C" fn text_address() -> usize {
    failure::text().address()
}

/// The number of bytes of the text, 0 if no check has failed.
#[unsafe(no_mangle)]
extern "C" fn text_length() -> usize {
    failure::text().length()
}
