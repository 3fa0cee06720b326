//! Bad input is refused in bounded time and memory, and nothing panics: hand-made bombs, and a
//! loop that mutates definitions, expressions and arguments. Seeds are printed.

#![allow(clippy::unwrap_used, reason = "a test stops where it is wrong")]

use jobmill_gcw::local::{self, QuietWorld};
use jobmill_gcw::{Checked, Limits, Workflow, check};
use jobmill_model::Value;
use std::sync::Arc;

fn first_error(checked: &Checked) -> String {
    let found = checked.diagnostics.iter().find(|finding| finding.is_error());
    found.map(|finding| format!("{}: {}", finding.code, finding.message)).unwrap_or_default()
}

fn refused(text: &str) -> String {
    let checked = check(text, &Limits::lifted());
    assert!(checked.program.is_none(), "accepted: {:.200}", text);
    first_error(&checked)
}

#[test]
fn a_source_over_its_limit_is_refused_before_it_is_read() {
    let text = format!("- a:\n    return: \"{}\"\n", "x".repeat(100 * 1024 * 1024));
    assert!(refused(&text).starts_with("source-too-large"));
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut text = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for level in 'b'..='l' {
        let before = char::from(level as u8 - 1);
        let item = format!("*{before}");
        text.push_str(&format!("{level}: &{level} [{}]\n", vec![item; 9].join(", ")));
    }
    assert!(refused(&text).starts_with("too-many-nodes"));
    let mut nested = String::from("a0: &a0 [x]\n");
    for level in 1..300 {
        nested.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(refused(&nested).starts_with("nested-too-deep"));
    assert!(refused("a: &a [*a]\n").starts_with("alias-loop"));
}

#[test]
fn deep_nests_are_refused() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", "")] {
        let text = format!("- a:\n    return: {}{}", open.repeat(20_000), close.repeat(20_000));
        assert!(!refused(&text).is_empty());
    }
    let json = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(!refused(&json).is_empty());
    let mut steps = String::from("- s:\n");
    for level in 1..200 {
        let pad = " ".repeat(level * 4);
        steps.push_str(&format!("{pad}steps:\n{pad}- s:\n"));
    }
    assert!(!refused(&steps).is_empty());
}

#[test]
fn hostile_expressions_are_refused() {
    for body in [
        "(".repeat(30_000),
        format!("{}1{}", "(".repeat(30_000), ")".repeat(30_000)),
        format!("1{}", " + 1".repeat(15_000)),
        format!("{}1", "-".repeat(30_000)),
        format!("{}true", "not ".repeat(15_000)),
        format!("x{}", ".a".repeat(30_000)),
        format!("x{}", "[0]".repeat(20_000)),
        format!("{}1{}", "[".repeat(30_000), "]".repeat(30_000)),
        format!("{}1{}", "len(".repeat(15_000), ")".repeat(15_000)),
        format!("\"{}\"", "x".repeat(70_000)),
        "\"\\u12".to_owned(),
        "\"\\ud800\"".to_owned(),
    ] {
        let text = format!("- a:\n    return: '${{{body}}}'\n");
        let why = refused(&text);
        assert!(why.starts_with("expression"), "{why} for {body:.60}");
    }
}

fn run(text: &str, limits: &Limits) -> Result<Value, String> {
    let checked = check(text, limits);
    let program = checked.program.clone().unwrap_or_else(|| panic!("{}", first_error(&checked)));
    let workflow = Workflow { program, env: Arc::default() };
    let run = local::run(&workflow, Value::Null, &mut QuietWorld::default()).unwrap();
    run.end.map_err(|fault| fault.message)
}

#[test]
fn hostile_regular_expressions_are_refused_or_linear() {
    let long = "a".repeat(20_000);
    for (pattern, expected) in [
        ("(a{1000}){1000}", "ValueError"),
        ("((((a{100}){100}){100}){100})", "ValueError"),
        ("(", "ValueError"),
        ("(a+)+$", "[]"),
        ("(a|aa)*b", "[]"),
    ] {
        let text =
            format!("- a:\n    return: '${{text.find_all_regex(\"{long}!\", \"{pattern}\")}}'\n");
        let got =
            run(&text, &Limits::lifted()).map_or_else(|error| error, |value| value.to_string());
        assert!(got.starts_with(expected), "{pattern}: {got:.200}");
    }
}

