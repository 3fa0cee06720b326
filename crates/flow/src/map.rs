//! The map op: the same function on each node.

use std::fmt;
use std::sync::Arc;

use jobmill_model::{Fault, Map};

use crate::graph::Lineage;
use crate::node::Node;
use crate::op::Op;

type MapFn = dyn Fn(&Map) -> Result<Map, Fault> + Send + Sync;

/// Applies a closure to the dictionary of each node.
///
/// ```
/// use jobmill_flow::{Lineage, MapOp, Op};
/// use jobmill_model::{Map, Value};
///
/// let shout = MapOp::new("shout", |dict: &Map| {
///     Ok(dict.iter().map(|(key, value)| (key.to_uppercase(), value.clone())).collect())
/// });
/// let mut lineage = Lineage::new();
/// let root = lineage.root([("a", Value::from(1))].into_iter().collect());
/// let loud = shout.apply(&[root], &mut lineage)?;
/// assert!(loud[0].value_dict().contains("A"));
/// # Ok::<(), jobmill_model::Fault>(())
/// ```
#[derive(Clone)]
pub struct MapOp {
    name: Arc<str>,
    change: Arc<MapFn>,
}

impl MapOp {
    /// An op with a name of its own.
    pub fn new(
        name: impl Into<Arc<str>>,
        change: impl Fn(&Map) -> Result<Map, Fault> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), change: Arc::new(change) }
    }
}

impl fmt::Debug for MapOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapOp").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Op for MapOp {
    fn name(&self) -> &str {
        &self.name
    }

    fn apply(&self, nodes: &[Node], lineage: &mut Lineage) -> Result<Vec<Node>, Fault> {
        let change = |node: &Node| {
            let dict = (self.change)(node.value_dict())
                .map_err(|fault| fault.at(format_args!("op {}", self.name)))?;
            Ok(lineage.born(&self.name, [node.id()], dict))
        };
        nodes.iter().map(change).collect()
    }
}
