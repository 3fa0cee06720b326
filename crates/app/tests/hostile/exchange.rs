//! One connection: bytes out, bytes in, until the server closes it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The server closed it.
    Closed,
    /// The server closed it with something of ours unread.
    Reset,
    /// Nothing came for as long as we had patience.
    Silent,
}

/// What came, and how it ended.
pub(crate) struct Heard {
    pub(crate) bytes: Vec<u8>,
    pub(crate) end: End,
}

/// Writes the pieces and reads until the end.
pub(crate) fn talk<'a>(
    address: SocketAddr,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    patience: Duration,
) -> io::Result<Heard> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    for piece in pieces {
        // Whoever refuses a request need not take all of it; the answer is read all the same.
        if stream.write_all(piece).is_err() {
            break;
        }
    }
    let mut heard = Heard { bytes: Vec::new(), end: End::Closed };
    let mut part = [0; 16 * 1024];
    let begun = now();
    loop {
        // A stream of events would go on for ever.
        if now() - begun > patience {
            heard.end = End::Silent;
            return Ok(heard);
        }
        match stream.read(&mut part) {
            Ok(0) => return Ok(heard),
            Ok(length) => heard.bytes.extend(&part[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                let slow = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                heard.end = if slow { End::Silent } else { End::Reset };
                return Ok(heard);
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a talk on a real socket ends by the real clock")]
fn now() -> Instant {
    Instant::now()
}
