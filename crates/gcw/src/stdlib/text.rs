//! `text.*` without regular expressions. Places count characters. [?]

use super::{Args, Body, Function, optional, required};
use crate::fault::{Answer, Fault};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "text.decode",
        params: &[required("data"), optional("charset")],
        doc: "The string that bytes hold; UTF-8 unless told otherwise. [D]",
        examples: &[
            ("text.decode(text.encode(\"héé\"))", "\"héé\""),
            ("text.decode(base64.decode(\"/w==\"))", "!ValueError"),
            ("text.decode(\"x\")", "!TypeError"),
        ],
        body: Body::Pure(decode),
    },
    Function {
        name: "text.encode",
        params: &[required("text"), optional("charset")],
        doc: "The bytes of a string; UTF-8 unless told otherwise. [D]",
        examples: &[
            ("base64.encode(text.encode(\"hé\"))", "\"aMOp\""),
            ("text.encode(\"x\", \"EBCDIC\")", "!ValueError"),
        ],
        body: Body::Pure(encode),
    },
    Function {
        name: "text.find_all",
        params: &[required("source"), required("substr")],
        doc: "The places at which a string occurs. [D]",
        examples: &[
            ("text.find_all(\"héhé\", \"hé\")", "[0,2]"),
            ("text.find_all(\"abc\", \"x\")", "[]"),
            ("text.find_all(\"ab\", \"\")", "[0,1,2]"),
            ("text.find_all(1, \"x\")", "!TypeError"),
        ],
        body: Body::Pure(find_all),
    },
    Function {
        name: "text.replace_all",
        params: &[required("source"), required("substr"), required("repl")],
        doc: "The string with every occurrence replaced. [D]",
        examples: &[("text.replace_all(\"a-b-c\", \"-\", \"+\")", "\"a+b+c\"")],
        body: Body::Pure(replace_all),
    },
    Function {
        name: "text.split",
        params: &[required("source"), required("separator")],
        doc: "The parts of a string between separators. [D]",
        examples: &[
            ("text.split(\"a,b,\", \",\")", "[\"a\",\"b\",\"\"]"),
            ("text.split(\"ab\", \"\")", "[\"a\",\"b\"]"),
        ],
        body: Body::Pure(|args| {
            let (source, separator) = (args.text(0)?, args.text(1)?);
            let most = args.context.limits.text_matches as usize + 1;
            let parts: Vec<Value> = match separator.is_empty() {
                true => source.chars().take(most).map(|c| c.to_string().into()).collect(),
                false => source.split(&**separator).take(most).map(Value::from).collect(),
            };
            check_matches(parts.len().saturating_sub(1), args)?;
            Ok(Value::list(parts))
        }),
    },
    Function {
        name: "text.substring",
        params: &[required("source"), required("start"), required("end")],
        doc: "The characters from a place up to, not with, another; an end behind the text is cut, \
              as a sample needs it. [S]",
        examples: &[
            ("text.substring(\"héllo\", 1, 3)", "\"él\""),
            ("text.substring(\"abc\", 0, 50)", "\"abc\""),
            ("text.substring(\"abc\", 2, 1)", "!ValueError"),
            ("text.substring(\"abc\", -1, 1)", "!IndexError"),
            ("text.substring(\"abc\", 0, \"1\")", "!TypeError"),
        ],
        body: Body::Pure(substring),
    },
    Function {
        name: "text.to_lower",
        params: &[required("source")],
        doc: "The string in lower case. [D]",
        examples: &[("text.to_lower(\"ÄB\")", "\"äb\"")],
        body: Body::Pure(|args| Ok(args.text(0)?.to_lowercase().into())),
    },
    Function {
        name: "text.to_upper",
        params: &[required("source")],
        doc: "The string in upper case. [D]",
        examples: &[("text.to_upper(\"äb\")", "\"ÄB\""), ("text.to_upper(1)", "!TypeError")],
        body: Body::Pure(|args| Ok(args.text(0)?.to_uppercase().into())),
    },
    Function {
        name: "text.url_encode",
        params: &[required("source")],
        doc: "The string for a URL, a space as %20. [D]",
        examples: &[("text.url_encode(\"a b/é~\")", "\"a%20b%2F%C3%A9~\"")],
        body: Body::Pure(|args| Ok(url_encode(args.text(0)?, "%20").into())),
    },
    Function {
        name: "text.url_encode_plus",
        params: &[required("source")],
        doc: "The string for a URL's query, a space as +. [D]",
        examples: &[("text.url_encode_plus(\"a b+c\")", "\"a+b%2Bc\"")],
        body: Body::Pure(|args| Ok(url_encode(args.text(0)?, "+").into())),
    },
    Function {
        name: "text.url_decode",
        params: &[required("source")],
        doc: "The string that URL-encoded text stands for; + is a space. [D]",
        examples: &[
            ("text.url_decode(\"a%20b+c%C3%A9\")", "\"a b cé\""),
            ("text.url_decode(\"%zz\")", "!ValueError"),
        ],
        body: Body::Pure(url_decode),
    },
];

