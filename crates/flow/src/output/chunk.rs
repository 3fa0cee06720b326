//! A result cut into chunks while it is written.

use jobmill_model::output::{Chunk, Extent, Shape};
use jobmill_model::{Fault, Value, limits};
use serde_json::to_writer;

use super::Output;
use super::grammar::{Place, broken};

/// Cuts a result into chunks and hands each to a sink.
///
/// An object becomes chunks of [`Shape::Object`], each a JSON object with the next entries; an
/// entry is never cut, so a chunk with a large entry is larger than asked. Any other value
/// becomes chunks of [`Shape::Text`], cut between two characters. An empty object has no chunk.
///
/// ```
/// use jobmill_flow::output::{ChunkWriter, Output};
/// use jobmill_model::output::{Extent, Shape};
///
/// let mut chunks = Vec::new();
/// let mut writer = ChunkWriter::new(|chunk| {
///     chunks.push(chunk);
///     Ok(())
/// });
/// writer.begin_object()?;
/// writer.entry_text("a b", "1 2")?;
/// writer.end_object()?;
/// assert_eq!(writer.finish()?, Extent { shape: Shape::Object, len: 1 });
/// assert_eq!(chunks[0].text, r#"{"a b":"1 2"}"#);
/// # Ok::<(), jobmill_model::Fault>(())
/// ```
pub struct ChunkWriter<S> {
    sink: S,
    chunk_bytes: usize,
    result_bytes: u64,
    /// What is left of `result_bytes`.
    room_bytes: u64,
    place: Place,
    shape: Shape,
    /// Text that no chunk holds yet.
    buffer: Vec<u8>,
    /// Where the buffer begins in the whole result, in entries or bytes.
    first: u64,
    /// Entries in the buffer, for [`Shape::Object`].
    entries: u64,
    /// What comes before the next item of the list: its bracket or a comma.
    before_item: u8,
    /// What comes before the next entry of the object: its brace or a comma.
    before_entry: u8,
}

impl<S: FnMut(Chunk) -> Result<(), Fault>> ChunkWriter<S> {
    /// Cuts at [`limits::CHUNK_BYTES`] and refuses more than [`limits::RESULT_BYTES`].
    pub fn new(sink: S) -> Self {
        Self::with_limits(sink, limits::CHUNK_BYTES, limits::RESULT_BYTES)
    }

    /// Cuts at about `chunk_bytes` (at least 4) and refuses more than `result_bytes` of text.
    pub fn with_limits(sink: S, chunk_bytes: usize, result_bytes: u64) -> Self {
        Self {
            sink,
            chunk_bytes: chunk_bytes.max(4),
            result_bytes,
            room_bytes: result_bytes,
            place: Place::Start,
            shape: Shape::Text,
            buffer: Vec::new(),
            first: 0,
            entries: 0,
            before_item: b'[',
            before_entry: b'{',
        }
    }

    /// Hands over what is left and says how long the result is.
    ///
    /// # Errors
    /// `OutputBroken` when not exactly one value was written or an event failed;
    /// `ResultTooLarge`; whatever the sink reports.
    pub fn finish(mut self) -> Result<Extent, Fault> {
        self.place.finish()?;
        match self.shape {
            Shape::Object => self.flush_entries()?,
            Shape::Text => self.spill(1)?,
        }
        Ok(Extent { shape: self.shape, len: self.first })
    }

    fn open_entry(&mut self, key: &str) -> Result<(), Fault> {
        self.place.entry()?;
        self.buffer.push(self.before_entry);
        self.before_entry = b',';
        self.json(|buffer| to_writer(buffer, key))?;
        self.buffer.push(b':');
        Ok(())
    }

    fn close_entry(&mut self) -> Result<(), Fault> {
        if self.place == Place::ListObject {
            return self.spill(self.chunk_bytes);
        }
        self.entries += 1;
        if self.buffer.len() >= self.chunk_bytes { self.flush_entries() } else { Ok(()) }
    }

    fn open_item(&mut self) {
        self.buffer.push(self.before_item);
        self.before_item = b',';
    }

    fn json(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> serde_json::Result<()>,
    ) -> Result<(), Fault> {
        write(&mut self.buffer).map_err(|error| {
            self.place = Place::Broken;
            broken("a value is not JSON").with_inner(error.to_string())
        })
    }

    fn flush_entries(&mut self) -> Result<(), Fault> {
        if self.entries == 0 {
            return Ok(());
        }
        self.buffer.push(b'}');
        self.before_entry = b'{';
        let room = Vec::with_capacity(self.chunk_bytes + self.chunk_bytes / 8);
        let text = std::mem::replace(&mut self.buffer, room);
        let entries = std::mem::take(&mut self.entries);
        self.emit(text, entries)
    }

