//! Circles of files, each of which takes something from the next.

use crate::imports::Imports;
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

/// Describes each group of files in which every file leads to every other one: what they take from each other.
pub fn circles(imports: &Imports, folder: &Path) -> Vec<String> {
    let arrows = imports.keys().map(|(from, to)| (from.as_path(), to.as_path()));
    let graph: DiGraphMap<&Path, ()> = DiGraphMap::from_edges(arrows);
    let groups = tarjan_scc(&graph).into_iter().filter(|files| files.len() > 1);
    let mut texts: Vec<String> = groups
        .map(|files| text(imports, &files.into_iter().collect(), folder))
        .collect();
    texts.sort();
    texts
}

fn text(imports: &Imports, files: &BTreeSet<&Path>, folder: &Path) -> String {
    let shown = |file: &Path| file.strip_prefix(folder).unwrap_or(file).display().to_string();
    let mut text = format!("a circle of {} files:\n", files.len());
    for ((from, to), names) in imports {
        if files.contains(from.as_path()) && files.contains(to.as_path()) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "    {} takes {} from {}",
                shown(from),
                names.join(", "),
                shown(to)
            );
        }
    }
    text
}
