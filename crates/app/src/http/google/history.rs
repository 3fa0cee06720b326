//! What an execution has come to: the text of its result, or how it failed.

use jobmill_flow::output::Joined;
use jobmill_gcw::Failure as Uncaught;
use jobmill_google::wire::execution::{Failure, Frame};
use jobmill_google::wire::{Error, Status};
use jobmill_model::job::FailedAttempt;
use jobmill_model::{Job, State, Value};
use jobmill_store::{AttemptQuery, StoreError};

use super::super::refusal::Refusal;
use super::super::room::Room;

/// The longest result that is shown within an execution; Google's is far shorter.
const RESULT_BYTES: usize = 32 * 1024 * 1024;
/// How much of a result is read at once.
const READ_BYTES: usize = 256 * 1024;
/// How many failed attempts are looked through for the last one.
const ATTEMPTS: usize = 1_000;

/// The JSON text of an execution's result, if it succeeded.
pub(crate) async fn result(room: &Room, job: &Job) -> Result<Option<String>, Refusal> {
    if job.state != State::Completed {
        return Ok(None);
    }
    let Some(extent) = room.engine.extent(job.id).await? else { return Ok(None) };
    let (mut joined, mut text, mut from) = (Joined::new(extent.shape), String::new(), 0);
    while from < extent.len {
        let chunks = room.engine.output(job.id, from, READ_BYTES).await?;
        let Some(last) = chunks.last() else {
            let message = format!("chunks of job {} are missing", job.id);
            return Err(StoreError::Broken(message).into());
        };
        from = last.first + last.len;
        for chunk in &chunks {
            joined.pieces(&chunk.text).iter().for_each(|piece| text.push_str(piece));
        }
        if text.len() > RESULT_BYTES {
            return Err(too_long(job));
        }
    }
    text.push_str(joined.end());
    Ok(Some(text))
}

fn too_long(job: &Job) -> Refusal {
    let message = format!(
        "the result has more than {RESULT_BYTES} bytes; ask with view=BASIC, and read the \
         result at /jobs/{}/results",
        job.id
    );
    Error::new(Status::OutOfRange, message).into()
}

/// How an execution failed, if it did.
pub(crate) async fn failure(room: &Room, job: &Job) -> Result<Option<Failure>, Refusal> {
    if job.state != State::Failed {
        return Ok(None);
    }
    let query = AttemptQuery {
        id: job.id,
        code: None,
        since: job.started_at,
        until: None,
        skip: 0,
        limit: ATTEMPTS,
    };
    let last = room.engine.attempts(&query).await?.pop();
    let uncaught = last.as_ref().and_then(uncaught);
    Ok(uncaught.or_else(|| job.error.as_ref().map(|error| of_server(&error.code, &error.message))))
}

/// An error that the workflow raised and did not catch.
fn uncaught(attempt: &FailedAttempt) -> Option<Failure> {
    let uncaught = Uncaught::from_parts(&attempt.code, &attempt.message, &attempt.trace)?;
    let frame = |element: &jobmill_gcw::StackElement| {
        let position = element.position;
        Frame {
            routine: element.routine.to_string(),
            step: element.step.to_string(),
            position: [position.line, position.column, position.length],
        }
    };
    let stack = uncaught.stack.iter().map(frame).collect();
    Some(Failure { context: uncaught.context(), payload: uncaught.payload, stack })
}

/// A failure that was not the workflow's own, such as too many lost workers.
fn of_server(code: &str, message: &str) -> Failure {
    let text = format!("{code}: {message}");
    let tags = Value::list([code.into()]);
    let payload = Value::map([("message", text.as_str().into()), ("tags", tags)]);
    Failure { payload: payload.to_string(), context: text, stack: Vec::new() }
}
