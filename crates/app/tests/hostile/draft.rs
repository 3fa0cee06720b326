//! A request before it is written: parts that can be changed one by one.

/// How the end of a body is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Framing {
    /// It is not told.
    Untold,
    /// By its length.
    Length,
    /// By a length that is another one.
    Lie(String),
    /// In chunks of this size, each written by `Chunks`.
    Chunked(usize, Chunks),
    /// In chunks and by a length.
    Both,
}

/// How chunks are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunks {
    Sound,
    /// With extensions and a trailer.
    Adorned,
    /// The first size is no number.
    NoNumber,
    /// The first size is far too large.
    Overflow,
    /// The line after the first chunk is missing.
    Unended,
    /// The last chunk never comes.
    Endless,
}

/// A header as bytes.
pub(crate) type Header = (Vec<u8>, Vec<u8>);

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) method: Vec<u8>,
    pub(crate) target: Vec<u8>,
    pub(crate) version: Vec<u8>,
    pub(crate) headers: Vec<Header>,
    pub(crate) body: Vec<u8>,
    pub(crate) framing: Framing,
}

impl Draft {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            version: b"HTTP/1.1".to_vec(),
            headers: vec![(b"Host".to_vec(), b"localhost".to_vec())],
            body: Vec::new(),
            framing: if method == "POST" { Framing::Length } else { Framing::Untold },
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn json(self, body: &str) -> Self {
        self.body("application/json", body)
    }

    pub(crate) fn body(self, media_type: &str, body: &str) -> Self {
        let mut draft = self.header("Content-Type", media_type);
        draft.body = body.into();
        draft.framing = Framing::Length;
        draft
    }

    /// Whether the answer may be long in coming, or have no end, because the request asks for that.
    pub(crate) fn waits(&self) -> bool {
        let has = |text: &[u8], word: &[u8]| {
            text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
        };
        has(&self.target, b"wait") || has(&self.target, b"/events") || has(&self.body, b"wait")
    }

    /// The request as it goes over the wire.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = [&self.method[..], b" ", &self.target, b" ", &self.version].concat();
        bytes.extend(b"\r\n");
        for (name, value) in &self.headers {
            bytes.extend([&name[..], b": ", value, b"\r\n"].concat());
        }
        let length = self.body.len().to_string();
        let told = match &self.framing {
            Framing::Untold => String::new(),
            Framing::Length => format!("Content-Length: {length}\r\n"),
            Framing::Lie(length) => format!("Content-Length: {length}\r\n"),
            Framing::Chunked(..) => "Transfer-Encoding: chunked\r\n".to_owned(),
            Framing::Both => {
                format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n")
            }
        };
        bytes.extend(told.as_bytes());
        bytes.extend(b"\r\n");
        match self.framing {
            Framing::Chunked(size, how) => write_chunks(&mut bytes, &self.body, size, how),
            Framing::Both => write_chunks(&mut bytes, &self.body, 64, Chunks::Sound),
            _ => bytes.extend(&self.body),
        }
        bytes
    }
}

fn write_chunks(bytes: &mut Vec<u8>, body: &[u8], size: usize, how: Chunks) {
    for (number, chunk) in body.chunks(size.max(1)).enumerate() {
        let length = chunk.len();
        let told = match how {
            Chunks::Adorned => format!("{length:X};name=\"a value\"\r\n"),
            Chunks::NoNumber if number == 0 => "zz\r\n".to_owned(),
            Chunks::Overflow if number == 0 => "ffffffffffffffffff\r\n".to_owned(),
            _ => format!("{length:x}\r\n"),
        };
        bytes.extend(told.as_bytes());
        bytes.extend(chunk);
        if !(how == Chunks::Unended && number == 0) {
            bytes.extend(b"\r\n");
        }
    }
    match how {
        Chunks::Endless => {}
        Chunks::Adorned => bytes.extend(b"0;end\r\nX-Trailer: told\r\n\r\n"),
        _ => bytes.extend(b"0\r\n\r\n"),
    }
}
