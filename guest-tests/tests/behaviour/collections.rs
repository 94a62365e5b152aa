//! The standard library's collections, strings and reference-counted graphs on the allocator under test.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, LinkedList, VecDeque};
use std::rc::{Rc, Weak};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn vectors_of_vectors_keep_their_elements() {
    let rows: Vec<Vec<u32>> = (0..300u32).map(|row| (0..row).collect()).collect();
    for (row, elements) in rows.iter().enumerate() {
        assert_eq!(elements.len(), row);
        assert!(elements.iter().copied().eq(0..row as u32));
    }
}

#[wasm_bindgen_test]
fn strings_that_grow_together_keep_their_text() {
    let mut lines = vec![String::new(); 50];
    for step in 0..400 {
        for (index, line) in lines.iter_mut().enumerate() {
            line.push_str(&format!("{index}:{step} "));
        }
    }
    for (index, line) in lines.iter().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words.len(), 400);
        for (step, word) in words.into_iter().enumerate() {
            assert_eq!(word, format!("{index}:{step}"));
        }
    }
}

#[wasm_bindgen_test]
fn ordered_maps_keep_their_entries_through_insertions_and_removals() {
    let mut map = BTreeMap::new();
    for key in 0..3_000u32 {
        map.insert(key.wrapping_mul(2_654_435_761), key.to_string());
    }
    map.retain(|_, value| value.len() % 2 == 0);
    for key in 0..3_000u32 {
        let text = key.to_string();
        let expected = (text.len() % 2 == 0).then_some(&text);
        assert_eq!(map.get(&key.wrapping_mul(2_654_435_761)), expected);
    }
    let keys: BTreeSet<u32> = map.keys().copied().collect();
    assert!(keys.iter().eq(map.keys()));
}

#[wasm_bindgen_test]
fn hash_maps_keep_their_entries_while_they_rehash() {
    let mut map = HashMap::new();
    for key in 0..5_000u32 {
        map.insert(format!("key {key}"), vec![key; (key % 17) as usize]);
    }
    for key in (0..5_000u32).step_by(3) {
        assert!(map.remove(&format!("key {key}")).is_some());
    }
    map.shrink_to_fit();
    for key in 0..5_000u32 {
        let expected = (key % 3 != 0).then(|| vec![key; (key % 17) as usize]);
        assert_eq!(map.get(&format!("key {key}")), expected.as_ref());
    }
}

#[wasm_bindgen_test]
fn queues_heaps_and_lists_give_their_elements_back_in_order() {
    let mut queue = VecDeque::new();
    let mut heap = BinaryHeap::new();
    let mut list = LinkedList::new();
    for number in 0..4_000u32 {
        queue.push_back(Box::new(number));
        heap.push(Box::new(number ^ 0x5a5));
        list.push_front(Box::new(number));
        if number % 4 == 3 {
            assert_eq!(queue.pop_front(), Some(Box::new(number / 4)));
        }
    }
    assert!(queue.iter().map(|number| **number).eq(1_000..4_000));
    assert!(list.iter().rev().map(|number| **number).eq(0..4_000));
    let sorted = heap.into_sorted_vec();
    assert!(sorted.is_sorted());
    assert_eq!(sorted.len(), 4_000);
}

/// A node that knows its neighbours, does not keep its parent alive, and counts its own end.
struct Node {
    name: String,
    parent: RefCell<Weak<Node>>,
    neighbours: RefCell<Vec<Rc<Node>>>,
    dropped: Rc<Cell<usize>>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.dropped.set(self.dropped.get() + 1);
    }
}

fn node(name: String, dropped: &Rc<Cell<usize>>) -> Rc<Node> {
    Rc::new(Node {
        name,
        parent: RefCell::new(Weak::new()),
        neighbours: RefCell::new(Vec::new()),
        dropped: Rc::clone(dropped),
    })
}

#[wasm_bindgen_test]
fn a_tree_with_weak_parents_is_released_with_its_root() {
    let dropped = Rc::new(Cell::new(0));
    let root = node("root".to_owned(), &dropped);
    let mut level = vec![Rc::clone(&root)];
    for depth in 0..6 {
        let mut next = Vec::new();
        for parent in level {
            for index in 0..3 {
                let child = node(format!("{}/{depth}.{index}", parent.name), &dropped);
                *child.parent.borrow_mut() = Rc::downgrade(&parent);
                parent.neighbours.borrow_mut().push(Rc::clone(&child));
                next.push(child);
            }
        }
        level = next;
    }
    for leaf in &level {
        let mut above = leaf.parent.borrow().upgrade().expect("the root keeps its tree");
        assert!(leaf.name.starts_with(&above.name));
        while let Some(parent) = { above.parent.borrow().upgrade() } {
            assert!(above.name.starts_with(&parent.name));
            above = parent;
        }
        assert!(Rc::ptr_eq(&above, &root));
    }
    let leaf = Rc::downgrade(&level[0]);
    drop(level);
    assert!(leaf.upgrade().is_some());
    drop(root);
    assert!(leaf.upgrade().is_none());
    assert_eq!(dropped.get(), (0..=6).map(|depth| 3usize.pow(depth)).sum::<usize>());
}

#[wasm_bindgen_test]
fn a_cycle_is_released_once_it_is_broken() {
    let dropped = Rc::new(Cell::new(0));
    let ring: Vec<Rc<Node>> = (0..500).map(|index| node(format!("node {index}"), &dropped)).collect();
    for (index, node) in ring.iter().enumerate() {
        let next = Rc::clone(&ring[(index + 1) % ring.len()]);
        node.neighbours.borrow_mut().push(next);
    }
    let first = Rc::clone(&ring[0]);
    drop(ring);
    assert_eq!(dropped.get(), 0);

    let second = first.neighbours.borrow_mut().remove(0);
    assert_eq!(second.name, "node 1");
    drop(second);
    assert_eq!(dropped.get(), 499);
    assert_eq!(first.name, "node 0");
    drop(first);
    assert_eq!(dropped.get(), 500);
}
