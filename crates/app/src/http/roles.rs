//! What each route needs of an API key, in one table.
//!
//! `GET` needs `read` unless the table says otherwise; every other route stands in the table, and
//! a test fails for one that does not. Should one be missing all the same, it needs `admin`.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::Method;
use jobmill_model::key::Role;

use super::access::Caller;
use super::refusal::{Kind, Refusal};

/// Method and path of each route that is no plain reading, with the role that it needs.
const TABLE: &[(&str, &str, Role)] = &[
    ("POST", "/jobs", Role::Submit),
    ("POST", "/jobs/bulk", Role::Submit),
    ("POST", "/expand_reduce_flow/", Role::Submit),
    ("POST", "/schedules/{name}/trigger", Role::Submit),
    ("POST", "/queues/{queue}/lease", Role::Work),
    ("POST", "/jobs/{id}/heartbeat", Role::Work),
    ("POST", "/jobs/{id}/progress", Role::Work),
    ("POST", "/jobs/{id}/complete", Role::Work),
    ("POST", "/jobs/{id}/fail", Role::Work),
    ("POST", "/jobs/complete", Role::Work),
    ("POST", "/jobs/fail", Role::Work),
    ("PUT", "/jobs/{id}/effects/{name}", Role::Work),
    ("GET", "/jobs/{id}/effects/{name}", Role::Work),
    ("POST", "/jobs/{id}/cancel", Role::Admin),
    ("POST", "/jobs/{id}/retry", Role::Admin),
    ("POST", "/schedules", Role::Admin),
    ("PUT", "/schedules/{name}", Role::Admin),
    ("DELETE", "/schedules/{name}", Role::Admin),
    ("POST", "/schedules/{name}/pause", Role::Admin),
    ("POST", "/schedules/{name}/resume", Role::Admin),
    ("GET", "/keys", Role::Admin),
    ("POST", "/keys", Role::Admin),
    ("DELETE", "/keys/{name}", Role::Admin),
];

/// What a route says of itself in the table.
pub(super) fn listed(method: &str, path: &str) -> Option<Role> {
    TABLE.iter().find(|row| (row.0, row.1) == (method, path)).map(|row| row.2)
}

/// The role that a request needs on the route that it has come to.
fn needed(method: &Method, path: &str) -> Role {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    listed(method.as_str(), path).unwrap_or(match *method {
        Method::GET | Method::OPTIONS => Role::Read,
        _ => Role::Admin,
    })
}

/// Lets a request on to its route if its key has the role for it. Without a key there is nothing
/// to check: the door has let it in.
pub(super) async fn check(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if let Some(Caller { roles, .. }) = request.extensions().get::<Caller>() {
        let (method, needed) = (request.method(), needed(request.method(), path));
        if !roles.allow(needed) {
            let needed = needed.word();
            let detail = format!("{method} {path} needs the role {needed}; this key has {roles}");
            return Refusal::new(Kind::RoleMissing, detail).into_response();
        }
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_has_a_role_and_every_row_a_route() {
        let document = super::super::openapi();
        let mut routes = Vec::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in [
                ("GET", &item.get),
                ("POST", &item.post),
                ("PUT", &item.put),
                ("DELETE", &item.delete),
                ("PATCH", &item.patch),
            ] {
                if operation.is_some() {
                    routes.push((method, path.as_str()));
                }
            }
        }
        for (method, path) in &routes {
            let has_role = *method == "GET" || listed(method, path).is_some();
            assert!(has_role, "{method} {path} is not in the table of roles");
        }
        for (method, path, _) in TABLE {
            assert!(routes.contains(&(method, path)), "{method} {path} is no route");
        }
        let mut rows: Vec<_> = TABLE.iter().map(|row| (row.0, row.1)).collect();
        rows.sort_unstable();
        assert!(rows.windows(2).all(|pair| pair[0] != pair[1]), "each route stands there once");
    }

    #[test]
    fn a_route_that_is_not_in_the_table_needs_the_most() {
        assert_eq!(needed(&Method::POST, "/new"), Role::Admin);
        assert_eq!(needed(&Method::GET, "/new"), Role::Read);
        assert_eq!(needed(&Method::HEAD, "/keys"), Role::Admin);
        assert_eq!(needed(&Method::POST, "/jobs"), Role::Submit);
    }
}
