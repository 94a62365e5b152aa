//! tree-sitter: the tree that it updates edit by edit is that of the text.

use crate::both_sides;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ffi::{CStr, c_char, c_void};
use core::iter;
use core::ptr;
use fastrand::Rng;
use guest_tests::failure;

/// The most lines of the text.
const MOST_LINES: usize = 100;

/// How often, in steps, the text is parsed anew.
const FRESH_STEPS: u32 = 50;

#[repr(C)]
#[derive(Clone, Copy)]
struct Point {
    row: u32,
    column: u32,
}

#[repr(C)]
struct Edit {
    start: u32,
    old_end: u32,
    new_end: u32,
    start_point: Point,
    old_end_point: Point,
    new_end_point: Point,
}

#[repr(C)]
struct Node {
    context: [u32; 4],
    id: *const c_void,
    tree: *const c_void,
}

unsafe extern "C" {
    fn ts_set_allocator(
        allocate: extern "C" fn(usize) -> *mut c_void,
        allocate_zeroed: extern "C" fn(usize, usize) -> *mut c_void,
        resize: unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void,
        release: unsafe extern "C" fn(*mut c_void),
    );
    fn tree_sitter_json() -> *const c_void;
    fn ts_parser_new() -> *mut c_void;
    fn ts_parser_delete(parser: *mut c_void);
    fn ts_parser_set_language(parser: *mut c_void, language: *const c_void) -> bool;
    fn ts_parser_parse_string(
        parser: *mut c_void,
        old_tree: *const c_void,
        text: *const u8,
        length: u32,
    ) -> *mut c_void;
    fn ts_tree_edit(tree: *mut c_void, edit: *const Edit);
    fn ts_tree_delete(tree: *mut c_void);
    fn ts_tree_root_node(tree: *const c_void) -> Node;
    fn ts_node_string(node: Node) -> *mut c_char;
}

/// Makes `steps` changes to a text of JSON. After each the tree must have the nodes that the text was made from.
pub(crate) fn play(seed: u32, steps: u32) {
    // SAFETY: the functions are those of one heap, and tree-sitter has nothing allocated yet, or has released all.
    unsafe {
        ts_set_allocator(
            both_sides::allocate,
            both_sides::allocate_zeroed,
            both_sides::resize,
            both_sides::release,
        );
    }
    let mut random = Rng::with_seed(seed.into());
    let parser = Parser::new();
    let mut lines: Vec<Value> = Vec::new();
    let mut text = text_of(&lines);
    let mut tree = parser.parse(&text, None);
    for step in 0..steps {
        failure::begin_step();
        change(&mut lines, &mut random);
        let new_text = text_of(&lines);
        if step % FRESH_STEPS == FRESH_STEPS - 1 {
            tree = parser.parse(&new_text, None);
        } else {
            tree.edit(&edit(&text, &new_text));
            tree = parser.parse(&new_text, Some(&tree));
        }
        text = new_text;
        let expected = nodes_of(&lines);
        assert!(tree.nodes() == expected, "the tree of {text:?}");
    }
}

/// A value of JSON.
enum Value {
    Null,
    Number(u32),
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    fn random(random: &mut Rng, depth: u32) -> Self {
        match random.u32(0..if depth == 0 { 3 } else { 5 }) {
            0 => Value::Null,
            1 => Value::Number(random.u32(..)),
            2 => Value::Text(word(random)),
            3 => Value::List(some(random, |random| Value::random(random, depth - 1))),
            _ => Value::Object(some(random, |random| (word(random), Value::random(random, depth - 1)))),
        }
    }

    fn write_text(&self, text: &mut String) {
        match self {
            Value::Null => text.push_str("null"),
            Value::Number(number) => text.push_str(&format!("{number}")),
            Value::Text(word) => text.push_str(&format!("\"{word}\"")),
            Value::List(values) => {
                text.push('[');
                join(text, ", ", values, |text, value| value.write_text(text));
                text.push(']');
            }
            Value::Object(pairs) => {
                text.push('{');
                join(text, ", ", pairs, |text, (key, value)| {
                    text.push_str(&format!("\"{key}\": "));
                    value.write_text(text);
                });
                text.push('}');
            }
        }
    }

    /// The nodes in tree-sitter's own notation.
    fn write_nodes(&self, nodes: &mut String) {
        match self {
            Value::Null => nodes.push_str("(null)"),
            Value::Number(_) => nodes.push_str("(number)"),
            Value::Text(word) => nodes.push_str(nodes_of_word(word)),
            Value::List(values) => {
                nodes.push_str("(array");
                for value in values {
                    nodes.push(' ');
                    value.write_nodes(nodes);
                }
                nodes.push(')');
            }
            Value::Object(pairs) => {
                nodes.push_str("(object");
                for (key, value) in pairs {
                    nodes.push_str(&format!(" (pair key: {} value: ", nodes_of_word(key)));
                    value.write_nodes(nodes);
                    nodes.push(')');
                }
                nodes.push(')');
            }
        }
    }
}

