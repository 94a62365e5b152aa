//! A component with `FreeingBump` and its feature `malloc`: whatever crosses its border is allocated by one side and released by
//! the other, and the memory stays as it is.

use component_checks::Guest;
use std::fs;
use std::path::Path;
use wasmtime::component::Val;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

/// A running instance in the world that `configure` makes.
fn guest(configure: impl FnOnce(&mut WasiCtxBuilder)) -> Guest {
    Guest::new(env!("CARGO_TARGET_TMPDIR"), configure)
}

fn strings(texts: &[&str]) -> Val {
    Val::List(texts.iter().map(|&text| Val::String(text.into())).collect())
}

#[test]
fn strings_of_each_size_cross_the_border_in_both_directions_100_000_times_in_a_flat_memory() {
    let mut guest = guest(|_| ());
    for bytes in [1, 24, 200, 513, 1_000, 20_000] {
        let text = Val::String("t".repeat(bytes as usize));
        guest.repeat(100_000, "text", &[Val::U32(bytes)], &text);
        guest.repeat(100_000, "length", &[text], &Val::U32(bytes));
    }
}

#[test]
fn lists_of_strings_cross_the_border_in_a_flat_memory() {
    let mut guest = guest(|_| ());
    let long = "long ".repeat(300);
    let texts = strings(&["a", "", "some text of about fifty bytes, for a middle size", &long]);
    let reversed = strings(&[&long, "some text of about fifty bytes, for a middle size", "", "a"]);
    guest.repeat(10_000, "reversed", &[texts], &reversed);
}

#[test]
fn environment_and_arguments_can_be_read_again_and_again() {
    let long = "v".repeat(2_000);
    let mut guest = guest(|context| {
        context
            .env("LONG", &long)
            .env("SHORT", "v")
            .args(&["program", "first", long.as_str()]);
    });
    let pair = |name: &str, value: &str| Val::Tuple(vec![Val::String(name.into()), Val::String(value.into())]);
    let environment = Val::List(vec![pair("LONG", &long), pair("SHORT", "v")]);
    guest.repeat(1_000, "environment", &[], &environment);
    guest.repeat(1_000, "program-arguments", &[], &strings(&["first", &long]));
}

#[test]
fn files_in_a_preopened_folder_are_written_and_read() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("preopened");
    fs::create_dir_all(&folder).expect("target/tmp can be written to");
    let mut guest = guest(|context| {
        context
            .preopened_dir(&folder, "/folder", FsPerms::ReadWrite)
            .expect("the folder was just made");
    });
    for size in [1, 600, 100_000] {
        let content = Val::List(vec![Val::U8(7); size]);
        let expected = Val::Tuple(vec![content.clone(), strings(&["file"])]);
        let arguments = [Val::String("/folder".into()), content];
        guest.repeat(200, "files", &arguments, &Val::Result(Ok(Some(Box::new(expected)))));
    }
}

#[test]
fn a_refused_request_of_c_sets_errno() {
    let mut guest = guest(|_| ());
    /// As wasi-libc's `errno.h` has it.
    const ENOMEM: i32 = 48;
    assert_eq!(guest.call("malloc-error", &[Val::U32(100)]), Val::Option(None));
    let refused = Val::Option(Some(Box::new(Val::S32(ENOMEM))));
    assert_eq!(guest.call("malloc-error", &[Val::U32(u32::MAX)]), refused);
}
