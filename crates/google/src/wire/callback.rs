//! `Callback` of Executions v1.

use jobmill_model::Value;

use super::ExecutionName;

/// An address that an execution has opened.
#[derive(Debug, Clone)]
pub struct Callback<'a> {
    /// Whose it is.
    pub parent: &'a ExecutionName,
    /// The last part of its name.
    pub id: &'a str,
    /// The HTTP method that it takes.
    pub method: &'a str,
    /// The JSON texts of what came and was not taken in yet.
    pub payloads: Vec<&'a str>,
    /// How many steps wait at it.
    pub waiters: u32,
}

impl Callback<'_> {
    /// The resource as an object; numbers of 64 bits are written as text.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut fields = vec![
            ("name", Value::from(format!("{}/callbacks/{}", self.parent, self.id))),
            ("method", self.method.into()),
        ];
        if !self.payloads.is_empty() {
            let payloads = self.payloads.iter().map(|text| Value::from(*text));
            fields.push(("availablePayloads", Value::list(payloads)));
        }
        fields.push(("waiters", self.waiters.to_string().into()));
        Value::map(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_shows_what_waits_on_either_side() {
        let parent = "projects/p/locations/l/workflows/w/executions/e".parse().unwrap();
        let mut callback =
            Callback { parent: &parent, id: "c", method: "POST", payloads: vec![], waiters: 1 };
        assert_eq!(
            callback.to_value().to_string(),
            concat!(
                r#"{"name":"projects/p/locations/l/workflows/w/executions/e/callbacks/c","#,
                r#""method":"POST","waiters":"1"}"#
            )
        );
        callback.payloads.push("{}");
        assert!(callback.to_value().to_string().contains(r#""availablePayloads":["{}"]"#));
    }
}