fn nodes_of_word(word: &str) -> &'static str {
    if word.is_empty() {
        "(string)"
    } else {
        "(string (string_content))"
    }
}

fn word(random: &mut Rng) -> String {
    let length = random.usize(0..30);
    iter::repeat_with(|| random.lowercase()).take(length).collect()
}

fn some<T>(random: &mut Rng, mut make: impl FnMut(&mut Rng) -> T) -> Vec<T> {
    (0..random.usize(0..8)).map(|_| make(random)).collect()
}

fn join<T>(text: &mut String, between: &str, items: &[T], mut write: impl FnMut(&mut String, &T)) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push_str(between);
        }
        write(text, item);
    }
}

fn change(lines: &mut Vec<Value>, random: &mut Rng) {
    let value = Value::random(random, 3);
    let place = random.usize(0..=lines.len());
    let is_full = lines.len() == MOST_LINES;
    match (lines.get_mut(place), random.u32(0..3)) {
        (Some(line), 0) => *line = value,
        (Some(_), 1) => {
            lines.remove(place);
        }
        _ if is_full => lines.clear(),
        _ => lines.insert(place, value),
    }
}

/// A list with a value on each line.
fn text_of(lines: &[Value]) -> String {
    let mut text = String::from("[\n");
    join(&mut text, ",\n", lines, |text, value| value.write_text(text));
    text.push_str("\n]");
    text
}

fn nodes_of(lines: &[Value]) -> String {
    let mut nodes = String::from("(document (array");
    for value in lines {
        nodes.push(' ');
        value.write_nodes(&mut nodes);
    }
    nodes.push_str("))");
    nodes
}

/// The edit that makes the one text of the other: what lies between what both begin and end with.
fn edit(old: &str, new: &str) -> Edit {
    let equal = |(a, b): &(u8, u8)| a == b;
    let start = old.bytes().zip(new.bytes()).take_while(equal).count();
    let both_ends = old.bytes().rev().zip(new.bytes().rev());
    let end = both_ends
        .take(old.len().min(new.len()) - start)
        .take_while(equal)
        .count();
    let (old_end, new_end) = (old.len() - end, new.len() - end);
    Edit {
        start: start as u32,
        old_end: old_end as u32,
        new_end: new_end as u32,
        start_point: point(old, start),
        old_end_point: point(old, old_end),
        new_end_point: point(new, new_end),
    }
}

fn point(text: &str, offset: usize) -> Point {
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Point {
        row: before.matches('\n').count() as u32,
        column: (offset - line_start) as u32,
    }
}

struct Parser(*mut c_void);

impl Parser {
    fn new() -> Self {
        // SAFETY: nothing is asked of the caller.
        let parser = unsafe { ts_parser_new() };
        // SAFETY: the parser is live, and the language is static.
        assert!(unsafe { ts_parser_set_language(parser, tree_sitter_json()) });
        Parser(parser)
    }

    /// The tree of a text, which may have parts of the tree of the text before.
    fn parse(&self, text: &str, old: Option<&Tree>) -> Tree {
        let old = old.map_or(ptr::null(), |tree| tree.0.cast_const());
        // SAFETY: parser and tree are live, and the range is the whole text.
        let tree = unsafe { ts_parser_parse_string(self.0, old, text.as_ptr(), text.len() as u32) };
        assert!(!tree.is_null());
        Tree(tree)
    }
}

impl Drop for Parser {
    fn drop(&mut self) {
        // SAFETY: the parser is live, and nothing uses it after this.
        unsafe { ts_parser_delete(self.0) }
    }
}

struct Tree(*mut c_void);

impl Tree {
    fn edit(&mut self, edit: &Edit) {
        // SAFETY: the tree is live.
        unsafe { ts_tree_edit(self.0, edit) }
    }

    /// The nodes in tree-sitter's own notation.
    fn nodes(&self) -> String {
        // SAFETY: the tree is live.
        let nodes = unsafe { ts_node_string(ts_tree_root_node(self.0)) };
        // SAFETY: tree-sitter ends its strings, and this one is live.
        let copy = String::from(
            unsafe { CStr::from_ptr(nodes) }
                .to_str()
                .expect("names of nodes are ASCII"),
        );
        // SAFETY: the string is the caller's to release, and nothing uses it after this.
        unsafe { both_sides::release(nodes.cast()) };
        copy
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // SAFETY: the tree is live, and nothing uses it after this.
        unsafe { ts_tree_delete(self.0) }
    }
}
