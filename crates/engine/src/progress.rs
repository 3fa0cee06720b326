//! Passes on how far jobs have come: the latest word of each, a few times a second.

use std::sync::Arc;
use std::time::Duration;

use jobmill_model::job::Progress;
use jobmill_model::{JobId, Token, limits};
use jobmill_store::ProgressNote;
use parking_lot::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel as bounded};

use crate::engine::Shared;

/// A job's progress is recorded at most this often.
const RHYTHM: Duration = Duration::from_millis(250);
/// Words that wait to be recorded; a word that finds no room is left out, the next comes soon.
const WAITING: usize = 1_024;

pub(crate) type ProgressSender = Sender<ProgressNote>;

pub(crate) fn channel() -> (ProgressSender, Receiver<ProgressNote>) {
    bounded(WAITING)
}

pub(crate) async fn run(shared: Arc<Shared>, mut notes: Receiver<ProgressNote>) {
    let mut batch = Vec::new();
    while notes.recv_many(&mut batch, WAITING).await > 0 {
        match shared.store.job_progress(&batch).await {
            Ok(held) => {
                let lost = batch.iter().zip(held).filter(|(_, held)| !held);
                lost.for_each(|(note, _)| shared.running.stop_lease(note.id, note.token));
            }
            Err(error) => shared.observer.store_failed("job_progress", &error),
        }
        batch.clear();
    }
}

/// Reports the progress of one job.
pub(crate) struct Reporter<'a> {
    shared: &'a Shared,
    id: JobId,
    token: Token,
    said: Mutex<Said>,
}

#[derive(Default)]
struct Said {
    /// When something was passed on.
    at: Option<Duration>,
    /// What was said since.
    latest: Option<Progress>,
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(shared: &'a Shared, id: JobId, token: Token) -> Self {
        Self { shared, id, token, said: Mutex::default() }
    }

    /// Passes a word on. One that comes soon after another, or says that all is done, waits for the
    /// next word or for the settlement.
    pub(crate) fn report(&self, done: u64, total: u64, message: &str) {
        let now = self.shared.clock.monotonic();
        let mut said = self.said.lock();
        let latest = said.latest.get_or_insert_default();
        (latest.done, latest.total) = (done, total);
        let end = message.floor_char_boundary(limits::MESSAGE_BYTES);
        message[..end].clone_into(&mut latest.message);
        let all = total > 0 && done >= total;
        if all || said.at.is_some_and(|at| now.saturating_sub(at) < RHYTHM) {
            return;
        }
        said.at = Some(now);
        if let Some(progress) = said.latest.take() {
            let note = ProgressNote { id: self.id, token: self.token, progress };
            let _ = self.shared.progress.try_send(note);
        }
    }

    /// The last word, unless it was passed on.
    pub(crate) fn last_word(&self) -> Option<Progress> {
        self.said.lock().latest.take()
    }
}
