//! The product of several dictionaries, entry by entry, without ever holding it.
//!
//! Folding the product from the left would keep every intermediate dictionary in memory. As
//! joining texts is associative, walking all index tuples in order gives the same entries in
//! the same order, as long as no two joined keys are equal. Where they may be, the parts look
//! like this:
//!
//! ```text
//! P0 … Pf-1   Pf … Pl-1   Pl   Pl+1 … Pm
//! ```
//!
//! Two different tuples with the same key differ first at a part whose keys begin alike
//! ([`collide::begin_alike`]) and last at a part whose keys end alike
//! ([`collide::end_alike`]). With `f` the first part of the former kind and `l` the last of the
//! latter, the parts before and after never take part in a collision. So Pf … Pl-1 are folded
//! in memory, the entries of that dictionary times Pl that fall together are looked up once,
//! and the rest is walked. For two parts nothing is folded at all.

use std::sync::Arc;

use jobmill_model::Fault;

use crate::collide::{self, Fate, Fates, Fold, Row};
use crate::reduce::Collision;
use crate::tally::Tally;

/// The largest intermediate dictionary that is kept in memory because joined keys may be equal.
pub(crate) const INTERMEDIATE_ENTRIES: u64 = 1_000_000;

/// The most parts of one product: a walk calls itself once for each. Params hold every split to
/// it, as each part costs time even where it is empty.
pub(crate) const PARTS: usize = 100;

/// A key and the text of its value.
pub(crate) type Entry = (Arc<str>, Arc<str>);

/// What joins texts, and what happens to equal keys.
#[derive(Clone, Copy)]
pub(crate) struct Rule<'a> {
    pub(crate) separator: &'a str,
    pub(crate) collision: Collision,
}

/// A product that is ready to be walked.
pub(crate) struct Product<'a> {
    axes: Vec<Vec<Entry>>,
    /// How many tuples there are below each entry of an axis.
    below: Vec<u64>,
    separator: &'a str,
    seam: Option<Seam>,
}

/// The two neighbours whose joined keys may be equal.
struct Seam {
    left: usize,
    fates: Fates,
}

impl<'a> Product<'a> {
    /// Looks for equal keys of two or more parts before anything is written. A product with an
    /// empty part is empty: nothing is joined in it, so nothing collides.
    pub(crate) fn plan(
        parts: Vec<Vec<Entry>>,
        rule: Rule<'a>,
        tally: &Tally<'_>,
    ) -> Result<Self, Fault> {
        if parts.len() > PARTS {
            let message = format!("a product has at most {PARTS} parts, not {}", parts.len());
            return Err(Fault::last("ResultTooLarge", message));
        }
        if parts.iter().any(Vec::is_empty) {
            return Ok(Self::new(vec![Vec::new()], rule, None));
        }
        match suspects(&parts, rule.separator) {
            Some((first, last)) => Self::sewn(parts, first, last, rule, tally),
            None => Ok(Self::new(parts, rule, None)),
        }
    }

    fn new(axes: Vec<Vec<Entry>>, rule: Rule<'a>, seam: Option<Seam>) -> Self {
        let mut below = vec![1; axes.len()];
        for depth in (1..axes.len()).rev() {
            below[depth - 1] = below[depth] * axes[depth].len() as u64;
        }
        Self { axes, below, separator: rule.separator, seam }
    }

    fn sewn(
        parts: Vec<Vec<Entry>>,
        first: usize,
        last: usize,
        rule: Rule<'a>,
        tally: &Tally<'_>,
    ) -> Result<Self, Fault> {
        // A fold meets its first collision below the first entry of every part before.
        let opening =
            parts[..first].iter().flat_map(|part| [&*part[0].0, rule.separator]).collect();
        let fold = Fold { rule, opening, tally };
        let mut parts = parts.into_iter();
        let mut axes: Vec<_> = parts.by_ref().take(first).collect();
        let mut left = parts.next().unwrap_or_default();
        for right in parts.by_ref().take(last - first - 1) {
            left = folded(left, right, &fold)?;
        }
        let right = parts.next().unwrap_or_default();
        let fates = Fates::of(&left, &right, &fold)?;
        axes.extend([left, right]);
        axes.extend(parts);
        Ok(Self::new(axes, rule, Some(Seam { left: first, fates })))
    }

