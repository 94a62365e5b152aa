//! What the host reads when a check has failed.

use core::panic::PanicInfo;
use guest_tests::failure;

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    failure::keep_and_trap(info)
}

guest_tests::export_text!(failure::text);
