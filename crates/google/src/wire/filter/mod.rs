//! Filters of lists, in the language of AIP-160: read once, then asked of each row.
//!
//! `a = "x" AND (b > 3 OR NOT c:y)`. `OR` binds closer than `AND`; terms with nothing between
//! them are joined by `AND`; `-` before a term is `NOT`. A `*` at an end of a text stands for any
//! text. Bare words, which other services search for in all fields, are refused.

mod lex;
mod parse;

use std::cmp::Ordering;

use jobmill_model::Timestamp;

use super::Error;
use super::field::{Datum, Field, Record};

/// Longer filters are refused.
pub(crate) const BYTES: usize = 8 * 1024;
/// Deeper brackets are refused.
pub(crate) const DEPTH: usize = 32;

/// A filter, checked against the fields of what it filters.
#[derive(Debug, Clone)]
pub struct Filter(Option<Node>);

#[derive(Debug, Clone)]
pub(crate) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Is(Restriction),
}

/// One comparison.
#[derive(Debug, Clone)]
pub struct Restriction {
    /// The field.
    pub field: &'static Field,
    /// The key within it, where it maps text to text.
    pub key: Option<String>,
    /// How it is compared.
    pub comparator: Comparator,
    /// With what.
    pub wanted: Wanted,
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    /// `=`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `:`
    Has,
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// A value.
    Value(Datum<'static>),
    /// Text with anything before it, after it, or both.
    Like {
        /// The text between.
        text: String,
        /// Whether anything may stand before it.
        before: bool,
        /// Whether anything may stand after it.
        after: bool,
    },
    /// Any value: `field:*`.
    Something,
}

impl Filter {
    /// Reads a filter; nothing but white space lets everything pass.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: what is wrong, and where.
    pub fn read(text: &str, schema: &'static [Field]) -> Result<Self, Error> {
        if text.len() > BYTES {
            let message =
                format!("invalid filter: {} bytes are too many, at most {BYTES}", text.len());
            return Err(Error::invalid(message));
        }
        parse::filter(text, schema).map(Self)
    }

    /// Whether everything passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether a row passes.
    #[must_use]
    pub fn matches(&self, record: &dyn Record) -> bool {
        self.0.as_ref().is_none_or(|node| node.matches(record))
    }

    /// The comparisons that every row has to meet: what a store may be asked instead.
    pub fn demands(&self) -> impl Iterator<Item = &Restriction> {
        let nodes = match &self.0 {
            Some(Node::All(nodes)) => nodes.as_slice(),
            Some(node) => std::slice::from_ref(node),
            None => &[],
        };
        nodes.iter().filter_map(|node| match node {
            Node::Is(restriction) => Some(restriction),
            _ => None,
        })
    }

    /// The instants between which a field has to be: at or after the first, before the second.
    #[must_use]
    pub fn window(&self, field: &str) -> (Option<Timestamp>, Option<Timestamp>) {
        let (mut since, mut until) = (None, None);
        for restriction in self.demands().filter(|it| it.field.name == field) {
            let Wanted::Value(Datum::Time(at)) = restriction.wanted else { continue };
            let next = Timestamp::from_millis(at.as_millis().saturating_add(1));
            let (from, to) = match restriction.comparator {
                Comparator::Equal => (Some(at), Some(next)),
                Comparator::Less => (None, Some(at)),
                Comparator::LessOrEqual => (None, Some(next)),
                Comparator::Greater => (Some(next), None),
                Comparator::GreaterOrEqual => (Some(at), None),
                Comparator::Unequal | Comparator::Has => continue,
            };
            since = since.max(from);
            until = [until, to].into_iter().flatten().min();
        }
        (since, until)
    }
}

impl Node {
    fn matches(&self, record: &dyn Record) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.matches(record)),
            Self::Any(nodes) => nodes.iter().any(|node| node.matches(record)),
            Self::Not(node) => !node.matches(record),
            Self::Is(restriction) => restriction.matches(record),
        }
    }
}

impl Restriction {
    fn matches(&self, record: &dyn Record) -> bool {
        let datum = record.datum(self.field.name);
        match (datum, &self.key) {
            (Datum::Texts(texts), Some(key)) => {
                let found = texts.get(key);
                self.compare(&found.map(String::as_str).into())
            }
            // Of a whole map only its keys can be asked for.
            (Datum::Texts(texts), None) => match &self.wanted {
                Wanted::Something => !texts.is_empty(),
                wanted => texts.keys().any(|key| wanted.equals(&key.as_str().into())),
            },
            (datum, _) => self.compare(&datum),
        }
    }

