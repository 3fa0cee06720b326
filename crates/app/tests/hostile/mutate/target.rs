//! Changes of method and target: paths, filters, cursors, limits.

use super::super::draft::Draft;
use super::Dice;
use super::bytes;

/// Values of parameters, most of them wrong for most parameters.
const VALUES: [&str; 34] = [
    "",
    "0",
    "-1",
    "1",
    "1000",
    "1001",
    "50",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775807",
    "-9223372036854775809",
    "999999999999999999999999999999999999999999",
    "1e9",
    "0x10",
    "+5",
    "%2B5",
    "%31",
    "NaN",
    "null",
    "true",
    "completed,,failed,",
    "completed%00",
    "%ff%fe",
    "%e2%82",
    "%",
    "%zz",
    "0001-01-01T00:00:00Z",
    "-9999-01-01T00:00:00Z",
    "9999-12-31T23:59:60.999999999Z",
    "2026-02-30T25:61:00%2B99:99",
    "2026-11",
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "'%20OR%201=1--",
];

const NAMES: [&str; 16] = [
    "status",
    "flow",
    "queue",
    "tag",
    "since",
    "until",
    "limit",
    "cursor",
    "type",
    "job_id",
    "error_type",
    "time_filter",
    "page",
    "per_page",
    "nothing",
    "",
];

const METHODS: [&str; 14] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "PRI", "get",
    "G@T", "", "BREW",
];

const TARGETS: [&str; 12] = [
    "*",
    "http://localhost/jobs",
    "http://user:word@127.0.0.1:99999/jobs?limit=1",
    "localhost:80",
    "//jobs",
    "/jobs//",
    "/jobs/../jobs/./counts",
    "/jobs/%2e%2e/counts",
    "/jobs;a=b",
    "/jobs#part",
    "?limit=1",
    "",
];

/// Changes the first line of a request.
pub(super) fn change(dice: &mut Dice, draft: &mut Draft) {
    match dice.below(12) {
        0 => draft.method = dice.pick(&METHODS).as_bytes().to_vec(),
        1 => draft.target = dice.pick(&TARGETS).as_bytes().to_vec(),
        2 => draft.version = version(dice),
        3 => bytes::change(dice, &mut draft.target),
        4 => lengthen(dice, &mut draft.target),
        5 => encode_one(dice, &mut draft.target),
        6 => replace_segment(dice, &mut draft.target),
        7 | 8 => replace_value(dice, &mut draft.target),
        _ => add_parameter(dice, &mut draft.target),
    }
}

fn version(dice: &mut Dice) -> Vec<u8> {
    let versions = ["HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/0.9", "HTTP/1.10", "http/1.1", ""];
    dice.pick(&versions).as_bytes().to_vec()
}

fn lengthen(dice: &mut Dice, target: &mut Vec<u8>) {
    let part = *dice.pick(&[&b"a"[..], b"/", b"%41", b"&limit=1", b","]);
    let most = if dice.one_in(4) { 70_000 } else { 3_000 };
    let times = 1 + dice.below(most) / part.len();
    target.extend(part.repeat(times));
}

fn encode_one(dice: &mut Dice, target: &mut Vec<u8>) {
    let at = dice.below(target.len());
    let Some(&byte) = target.get(at) else { return };
    target.splice(at..=at, format!("%{byte:02x}").into_bytes());
}

/// A part of the path or of the query is what lies between its signs.
fn parts(target: &[u8], signs: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut bounds: Vec<usize> =
        (0..target.len()).filter(|&at| signs.contains(&target[at])).collect();
    bounds.push(target.len());
    bounds.windows(2).map(|pair| pair[0] + 1..pair[1]).collect()
}

fn replace_segment(dice: &mut Dice, target: &mut Vec<u8>) {
    let parts = parts(target, b"/?");
    if !parts.is_empty() {
        let part = dice.pick(&parts).clone();
        target.splice(part, dice.pick(&VALUES).bytes());
    }
}

fn replace_value(dice: &mut Dice, target: &mut Vec<u8>) {
    let parts = parts(target, b"=&?");
    if parts.is_empty() {
        return add_parameter(dice, target);
    }
    let part = dice.pick(&parts).clone();
    target.splice(part, dice.pick(&VALUES).bytes());
}

fn add_parameter(dice: &mut Dice, target: &mut Vec<u8>) {
    let sign = if target.contains(&b'?') { '&' } else { '?' };
    let (name, value) = (dice.pick(&NAMES), dice.pick(&VALUES));
    let equals = if dice.one_in(10) { "" } else { "=" };
    target.extend(format!("{sign}{name}{equals}{value}").bytes());
}
