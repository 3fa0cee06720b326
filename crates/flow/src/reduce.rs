//! The reduce op: several dictionaries become one.

use std::fmt;
use std::sync::Arc;

use jobmill_model::{Fault, Map, Value, limits};

use crate::collide;
use crate::flow::Unwatched;
use crate::graph::Lineage;
use crate::node::Node;
use crate::op::Op;
use crate::output::{Output, ValueWriter};
use crate::product::{Entry, Product, Rule};
use crate::tally::Tally;

/// A merge of one's own.
pub type MergeFn = dyn Fn(&Map, &Map) -> Result<Map, Fault> + Send + Sync;

/// How two dictionaries become one. More than two are merged from the left, in order.
#[derive(Clone, Default)]
pub enum Merge {
    /// Every pair of entries: keys joined and values joined, the first dictionary outermost.
    #[default]
    Pairs,
    /// Entries at the same place: keys joined and values joined.
    Zip(Uneven),
    /// The entries of the first, then those of the second.
    Union(Conflict),
    /// Whatever a closure makes of them; its results are kept in memory.
    Custom(Arc<MergeFn>),
}

/// What a [`Merge::Zip`] does when one dictionary is longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Uneven {
    /// Leaves out what has no partner.
    #[default]
    Truncate,
    /// Takes over what has no partner as it is.
    Carry,
    /// Fails with `UnevenParts`.
    Error,
}

/// What a [`Merge::Union`] does with a key that both dictionaries have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Conflict {
    /// The key keeps its first place and gets the later value.
    #[default]
    Last,
    /// The key keeps its first value.
    First,
    /// Fails with `KeyConflict`.
    Error,
    /// The key keeps its first place and gets both values, joined.
    Join,
}

/// What happens when joining makes the same key twice, as `a` + `b c` and `a b` + `c` do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Collision {
    /// The key keeps its first place and gets the later value, as in a Python dictionary.
    #[default]
    Last,
    /// The key keeps its first value.
    First,
    /// Fails with `KeyCollision`.
    Error,
}

/// Merges its nodes into one.
///
/// Keys and values are joined by the separator; a string joins as it is, any other value as
/// compact JSON text.
///
/// ```
/// use jobmill_flow::{Merge, ReduceOp};
/// use jobmill_model::{Map, Value};
///
/// let one: Map = [("a", Value::from(1)), ("b", Value::from(2))].into_iter().collect();
/// let other: Map = [("c", Value::from("three"))].into_iter().collect();
/// let merged = ReduceOp::new(Merge::Pairs).separator("-").merge(vec![one, other])?;
/// assert_eq!(Value::from(merged).to_string(), r#"{"a-c":"1-three","b-c":"2-three"}"#);
/// # Ok::<(), jobmill_model::Fault>(())
/// ```
#[derive(Debug, Clone)]
pub struct ReduceOp {
    pub(crate) merge: Merge,
    pub(crate) separator: Arc<str>,
    pub(crate) collision: Collision,
    pub(crate) max_entries: u64,
}

impl Default for ReduceOp {
    fn default() -> Self {
        Self::new(Merge::default())
    }
}

impl ReduceOp {
    /// An op with this merge, one space between joined texts, the later value winning and at
    /// most [`limits::RESULT_ENTRIES`] entries.
    #[must_use]
    pub fn new(merge: Merge) -> Self {
        Self {
            merge,
            separator: " ".into(),
            collision: Collision::default(),
            max_entries: limits::RESULT_ENTRIES,
        }
    }

    /// Joins texts with this between them; it may be empty.
    #[must_use]
    pub fn separator(mut self, separator: impl Into<Arc<str>>) -> Self {
        self.separator = separator.into();
        self
    }

    /// Decides what happens to equal joined keys.
    #[must_use]
    pub fn collision(mut self, collision: Collision) -> Self {
        self.collision = collision;
        self
    }

