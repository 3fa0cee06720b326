//! `time.*`

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Args, Body, Function, optional, required};
use crate::fault::Answer;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "time.format",
        params: &[required("seconds"), optional("timezone")],
        doc: "ISO 8601 text of seconds since 1970, in a zone of the IANA list. [D]",
        examples: &[
            ("time.format(0)", "\"1970-01-01T00:00:00.000000Z\""),
            ("time.format(1715175202.5)", "\"2024-05-08T13:33:22.500000Z\""),
            ("time.format(0, \"Europe/Berlin\")", "\"1970-01-01T01:00:00.000000+01:00\""),
            ("time.format(0, \"Nowhere\")", "!ValueError"),
            ("time.format(\"0\")", "!TypeError"),
            ("time.format(1e300)", "!ValueError"),
        ],
        body: Body::Pure(format),
    },
    Function {
        name: "time.parse",
        params: &[required("value")],
        doc: "Seconds since 1970 as a double of RFC 3339 text. [D]",
        examples: &[
            ("time.parse(\"1970-01-01T00:00:01.5Z\")", "1.5"),
            ("time.parse(\"2024-05-08T15:33:22+02:00\")", "1715175202.0"),
            ("time.parse(\"yesterday\")", "!ValueError"),
            ("time.parse(1)", "!TypeError"),
        ],
        body: Body::Pure(|args| {
            let stamp = parse(args.text(0)?).map_err(|why| args.invalid(0, why))?;
            Ok(Value::Double(stamp.as_microsecond() as f64 / 1e6))
        }),
    },
];

/// The instant of RFC 3339 text.
///
/// # Errors
/// Why the text is none.
pub fn parse(text: &str) -> Result<Timestamp, jiff::Error> {
    text.trim().parse()
}

fn format(args: &Args<'_>) -> Answer {
    let micros = (args.number(0)? * 1e6).round();
    if !(-9e18..9e18).contains(&micros) {
        return Err(args.invalid(0, "out of range"));
    }
    let stamp = Timestamp::from_microsecond(micros as i64).map_err(|why| args.invalid(0, why))?;
    let name = args.text_or(1, "UTC")?;
    if name == "UTC" {
        return Ok(stamp.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string().into());
    }
    let zone =
        TimeZone::get(name).map_err(|_| args.invalid(1, format!("unknown zone {name:?}")))?;
    Ok(stamp.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string().into())
}
