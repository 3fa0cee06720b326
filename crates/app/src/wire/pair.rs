//! An entry of a result.

use jobmill_model::Value;
use utoipa::ToSchema;

/// An entry of a job's result.
#[derive(serde::Serialize, ToSchema)]
pub(crate) struct Pair {
    #[schema(example = "1 5")]
    key: String,
    #[schema(value_type = Value, example = "2 6")]
    value: Value,
}

/// A page of entries, written from texts that are JSON already.
pub(crate) struct PairPage {
    text: String,
    pub(crate) len: usize,
}

impl PairPage {
    pub(crate) fn new() -> Self {
        Self { text: r#"{"items":["#.to_owned(), len: 0 }
    }

    /// Adds an entry by the JSON texts of its key and its value.
    pub(crate) fn push(&mut self, key: &str, value: &str) {
        let begin = if self.len == 0 { r#"{"key":"# } else { r#",{"key":"# };
        for part in [begin, key, r#","value":"#, value, "}"] {
            self.text.push_str(part);
        }
        self.len += 1;
    }

    /// The page as JSON, with the place where the next one begins.
    pub(crate) fn finish(mut self, next: Option<u64>) -> String {
        match next {
            Some(next) => self.text.push_str(&format!(r#"],"next":"{next}"}}"#)),
            None => self.text.push_str(r#"],"next":null}"#),
        }
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::PairPage;

    #[test]
    fn a_page_is_written_as_json() {
        assert_eq!(PairPage::new().finish(None), r#"{"items":[],"next":null}"#);
        let mut page = PairPage::new();
        page.push("\"a\"", "1");
        page.push("\"b\"", "[2]");
        let text = r#"{"items":[{"key":"a","value":1},{"key":"b","value":[2]}],"next":"7"}"#;
        assert_eq!(page.finish(Some(7)), text);
    }
}
