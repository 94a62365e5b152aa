//! WASI preview 1, as far as a program needs it that reads its input and writes its output. It gets no arguments, no
//! environment and no files.
//!
//! The crate wasmtime-wasi offers all of WASI. It brings 83 crates, and the features that it needs would compile wasmtime once
//! more.

use std::collections::hash_map::RandomState;
use std::fmt::{self, Display, Formatter};
use std::hash::BuildHasher;
use std::io::{Read, Write};
use wasmtime::{Caller, Engine, Error, Extern, Linker, Module, Result, Store};

const SUCCESS: u32 = 0;
const BAD_DESCRIPTOR: u32 = 8;
const BAD_ADDRESS: u32 = 21;
const INPUT_OUTPUT: u32 = 29;

/// The three streams of a program.
struct Streams {
    input: Box<dyn Read>,
    output: Box<dyn Write>,
    errors: Box<dyn Write>,
}

/// Ends the program from within.
#[derive(Debug)]
struct Exit(i32);

impl Display for Exit {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        write!(formatter, "the program ended with status {}", self.0)
    }
}

impl std::error::Error for Exit {}

/// Runs the program to its end; returns its status.
///
/// # Errors
///
/// When the program traps, or imports what is not offered here.
pub fn run(
    program: &[u8],
    input: impl Read + 'static,
    output: impl Write + 'static,
    errors: impl Write + 'static,
) -> Result<i32> {
    let engine = Engine::default();
    let streams = Streams {
        input: Box::new(input),
        output: Box::new(output),
        errors: Box::new(errors),
    };
    let mut store = Store::new(&engine, streams);
    let instance = linker(&engine)?.instantiate(&mut store, &Module::new(&engine, program)?)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    match start.call(&mut store, ()) {
        Ok(()) => Ok(0),
        Err(error) => match error.downcast::<Exit>() {
            Ok(Exit(status)) => Ok(status),
            Err(error) => Err(error),
        },
    }
}

fn linker(engine: &Engine) -> Result<Linker<Streams>> {
    const WASI: &str = "wasi_snapshot_preview1";
    let mut linker = Linker::new(engine);
    linker.func_wrap(WASI, "fd_read", read)?;
    linker.func_wrap(WASI, "fd_write", write)?;
    linker.func_wrap(WASI, "random_get", random)?;
    linker.func_wrap(
        WASI,
        "environ_sizes_get",
        |mut caller: Caller<Streams>, count: u32, bytes: u32| {
            let written = put(&mut caller, count, &[0; 4]).and_then(|()| put(&mut caller, bytes, &[0; 4]));
            written.map_or(BAD_ADDRESS, |()| SUCCESS)
        },
    )?;
    linker.func_wrap(WASI, "environ_get", |_: u32, _: u32| SUCCESS)?;
    linker.func_wrap(WASI, "proc_exit", |status: i32| -> Result<()> {
        Err(Error::new(Exit(status)))
    })?;
    Ok(linker)
}

/// Reads once, into the first buffer that is not empty.
fn read(mut caller: Caller<Streams>, descriptor: u32, buffers: u32, count: u32, read: u32) -> u32 {
    if descriptor != 0 {
        return BAD_DESCRIPTOR;
    }
    let Some(buffers) = vectors(&mut caller, buffers, count) else {
        return BAD_ADDRESS;
    };
    let (address, length) = buffers.into_iter().find(|(_, length)| *length > 0).unwrap_or_default();
    let mut bytes = vec![0; length];
    let Ok(number) = caller.data_mut().input.read(&mut bytes) else {
        return INPUT_OUTPUT;
    };
    let written = put(&mut caller, address, &bytes[..number])
        .and_then(|()| put(&mut caller, read, &(number as u32).to_le_bytes()));
    written.map_or(BAD_ADDRESS, |()| SUCCESS)
}

/// Writes all buffers.
fn write(mut caller: Caller<Streams>, descriptor: u32, buffers: u32, count: u32, written: u32) -> u32 {
    let Some(bytes) = vectors(&mut caller, buffers, count).and_then(|buffers| {
        let parts = buffers
            .into_iter()
            .map(|(address, length)| get(&mut caller, address, length));
        parts.collect::<Option<Vec<_>>>().map(|parts| parts.concat())
    }) else {
        return BAD_ADDRESS;
    };
    let streams = caller.data_mut();
    let stream = match descriptor {
        1 => &mut streams.output,
        2 => &mut streams.errors,
        _ => return BAD_DESCRIPTOR,
    };
    if stream.write_all(&bytes).is_err() {
        return INPUT_OUTPUT;
    }
    put(&mut caller, written, &(bytes.len() as u32).to_le_bytes()).map_or(BAD_ADDRESS, |()| SUCCESS)
}

/// Random enough for the keys of a `HashMap`.
fn random(mut caller: Caller<Streams>, address: u32, length: u32) -> u32 {
    let keys = RandomState::new();
    let bytes: Vec<u8> = (0..length).map(|place| keys.hash_one(place) as u8).collect();
    put(&mut caller, address, &bytes).map_or(BAD_ADDRESS, |()| SUCCESS)
}

/// The buffers of a list of `count` addresses with lengths.
fn vectors(caller: &mut Caller<Streams>, address: u32, count: u32) -> Option<Vec<(u32, usize)>> {
    let list = get(caller, address, count.checked_mul(8)? as usize)?;
    let (pairs, _) = list.as_chunks::<8>();
    let number = |bytes: &[u8]| bytes.first_chunk().copied().map(u32::from_le_bytes);
    pairs
        .iter()
        .map(|pair| Some((number(pair)?, number(&pair[4..])? as usize)))
        .collect()
}

/// The `length` bytes of the memory from `address` on; `None` where they are not all inside.
fn get(caller: &mut Caller<Streams>, address: u32, length: usize) -> Option<Vec<u8>> {
    let memory = caller.get_export("memory").and_then(Extern::into_memory)?;
    let bytes = memory.data(&caller).get(address as usize..)?.get(..length)?;
    Some(bytes.to_vec())
}

/// Writes `bytes` to the memory from `address` on; `None` where there is no room for all.
fn put(caller: &mut Caller<Streams>, address: u32, bytes: &[u8]) -> Option<()> {
    let memory = caller.get_export("memory").and_then(Extern::into_memory)?;
    memory.write(caller, address as usize, bytes).ok()
}
