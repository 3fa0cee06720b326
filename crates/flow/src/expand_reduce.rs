//! The expand-reduce flow: split a dictionary, merge its parts.

use std::sync::Arc;

use jobmill_model::fault::pointer_below;
use jobmill_model::{Fault, Map, Problem, Value};

use crate::expand::{ExpandOp, Split};
use crate::flow::{Flow, Work, invalid};
use crate::graph::Lineage;
use crate::node::Node;
use crate::op::Op;
use crate::output::Output;
use crate::params;
use crate::reduce::{Collision, Merge, ReduceOp};
use crate::schema;
use crate::tally::Tally;

/// The name under which [`ExpandReduceFlow`] is registered.
pub const EXPAND_REDUCE_FLOW: &str = "expand_reduce_flow";

/// Splits each dictionary with an [`ExpandOp`] and merges the parts with a [`ReduceOp`].
///
/// As a library, with the default halves and pairs:
///
/// ```
/// use jobmill_flow::ExpandReduceFlow;
/// use jobmill_model::Value;
///
/// let input = Value::from_json(br#"{"1":"2","3":"4","5":"6","7":"8"}"#)?;
/// let dict = input.as_map().cloned().unwrap_or_default();
/// let result = ExpandReduceFlow::new().run_local(dict)?;
/// assert_eq!(
///     Value::from(result).to_string(),
///     r#"{"1 5":"2 6","1 7":"2 8","3 5":"4 6","3 7":"4 8"}"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// With closures:
///
/// ```
/// use jobmill_flow::{ExpandReduceFlow, Merge, Split};
/// use jobmill_model::{Map, Value};
///
/// let by_case = Split::with(|dict: &Map| {
///     let is_upper = |key: &str| key.chars().all(char::is_uppercase);
///     let (upper, lower): (Vec<_>, Vec<_>) =
///         dict.clone().into_iter().partition(|(key, _)| is_upper(key));
///     vec![upper.into_iter().collect(), lower.into_iter().collect()]
/// });
/// let counted = Merge::with(|upper: &Map, lower: &Map| {
///     Ok([("upper", upper.len()), ("lower", lower.len())]
///         .map(|(key, count)| (key, Value::from(count)))
///         .into_iter()
///         .collect())
/// });
/// let dict: Map = ["A", "b", "c"].map(|key| (key, Value::Null)).into_iter().collect();
/// let result = ExpandReduceFlow::new().split(by_case).merge(counted).run_local(dict)?;
/// assert_eq!(Value::from(result).to_string(), r#"{"upper":1,"lower":2}"#);
/// # Ok::<(), jobmill_model::Fault>(())
/// ```
///
/// As a [`Flow`], the settings are what holds where the params say nothing. An object is one
/// root, a list of objects one root each; the result is an object or a list of objects.
#[derive(Debug, Clone, Default)]
pub struct ExpandReduceFlow {
    pub(crate) expand: ExpandOp,
    pub(crate) reduce: ReduceOp,
}

impl ExpandReduceFlow {
    /// Halves and pairs, joined by one space.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Splits like this.
    #[must_use]
    pub fn split(mut self, split: Split) -> Self {
        self.expand = ExpandOp::new(split);
        self
    }

    /// Merges like this.
    #[must_use]
    pub fn merge(mut self, merge: Merge) -> Self {
        self.reduce.merge = merge;
        self
    }

    /// Joins texts with this between them.
    #[must_use]
    pub fn separator(mut self, separator: impl Into<Arc<str>>) -> Self {
        self.reduce = self.reduce.separator(separator);
        self
    }

    /// Decides what happens to equal joined keys.
    #[must_use]
    pub fn collision(mut self, collision: Collision) -> Self {
        self.reduce = self.reduce.collision(collision);
        self
    }

    /// Allows at most this many entries, of all roots together.
    #[must_use]
    pub fn max_entries(mut self, max_entries: u64) -> Self {
        self.reduce = self.reduce.max_entries(max_entries);
        self
    }

    /// Runs on one dictionary, in memory.
    ///
    /// # Errors
    /// As [`ReduceOp::merge`].
    pub fn run_local(&self, dict: Map) -> Result<Map, Fault> {
        let mut lineage = Lineage::new();
        let root = lineage.root(dict);
        self.apply(root, &mut lineage).map(Node::into_value_dict)
    }

