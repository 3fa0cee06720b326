//! The ceiling of the HTTP stack: reads a request and answers with as many bytes as the server
//! does, with nothing behind it. `bare_post ADDRESS`

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;

/// Answers of the size of a submitted job, of a completed job, and of its result.
const SUBMITTED: &str = include_str!("bare_post.json");
const COMPLETED: &str = include_str!("bare_get.json");
const RESULT: &str = include_str!("bare_result.json");

async fn answer(status: StatusCode, text: &'static str) -> impl IntoResponse {
    (status, [(header::CONTENT_TYPE, "application/json")], text)
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let router = Router::new()
        .route("/jobs", post(|_body: Bytes| answer(StatusCode::ACCEPTED, SUBMITTED)))
        .route("/jobs/{id}", get(|| answer(StatusCode::OK, COMPLETED)))
        .route("/jobs/{id}/results", get(|| answer(StatusCode::OK, RESULT)));
    let listener = tokio::net::TcpListener::bind(address).await?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(std::time::Duration::from_secs(30))
                .serve_connection(TokioIo::new(stream), service)
                .await
        });
    }
}
