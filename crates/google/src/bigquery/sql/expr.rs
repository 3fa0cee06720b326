//! Expressions over one row.

use std::cmp::Ordering;

use crate::bigquery::cell::Cell;
use crate::bigquery::row::Row;

/// An expression that is checked against the table's schema.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    Literal(Cell),
    /// A column, and the way into its record.
    Column(Vec<usize>),
    All(Vec<Expr>),
    Any(Vec<Expr>),
    Not(Box<Expr>),
    Compare(Box<Expr>, Comparison, Box<Expr>),
    IsNull(Box<Expr>),
    In(Box<Expr>, Vec<Expr>),
    Like(Box<Expr>, Box<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    fn holds(self, order: Option<Ordering>) -> bool {
        // What cannot be compared is a number and `NaN`, which are not equal.
        let Some(order) = order else { return self == Self::NotEqual };
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Expr {
    /// The value for a row.
    pub(super) fn eval(&self, row: &Row) -> Cell {
        match self {
            Self::Literal(cell) => cell.clone(),
            Self::Column(path) => column(row, path).clone(),
            other => match other.truth(row) {
                Some(truth) => Cell::Bool(truth),
                None => Cell::Null,
            },
        }
    }

    /// Whether it holds: yes, no, or not known.
    pub(super) fn truth(&self, row: &Row) -> Option<bool> {
        match self {
            Self::Literal(cell) => as_bool(cell),
            Self::Column(path) => as_bool(column(row, path)),
            Self::All(parts) => {
                let mut known = Some(true);
                for part in parts {
                    match part.truth(row) {
                        Some(true) => {}
                        Some(false) => return Some(false),
                        None => known = None,
                    }
                }
                known
            }
            Self::Any(parts) => {
                let mut known = Some(false);
                for part in parts {
                    match part.truth(row) {
                        Some(false) => {}
                        Some(true) => return Some(true),
                        None => known = None,
                    }
                }
                known
            }
            Self::Not(inner) => inner.truth(row).map(|truth| !truth),
            Self::IsNull(inner) => Some(inner.eval(row) == Cell::Null),
            Self::Compare(left, comparison, right) => {
                compare(&left.eval(row), *comparison, &right.eval(row))
            }
            Self::In(inner, items) => {
                let inner = inner.eval(row);
                let mut known = Some(false);
                for item in items {
                    match compare(&inner, Comparison::Equal, &item.eval(row)) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => known = None,
                    }
                }
                known
            }
            Self::Like(inner, pattern) => match (inner.eval(row), pattern.eval(row)) {
                (Cell::Text(text), Cell::Text(pattern)) => Some(like(&text, &pattern)),
                _ => None,
            },
        }
    }
}

fn as_bool(cell: &Cell) -> Option<bool> {
    if let Cell::Bool(value) = cell { Some(*value) } else { None }
}

fn column<'r>(row: &'r Row, path: &[usize]) -> &'r Cell {
    let mut cells = &row.0;
    let mut found = &Cell::Null;
    for place in path {
        found = cells.get(*place).unwrap_or(&Cell::Null);
        match found {
            Cell::Record(inner) => cells = inner,
            _ => continue,
        }
    }
    found
}

fn compare(left: &Cell, comparison: Comparison, right: &Cell) -> Option<bool> {
    match (left, right) {
        (Cell::Null, _) | (_, Cell::Null) => None,
        (left, right) => Some(comparison.holds(left.compare(right))),
    }
}

/// `%` stands for any text, `_` for one character, a backslash before either for itself.
fn like(text: &str, pattern: &str) -> bool {
    #[derive(PartialEq)]
    enum Piece {
        Any,
        One,
        Char(char),
    }
    let mut pieces = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        pieces.push(match c {
            '%' => Piece::Any,
            '_' => Piece::One,
            '\\' => Piece::Char(chars.next().unwrap_or('\\')),
            c => Piece::Char(c),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut piece) = (0, 0);
    // The last `%`, and how much of the text it takes.
    let mut any: Option<(usize, usize)> = None;
    while at < text.len() {
        match pieces.get(piece) {
            Some(Piece::Any) => {
                any = Some((piece, at));
                piece += 1;
            }
            Some(Piece::One) => (at, piece) = (at + 1, piece + 1),
            Some(Piece::Char(c)) if *c == text[at] => (at, piece) = (at + 1, piece + 1),
            _ => match any {
                Some((star, taken)) => {
                    any = Some((star, taken + 1));
                    (at, piece) = (taken + 1, star + 1);
                }
                None => return false,
            },
        }
    }
    pieces[piece.min(pieces.len())..].iter().all(|piece| *piece == Piece::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_sql_says() {
        for (text, pattern, expected) in [
            ("abc", "abc", true),
            ("abc", "a%", true),
            ("abc", "%c", true),
            ("abc", "a_c", true),
            ("abc", "a_", false),
            ("abc", "", false),
            ("", "%", true),
            ("a%c", r"a\%c", true),
            ("abc", r"a\%c", false),
            ("aaab", "%a%b", true),
            ("aaa", "%a%b", false),
            ("é", "_", true),
        ] {
            assert_eq!(like(text, pattern), expected, "{text} LIKE {pattern}");
        }
    }
}
