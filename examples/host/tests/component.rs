//! Strings and lists go into a component and come out of it, and its memory does not grow for that.

use examples_host::component::{Indexer, build_component};

/// A few pages more than the component begins with.
const MOST_BYTES: usize = 2 << 20;

#[test]
fn each_word_has_the_texts_that_it_is_in() {
    let mut indexer = Indexer::new(&build_component(), MOST_BYTES).unwrap();
    let index = indexer.index(&["One heap, one.", "", "A heap"]).unwrap();
    let expected = [("a", vec![2]), ("heap", vec![0, 2]), ("one", vec![0])];
    assert_eq!(index, expected.map(|(word, texts)| (word.to_owned(), texts)));
    assert_eq!(indexer.index(&[]).unwrap(), []);
}

#[test]
fn calls_with_many_strings_are_served_again_and_again_in_little_memory() {
    let mut indexer = Indexer::new(&build_component(), MOST_BYTES).unwrap();
    let long = "long ".repeat(300);
    let texts: Vec<_> = (0..100).map(|number| format!("{long}{number}")).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    for _ in 0..100 {
        assert_eq!(indexer.index(&texts).unwrap().len(), 101);
    }
}
