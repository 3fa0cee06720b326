//! Metrics as Prometheus reads them: the text format, version 0.0.4.

use std::fmt::Write;

use jobmill_model::metric::{Family, Kind, Sample};

/// The type of the text.
pub(crate) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes families; one without a number is left out.
pub(crate) fn text(families: &[Family]) -> String {
    let mut text = String::new();
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        // A text takes everything.
        let _ = write_family(&mut text, family);
    }
    text
}

fn write_family(text: &mut String, family: &Family) -> std::fmt::Result {
    let Family { name, help, kind, samples } = family;
    let kind = match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", escaped(help, false))?;
    for Sample { suffix, labels, value } in samples {
        write!(text, "{name}{suffix}")?;
        for (place, (label, value)) in labels.iter().enumerate() {
            let before = if place == 0 { '{' } else { ',' };
            write!(text, "{before}{label}=\"{}\"", escaped(value, true))?;
        }
        let after = if labels.is_empty() { "" } else { "}" };
        writeln!(text, "{after} {value}")?;
    }
    Ok(())
}

fn escaped(text: &str, is_quoted: bool) -> String {
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    if is_quoted { text.replace('"', "\\\"") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_a_family_without_numbers_is_left_out() {
        let family = Family::new(Kind::Counter, "a_total", "Counts a\nand \\.")
            .with([("flow", "a\"b\\\n".to_owned()), ("x", "é".to_owned())], 3)
            .with([], 4);
        let none = Family::new(Kind::Gauge, "b", "Nothing.");
        assert_eq!(
            text(&[family, none]),
            "# HELP a_total Counts a\\nand \\\\.\n# TYPE a_total counter\n\
             a_total{flow=\"a\\\"b\\\\\\n\",x=\"é\"} 3\na_total 4\n"
        );
    }
}
