//! A result as ordered chunks of text, so that a large one never sits in memory whole.
//!
//! The result of a job is one JSON value. Where it is an object, each chunk is an object of its
//! own whose entries follow on those of the chunk before, so that stock SQL can read the
//! entries; any other value is its text, cut anywhere between two characters.

/// What the result of a job is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// One object; every chunk is an object with the next entries.
    Object,
    /// Any other value; the chunks joined are its text.
    Text,
}

/// A piece of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The place of the chunk's first entry ([`Shape::Object`]) or byte ([`Shape::Text`]) in the
    /// whole result, from 0. Chunks of one result are ordered by it.
    pub first: u64,
    /// How many entries or bytes the chunk has.
    pub len: u64,
    /// The text.
    pub text: String,
}

/// The whole of a finished result, without its chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// What the chunks are made of.
    pub shape: Shape,
    /// How many entries or bytes the result has.
    pub len: u64,
}
