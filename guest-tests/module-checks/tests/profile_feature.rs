//! What `Profiled` costs, which its documentation states; and that it costs nothing where it is not used.

use module_checks::{ALLOCATORS, build_allocator_module};
use wasmparser::{Parser, Payload};
use wasmtime::{Config, Engine, Instance, Module, Store, TypedFunc};

fn build(features: &str, profile: &str) -> Vec<u8> {
    build_allocator_module(env!("CARGO_TARGET_TMPDIR"), features, profile)
}

/// The bytes of a module's functions.
fn code_bytes(module: &[u8]) -> usize {
    Parser::new(0)
        .parse_all(module)
        .map(|payload| match payload.expect("rustc must have made a valid module") {
            Payload::CodeSectionStart { size, .. } => size as usize,
            _ => 0,
        })
        .sum()
}

/// A module in which each call's instructions are counted.
struct Counted {
    store: Store<()>,
    alloc: TypedFunc<(u32, u32), u32>,
    dealloc: TypedFunc<(u32, u32, u32), ()>,
    realloc: TypedFunc<(u32, u32, u32, u32), u32>,
    set_place: Option<TypedFunc<u32, ()>>,
}

/// More than the test needs.
const FUEL: u64 = 1 << 40;

impl Counted {
    fn new(module: &[u8]) -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config.consume_fuel(true);
        let engine = Engine::new(&config)?;
        let mut store = Store::new(&engine, ());
        store.set_fuel(FUEL)?;
        let instance = Instance::new(&mut store, &Module::new(&engine, module)?, &[])?;
        Ok(Counted {
            alloc: instance.get_typed_func(&mut store, "heap_alloc")?,
            dealloc: instance.get_typed_func(&mut store, "heap_dealloc")?,
            realloc: instance.get_typed_func(&mut store, "heap_realloc")?,
            set_place: instance.get_typed_func(&mut store, "set_place").ok(),
            store,
        })
    }

    /// The instructions of `calls`, and what they return.
    fn count<Returned>(
        &mut self,
        calls: impl FnOnce(&mut Self) -> wasmtime::Result<Returned>,
    ) -> wasmtime::Result<(u64, Returned)> {
        let before = self.store.get_fuel()?;
        let returned = calls(self)?;
        Ok((before - self.store.get_fuel()?, returned))
    }

    /// The instructions of one allocation, one resize in place and one release on average, of a thousand blocks of 40 bytes
    /// in a program that works at ten places.
    fn instructions(&mut self) -> wasmtime::Result<[u64; 3]> {
        let mut sums = [0; 3];
        for round in 0..2 {
            sums = [0; 3];
            let mut blocks = Vec::new();
            for number in 0..1_000 {
                if let Some(set_place) = &self.set_place {
                    set_place.call(&mut self.store, number % 10)?;
                }
                let (instructions, block) = self.count(|it| it.alloc.call(&mut it.store, (40, 8)))?;
                sums[0] += instructions;
                let (instructions, block) = self.count(|it| it.realloc.call(&mut it.store, (block, 40, 8, 37)))?;
                sums[1] += instructions;
                blocks.push(block);
            }
            for block in blocks {
                sums[2] += self.count(|it| it.dealloc.call(&mut it.store, (block, 37, 8)))?.0;
            }
            // The first round has made the table and the places.
            assert!(round == 0 || sums.iter().all(|&sum| sum != 0));
        }
        Ok(sums.map(|sum| sum / 1_000))
    }
}

/// What the profiler adds to `FreeingBump` in a module that is built in this profile.
#[derive(Debug)]
struct Cost {
    /// Bytes of code.
    code: usize,
    /// Bytes of code more with an export.
    export: usize,
    /// Instructions of an allocation, a resize in place, and a release.
    instructions: [u64; 3],
}

fn cost(profile: &str) -> wasmtime::Result<Cost> {
    let (without, with) = (build("freeing-bump", profile), build("freeing-bump,profiled", profile));
    let with_export = build("freeing-bump,export-profile", profile);
    let (before, after) = (
        Counted::new(&without)?.instructions()?,
        Counted::new(&with)?.instructions()?,
    );
    Ok(Cost {
        code: code_bytes(&with) - code_bytes(&without),
        export: code_bytes(&with_export) - code_bytes(&with),
        instructions: [0, 1, 2].map(|call| after[call] - before[call]),
    })
}

#[test]
fn the_profiler_costs_no_more_than_its_documentation_states() -> wasmtime::Result<()> {
    for (profile, code, export, instructions) in [
        ("size", 2_400, 8_700, [900, 1_450, 600]),
        ("speed", 3_300, 15_000, [620, 920, 320]),
    ] {
        let cost = cost(profile)?;
        println!("{profile}: {cost:?}");
        assert!(cost.code <= code && cost.export <= export, "{profile}: {cost:?}");
        for (measured, stated) in cost.instructions.into_iter().zip(instructions) {
            assert!(measured <= stated, "{profile}: {cost:?}");
        }
    }
    Ok(())
}

#[test]
fn a_module_that_does_not_use_the_profiler_is_byte_for_byte_the_same_with_the_feature() {
    for allocator in ALLOCATORS {
        assert!(
            build(allocator, "size") == build(&format!("{allocator},profile"), "size"),
            "{allocator}: the module differs with the feature `profile`"
        );
    }
}
