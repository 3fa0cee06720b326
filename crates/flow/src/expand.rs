//! The expand op: one dictionary becomes several.

use std::fmt;
use std::sync::Arc;

use jobmill_model::{Fault, Map};

use crate::graph::Lineage;
use crate::node::Node;
use crate::op::Op;

/// A split of one's own.
pub type SplitFn = dyn Fn(&Map) -> Vec<Map> + Send + Sync;

/// How a dictionary is split. Every named split keeps the order of the keys within a part.
#[derive(Clone, Default)]
pub enum Split {
    /// The first ⌊n/2⌋ keys, and the rest.
    #[default]
    Half,
    /// This many runs of neighbours, as even as can be: of n keys, part i of m has those from
    /// ⌊i·n/m⌋ to ⌊(i+1)·n/m⌋, so that two parts are [`Half`](Self::Half). 0 counts as 1.
    Parts(usize),
    /// This many parts, dealt out like cards: of k parts, part i has the keys i, i+k, i+2k …, so
    /// `a b c d e` in 2 becomes `a c e` and `b d`. 0 counts as 1.
    Every(usize),
    /// Whatever a closure makes of it.
    Custom(Arc<SplitFn>),
}

impl Split {
    /// A split by a closure.
    pub fn with(split: impl Fn(&Map) -> Vec<Map> + Send + Sync + 'static) -> Self {
        Self::Custom(Arc::new(split))
    }

    /// The parts of a dictionary; some may be empty.
    ///
    /// ```
    /// use jobmill_flow::Split;
    /// use jobmill_model::{Map, Value};
    ///
    /// let dict: Map = ["a", "b", "c"].map(|key| (key, Value::Null)).into_iter().collect();
    /// let sizes = |split: Split| split.cut(&dict).iter().map(Map::len).collect::<Vec<_>>();
    /// assert_eq!(sizes(Split::Half), [1, 2]);
    /// assert_eq!(sizes(Split::Every(2)), [2, 1]);
    /// assert_eq!(sizes(Split::Parts(4)), [0, 1, 1, 1]);
    /// ```
    #[must_use]
    pub fn cut(&self, dict: &Map) -> Vec<Map> {
        match self {
            Self::Half => Self::Parts(2).cut(dict),
            Self::Parts(count) => {
                let mut entries = dict.iter();
                let sizes = runs(dict.len(), *count);
                sizes.map(|size| copied(entries.by_ref().take(size))).collect()
            }
            Self::Every(count) => {
                let count = (*count).max(1);
                (0..count).map(|part| copied(dict.iter().skip(part).step_by(count))).collect()
            }
            Self::Custom(split) => split(dict),
        }
    }

    /// How many keys each part of a dictionary with `len` keys has; none for a closure, which
    /// cannot tell.
    #[must_use]
    pub fn sizes(&self, len: usize) -> Option<Vec<usize>> {
        match self {
            Self::Half => Some(runs(len, 2).collect()),
            Self::Parts(count) => Some(runs(len, *count).collect()),
            Self::Every(count) => {
                let count = (*count).max(1);
                let size = |part| len.saturating_sub(part).div_ceil(count);
                Some((0..count).map(size).collect())
            }
            Self::Custom(_) => None,
        }
    }
}

/// The sizes of `count` runs of neighbours that make up `len`.
fn runs(len: usize, count: usize) -> impl Iterator<Item = usize> {
    let count = count.max(1);
    let start = move |part: usize| (part as u128 * len as u128 / count as u128) as usize;
    (0..count).map(move |part| start(part + 1) - start(part))
}

fn copied<'a, K: Clone + Into<Arc<str>> + 'a>(
    entries: impl Iterator<Item = (&'a K, &'a jobmill_model::Value)>,
) -> Map {
    entries.map(|(key, value)| (key.clone(), value.clone())).collect()
}

impl fmt::Debug for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Half => f.write_str("Half"),
            Self::Parts(count) => f.debug_tuple("Parts").field(count).finish(),
            Self::Every(count) => f.debug_tuple("Every").field(count).finish(),
            Self::Custom(_) => f.write_str("Custom"),
        }
    }
}

/// Splits each node into parts, one new node each.
#[derive(Debug, Clone, Default)]
pub struct ExpandOp {
    split: Split,
}

impl ExpandOp {
    /// An op with this split; the default op splits in half.
    #[must_use]
    pub fn new(split: Split) -> Self {
        Self { split }
    }

    /// How it splits.
    #[must_use]
    pub fn split(&self) -> &Split {
        &self.split
    }
}

impl Op for ExpandOp {
    fn name(&self) -> &str {
        "expand"
    }

    fn apply(&self, nodes: &[Node], lineage: &mut Lineage) -> Result<Vec<Node>, Fault> {
        let parts = nodes.iter().flat_map(|node| {
            self.split.cut(node.value_dict()).into_iter().map(|part| (node.id(), part))
        });
        Ok(parts.map(|(parent, part)| lineage.born("expand", [parent], part)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobmill_model::Value;
    use proptest::prelude::*;

    fn numbered(len: usize) -> Map {
        (0..len).map(|key| (key.to_string(), Value::Null)).collect()
    }

    fn shown(parts: &[Map]) -> String {
        let part = |part: &Map| part.keys().map(|key| &**key).collect::<Vec<_>>().join(" ");
        parts.iter().map(part).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn splits_by_name_cut_as_documented() {
        let table = [
            (Split::Half, 0, "|"),
            (Split::Half, 1, "|0"),
            (Split::Half, 5, "0 1|2 3 4"),
            (Split::Parts(1), 3, "0 1 2"),
            (Split::Parts(0), 3, "0 1 2"),
            (Split::Parts(2), 5, "0 1|2 3 4"),
            (Split::Parts(3), 7, "0 1|2 3|4 5 6"),
            (Split::Every(2), 5, "0 2 4|1 3"),
            (Split::Every(3), 2, "0|1|"),
            (Split::Every(0), 2, "0 1"),
        ];
        for (split, len, parts) in table {
            assert_eq!(shown(&split.cut(&numbered(len))), parts, "{split:?} of {len}");
        }
    }

    #[test]
    fn a_closure_may_split_as_it_likes() {
        let doubled = Split::with(|dict| vec![dict.clone(), dict.clone()]);
        assert_eq!(shown(&doubled.cut(&numbered(2))), "0 1|0 1");
        assert_eq!(doubled.sizes(2), None);
    }

    proptest! {
        #[test]
        fn named_splits_lose_nothing_and_know_their_sizes(
            len in 0_usize..40,
            count in 0_usize..50,
            deal: bool,
        ) {
            let split = if deal { Split::Every(count) } else { Split::Parts(count) };
            let parts = split.cut(&numbered(len));
            let sizes: Vec<_> = parts.iter().map(Map::len).collect();
            prop_assert_eq!(split.sizes(len), Some(sizes.clone()));
            prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
            let mut keys: Vec<usize> =
                parts.iter().flat_map(Map::keys).map(|key| key.parse().unwrap()).collect();
            keys.sort_unstable();
            prop_assert_eq!(keys, (0..len).collect::<Vec<_>>());
        }
    }
}
