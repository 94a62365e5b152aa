//! A block that one worker makes and another releases. It holds its own length, and a stamp that depends on its address.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};

/// The bytes that length and stamp take.
pub const LEAST: usize = 8;

/// A live block of at least [`LEAST`] bytes.
pub struct Message(*mut u32);

impl Message {
    /// Makes a message of `bytes` bytes, which are at least [`LEAST`].
    pub fn new(bytes: usize) -> Self {
        let layout = layout(bytes);
        // SAFETY: the size is not 0.
        let start = unsafe { alloc(layout) }.cast::<u32>();
        if start.is_null() {
            handle_alloc_error(layout);
        }
        // SAFETY: the block has at least 8 bytes, and is aligned to 8.
        unsafe {
            start.write(bytes as u32);
            start.add(1).write(stamp(start, bytes));
        }
        Message(start)
    }

    /// Hands the message over as a number that is not 0. Whoever takes it releases it.
    pub fn into_number(self) -> usize {
        self.0.expose_provenance()
    }

    /// The message behind `number`; none for 0.
    ///
    /// # Safety
    ///
    /// `number` must be 0, or come from [`Message::into_number`] and not have been passed here before.
    pub unsafe fn from_number(number: usize) -> Option<Self> {
        let start = std::ptr::with_exposed_provenance_mut::<u32>(number);
        (!start.is_null()).then_some(Message(start))
    }

    /// Releases the message; returns its length in bytes.
    pub fn release(self) -> usize {
        let start = self.0;
        // SAFETY: the block is live, has at least 8 bytes, and this is its last use.
        unsafe {
            let bytes = start.read() as usize;
            assert!(start.add(1).read() == stamp(start, bytes), "a message was overwritten");
            dealloc(start.cast(), layout(bytes));
            bytes
        }
    }
}

fn layout(bytes: usize) -> Layout {
    assert!(bytes >= LEAST);
    Layout::from_size_align(bytes, 8).expect("messages are short")
}

fn stamp(start: *mut u32, bytes: usize) -> u32 {
    (start.addr() as u32).rotate_left(9) ^ bytes as u32
}

#[cfg(test)]
mod tests {
    use super::Message;

    #[test]
    fn a_message_keeps_its_length_on_its_way() {
        let number = Message::new(120).into_number();
        // SAFETY: it is taken once.
        let message = unsafe { Message::from_number(number) }.unwrap();
        assert_eq!(message.release(), 120);
    }

    #[test]
    #[should_panic(expected = "a message was overwritten")]
    fn a_message_that_was_overwritten_is_noticed() {
        let message = Message::new(16);
        // SAFETY: the block has 16 bytes and is live.
        unsafe { message.0.write(24) };
        message.release();
    }
}
