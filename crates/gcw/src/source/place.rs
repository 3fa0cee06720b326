//! Places in the source: byte spans, lines and columns, excerpts with carets.

/// A range of bytes in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

/// A place as people and stack traces name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The length in characters.
    pub length: u32,
}

/// The source with the starts of its lines.
#[derive(Debug)]
pub struct Lines<'a> {
    text: &'a str,
    starts: Vec<u32>,
    /// How many characters begin before each block of bytes: columns in long lines stay cheap.
    chars: Vec<u32>,
}

/// Bytes of one block of the table of characters.
const BLOCK: usize = 128;

impl Span {
    /// A span; an end before the start becomes the start.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        let fit = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: fit(start), end: fit(end.max(start)) }
    }

    /// The span from the start of this to the end of another.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end.max(self.start) }
    }
}

impl<'a> Lines<'a> {
    /// Finds the lines of a text.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(breaks.map(|(at, _)| Span::new(at + 1, 0).start));
        let mut count = 0;
        let chars = text.as_bytes().chunks(BLOCK).map(|block| {
            let before = count;
            count += begun(block);
            before
        });
        Self { text, starts: starts.collect(), chars: chars.collect() }
    }

    /// How many characters begin before a byte.
    fn chars_before(&self, at: u32) -> u32 {
        let at = (at as usize).min(self.text.len());
        let block = at / BLOCK;
        let rest = &self.text.as_bytes()[block * BLOCK..at];
        let before = self.chars.get(block).or(self.chars.last()).copied().unwrap_or(0);
        match self.chars.get(block) {
            Some(_) => before + begun(rest),
            None => before + begun(&self.text.as_bytes()[block.saturating_sub(1) * BLOCK..at]),
        }
    }

    /// The text of a span; empty when the span is not in the text.
    #[must_use]
    pub fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Line, column and length of a span.
    #[must_use]
    pub fn position(&self, span: Span) -> Position {
        let line = self.line_of(span.start);
        let trimmed = span.start + Span::new(self.slice(span).trim_end().len(), 0).start;
        let from = self.chars_before(span.start);
        Position {
            line: u32::try_from(line + 1).unwrap_or(u32::MAX),
            column: from - self.chars_before(self.starts[line]) + 1,
            length: self.chars_before(trimmed) - from,
        }
    }

    /// The byte at a line and a column of bytes, both from 1, kept inside the text.
    #[must_use]
    pub fn offset(&self, line: usize, column: usize) -> usize {
        let line = line.clamp(1, self.starts.len()) - 1;
        let mut at = (self.starts[line] as usize + column.max(1) - 1).min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// The text of the line that a byte is in, without its end.
    #[must_use]
    pub fn line_text(&self, at: u32) -> &'a str {
        let line = self.line_of(at);
        let end = self.starts.get(line + 1).map_or(self.text.len(), |next| *next as usize);
        let text = self.text.get(self.starts[line] as usize..end).unwrap_or("");
        text.trim_end_matches(['\n', '\r'])
    }

    /// The byte that the line of a byte begins with.
    #[must_use]
    pub fn line_start(&self, at: u32) -> u32 {
        self.starts[self.line_of(at)]
    }

    /// The first line of a span with carets under it.
    #[must_use]
    pub fn excerpt(&self, span: Span) -> String {
        const WIDTH: usize = 160;
        let position = self.position(span);
        let number = position.line.to_string();
        let line = Span { start: self.line_start(span.start), end: span.start };
        let before = self.slice(line);
        let from = before.char_indices().rev().nth(WIDTH / 2).map_or(0, |(at, _)| at);
        let whole = self.line_text(span.start);
        let shown: String = whole
            .get(from..)
            .unwrap_or("")
            .chars()
            .take(WIDTH)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let column = before[from..].chars().count();
        let room = shown.chars().count().max(column + 1) - column;
        let carets = "^".repeat((position.length as usize).clamp(1, room));
        let margin = " ".repeat(number.len());
        format!("{number} | {shown}\n{margin} | {}{carets}", " ".repeat(column))
    }

    fn line_of(&self, at: u32) -> usize {
        self.starts.partition_point(|start| *start <= at).saturating_sub(1)
    }
}

/// How many characters begin in these bytes of UTF-8.
fn begun(bytes: &[u8]) -> u32 {
    let count = bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_in_long_lines_too() {
        let text = format!("{}${{x}}", "é".repeat(1000));
        let lines = Lines::new(&text);
        let position = lines.position(Span::new(2000, 2004));
        assert_eq!(position, Position { line: 1, column: 1001, length: 4 });
        let text = "a".repeat(256);
        assert_eq!(Lines::new(&text).position(Span::new(256, 256)).column, 257);
    }

    #[test]
    fn a_span_becomes_line_column_and_carets() {
        let lines = Lines::new("a: 1\nbé: ${x}\n");
        let span = Span::new(10, 14);
        assert_eq!(lines.slice(span), "${x}");
        assert_eq!(lines.position(span), Position { line: 2, column: 5, length: 4 });
        assert_eq!(lines.excerpt(span), "2 | bé: ${x}\n  |     ^^^^");
    }
}
