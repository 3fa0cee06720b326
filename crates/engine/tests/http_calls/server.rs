//! A tiny server on loopback that does as the test says, and tells what it heard.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// What the server does about a request.
pub(crate) enum Reply {
    /// Sends these bytes and hangs up.
    Bytes(Vec<u8>),
    /// Sends these bytes and then nothing, until the client hangs up.
    Stall(&'static str),
}

impl Reply {
    /// An answer with a body and these further header lines.
    pub(crate) fn of(status: &str, headers: &[&str], body: &[u8]) -> Self {
        let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        let head = format!("HTTP/1.1 {status}\r\n{lines}Content-Length: {}\r\n", body.len());
        Self::Bytes([head.as_bytes(), b"Connection: close\r\n\r\n", body].concat())
    }

    pub(crate) fn to(status: &str, location: &str) -> Self {
        Self::of(status, &[&format!("Location: {location}")], b"elsewhere")
    }

    pub(crate) fn ok() -> Self {
        Self::of("200 OK", &[], b"ok")
    }
}

/// A request as it came.
#[derive(Debug)]
pub(crate) struct Heard {
    /// Method, target and version.
    pub(crate) line: String,
    /// Names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Heard {
    /// The one value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(header, _)| header == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} came twice: {self:?}");
        value
    }
}

type Answer = dyn Fn(&Heard) -> Reply + Send + Sync;

pub(crate) struct Server {
    pub(crate) url: String,
    heard: mpsc::UnboundedReceiver<Heard>,
    connections: Arc<Mutex<usize>>,
    /// The certificate that a client has to trust, as PEM.
    pub(crate) certificate: String,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Heard) -> Reply + Send + Sync + 'static) -> Self {
        Self::run(None, Arc::new(answer)).await
    }

    /// A server behind TLS with a certificate of its own for 127.0.0.1.
    pub(crate) async fn start_tls(
        answer: impl Fn(&Heard) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let server = Self::run(Some(Arc::new(config).into()), Arc::new(answer)).await;
        Self { certificate: made.cert.pem(), ..server }
    }

    async fn run(tls: Option<TlsAcceptor>, answer: Arc<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let (teller, heard) = mpsc::unbounded_channel();
        let connections = Arc::new(Mutex::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *count.lock() += 1;
                tokio::spawn(talk(stream, tls.clone(), answer.clone(), teller.clone()));
            }
        });
        Self { url, heard, connections, certificate: String::new() }
    }

    /// The next request, as soon as it has come.
    pub(crate) async fn heard(&mut self) -> Heard {
        self.heard.recv().await.unwrap()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock()
    }
}

/// Whatever breaks here breaks for the client too, which is where the test looks.
async fn talk(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    answer: Arc<Answer>,
    teller: mpsc::UnboundedSender<Heard>,
) -> std::io::Result<()> {
    match tls {
        None => converse(stream, answer, teller).await,
        Some(tls) => converse(tls.accept(stream).await?, answer, teller).await,
    }
}

async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: Arc<Answer>,
    teller: mpsc::UnboundedSender<Heard>,
) -> std::io::Result<()> {
    let heard = hear(&mut stream).await?;
    let reply = answer(&heard);
    let _ = teller.send(heard);
    match reply {
        Reply::Bytes(bytes) => stream.write_all(&bytes).await?,
        Reply::Stall(text) => {
            stream.write_all(text.as_bytes()).await?;
            stream.flush().await?;
            stream.read_to_end(&mut Vec::new()).await?;
        }
    }
    stream.shutdown().await
}

async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Heard> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.trim_end().lines();
    let line = lines.next().unwrap().to_owned();
    let pair = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    let headers = lines.map(pair).collect();
    let mut heard = Heard { line, headers, body: Vec::new() };
    let length = heard.header("content-length").map_or(0, |length| length.parse().unwrap());
    heard.body.resize(length, 0);
    stream.read_exact(&mut heard.body).await?;
    Ok(heard)
}
