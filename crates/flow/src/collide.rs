//! Which entries of a product fall together, found without making the product.
//!
//! With the separator `s`, the keys `a s b` and `a' s b'` of two different pairs are equal just
//! when there is a text `y` with `a' s = a s y` and `b = y b'` (or the other way round): in the
//! left dictionary one key with its separator begins another, in the right one key ends
//! another, and both leave the same `y`. This holds for every separator: where it is empty,
//! where a key contains it, and where it overlaps itself (`aa`, `abab`), so that its last
//! letters may belong to the key before it.
//!
//! Keys that are so related are rare and found by sorting. Only pairs of such keys are looked
//! at; they cost 16 bytes each while they are sorted by fingerprint.

use std::collections::BTreeSet;

use jobmill_model::Fault;

use crate::fingerprint;
use crate::product::{Entry, Rule};
use crate::reduce::Collision;
use crate::tally::Tally;

/// Whether a key with its separator begins another key with its separator.
pub(crate) fn begin_alike(part: &[Entry], separator: &str) -> bool {
    // In the longer one the separator occurs once more, before its end.
    let mut text = String::new();
    let is_longer = |key: &str| {
        joined_into(&mut text, &[key, separator]);
        text.find(separator).is_some_and(|at| at < key.len())
    };
    has_longer(part, is_longer) && each_beginning(&heads(part, separator), |_, _| true)
}

/// Whether a separator with its key ends another separator with its key.
pub(crate) fn end_alike(part: &[Entry], separator: &str) -> bool {
    let mut text = String::new();
    let is_longer = |key: &str| {
        joined_into(&mut text, &[separator, key]);
        text.rfind(separator).is_some_and(|at| at > 0)
    };
    has_longer(part, is_longer) && each_beginning(&tails(part, separator), |_, _| true)
}

fn has_longer(part: &[Entry], mut is_longer: impl FnMut(&str) -> bool) -> bool {
    part.len() > 1 && part.iter().any(|(key, _)| is_longer(key))
}

fn joined_into(text: &mut String, pieces: &[&str]) {
    text.clear();
    pieces.iter().for_each(|piece| text.push_str(piece));
}

/// What a fold from the left knows while it looks for collisions.
pub(crate) struct Fold<'a> {
    pub(crate) rule: Rule<'a>,
    /// What the key of the first collision begins with, for its message.
    pub(crate) opening: String,
    pub(crate) tally: &'a Tally<'a>,
}

/// What becomes of one entry of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is written as it is.
    Kept,
    /// An earlier entry has its key.
    Dropped,
    /// It keeps its place, with the value of this later pair.
    Overtaken((usize, usize)),
}

/// The entries of the product of two dictionaries that are not just kept. An entry is known by
/// its cell: its row times the width plus its column.
#[derive(Debug, Default)]
pub(crate) struct Fates {
    width: u64,
    dropped: Vec<u64>,
    overtaken: Vec<(u64, u64)>,
}

/// The fates of one row, asked for from left to right.
#[derive(Default)]
pub(crate) struct Row<'a> {
    width: u64,
    start: u64,
    dropped: &'a [u64],
    overtaken: &'a [(u64, u64)],
}

impl Fates {
    /// Finds the pairs with equal keys and decides by the rule.
    ///
    /// # Errors
    /// `KeyCollision` when the rule is to fail; `Cancelled`.
    pub(crate) fn of(left: &[Entry], right: &[Entry], fold: &Fold<'_>) -> Result<Self, Fault> {
        let (rows, columns) = related(left, right, fold.rule.separator);
        let mut search = Search { left, right, fold, fates: Self::default(), clash: None };
        search.fates.width = right.len() as u64;
        let mut cells = search.cells(&rows, &columns)?;
        cells.sort_unstable();
        for run in cells.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() > 1) {
            fold.tally.pause()?;
            search.settle(run.iter().map(|&(_, cell)| cell).collect());
        }
        search.finish()
    }

    /// The fates of the pairs of one entry of the left dictionary.
    pub(crate) fn row(&self, row: usize) -> Row<'_> {
        let start = row as u64 * self.width;
        let dropped = self.dropped.partition_point(|&cell| cell < start);
        let overtaken = self.overtaken.partition_point(|&(cell, _)| cell < start);
        Row {
            width: self.width,
            start,
            dropped: &self.dropped[dropped..],
            overtaken: &self.overtaken[overtaken..],
        }
    }
}

