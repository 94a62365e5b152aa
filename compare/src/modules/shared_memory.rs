//! Modules that share their memory with other instances: what they ask of it.

use anyhow::{Context, Result};
use wasmparser::{Parser, Payload, TypeRef};

/// The pages with which the memory starts that `module` imports and shares; none if it has one of its own.
pub fn first_pages(module: &[u8]) -> Result<Option<u64>> {
    for payload in Parser::new(0).parse_all(module) {
        let Payload::ImportSection(section) = payload.context("this is not a module")? else {
            continue;
        };
        for import in section.into_imports() {
            if let TypeRef::Memory(memory) = import?.ty {
                return Ok(memory.shared.then_some(memory.initial));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::first_pages;

    #[test]
    fn only_a_module_that_imports_a_shared_memory_has_pages_to_share() {
        let pages = |text: &str| first_pages(&wat::parse_str(text).unwrap()).unwrap();
        let shared = r#"(module (import "env" "f" (func)) (import "env" "memory" (memory 34 16384 shared)))"#;
        assert_eq!(pages(shared), Some(34));
        assert_eq!(pages(r#"(module (import "env" "memory" (memory 34)))"#), None);
        assert_eq!(pages("(module (memory 34))"), None);
        assert!(first_pages(b"no module").is_err());
    }
}
