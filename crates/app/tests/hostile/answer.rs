//! Reads the answers of a connection, one after the other.

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether a body was told and did not come, as it is with an answer to `HEAD`.
    pub(crate) bare: bool,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Takes all answers apart; says what is wrong with the first that is none, and gives those
/// before it.
pub(crate) fn read_all(mut bytes: &[u8]) -> (Vec<Answer>, Result<(), String>) {
    let mut answers = Vec::new();
    while !bytes.is_empty() {
        match read(bytes) {
            Ok((answer, rest)) => {
                answers.push(answer);
                bytes = rest;
            }
            Err(what) => {
                let start = bytes[..bytes.len().min(300)].escape_ascii();
                return (answers, Err(format!("{what}: {start}")));
            }
        }
    }
    (answers, Ok(()))
}

fn read(bytes: &[u8]) -> Result<(Answer, &[u8]), &'static str> {
    let end = find(bytes, b"\r\n\r\n").ok_or("the head breaks off")?;
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| "the head is not text")?;
    let mut lines = head.split("\r\n");
    let status = status(lines.next().unwrap_or_default()).ok_or("no status line")?;
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or("a header without a colon")?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut answer = Answer { status, headers, body: Vec::new(), bare: false };
    let rest = &bytes[end + 4..];
    let is_bare = matches!(status, 100..=199 | 204 | 304);
    let rest = if is_bare { rest } else { take_body(&mut answer, rest)? };
    Ok((answer, rest))
}

fn status(line: &str) -> Option<u16> {
    let (version, rest) = line.split_once(' ')?;
    let status = rest.get(..3)?.parse().ok()?;
    (matches!(version, "HTTP/1.1" | "HTTP/1.0") && (100..600).contains(&status)).then_some(status)
}

/// An answer to `HEAD` tells a length and has no body; after it comes an answer or the end.
fn take_body<'a>(answer: &mut Answer, rest: &'a [u8]) -> Result<&'a [u8], &'static str> {
    if rest.is_empty() || rest.starts_with(b"HTTP/1.") {
        answer.bare = answer.header("content-length") != Some("0");
        return Ok(rest);
    }
    if answer.header("transfer-encoding") == Some("chunked") {
        return take_chunks(&mut answer.body, rest);
    }
    let Some(length) = answer.header("content-length") else {
        answer.body = rest.to_vec();
        return Ok(&[]);
    };
    let length = length.parse().map_err(|_| "the length is no number")?;
    let (body, rest) = rest.split_at_checked(length).ok_or("the body breaks off")?;
    answer.body = body.to_vec();
    Ok(rest)
}

fn take_chunks<'a>(body: &mut Vec<u8>, mut rest: &'a [u8]) -> Result<&'a [u8], &'static str> {
    loop {
        let end = find(rest, b"\r\n").ok_or("a chunk breaks off")?;
        let size = std::str::from_utf8(&rest[..end]).ok();
        let size = size.and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.ok_or("the size of a chunk is no number")?;
        let (chunk, after) =
            rest[end + 2..].split_at_checked(size + 2).ok_or("a chunk breaks off")?;
        if !chunk.ends_with(b"\r\n") {
            return Err("a chunk does not end");
        }
        body.extend(&chunk[..size]);
        rest = after;
        if size == 0 {
            return Ok(rest);
        }
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let text = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}\
            HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 202 Accepted\r\n\
            Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let (answers, end) = read_all(text);
        let told: Vec<_> = answers.iter().map(|it| (it.status, &it.body[..])).collect();
        assert_eq!(told, [(100, &b""[..]), (200, b"{}"), (200, b""), (202, b"abc")]);
        assert_eq!(end, Ok(()));
    }

    #[test]
    fn an_answer_that_breaks_off_is_told() {
        let (answers, end) = read_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab");
        assert!(answers.is_empty());
        assert!(end.unwrap_err().starts_with("the body breaks off"));
    }
}