    /// Allows at most this many entries, counted before equal keys fall together.
    #[must_use]
    pub fn max_entries(mut self, max_entries: u64) -> Self {
        self.max_entries = max_entries;
        self
    }

    /// Merges dictionaries in memory.
    ///
    /// # Errors
    /// `ResultTooLarge` before any work is done; `KeyCollision`, `KeyConflict` or `UnevenParts`
    /// where they are asked for; whatever a closure reports.
    pub fn merge(&self, parts: Vec<Map>) -> Result<Map, Fault> {
        let sizes: Vec<usize> = parts.iter().map(Map::len).collect();
        self.admit(self.bound(&sizes).unwrap_or(0))?;
        let mut output = ValueWriter::default();
        self.write(parts, &mut Tally::new(&Unwatched, 0), &mut output)?;
        let merged = output.finish()?;
        Ok(merged.as_map().cloned().unwrap_or_default())
    }

    /// How many entries parts of these sizes make at most; none for a closure.
    pub(crate) fn bound(&self, sizes: &[usize]) -> Option<u64> {
        let mut sizes = sizes.iter().map(|&size| size as u64);
        let first = sizes.next().unwrap_or(0);
        match &self.merge {
            Merge::Pairs if sizes.clone().any(|size| size == 0) => Some(0),
            Merge::Pairs => Some(sizes.fold(first, u64::saturating_mul)),
            Merge::Zip(Uneven::Carry) => Some(sizes.fold(first, u64::max)),
            Merge::Zip(_) => Some(sizes.fold(first, u64::min)),
            Merge::Union(_) => Some(sizes.fold(first, u64::saturating_add)),
            Merge::Custom(_) => None,
        }
    }

    /// Refuses a result of more entries than are allowed.
    pub(crate) fn admit(&self, entries: u64) -> Result<(), Fault> {
        match self.excess(entries) {
            Some(message) => Err(Fault::last("ResultTooLarge", message)),
            None => Ok(()),
        }
    }

    /// Why a result of this many entries is too large, if it is.
    pub(crate) fn excess(&self, entries: u64) -> Option<String> {
        let most = self.max_entries;
        (entries > most).then(|| {
            format!(
                "the result would have {entries} entries, at most {most} are allowed; use \
                 smaller dictionaries or a merge that makes fewer"
            )
        })
    }

    /// Writes the merged parts as one object.
    pub(crate) fn write(
        &self,
        parts: Vec<Map>,
        tally: &mut Tally<'_>,
        output: &mut dyn Output,
    ) -> Result<(), Fault> {
        output.begin_object()?;
        match &self.merge {
            Merge::Pairs if parts.len() > 1 => self.write_product(&parts, tally, output)?,
            _ => {
                for (key, value) in self.fold(parts, tally)? {
                    output.entry(&key, &value)?;
                    tally.add(1)?;
                }
            }
        }
        output.end_object()
    }

    fn write_product(
        &self,
        parts: &[Map],
        tally: &mut Tally<'_>,
        output: &mut dyn Output,
    ) -> Result<(), Fault> {
        let texts = |(key, value): (&Arc<str>, &Value)| (key.clone(), text(value));
        let parts: Vec<Vec<Entry>> =
            parts.iter().map(|part| part.iter().map(texts).collect()).collect();
        let rule = Rule { separator: &self.separator, collision: self.collision };
        let product = Product::plan(parts, rule, tally)?;
        product.walk(tally, |key, value| output.entry_text(key, value))
    }

    /// Merges in memory what is no larger than its parts, or what a closure makes.
    fn fold(&self, parts: Vec<Map>, tally: &Tally<'_>) -> Result<Map, Fault> {
        let mut parts = parts.into_iter();
        let mut merged = parts.next().unwrap_or_default();
        for part in parts {
            tally.pause()?;
            merged = match &self.merge {
                Merge::Zip(uneven) => self.zip(merged, part, *uneven)?,
                Merge::Union(conflict) => self.union(merged, part, *conflict)?,
                Merge::Custom(merge) => merge(&merged, &part)?,
                Merge::Pairs => unreachable!("products of two and more parts are streamed"),
            };
            self.admit(merged.len() as u64)?;
        }
        Ok(merged)
    }

