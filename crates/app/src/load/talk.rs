//! One keep-alive connection that writes HTTP by hand.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection and the last answer that came over it.
pub(super) struct Talk {
    stream: TcpStream,
    answer: Vec<u8>,
    /// Where the body of the answer begins.
    body: usize,
}

/// A request as it goes over the wire; `headers` are whole lines.
pub(super) fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{headers}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

impl Talk {
    pub(super) async fn begin(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(64 * 1024), body: 0 })
    }

    /// One request and its answer; the status.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        let head = loop {
            self.read().await?;
            let end = self.answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
            if let Some(end) = end {
                break end;
            }
        };
        let length = content_length(&self.answer[..head]).ok_or(io::ErrorKind::InvalidData)?;
        self.body = head + 4;
        while self.answer.len() < self.body + length {
            self.read().await?;
        }
        status(&self.answer).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    async fn read(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.answer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// The body of the last answer.
    pub(super) fn body(&self) -> &[u8] {
        &self.answer[self.body..]
    }

    /// The `id` that the last answer begins with.
    pub(super) fn id(&self) -> Option<&[u8]> {
        self.body().strip_prefix(b"{\"id\":\"")?.get(..36)
    }

    /// Whether the last answer contains this.
    pub(super) fn says(&self, text: &[u8]) -> bool {
        self.body().windows(text.len()).any(|bytes| bytes == text)
    }
}

fn status(answer: &[u8]) -> Option<u16> {
    std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()
}

fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let lines = head.split(|byte| *byte == b'\n');
    let line = lines
        .filter(|line| line.len() > NAME.len())
        .find(|line| line[..NAME.len()].eq_ignore_ascii_case(NAME))?;
    std::str::from_utf8(&line[NAME.len()..]).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_tells_the_length_of_its_body_whatever_the_case() {
        assert_eq!(content_length(b"HTTP/1.1 202 Accepted\r\nContent-LENGTH: 17"), Some(17));
        assert_eq!(content_length(b"HTTP/1.1 202 Accepted\r\nx: y"), None);
    }

    #[test]
    fn an_answer_tells_its_status() {
        assert_eq!(status(b"HTTP/1.1 202 Accepted\r\n"), Some(202));
        assert_eq!(status(b"HTTP/1.1"), None);
    }
}
