//! A component with `FreeingBump` and its feature `malloc`: whatever crosses its border is allocated by one side and released by
//! the other, and the memory stays as it is.

use module_checks::{build_module, repository};
use std::fs;
use std::path::Path;
use wasmtime::component::{Component, Instance, Linker, ResourceTable, Val};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{DirPerms, FilePerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// What the component gets from its host.
struct Host {
    context: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.context,
            table: &mut self.table,
        }
    }
}

/// A running instance of `component-module`.
struct Guest {
    store: Store<Host>,
    instance: Instance,
}

impl Guest {
    fn new(configure: impl FnOnce(&mut WasiCtxBuilder)) -> Self {
        let folder = repository().join("guest-tests/modules/component");
        let target_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("component");
        let bytes = build_module(&folder, "wasm32-wasip2", &target_dir, &["--release"]);
        let engine = Engine::default();
        let component = Component::new(&engine, bytes).expect("rustc must have made a valid component");
        let mut context = WasiCtxBuilder::new();
        configure(&mut context);
        let host = Host {
            context: context.build(),
            table: ResourceTable::new(),
        };
        let mut store = Store::new(&engine, host);
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("nothing else is linked");
        let instance = linker
            .instantiate(&mut store, &component)
            .expect("the component must need nothing but WASI");
        Guest { store, instance }
    }

    /// Calls an export that returns something.
    fn call(&mut self, name: &str, arguments: &[Val]) -> Val {
        let function = self
            .instance
            .get_func(&mut self.store, name)
            .unwrap_or_else(|| panic!("the component must export {name}"));
        let mut results = [Val::Bool(false)];
        function
            .call(&mut self.store, arguments, &mut results)
            .unwrap_or_else(|error| panic!("{name} must return, but: {error:#}"));
        let [result] = results;
        result
    }

    fn pages(&mut self) -> u32 {
        match self.call("pages", &[]) {
            Val::U32(pages) => pages,
            other => panic!("pages returns {other:?}"),
        }
    }

    /// Calls an export again and again, and asserts that it always returns this and that the memory stays as it is after the first
    /// hundred calls.
    fn repeat(&mut self, calls: u32, name: &str, arguments: &[Val], expected: &Val) {
        let mut settled = 0;
        for call in 0..calls {
            assert_eq!(&self.call(name, arguments), expected, "{name}, call {call}");
            if call == 100 {
                settled = self.pages();
            }
        }
        assert_eq!(self.pages(), settled, "{name}: the pages after {calls} calls");
    }
}

fn strings(texts: &[&str]) -> Val {
    Val::List(texts.iter().map(|&text| Val::String(text.into())).collect())
}

#[test]
fn strings_of_each_size_cross_the_border_in_both_directions_100_000_times_in_a_flat_memory() {
    let mut guest = Guest::new(|_| ());
    for bytes in [1, 24, 200, 513, 1_000, 20_000] {
        let text = Val::String("t".repeat(bytes as usize));
        guest.repeat(100_000, "text", &[Val::U32(bytes)], &text);
        guest.repeat(100_000, "length", &[text], &Val::U32(bytes));
    }
}

#[test]
fn lists_of_strings_cross_the_border_in_a_flat_memory() {
    let mut guest = Guest::new(|_| ());
    let long = "long ".repeat(300);
    let texts = strings(&["a", "", "some text of about fifty bytes, for a middle size", &long]);
    let reversed = strings(&[&long, "some text of about fifty bytes, for a middle size", "", "a"]);
    guest.repeat(10_000, "reversed", &[texts], &reversed);
}

#[test]
fn environment_and_arguments_can_be_read_again_and_again() {
    let long = "v".repeat(2_000);
    let mut guest = Guest::new(|context| {
        context
            .env("LONG", &long)
            .env("SHORT", "v")
            .args(&["program", "first", &long]);
    });
    let pair = |name: &str, value: &str| Val::Tuple(vec![Val::String(name.into()), Val::String(value.into())]);
    let environment = Val::List(vec![pair("LONG", &long), pair("SHORT", "v")]);
    guest.repeat(1_000, "environment", &[], &environment);
    guest.repeat(1_000, "arguments", &[], &strings(&["first", &long]));
}

#[test]
fn files_in_a_preopened_folder_are_written_and_read() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("preopened");
    fs::create_dir_all(&folder).expect("target/tmp can be written to");
    let mut guest = Guest::new(|context| {
        context
            .preopened_dir(&folder, "/folder", DirPerms::all(), FilePerms::all())
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
    let mut guest = Guest::new(|_| ());
    /// As wasi-libc's `errno.h` has it.
    const ENOMEM: i32 = 48;
    assert_eq!(guest.call("malloc-error", &[Val::U32(100)]), Val::Option(None));
    let refused = Val::Option(Some(Box::new(Val::S32(ENOMEM))));
    assert_eq!(guest.call("malloc-error", &[Val::U32(u32::MAX)]), refused);
}
