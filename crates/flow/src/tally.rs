//! How far a flow has come, told at a bearable rhythm.

use jobmill_model::Fault;

use crate::flow::Watch;

/// Entries between two looks at the watch: under a millisecond of joining short texts.
const STRIDE: u64 = 4096;

/// Counts entries, and now and then reports them and asks whether to go on.
pub(crate) struct Tally<'a> {
    watch: &'a dyn Watch,
    done: u64,
    total: u64,
    due: u64,
    is_silent: bool,
}

impl<'a> Tally<'a> {
    /// `total` is 0 when not known.
    pub(crate) fn new(watch: &'a dyn Watch, total: u64) -> Self {
        Self { watch, done: 0, total, due: STRIDE, is_silent: false }
    }

    /// Counts what is not part of the result: it stops, but does not report.
    pub(crate) fn uncounted(&self) -> Self {
        Self { is_silent: true, ..Self::new(self.watch, 0) }
    }

    /// That many more are done.
    pub(crate) fn add(&mut self, entries: u64) -> Result<(), Fault> {
        self.done += entries;
        if self.done < self.due { Ok(()) } else { self.report() }
    }

    /// Whether to go on, where nothing can be counted.
    pub(crate) fn pause(&self) -> Result<(), Fault> {
        if self.watch.stopped() { Err(Fault::cancelled()) } else { Ok(()) }
    }

    /// Everything is done, even if entries that fell together were not counted.
    pub(crate) fn finish(self) {
        let all = self.total.max(self.done);
        self.watch.progress(all, all, "entries");
    }

    #[cold]
    fn report(&mut self) -> Result<(), Fault> {
        self.due = self.done + STRIDE;
        self.pause()?;
        if !self.is_silent {
            self.watch.progress(self.done, self.total, "entries");
        }
        Ok(())
    }
}
