//! Reads the parameters of a query and collects everything that is wrong with them.

use std::borrow::Cow;
use std::str::FromStr;

use jobmill_model::queue::Name;
use jobmill_model::{JobId, Problem, Span, limits};

use super::near;

/// The parameters of one query. One that is empty (`?status=`) is not given.
pub(crate) struct Query<'q> {
    pairs: Vec<(Cow<'q, str>, Cow<'q, str>)>,
    problems: Vec<Problem>,
}

impl<'q> Query<'q> {
    /// Takes a query apart, refusing every parameter that is not known.
    pub(crate) fn new(query: Option<&'q str>, known: &[&str]) -> Self {
        let mut read = Self::lenient(query);
        for (name, _) in &read.pairs {
            if !known.contains(&&**name) {
                let message = near::unknown("parameter", name, known);
                read.problems.push(Problem::new(format!("?{name}"), message));
            }
        }
        read
    }

    /// Takes a query apart; parameters that nobody asks for are passed over.
    pub(crate) fn lenient(query: Option<&'q str>) -> Self {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self { pairs: pairs.filter(|(_, value)| !value.is_empty()).collect(), problems: Vec::new() }
    }

    /// The last value of a parameter.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// A value that is read as something more.
    pub(crate) fn parsed<T: FromStr<Err: ToString>>(&mut self, name: &str) -> Option<T> {
        let parsed = self.text(name)?.parse().map_err(|error: T::Err| error.to_string());
        parsed.map_err(|message| self.refuse(name, message)).ok()
    }

    /// A name.
    pub(crate) fn name(&mut self, name: &str) -> Option<Name> {
        let read = Name::new(self.text(name)?).map_err(|error| error.to_string());
        read.map_err(|message| self.refuse(name, message)).ok()
    }

    /// Every value of a parameter that may be given several times or with commas.
    pub(crate) fn every<T: FromStr<Err: ToString>>(&mut self, name: &str) -> Vec<T> {
        let (mut found, mut messages) = (Vec::new(), Vec::new());
        for (_, value) in self.pairs.iter().filter(|(known, _)| known == name) {
            for part in value.split(',') {
                match part.trim().parse::<T>() {
                    Ok(value) => found.push(value),
                    Err(error) => messages.push(error.to_string()),
                }
            }
        }
        messages.into_iter().for_each(|message| self.refuse(name, message));
        found
    }

    /// Whether something is switched on.
    pub(crate) fn switch(&mut self, name: &str) -> bool {
        match self.text(name) {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                let message = format!("expected true or false, got {other:?}");
                self.refuse(name, message);
                false
            }
        }
    }

    /// Notes a problem with the query as a whole.
    pub(crate) fn refuse_whole(&mut self, message: impl Into<String>) {
        self.problems.push(Problem::new("", message));
    }

    /// How many rows a page should have.
    pub(crate) fn limit(&mut self) -> usize {
        let Some(text) = self.text("limit") else { return limits::PAGE_ROWS };
        match text.parse() {
            Ok(limit) if (1..=limits::PAGE_ROWS_MAX).contains(&limit) => limit,
            _ => {
                let most = limits::PAGE_ROWS_MAX;
                let message = format!("expected a whole number from 1 to {most}, got {text:?}");
                self.refuse("limit", message);
                limits::PAGE_ROWS
            }
        }
    }

    /// Where a page of jobs begins.
    pub(crate) fn job_cursor(&mut self) -> Option<JobId> {
        let cursor = self.text("cursor")?.parse();
        cursor.map_err(|_| self.refuse("cursor", NOT_A_CURSOR)).ok()
    }

    /// Where a page of anything else begins, as a count of rows before it.
    pub(crate) fn row_cursor(&mut self) -> u64 {
        let Some(text) = self.text("cursor") else { return 0 };
        text.parse().unwrap_or_else(|_| {
            self.refuse("cursor", NOT_A_CURSOR);
            0
        })
    }

    /// How long to wait.
    pub(crate) fn wait(&mut self) -> Span {
        let Some(wait) = self.parsed::<Span>("wait") else { return Span::ZERO };
        let most = Span::from_millis(limits::WAIT_MILLIS);
        if wait > most {
            self.refuse("wait", format!("at most {most}, got {wait}"));
        }
        wait
    }

    /// Everything that was wrong.
    pub(crate) fn problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Notes a problem with a parameter.
    pub(crate) fn refuse(&mut self, name: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(format!("?{name}"), message));
    }
}

const NOT_A_CURSOR: &str = "not a cursor: take the `next` of the page before";

#[cfg(test)]
mod tests {
    use super::*;
    use jobmill_model::State;

    #[test]
    fn states_may_be_repeated_or_listed() {
        let mut query = Query::new(Some("status=failed,running&status=completed"), &["status"]);
        let states: Vec<State> = query.every("status");
        assert_eq!(states, [State::Failed, State::Running, State::Completed]);
        assert_eq!(query.problems(), []);
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let known = ["status", "limit", "cursor", "wait", "flow"];
        let text = "stat%75=1&limit=0&cursor=x&wait=2h&flow=a%20b&status=done";
        let mut query = Query::new(Some(text), &known);
        query.limit();
        query.job_cursor();
        query.wait();
        query.name("flow");
        query.every::<State>("status");
        let said: Vec<String> = query.problems().iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 6, "{said:?}");
        assert_eq!(said[0], "?statu: unknown parameter \"statu\"; did you mean \"status\"?");
    }
}
