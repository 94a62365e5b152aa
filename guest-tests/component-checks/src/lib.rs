//! Builds `component-module` and runs it in wasmtime, for the tests in `tests/`.

use module_checks::{build_module, repository};
use std::path::Path;
use wasmtime::component::{Component, Instance, Linker, ResourceTable, Val};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

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
pub struct Guest {
    store: Store<Host>,
    instance: Instance,
}

impl Guest {
    /// Builds the component below `scratch`, and runs it in the world that `configure` makes.
    ///
    /// # Panics
    ///
    /// When it cannot be built, or needs something else than WASI.
    pub fn new(scratch: &str, configure: impl FnOnce(&mut WasiCtxBuilder)) -> Self {
        let folder = repository().join("guest-tests/modules/component");
        let target_dir = Path::new(scratch).join("component");
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
    ///
    /// # Panics
    ///
    /// When there is no such export, or it traps.
    pub fn call(&mut self, name: &str, arguments: &[Val]) -> Val {
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
    ///
    /// # Panics
    ///
    /// When it is not so.
    pub fn repeat(&mut self, calls: u32, name: &str, arguments: &[Val], expected: &Val) {
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
