//! Binary trees of boxed nodes, built and dropped while one large tree lives, after the well-known benchmark game.

use harness::Checksum;

struct Node(Option<(Box<Node>, Box<Node>)>);

impl Node {
    fn tree(depth: u32) -> Self {
        Node((depth > 0).then(|| (Box::new(Node::tree(depth - 1)), Box::new(Node::tree(depth - 1)))))
    }

    fn count(&self) -> u64 {
        match &self.0 {
            None => 1,
            Some((left, right)) => 1 + left.count() + right.count(),
        }
    }
}

/// One tree of depth `argument` lives while trees of smaller depths come and go.
pub fn binary_trees(argument: u32) -> u64 {
    let mut checksum = Checksum::new();
    let long_lived = Node::tree(argument);
    for depth in (4..argument).step_by(2) {
        for _ in 0..1 << (argument - depth) {
            checksum.add(Node::tree(depth).count());
        }
    }
    checksum.add(long_lived.count());
    checksum.finish()
}

#[cfg(test)]
mod tests {
    use super::Node;

    #[test]
    fn a_tree_of_depth_n_has_2_to_the_n_plus_1_less_1_nodes() {
        assert_eq!(Node::tree(0).count(), 1);
        assert_eq!(Node::tree(5).count(), 63);
    }
}
