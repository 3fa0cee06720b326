//! The counting server: what the machines' effects call, and a record of every call.
//!
//! It lives in the process of the self-test, so no kill touches it. A call counts from the
//! moment when its request has arrived whole; whether its answer is read is another matter.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use jobmill_engine::clock::{Clock, SystemClock};
use jobmill_model::{Span, Value};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::dice::Dice;
use crate::client::{Client, ClientError, Request};

/// So many calls in a thousand are answered late, so that more of them are under way when the
/// server is killed.
const SLOW_IN_A_THOUSAND: u64 = 100;
const SLOW: Span = Span::from_millis(30);

/// One call of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Performed {
    /// The effect's name: key of the job, branch and place in it.
    pub(super) effect: String,
    /// Its `Idempotency-Key`.
    pub(super) key: String,
    /// The whole body.
    pub(super) body: String,
    /// The ordinals that the machine had for the calls before this one in its branch.
    pub(super) after: Vec<u64>,
    /// The life of the server that made the call.
    pub(super) life: u32,
}

/// The counting server. Its address stays the same while the server that calls it comes and goes.
pub(super) struct Counter {
    address: SocketAddr,
    room: Arc<Room>,
}

struct Room {
    seed: u64,
    life: AtomicU32,
    /// The call with ordinal n stands at place n − 1.
    performed: Mutex<Vec<Performed>>,
    /// How many connections are open.
    open: watch::Sender<usize>,
    clock: SystemClock,
}

impl Counter {
    /// Begins to count, on a free port of this machine.
    ///
    /// # Errors
    /// No port is free.
    pub(super) async fn start(seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let room = Arc::new(Room {
            seed,
            life: AtomicU32::new(0),
            performed: Mutex::default(),
            open: watch::Sender::new(0),
            clock: SystemClock::default(),
        });
        tokio::spawn(accept(listener, room.clone()));
        Ok(Self { address, room })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says that the calls from now on are those of another life of the server.
    pub(super) fn begin_life(&self, life: u32) {
        self.room.life.store(life, Ordering::Relaxed);
    }

    /// Returns when everything has been counted that a server which is dead by now has sent.
    ///
    /// Without this a call of the dead server could be counted after the same call of the next
    /// one, and it would look as if a committed effect had been performed again. Connections are
    /// accepted in the order in which they were made, so once a new one is open, every earlier
    /// one is; and a connection ends after the requests that arrived over it.
    ///
    /// # Errors
    /// The counting server cannot be reached.
    pub(super) async fn settle(&self) -> Result<(), ClientError> {
        let address = format!("http://{}", self.address);
        let address = address.parse().expect("an address of a socket makes a URL");
        let last = Client::new(address, None);
        last.send(&Request::get("/")).await?.bytes().await?;
        drop(last);
        let mut open = self.room.open.subscribe();
        // An error would mean that the sender is gone, which this handle owns.
        let _ = open.wait_for(|open| *open == 0).await.map(drop);
        Ok(())
    }

    /// Every call so far, in the order of the ordinals.
    pub(super) fn performed(&self) -> Vec<Performed> {
        self.room.performed().clone()
    }
}

impl Room {
    fn performed(&self) -> MutexGuard<'_, Vec<Performed>> {
        self.performed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call; its ordinal, from 1.
    fn count(&self, key: String, body: &Bytes) -> Option<u64> {
        let told = Value::from_json(body).ok()?;
        let told = told.as_map()?;
        let ordinal = |value: &Value| value.as_int().and_then(|it| u64::try_from(it).ok());
        let after = told.get("after")?.as_list()?.iter().map(ordinal).collect::<Option<_>>()?;
        let performed = Performed {
            effect: told.get("effect")?.as_str()?.to_owned(),
            key,
            body: String::from_utf8_lossy(body).into_owned(),
            after,
            life: self.life.load(Ordering::Relaxed),
        };
        let mut all = self.performed();
        all.push(performed);
        Some(all.len() as u64)
    }

    async fn answer(&self, request: hyper::Request<Incoming>) -> Response<Full<Bytes>> {
        let key = request.headers().get("idempotency-key");
        let key = key.and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned();
        let body = request.into_body().collect().await.map(|body| body.to_bytes());
        let Some(ordinal) = body.ok().and_then(|body| self.count(key, &body)) else {
            let mut response = Response::new(Full::from("this counts calls of effects\n"));
            *response.status_mut() = StatusCode::BAD_REQUEST;
            return response;
        };
        if Dice::of(self.seed, ordinal).chance(SLOW_IN_A_THOUSAND) {
            self.clock.sleep_until(self.clock.now().after(SLOW)).await;
        }
        Response::new(Full::from(format!("{{\"ordinal\":{ordinal}}}")))
    }
}

async fn accept(listener: TcpListener, room: Arc<Room>) {
    // A listener fails when the process has no more files to open; the self-test then ends, since
    // its machines cannot go on.
    while let Ok((stream, _)) = listener.accept().await {
        room.open.send_modify(|open| *open += 1);
        tokio::spawn(talk(stream, room.clone()));
    }
}

async fn talk(stream: TcpStream, room: Arc<Room>) {
    let service = service_fn(|request| {
        let room = room.clone();
        async move { Ok::<_, Infallible>(room.answer(request).await) }
    });
    // A connection breaks off whenever the server is killed.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    room.open.send_modify(|open| *open -= 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(effect: &str) -> Request {
        let body = format!("{{\"effect\":\"{effect}\",\"after\":[3]}}");
        let key = Some(format!("key of {effect}"));
        Request::post("/count").body("application/json", body).idempotency_key(key)
    }

    #[tokio::test]
    async fn every_call_gets_the_next_ordinal_and_is_kept() {
        let counter = Counter::start(1).await.unwrap();
        let client = Client::new(format!("http://{}", counter.address()).parse().unwrap(), None);
        for (life, effect, ordinal) in [(1, "a/0/0", 1), (2, "a/0/1", 2), (2, "a/0/1", 3)] {
            counter.begin_life(life);
            let answer = client.ask(&call(effect)).await.unwrap();
            assert_eq!(answer.to_string(), format!("{{\"ordinal\":{ordinal}}}"));
        }
        let performed = counter.performed();
        let lives: Vec<u32> = performed.iter().map(|call| call.life).collect();
        assert_eq!(lives, [1, 2, 2]);
        assert_eq!((performed[1].key.as_str(), &performed[1].after), ("key of a/0/1", &vec![3]));
    }

    #[tokio::test]
    async fn settling_waits_for_what_a_closed_connection_has_sent() {
        let counter = Counter::start(1).await.unwrap();
        for _ in 0..50 {
            let stream = std::net::TcpStream::connect(counter.address()).unwrap();
            let body = r#"{"effect":"a/0/0","after":[]}"#;
            let head = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
            std::io::Write::write_all(&mut &stream, (head + body).as_bytes()).unwrap();
            drop(stream);
        }
        counter.settle().await.unwrap();
        assert_eq!(counter.performed().len(), 50);
    }
}
