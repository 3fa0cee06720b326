//! What waits for the writer: two lanes, of which only one is ever shed.

use std::collections::VecDeque;

use jobmill_model::Span;
use jobmill_store::{Result, StoreError};
use parking_lot::{Condvar, Mutex};

use super::request::Request;

/// Which lane a request waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// New work: bounded, and refused when full.
    Admission,
    /// What brings accepted work forward: never refused, and first.
    Urgent,
}

/// How much may wait, and how much goes into one transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) admission_requests: usize,
    pub(super) admission_bytes: usize,
    pub(super) retry_after: Span,
    pub(super) batch_requests: usize,
    pub(super) batch_bytes: usize,
}

/// The two lanes.
#[derive(Debug)]
pub(super) struct Queue {
    limits: Limits,
    lanes: Mutex<Lanes>,
    /// Something waits, or the queue is closed.
    awake: Condvar,
}

#[derive(Debug, Default)]
struct Lanes {
    urgent: VecDeque<Box<dyn Request>>,
    admissions: VecDeque<Box<dyn Request>>,
    admission_bytes: usize,
    closed: bool,
}

impl Queue {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, lanes: Mutex::default(), awake: Condvar::new() }
    }

    /// Puts a request into a lane.
    pub(super) fn push(&self, lane: Lane, request: Box<dyn Request>) -> Result<()> {
        let mut lanes = self.lanes.lock();
        if lanes.closed {
            return Err(StoreError::Closed);
        }
        match lane {
            Lane::Urgent => lanes.urgent.push_back(request),
            Lane::Admission => lanes.admit(&self.limits, request)?,
        }
        drop(lanes);
        self.awake.notify_one();
        Ok(())
    }

    /// Waits until there is something to do, and moves one transaction's worth of it into
    /// `batch`; answers whether there was something, which there is not once all is closed.
    pub(super) fn drain(&self, batch: &mut Vec<Box<dyn Request>>) -> bool {
        let mut lanes = self.lanes.lock();
        while lanes.urgent.is_empty() && lanes.admissions.is_empty() {
            if lanes.closed {
                return false;
            }
            self.awake.wait(&mut lanes);
        }
        let mut bytes = 0;
        while batch.len() < self.limits.batch_requests && bytes < self.limits.batch_bytes {
            let Some(request) = lanes.next() else { break };
            bytes += request.bytes();
            batch.push(request);
        }
        true
    }

    /// Takes nothing more in; what waits is still done.
    pub(super) fn close(&self) {
        self.lanes.lock().closed = true;
        self.awake.notify_one();
    }

    /// Takes nothing more in and drops what waits, so that nobody waits for ever.
    pub(super) fn abandon(&self) {
        *self.lanes.lock() = Lanes { closed: true, ..Lanes::default() };
    }

    /// Whether nothing more is taken in.
    pub(super) fn is_closed(&self) -> bool {
        self.lanes.lock().closed
    }
}

impl Lanes {
    /// A request larger than the whole lane is taken in when nothing else waits there.
    fn admit(&mut self, limits: &Limits, request: Box<dyn Request>) -> Result<()> {
        let bytes = self.admission_bytes.saturating_add(request.bytes());
        let full =
            self.admissions.len() >= limits.admission_requests || bytes > limits.admission_bytes;
        if full && !self.admissions.is_empty() {
            return Err(StoreError::Busy { retry_after: limits.retry_after });
        }
        self.admission_bytes = bytes;
        self.admissions.push_back(request);
        Ok(())
    }

    fn next(&mut self) -> Option<Box<dyn Request>> {
        if let Some(request) = self.urgent.pop_front() {
            return Some(request);
        }
        let request = self.admissions.pop_front()?;
        self.admission_bytes -= request.bytes();
        Some(request)
    }
}

#[cfg(test)]
mod tests {
    use super::super::request::{self, Verb};
    use super::*;

    const LIMITS: Limits = Limits {
        admission_requests: 2,
        admission_bytes: 100,
        retry_after: Span::from_secs(1),
        batch_requests: 3,
        batch_bytes: 1_000,
    };

    fn of_bytes(bytes: usize) -> Box<dyn Request> {
        let nothing: Verb<(), ()> = |_, ()| Ok(());
        Box::new(request::ask((), nothing, bytes).0)
    }

    fn drained(queue: &Queue) -> Vec<usize> {
        let mut batch = Vec::new();
        queue.drain(&mut batch);
        batch.iter().map(|request| request.bytes()).collect()
    }

    #[test]
    fn admissions_are_shed_by_number_and_by_size_and_the_rest_never() {
        let queue = Queue::new(LIMITS);
        let busy = Err(StoreError::Busy { retry_after: Span::from_secs(1) });
        assert_eq!(queue.push(Lane::Admission, of_bytes(500)), Ok(()));
        assert_eq!(queue.push(Lane::Admission, of_bytes(1)), busy);
        assert_eq!(drained(&queue), [500]);
        assert_eq!(queue.push(Lane::Admission, of_bytes(10)), Ok(()));
        assert_eq!(queue.push(Lane::Admission, of_bytes(91)), busy);
        assert_eq!(queue.push(Lane::Admission, of_bytes(90)), Ok(()));
        assert_eq!(queue.push(Lane::Admission, of_bytes(0)), busy);
        for bytes in 0..4 {
            assert_eq!(queue.push(Lane::Urgent, of_bytes(bytes)), Ok(()));
        }
        assert_eq!(drained(&queue), [0, 1, 2]);
        assert_eq!(drained(&queue), [3, 10, 90]);
    }

    #[test]
    fn a_closed_queue_is_drained_but_takes_nothing_in() {
        let queue = Queue::new(LIMITS);
        queue.push(Lane::Admission, of_bytes(7)).unwrap();
        queue.close();
        assert_eq!(queue.push(Lane::Urgent, of_bytes(1)), Err(StoreError::Closed));
        assert_eq!(drained(&queue), [7]);
        assert!(!queue.drain(&mut Vec::new()));
    }
}