    /// Hands over text in whole chunks while at least `least_bytes` of it wait.
    fn spill(&mut self, least_bytes: usize) -> Result<(), Fault> {
        if self.buffer.len() < least_bytes {
            return Ok(());
        }
        let text = std::mem::take(&mut self.buffer);
        let mut rest = text.as_slice();
        while rest.len() >= least_bytes {
            let (piece, others) = rest.split_at(cut(rest, self.chunk_bytes));
            self.emit(piece.to_vec(), piece.len() as u64)?;
            rest = others;
        }
        self.buffer.extend_from_slice(rest);
        Ok(())
    }

    fn emit(&mut self, text: Vec<u8>, len: u64) -> Result<(), Fault> {
        let text = String::from_utf8(text).expect("JSON is UTF-8 and is cut between characters");
        let handed_over = match self.room_bytes.checked_sub(text.len() as u64) {
            Some(room) => {
                self.room_bytes = room;
                (self.sink)(Chunk { first: self.first, len, text })
            }
            None => {
                let most = self.result_bytes;
                let message = format!("the result has more text than the {most} bytes allowed");
                Err(Fault::last("ResultTooLarge", message))
            }
        };
        self.first += len;
        handed_over.inspect_err(|_| self.place = Place::Broken)
    }
}

/// The end of the longest piece of at most `most` bytes that ends between two characters.
fn cut(text: &[u8], most: usize) -> usize {
    let within = |end: &usize| text.get(*end).is_none_or(|byte| byte & 0xC0 != 0x80);
    (1..=most.min(text.len())).rev().find(within).unwrap_or(text.len())
}

impl<S: FnMut(Chunk) -> Result<(), Fault>> Output for ChunkWriter<S> {
    fn begin_object(&mut self) -> Result<(), Fault> {
        self.place.begin_object()?;
        self.before_entry = b'{';
        match self.place {
            Place::Object => self.shape = Shape::Object,
            _ => self.open_item(),
        }
        Ok(())
    }

    fn entry(&mut self, key: &str, value: &Value) -> Result<(), Fault> {
        self.open_entry(key)?;
        self.json(|buffer| to_writer(buffer, value))?;
        self.close_entry()
    }

    fn entry_text(&mut self, key: &str, value: &str) -> Result<(), Fault> {
        self.open_entry(key)?;
        self.json(|buffer| to_writer(buffer, value))?;
        self.close_entry()
    }

    fn end_object(&mut self) -> Result<(), Fault> {
        self.place.end_object()?;
        if self.place == Place::List {
            if self.before_entry == b'{' {
                self.buffer.push(b'{');
            }
            self.buffer.push(b'}');
        }
        Ok(())
    }

    fn begin_list(&mut self) -> Result<(), Fault> {
        self.place.begin_list()
    }

    fn end_list(&mut self) -> Result<(), Fault> {
        self.place.end_list()?;
        if self.before_item == b'[' {
            self.buffer.push(b'[');
        }
        self.buffer.push(b']');
        Ok(())
    }

