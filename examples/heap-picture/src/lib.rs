//! A store of documents in a web page, and a picture of the heap that it lives in.
//!
//! The store works as any program does. Only `picture.rs` knows of the allocator's feature `walk`.

mod documents;
mod frame;
mod picture;
mod store;

use freeing_bump::FreeingBump;
use std::sync::Mutex;
use store::Store;
use wasm_bindgen::prelude::wasm_bindgen;

#[global_allocator]
static ALLOCATOR: FreeingBump = FreeingBump::new();

static STORE: Mutex<Option<Store>> = Mutex::new(None);

/// What `work` returns for the store. A page has one thread, so that the lock is always free.
fn with_store<R>(work: impl FnOnce(&mut Store) -> R) -> R {
    let mut store = STORE.lock().expect("nothing has panicked");
    work(store.get_or_insert_default())
}

/// Makes so many documents, parses them and takes them into the store.
#[wasm_bindgen]
pub fn add_documents(count: u32) {
    with_store(|store| {
        for _ in 0..count {
            store.add();
        }
    });
}

/// Sets how many documents the store keeps. Where it has more, the oldest are dropped.
#[wasm_bindgen]
pub fn keep_documents(most: u32) {
    with_store(|store| store.keep(most as usize));
}

/// Drops all documents.
#[wasm_bindgen]
pub fn drop_documents() {
    with_store(|store| *store = Store::default());
}

/// How many documents the store has.
#[wasm_bindgen]
pub fn document_count() -> u32 {
    with_store(|store| store.len() as u32)
}

/// How many documents have this word in their title.
#[wasm_bindgen]
pub fn count_matches(word: &str) -> u32 {
    with_store(|store| store.matches(word) as u32)
}

/// Draws the heap, and returns where in the memory the frame lies. `frame.rs` says what is in it.
#[wasm_bindgen]
pub fn draw_heap() -> usize {
    picture::draw(&ALLOCATOR)
}
