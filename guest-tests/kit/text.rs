//! A text that a module keeps for its host to read after a trap.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// A text that grows by `write!`, allocates nothing, and leaves out what does not fit.
pub struct Text {
    bytes: [AtomicU8; Text::CAPACITY],
    length: AtomicUsize,
}

impl Text {
    const CAPACITY: usize = 1024;

    /// The empty text.
    pub const fn new() -> Self {
        Text {
            bytes: [const { AtomicU8::new(0) }; Text::CAPACITY],
            length: AtomicUsize::new(0),
        }
    }

    /// The address of its first byte.
    pub fn address(&self) -> usize {
        (&raw const self.bytes).addr()
    }

    /// Its length in bytes.
    pub fn length(&self) -> usize {
        self.length.load(Ordering::Relaxed)
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::new()
    }
}

impl Write for &Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            let index = self.length();
            self.bytes.get(index).ok_or(fmt::Error)?.store(byte, Ordering::Relaxed);
            self.length.store(index + 1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Exports where a module's host finds a [`Text`], which the function of this path returns: the address of its first byte as
/// `text_address`, and its length in bytes as `text_length`, which is 0 while no check has failed.
#[macro_export]
macro_rules! export_text {
    ($text:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn text_address() -> usize {
            $text().address()
        }

        #[unsafe(no_mangle)]
        extern "C" fn text_length() -> usize {
            $text().length()
        }
    };
}