    fn value(&mut self, value: &Value) -> Result<(), Fault> {
        if let (Place::Start, Value::Map(map)) = (self.place, value) {
            self.begin_object()?;
            map.iter().try_for_each(|(key, value)| self.entry(key, value))?;
            return self.end_object();
        }
        self.place.value()?;
        if self.place == Place::List {
            self.open_item();
        }
        self.json(|buffer| to_writer(buffer, value))?;
        self.spill(self.chunk_bytes)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::output::{join, write_value};
    use jobmill_model::Map;
    use proptest::prelude::*;

    fn chunks_of(value: &Value, chunk_bytes: usize) -> (Extent, Vec<Chunk>) {
        let mut chunks = Vec::new();
        let mut writer = ChunkWriter::with_limits(
            |chunk| {
                chunks.push(chunk);
                Ok(())
            },
            chunk_bytes,
            u64::MAX,
        );
        write_value(&mut writer, value).unwrap();
        let extent = writer.finish().unwrap();
        (extent, chunks)
    }

    fn broken_by(write: impl FnOnce(&mut dyn Output) -> Result<(), Fault>) -> Fault {
        let mut writer = ChunkWriter::new(|_| Ok(()));
        let fault = write(&mut writer).and_then(|()| writer.finish().map(drop)).unwrap_err();
        assert_eq!(fault.code, "OutputBroken");
        fault
    }

    #[test]
    fn each_chunk_of_an_object_is_an_object_with_the_next_entries() {
        let value = Value::from_json(br#"{"a":"1","b":[2],"c":null}"#).unwrap();
        let (extent, chunks) = chunks_of(&value, 10);
        assert_eq!(extent, Extent { shape: Shape::Object, len: 3 });
        let pieces: Vec<_> = chunks.iter().map(|it| (it.first, it.len, &*it.text)).collect();
        assert_eq!(pieces, [(0, 2, r#"{"a":"1","b":[2]}"#), (2, 1, r#"{"c":null}"#)]);
    }

    #[test]
    fn other_values_are_cut_between_characters() {
        let (extent, chunks) = chunks_of(&Value::from("ää€"), 4);
        assert_eq!(extent, Extent { shape: Shape::Text, len: 9 });
        let pieces: Vec<_> = chunks.iter().map(|it| (it.first, it.len, &*it.text)).collect();
        assert_eq!(pieces, [(0, 3, "\"ä"), (3, 2, "ä"), (5, 4, "€\"")]);
    }

    #[test]
    fn an_empty_object_has_no_chunk() {
        let (extent, chunks) = chunks_of(&Value::from(Map::new()), 10);
        assert_eq!((extent, chunks), (Extent { shape: Shape::Object, len: 0 }, vec![]));
    }

    #[test]
    fn objects_of_a_list_stream_into_text() {
        let mut chunks = Vec::new();
        let mut writer = ChunkWriter::new(|chunk: Chunk| {
            chunks.push(chunk.text);
            Ok(())
        });
        writer.begin_list().unwrap();
        writer.begin_object().unwrap();
        writer.end_object().unwrap();
        writer.begin_object().unwrap();
        writer.entry_text("a", "\"\n").unwrap();
        writer.entry("b", &Value::from(1)).unwrap();
        writer.end_object().unwrap();
        writer.value(&Value::Null).unwrap();
        writer.end_list().unwrap();
        writer.finish().unwrap();
        assert_eq!(chunks, [r#"[{},{"a":"\"\n","b":1},null]"#]);
    }

    #[test]
    fn anything_but_exactly_one_value_is_refused() {
        broken_by(|_| Ok(()));
        broken_by(|output| output.begin_object());
        broken_by(|output| output.begin_list());
        broken_by(|output| output.entry_text("a", "b"));
        broken_by(|output| output.end_list());
        broken_by(|output| {
            output.begin_object()?;
            output.begin_object()
        });
        let fault = broken_by(|output| {
            output.value(&Value::Null)?;
            output.value(&Value::Null)
        });
        assert_eq!(
            fault.message,
            "the flow does not write exactly one value: \
             a value is written after the result is complete"
        );
    }

    #[test]
    fn an_event_that_failed_is_not_forgotten() {
        let mut writer =
            ChunkWriter::with_limits(|_| Err(Fault::retry("Full", "disk")), 4, u64::MAX);
        assert_eq!(writer.value(&Value::from("long enough")).unwrap_err().code, "Full");
        assert_eq!(writer.finish().unwrap_err().code, "OutputBroken");
    }

    #[test]
    fn a_result_over_its_limit_is_refused_before_it_is_handed_over() {
        let mut seen = 0;
        let mut writer = ChunkWriter::with_limits(
            |chunk: Chunk| {
                seen += chunk.text.len();
                Ok(())
            },
            8,
            20,
        );
        let fault = writer.value(&Value::from("x".repeat(100))).unwrap_err();
        assert_eq!(fault.code, "ResultTooLarge");
        drop(writer);
        assert_eq!(seen, 16);
    }

    pub(crate) fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_filter("finite", |it| it.is_finite()).prop_map(Value::from),
            "\\PC*|[\u{0}-\u{ff}]*".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((".*", inner), 0..6).prop_map(Value::map),
            ]
        })
    }

    proptest! {
        #[test]
        fn joined_chunks_are_the_compact_text(value in any_value(), chunk_bytes in 1_usize..60) {
            let (extent, chunks) = chunks_of(&value, chunk_bytes);
            prop_assert_eq!(join(extent.shape, &chunks), value.to_string());
        }

        #[test]
        fn chunks_follow_on_each_other(value in any_value(), chunk_bytes in 1_usize..60) {
            let (extent, chunks) = chunks_of(&value, chunk_bytes);
            let mut next = 0;
            for chunk in &chunks {
                prop_assert_eq!(chunk.first, next);
                prop_assert!(chunk.len > 0);
                let len = match extent.shape {
                    Shape::Object => {
                        let object = Value::from_json(chunk.text.as_bytes()).unwrap();
                        object.as_map().unwrap().len()
                    }
                    Shape::Text => chunk.text.len(),
                };
                prop_assert_eq!(chunk.len, len as u64);
                next += chunk.len;
            }
            prop_assert_eq!(extent.len, next);
        }
    }
}
