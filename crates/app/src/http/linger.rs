//! A connection that is closed without cutting off what was answered last.
//!
//! A system that closes a connection with unread bytes in it resets it, and what is still on its
//! way to the other side is lost. So a sender that goes on sending after it was refused would not
//! get to read why. Here the end of the answer is sent first, and what still comes is thrown away
//! for a while.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::future::BoxFuture;
use jobmill_model::Span;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

use super::deadline;

/// How much is thrown away at most.
const BYTES: usize = 64 * 1024 * 1024;
/// How long the other side may go on sending.
const WHOLE: Span = Span::from_secs(10);
/// How long it may be silent without closing its side too.
const SILENT: Span = Span::from_secs(2);
/// How much is taken at once.
const PIECE_BYTES: usize = 16 * 1024;

/// A stream that, at its end, reads on until the other side has ended too.
pub(crate) struct Linger<T> {
    stream: T,
    /// At the shutdown of the server nobody is waited for who is silent.
    closing: watch::Receiver<bool>,
    stage: Stage,
}

enum Stage {
    Open,
    Lingering(Rest),
    Closed,
}

/// What is still waited for.
struct Rest {
    left: usize,
    over: BoxFuture<'static, ()>,
    silent: BoxFuture<'static, ()>,
}

impl<T> Linger<T> {
    pub(crate) fn new(stream: T, closing: watch::Receiver<bool>) -> Self {
        Self { stream, closing, stage: Stage::Open }
    }

    fn rest(&self) -> Rest {
        let silent = if *self.closing.borrow() { Span::ZERO } else { SILENT };
        Rest {
            left: BYTES,
            over: Box::pin(deadline::pause(WHOLE)),
            silent: Box::pin(deadline::pause(silent)),
        }
    }
}

impl Rest {
    /// Throws away what comes, until nothing comes any more or it is too much or too slow.
    fn poll(&mut self, stream: &mut (impl AsyncRead + Unpin), cx: &mut Context<'_>) -> Poll<()> {
        let mut piece = [std::mem::MaybeUninit::uninit(); PIECE_BYTES];
        while self.left > 0 && self.over.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::uninit(&mut piece);
            match Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
                Poll::Pending => return self.silent.as_mut().poll(cx),
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.left = self.left.saturating_sub(buffer.filled().len());
                    self.silent = Box::pin(deadline::pause(SILENT));
                }
                Poll::Ready(_) => return Poll::Ready(()),
            }
        }
        Poll::Ready(())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Linger<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Linger<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match &mut this.stage {
                Stage::Open => {
                    ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
                    this.stage = Stage::Lingering(this.rest());
                }
                Stage::Lingering(rest) => {
                    ready!(rest.poll(&mut this.stream, cx));
                    this.stage = Stage::Closed;
                }
                Stage::Closed => return Poll::Ready(Ok(())),
            }
        }
    }
}