    /// What has no value meets no comparison but `!=`.
    fn compare(&self, datum: &Datum<'_>) -> bool {
        if *datum == Datum::Absent {
            return self.comparator == Comparator::Unequal;
        }
        let order = match &self.wanted {
            Wanted::Value(wanted) => datum.order(wanted),
            _ => Ordering::Equal,
        };
        match self.comparator {
            Comparator::Equal => self.wanted.equals(datum),
            Comparator::Unequal => !self.wanted.equals(datum),
            Comparator::Has => self.wanted.is_in(datum),
            Comparator::Less => order.is_lt(),
            Comparator::LessOrEqual => order.is_le(),
            Comparator::Greater => order.is_gt(),
            Comparator::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Wanted {
    fn equals(&self, datum: &Datum<'_>) -> bool {
        match (self, datum) {
            (Self::Something, _) => true,
            (Self::Value(wanted), datum) => wanted == datum,
            (Self::Like { text, before, after }, Datum::Text(found)) => match (before, after) {
                (false, false) => found == text,
                (true, false) => found.ends_with(text.as_str()),
                (false, true) => found.starts_with(text.as_str()),
                (true, true) => found.contains(text.as_str()),
            },
            (Self::Like { .. }, _) => false,
        }
    }

    fn is_in(&self, datum: &Datum<'_>) -> bool {
        match (self, datum) {
            (Self::Value(Datum::Text(wanted)), Datum::Text(found)) => found.contains(&**wanted),
            (wanted, datum) => wanted.equals(datum),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jobmill_model::Span;

    use super::super::field::Kind;
    use super::*;

    const SCHEMA: &[Field] = &[
        Field { name: "step", kind: Kind::Text },
        Field { name: "state", kind: Kind::Word(&["ACTIVE", "FAILED"]) },
        Field { name: "createTime", kind: Kind::Time },
        Field { name: "endTime", kind: Kind::Time },
        Field { name: "duration", kind: Kind::Duration },
        Field { name: "entryId", kind: Kind::Number },
        Field { name: "quick", kind: Kind::Flag },
        Field { name: "labels", kind: Kind::Texts },
    ];

    struct Row(BTreeMap<String, String>);

    impl Record for Row {
        fn datum(&self, field: &str) -> Datum<'_> {
            match field {
                "step" => "fetch the \"page\"".into(),
                "state" => "FAILED".into(),
                "createTime" => Timestamp::from_millis(1_700_000_000_000).into(),
                "duration" => Span::from_millis(1_500).into(),
                "entryId" => Datum::Number(7),
                "quick" => Datum::Flag(true),
                "labels" => Datum::Texts(&self.0),
                _ => Datum::Absent,
            }
        }
    }

    fn passes(text: &str) -> bool {
        let labels = [("env", "prod"), ("team.x", "a")];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let filter = Filter::read(text, SCHEMA).unwrap_or_else(|error| panic!("{text}: {error}"));
        filter.matches(&Row(labels.into()))
    }

    #[test]
    fn rows_pass_a_filter_or_do_not() {
        for text in [
            "",
            " ",
            r#"state="FAILED""#,
            "state = FAILED",
            "state != ACTIVE",
            r#"step = 'fetch the "page"'"#,
            r#"step = "fetch the \"page\"""#,
            r#"step = "fetch*""#,
            r#"step = "*page\"""#,
            r#"step:"the""#,
            r#"createTime > "2023-08-01""#,
            "create_time >= 2023-11-14T22:13:20Z AND createTime<=2023-11-14T23:13:20+01:00",
            "duration >= 1.5s duration < 2s",
            "entryId > 6 entryId != -3",
            "quick = true",
            "labels.env = prod",
            "labels.\"team.x\" = a",
            "labels:env AND labels.env:* AND labels:*",
            "NOT labels:none",
            "-state=ACTIVE",
            "endTime != \"2023-08-01\"",
            "NOT endTime:*",
            "state=ACTIVE OR state=FAILED AND step=f*",
            "(state=ACTIVE step=x) OR (state=FAILED)",
        ] {
            assert!(passes(text), "{text}");
        }
        for text in [
            "state=ACTIVE",
            "step=FETCH*",
            "step:page2",
            "endTime > \"2023-08-01\"",
            "duration > 1.5s",
            "labels.env != prod",
            "labels.other = x",
            "quick = false",
            // `OR` binds closer than `AND`.
            "state=FAILED OR state=ACTIVE AND step=x",
            "NOT (state=FAILED AND entryId=7)",
        ] {
            assert!(!passes(text), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, part) in [
            ("stat = x", "unknown field \"stat\"; known are step, state,"),
            ("state = DONE", "unknown value \"DONE\"; known are ACTIVE, FAILED"),
            ("state < FAILED", "cannot be compared with `<`"),
            ("createTime > soon", "\"soon\" is not a time"),
            ("duration > 5m", "\"5m\" is not a duration"),
            ("entryId = x", "\"x\" is not a whole number"),
            ("quick = 1", "\"1\" is neither true nor false"),
            ("word", "expected a comparison after \"word\""),
            ("step = ", "expected a value after `=`"),
            ("(step = x", "expected `)`"),
            ("step = x)", "unexpected `)`"),
            ("step = \"x", "a quote is not closed"),
            ("AND step = x", "unexpected `AND`"),
            ("step = x OR", "unexpected end"),
            ("step = f(x)", "expected a comparison after \"x\""),
            ("step.x = y", "has no fields of its own"),
            ("labels = x", "is asked as `labels.KEY = VALUE` or `labels:KEY`"),
            ("step < a*", "a `*` can be compared only with"),
            (&"(".repeat(10_000), "are too many"),
            (&"(".repeat(100), "too deep"),
            (&"NOT ".repeat(100), "too deep"),
        ] {
            let error = Filter::read(text, SCHEMA).unwrap_err();
            assert!(error.message.contains(part), "{text}: {error}");
            assert!(error.message.starts_with("invalid filter"), "{error}");
        }
    }

    #[test]
    fn the_window_of_a_time_is_what_every_row_has_to_meet() {
        let window = |text: &str| {
            let (since, until) = Filter::read(text, SCHEMA).unwrap().window("createTime");
            let text = |at: Option<Timestamp>| at.map_or("-".to_owned(), |at| at.to_string());
            format!("{} {}", text(since), text(until))
        };
        assert_eq!(
            window("createTime >= \"2023-08-01\" AND createTime < 2023-08-02 state=FAILED"),
            "2023-08-01T00:00:00.000Z 2023-08-02T00:00:00.000Z"
        );
        assert_eq!(window("createTime > \"2023-08-01\""), "2023-08-01T00:00:00.001Z -");
        assert_eq!(window("createTime > \"2023-08-01\" OR state=FAILED"), "- -");
        assert_eq!(window("NOT createTime > \"2023-08-01\""), "- -");
    }
}
