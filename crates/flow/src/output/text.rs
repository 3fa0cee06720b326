//! A result that arrives as JSON text, piece by piece, turned into the events of an output.

use jobmill_model::{Fault, Value, limits};

use super::Output;

/// Reads one JSON value from pieces of text and writes it to an output as it arrives.
///
/// Only the part that is being read is kept: an entry of the object, an item of the list, an
/// entry of an object in the list.
///
/// ```
/// use jobmill_flow::output::{TextReader, ValueWriter};
///
/// let mut reader = TextReader::new(ValueWriter::default());
/// reader.read(br#"{"a":[1,"#)?;
/// reader.read(br#"2]} "#)?;
/// assert_eq!(reader.finish()?.finish()?.to_string(), r#"{"a":[1,2]}"#);
/// # Ok::<(), jobmill_model::Fault>(())
/// ```
pub struct TextReader<O> {
    output: O,
    place: Place,
    /// The text of the part that is being read.
    part: Vec<u8>,
    part_bytes: usize,
    /// How many brackets are open within the part.
    depth: usize,
    in_string: bool,
    after_backslash: bool,
    /// What may come before the next part.
    before: Before,
    /// How much was read before the piece at hand.
    read_bytes: u64,
}

/// Where the next byte belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    /// In a value that is neither an object nor a list.
    Single,
    Object,
    List,
    ListObject,
    End,
}

/// What has come since the bracket or the comma.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// The bracket: a part, or the end.
    Bracket,
    /// A comma: a part.
    Comma,
    /// An object of a list, which is read already: a comma, or the end.
    Object,
}

impl<O: Output> TextReader<O> {
    /// Reads parts of at most [`limits::BODY_BYTES`].
    pub fn new(output: O) -> Self {
        Self::with_limit(output, limits::BODY_BYTES)
    }

    fn with_limit(output: O, part_bytes: usize) -> Self {
        Self {
            output,
            place: Place::Start,
            part: Vec::new(),
            part_bytes,
            depth: 0,
            in_string: false,
            after_backslash: false,
            before: Before::Bracket,
            read_bytes: 0,
        }
    }

    /// Reads the next piece.
    ///
    /// # Errors
    /// `MalformedResult` where the text is not JSON or a part is too large; `ResultTooLarge`;
    /// whatever the output reports.
    pub fn read(&mut self, piece: &[u8]) -> Result<(), Fault> {
        for (at, byte) in piece.iter().enumerate() {
            self.take(*byte).map_err(|problem| match problem {
                Trouble::Output(fault) => fault,
                Trouble::Text(why) => malformed(self.read_bytes + at as u64, &why),
            })?;
        }
        self.read_bytes += piece.len() as u64;
        match self.read_bytes > limits::RESULT_BYTES {
            true => Err(Fault::last(
                "ResultTooLarge",
                format!("the text of the result has more than {} bytes", limits::RESULT_BYTES),
            )),
            false => Ok(()),
        }
    }

    /// Ends the text and gives the output back.
    ///
    /// # Errors
    /// `MalformedResult` where it broke off; whatever the output reports.
    pub fn finish(mut self) -> Result<O, Fault> {
        match self.place {
            Place::End => {}
            Place::Single => {
                let value = Value::from_json(&self.part)
                    .map_err(|error| malformed(self.read_bytes, &error.to_string()))?;
                self.output.value(&value)?;
            }
            _ => return Err(malformed(self.read_bytes, "it ends too early")),
        }
        Ok(self.output)
    }

    fn take(&mut self, byte: u8) -> Result<(), Trouble> {
        if self.in_string {
            self.in_string = self.after_backslash || byte != b'"';
            self.after_backslash = byte == b'\\' && !self.after_backslash;
            return self.keep(byte);
        }
        if self.depth > 0 {
            match byte {
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth -= 1,
                _ => self.in_string = byte == b'"',
            }
            return self.keep(byte);
        }
        if byte.is_ascii_whitespace() && self.part.is_empty() {
            return Ok(());
        }
        match (self.place, byte) {
            (Place::Start, b'{') => self.open(Place::Object),
            (Place::Start, b'[') => self.open(Place::List),
            (Place::Start | Place::Single, _) => {
                self.place = Place::Single;
                self.in_string = byte == b'"';
                self.keep(byte)
            }
            (Place::List, b'{') if self.part.is_empty() && self.before != Before::Object => {
                self.open(Place::ListObject)
            }
            (Place::Object | Place::List | Place::ListObject, b',') => self.close_part(),
            (Place::Object | Place::ListObject, b'}') | (Place::List, b']') => self.close(),
            (Place::End, _) => Err(Trouble::new("there is more after the value")),
            (Place::List, _) if self.before == Before::Object => {
                Err(Trouble::new("expected `,` or `]`"))
            }
            (Place::Object | Place::List | Place::ListObject, _) => {
                self.depth += usize::from(matches!(byte, b'{' | b'['));
                self.in_string = byte == b'"';
                self.keep(byte)
            }
        }
    }