#[test]
fn values_cannot_outgrow_their_limits() {
    for grow in [
        "x + x",
        "[x, x]",
        "text.replace_all(x, \"a\", x)",
        "{\"a\": x, \"b\": x}",
        "json.encode_to_string([x, x])",
        "text.split(x + x, \"\")",
        "text.replace_all_regex(x, \"\", x)",
        "[x]",
        "list.concat([x], [x, x])",
    ] {
        let text = format!(
            "- a: {{assign: [{{x: '{}'}}]}}\n- again:\n    try:\n      assign:\n        - x: \
             '${{{grow}}}'\n    except: {{as: e, steps: [{{type_error: {{return: '${{e}}'}}}}]}}\n\
             - loop: {{next: again}}\n",
            "a".repeat(64),
        );
        let got = run(&text, &Limits::google());
        let is_bounded = match &got {
            Err(message) => message.starts_with("ResourceLimitError"),
            Ok(error) => error.to_string().contains("TypeError"),
        };
        assert!(is_bounded, "{grow}: {got:?}");
    }
}

#[test]
fn endless_loops_of_every_kind_end() {
    let mut limits = Limits::google();
    limits.steps_per_execution = 2_000;
    for text in [
        "- a: {next: a}\n",
        "- a: {for: {value: v, range: [1, 9223372036854775807], steps: [{b: {next: continue}}]}}",
        "- a:\n    try: {raise: 1}\n    retry: {predicate: '${retry.always}', max_retries: 1e18, \
         backoff: {initial_delay: 0, max_delay: 0, multiplier: 1}}\n",
        "main:\n  steps: [{a: {return: '${f(1)}'}}]\nf:\n  params: [x]\n  steps: [{a: {next: a}}]",
        "- a: {parallel: {for: {value: v, range: [1, 2], steps: [{b: {next: b}}]}}}\n",
    ] {
        let got = run(text, &limits).unwrap_err();
        assert!(got.starts_with("ResourceLimitError"), "{got}: {text}");
    }
}

/// A small generator of chance: xorshift, printed seeds.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

const PIECES: &[&str] = &[
    "${",
    "}",
    "\"",
    "'",
    ": ",
    " #",
    "- ",
    "\n",
    "    ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "|\n",
    ">\n",
    "null",
    "true",
    "-1",
    "9223372036854775807",
    "1e400",
    "0",
    ".",
    "..",
    "not ",
    " and ",
    " in ",
    "steps:",
    "next: end",
    "next: a",
    "return: ",
    "raise: x",
    "assign:\n",
    "for:",
    "parallel:",
    "retry: ${http.default_retry}",
    "try:",
    "except:",
    "as: e",
    "value: v",
    "in: ${l}",
    "index: i",
    "range: [1, 3]",
    "shared: [x]",
    "call: sys.sleep",
    "call: http.get",
    "args:",
    "result: x",
    "text.split(x, \"\")",
    "map.get(m, \"a\")",
    "(((",
    ")))",
    "\\u00e9",
    "é",
    "😀",
    "\t",
    "\u{0}",
    "? ",
    "!!str ",
    "%YAML 1.1\n",
    "---\n",
    "...\n",
    "<<: *a",
    "sys.now()",
    "uuid.generate()",
    "x[0]",
    "[x, x]",
    "f(x)",
    "main:",
    "params: [a, b: 1]",
    "switch:",
    "condition: ",
    "concurrency_limit: 2",
];

/// Puts another word of the same text, or a number, in the place of one.
fn swap_word(text: &str, chance: &mut Chance) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: Vec<(usize, &str)> = text
        .split(|c| !is_part(c))
        .filter(|word| !word.is_empty())
        .map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
        .collect();
    if words.is_empty() {
        return text.to_owned();
    }
    let (at, word) = words[chance.below(words.len())];
    let other = match chance.below(4) {
        0 => ["0", "-1", "1e9", "null", "true", "[]", "{}"][chance.below(7)],
        _ => words[chance.below(words.len())].1,
    };
    format!("{}{other}{}", &text[..at], &text[at + word.len()..])
}

