//! Resolution of plain scalars by the core schema of YAML 1.2.
//!
//! `true True TRUE` and their opposites are booleans \[D\]; `yes`, `on` and their like are text
//! [?]; `010` is the integer 10, `0o10` is 8, `1_000` is text.

use super::tree::Kind;

/// What a plain scalar is; `None` means text.
#[must_use]
pub(super) fn resolve(text: &str) -> Option<Kind> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Some(Kind::Null),
        "true" | "True" | "TRUE" => Some(Kind::Bool(true)),
        "false" | "False" | "FALSE" => Some(Kind::Bool(false)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(Kind::Double(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => Some(Kind::Double(f64::NEG_INFINITY)),
        ".nan" | ".NaN" | ".NAN" => Some(Kind::Double(f64::NAN)),
        _ => number(text),
    }
}

fn number(text: &str) -> Option<Kind> {
    let (radix, digits) = match text.get(..2) {
        Some("0x") => (16, &text[2..]),
        Some("0o") => (8, &text[2..]),
        _ => return decimal(text),
    };
    let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if plain { i64::from_str_radix(digits, radix).ok().map(Kind::Int) } else { None }
}

fn decimal(text: &str) -> Option<Kind> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    if let Some(exponent) = exponent {
        let power = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if power.is_empty() || !digits(power) {
            return None;
        }
    } else if !mantissa.contains('.')
        && let Ok(int) = text.strip_prefix('+').unwrap_or(text).parse()
    {
        return Some(Kind::Int(int));
    }
    text.parse().ok().map(Kind::Double)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for (text, expected) in [
            ("1", "Some(Int(1))"),
            ("-7", "Some(Int(-7))"),
            ("010", "Some(Int(10))"),
            ("0x1F", "Some(Int(31))"),
            ("1.50", "Some(Double(1.5))"),
            ("1e3", "Some(Double(1000.0))"),
            ("9223372036854775808", "Some(Double(9.223372036854776e18))"),
            ("~", "Some(Null)"),
            ("TRUE", "Some(Bool(true))"),
            ("yes", "None"),
            ("1_000", "None"),
            ("-", "None"),
            (".", "None"),
            ("1.2.3", "None"),
            ("0x-1", "None"),
            ("infinity", "None"),
        ] {
            assert_eq!(format!("{:?}", resolve(text)), expected, "{text}");
        }
    }
}
