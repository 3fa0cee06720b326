//! Work that goes on when the caller stops waiting.
//!
//! A door drops its future when the sender hangs up. What is half done then would stay so: a job
//! leased to this process that nobody performs, a place that is never given back, a parked
//! machine that was signalled and that nobody is woken for.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::runtime::Handle;

/// A future that is finished in the background if it is dropped before its end.
pub(crate) struct Unhurried<T: Send + 'static>(Option<BoxFuture<'static, T>>);

impl<T: Send + 'static> Unhurried<T> {
    pub(crate) fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(work.boxed()))
    }
}

impl<T: Send + 'static> Future for Unhurried<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(work) = &mut self.0 else { return Poll::Pending };
        let polled = work.poll_unpin(context);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Unhurried<T> {
    fn drop(&mut self) {
        // Without a runtime the process is ending, and the next one takes over.
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(work.map(drop));
        }
    }
}
