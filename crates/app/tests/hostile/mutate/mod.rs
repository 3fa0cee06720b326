//! Makes hostile requests out of valid ones.

mod body;
mod bytes;
mod head;
mod target;

use super::corpus::Valid;
use super::dice::Dice;
use super::draft::Draft;

/// What goes over one connection.
pub(crate) struct Attack {
    pub(crate) bytes: Vec<u8>,
    /// Where the bytes are cut into writes of their own.
    pub(crate) cuts: Vec<usize>,
    /// Whether it asks the server to wait.
    pub(crate) waits: bool,
}

impl Attack {
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.cuts.iter().copied());
        let ends = self.cuts.iter().copied().chain([self.bytes.len()]);
        starts.zip(ends).map(|(start, end)| &self.bytes[start..end])
    }
}

/// The next attack.
pub(crate) fn attack(dice: &mut Dice, valid: &[Valid]) -> Attack {
    let first = mutant(dice, valid);
    let waits = first.waits();
    let mut bytes = first.write();
    // A reader who gives up a waiting request cannot tell what became of one behind it.
    while !waits && dice.one_in(4) {
        let next = mutant(dice, valid);
        if next.waits() {
            break;
        }
        let next = next.write();
        match dice.below(3) {
            0 => bytes::splice(dice, &mut bytes, &next),
            _ => bytes.extend(next),
        }
    }
    if dice.one_in(3) {
        bytes::change(dice, &mut bytes);
    }
    if !waits && !dice.one_in(20) {
        // With a last request that is sound the connection is closed at once, unless that
        // request became part of a broken one; then a time limit has to close it.
        let host: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        bytes.extend(host);
    }
    let mut cuts: Vec<usize> = (0..dice.below(4)).map(|_| dice.below(bytes.len())).collect();
    cuts.sort_unstable();
    Attack { bytes, cuts, waits }
}

fn mutant(dice: &mut Dice, valid: &[Valid]) -> Draft {
    let mut draft = dice.pick(valid).draft.clone();
    while draft.body.is_empty() && dice.one_in(2) {
        // Most doors take no body, but what is stored comes through those that do.
        draft = dice.pick(valid).draft.clone();
    }
    for _ in 0..dice.below(4) {
        match dice.below(8) {
            0 | 1 => target::change(dice, &mut draft),
            2 | 3 => head::change(dice, &mut draft),
            4 => body::frame(dice, &mut draft),
            _ if draft.body.is_empty() => target::change(dice, &mut draft),
            _ => body::change(dice, &mut draft),
        }
    }
    draft
}
