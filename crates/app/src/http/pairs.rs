//! `/jobs/{id}/pairs`: the outcome of a job as key-value rows.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use hyper::{StatusCode, Uri};
use jobmill_engine::Engine;
use jobmill_model::output::{Extent, Shape, entries};
use jobmill_model::{JobId, Span};
use jobmill_store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::{NoJob, NoSuchPage};
use super::jobs::refuse_query;
use super::path::JobPath;
use super::reply::{self, Answer};
use super::results::finished;
use super::room::{Room, Shared};
use crate::wire::page::Page;
use crate::wire::pair::{Pair, PairPage};
use crate::wire::problem::Document;
use crate::wire::query::Query;

/// How much of a result is read at once; at least one chunk.
const READ_BYTES: usize = 64 * 1024;

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new().routes(routes!(list_pairs))
}

/// List the entries of a result
///
/// In the order in which the flow wrote them. A result that is not an object has no entries, and
/// neither has a job that failed or was cancelled.
#[utoipa::path(
    get, path = "/jobs/{id}/pairs", tag = "jobs", operation_id = "list_pairs",
    params(
        ("id" = String, Path, description = "The job's id"),
        ("cursor" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<usize>, Query, description = "Rows of the page: 1 to 1000, usually 50"),
    ),
    responses(
        (status = 200, description = "A page of entries", body = Page<Pair>,
            example = json!({"items": [{"key": "1 3", "value": "2 4"}], "next": null})),
        NoSuchPage,
        NoJob,
        (status = 409, description = "It is not finished",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn list_pairs(State(room): Shared, JobPath(id): JobPath, uri: Uri) -> Answer {
    let mut query = Query::new(uri.query(), &["cursor", "limit"]);
    let (from, limit) = (query.row_cursor(), query.limit());
    refuse_query(query)?;
    // A published result is final, so the job itself, perhaps large, need not be read.
    let extent = match room.engine.extent(id).await? {
        Some(extent) => Some(extent),
        None => finished(&room, id, Span::ZERO).await?.extent,
    };
    let mut page = PairPage::new();
    let mut next = None;
    if let Some(Extent { shape: Shape::Object, len }) = extent {
        read(&room.engine, id, from..len, limit, &mut page).await?;
        let end = from.saturating_add(page.len as u64);
        next = (end < len && page.len > 0).then_some(end);
    }
    Ok(reply::written(StatusCode::OK, Body::from(page.finish(next))))
}

/// Adds at most `limit` entries of a result to the page, by their places.
async fn read(
    engine: &Engine,
    id: JobId,
    mut places: std::ops::Range<u64>,
    limit: usize,
    page: &mut PairPage,
) -> Result<(), StoreError> {
    while !places.is_empty() && page.len < limit {
        let chunks = engine.output(id, places.start, READ_BYTES).await?;
        if chunks.is_empty() {
            return Err(StoreError::Broken(format!("chunks of job {id} are missing")));
        }
        for chunk in chunks {
            let passed = usize::try_from(places.start.saturating_sub(chunk.first));
            let wanted = entries(&chunk.text).skip(passed.unwrap_or(usize::MAX));
            wanted.take(limit - page.len).for_each(|(key, value)| page.push(key, value));
            places.start = chunk.first + chunk.len;
        }
    }
    Ok(())
}
