//! Durations as Google writes them: seconds with up to nine decimals and an `s`.

use jobmill_model::Span;

/// The text of a duration: `3s`, `1.500s`.
#[must_use]
pub fn print(span: Span) -> String {
    let (seconds, millis) = (span.as_millis() / 1_000, span.as_millis() % 1_000);
    match millis {
        0 => format!("{seconds}s"),
        _ => format!("{seconds}.{millis:03}s"),
    }
}

/// Reads a duration; what is finer than a millisecond is cut off.
#[must_use]
pub fn read(text: &str) -> Option<Span> {
    let number = text.strip_suffix('s')?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || decimals.len() > 9 || !all_digits(decimals) {
        return None;
    }
    let millis: u64 = format!("{decimals:0<3}").get(..3)?.parse().ok()?;
    Some(Span::from_millis(whole.parse::<u64>().ok()?.checked_mul(1_000)?.checked_add(millis)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_with_decimals() {
        for (text, millis) in [("0s", 0), ("3s", 3_000), ("1.500s", 1_500), ("0.007s", 7)] {
            assert_eq!(print(Span::from_millis(millis)), text);
            assert_eq!(read(text), Some(Span::from_millis(millis)));
        }
        assert_eq!(read("1.5s"), Some(Span::from_millis(1_500)));
        assert_eq!(read("0.000999999s"), Some(Span::ZERO));
    }

    #[test]
    fn other_text_is_no_duration() {
        for text in ["", "s", "1", "-1s", "1m", "1.x", "1.0000000001s", "99999999999999999999s"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
