//! An API key, as it is asked for and as it is shown.

use jobmill_model::key::{ApiKey, NewKey, Role, Roles};
use jobmill_model::limits::{KEY_LIFE_MILLIS, KEY_RATE};
use jobmill_model::{Problem, Span, Timestamp, Value};
use serde::Serialize;
use utoipa::ToSchema;

use super::moment::Moment;
use super::near;
use super::reader::{Reader, expected};

const FIELDS: [&str; 5] = ["name", "roles", "rate_per_minute", "expires_in", "expires_at"];

/// A key to make.
#[derive(ToSchema)]
#[schema(as = NewKey)]
#[expect(dead_code, reason = "it describes the body for the OpenAPI document")]
pub(crate) struct Body {
    /// What it is called in lists, in logs and in the scope of idempotency keys.
    #[schema(max_length = 128, example = "ci")]
    name: String,
    /// What it allows: `read` every `GET` but that of keys, `submit` also to submit work, `work`
    /// to lease work and bring its outcome, `admin` everything.
    #[schema(min_items = 1)]
    roles: Vec<RoleWord>,
    /// How many requests it may make in a minute; as many as it likes without it.
    #[schema(minimum = 1, maximum = 1000000)]
    rate_per_minute: Option<u32>,
    /// How long it is good, as a duration of at most ten years. Not together with `expires_at`.
    #[schema(example = "30d")]
    expires_in: Option<String>,
    /// Until when it is good. Not together with `expires_in`.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// What a key allows.
#[derive(ToSchema)]
#[schema(as = Role, rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes the words for the OpenAPI document")]
pub(crate) enum RoleWord {
    Read,
    Submit,
    Work,
    Admin,
}

/// Reads a body.
pub(crate) fn read(body: &Value, now: Timestamp, problems: &mut Vec<Problem>) -> Option<NewKey> {
    let mut reader = Reader::object(body, "", problems)?;
    reader.only(&FIELDS);
    for (field, what) in [("name", "a name"), ("roles", "a list of roles")] {
        if reader.value(field).is_none() {
            reader.refuse(field, format!("expected {what}"));
        }
    }
    let name = reader.name("name");
    if name.as_ref().is_some_and(|name| RESERVED.contains(&name.as_str())) {
        reader.refuse("name", "this name is taken by the server itself");
    }
    let roles = read_roles(&mut reader);
    let rate = reader.whole("rate_per_minute", 1..=i64::from(KEY_RATE));
    let span = reader.span("expires_in", KEY_LIFE_MILLIS);
    let expires_at = match (span, reader.parsed::<Timestamp>("expires_at")) {
        (Some(_), Some(_)) => {
            reader.refuse("expires_at", "give either `expires_in` or `expires_at`, not both");
            None
        }
        (Some(span), None) => Some(now.after(span.max(Span::from_millis(1)))),
        (None, at) => at,
    };
    if expires_at.is_some_and(|at| at <= now) {
        reader.refuse("expires_at", "expected a time to come");
    }
    Some(NewKey {
        name: name?,
        roles: roles?,
        rate_per_minute: rate.and_then(|rate| u32::try_from(rate).ok()),
        expires_at,
    })
}

/// The names that stand for whoever is on this machine and for the server's own key.
const RESERVED: [&str; 2] = ["local", "default"];

fn read_roles(reader: &mut Reader<'_, '_>) -> Option<Roles> {
    let value = reader.value("roles")?;
    let Some(items) = value.as_list().filter(|items| !items.is_empty()) else {
        reader.refuse("roles", expected("a list of roles", value));
        return None;
    };
    let mut roles = Vec::new();
    for item in items.iter().take(Role::ALL.len() * 2) {
        let text = item.as_str().unwrap_or_default();
        match Role::of_word(text) {
            Some(role) => roles.push(role),
            None => {
                let words = Role::ALL.map(Role::word);
                reader.refuse("roles", near::unknown("role", text, &words));
            }
        }
    }
    Some(Roles::of(roles))
}

/// A key as it is listed: never its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
pub(crate) struct Key<'a> {
    #[schema(value_type = String)]
    name: &'a str,
    #[schema(value_type = Vec<RoleWord>)]
    roles: Vec<&'static str>,
    rate_per_minute: Option<u32>,
    created_at: Moment,
    expires_at: Option<Moment>,
    /// About when it was used last.
    used_at: Option<Moment>,
    /// The secret, shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, nullable = false)]
    key: Option<&'a str>,
}

impl<'a> Key<'a> {
    /// The key with its secret.
    pub(crate) fn with_secret(key: &'a ApiKey, secret: &'a str) -> Self {
        Self { key: Some(secret), ..Self::from(key) }
    }
}

impl<'a> From<&'a ApiKey> for Key<'a> {
    fn from(key: &'a ApiKey) -> Self {
        let NewKey { name, roles, rate_per_minute, expires_at } = &key.new;
        Self {
            name: name.as_str(),
            roles: roles.iter().map(Role::word).collect(),
            rate_per_minute: *rate_per_minute,
            created_at: Moment(key.created_at),
            expires_at: expires_at.map(Moment),
            used_at: key.used_at.map(Moment),
            key: None,
        }
    }
}

/// A key that is revoked.
#[derive(Serialize, ToSchema)]
#[schema(as = RevokedKey)]
pub(crate) struct Revoked<'a> {
    #[schema(value_type = String)]
    pub(crate) name: &'a str,
    #[schema(example = true)]
    pub(crate) revoked: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let mut problems = Vec::new();
        let body = Value::from_json(text.as_bytes()).unwrap();
        read(&body, Timestamp::EPOCH, &mut problems);
        problems.iter().map(|problem| problem.pointer.clone()).collect()
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        assert_eq!(said("{}"), ["/name", "/roles"]);
        let bad = r#"{"name":"default","roles":["reed",7],"rate_per_minute":0,"expires_in":"x",
            "expires_at":"1970-01-01T00:00:00Z","role":1}"#;
        let want = [
            "/role",
            "/name",
            "/roles",
            "/roles",
            "/rate_per_minute",
            "/expires_in",
            "/expires_at",
        ];
        assert_eq!(said(bad), want);
        assert_eq!(said(r#"{"name":"a","roles":[]}"#), ["/roles"]);
        assert_eq!(said(r#"{"name":"a","roles":["read"],"expires_in":"9d"}"#), [""; 0]);
    }
}
