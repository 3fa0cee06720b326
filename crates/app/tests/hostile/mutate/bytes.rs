//! Changes that know nothing of what the bytes mean.

use super::Dice;

/// Bytes that mean something to some reader.
pub(super) const ODD: [&[u8]; 24] = [
    b"\0",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\t",
    b" ",
    b"\x7f",
    b"\xff",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xe2\x82",
    b"\xef\xbb\xbf",
    "\u{202e}".as_bytes(),
    "e\u{301}\u{301}".as_bytes(),
    b"\"",
    b"\\",
    b"%",
    b"%00",
    b"..",
    b"//",
    b"{",
    b"]",
];

/// Changes some place of the bytes.
pub(super) fn change(dice: &mut Dice, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        bytes.extend(*dice.pick(&ODD));
        return;
    }
    let span = dice.span(bytes.len());
    match dice.below(8) {
        0 => bytes[span.start] ^= 1 << dice.below(8),
        1 => bytes[span.start] = dice.byte(),
        2 => bytes.truncate(span.start),
        3 => drop(bytes.drain(span)),
        4 => {
            let copy = bytes[span.clone()].to_vec();
            let times = if dice.one_in(8) { 1 + dice.below(2_000 / copy.len() + 1) } else { 1 };
            insert(bytes, span.start, &copy.repeat(times));
        }
        5 => bytes[span].reverse(),
        _ => {
            let odd = *dice.pick(&ODD);
            insert(bytes, span.start, odd);
        }
    }
}

/// Puts other bytes in the place of some.
pub(super) fn splice(dice: &mut Dice, bytes: &mut Vec<u8>, other: &[u8]) {
    let keep = dice.below(bytes.len());
    let from = dice.below(other.len());
    bytes.truncate(keep);
    bytes.extend(&other[from..]);
}

pub(super) fn insert(bytes: &mut Vec<u8>, at: usize, what: &[u8]) {
    bytes.splice(at..at, what.iter().copied());
}
