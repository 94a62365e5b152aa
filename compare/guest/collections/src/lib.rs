//! Workloads on the collections of the standard library.

mod btree;
mod hash_map;
mod trees;
mod vectors;

harness::export_workloads! {
    "btree-of-strings" => btree::btree_of_strings,
    "hash-map" => hash_map::hash_map,
    "binary-trees" => trees::binary_trees,
    "growing-vectors" => vectors::growing_vectors,
}
