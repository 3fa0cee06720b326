//! The shapes of document 002's own routes.

use jobmill_google::firestore::Field;
use jobmill_model::Value;
use serde::Serialize;
use utoipa::ToSchema;

use super::id::Id;

/// What the text of a query reads as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input<'a> {
    Text(&'a str),
    Int,
    Float,
    Bool,
}

impl<'a> Input<'a> {
    /// In double quotes it is text, whatever stands between them.
    pub(crate) fn read(text: &'a str) -> Self {
        let quoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        if let Some(inner) = quoted {
            return Self::Text(inner);
        }
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let begins = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        match text {
            "true" | "false" => Self::Bool,
            _ if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Self::Int
            }
            _ if begins && digits.parse::<f64>().is_ok() => Self::Float,
            _ => Self::Text(text),
        }
    }
}

/// Whether a text is valid: it has no upper-case letter.
pub(crate) fn verdict(text: &str) -> &'static str {
    if text.chars().any(char::is_uppercase) { "Fail" } else { "Success" }
}

/// What is processed: an object with `x`, or the value of `x` alone.
#[derive(Serialize, ToSchema)]
#[schema(as = Document002Input)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes the body for the OpenAPI document")]
pub(crate) enum Processed {
    Named {
        /// Text, a number or a Boolean.
        #[schema(value_type = Value)]
        x: (),
    },
    Text(String),
    Number(f64),
    Bool(bool),
}

/// Why something is refused.
#[derive(ToSchema)]
#[schema(as = Document002Refused)]
#[expect(dead_code, reason = "it describes refusals for the OpenAPI document")]
pub(crate) struct Refused {
    /// A text, or a list of what is wrong where.
    #[schema(value_type = Value, example = "\"int\" is not allowed")]
    detail: (),
}

/// A workflow that runs.
#[derive(Serialize, ToSchema)]
#[schema(as = Document002Triggered)]
pub(crate) struct Triggered {
    pub(crate) workflow_id: Id,
}

/// A text, a number or a Boolean as text.
pub(crate) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_string()),
        Value::Int(_) | Value::Double(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// A document's fields without their types.
pub(crate) fn plain(document: &Value) -> Value {
    let fields = document.as_map().and_then(|map| map.get("fields"));
    Field::read_fields(fields).map(|fields| Field::Map(fields).to_plain()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_query_has_a_type() {
        for (text, expected) in [
            ("5", Input::Int),
            ("-12", Input::Int),
            ("1.5", Input::Float),
            ("-.5e3", Input::Float),
            ("true", Input::Bool),
            ("True", Input::Text("True")),
            ("\"5\"", Input::Text("5")),
            ("\"\"", Input::Text("")),
            ("1.2.3", Input::Text("1.2.3")),
            ("inf", Input::Text("inf")),
            ("nan", Input::Text("nan")),
            ("-", Input::Text("-")),
            ("", Input::Text("")),
            ("word", Input::Text("word")),
        ] {
            assert_eq!(Input::read(text), expected, "{text}");
        }
    }

    #[test]
    fn a_text_with_an_upper_case_letter_fails() {
        for (text, expected) in
            [("abc 1", "Success"), ("aBc", "Fail"), ("É", "Fail"), ("", "Success")]
        {
            assert_eq!(verdict(text), expected, "{text}");
        }
    }
}
