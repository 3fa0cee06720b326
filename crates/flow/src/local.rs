//! Runs a flow right here, without a store: for tests and the terminal.

use jobmill_model::output::{Chunk, Extent};
use jobmill_model::{Fault, Value};

use crate::flow::{Flow, Unwatched, Watch, Work, invalid};
use crate::output::{ChunkWriter, Output, ValueWriter};

/// Runs a flow and gives its result as one value.
///
/// ```
/// use jobmill_flow::{ExpandReduceFlow, local};
/// use jobmill_model::Value;
///
/// let input = Value::from_json(br#"{"How are you?":"Fine.","Who are you?":"I am Bob."}"#)?;
/// let result = local::run(&ExpandReduceFlow::new(), &input, &Value::Null)?;
/// assert_eq!(result.to_string(), r#"{"How are you? Who are you?":"Fine. I am Bob."}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// `InvalidInput` with every problem when the flow refuses the input or the params; whatever
/// the flow reports; `OutputBroken` when it does not write exactly one value.
pub fn run(flow: &dyn Flow, input: &Value, params: &Value) -> Result<Value, Fault> {
    let mut output = ValueWriter::default();
    run_into(flow, input, params, &mut output, &Unwatched)?;
    output.finish()
}

/// Runs a flow and gives its result as a store would keep it.
///
/// # Errors
/// As [`run`]; `ResultTooLarge` as well.
pub fn run_chunked(
    flow: &dyn Flow,
    input: &Value,
    params: &Value,
) -> Result<(Extent, Vec<Chunk>), Fault> {
    let mut chunks = Vec::new();
    let mut output = ChunkWriter::new(|chunk| {
        chunks.push(chunk);
        Ok(())
    });
    run_into(flow, input, params, &mut output, &Unwatched)?;
    let extent = output.finish()?;
    Ok((extent, chunks))
}

/// Checks and runs a flow with an output and a watch of one's own.
///
/// # Errors
/// `InvalidInput` with every problem when the flow refuses the input or the params; whatever
/// the flow, the output or the watch report.
pub fn run_into(
    flow: &dyn Flow,
    input: &Value,
    params: &Value,
    output: &mut dyn Output,
    watch: &dyn Watch,
) -> Result<(), Fault> {
    let problems = flow.check(input, params);
    if !problems.is_empty() {
        return Err(invalid(&problems));
    }
    flow.run(Work { input, params, output, watch })
}
