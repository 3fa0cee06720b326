//! `text.*_regex`: RE2's syntax, in linear time, with a bound on the compiled form.

use std::cell::RefCell;

use regex::{Regex, RegexBuilder};
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};

use super::text::{check_growth, check_matches};
use super::{Args, Body, Function, required};
use crate::fault::{Answer, Fault};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "text.find_all_regex",
        params: &[required("source"), required("regexp")],
        doc: "The places and texts of all matches, leftmost and longest. [D]",
        examples: &[
            (
                "text.find_all_regex(\"é1b22\", \"[0-9]+\")",
                "[{\"index\":1,\"match\":\"1\"},{\"index\":3,\"match\":\"22\"}]",
            ),
            ("text.find_all_regex(\"ab\", \"a|ab\")", "[{\"index\":0,\"match\":\"ab\"}]"),
            ("text.find_all_regex(\"x\", \"(\")", "!ValueError"),
        ],
        body: Body::Pure(find_all),
    },
    Function {
        name: "text.match_regex",
        params: &[required("source"), required("regexp")],
        doc: "Whether the pattern matches anywhere. [D]",
        examples: &[
            ("text.match_regex(\"abc\", \"b\")", "true"),
            ("text.match_regex(\"abc\", \"^b\")", "false"),
            ("text.match_regex(1, \"b\")", "!TypeError"),
            ("text.match_regex(\"a\", \"(a{1000}){1000}\")", "!ValueError"),
        ],
        body: Body::Pure(|args| Ok(Value::Bool(pattern(args)?.is_match(args.text(0)?)))),
    },
    Function {
        name: "text.replace_all_regex",
        params: &[required("source"), required("regexp"), required("repl")],
        doc: "The string with every match replaced; the replacement is literal. [D]",
        examples: &[
            ("text.replace_all_regex(\"a1b22\", \"[0-9]+\", \"#\")", "\"a#b#\""),
            ("text.replace_all_regex(\"abc\", \"\", \"-\")", "\"-a-b-c-\""),
            ("text.replace_all_regex(\"baac\", \"a*\", \"-\")", "\"-b-c-\""),
            ("text.replace_all_regex(\"a1\", \"([0-9])\", \"$1\")", "\"a$1\""),
        ],
        body: Body::Pure(replace_all),
    },
];

/// A pattern in two machines: one finds where the leftmost match begins, the other where the
/// longest match from there ends. \[D\]
struct Pattern {
    leftmost: Regex,
    longest: Option<(DFA, RefCell<Cache>)>,
}

const NEST_LIMIT: u32 = 50;

fn pattern(args: &Args<'_>) -> Answer<Regex> {
    const PATTERN_BYTES: usize = 16 * 1024;
    let text = args.text(1)?;
    if text.len() > PATTERN_BYTES {
        return Err(args.invalid(1, format!("longer than {PATTERN_BYTES} bytes")));
    }
    let bytes = args.context.limits.regex_bytes as usize;
    RegexBuilder::new(text)
        .size_limit(bytes)
        .dfa_size_limit(2 * bytes)
        .nest_limit(NEST_LIMIT)
        .build()
        .map_err(|error| {
            let why = error.to_string();
            args.invalid(1, why.lines().last().unwrap_or("not a regular expression").trim())
        })
}

impl Pattern {
    fn of(args: &Args<'_>) -> Answer<Self> {
        let leftmost = pattern(args)?;
        let bytes = args.context.limits.regex_bytes as usize;
        let longest = DFA::builder()
            .configure(
                DFA::config()
                    .match_kind(MatchKind::All)
                    .unicode_word_boundary(true)
                    .cache_capacity(2 * bytes)
                    .skip_cache_capacity_check(true),
            )
            .thompson(thompson::Config::new().nfa_size_limit(Some(bytes)))
            .syntax(syntax::Config::new().nest_limit(NEST_LIMIT))
            .build(args.text(1)?)
            .ok()
            .map(|dfa| {
                let cache = dfa.create_cache();
                (dfa, RefCell::new(cache))
            });
        Ok(Self { leftmost, longest })
    }

    /// Where the longest match from a place ends. A pattern that the second machine cannot run
    /// (a word boundary beside a letter beyond ASCII) keeps the first machine's end.
    fn end(&self, text: &str, start: usize, first: usize) -> usize {
        let Some((dfa, cache)) = &self.longest else { return first };
        let input = Input::new(text).anchored(Anchored::Yes).range(start..);
        match dfa.try_search_fwd(&mut cache.borrow_mut(), &input) {
            Ok(Some(end)) => end.offset().max(first),
            _ => first,
        }
    }

    /// All matches, as ranges of bytes; an empty match beside the one before does not count.
    fn matches(&self, text: &str, args: &Args<'_>) -> Answer<Vec<(usize, usize)>> {
        let most = args.context.limits.regex_work;
        let (mut found, mut at, mut work) = (Vec::new(), 0, 0);
        while let Some(one) = self.leftmost.find_at(text, at) {
            work += (text.len() - at) as u64;
            if work > most {
                return Err(Fault::resource("a regular expression takes too long on this text"));
            }
            let (start, end) = (one.start(), self.end(text, one.start(), one.end()));
            let is_echo = start == end && found.last().is_some_and(|(_, last)| *last == end);
            if !is_echo {
                check_matches(found.len(), args)?;
                found.push((start, end));
            }
            let next = text[end..].chars().next().map_or(1, char::len_utf8);
            at = if start == end { end + next } else { end };
            if at > text.len() {
                break;
            }
        }
        Ok(found)
    }
}

fn find_all(args: &Args<'_>) -> Answer {
    let source = args.text(0)?;
    let (mut found, mut chars, mut from) = (Vec::new(), 0, 0);
    for (start, end) in Pattern::of(args)?.matches(source, args)? {
        chars += source[from..start].chars().count() as i64;
        from = start;
        found.push(Value::map([
            ("index", Value::Int(chars)),
            ("match", Value::from(&source[start..end])),
        ]));
    }
    Ok(Value::list(found))
}

fn replace_all(args: &Args<'_>) -> Answer {
    let (source, repl) = (args.text(0)?, args.text(2)?);
    let matches = Pattern::of(args)?.matches(source, args)?;
    check_growth(matches.len(), repl.len(), source.len(), args)?;
    let (mut out, mut from) = (String::new(), 0);
    for (start, end) in matches {
        out.push_str(&source[from..start]);
        out.push_str(repl);
        from = end;
    }
    out.push_str(&source[from..]);
    Ok(out.into())
}
