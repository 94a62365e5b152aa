//! The command-line program counts the words of any input.

use examples_host::word_count;
use std::io::{self, Cursor, Write, empty, sink};
use std::sync::{Arc, Mutex};

/// An output that can be read afterwards.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[test]
fn the_words_of_a_long_text_are_counted() {
    // Word `word7` once for each number with the remainder 7, so 3 times; the first 4 words once more.
    let text: String = (0..100_000)
        .map(|number| format!("Word{},\n", number % 33_332))
        .collect();
    let output = Kept::default();
    let errors = Kept::default();
    let status = word_count::run(Cursor::new(text), output.clone(), errors.clone()).unwrap();
    assert_eq!(status, 0);
    let output = output.text();
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[0], "100000 words, 33332 of them different");
    assert_eq!(
        lines[1..6],
        [
            "       4 word0",
            "       4 word1",
            "       4 word2",
            "       4 word3",
            "       3 word10"
        ]
    );
    assert_eq!(lines.len(), 11);
    assert!(errors.text().starts_with("heap: "), "{}", errors.text());
}

#[test]
fn an_empty_input_has_no_words() {
    let output = Kept::default();
    assert_eq!(word_count::run(empty(), output.clone(), sink()).unwrap(), 0);
    assert_eq!(output.text(), "0 words, 0 of them different\n");
}

#[test]
fn an_input_that_is_no_text_is_an_error_that_says_so() {
    let errors = Kept::default();
    assert_eq!(word_count::run(&[0xff, b'\n'][..], sink(), errors.clone()).unwrap(), 1);
    assert!(errors.text().contains("valid UTF-8"), "{}", errors.text());
}