    /// Runs on one node, in memory, and keeps its lineage.
    ///
    /// # Errors
    /// As [`ReduceOp::merge`].
    pub fn apply(&self, root: Node, lineage: &mut Lineage) -> Result<Node, Fault> {
        let parts = self.expand.apply(&[root], lineage)?;
        let mut merged = self.reduce.apply(&parts, lineage)?;
        Ok(merged.remove(0))
    }

    /// How many entries the results of these roots have at most; none where a closure decides.
    fn bound(&self, roots: &[&Map]) -> Option<u64> {
        roots.iter().try_fold(0, |sum: u64, root| {
            let sizes = self.expand.split().sizes(root.len())?;
            Some(sum.saturating_add(self.reduce.bound(&sizes)?))
        })
    }

    /// Splits and merges one root, after roots with at most `before` entries; tells how many
    /// there are at most with this one.
    fn write_root(
        &self,
        root: &Map,
        before: u64,
        tally: &mut Tally<'_>,
        output: &mut dyn Output,
    ) -> Result<u64, Fault> {
        tally.pause()?;
        let parts = self.expand.split().cut(root);
        let sizes: Vec<usize> = parts.iter().map(Map::len).collect();
        let entries = before.saturating_add(self.reduce.bound(&sizes).unwrap_or(0));
        self.reduce.admit(entries)?;
        self.reduce.write(parts, tally, output)?;
        Ok(entries)
    }

    fn write(&self, work: Work<'_>) -> Result<(), Fault> {
        let (roots, problems) = roots(work.input);
        if !problems.is_empty() {
            return Err(invalid(&problems));
        }
        let total = self.bound(&roots).unwrap_or(0);
        self.reduce.admit(total)?;
        let mut tally = Tally::new(work.watch, total);
        let mut entries = 0;
        let is_list = work.input.as_list().is_some();
        if is_list {
            work.output.begin_list()?;
        }
        for root in roots {
            entries = self.write_root(root, entries, &mut tally, work.output)?;
        }
        if is_list {
            work.output.end_list()?;
        }
        tally.finish();
        Ok(())
    }
}

impl Flow for ExpandReduceFlow {
    fn name(&self) -> &str {
        EXPAND_REDUCE_FLOW
    }

    fn about(&self) -> &str {
        "Splits a dictionary into parts and merges their keys and values."
    }

    fn input_schema(&self) -> Value {
        schema::read(include_str!("../schemas/expand_reduce_input.json"))
    }

    fn params_schema(&self) -> Value {
        schema::read(include_str!("../schemas/expand_reduce_params.json"))
    }

    fn check(&self, input: &Value, params: &Value) -> Vec<Problem> {
        let (roots, mut problems) = roots(input);
        match params::read(params, self) {
            Err(wrong) => problems.extend(wrong),
            Ok(flow) if problems.is_empty() => {
                let excess = flow.bound(&roots).and_then(|entries| flow.reduce.excess(entries));
                problems.extend(excess.map(|message| Problem::new("/input", message)));
            }
            Ok(_) => {}
        }
        problems
    }

    fn run(&self, work: Work<'_>) -> Result<(), Fault> {
        let flow = params::read(work.params, self).map_err(|problems| invalid(&problems))?;
        flow.write(work).map_err(|fault| fault.at(format_args!("flow {EXPAND_REDUCE_FLOW}")))
    }
}

/// The dictionaries of an input, and what is wrong with it.
fn roots(input: &Value) -> (Vec<&Map>, Vec<Problem>) {
    let items = match input {
        Value::Map(root) => return (vec![root], Vec::new()),
        Value::List(items) => items,
        other => {
            let message = format!("expected an object or a list of objects, not {}", other.kind());
            return (Vec::new(), vec![Problem::new("/input", message)]);
        }
    };
    let wrong = items.iter().enumerate().filter(|(_, item)| item.as_map().is_none());
    let problems = wrong.map(|(at, item)| {
        let message = format!("expected an object, not {}", item.kind());
        Problem::new(pointer_below("/input", at), message)
    });
    (items.iter().filter_map(Value::as_map).collect(), problems.collect())
}

#[cfg(test)]
mod tests;
