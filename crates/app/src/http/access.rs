//! Who may ask: whoever is on this machine, or whoever has a key.

use std::fmt;
use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HOST, HeaderValue, ORIGIN};
use hyper::http::uri::{Authority, Uri};
use jobmill_engine::{Admission, Engine};
use jobmill_model::key::Roles;

use super::refusal::{Kind, Refusal};

/// Who may ask.
#[derive(Debug, Clone)]
pub enum Access {
    /// Whoever is on this machine. Since a page from elsewhere in a browser on this machine is
    /// not meant by that, `Host` and `Origin` must name this machine.
    Loopback,
    /// Whoever has one of these keys, which may do everything, or one of those that were made
    /// with `jobmill keys`.
    Keys(KeyRing),
}

/// Named keys, as hashes.
#[derive(Clone)]
pub struct KeyRing(Arc<[(Arc<str>, blake3::Hash)]>);

/// Who asks: a key's name, and what it may do.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) name: Arc<str>,
    pub(crate) roles: Roles,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl KeyRing {
    /// Keys by name; only their hashes are kept.
    pub fn new<N: Into<Arc<str>>, S: AsRef<[u8]>>(keys: impl IntoIterator<Item = (N, S)>) -> Self {
        let hashed = keys.into_iter().map(|(name, key)| (name.into(), blake3::hash(key.as_ref())));
        Self(hashed.collect())
    }

    /// The name of a key. Every key is compared, each in constant time.
    fn name_of(&self, key: &[u8]) -> Option<Arc<str>> {
        let hash = blake3::hash(key);
        let mut found = None;
        for (name, known) in self.0.iter() {
            if *known == hash {
                found = Some(name);
            }
        }
        found.cloned()
    }
}

impl Access {
    /// Lets a request in, or says why not; answers whose key it came with.
    pub(crate) fn admit(
        &self,
        engine: &Engine,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Option<Caller>, Refusal> {
        match self {
            Self::Loopback => admit_local(headers).map(|()| None),
            Self::Keys(_) if is_open(path) => Ok(None),
            Self::Keys(ring) => match presented(headers) {
                Some(key) => match ring.name_of(key) {
                    Some(name) => Ok(Some(Caller { name, roles: Roles::ADMIN })),
                    None => admit_key(engine, key).map(Some),
                },
                None => Err(Refusal::new(
                    Kind::KeyRefused,
                    "send an API key as `Authorization: Bearer …` or `X-Api-Key: …`",
                )),
            },
        }
    }
}

/// Lets a key in that the store knows.
fn admit_key(engine: &Engine, key: &[u8]) -> Result<Caller, Refusal> {
    match engine.keys().admit(key, engine.now()) {
        Admission::Known(name, roles) => Ok(Caller { name: name.as_str().into(), roles }),
        Admission::Unknown => Err(Refusal::new(Kind::KeyRefused, "this API key is not known")),
        Admission::Expired(end) => {
            Err(Refusal::new(Kind::KeyRefused, format!("this API key was good until {end}")))
        }
        Admission::Limited(wait) => {
            let detail = "this API key has made as many requests as it may for now";
            Err(Refusal::new(Kind::TooOften, detail).after(wait))
        }
    }
}

/// What needs no key: probes, pages, and the description of the API.
fn is_open(path: &str) -> bool {
    matches!(path, "/" | "/healthz" | "/readyz" | "/docs" | "/openapi.json")
        || path.starts_with("/web/")
}

fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    if let Some(value) = headers.get("x-api-key") {
        return Some(value.as_bytes());
    }
    let (scheme, key) = headers.get(AUTHORIZATION)?.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| key.trim_ascii())
}

fn admit_local(headers: &HeaderMap) -> Result<(), Refusal> {
    let host = headers.get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
    if !host.is_some_and(|host| is_local(host.host())) {
        return Err(Refusal::new(
            Kind::WrongHost,
            "the `Host` header must name this machine: localhost, 127.0.0.1 or [::1]",
        ));
    }
    match headers.get(ORIGIN) {
        Some(origin) if !is_local_origin(origin) => {
            Err(Refusal::new(Kind::WrongHost, "pages of other origins may not call this server"))
        }
        _ => Ok(()),
    }
}

fn is_local(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "[::1]") || host.eq_ignore_ascii_case("localhost")
}

fn is_local_origin(origin: &HeaderValue) -> bool {
    Uri::try_from(origin.as_bytes()).is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(is_local)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn on_loopback_host_and_origin_must_name_this_machine() {
        let admits = |pairs: &[(&'static str, &str)]| admit_local(&headers(pairs)).is_ok();
        for host in ["localhost", "LocalHost:8080", "127.0.0.1:1", "[::1]:8080"] {
            assert!(admits(&[("host", host)]), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.2", "a@b@c", "::1"] {
            assert!(!admits(&[("host", host)]), "{host}");
        }
        assert!(!admits(&[]));
        assert!(admits(&[("host", "localhost"), ("origin", "http://localhost:3000")]));
        for origin in ["null", "http://evil.example", "file://localhost", "http://localhost.x"] {
            assert!(!admits(&[("host", "localhost"), ("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn a_key_is_known_by_its_secret_and_the_ring_never_shows_it() {
        let ring = KeyRing::new([("ci", "s3cret"), ("ops", "other")]);
        let name = |name, value: &str| {
            let headers = headers(&[(name, value)]);
            ring.name_of(presented(&headers)?).map(|name| name.to_string())
        };
        assert_eq!(name("authorization", "Bearer s3cret").as_deref(), Some("ci"));
        assert_eq!(name("authorization", "bearer other").as_deref(), Some("ops"));
        assert_eq!(name("x-api-key", "other").as_deref(), Some("ops"));
        assert_eq!(name("x-api-key", "s3cre"), None);
        assert_eq!(name("authorization", "Basic s3cret"), None);
        assert_eq!(format!("{ring:?}"), r#"["ci", "ops"]"#);
        assert!(is_open("/healthz"));
        assert!(!is_open("/jobs"));
    }
}