    /// Hands every entry to `sink`, in the order of a fold from the left.
    pub(crate) fn walk<S>(&self, tally: &mut Tally<'_>, sink: S) -> Result<(), Fault>
    where
        S: FnMut(&str, &str) -> Result<(), Fault>,
    {
        Walk { product: self, key: String::new(), value: String::new(), tally, sink }.level(0, 0)
    }

    /// The fates of the entries of the axis at `depth` below entry `row` of the axis before.
    fn fates(&self, depth: usize, row: usize) -> Row<'_> {
        match &self.seam {
            Some(seam) if seam.left + 1 == depth => seam.fates.row(row),
            _ => Row::default(),
        }
    }

    #[cfg(test)]
    pub(crate) fn is_sewn(&self) -> bool {
        self.seam.is_some()
    }
}

/// The first and the last part that may take part in a collision.
fn suspects(parts: &[Vec<Entry>], separator: &str) -> Option<(usize, usize)> {
    let begins = |&part: &usize| collide::begin_alike(&parts[part], separator);
    let ends = |&part: &usize| collide::end_alike(&parts[part], separator);
    let first = (0..parts.len() - 1).find(begins)?;
    let last = (first + 1..parts.len()).rfind(ends)?;
    Some((first, last))
}

fn folded(left: Vec<Entry>, right: Vec<Entry>, fold: &Fold<'_>) -> Result<Vec<Entry>, Fault> {
    let entries = left.len() as u64 * right.len() as u64;
    if entries > INTERMEDIATE_ENTRIES {
        return Err(Fault::last(
            "ResultTooLarge",
            format!(
                "joined keys may be equal, so an intermediate dictionary of {entries} entries \
                 would have to be kept, at most {INTERMEDIATE_ENTRIES} are; choose a separator \
                 that the keys do not contain, or fewer parts"
            ),
        ));
    }
    let fates = Fates::of(&left, &right, fold)?;
    let product = Product::new(vec![left, right], fold.rule, Some(Seam { left: 0, fates }));
    let mut entries = Vec::new();
    product.walk(&mut fold.tally.uncounted(), |key, value| {
        entries.push((key.into(), value.into()));
        Ok(())
    })?;
    Ok(entries)
}

struct Walk<'a, 'w, S> {
    product: &'a Product<'a>,
    key: String,
    value: String,
    tally: &'a mut Tally<'w>,
    sink: S,
}

impl<S: FnMut(&str, &str) -> Result<(), Fault>> Walk<'_, '_, S> {
    /// Walks one axis below the entry `row` of the axis before, whose texts are in the buffers.
    fn level(&mut self, depth: usize, row: usize) -> Result<(), Fault> {
        let product = self.product;
        let is_last = depth + 1 == product.axes.len();
        let ends = (self.key.len(), self.value.len());
        if depth > 0 {
            self.key.push_str(product.separator);
            self.value.push_str(product.separator);
        }
        let starts = (self.key.len(), self.value.len());
        // Where the text of the axis before begins.
        let before = depth.checked_sub(1).map_or(0, |axis| product.axes[axis][row].1.len());
        let told = ends.1 - before;
        let mut fates = product.fates(depth, row);
        for (index, (key, text)) in product.axes[depth].iter().enumerate() {
            let fate = fates.next(index);
            if fate == Fate::Dropped {
                self.tally.add(product.below[depth])?;
                continue;
            }
            self.key.truncate(starts.0);
            self.key.push_str(key);
            self.value.truncate(starts.1);
            self.value.push_str(text);
            if let Fate::Overtaken(by) = fate {
                self.retell(told, depth, by);
            }
            if is_last {
                self.tally.add(1)?;
                (self.sink)(&self.key, &self.value)?;
            } else {
                self.level(depth + 1, index)?;
            }
            if fate != Fate::Kept {
                self.retell(told, depth, (row, index));
            }
        }
        self.key.truncate(ends.0);
        self.value.truncate(ends.1);
        Ok(())
    }

    /// Writes the values of a pair of entries, of the axis before and of this one, over what
    /// the buffer has from `start` on.
    fn retell(&mut self, start: usize, depth: usize, (left, right): (usize, usize)) {
        self.value.truncate(start);
        self.value.push_str(&self.product.axes[depth - 1][left].1);
        self.value.push_str(self.product.separator);
        self.value.push_str(&self.product.axes[depth][right].1);
    }
}