impl Row<'_> {
    /// The fate of the pair in this column; columns must grow from call to call.
    pub(crate) fn next(&mut self, column: usize) -> Fate {
        let cell = self.start + column as u64;
        match (self.dropped, self.overtaken) {
            ([first, rest @ ..], _) if *first == cell => {
                self.dropped = rest;
                Fate::Dropped
            }
            (_, [(first, by), rest @ ..]) if *first == cell => {
                self.overtaken = rest;
                Fate::Overtaken(((by / self.width) as usize, (by % self.width) as usize))
            }
            _ => Fate::Kept,
        }
    }
}

struct Search<'a> {
    left: &'a [Entry],
    right: &'a [Entry],
    fold: &'a Fold<'a>,
    fates: Fates,
    /// The first entry whose key is already there.
    clash: Option<u64>,
}

impl Search<'_> {
    /// The pairs of these entries, each with the fingerprint of its key.
    fn cells(&self, rows: &[usize], columns: &[usize]) -> Result<Vec<(u64, u64)>, Fault> {
        let head = |row: usize| {
            let separator = self.fold.rule.separator;
            fingerprint::of([&*self.left[row].0, separator].concat().as_bytes())
        };
        let tail = |&column: &usize| {
            let key = self.right[column].0.as_bytes();
            (column as u64, fingerprint::of(key), fingerprint::shift(key.len()))
        };
        let tails: Vec<_> = columns.iter().map(tail).collect();
        let mut cells = Vec::with_capacity(rows.len() * tails.len());
        for &row in rows {
            self.fold.tally.pause()?;
            let (head, start) = (head(row), row as u64 * self.fates.width);
            let cell = |&(column, tail, shift): &(u64, u64, u64)| {
                (fingerprint::joined(head, tail, shift), start + column)
            };
            cells.extend(tails.iter().map(cell));
        }
        Ok(cells)
    }

    /// Settles pairs with the same fingerprint, in order; nearly always they have the same key.
    fn settle(&mut self, mut cells: Vec<u64>) {
        while let [first, ..] = cells[..] {
            let (same, others): (Vec<_>, Vec<_>) =
                cells.into_iter().partition(|&cell| are_same(self.key(first), self.key(cell)));
            if let [first, second, ..] = same[..] {
                self.clash = Some(self.clash.map_or(second, |clash| clash.min(second)));
                self.fates.dropped.extend_from_slice(&same[1..]);
                if self.fold.rule.collision == Collision::Last {
                    self.fates.overtaken.push((first, same[same.len() - 1]));
                }
            }
            cells = others;
        }
    }

    fn finish(mut self) -> Result<Fates, Fault> {
        if let (Some(cell), Collision::Error) = (self.clash, self.fold.rule.collision) {
            let [left, separator, right] = self.key(cell);
            return Err(collision(&[&*self.fold.opening, left, separator, right].concat()));
        }
        self.fates.dropped.sort_unstable();
        self.fates.overtaken.sort_unstable();
        Ok(self.fates)
    }

    fn key(&self, cell: u64) -> [&str; 3] {
        let (row, column) = (cell / self.fates.width, cell % self.fates.width);
        [&self.left[row as usize].0, self.fold.rule.separator, &self.right[column as usize].0]
    }
}

/// Whether two keys, each given as left, separator and right, are the same text.
fn are_same(one: [&str; 3], other: [&str; 3]) -> bool {
    let (short, long) = if one[0].len() < other[0].len() { (one, other) } else { (other, one) };
    // What the longer left side has more is what the shorter pair's right side begins with.
    let gap = long[0].len() - short[0].len();
    short[2].len() == long[2].len() + gap
        && long[0].starts_with(short[0])
        && short[2].ends_with(long[2])
        && [short[1], &short[2][..gap]].concat() == [&long[0][short[0].len()..], long[1]].concat()
}

/// The fault of two entries with the same key.
pub(crate) fn collision(key: &str) -> Fault {
    Fault::last(
        "KeyCollision",
        format!(
            "two entries have the key {} once joined; let \"collision\" be \"last\" or \"first\", \
             or choose a separator that the keys do not contain",
            jobmill_model::Value::from(key)
        ),
    )
}

