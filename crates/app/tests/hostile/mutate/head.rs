//! Changes of the headers.

use super::super::draft::{Draft, Header};
use super::Dice;
use super::bytes;

const HEADERS: [(&str, &[u8]); 40] = [
    ("Host", b"localhost"),
    ("Host", b"evil.example"),
    ("Host", b"localhost:99999"),
    ("Host", b"a@b@localhost"),
    ("Host", b""),
    ("Origin", b"null"),
    ("Origin", b"http://localhost:1"),
    ("Origin", b"http://evil.example"),
    ("Authorization", b"Bearer "),
    ("Authorization", b"\xff\xfe"),
    ("X-Api-Key", b"none"),
    ("Content-Type", b"text/plain"),
    ("Content-Type", b"application/json; charset=\"utf-16\""),
    ("Content-Type", b"application/x-ndjson"),
    ("Content-Type", b"\xff"),
    ("Content-Encoding", b"gzip"),
    ("Content-Length", b"0"),
    ("Content-Length", b"18446744073709551615"),
    ("Content-Length", b"1, 2"),
    ("Content-Length", b"-1"),
    ("Content-Length", b"+5"),
    ("Transfer-Encoding", b"chunked"),
    ("Transfer-Encoding", b"gzip, chunked"),
    ("Transfer-Encoding", b"chunked, identity"),
    ("Transfer-Encoding", b"\x0bchunked"),
    ("Expect", b"100-continue"),
    ("Expect", b"the unexpected"),
    ("Connection", b"close"),
    ("Connection", b"keep-alive, close, , te"),
    ("Upgrade", b"h2c"),
    ("Range", b"bytes=5-1"),
    ("If-None-Match", b"*"),
    ("Accept", b"text/csv;q=9"),
    ("Accept-Encoding", b"gzip;q=0, *;q=0"),
    ("Idempotency-Key", b""),
    ("Idempotency-Key", b"a-key-7"),
    ("Idempotency-Key", b"a key with \t tab"),
    ("Idempotency-Key", b"\xc3\xa4"),
    ("X-Forwarded-Host", b"localhost"),
    ("Te", b"trailers"),
];

/// Changes one header, or many.
pub(super) fn change(dice: &mut Dice, draft: &mut Draft) {
    match dice.below(10) {
        0 => many(dice, &mut draft.headers),
        1 => large(dice, &mut draft.headers),
        2 => {
            let at = dice.below(draft.headers.len());
            if at < draft.headers.len() {
                draft.headers.remove(at);
            }
        }
        3 => {
            if let Some(header) = some(dice, &mut draft.headers) {
                bytes::change(dice, &mut header.1);
            }
        }
        4 => {
            if let Some(header) = some(dice, &mut draft.headers) {
                bytes::change(dice, &mut header.0);
            }
        }
        5 => {
            // A value that goes on in the next line, as it was once allowed.
            if let Some(header) = some(dice, &mut draft.headers) {
                header.1.extend(b"\r\n folded");
            }
        }
        _ => {
            let (name, value) = dice.pick(&HEADERS);
            let at = dice.below(draft.headers.len() + 1);
            draft.headers.insert(at, (name.as_bytes().to_vec(), value.to_vec()));
        }
    }
}

fn some<'a>(dice: &mut Dice, headers: &'a mut [Header]) -> Option<&'a mut Header> {
    let at = dice.below(headers.len());
    headers.get_mut(at)
}

/// About as many headers as a request may have.
fn many(dice: &mut Dice, headers: &mut Vec<Header>) {
    let count = 90 + dice.below(30);
    headers.extend((0..count).map(|number| (format!("X-{number}").into(), b"1".to_vec())));
}

/// A value about as large as a head may be.
fn large(dice: &mut Dice, headers: &mut Vec<Header>) {
    let name = *dice.pick(&["X-Large", "Idempotency-Key", "Host", "Content-Type", "Origin"]);
    let length = *dice.pick(&[255, 256, 4_096, 65_000, 70_000]);
    headers.push((name.into(), vec![b'x'; length]));
}
