//! The few requests that steer a workload. The load itself comes from the examples of the app.

use std::io::{BufRead, BufReader, Error, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::failure::Failure;

/// One keep-alive connection.
pub(super) struct Client {
    stream: BufReader<TcpStream>,
    host: SocketAddr,
}

impl Client {
    pub(super) fn connect(host: SocketAddr) -> std::result::Result<Self, Failure> {
        let stream = TcpStream::connect(host).map_err(Failure::of(format!("connect to {host}")))?;
        Ok(Self { stream: BufReader::with_capacity(64 * 1024, stream), host })
    }

    pub(super) fn get(&mut self, path: &str) -> std::result::Result<Value, Failure> {
        self.ask("GET", path, "").map_err(Failure::of(format!("GET {path}")))
    }

    pub(super) fn post(&mut self, path: &str, body: &str) -> std::result::Result<Value, Failure> {
        self.ask("POST", path, body).map_err(Failure::of(format!("POST {path}")))
    }

    pub(super) fn put(&mut self, path: &str, body: &str) -> std::result::Result<Value, Failure> {
        self.ask("PUT", path, body).map_err(Failure::of(format!("PUT {path}")))
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Value> {
        let (host, length) = (self.host, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let status = self.line()?;
        let mut length = 0;
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(text) = line.strip_prefix("content-length:") {
                length = text.trim().parse().map_err(Error::other)?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        if !status.starts_with("HTTP/1.1 2") {
            return Err(Error::other(format!("{status}: {}", String::from_utf8_lossy(&body))));
        }
        serde_json::from_slice(&body).map_err(Error::other)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line)? {
            0 => Err(Error::other("the server hung up")),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

/// How many jobs have not ended.
pub(super) fn backlog(client: &mut Client) -> std::result::Result<u64, Failure> {
    let counts = client.get("/jobs/counts")?;
    let of = |state: &str| counts.get(state).and_then(Value::as_u64).unwrap_or(0);
    Ok(["scheduled", "submitted", "running"].into_iter().map(of).sum())
}
