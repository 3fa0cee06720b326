//! A small result as one value in memory.

use jobmill_model::{Fault, Map, Value};

use super::Output;
use super::grammar::Place;

/// Keeps the result in memory, for tests, the terminal and results that are known to be small.
///
/// ```
/// use jobmill_flow::output::{Output, ValueWriter};
///
/// let mut writer = ValueWriter::default();
/// writer.begin_object()?;
/// writer.entry_text("a", "1")?;
/// writer.end_object()?;
/// assert_eq!(writer.finish()?.to_string(), r#"{"a":"1"}"#);
/// # Ok::<(), jobmill_model::Fault>(())
/// ```
#[derive(Debug, Default)]
pub struct ValueWriter {
    place: Place,
    object: Map,
    list: Vec<Value>,
    result: Value,
}

impl ValueWriter {
    /// The result.
    ///
    /// # Errors
    /// `OutputBroken` when not exactly one value was written.
    pub fn finish(mut self) -> Result<Value, Fault> {
        self.place.finish()?;
        Ok(self.result)
    }
}

impl Output for ValueWriter {
    fn begin_object(&mut self) -> Result<(), Fault> {
        self.place.begin_object()
    }

    fn entry(&mut self, key: &str, value: &Value) -> Result<(), Fault> {
        self.place.entry()?;
        self.object.insert(key, value.clone());
        Ok(())
    }

    fn entry_text(&mut self, key: &str, value: &str) -> Result<(), Fault> {
        self.place.entry()?;
        self.object.insert(key, Value::from(value));
        Ok(())
    }

    fn end_object(&mut self) -> Result<(), Fault> {
        self.place.end_object()?;
        let object = Value::from(std::mem::take(&mut self.object));
        match self.place {
            Place::List => self.list.push(object),
            _ => self.result = object,
        }
        Ok(())
    }

    fn begin_list(&mut self) -> Result<(), Fault> {
        self.place.begin_list()
    }

    fn end_list(&mut self) -> Result<(), Fault> {
        self.place.end_list()?;
        self.result = Value::from(std::mem::take(&mut self.list));
        Ok(())
    }

    fn value(&mut self, value: &Value) -> Result<(), Fault> {
        self.place.value()?;
        match self.place {
            Place::List => self.list.push(value.clone()),
            _ => self.result = value.clone(),
        }
        Ok(())
    }
}
