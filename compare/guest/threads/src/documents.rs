//! A JSON document that each worker parses and prints: the workload `json` with a shorter document of each worker's own.

use std::cell::Cell;

thread_local! {
    static EXPECTED: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Makes a document of `records` records, unless this worker has one.
pub fn prepare(records: u32) -> u64 {
    if EXPECTED.get().is_none() {
        json::prepare(records);
        EXPECTED.set(Some(json::parse_and_print(records)));
    }
    0
}

/// Parses and prints the document; that is one operation.
pub fn parse_and_print(records: u32) -> u64 {
    assert!(
        EXPECTED.get() == Some(json::parse_and_print(records)),
        "a document was overwritten"
    );
    1
}

#[cfg(test)]
mod tests {
    use super::{parse_and_print, prepare};

    #[test]
    fn a_document_is_the_same_each_time_that_it_is_printed() {
        prepare(5);
        assert_eq!((parse_and_print(5), parse_and_print(5)), (1, 1));
    }
}
