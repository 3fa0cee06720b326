//! The query part of a path.

use std::fmt;

use form_urlencoded::Serializer;

/// Names and values after the `?` of a path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(&'static str, String)>);

impl Query {
    /// The query with a pair added.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.0.push((name, value.to_string()));
        self
    }

    /// The query with a pair added if there is a value.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

impl fmt::Display for Query {
    /// Writes `?a=b&c=d`, or nothing where there is no pair.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        let pairs = Serializer::new(String::new()).extend_pairs(&self.0).finish();
        write!(f, "?{pairs}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped() {
        let query = Query::default().with("tag", "a&b c").with_some("flow", None::<&str>);
        assert_eq!(query.to_string(), "?tag=a%26b+c");
        assert_eq!(Query::default().to_string(), "");
    }
}
