//! Where a flow writes its result, entry by entry, so that a large one never sits in memory.

mod chunk;
mod collect;
mod grammar;
mod join;
mod text;

use jobmill_model::{Fault, Value};

pub use chunk::ChunkWriter;
pub use collect::ValueWriter;
pub use join::{Joined, join};
pub use text::TextReader;

/// Takes one JSON value as a series of events.
///
/// Exactly one value must be written: an object, a list or a single value, nested as JSON nests.
pub trait Output {
    /// Opens an object: as the whole result or as an item of the open list.
    ///
    /// # Errors
    /// Whatever keeps the result from being stored, as for every method here.
    fn begin_object(&mut self) -> Result<(), Fault>;

    /// Writes the next entry of the open object. Its keys must differ.
    ///
    /// # Errors
    /// See [`begin_object`](Self::begin_object).
    fn entry(&mut self, key: &str, value: &Value) -> Result<(), Fault>;

    /// Writes the next entry of the open object, whose value is text.
    ///
    /// # Errors
    /// See [`begin_object`](Self::begin_object).
    fn entry_text(&mut self, key: &str, value: &str) -> Result<(), Fault>;

    /// Closes the open object.
    ///
    /// # Errors
    /// See [`begin_object`](Self::begin_object).
    fn end_object(&mut self) -> Result<(), Fault>;

    /// Opens a list as the whole result.
    ///
    /// # Errors
    /// See [`begin_object`](Self::begin_object).
    fn begin_list(&mut self) -> Result<(), Fault>;

    /// Closes the list.
    ///
    /// # Errors
    /// See [`begin_object`](Self::begin_object).
    fn end_list(&mut self) -> Result<(), Fault>;

    /// Writes a value: as the whole result or as an item of the open list.
    ///
    /// # Errors
    /// See [`begin_object`](Self::begin_object).
    fn value(&mut self, value: &Value) -> Result<(), Fault>;
}

/// Writes a value as the whole result: an object entry by entry, a list item by item.
///
/// # Errors
/// Whatever keeps the result from being stored; `OutputBroken` when something was written before.
pub fn write_value(output: &mut dyn Output, value: &Value) -> Result<(), Fault> {
    match value {
        Value::Map(map) => {
            output.begin_object()?;
            map.iter().try_for_each(|(key, value)| output.entry(key, value))?;
            output.end_object()
        }
        Value::List(items) => {
            output.begin_list()?;
            items.iter().try_for_each(|item| output.value(item))?;
            output.end_list()
        }
        other => output.value(other),
    }
}
