//! Changes of bodies: JSON, JSON lines, and how their end is told.

use super::super::draft::{Chunks, Draft, Framing};
use super::Dice;
use super::bytes;

/// JSON values, and what only looks like one.
const VALUES: [&str; 44] = [
    "null",
    "true",
    "0",
    "-0",
    "-0.0",
    "1e400",
    "-1e400",
    "1e-400",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "9007199254740993",
    "2147483648",
    "0.1",
    "1.0",
    "01",
    "+1",
    ".5",
    "NaN",
    "Infinity",
    "0x10",
    "[]",
    "{}",
    "[{}]",
    "{\"a\":1,\"a\":2}",
    "{\"\":{\"\":null}}",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\uD83D\\uDE00\"",
    "\"\\x41\"",
    "\"tab\there\"",
    "\"a b\"",
    "'single'",
    "\"30s\"",
    "\"99999999999999999999h\"",
    "\"-1s\"",
    "\"2026-02-30T00:00:00Z\"",
    "\"9999-12-31T23:59:59.999999999Z\"",
    "\"expand_reduce_flow\"",
    "\"range_report\"",
    "// comment\n1",
];

/// Changes the body somewhere.
pub(super) fn change(dice: &mut Dice, draft: &mut Draft) {
    let body = &mut draft.body;
    match dice.below(12) {
        0 => bytes::change(dice, body),
        1 => nest(dice, body),
        2 => repeat(dice, body),
        3 => grow(dice, body),
        4 => lines(dice, body),
        5 => bytes::insert(body, 0, b"\xef\xbb\xbf"),
        6 => add_member(dice, body),
        _ => replace_value(dice, body),
    }
}

/// Changes how the end of the body is told.
pub(super) fn frame(dice: &mut Dice, draft: &mut Draft) {
    let how = [
        Chunks::Sound,
        Chunks::Sound,
        Chunks::Adorned,
        Chunks::NoNumber,
        Chunks::Overflow,
        Chunks::Unended,
        Chunks::Endless,
    ];
    let length = draft.body.len();
    draft.framing = match dice.below(8) {
        0 => Framing::Untold,
        1 => Framing::Lie((length + 1 + dice.below(200)).to_string()),
        2 => Framing::Lie(length.saturating_sub(1 + dice.below(20)).to_string()),
        3 => {
            let texts = ["-1", "1e3", "99999999999", "18446744073709551616", " ", "0x5"];
            Framing::Lie((*dice.pick(&texts)).to_owned())
        }
        4 => Framing::Both,
        _ => Framing::Chunked(1 + dice.below(100), *dice.pick(&how)),
    };
}

/// Where values stand: strings, and runs of signs that are no brackets.
fn values(body: &[u8]) -> Vec<std::ops::Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < body.len() {
        let start = at;
        at += 1;
        if body[start] == b'"' {
            while at < body.len() && body[at] != b'"' {
                at += 1 + usize::from(body[at] == b'\\');
            }
            at = (at + 1).min(body.len());
            found.push(start..at);
        } else if body[start].is_ascii_alphanumeric() || body[start] == b'-' {
            while at < body.len() && (body[at].is_ascii_alphanumeric() || body[at] == b'.') {
                at += 1;
            }
            found.push(start..at);
        }
    }
    found
}

fn replace_value(dice: &mut Dice, body: &mut Vec<u8>) {
    let found = values(body);
    if found.is_empty() {
        body.extend(dice.pick(&VALUES).bytes());
        return;
    }
    let place = dice.pick(&found).clone();
    let value = match dice.below(12) {
        0 => format!("\"{}\"", "x".repeat(dice.below(300))).into_bytes(),
        1 => "7".repeat(1 + dice.below(400)).into_bytes(),
        2 => {
            let levels = levels(dice);
            ["[".repeat(levels), "]".repeat(levels)].concat().into_bytes()
        }
        3 => body[dice.pick(&found).clone()].to_vec(),
        _ => dice.pick(&VALUES).as_bytes().to_vec(),
    };
    body.splice(place, value);
}

fn levels(dice: &mut Dice) -> usize {
    match dice.below(3) {
        0 => 120 + dice.below(12),
        1 => 1 + dice.below(20),
        _ => 1 + dice.below(5_000),
    }
}

fn nest(dice: &mut Dice, body: &mut Vec<u8>) {
    let levels = levels(dice);
    let (open, close) =
        *dice.pick(&[("[", "]"), ("{\"a\":", "}"), ("[", ""), ("{\"input\":", "}")]);
    let nested = [open.repeat(levels).as_bytes(), body, close.repeat(levels).as_bytes()].concat();
    *body = nested;
}

fn repeat(dice: &mut Dice, body: &mut Vec<u8>) {
    let between = *dice.pick(&["", ",", "\n", " "]);
    let once = [between.as_bytes(), body].concat();
    let most = if dice.one_in(6) { 60 } else { 3 };
    let times = 1 + dice.below(most);
    body.extend(once.repeat(times));
}

/// To about the size that a body may have, and beyond.
fn grow(dice: &mut Dice, body: &mut Vec<u8>) {
    let length = *dice.pick(&[1_000, 60_000, 65_536, 66_000, 200_000]);
    let at = body.iter().position(|byte| *byte == b':').map_or(0, |at| at + 1);
    let filler = *dice.pick(b" \n9[\"");
    bytes::insert(body, at, &vec![filler; length]);
}

fn lines(dice: &mut Dice, body: &mut Vec<u8>) {
    let what = *dice.pick(&["\n\n\n", "\r", "\r\n", "\u{2028}", "\n{}\n", "\nnull\n", "\0\n"]);
    let at = dice.below(body.len() + 1);
    bytes::insert(body, at, what.as_bytes());
}

fn add_member(dice: &mut Dice, body: &mut Vec<u8>) {
    let names = [
        "flow",
        "input",
        "params",
        "queue",
        "priority",
        "delay",
        "run_at",
        "max_attempts",
        "backoff",
        "timeout",
        "tags",
        "webhook",
        "start",
        "end",
        "job",
        "input_data",
        "id",
        "__proto__",
        "",
    ];
    let name = *dice.pick(&names);
    let value = *dice.pick(&VALUES);
    let opened: Vec<usize> = (0..body.len()).filter(|&at| body[at] == b'{').collect();
    let at = if opened.is_empty() { 0 } else { dice.pick(&opened) + 1 };
    bytes::insert(body, at, format!("\"{name}\":{value},").as_bytes());
}