    fn keep(&mut self, byte: u8) -> Result<(), Trouble> {
        if self.part.len() >= self.part_bytes {
            let most = self.part_bytes;
            return Err(Trouble::Text(format!("an entry or an item has at most {most} bytes")));
        }
        self.part.push(byte);
        Ok(())
    }

    fn open(&mut self, place: Place) -> Result<(), Trouble> {
        self.place = place;
        self.before = Before::Bracket;
        match place {
            Place::List => self.output.begin_list(),
            _ => self.output.begin_object(),
        }
        .map_err(Trouble::Output)
    }

    /// The end of the list or the object.
    fn close(&mut self) -> Result<(), Trouble> {
        match (self.part.is_empty(), self.before) {
            (false, _) => self.write_part()?,
            (true, Before::Comma) => return Err(Trouble::new("expected a value after the comma")),
            (true, _) => {}
        }
        let place = self.place;
        self.place = if place == Place::ListObject { Place::List } else { Place::End };
        self.before = Before::Object;
        match place {
            Place::List => self.output.end_list(),
            _ => self.output.end_object(),
        }
        .map_err(Trouble::Output)
    }

    /// The comma after a part.
    fn close_part(&mut self) -> Result<(), Trouble> {
        let is_read = self.part.is_empty() && self.before == Before::Object;
        if !is_read {
            self.write_part()?;
        }
        self.before = Before::Comma;
        Ok(())
    }

    fn write_part(&mut self) -> Result<(), Trouble> {
        if self.place == Place::List {
            let item = Value::from_json(&self.part).map_err(|it| Trouble::new(&it.to_string()))?;
            self.part.clear();
            return self.output.value(&item).map_err(Trouble::Output);
        }
        let object = [b"{", &self.part[..], b"}"].concat();
        let object = Value::from_json(&object).map_err(|it| Trouble::new(&it.to_string()))?;
        self.part.clear();
        match object.as_map().and_then(|map| map.iter().next()) {
            Some((key, value)) => self.output.entry(key, value).map_err(Trouble::Output),
            None => Err(Trouble::new("expected an entry")),
        }
    }
}

enum Trouble {
    Text(String),
    Output(Fault),
}

impl Trouble {
    fn new(why: &str) -> Self {
        Self::Text(why.to_owned())
    }
}

fn malformed(at: u64, why: &str) -> Fault {
    Fault::last("MalformedResult", format!("the result is not JSON, at byte {at}: {why}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::output::ValueWriter;
    use crate::output::chunk::tests::any_value;

    fn read(text: &str, piece_bytes: usize) -> Result<Value, Fault> {
        let mut reader = TextReader::with_limit(ValueWriter::default(), 64);
        text.as_bytes().chunks(piece_bytes).try_for_each(|piece| reader.read(piece))?;
        reader.finish()?.finish()
    }

    #[test]
    fn white_space_may_stand_wherever_json_has_it() {
        let text = " { \"a\" : [ 1 , { } ] ,\n\"b\":\"}\\\"\" }\t";
        assert_eq!(read(text, 3).unwrap().to_string(), r#"{"a":[1,{}],"b":"}\""}"#);
        let text = " [ { \"a\" : 1 } , { } , [ ] , 2 ] ";
        assert_eq!(read(text, 3).unwrap().to_string(), r#"[{"a":1},{},[],2]"#);
        assert_eq!(read(" \"a b\" ", 2).unwrap(), Value::from("a b"));
    }

    #[test]
    fn text_that_is_not_one_json_value_is_refused_with_its_place() {
        let broken = [
            "",
            " ",
            "{",
            "[",
            "[1",
            "{\"a\":1",
            "{,}",
            "[,]",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\"}",
            "{}{}",
            "[]]",
            "[1}",
            "{\"a\":1]",
            "[{}{}]",
            "[{}1]",
            "[1{}]",
            "[{\"a\":1,}]",
            "tru",
            "1 2",
            "\"a",
            "{\"a\":1 2}",
            "[1 2]",
            "{1:2}",
            "{\"a\":[}]}",
        ];
        for text in broken {
            let fault = read(text, 1).unwrap_err();
            assert_eq!(fault.code, "MalformedResult", "{text}: {fault}");
        }
        let fault = read("[1,2,]", 4).unwrap_err();
        assert_eq!(
            fault.message,
            "the result is not JSON, at byte 5: expected a value after the comma"
        );
    }

    #[test]
    fn a_part_is_bounded_and_the_whole_is_not() {
        let items = vec!["1"; 100].join(",");
        assert!(read(&format!("[{items}]"), 7).is_ok());
        let fault = read(&format!("[[{items}]]"), 7).unwrap_err();
        assert!(fault.message.ends_with("an entry or an item has at most 64 bytes"), "{fault}");
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(value in any_value(), piece_bytes in 1_usize..20) {
            let text = value.to_string();
            let mut reader = TextReader::new(ValueWriter::default());
            for piece in text.as_bytes().chunks(piece_bytes) {
                reader.read(piece).unwrap();
            }
            prop_assert_eq!(reader.finish().unwrap().finish().unwrap(), value);
        }
    }
}