/// The entries of each side that may take part in a collision, in order.
fn related(left: &[Entry], right: &[Entry], separator: &str) -> (Vec<usize>, Vec<usize>) {
    let (heads, tails) = (heads(left, separator), tails(right, separator));
    let head_prints: Vec<u64> = heads.iter().map(|head| fingerprint::of(head)).collect();
    let tail_prints: Vec<u64> =
        right.iter().map(|(key, _)| fingerprint::of(key.as_bytes())).collect();
    let left_gap = |short: usize, long: usize| {
        let len = heads[long].len() - heads[short].len();
        fingerprint::rest_of(head_prints[long], head_prints[short], len)
    };
    let right_gap = |short: usize, long: usize| {
        fingerprint::start_of(tail_prints[long], tail_prints[short], right[short].0.len())
    };
    let left_gaps = gaps(&heads, left_gap);
    let shared: BTreeSet<u64> = gaps(&tails, right_gap).intersection(&left_gaps).copied().collect();
    if shared.is_empty() {
        return (Vec::new(), Vec::new());
    }
    (with_gap(&heads, left_gap, &shared), with_gap(&tails, right_gap, &shared))
}

/// What the longer words have more than the shorter ones that they begin with.
fn gaps(words: &[Vec<u8>], gap: impl Fn(usize, usize) -> u64) -> BTreeSet<u64> {
    let mut gaps = BTreeSet::new();
    each_beginning(words, |short, long| {
        gaps.insert(gap(short, long));
        false
    });
    gaps
}

/// The words with a partner at one of these distances.
fn with_gap(
    words: &[Vec<u8>],
    gap: impl Fn(usize, usize) -> u64,
    shared: &BTreeSet<u64>,
) -> Vec<usize> {
    let mut chosen = BTreeSet::new();
    each_beginning(words, |short, long| {
        if shared.contains(&gap(short, long)) {
            chosen.extend([short, long]);
        }
        false
    });
    chosen.into_iter().collect()
}

/// Keys with their separator behind them.
fn heads(part: &[Entry], separator: &str) -> Vec<Vec<u8>> {
    part.iter().map(|(key, _)| [&**key, separator].concat().into_bytes()).collect()
}

/// Keys with their separator before them, backwards, so that a common end is a common beginning.
fn tails(part: &[Entry], separator: &str) -> Vec<Vec<u8>> {
    part.iter().map(|(key, _)| key.bytes().rev().chain(separator.bytes().rev()).collect()).collect()
}

/// Calls `visit(short, long)` for every word that begins with another, until it says `true`;
/// tells whether it did. The pairs are at most as many as the words have bytes.
fn each_beginning(words: &[Vec<u8>], mut visit: impl FnMut(usize, usize) -> bool) -> bool {
    let mut order: Vec<usize> = (0..words.len()).collect();
    order.sort_unstable_by(|&a, &b| words[a].cmp(&words[b]));
    // In this order, all words that one word begins follow it directly.
    let mut open: Vec<usize> = Vec::new();
    for word in order {
        while open.last().is_some_and(|&top| !words[word].starts_with(&words[top])) {
            open.pop();
        }
        if open.iter().any(|&short| visit(short, word)) {
            return true;
        }
        open.push(word);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_are_compared_as_their_joined_texts(
            one in ("[aä]{0,3}", "[aä]{0,3}"),
            other in ("[aä]{0,3}", "[aä]{0,3}"),
            separator in "[aä]{0,2}",
        ) {
            let one = [&*one.0, &*separator, &*one.1];
            let other = [&*other.0, &*separator, &*other.1];
            prop_assert_eq!(are_same(one, other), one.concat() == other.concat());
        }

        #[test]
        fn words_that_begin_with_another_are_all_found(
            words in prop::collection::btree_set(prop::collection::vec(0_u8..2, 0..5), 0..8),
        ) {
            let words: Vec<Vec<u8>> = words.into_iter().rev().collect();
            let mut found = BTreeSet::new();
            each_beginning(&words, |short, long| {
                found.insert((short, long));
                false
            });
            let all = (0..words.len()).flat_map(|a| (0..words.len()).map(move |b| (a, b)));
            let begins = |&(a, b): &(usize, usize)| a != b && words[b].starts_with(&words[a]);
            prop_assert_eq!(found, all.filter(begins).collect());
        }
    }
}
