//! A component with `FreeingBump` as its global allocator: what the host passes in is allocated by `cabi_realloc`, wit-bindgen's
//! or wasi-libc's, and released by Rust or by the C library. The host checks in `module-checks` call it; everywhere but on
//! wasm32-wasip2 the crate is empty.
#![cfg(all(target_os = "wasi", target_env = "p2"))]

use freeing_bump::FreeingBump;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::{env, fs, io};

#[global_allocator]
static ALLOCATOR: FreeingBump = FreeingBump::new();

mod bindings {
    #![allow(missing_docs, clippy::missing_safety_doc, clippy::undocumented_unsafe_blocks)]
    wit_bindgen::generate!({ world: "component" });
    export!(Component with_types_in self);
    use super::Component;
}

struct Component;

fn written_and_read(folder: &Path, content: &[u8]) -> io::Result<(Vec<u8>, Vec<String>)> {
    let file = folder.join("file");
    fs::write(&file, content)?;
    let read = fs::read(&file)?;
    let names = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<_>>()?;
    fs::remove_file(file)?;
    Ok((read, names))
}

impl bindings::Guest for Component {
    fn text(bytes: u32) -> String {
        "t".repeat(bytes as usize)
    }

    fn length(text: String) -> u32 {
        text.len() as u32
    }

    fn reversed(mut texts: Vec<String>) -> Vec<String> {
        texts.reverse();
        texts
    }

    fn environment() -> Vec<(String, String)> {
        env::vars().collect::<BTreeMap<_, _>>().into_iter().collect()
    }

    fn program_arguments() -> Vec<String> {
        env::args().skip(1).collect()
    }

    fn files(folder: String, content: Vec<u8>) -> Result<(Vec<u8>, Vec<String>), String> {
        written_and_read(folder.as_ref(), &content).map_err(|error| error.to_string())
    }

    fn malloc_error(bytes: u32) -> Option<i32> {
        unsafe extern "C" {
            safe fn malloc(bytes: usize) -> *mut u8;
            fn free(block: *mut u8);
        }
        // The compiler knows `malloc`, and would leave out a block that nothing uses.
        let block = black_box(malloc(bytes as usize));
        if block.is_null() {
            return io::Error::last_os_error().raw_os_error();
        }
        // SAFETY: the block was allocated just now.
        unsafe { free(block) };
        None
    }

    fn pages() -> u32 {
        core::arch::wasm32::memory_size::<0>() as u32
    }
}
