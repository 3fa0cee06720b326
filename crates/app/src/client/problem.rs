//! A request that the server refused: its problem document, readable.

use std::fmt;

use jobmill_model::Value;

/// A refusal. Where the answer is a problem document, its parts; else the beginning of its body.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// What happened, in a sentence.
    pub detail: String,
    /// What is wrong with the request: pointer and message.
    pub errors: Vec<(String, String)>,
    /// The whole answer, if it is JSON.
    pub document: Option<Value>,
}

/// How much of an answer that is not JSON is shown.
const SHOWN_BYTES: usize = 500;

impl Refusal {
    /// Reads an answer that is not a success.
    #[must_use]
    pub fn of(status: u16, body: &[u8]) -> Self {
        let document = Value::from_json(body).ok();
        let text = |name: &str| document.as_ref()?.as_map()?.get(name)?.as_str();
        let plain = String::from_utf8_lossy(&body[..body.len().min(SHOWN_BYTES)]);
        let detail = text("detail")
            .or_else(|| text("title"))
            .or_else(|| text("error"))
            .map_or_else(|| plain.trim().to_owned(), str::to_owned);
        let errors = document.as_ref().map(errors).unwrap_or_default();
        Self { status, detail, errors, document }
    }
}

fn errors(document: &Value) -> Vec<(String, String)> {
    let listed = document.as_map().and_then(|map| map.get("errors")).and_then(Value::as_list);
    let text = |error: &Value, name: &str| {
        let value = error.as_map().and_then(|map| map.get(name)).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    listed.unwrap_or_default().iter().map(|it| (text(it, "pointer"), text(it, "message"))).collect()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server refused this with {}: {}", self.status, self.detail)?;
        for (pointer, message) in &self.errors {
            match pointer.as_str() {
                "" => write!(f, "\n  {message}")?,
                pointer => write!(f, "\n  {pointer}: {message}")?,
            }
        }
        if self.status == 401 {
            f.write_str(
                "\n  put the API key into JOBMILL_API_KEY, or its file after --api-key-file",
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_document_is_shown_with_its_pointers() {
        let body = br#"{"title":"t","detail":"the body is wrong","errors":[
            {"pointer":"/input","message":"expected an object"},{"pointer":"","message":"m"}]}"#;
        assert_eq!(
            Refusal::of(422, body).to_string(),
            "the server refused this with 422: the body is wrong\n  /input: expected an object\n  m"
        );
    }

    #[test]
    fn an_answer_of_another_program_is_shown_as_it_is() {
        let refusal = Refusal::of(502, b"<h1>Bad Gateway</h1>\n");
        assert_eq!(refusal.to_string(), "the server refused this with 502: <h1>Bad Gateway</h1>");
    }
}
