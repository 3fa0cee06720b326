//! Takes connections until the shutdown, then lets what is under way finish.
//!
//! There is a loop of our own because the web framework's has no time limit for request heads,
//! no cap on connections, and waits for ever on streams at a shutdown.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jobmill_engine::Engine;
use jobmill_model::Span;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tracing::{debug, warn};

use super::door::Door;
use super::linger::Linger;
use super::patience::Patience;
use super::room::until_closing;
use super::{Settings, deadline};

/// The largest request head.
const HEAD_BYTES: usize = 64 * 1024;
/// How long to wait for a socket when the system has run out of them.
const STEP_BACK: Span = Span::from_millis(50);

/// Serves HTTP on a listener until `shutdown`, then until every connection is done, but not
/// longer than one request may take.
///
/// # Errors
/// A listener without an address.
pub async fn serve(
    listener: TcpListener,
    engine: Engine,
    settings: Settings,
    shutdown: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    listener.local_addr()?;
    let (close, closing) = watch::channel(false);
    let (request, head) = (settings.request_timeout, settings.header_timeout);
    let places = Arc::new(Semaphore::new(settings.connections.max(1)));
    let door = Arc::new(Door::new(engine, settings, closing.clone()));
    let mut talks = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, place) = tokio::select! {
            () = &mut shutdown => break,
            next = next(&listener, &places) => next,
        };
        while talks.try_join_next().is_some() {}
        let stream = Linger::new(Patience::new(stream, request), closing.clone());
        talks.spawn(talk(stream, place, door.clone(), head, closing.clone()));
    }
    drop(listener);
    close.send_replace(true);
    if deadline::within(request, async { while talks.join_next().await.is_some() {} })
        .await
        .is_none()
    {
        warn!(connections = talks.len(), "connections cut off at the shutdown");
        talks.shutdown().await;
    }
    Ok(())
}

/// The next connection, once there is a place for it.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small and complete; waiting to fill a packet would only delay them.
                let _ = stream.set_nodelay(true);
                return (stream, place);
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                deadline::pause(STEP_BACK).await;
            }
        }
    }
}

/// One connection, request by request.
async fn talk(
    stream: Linger<Patience<TcpStream>>,
    _place: OwnedSemaphorePermit,
    door: Arc<Door>,
    head_timeout: Span,
    closing: watch::Receiver<bool>,
) {
    let service = service_fn(|request| {
        let door = door.clone();
        async move { Ok::<_, Infallible>(door.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(std::time::Duration::from(head_timeout))
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let end = tokio::select! {
        end = connection.as_mut() => end,
        () = until_closing(closing) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = end {
        debug!(%error, "a connection broke off");
    }
}
