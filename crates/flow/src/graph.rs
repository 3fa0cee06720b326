//! The lineage graph: which node was made from which, by which op.

use std::fmt::Write;
use std::sync::Arc;

use jobmill_model::{Map, Value};

use crate::node::{Node, NodeId};

/// The birth register of a run: it names nodes and remembers their parents, but not their
/// entries.
#[derive(Debug, Clone, Default)]
pub struct Lineage {
    births: Vec<Birth>,
}

#[derive(Debug, Clone)]
struct Birth {
    op: Arc<str>,
    parents: Vec<NodeId>,
    entries: usize,
}

impl Lineage {
    /// No node yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A node for an input; its op is `root`.
    pub fn root(&mut self, value_dict: Map) -> Node {
        self.born("root", [], value_dict)
    }

    /// A node that `op` made of `parents`.
    pub fn born(
        &mut self,
        op: &str,
        parents: impl IntoIterator<Item = NodeId>,
        value_dict: Map,
    ) -> Node {
        let id = NodeId(u32::try_from(self.births.len()).expect("a run has fewer than 2^32 nodes"));
        let (op, parents): (Arc<str>, Vec<_>) = (op.into(), parents.into_iter().collect());
        self.births.push(Birth {
            op: op.clone(),
            parents: parents.clone(),
            entries: value_dict.len(),
        });
        Node { id, op, parents, value_dict }
    }

    /// The graph as data: `{"nodes":[{"id","op","parents":[…],"entries"},…]}`, parents first.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let name = |id: &NodeId| Value::from(id.to_string());
        let nodes = self.named().map(|(id, birth)| {
            Value::map([
                ("id", name(&id)),
                ("op", Value::from(birth.op.clone())),
                ("parents", Value::list(birth.parents.iter().map(name))),
                ("entries", Value::from(birth.entries)),
            ])
        });
        Value::map([("nodes", Value::list(nodes))])
    }

    /// The graph in the DOT language of Graphviz.
    #[must_use]
    pub fn to_dot(&self) -> String {
        let mut dot = String::from("digraph lineage {\n  rankdir=LR;\n  node [shape=box];\n");
        for (id, birth) in self.named() {
            let noun = if birth.entries == 1 { "entry" } else { "entries" };
            let (op, entries) = (quotable(&birth.op), birth.entries);
            line(&mut dot, format_args!("{id} [label=\"{op}\\n{entries} {noun}\"];"));
            for parent in &birth.parents {
                line(&mut dot, format_args!("{parent} -> {id};"));
            }
        }
        dot.push_str("}\n");
        dot
    }

    fn named(&self) -> impl Iterator<Item = (NodeId, &Birth)> {
        (0..).map(NodeId).zip(&self.births)
    }
}

fn line(dot: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(dot, "  {text}").expect("writing to a string does not fail");
}

/// Text that may stand between the quotes of a DOT string.
fn quotable(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ExpandReduceFlow, MapOp, Op};
    use insta::assert_snapshot;

    fn lineage() -> Lineage {
        let input = Value::from_json(br#"{"1":"2","3":"4","5":"6"}"#).unwrap();
        let mut lineage = Lineage::new();
        let root = lineage.root(input.as_map().unwrap().clone());
        let merged = ExpandReduceFlow::default().apply(root, &mut lineage).unwrap();
        let quoted = MapOp::new("say \"hi\"", |dict| Ok(dict.clone()));
        quoted.apply(&[merged], &mut lineage).unwrap();
        lineage
    }

    #[test]
    fn the_graph_is_written_for_graphviz() {
        assert_snapshot!(lineage().to_dot(), @r#"
        digraph lineage {
          rankdir=LR;
          node [shape=box];
          n0 [label="root\n3 entries"];
          n1 [label="expand\n1 entry"];
          n0 -> n1;
          n2 [label="expand\n2 entries"];
          n0 -> n2;
          n3 [label="reduce\n2 entries"];
          n1 -> n3;
          n2 -> n3;
          n4 [label="say \"hi\"\n2 entries"];
          n3 -> n4;
        }
        "#);
    }

    #[test]
    fn the_graph_is_data() {
        let nodes = lineage().to_value();
        let nodes: Vec<_> = nodes.as_map().unwrap().get("nodes").unwrap().as_list().unwrap().into();
        assert_snapshot!(nodes.iter().map(|node| format!("{node}\n")).collect::<String>(), @r#"
        {"id":"n0","op":"root","parents":[],"entries":3}
        {"id":"n1","op":"expand","parents":["n0"],"entries":1}
        {"id":"n2","op":"expand","parents":["n0"],"entries":2}
        {"id":"n3","op":"reduce","parents":["n1","n2"],"entries":2}
        {"id":"n4","op":"say \"hi\"","parents":["n3"],"entries":2}
        "#);
    }
}
