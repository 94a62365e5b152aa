//! A large document tree that is released as a whole.

use harness::Random;

struct Node {
    name: String,
    children: Vec<Node>,
}

/// A tree of `depth` levels is made, in which each node above the last level has 8 children and each has a name of 4 to
/// 33 letters; then it is dropped.
pub fn made_and_dropped(depth: u32) -> u64 {
    let mut random = Random::new(8);
    let tree = node(depth, &mut random);
    letters(&tree)
}

fn node(depth: u32, random: &mut Random) -> Node {
    let name: String = (0..random.within(2, 3)).map(|_| random.word()).collect();
    let children = match depth {
        0 | 1 => Vec::new(),
        _ => (0..8).map(|_| node(depth - 1, random)).collect(),
    };
    Node { name, children }
}

fn letters(node: &Node) -> u64 {
    node.name.len() as u64 + node.children.iter().map(letters).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use crate::limited_heap;

    #[test]
    fn nothing_of_the_tree_is_left() {
        let (letters, left) = limited_heap::with_bytes(1 << 30, || super::made_and_dropped(4));
        let nodes = 1 + 8 + 64 + 512;
        assert!((4 * nodes..=33 * nodes).contains(&letters), "{letters}");
        assert_eq!(left, 0);
    }
}
