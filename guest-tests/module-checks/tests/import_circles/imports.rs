//! Which file takes what from which other file.

use crate::modules::{Crate, Module, ModulePath, Use, WrittenPath};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The names that the first file of a pair takes from the second.
pub type Imports = BTreeMap<(PathBuf, PathBuf), BTreeSet<String>>;

/// Where a path leads: a module, or an item in it.
struct Target {
    module: ModulePath,
    item: Option<String>,
}

/// Adds what the files of `source` take from each other.
///
/// A name is taken from the file that defines it, whatever `use` declarations it came through. So a file takes nothing
/// from a parent that only hands it on, and the parent takes nothing from its children by declaring or re-exporting
/// them, unless its own code uses what it re-exports.
pub fn add_imports(source: &Crate, imports: &mut Imports) {
    for (at, module) in &source.0 {
        let used: BTreeSet<&String> = module.paths.iter().filter_map(|path| path.first()).collect();
        let is_import = |name: &String, it: &Use| !it.is_public || used.contains(name);
        let names = module.uses.iter().filter(|(name, it)| is_import(name, it));
        for path in names.map(|(_, it)| &it.path).chain(&module.paths) {
            if let Some(target) = resolve(source, at, path, 0) {
                add(source, module, &target, imports);
            }
        }
        for glob in module.globs.iter().filter(|glob| !glob.is_public) {
            for target in everything_in(source, at, glob) {
                add(source, module, &target, imports);
            }
        }
    }
}

fn add(source: &Crate, module: &Module, target: &Target, imports: &mut Imports) {
    // To name a module takes nothing from it. The paths that go through it lead to what is taken.
    let Some(item) = &target.item else { return };
    let file = &source.0[&target.module].file;
    if *file != module.file {
        let pair = (module.file.clone(), file.clone());
        imports.entry(pair).or_default().insert(item.clone());
    }
}

/// What a `use` with a `*` brings in.
fn everything_in(source: &Crate, at: &ModulePath, glob: &Use) -> Vec<Target> {
    let Some(from) = module_of(source, at, glob, 0) else {
        return Vec::new();
    };
    let module = &source.0[&from];
    let items = module.items.iter().map(|item| item_in(from.clone(), item));
    let handed_on = module.uses.values().filter(|it| it.is_public);
    let handed_on = handed_on.filter_map(|it| resolve(source, &from, &it.path, 0));
    items.chain(handed_on).collect()
}

/// The module that a `use` with a `*` brings all of; `None` if that is outside of the crate.
fn module_of(source: &Crate, at: &ModulePath, glob: &Use, steps: usize) -> Option<ModulePath> {
    let first = glob.path.first()?;
    let child: ModulePath = at.iter().chain([first]).cloned().collect();
    if !matches!(first.as_str(), "crate" | "self" | "super") && !source.0.contains_key(&child) {
        return None;
    }
    let target = resolve(source, at, &glob.path, steps + 1)?;
    target.item.is_none().then_some(target.module)
}

/// More steps than any path takes: one that needs more leads back to itself, as `use serde;` does.
const MOST_STEPS: usize = 32;

/// Where `path` leads from the module `at`; `None` if that is outside of the crate.
fn resolve(source: &Crate, at: &ModulePath, path: &[String], steps: usize) -> Option<Target> {
    if steps > MOST_STEPS {
        return None;
    }
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => follow(source, ModulePath::new(), rest, steps),
        "self" => follow(source, at.clone(), rest, steps),
        "super" => {
            let (_, parent) = at.split_last()?;
            match rest.first().is_some_and(|next| next == "super") {
                true => resolve(source, &parent.to_vec(), rest, steps + 1),
                false => follow(source, parent.to_vec(), rest, steps),
            }
        }
        _ => {
            let target = follow(source, at.clone(), path, steps)?;
            // A name that the module does not know is another crate's, or a variable.
            let is_unknown = target.module == *at
                && target
                    .item
                    .as_ref()
                    .is_some_and(|item| !source.0[at].items.contains(item));
            (!is_unknown).then_some(target)
        }
    }
}

/// Where `path` leads inside of the module `at`.
fn follow(source: &Crate, mut at: ModulePath, path: &[String], steps: usize) -> Option<Target> {
    for (index, segment) in path.iter().enumerate() {
        let rest = &path[index + 1..];
        let mut child = at.clone();
        child.push(segment.clone());
        if source.0.contains_key(&child) {
            at = child;
            continue;
        }
        let module = &source.0[&at];
        if module.items.contains(segment) {
            return Some(item_in(at, segment));
        }
        if let Some(it) = module.uses.get(segment) {
            let path: WrittenPath = it.path.iter().chain(rest).cloned().collect();
            return resolve(source, &at, &path, steps + 1);
        }
        let through_glob = module.globs.iter().find_map(|glob| {
            let from = module_of(source, &at, glob, steps)?;
            let module = &source.0[&from];
            let has_it = module.items.contains(segment) || module.uses.contains_key(segment);
            has_it
                .then(|| follow(source, from, &path[index..], steps + 1))
                .flatten()
        });
        return through_glob.or_else(|| Some(item_in(at, segment)));
    }
    Some(Target { module: at, item: None })
}

fn item_in(module: ModulePath, item: &str) -> Target {
    Target {
        module,
        item: Some(item.to_owned()),
    }
}
