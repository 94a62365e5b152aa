//! What an allocator adds to a module: its functions, no imports, and no text that a panic or a formatter needs.

use module_checks::{ALLOCATORS, build_allocator_module, build_allocator_module_for_threads};
use wasmparser::{ExternalKind, KnownCustom, Name, Operator, Parser, Payload, TypeRef};

/// The profiles that modules are shipped in: cargo's own, the report's for speed, and the report's for size.
const PROFILES: [&str; 3] = ["release", "speed", "size"];

/// The features of the module in which `FreeingBump` also walks through its heap.
const WALKED: &str = "freeing-bump,walk";

/// Texts that panics, formatting and source locations bring into a module.
const UNWANTED_TEXTS: [&str; 12] = [
    "panic",
    "fmt",
    "Formatter",
    "overflow",
    "attempt to",
    "out of bounds",
    "out of range",
    "unwrap",
    "assert",
    "src/",
    "src\\",
    ".rs",
];

/// The features of the module in which `FreeingBump` counts what it does.
const PROFILED: &str = "freeing-bump,profiled";

/// Calls `check` with a name, which begins with the features, and the bytes of each allocator's module in each profile.
fn for_each_module(check: impl Fn(&str, &[u8])) {
    for allocator in ALLOCATORS.into_iter().chain([WALKED, PROFILED]) {
        for profile in PROFILES {
            let module = build_allocator_module(env!("CARGO_TARGET_TMPDIR"), allocator, profile);
            check(&format!("{allocator} in profile {profile}"), &module);
        }
    }
}

fn payloads(module: &[u8]) -> impl Iterator<Item = Payload<'_>> {
    Parser::new(0)
        .parse_all(module)
        .map(|payload| payload.expect("rustc must have made a valid module"))
}

fn assert_no_unwanted_text(name: &str, place: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for unwanted in UNWANTED_TEXTS {
        assert!(
            !text.contains(unwanted),
            "{name}: {unwanted:?} must not be in the {place}, which is {text:?}"
        );
    }
}

#[test]
fn an_allocator_imports_nothing() {
    for_each_module(|name, module| {
        for payload in payloads(module) {
            if let Payload::ImportSection(imports) = payload {
                panic!("{name} imports something: {imports:?}");
            }
        }
    });
}

#[test]
fn the_allocator_of_threads_imports_the_shared_memory_alone() {
    let Some(module) = build_allocator_module_for_threads() else {
        return;
    };
    let imports: Vec<_> = payloads(&module)
        .filter_map(|payload| match payload {
            Payload::ImportSection(imports) => Some(imports),
            _ => None,
        })
        .flat_map(|imports| imports.into_imports())
        .map(|import| import.expect("rustc must have made a valid import").ty)
        .collect();
    assert!(
        matches!(imports.as_slice(), [TypeRef::Memory(memory)] if memory.shared),
        "{imports:?}"
    );
}

/// The main thread of a page may not wait: such an instruction traps there. The linker's own function, which writes the static data
/// before all else, has one.
#[test]
fn no_function_of_the_allocator_of_threads_waits() {
    let Some(module) = build_allocator_module_for_threads() else {
        return;
    };
    let mut start = None;
    let mut functions = 0;
    let mut waiting = Vec::new();
    for payload in payloads(&module) {
        match payload {
            Payload::StartSection { func, .. } => start = Some(func),
            Payload::CodeSectionEntry(body) => {
                // No function is imported, so the first one in the module has the index 0.
                let operators = body.get_operators_reader().expect("rustc must have made valid code");
                let waits = operators.into_iter().any(|operator| {
                    matches!(
                        operator.expect("rustc must have made valid code"),
                        Operator::MemoryAtomicWait32 { .. } | Operator::MemoryAtomicWait64 { .. }
                    )
                });
                if waits {
                    waiting.push(functions);
                }
                functions += 1;
            }
            _ => (),
        }
    }
    assert!(functions > 4, "the module must have the functions of an allocator");
    assert!(start.is_some(), "the linker must have made a function that begins");
    assert!(waiting.iter().all(|&function| Some(function) == start), "{waiting:?}");
}

#[test]
fn an_allocator_exports_only_the_functions_of_its_module() {
    for_each_module(|name, module| {
        let mut functions: Vec<String> = payloads(module)
            .filter_map(|payload| match payload {
                Payload::ExportSection(exports) => Some(exports),
                _ => None,
            })
            .flatten()
            .map(|export| export.expect("rustc must have made a valid export"))
            .filter(|export| export.kind == ExternalKind::Func)
            .map(|export| export.name.to_owned())
            .collect();
        functions.sort_unstable();
        let mut expected = vec!["heap_alloc", "heap_alloc_zeroed", "heap_dealloc", "heap_realloc"];
        if name.starts_with(WALKED) {
            expected.insert(3, "heap_fragmentation");
        }
        if name.starts_with(PROFILED) {
            expected.push("set_place");
        }
        assert_eq!(functions, expected, "{name}");
    });
}

fn assert_no_unwanted_text_in_data(name: &str, module: &[u8]) {
    for payload in payloads(module) {
        if let Payload::DataSection(segments) = payload {
            for segment in segments {
                let segment = segment.expect("rustc must have made a valid data segment");
                assert_no_unwanted_text(name, "data", segment.data);
            }
        }
    }
}

#[test]
fn an_allocator_brings_no_panic_or_formatting_text_into_the_data() {
    for_each_module(assert_no_unwanted_text_in_data);
    if let Some(module) = build_allocator_module_for_threads() {
        assert_no_unwanted_text_in_data("FreeingBump for threads", &module);
    }
}

#[test]
fn an_allocator_brings_no_panic_or_formatting_function_into_the_module() {
    // The other profiles strip the names; cargo's own keeps them.
    for allocator in ALLOCATORS.into_iter().chain([WALKED, PROFILED]) {
        let module = build_allocator_module(env!("CARGO_TARGET_TMPDIR"), allocator, "release");
        let mut names = 0;
        for payload in payloads(&module) {
            let Payload::CustomSection(section) = payload else {
                continue;
            };
            let KnownCustom::Name(subsections) = section.as_known() else {
                continue;
            };
            for subsection in subsections {
                let subsection = subsection.expect("rustc must have made a valid name section");
                let Name::Function(functions) = subsection else {
                    continue;
                };
                for function in functions {
                    let function = function.expect("rustc must have made a valid name");
                    assert_no_unwanted_text(allocator, "function name", function.name.as_bytes());
                    names += 1;
                }
            }
        }
        assert!(
            names >= 4,
            "{allocator}: the module must name at least its four functions, but names {names}"
        );
    }
}
