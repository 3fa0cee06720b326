//! One job: the flow runs here, and its result is kept in memory or, if large, in a file.

use std::fs::File;
use std::io::{self, Write};

use jobmill_flow::output::{ChunkWriter, Joined};
use jobmill_flow::{Flow, local};
use jobmill_model::output::{Chunk, Shape};
use jobmill_model::{Class, Fault, Value};
use tempfile::{NamedTempFile, TempPath};

use super::held::Job;

/// A larger result goes through a file, and to the server by itself.
const SMALL_BYTES: usize = 64 * 1024;

/// What came of a job.
pub(super) enum Outcome {
    /// The JSON text of its result.
    Small(String),
    /// A file with it.
    Large(TempPath),
    /// The attempt failed.
    Failed(Fault),
    /// It is to be handed back unfinished.
    Released,
}

/// Runs the flow to its end, or until the job is told to stop.
pub(super) fn perform(flow: &dyn Flow, job: &Job, input: &Value, params: &Value) -> Outcome {
    let mut spool = Spool::default();
    let mut output = ChunkWriter::new(|chunk| spool.push(&chunk).map_err(|it| not_kept(&it)));
    let ran = local::run_into(flow, input, params, &mut output, job)
        .and_then(|()| output.finish())
        .and_then(|extent| spool.finish(extent.shape).map_err(|error| not_kept(&error)));
    match ran {
        Ok(outcome) => outcome,
        Err(fault) if fault.class == Class::Cancelled => Outcome::Released,
        Err(fault) => Outcome::Failed(fault.at(format!("flow {}", flow.name()))),
    }
}

/// The end of a flow that panicked: the same work would panic again.
pub(super) fn panicked() -> Outcome {
    Outcome::Failed(Fault::last("Panic", "the flow panicked; the log of its worker says where"))
}

fn not_kept(error: &io::Error) -> Fault {
    Fault::retry("ResultNotKept", "the worker has no room for the result")
        .with_inner(error.to_string())
}

/// The JSON text of a result while it is written.
#[derive(Default)]
struct Spool {
    joined: Option<Joined>,
    text: String,
    file: Option<NamedTempFile>,
}

impl Spool {
    fn push(&mut self, chunk: &Chunk) -> io::Result<()> {
        // Only an object comes in chunks that are objects: a list begins with its bracket.
        let shape = if chunk.text.starts_with('{') { Shape::Object } else { Shape::Text };
        let joined = self.joined.get_or_insert_with(|| Joined::new(shape));
        joined.pieces(&chunk.text).iter().for_each(|piece| self.text.push_str(piece));
        if self.text.len() > SMALL_BYTES { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(NamedTempFile::new()?),
        };
        let file: &mut File = file.as_file_mut();
        file.write_all(self.text.as_bytes())?;
        self.text.clear();
        Ok(())
    }

    fn finish(mut self, shape: Shape) -> io::Result<Outcome> {
        self.text.push_str(self.joined.as_ref().unwrap_or(&Joined::new(shape)).end());
        if self.file.is_none() {
            return Ok(Outcome::Small(self.text));
        }
        self.spill()?;
        let file = self.file.expect("what was spilled is in a file");
        Ok(Outcome::Large(file.into_temp_path()))
    }
}

#[cfg(test)]
mod tests {
    use jobmill_flow::output::{Output, write_value};

    use super::*;

    fn spooled(write: impl FnOnce(&mut dyn Output) -> Result<(), Fault>) -> Outcome {
        let mut spool = Spool::default();
        let mut output = ChunkWriter::new(|chunk| spool.push(&chunk).map_err(|it| not_kept(&it)));
        write(&mut output).unwrap();
        let extent = output.finish().unwrap();
        spool.finish(extent.shape).unwrap()
    }

    #[test]
    fn a_small_result_stays_in_memory_as_it_is() {
        for text in ["{}", r#"{"a":[1],"b":"{"}"#, r#"[{"a":1},{}]"#, "[]", "\"{\"", "null"] {
            let value = Value::from_json(text.as_bytes()).unwrap();
            let outcome = spooled(|output| write_value(output, &value));
            assert!(matches!(outcome, Outcome::Small(small) if small == text), "{text}");
        }
    }

    #[test]
    fn a_large_result_is_whole_in_its_file_and_not_in_memory() {
        let entries = (0..50_000).map(|number| (format!("key {number}"), Value::from(number)));
        let value = Value::map(entries);
        let Outcome::Large(file) = spooled(|output| write_value(output, &value)) else {
            panic!("it is large");
        };
        assert_eq!(std::fs::read_to_string(&file).unwrap(), value.to_string());
    }
}
