//! An op: one step of a flow, from nodes to nodes.

use jobmill_model::Fault;

use crate::graph::Lineage;
use crate::node::Node;

/// One step of a flow.
///
/// ```
/// use jobmill_flow::{ExpandOp, Lineage, Op, ReduceOp};
/// use jobmill_model::Value;
///
/// let input = Value::from_json(br#"{"1":"2","3":"4"}"#)?;
/// let mut lineage = Lineage::new();
/// let root = lineage.root(input.as_map().cloned().unwrap_or_default());
/// let parts = ExpandOp::default().apply(&[root], &mut lineage)?;
/// let merged = ReduceOp::default().apply(&parts, &mut lineage)?;
/// assert_eq!(merged[0].value_dict().get("1 3").and_then(Value::as_str), Some("2 4"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Op: Send + Sync {
    /// The name that its nodes carry, such as `expand`.
    fn name(&self) -> &str;

    /// Makes new nodes of `nodes`, each born by `lineage` with its parents.
    ///
    /// # Errors
    /// Whatever keeps the op from making its nodes.
    fn apply(&self, nodes: &[Node], lineage: &mut Lineage) -> Result<Vec<Node>, Fault>;
}
