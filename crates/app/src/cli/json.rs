//! JSON for a person: indented, with colours that are taken out where there is no terminal.

use jobmill_model::{Map, Value};

const KEY: &str = "\x1b[36m";
const TEXT: &str = "\x1b[32m";
const OTHER: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

/// A line is filled up to here.
const WIDTH: usize = 96;
/// What fits here stays on one line even where lines are not filled.
const SHORT: usize = 72;

/// How the fields of an object are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Each on a line of its own.
    Lines,
    /// As many on a line as fit.
    Filled,
}

/// The value over several lines, each field on its own.
pub(super) fn pretty(value: &Value) -> String {
    write(value, Layout::Lines)
}

/// The value over few lines, as many fields on each as fit.
pub(super) fn filled(value: &Value) -> String {
    write(value, Layout::Filled)
}

fn write(value: &Value, layout: Layout) -> String {
    let mut writer = Writer { text: String::new(), column: 0, layout };
    writer.value(value, 0);
    writer.text
}

struct Writer {
    text: String,
    /// How many characters stand on the last line, not counting colours.
    column: usize,
    layout: Layout,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Map(map) => self.map(map, depth, self.fits(value)),
            Value::List(items) => self.list(items, depth, self.fits(value)),
            Value::String(_) => self.coloured(TEXT, value),
            _ => self.coloured(OTHER, value),
        }
    }

    fn fits(&self, value: &Value) -> bool {
        let most = if self.layout == Layout::Lines { SHORT } else { WIDTH };
        let few = !matches!(value, Value::Map(map) if self.column == 0 && map.len() > 3);
        self.column + width(value) <= most && few
    }

    fn map(&mut self, map: &Map, depth: usize, fits: bool) {
        self.plain("{");
        for (at, (key, value)) in map.iter().enumerate() {
            let key = Value::from(&**key);
            let room = WIDTH.saturating_sub(self.column + 4);
            let fill = self.layout == Layout::Filled && at > 0 && width(&key) + width(value) < room;
            self.separate(at, fits || fill, depth + 1);
            self.coloured(KEY, &key);
            self.plain(": ");
            self.value(value, depth + 1);
        }
        self.close("}", fits || map.is_empty(), depth);
    }

    fn list(&mut self, items: &[Value], depth: usize, fits: bool) {
        self.plain("[");
        for (at, item) in items.iter().enumerate() {
            self.separate(at, fits, depth + 1);
            self.value(item, depth + 1);
        }
        self.close("]", fits || items.is_empty(), depth);
    }

    fn separate(&mut self, at: usize, fits: bool, depth: usize) {
        match (at, fits) {
            (0, true) => {}
            (_, true) => self.plain(", "),
            (0, false) => self.line(depth),
            (_, false) => {
                self.plain(",");
                self.line(depth);
            }
        }
    }

    fn close(&mut self, bracket: &str, fits: bool, depth: usize) {
        if !fits {
            self.line(depth);
        }
        self.plain(bracket);
    }

    fn line(&mut self, depth: usize) {
        self.text.push('\n');
        self.text.push_str(&"  ".repeat(depth));
        self.column = 2 * depth;
    }

    fn plain(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.chars().count();
    }

    fn coloured(&mut self, colour: &str, value: &Value) {
        self.text.push_str(colour);
        self.plain(&value.to_string());
        self.text.push_str(PLAIN);
    }
}

/// How wide a value is on one line; a large one is not measured to its end.
fn width(value: &Value) -> usize {
    match value {
        Value::Map(map) if map.len() > WIDTH => usize::MAX / 4,
        Value::List(items) if items.len() > WIDTH => usize::MAX / 4,
        Value::Map(map) => {
            2 + map.iter().map(|(k, v)| k.chars().count() + 6 + width(v)).sum::<usize>()
        }
        Value::List(items) => 2 + items.iter().map(|item| 2 + width(item)).sum::<usize>(),
        other => other.to_string().chars().count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(write: fn(&Value) -> String, json: &str) -> String {
        let text = write(&Value::from_json(json.as_bytes()).unwrap());
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn short_values_stay_on_a_line_and_long_ones_are_indented() {
        assert_eq!(plain(pretty, r#"{"a":[1,"b",null]}"#), r#"{"a": [1, "b", null]}"#);
        let long = "x".repeat(80);
        assert_eq!(
            plain(pretty, &format!(r#"{{"a":["{long}"],"b":{{}}}}"#)),
            format!("{{\n  \"a\": [\n    \"{long}\"\n  ],\n  \"b\": {{}}\n}}")
        );
    }

    #[test]
    fn filled_lines_hold_as_many_fields_as_fit() {
        let fields: Vec<String> = (10..40).map(|n| format!("\"field{n}\":{n}")).collect();
        let text = plain(filled, &format!("{{{}}}", fields.join(",")));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 7, "{text}");
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn every_layout_keeps_the_value() {
        let json = r#"{"a":{"b":[{"c":1,"d":"x\ny"},[],{}]},"e":null,"f":1.5,"g":"ü"}"#;
        for write in [pretty, filled] {
            let text = plain(write, json);
            assert_eq!(Value::from_json(text.as_bytes()).unwrap().to_string(), json);
        }
    }
}
