//! A result that a worker outside sends as text of any length.

use std::collections::BTreeSet;
use std::sync::{Arc, mpsc};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use jobmill_flow::output::{ChunkWriter, TextReader};
use jobmill_model::job::Verdict;
use jobmill_model::output::Chunk;
use jobmill_model::{Fault, JobId, State, Token};
use jobmill_store::{Settle, Settled, StoreError};
use parking_lot::Mutex;

use crate::engine::Engine;
use crate::observe::Subject;
use crate::outside::Lost;
use crate::perform::APPEND_BYTES;

/// Jobs whose results are being sent: one sender each, so that no two texts are mixed.
#[derive(Default)]
pub(crate) struct Uploads(Arc<Mutex<BTreeSet<JobId>>>);

struct Upload {
    id: JobId,
    uploads: Arc<Mutex<BTreeSet<JobId>>>,
}

impl Uploads {
    fn begin(&self, id: JobId) -> Option<Upload> {
        self.0.lock().insert(id).then(|| Upload { id, uploads: self.0.clone() })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.uploads.lock().remove(&self.id);
    }
}

/// Why a result that was being sent is not recorded.
#[derive(Debug)]
pub enum UploadError<E> {
    /// Another result of the job is being sent.
    UnderWay,
    /// The lease does not hold, or the text is not one JSON value within its limits.
    Lost(Lost),
    /// The text stopped arriving.
    Text(E),
    /// The store refused it.
    Store(StoreError),
}

impl<E> From<StoreError> for UploadError<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<E> From<Lost> for UploadError<E> {
    fn from(lost: Lost) -> Self {
        Self::Lost(lost)
    }
}

impl<E> From<Fault> for UploadError<E> {
    fn from(fault: Fault) -> Self {
        Self::Lost(Lost::Unfit(fault))
    }
}

/// A lease.
enum Held {
    Now(Subject),
    /// It ended by completing the job.
    Until(State),
}

impl Engine {
    /// Completes a job with a result whose text arrives in pieces. It is written as it arrives
    /// and published by the settlement, so whoever breaks off may send all of it again under the
    /// same lease.
    ///
    /// # Errors
    /// See [`UploadError`]; nothing is recorded then.
    pub async fn complete_with<E>(
        &self,
        id: JobId,
        token: Token,
        mut text: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<State, UploadError<E>> {
        let subject = match self.holds(id, token).await? {
            Held::Now(subject) => subject,
            Held::Until(state) => return Ok(state),
        };
        let _upload = self.shared.uploads.begin(id).ok_or(UploadError::UnderWay)?;
        let (sink, ready) = mpsc::channel();
        let writer = ChunkWriter::new(move |chunk| {
            // The receiver lives as long as the reader.
            let _ = sink.send(chunk);
            Ok(())
        });
        let mut reader = TextReader::new(writer);
        let (mut chunks, mut bytes) = (Vec::new(), 0);
        while let Some(piece) = text.next().await {
            reader.read(&piece.map_err(UploadError::Text)?)?;
            for chunk in ready.try_iter() {
                bytes += chunk.text.len();
                chunks.push(chunk);
            }
            if bytes >= APPEND_BYTES {
                self.append(id, token, std::mem::take(&mut chunks)).await?;
                bytes = 0;
            }
        }
        let extent = reader.finish()?.finish()?;
        chunks.extend(ready.try_iter());
        let verdict = Verdict::Complete(extent);
        let now = self.now();
        let settle = Settle { id, token, verdict, chunks, progress: None, now };
        match self.settle_outside(vec![(settle, subject)]).await?.pop() {
            Some(Settled::Done(state)) => Ok(state),
            Some(Settled::Stale) | None => Err(self.lost(id).await?.into()),
        }
    }

    /// Whether the lease holds, or has completed the job before, because its worker did not hear
    /// the answer.
    async fn holds<E>(&self, id: JobId, token: Token) -> Result<Held, UploadError<E>> {
        let view = self.shared.store.lease_get(&[id]).await?.pop().flatten();
        let view = view.ok_or(Lost::Unknown)?;
        if view.token == token && view.hold.is_some() {
            return Ok(Held::Now(Subject::of_lease(id, view)));
        }
        match self.lost(id).await? {
            Lost::Ended(state @ State::Completed) if view.token == token => Ok(Held::Until(state)),
            lost => Err(lost.into()),
        }
    }

    async fn append<E>(
        &self,
        id: JobId,
        token: Token,
        chunks: Vec<Chunk>,
    ) -> Result<(), UploadError<E>> {
        match self.shared.store.output_append(id, token, chunks).await? {
            true => Ok(()),
            false => Err(self.lost(id).await?.into()),
        }
    }
}