fn charset(args: &Args<'_>) -> Answer<&'static str> {
    let name = args.text_or(1, "UTF-8")?;
    match name.to_ascii_uppercase().replace('_', "-").as_str() {
        "UTF-8" | "UTF8" => Ok("UTF-8"),
        "US-ASCII" | "ASCII" => Ok("ASCII"),
        "ISO-8859-1" | "LATIN1" | "LATIN-1" => Ok("LATIN1"),
        _ => Err(args.invalid(1, format!("unknown charset {name:?}"))),
    }
}

fn decode(args: &Args<'_>) -> Answer {
    let bytes = args.bytes(0)?;
    let charset = charset(args)?;
    if charset == "LATIN1" {
        return Ok(bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if charset == "UTF-8" || text.is_ascii() => Ok(text.into()),
        _ => Err(args.invalid(0, format!("not {charset}"))),
    }
}

fn encode(args: &Args<'_>) -> Answer {
    let text = args.text(0)?;
    let unfit = || args.invalid(0, "a character is not in the charset");
    match charset(args)? {
        "ASCII" if !text.is_ascii() => Err(unfit()),
        "LATIN1" => {
            let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
            bytes.map(Value::bytes).ok_or_else(unfit)
        }
        _ => Ok(Value::bytes(text.as_bytes())),
    }
}

fn find_all(args: &Args<'_>) -> Answer {
    let (source, wanted) = (args.text(0)?, args.text(1)?);
    let (mut places, mut chars, mut from) = (Vec::new(), 0, 0);
    for (at, _) in source.match_indices(&**wanted) {
        chars += source[from..at].chars().count() as i64;
        from = at;
        check_matches(places.len(), args)?;
        places.push(Value::Int(chars));
    }
    Ok(Value::list(places))
}

/// One more match, unless that is over the limit.
///
/// # Errors
/// A resource error.
pub(super) fn check_matches(found: usize, args: &Args<'_>) -> Answer<()> {
    let most = args.context.limits.text_matches;
    if found as u64 >= most {
        return Err(Fault::resource(format!("more than {most} matches")));
    }
    Ok(())
}

/// Refuses a replacement whose text would be over the limit, before it is built.
///
/// # Errors
/// A resource error.
pub(super) fn check_growth(
    matches: usize,
    repl: usize,
    source: usize,
    args: &Args<'_>,
) -> Answer<()> {
    let most = args.context.limits.string_bytes;
    if matches.saturating_mul(repl).saturating_add(source) as u64 > most.saturating_mul(2) {
        return Err(Fault::resource(format!("a string is longer than {most} bytes")));
    }
    Ok(())
}

fn replace_all(args: &Args<'_>) -> Answer {
    let (source, wanted, repl) = (args.text(0)?, args.text(1)?, args.text(2)?);
    check_growth(source.matches(&**wanted).count(), repl.len(), source.len(), args)?;
    Ok(source.replace(&**wanted, repl).into())
}

fn substring(args: &Args<'_>) -> Answer {
    let (source, start, end) = (args.text(0)?, args.int(1)?, args.int(2)?);
    let (Ok(from), Ok(to)) = (usize::try_from(start), usize::try_from(end)) else {
        return Err(Fault::index(format!("substring out of range: {start} to {end}")));
    };
    if to < from {
        return Err(args.invalid(2, format!("{end} is before {start}")));
    }
    Ok(source.chars().skip(from).take(to - from).collect::<String>().into())
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
#[must_use]
pub fn url_encode(text: &str, space: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push_str(space),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn url_decode(args: &Args<'_>) -> Answer {
    let source = args.text(0)?.as_bytes();
    let mut out = Vec::with_capacity(source.len());
    let mut at = 0;
    while let Some(byte) = source.get(at) {
        at += 1;
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let hex = |at: usize| source.get(at).and_then(|b| char::from(*b).to_digit(16));
                let (Some(high), Some(low)) = (hex(at), hex(at + 1)) else {
                    return Err(args.invalid(0, "a bad % escape"));
                };
                out.push((high * 16 + low) as u8);
                at += 2;
            }
            other => out.push(*other),
        }
    }
    String::from_utf8(out).map(Value::from).map_err(|_| args.invalid(0, "not UTF-8"))
}