fn mutate(text: &str, chance: &mut Chance) -> String {
    if chance.below(2) == 0 {
        return swap_word(text, chance);
    }
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=chance.below(3) {
        let at = chance.below(chars.len() + 1);
        match chance.below(5) {
            0 => {
                let piece = PIECES[chance.below(PIECES.len())];
                chars.splice(at..at, piece.chars());
            }
            1 => {
                let end = (at + 1 + chance.below(8)).min(chars.len());
                chars.drain(at.min(end)..end);
            }
            2 => {
                let from = chance.below(chars.len() + 1);
                let end = (from + chance.below(60)).min(chars.len());
                let part: Vec<char> = chars[from.min(end)..end].to_vec();
                chars.splice(at..at, part);
            }
            3 if !chars.is_empty() => {
                let at = at.min(chars.len() - 1);
                chars[at] = char::from(32 + chance.below(95) as u8);
            }
            _ => {
                let lines: Vec<&str> = text.lines().collect();
                let line = lines[chance.below(lines.len())];
                chars.splice(at..at, format!("\n{line}\n").chars());
            }
        }
        chars.truncate(20_000);
    }
    chars.into_iter().collect()
}

/// Definitions of the specification, as seeds of the loop.
fn seeds() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        let parts = text.split("```yaml").skip(1).chain(text.split("```json definition").skip(1));
        found.extend(parts.filter_map(|part| {
            let body = part.split_once('\n')?.1;
            Some(body.split("```").next()?.to_owned())
        }));
    }
    found.retain(|text| !text.trim().is_empty());
    found
}

/// How many mutants the loop makes; `JOBMILL_MUTANTS` asks for more.
fn mutants() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the one switch of this test")]
    let wanted = std::env::var("JOBMILL_MUTANTS").ok();
    wanted.and_then(|count| count.parse().ok()).unwrap_or(4_000)
}

#[test]
fn mutants_are_refused_or_run_and_never_panic() {
    let mut limits = Limits::google();
    limits.steps_per_execution = 500;
    let seeds = seeds();
    let (mut accepted, start) = (0, 0x5eed_0001_u64);
    println!("seeds from {start:#x}");
    for count in 0..mutants() {
        let seed = start.wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15)) | 1;
        let mut chance = Chance(seed);
        (0..4).for_each(|_| {
            chance.next();
        });
        let text = mutate(&seeds[chance.below(seeds.len())], &mut chance);
        let outcome = std::panic::catch_unwind(|| {
            let checked = check(&text, &limits);
            let Some(program) = checked.program else { return false };
            let workflow = Workflow { program, env: Arc::default() };
            let argument = Value::from_json(br#"{"a": [1, {"b": null}], "n": 5}"#).unwrap();
            let run = local::run(&workflow, argument.clone(), &mut QuietWorld::default()).unwrap();
            let (fold, effects) = local::refold(&workflow, argument, &run.journal).unwrap();
            assert_eq!((fold.end(), effects), (Some(&run.end), run.effects));
            true
        });
        match outcome {
            Ok(ran) => accepted += u64::from(ran),
            Err(_) => panic!("seed {seed:#x} (mutant {count}):\n{text}"),
        }
    }
    println!("{accepted} of {} mutants ran", mutants());
    assert!(accepted > 0);
}

/// What would take quadratic time if somebody looked at everything for each finding.
#[test]
fn many_findings_on_one_long_line_take_linear_time() {
    let steps: Vec<String> = (0..8_000)
        .map(|at| format!(r#"{{"é{at}":{{"assign":[{{"v{at}":"${{w{at} + v{at}}}"}}]}}}}"#))
        .collect();
    let one_line = format!("[{}]", steps.join(","));
    assert_eq!(check(&one_line, &Limits::lifted()).diagnostics.len(), 200);
}

#[test]
fn a_long_chain_of_subworkflows_takes_linear_time() {
    let mut chain = String::from("main:\n  steps: [{a: {call: r0}}]\n");
    for at in 0..5_000 {
        chain.push_str(&format!("r{at}:\n  steps: [{{a: {{call: r{}}}}}]\n", at + 1));
    }
    chain.push_str("r5000:\n  steps: [{a: {call: sys.sleep, args: [1]}}]\n");
    assert!(check(&chain, &Limits::lifted()).program.is_some());
}

#[test]
fn many_lost_jumps_take_linear_time() {
    let jumps: Vec<String> = (0..8_000).map(|at| format!("- a{at}: {{next: b{at}}}")).collect();
    assert_eq!(check(&jumps.join("\n"), &Limits::lifted()).diagnostics.len(), 200);
}
