//! A verb on its way to the writer, with the place where its answer is awaited.

use std::fmt;

use futures::channel::oneshot;
use jobmill_store::{Result, StoreError};

use super::trouble::{Outcome, Trouble};
use super::txn::Txn;

/// What a verb does within the writer's transaction.
///
/// It may be called twice for one request, the second time in a new transaction, and so takes
/// its input by reference.
pub(super) type Verb<I, O> = fn(&mut Txn<'_>, &I) -> Outcome<O>;

/// A verb and its input, whatever they are.
pub(super) trait Request: Send + fmt::Debug {
    /// Performs the verb and keeps its answer; an error if what it wrote must be undone.
    fn perform(&mut self, tx: &mut Txn<'_>) -> Result<()>;

    /// Keeps an error as the answer.
    fn fail(&mut self, error: StoreError);

    /// Sends the answer to whoever waits for it.
    fn answer(self: Box<Self>);

    /// About how many bytes it will write.
    fn bytes(&self) -> usize;
}

/// A request of one verb.
pub(super) struct Ask<I, O> {
    input: I,
    verb: Verb<I, O>,
    bytes: usize,
    answer: Option<Result<O>>,
    asker: oneshot::Sender<Result<O>>,
}

/// Makes a request and the place where its answer will come.
pub(super) fn ask<I, O>(
    input: I,
    verb: Verb<I, O>,
    bytes: usize,
) -> (Ask<I, O>, oneshot::Receiver<Result<O>>) {
    let (asker, receiver) = oneshot::channel();
    (Ask { input, verb, bytes, answer: None, asker }, receiver)
}

impl<I: Send, O: Send> Request for Ask<I, O> {
    fn perform(&mut self, tx: &mut Txn<'_>) -> Result<()> {
        match (self.verb)(tx, &self.input) {
            Ok(answer) => self.answer = Some(Ok(answer)),
            Err(Trouble::Refused(error)) => self.answer = Some(Err(error)),
            Err(Trouble::Failed(error)) => return Err(error),
        }
        Ok(())
    }

    fn fail(&mut self, error: StoreError) {
        self.answer = Some(Err(error));
    }

    fn answer(self: Box<Self>) {
        let Self { answer, asker, .. } = *self;
        // Whoever asked may have stopped waiting; what was done is done.
        drop(asker.send(answer.unwrap_or(Err(StoreError::Closed))));
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl<I, O> fmt::Debug for Ask<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