    fn zip(&self, left: Map, right: Map, uneven: Uneven) -> Result<Map, Fault> {
        if uneven == Uneven::Error && left.len() != right.len() {
            let (left, right) = (left.len(), right.len());
            let message = format!(
                "the parts have {left} and {right} entries; let \"uneven\" be \"truncate\" or \
                 \"carry\", or choose a split that makes equal parts"
            );
            return Err(Fault::last("UnevenParts", message));
        }
        let mut zipped = Map::new();
        let partners = left.len().min(right.len());
        let (mut left, mut right) = (left.into_iter(), right.into_iter());
        for ((k1, v1), (k2, v2)) in left.by_ref().take(partners).zip(right.by_ref()) {
            let (key, value) = (self.join(&k1, &k2), self.join(&text(&v1), &text(&v2)));
            self.put(&mut zipped, key.into(), value.into())?;
        }
        if uneven == Uneven::Carry {
            left.chain(right).try_for_each(|(key, value)| self.put(&mut zipped, key, value))?;
        }
        Ok(zipped)
    }

    fn put(&self, map: &mut Map, key: Arc<str>, value: Value) -> Result<(), Fault> {
        match self.collision {
            Collision::Error if map.contains(&key) => return Err(collide::collision(&key)),
            Collision::First if map.contains(&key) => {}
            _ => drop(map.insert(key, value)),
        }
        Ok(())
    }

    fn union(&self, mut left: Map, right: Map, conflict: Conflict) -> Result<Map, Fault> {
        for (key, value) in right {
            match (left.get(&key), conflict) {
                (None, _) | (_, Conflict::Last) => drop(left.insert(key, value)),
                (_, Conflict::First) => {}
                (Some(earlier), Conflict::Join) => {
                    let both = self.join(&text(earlier), &text(&value));
                    left.insert(key, both.into());
                }
                (_, Conflict::Error) => return Err(conflict_at(&key)),
            }
        }
        Ok(left)
    }

    fn join(&self, left: &str, right: &str) -> String {
        [left, &self.separator, right].concat()
    }
}

/// The text that a value joins as.
fn text(value: &Value) -> Arc<str> {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string().into(),
    }
}

fn conflict_at(key: &str) -> Fault {
    let key = Value::from(key);
    let message = format!(
        "two parts have the key {key}; let \"conflict\" be \"last\", \"first\" or \"join\""
    );
    Fault::last("KeyConflict", message)
}

impl fmt::Debug for Merge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pairs => f.write_str("Pairs"),
            Self::Zip(uneven) => f.debug_tuple("Zip").field(uneven).finish(),
            Self::Union(conflict) => f.debug_tuple("Union").field(conflict).finish(),
            Self::Custom(_) => f.write_str("Custom"),
        }
    }
}

impl Merge {
    /// A merge by a closure.
    pub fn with(merge: impl Fn(&Map, &Map) -> Result<Map, Fault> + Send + Sync + 'static) -> Self {
        Self::Custom(Arc::new(merge))
    }
}

impl Op for ReduceOp {
    fn name(&self) -> &str {
        "reduce"
    }

    fn apply(&self, nodes: &[Node], lineage: &mut Lineage) -> Result<Vec<Node>, Fault> {
        let parts = nodes.iter().map(|node| node.value_dict().clone()).collect();
        let merged = self.merge(parts).map_err(|fault| fault.at("op reduce"))?;
        Ok(vec![lineage.born("reduce", nodes.iter().map(Node::id), merged)])
    }
}

#[cfg(test)]
mod tests;
