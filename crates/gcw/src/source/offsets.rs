//! From offsets in a scalar's text to offsets in the source.

use super::place::Span;
use super::tree::Style;

/// Maps offsets of one scalar.
#[derive(Debug)]
pub struct Offsets {
    base: u32,
    /// Pairs (offset in the text, offset in the source) where the distance changes.
    shifts: Vec<(u32, u32)>,
}

impl Offsets {
    /// Aligns a scalar's text with the slice of the source that it came from. What cannot be
    /// aligned (a folded line, an unknown escape) maps to the place where alignment stopped.
    #[must_use]
    pub fn new(text: &str, slice: &str, style: Style, span: Span) -> Self {
        let mut shifts = Vec::new();
        let mut at = usize::from(matches!(style, Style::Single | Style::Double));
        if style == Style::Block {
            at = slice.find('\n').map_or(0, |end| end + 1);
        }
        let mut distance = usize::MAX;
        for (offset, wanted) in text.char_indices() {
            at = skip(slice, at, wanted);
            if at.wrapping_sub(offset) != distance {
                distance = at.wrapping_sub(offset);
                shifts.push((Span::new(offset, 0).start, Span::new(at, 0).start));
            }
            at += width(slice, at, wanted, style);
        }
        Self { base: span.start, shifts }
    }

    /// The span in the source of a span in the text.
    #[must_use]
    pub fn map(&self, span: Span) -> Span {
        let at = |offset: u32| {
            let next = self.shifts.partition_point(|(from, _)| *from <= offset);
            match next.checked_sub(1).map(|index| self.shifts[index]) {
                Some((from, to)) => self.base + to + (offset - from),
                None => self.base + offset,
            }
        };
        let last = if span.end > span.start { at(span.end - 1) + 1 } else { at(span.start) };
        Span { start: at(span.start), end: last.max(at(span.start)) }
    }
}

/// Where the wanted character begins: behind indentation and folded line ends.
fn skip(slice: &str, at: usize, wanted: char) -> usize {
    let rest = slice.get(at..).unwrap_or("");
    if rest.starts_with(wanted) || rest.starts_with('\\') {
        return at;
    }
    let blank = rest.len() - rest.trim_start().len();
    if blank > 0 && !wanted.is_whitespace() { at + blank } else { at }
}

/// How many bytes of the source the wanted character took.
fn width(slice: &str, at: usize, wanted: char, style: Style) -> usize {
    let rest = slice.get(at..).unwrap_or("");
    if style == Style::Double && rest.starts_with('\\') {
        return match rest.as_bytes().get(1) {
            Some(b'x') => 4,
            Some(b'u') if rest.get(6..8) == Some("\\u") && wanted > '\u{ffff}' => 12,
            Some(b'u') => 6,
            Some(b'U') => 10,
            _ => 2,
        };
    }
    if style == Style::Single && wanted == '\'' && rest.starts_with("''") {
        return 2;
    }
    if rest.starts_with(wanted) {
        return wanted.len_utf8();
    }
    // A line end that was folded to one space: its indentation goes with it.
    if wanted.is_whitespace() { rest.len() - rest.trim_start().len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, slice: &str, style: Style, wanted: &str) -> String {
        let offsets = Offsets::new(text, slice, style, Span::new(0, slice.len()));
        let start = text.find(wanted).unwrap();
        let span = offsets.map(Span::new(start, start + wanted.len()));
        slice[span.start as usize..span.end as usize].to_owned()
    }

    #[test]
    fn every_notation_maps_back_to_its_source() {
        assert_eq!(place("${ab}", "${ab}", Style::Plain, "ab"), "ab");
        assert_eq!(place("it's ab", "'it''s ab'", Style::Single, "ab"), "ab");
        assert_eq!(place("\"é\" + ab", r#""\"\u00e9\" + ab""#, Style::Double, "ab"), "ab");
        assert_eq!(place("${a + bc}\n", "|\n  ${a +\n bc}\n", Style::Block, "bc"), "bc");
        assert_eq!(place("${a + bc}", "${a +\n    bc}", Style::Plain, "bc"), "bc");
    }
}
