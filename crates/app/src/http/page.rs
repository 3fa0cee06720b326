//! `/`: a page in the browser, and the files that it and the documentation need.

use std::sync::Arc;

use hyper::header::{CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::path::NamePath;
use super::refusal::{Kind, Refusal};
use super::reply::{self, Answer};
use super::room::Room;
use crate::web;

/// Pages load nothing from elsewhere and cannot be framed.
pub(crate) const PAGE_HEADERS: [(HeaderName, &str); 3] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
         img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new().routes(routes!(get_page)).routes(routes!(get_web_file))
}

/// Show what is running
///
/// A page for the browser. It uses nothing but this API.
#[utoipa::path(
    get, path = "/", tag = "pages", operation_id = "get_page",
    responses((status = 200, description = "The page", body = String, content_type = "text/html")),
    security(())
)]
async fn get_page() -> Answer {
    Ok(reply::text(web::HTML, web::PAGE, &PAGE_HEADERS))
}

/// Get a file of a page
#[utoipa::path(
    get, path = "/web/{file}", tag = "pages", operation_id = "get_web_file",
    params(("file" = String, Path, description = "The file's name")),
    responses(
        (status = 200, description = "The file",
            content((String = "text/css"), (String = "text/javascript"))),
        (status = 404, description = "No such file", content_type = "application/problem+json",
            body = crate::wire::problem::Document),
    ),
    security(())
)]
async fn get_web_file(NamePath(name): NamePath) -> Answer {
    match web::file(&name) {
        Some((kind, text)) => Ok(reply::text(kind, text, &PAGE_HEADERS[1..])),
        None => Err(Refusal::new(Kind::NoRoute, "no such file")),
    }
}
