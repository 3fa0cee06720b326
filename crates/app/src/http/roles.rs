//! What each route needs of an API key, in one table.
//!
//! `GET` needs `read` unless the table says otherwise; every other route of ours stands in the
//! table, and a test fails for one that does not. What does not stand there needs `admin`.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::Method;
use jobmill_model::key::Role;

use super::access::Caller;
use super::google;
use super::refusal::{Kind, Refusal};

const READ: &[Role] = &[Role::Read];
const SUBMIT: &[Role] = &[Role::Submit];
const WORK: &[Role] = &[Role::Work];
const READ_OR_WORK: &[Role] = &[Role::Read, Role::Work];
const ADMIN: &[Role] = &[Role::Admin];

/// Method and path of each route that is no plain reading, with the roles of which it needs one.
const TABLE: &[(&str, &str, &[Role])] = &[
    ("POST", "/jobs", SUBMIT),
    ("POST", "/jobs/bulk", SUBMIT),
    ("POST", "/batches", SUBMIT),
    ("DELETE", "/jobs", ADMIN),
    ("POST", "/jobs/cancel", ADMIN),
    ("POST", "/jobs/retry", ADMIN),
    ("DELETE", "/jobs/{id}", ADMIN),
    ("POST", "/jobs/{id}/cancel", ADMIN),
    ("POST", "/jobs/{id}/retry", ADMIN),
    ("PUT", "/flows/{name}", ADMIN),
    ("DELETE", "/flows/{name}", ADMIN),
    ("PUT", "/queues/{queue}", ADMIN),
    ("POST", "/queues/{queue}/pause", ADMIN),
    ("POST", "/queues/{queue}/resume", ADMIN),
    ("POST", "/queues/{queue}/lease", WORK),
    ("POST", "/jobs/heartbeat", WORK),
    ("POST", "/jobs/complete", WORK),
    ("POST", "/jobs/fail", WORK),
    ("POST", "/jobs/{id}/heartbeat", WORK),
    ("POST", "/jobs/{id}/progress", WORK),
    ("POST", "/jobs/{id}/complete", WORK),
    ("POST", "/jobs/{id}/fail", WORK),
    ("POST", "/jobs/{id}/release", WORK),
    ("PUT", "/jobs/{id}/result", WORK),
    ("PUT", "/jobs/{id}/effects/{name}", WORK),
    ("GET", "/jobs/{id}/effects/{name}", READ_OR_WORK),
    ("GET", "/jobs/{id}/effects", READ_OR_WORK),
    ("POST", "/schedules", ADMIN),
    ("PUT", "/schedules/{name}", ADMIN),
    ("DELETE", "/schedules/{name}", ADMIN),
    ("POST", "/schedules/{name}/pause", ADMIN),
    ("POST", "/schedules/{name}/resume", ADMIN),
    ("POST", "/schedules/{name}/trigger", SUBMIT),
    ("PUT", "/workflows/{name}", ADMIN),
    ("DELETE", "/workflows/{name}", ADMIN),
    ("POST", "/workflows/{name}/executions", SUBMIT),
    ("GET", "/keys", ADMIN),
    ("POST", "/keys", ADMIN),
    ("DELETE", "/keys/{name}", ADMIN),
    ("POST", "/expand_reduce_flow/", SUBMIT),
    ("POST", "/process", SUBMIT),
    ("POST", "/trigger_workflow", SUBMIT),
];

/// The same for Google's routes, by how their paths end; `*` is every method.
const GOOGLE: &[(&str, &str, &[Role])] = &[
    ("POST", "/databases/{*rest}", SUBMIT),
    ("PATCH", "/databases/{*rest}", SUBMIT),
    ("POST", "/bigquery/v2/projects/{*rest}", SUBMIT),
    ("POST", "/workflows/{workflow}/executions", SUBMIT),
    ("*", "/callbacks/{callback}", SUBMIT),
];

/// What the table says of a route.
fn listed(method: &str, path: &str) -> Option<&'static [Role]> {
    if google::owns(path) {
        let is_row =
            |row: &&(&str, &str, _)| ["*", method].contains(&row.0) && path.ends_with(row.1);
        return GOOGLE.iter().find(is_row).map(|row| row.2);
    }
    TABLE.iter().find(|row| (row.0, row.1) == (method, path)).map(|row| row.2)
}

/// The roles of which a request needs one on the route that it has come to.
fn needed(method: &Method, path: &str) -> &'static [Role] {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    listed(method.as_str(), path).unwrap_or(match *method {
        Method::GET | Method::OPTIONS => READ,
        _ => ADMIN,
    })
}

/// Lets a request on to its route if its key has a role for it. Without a key there is nothing
/// to check: the door has let it in.
pub(super) async fn check(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if let Some(Caller { roles, .. }) = request.extensions().get::<Caller>() {
        let (method, needed) = (request.method(), needed(request.method(), path));
        if !needed.iter().any(|role| roles.allow(*role)) {
            let needed: Vec<&str> = needed.iter().map(|role| role.word()).collect();
            let needed = needed.join(" or ");
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
        assert_eq!(needed(&Method::POST, "/new"), ADMIN);
        assert_eq!(needed(&Method::GET, "/new"), READ);
        assert_eq!(needed(&Method::HEAD, "/keys"), ADMIN);
        assert_eq!(needed(&Method::POST, "/jobs"), SUBMIT);
    }

    #[test]
    fn google_s_routes_have_roles_too() {
        let workflows = "/v1beta/projects/{project}/locations/{location}/workflows";
        let executions = format!("{workflows}/{{workflow}}/executions");
        let callback = format!("{executions}/{{execution}}/callbacks/{{callback}}");
        assert_eq!(needed(&Method::GET, workflows), READ);
        assert_eq!(needed(&Method::POST, workflows), ADMIN);
        assert_eq!(needed(&Method::POST, &executions), SUBMIT);
        assert_eq!(needed(&Method::POST, &format!("{executions}/{{execution}}")), ADMIN);
        assert_eq!(needed(&Method::GET, &callback), SUBMIT);
        assert_eq!(needed(&Method::GET, "/bigquery/v2/projects/{*rest}"), READ);
        assert_eq!(needed(&Method::POST, "/bigquery/v2/projects/{*rest}"), SUBMIT);
        assert_eq!(needed(&Method::DELETE, "/v1/projects/{project}/databases/{*rest}"), ADMIN);
    }
}
