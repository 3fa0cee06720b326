//! A node: an ordered dictionary, and where it came from.

use std::fmt;
use std::sync::Arc;

use jobmill_model::Map;

/// The name of a node within its [`Lineage`](crate::Lineage), counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// A value dictionary and its lineage. Nodes are born by a [`Lineage`](crate::Lineage) and do
/// not change.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub(crate) id: NodeId,
    pub(crate) op: Arc<str>,
    pub(crate) parents: Vec<NodeId>,
    pub(crate) value_dict: Map,
}

impl Node {
    /// Its name within its lineage.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// The name of the op that made it; `root` for an input.
    #[must_use]
    pub fn op(&self) -> &str {
        &self.op
    }

    /// The nodes it was made from; none for an input.
    #[must_use]
    pub fn parents(&self) -> &[NodeId] {
        &self.parents
    }

    /// Its entries, in order.
    #[must_use]
    pub fn value_dict(&self) -> &Map {
        &self.value_dict
    }

    /// Its entries, without the rest.
    #[must_use]
    pub fn into_value_dict(self) -> Map {
        self.value_dict
    }
}
