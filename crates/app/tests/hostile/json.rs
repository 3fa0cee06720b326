//! Walks JSON of any depth without recursion: is it whole, and which job ids does it tell.
//!
//! The reader of the product stops at a depth that a list of deeply nested jobs may exceed.

/// The ids of an answer that is a job or a page of jobs.
///
/// # Errors
/// What is not JSON, as far as brackets and strings tell.
pub(crate) fn job_ids(text: &[u8]) -> Result<Vec<String>, &'static str> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not UTF-8")?;
    let mut walk = Walk { open: Vec::new(), key: None, ids: Vec::new() };
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        match first {
            '{' | '[' => walk.open.push(first),
            '}' | ']' => walk.close(first)?,
            '"' => rest = walk.string(rest)?,
            ',' => walk.key = None,
            _ if first.is_control() && !first.is_ascii_whitespace() => {
                return Err("a control character stands between values");
            }
            _ => {}
        }
    }
    if walk.open.is_empty() { Ok(walk.ids) } else { Err("it breaks off") }
}

struct Walk<'t> {
    open: Vec<char>,
    /// The last string, which may be the name of a member.
    key: Option<&'t str>,
    ids: Vec<String>,
}

impl<'t> Walk<'t> {
    fn close(&mut self, bracket: char) -> Result<(), &'static str> {
        let opened = if bracket == '}' { '{' } else { '[' };
        if self.open.pop() == Some(opened) { Ok(()) } else { Err("brackets do not match") }
    }

    /// Takes a string, whose first quote is behind us.
    fn string(&mut self, rest: &'t str) -> Result<&'t str, &'static str> {
        let mut escaped = false;
        let end = rest.find(|next| {
            let is_end = next == '"' && !escaped;
            escaped = next == '\\' && !escaped;
            is_end
        });
        let (string, rest) = rest.split_at(end.ok_or("a string does not end")?);
        if string.contains(|next: char| next < ' ') {
            return Err("a control character stands in a string");
        }
        let in_job = matches!(&self.open[..], ['{'] | ['{', '[', '{']);
        if in_job && matches!(self.key, Some("id" | "job_id")) && string.len() == 36 {
            self.ids.push(string.to_owned());
        }
        self.key = Some(string);
        Ok(&rest[1..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_job_and_of_a_page_are_found_and_those_of_inputs_are_not() {
        let id = "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42";
        let job = format!(r#"{{"id":"{id}","input":{{"id":"{id}","x":["\"]"]}}}}"#);
        assert_eq!(job_ids(job.as_bytes()).unwrap(), [id]);
        let page = format!(r#"{{"items":[{job},{job}],"next":null}}"#);
        assert_eq!(job_ids(page.as_bytes()).unwrap(), [id, id]);
    }

    #[test]
    fn what_is_not_whole_is_told() {
        for text in ["{", "[}", r#"{"a"#, "\"\n\"", "{}]"] {
            assert!(job_ids(text.as_bytes()).is_err(), "{text}");
        }
    }
}
