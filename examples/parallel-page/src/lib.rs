//! Renders posts to HTML in the workers of a web page: one module, one shared memory, a thread for each worker.
//!
//! The page's own thread makes the posts, and takes and drops the rendered pages. So blocks go from thread to thread in
//! both directions, as in any program with threads.

mod documents;
mod render;

use render::Page;
use std::arch::wasm32;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use wasm_bindgen::prelude::wasm_bindgen;

/// The posts, as JSON.
static POSTS: OnceLock<Vec<String>> = OnceLock::new();

/// The number of the next post to render.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// What the workers have rendered.
static PAGES: Mutex<Vec<Page>> = Mutex::new(Vec::new());

#[cfg(feature = "freeing-bump")]
#[global_allocator]
static ALLOCATOR: freeing_bump::FreeingBump = freeing_bump::FreeingBump::new();

/// Makes so many posts. The page's thread calls it once, before there are workers.
#[wasm_bindgen]
pub fn make_posts(count: u32) {
    POSTS.get_or_init(|| documents::make(count));
}

/// Renders posts until none is left. Each worker calls it, and they share the work: whoever is free takes the next post.
#[wasm_bindgen]
pub fn render_posts() {
    let posts = POSTS.get().expect("the posts were made before the workers");
    let mut rendered = Vec::new();
    while let Some(post) = posts.get(NEXT.fetch_add(1, Ordering::Relaxed)) {
        rendered.push(render::render(post));
    }
    let mut pages = PAGES.lock().expect("no thread has panicked");
    see_the_whole_memory();
    pages.append(&mut rendered);
}

/// Takes what the workers have rendered, drops it, and says what it was: the same text for the same pages. The page's
/// thread calls it when the workers have nothing left to do.
#[wasm_bindgen]
pub fn take_pages() -> String {
    // `try_lock`, since a page's own thread must not wait: the browser ends such a call with an error. The lock is free: the
    // workers have ended.
    let mut pages = mem::take(&mut *PAGES.try_lock().expect("the workers have ended"));
    see_the_whole_memory();
    NEXT.store(0, Ordering::Relaxed);
    pages.sort_by_key(|page| page.number);
    let bytes: usize = pages.iter().map(|page| page.html.len()).sum();
    let mut hasher = DefaultHasher::new();
    pages.iter().for_each(|page| page.html.hash(&mut hasher));
    let check = hasher.finish();
    format!("{} pages, {bytes} bytes of HTML, hash {check:016x}", pages.len())
}

/// Gives the calling thread's heap up, for the next thread that comes. A worker calls it last.
#[wasm_bindgen]
pub fn release_thread() {
    #[cfg(feature = "freeing-bump")]
    ALLOCATOR.release_thread();
}

/// Has this thread see the pages that other threads have added to the memory.
///
/// It stands wherever a thread gets blocks that another thread has made. In V8, the engine of Chrome and Node, a thread can
/// be late to learn that another one has grown the memory. Until then it may read and write the new pages, but an atomic
/// operation or a copy of many bytes there ends with "memory access out of bounds". To grow the memory by nothing helps. It
/// is so with every allocator, since none sees how blocks go from thread to thread.
fn see_the_whole_memory() {
    wasm32::memory_grow::<0>(0);
}
