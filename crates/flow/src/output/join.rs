//! The whole text of a result, put back together from its chunks.

use jobmill_model::output::{Chunk, Shape};

/// Puts chunks together one by one, without copying them.
///
/// Chunks come in the order of their `first`; each gives two pieces, and
/// [`end`](Self::end) gives the last. All pieces in a row are the JSON text of the result.
///
/// ```
/// use jobmill_flow::output::Joined;
/// use jobmill_model::output::Shape;
///
/// let mut joined = Joined::new(Shape::Object);
/// let mut text = joined.pieces(r#"{"a":1}"#).concat();
/// text += &joined.pieces(r#"{"b":2}"#).concat();
/// text += joined.end();
/// assert_eq!(text, r#"{"a":1,"b":2}"#);
/// ```
#[derive(Debug, Clone)]
pub struct Joined {
    shape: Shape,
    has_entries: bool,
}

impl Joined {
    /// Nothing is put together yet.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self { shape, has_entries: false }
    }

    /// The next two pieces: what comes before the chunk, and the chunk without its braces.
    pub fn pieces<'a>(&mut self, chunk_text: &'a str) -> [&'a str; 2] {
        if self.shape == Shape::Text {
            return ["", chunk_text];
        }
        let before = if self.has_entries { "," } else { "{" };
        self.has_entries = true;
        [before, chunk_text.get(1..chunk_text.len().saturating_sub(1)).unwrap_or_default()]
    }

    /// The last piece.
    #[must_use]
    pub fn end(&self) -> &'static str {
        match (self.shape, self.has_entries) {
            (Shape::Text, _) => "",
            (Shape::Object, true) => "}",
            (Shape::Object, false) => "{}",
        }
    }
}

/// The JSON text of a whole result, from its chunks in order.
#[must_use]
pub fn join<'a>(shape: Shape, chunks: impl IntoIterator<Item = &'a Chunk>) -> String {
    let mut joined = Joined::new(shape);
    let mut text: String =
        chunks.into_iter().flat_map(|chunk| joined.pieces(&chunk.text)).collect();
    text.push_str(joined.end());
    text
}
