//! `/jobs/{id}/pairs`: the outcome of a job as key-value rows.

use std::sync::Arc;

use axum::extract::State;
use hyper::Uri;
use jobmill_engine::Engine;
use jobmill_model::output::{Extent, Shape};
use jobmill_model::{JobId, Span, Value};
use jobmill_store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::jobs::refuse_query;
use super::path::JobPath;
use super::reply::{self, Answer};
use super::results::finished;
use super::room::{Room, Shared};
use crate::wire::page::Page;
use crate::wire::pair::Pair;
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
        (status = 400, description = "The limit or the cursor makes no sense",
            body = Document, content_type = "application/problem+json"),
        (status = 404, description = "No job has this id",
            body = Document, content_type = "application/problem+json"),
        (status = 409, description = "It is not finished",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn list_pairs(State(room): Shared, JobPath(id): JobPath, uri: Uri) -> Answer {
    let mut query = Query::new(uri.query(), &["cursor", "limit"]);
    let (from, limit) = (query.row_cursor(), query.limit());
    refuse_query(query)?;
    match finished(&room, id, Span::ZERO).await?.extent {
        Some(Extent { shape: Shape::Object, len }) => {
            let items = read(&room.engine, id, from..len, limit).await?;
            let end = from.saturating_add(items.len() as u64);
            let next = (end < len && !items.is_empty()).then(|| end.to_string());
            Ok(reply::json(&Page { items, next }))
        }
        _ => Ok(reply::json(&Page::<Pair>::whole(Vec::new()))),
    }
}

/// At most `limit` entries of a result, by their places.
async fn read(
    engine: &Engine,
    id: JobId,
    mut places: std::ops::Range<u64>,
    limit: usize,
) -> Result<Vec<Pair>, StoreError> {
    let mut items = Vec::new();
    while !places.is_empty() && items.len() < limit {
        let chunks = engine.output(id, places.start, READ_BYTES).await?;
        if chunks.is_empty() {
            return Err(StoreError::Broken(format!("chunks of job {id} are missing")));
        }
        for chunk in chunks {
            let object = Value::from_json(chunk.text.as_bytes());
            let object = object.map_err(|error| StoreError::Broken(error.to_string()))?;
            let passed = usize::try_from(places.start.saturating_sub(chunk.first));
            let entries = object.as_map().into_iter().flat_map(jobmill_model::Map::iter);
            let wanted = entries.skip(passed.unwrap_or(usize::MAX)).take(limit - items.len());
            items
                .extend(wanted.map(|(key, value)| Pair { key: key.clone(), value: value.clone() }));
            places.start = chunk.first + chunk.len;
        }
    }
    Ok(items)
}
