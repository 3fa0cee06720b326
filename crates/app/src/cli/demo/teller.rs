//! Shows a call as a `curl` line, makes it, shows the answer and checks it.

use std::cell::RefCell;

use jobmill_model::{Span, Value};

use super::super::json;
use super::super::screen::{Screen, line, say};
use super::super::session::object;
use super::super::{Failure, jobs};
use crate::client::{Client, Request};

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

/// Where there is no terminal, progress is told this often.
const STEP: Span = Span::from_millis(100);

/// A call of the API.
pub(super) struct Call {
    route: String,
    body: Option<Body>,
}

struct Body {
    text: String,
    /// What `curl` is given after `-d`: the text itself, or `@` and the file that holds it.
    shown: String,
}

impl Call {
    pub(super) fn get(route: impl Into<String>) -> Self {
        Self { route: route.into(), body: None }
    }

    pub(super) fn post(route: impl Into<String>, body: &str) -> Self {
        let body = Body { text: body.to_owned(), shown: body.to_owned() };
        Self { route: route.into(), body: Some(body) }
    }

    /// With a body that is too long to be shown and stands in a file too.
    pub(super) fn post_file(route: impl Into<String>, body: String, file: &str) -> Self {
        let body = Body { text: body, shown: format!("@{file}") };
        Self { route: route.into(), body: Some(body) }
    }

    fn request(&self) -> Request {
        match &self.body {
            None => Request::get(&self.route),
            Some(body) => Request::post(&self.route).body("application/json", body.text.clone()),
        }
    }

    fn as_curl(&self, client: &Client) -> String {
        let url = quoted(&format!("{}{}", client.address(), self.route));
        match &self.body {
            None => format!("curl {url}"),
            Some(body) => {
                let shown = quoted(&body.shown);
                format!("curl {url} -X POST -d {shown} -H 'Content-Type: application/json'")
            }
        }
    }
}

/// Longer texts of an answer are not shown.
const CHARS: usize = 300;

/// The answer with an ellipsis in the place of the input and of long texts.
fn without_input(answer: &Value) -> Value {
    let shown = |(name, value): (&std::sync::Arc<str>, &Value)| {
        let value = match (&**name, value) {
            ("input", _) => Value::from("…"),
            (_, Value::String(text)) if text.len() > CHARS => Value::from("…"),
            (_, Value::Map(_)) => without_input(value),
            _ => value.clone(),
        };
        (name.clone(), value)
    };
    match answer.as_map() {
        Some(map) => Value::map(map.iter().map(shown)),
        None => answer.clone(),
    }
}

/// Text that a shell takes as one word.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// Tells the story and keeps count of what did not go as it should.
pub(super) struct Teller {
    client: Client,
    screen: Screen,
    calls: usize,
    wrong: usize,
}

impl Teller {
    pub(super) fn new(client: Client, screen: Screen) -> Self {
        Self { client, screen, calls: 0, wrong: 0 }
    }

    /// A heading and what is to be seen under it.
    pub(super) fn chapter(&self, title: &str, about: &str) -> Result<(), Failure> {
        if self.screen.is_json() {
            return Ok(());
        }
        line(&format!("\n{BOLD}{title}{PLAIN}"))?;
        about.lines().try_for_each(line)?;
        Ok(())
    }

    /// Makes a call, shows it with its answer, and checks the answer.
    pub(super) async fn call(
        &mut self,
        call: Call,
        status: u16,
        is_right: impl Fn(&Value) -> bool,
    ) -> Result<Value, Failure> {
        self.call_shown(call, status, is_right, Clone::clone).await
    }

    /// The same for an answer with an input or a text that is too long to be shown.
    pub(super) async fn call_quietly(
        &mut self,
        call: Call,
        status: u16,
        is_right: impl Fn(&Value) -> bool,
    ) -> Result<Value, Failure> {
        self.call_shown(call, status, is_right, without_input).await
    }

    async fn call_shown(
        &mut self,
        call: Call,
        status: u16,
        is_right: impl Fn(&Value) -> bool,
        shown: impl Fn(&Value) -> Value,
    ) -> Result<Value, Failure> {
        let curl = call.as_curl(&self.client);
        if !self.screen.is_json() {
            line(&format!("\n{DIM}${PLAIN} {curl}"))?;
        }
        let answer = self.client.send(&call.request()).await?;
        let answered = answer.status();
        let value = answer.value().await?;
        self.calls += 1;
        let ok = answered == status && is_right(&value);
        self.wrong += usize::from(!ok);
        if self.screen.is_json() {
            let told = object([
                ("curl", Some(Value::from(curl))),
                ("status", Some(Value::from(u32::from(answered)))),
                ("answer", Some(shown(&value))),
                ("as_expected", Some(Value::from(ok))),
            ]);
            self.screen.value(&told)?;
            return Ok(value);
        }
        if !(200..300).contains(&answered) {
            line(&format!("{DIM}HTTP {answered}{PLAIN}"))?;
        }
        line(&json::filled(&shown(&value)))?;
        if !ok {
            line(&format!("{RED}this is not what was expected (HTTP {status}){PLAIN}"))?;
        }
        Ok(value)
    }

    /// Waits for a job, with a bar on a terminal and lines elsewhere.
    pub(super) async fn watch(&self, id: &str) -> Result<(), Failure> {
        let Self { client, screen, .. } = self;
        let last = RefCell::new(String::new());
        let tell = |job: &Value| {
            let note = jobs::note(job);
            if !note.is_empty() && *last.borrow() != note {
                say(&format!("  {note}"));
                last.replace(note);
            }
        };
        match screen.is_json() || screen.is_watched() {
            true => jobs::until_ended(client, *screen, id, None).await.map(drop),
            false => jobs::watch(client, id, STEP, None, tell).await.map(drop),
        }
    }

    /// Whether everything went as it should.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let Self { calls, wrong, .. } = self;
        match wrong {
            0 if self.screen.is_json() => Ok(()),
            0 => Ok(line(&format!("\n{calls} calls, every answer as expected"))?),
            _ => Err(Failure::Ended(format!("{wrong} of {calls} answers were not as expected"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curl_line_can_be_pasted_into_a_shell() {
        assert_eq!(quoted("http://127.0.0.1:8080/jobs"), "http://127.0.0.1:8080/jobs");
        assert_eq!(quoted("a?b=1&c"), "'a?b=1&c'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
    #[test]
    fn an_answer_that_is_not_as_expected_is_exit_code_1() {
        let client = Client::new("http://127.0.0.1:1".parse().unwrap(), None);
        let mut teller = Teller::new(client, Screen::new(true));
        assert!(teller.verdict().is_ok());
        teller.wrong = 1;
        assert_eq!(teller.verdict().unwrap_err().code(), 1);
    }
}
