//! What no answer may be, and what all answers together have to agree with.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use super::answer::{self, Answer};
use super::exchange::{End, Heard};
use super::json;
use super::mutate::Attack;

/// More violations than this say nothing new.
const MOST_VIOLATIONS: usize = 20;
/// So much of the bytes is shown.
const SHOWN_BYTES: usize = 2_000;

/// What was seen so far.
#[derive(Default)]
pub(crate) struct Judge(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    accepted: HashSet<String>,
    statuses: BTreeMap<u16, u64>,
    ends: BTreeMap<&'static str, u64>,
    violations: Vec<String>,
}

impl Judge {
    /// Judges what came for an attack.
    pub(crate) fn hear(&self, number: u64, attack: &Attack, heard: &Heard) {
        let (answers, end) = answer::read_all(&heard.bytes);
        let mut problems: Vec<String> = answers.iter().filter_map(problem).collect();
        // A stream of events breaks off where we leave.
        let left = heard.end == End::Silent && attack.waits;
        if let Err(what) = end
            && !left
        {
            problems.push(what);
        }
        let asks_for_head = attack.bytes.windows(4).any(|part| part == b"HEAD");
        if answers.iter().any(|answer| answer.bare) && !asks_for_head {
            problems.push("a body that was told did not come".to_owned());
        }
        if heard.end == End::Silent && !attack.waits {
            problems.push("the server neither answers nor closes the connection".to_owned());
        }
        let mut seen = self.0.lock().expect("nobody panics with it");
        for answer in &answers {
            *seen.statuses.entry(answer.status).or_default() += 1;
            seen.accepted.extend(accepted(answer));
        }
        let end = match (heard.end, answers.is_empty()) {
            (End::Closed, true) => "closed without an answer",
            (End::Closed, false) => "closed",
            (End::Reset, _) => "reset",
            (End::Silent, _) => "silent",
        };
        *seen.ends.entry(end).or_default() += 1;
        drop(seen);
        let shown = &attack.bytes[..attack.bytes.len().min(SHOWN_BYTES)];
        let length = attack.bytes.len();
        for problem in problems {
            let sent = shown.escape_ascii();
            self.blame(format!("exchange {number}: {problem}\n  sent ({length} bytes): {sent}"));
        }
    }

    /// Notes the jobs that an answer acknowledges.
    pub(crate) fn count(&self, answer: &Answer) {
        let mut seen = self.0.lock().expect("nobody panics with it");
        seen.accepted.extend(accepted(answer));
    }

    pub(crate) fn blame(&self, violation: String) {
        let violations = &mut self.0.lock().expect("nobody panics with it").violations;
        if violations.len() < MOST_VIOLATIONS {
            violations.push(violation);
        }
    }

    /// How many jobs were accepted.
    pub(crate) fn accepted(&self) -> u64 {
        self.0.lock().expect("nobody panics with it").accepted.len() as u64
    }

    /// The statuses and how often each was seen.
    pub(crate) fn summary(&self) -> String {
        let seen = self.0.lock().expect("nobody panics with it");
        format!("{:?}, connections {:?}", seen.statuses, seen.ends)
    }

    pub(crate) fn violations(self) -> Vec<String> {
        self.0.into_inner().expect("nobody panics with it").violations
    }
}

/// The jobs that an answer acknowledges; a job that is acknowledged again keeps its id.
fn accepted(answer: &Answer) -> Vec<String> {
    let ids = json::job_ids(&answer.body).unwrap_or_default();
    match (answer.status, &ids[..]) {
        (202, _) => ids,
        // Google says it with the name of the execution.
        (200, _) if answer.body.starts_with(br#"{"name":"projects/"#) => executed(&answer.body),
        // Document 001 says it with 200 and nothing but the id.
        (200, [id]) if answer.body == format!(r#"{{"job_id":"{id}"}}"#).as_bytes() => ids,
        _ => Vec::new(),
    }
}

/// The id of the execution that the body begins with; a project holds no slash.
fn executed(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    let id = text.split_once("/executions/").and_then(|(_, rest)| rest.get(..36));
    id.map(str::to_owned).into_iter().collect()
}

/// What is wrong with an answer in itself.
fn problem(answer: &Answer) -> Option<String> {
    let Answer { status, body, .. } = answer;
    let told = || format!("{status}: {}", body[..body.len().min(400)].escape_ascii());
    let kind = answer.header("content-type").unwrap_or_default();
    let is_busy = *status == 503 && answer.header("retry-after").is_some();
    // A custom verb that a Google service does not have.
    let is_unbuilt =
        *status == 501 && (answer.bare || body.ends_with(br#""status":"UNIMPLEMENTED"}}"#));
    if *status >= 500 && !is_busy && !is_unbuilt {
        return Some(format!("a server error, {}", told()));
    }
    if body.is_empty() {
        return None;
    }
    if *status >= 400 && !matches!(kind, "application/problem+json" | "application/json") {
        return Some(format!("a refusal of the type {kind:?}, {}", told()));
    }
    if kind.ends_with("json") {
        return json::job_ids(body).err().map(|what| format!("no JSON ({what}), {}", told()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(answer: &str, end: End) -> (u64, Vec<String>) {
        let judge = Judge::default();
        let attack = Attack { bytes: b"GET /".to_vec(), cuts: Vec::new(), waits: false };
        judge.hear(7, &attack, &Heard { bytes: answer.as_bytes().to_vec(), end });
        (judge.accepted(), judge.violations())
    }

    fn answer(head: &str, body: &str) -> String {
        format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn what_may_not_be_is_a_violation() {
        let json = "Content-Type: application/json";
        for text in [
            answer("500 Internal Server Error", ""),
            answer("503 Service Unavailable", ""),
            answer("400 Bad Request\r\nContent-Type: text/html", "<p>"),
            answer(&format!("200 OK\r\n{json}"), "{"),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".to_owned(),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc".to_owned(),
            "no answer".to_owned(),
        ] {
            assert_eq!(violations(&text, End::Closed).1.len(), 1, "{text}");
        }
        assert_eq!(violations("", End::Silent).1.len(), 1);
        let busy = answer("503 Service Unavailable\r\nRetry-After: 1", "");
        assert!(violations(&busy, End::Closed).1.is_empty());
        assert!(violations("", End::Closed).1.is_empty());
    }

    #[test]
    fn a_job_is_counted_once_however_often_it_is_acknowledged() {
        let id = "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42";
        let job = answer("202 Accepted", &format!(r#"{{"id":"{id}","input":null}}"#));
        let document = answer("200 OK", &format!(r#"{{"job_id":"{id}"}}"#));
        let status = id.replace('0', "1");
        let status = answer("200 OK", &format!(r#"{{"job_id":"{status}","status":"x"}}"#));
        assert_eq!(violations(&[job, document, status].concat(), End::Closed).0, 1);
    }
}
