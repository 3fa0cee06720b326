//! Who calls Google, and the tokens that prove it.
//!
//! | a token | with the key of a service account | from the metadata server |
//! |---|---|---|
//! | for a service | signed here, for its address | asked for |
//! | with scopes (`OAuth2`) | signed here, with the scopes | asked for |
//! | for an audience (`OIDC`) | signed here, exchanged at the key's `token_uri` | asked for |

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jobmill_model::machine::{HttpAuth, HttpCall, HttpResponse};
use jobmill_model::{Fault, Timestamp, Value};
use parking_lot::Mutex;

use super::account::ServiceAccount;
use crate::ops::http::HttpClient;

/// A token is used no more when it holds no longer than this.
const SPARE_SECONDS: i64 = 300;
/// Tokens that are kept at once; workflows may name any audience.
const KEPT: usize = 100;
/// How long a token may be asked for, and how long the answer may be.
const TIMEOUT_MILLIS: u64 = 10_000;
const ANSWER_BYTES: u64 = 64 * 1024;
/// Where the metadata server keeps the account of its machine.
const ACCOUNT_PATH: &str = "/computeMetadata/v1/instance/service-accounts/default";

/// What a token is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// The service at this address.
    Service(String),
    /// Whatever these scopes allow.
    Scopes(Vec<String>),
    /// To show this audience who is calling.
    Audience(String),
}

impl From<HttpAuth> for Purpose {
    fn from(auth: HttpAuth) -> Self {
        match auth {
            HttpAuth::Oidc { audience } => Self::Audience(audience),
            HttpAuth::OAuth2 { scopes } => Self::Scopes(scopes),
        }
    }
}

enum Source {
    Key(Box<ServiceAccount>),
    /// The address of a metadata server.
    Metadata(String),
}

/// An identity at Google. It is never shown.
pub struct Credentials {
    source: Source,
    /// Each token, and the second in which it ends.
    held: Mutex<BTreeMap<Purpose, Token>>,
}

#[derive(Debug, Clone)]
struct Token {
    until: i64,
    text: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Key(account) => account.fmt(f),
            Source::Metadata(url) => f.debug_tuple("Metadata").field(url).finish(),
        }
    }
}

impl Credentials {
    /// Those of a service account, from the JSON file of its key as Google hands it out.
    ///
    /// # Errors
    /// What is wrong with it, without anything of the key.
    pub fn of_key(text: &str) -> Result<Self, String> {
        Ok(Self::of(Source::Key(Box::new(ServiceAccount::read(text)?))))
    }

    /// Those that a metadata server hands out, at an address such as
    /// `http://metadata.google.internal`.
    #[must_use]
    pub fn of_metadata(url: impl Into<String>) -> Self {
        Self::of(Source::Metadata(url.into()))
    }

    fn of(source: Source) -> Self {
        Self { source, held: Mutex::default() }
    }

    /// A token for a purpose; one that still holds is used again.
    ///
    /// # Errors
    /// `AuthError`: none can be had.
    pub(crate) async fn token(
        &self,
        http: &HttpClient,
        purpose: &Purpose,
        now: Timestamp,
    ) -> Result<String, Fault> {
        let now = now.as_millis() / 1_000;
        let held = self.held.lock().get(purpose).cloned();
        if let Some(token) = held.filter(|token| token.until > now + SPARE_SECONDS) {
            return Ok(token.text);
        }
        let token = self.fetch(http, purpose, now).await?;
        let text = token.text.clone();
        let mut held = self.held.lock();
        held.retain(|_, token| token.until > now + SPARE_SECONDS);
        if held.len() >= KEPT {
            held.pop_first();
        }
        held.insert(purpose.clone(), token);
        Ok(text)
    }

    async fn fetch(&self, http: &HttpClient, purpose: &Purpose, now: i64) -> Result<Token, Fault> {
        let account = match &self.source {
            Source::Metadata(url) => return ask(http, url, purpose, now).await,
            Source::Key(account) => account,
        };
        let claim = match purpose {
            Purpose::Service(url) => ("aud", url.as_str().into()),
            Purpose::Scopes(scopes) => ("scope", scopes.join(" ").into()),
            Purpose::Audience(audience) => return exchange(http, account, audience, now).await,
        };
        let (until, text) = account.signed(now, [claim])?;
        Ok(Token { until, text })
    }
}

/// Asks a metadata server.
async fn ask(http: &HttpClient, url: &str, purpose: &Purpose, now: i64) -> Result<Token, Fault> {
    let (what, query) = match purpose {
        Purpose::Service(_) => ("token", Vec::new()),
        Purpose::Scopes(scopes) => ("token", vec![("scopes", scopes.join(","))]),
        Purpose::Audience(audience) => {
            ("identity", vec![("audience", audience.clone()), ("format", "full".to_owned())])
        }
    };
    let answer = HttpCall {
        query: query.into_iter().map(|(name, text)| (name.to_owned(), text)).collect(),
        headers: vec![("Metadata-Flavor".to_owned(), "Google".to_owned())],
        ..call("GET", format!("{url}{ACCOUNT_PATH}/{what}"))
    };
    let answer = sent(http, answer).await?;
    if matches!(purpose, Purpose::Audience(_)) {
        let text = String::from_utf8(answer.body).ok().map(|text| text.trim().to_owned());
        return identity(text);
    }
    let value = Value::from_json(&answer.body).unwrap_or_default();
    let part = |name: &str| value.as_map().and_then(|map| map.get(name));
    let text = part("access_token").and_then(Value::as_str);
    let seconds = part("expires_in").and_then(Value::as_int).unwrap_or(0);
    let text = text.ok_or_else(|| fault("the answer has no access_token"))?.to_owned();
    Ok(Token { until: now.saturating_add(seconds), text })
}

/// Exchanges what a service account says of itself for an identity token.
async fn exchange(
    http: &HttpClient,
    account: &ServiceAccount,
    audience: &str,
    now: i64,
) -> Result<Token, Fault> {
    let to = account.token_uri();
    let (_, assertion) =
        account.signed(now, [("aud", to.into()), ("target_audience", audience.into())])?;
    // Neither text holds a character that a form would have to escape.
    let body = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}"
    );
    let form = "application/x-www-form-urlencoded".to_owned();
    let asked = HttpCall {
        headers: vec![("Content-Type".to_owned(), form)],
        body: Some(body.into_bytes().into()),
        ..call("POST", to.to_owned())
    };
    let answer = sent(http, asked).await?;
    let value = Value::from_json(&answer.body).unwrap_or_default();
    let text = value.as_map().and_then(|map| map.get("id_token")).and_then(Value::as_str);
    identity(text.map(str::to_owned))
}

/// An identity token, which says itself how long it holds.
fn identity(text: Option<String>) -> Result<Token, Fault> {
    let text = text.filter(|text| text.split('.').count() == 3);
    let text = text.ok_or_else(|| fault("the answer has no identity token"))?;
    let claims = text.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims = claims.and_then(|json| Value::from_json(&json).ok()).unwrap_or_default();
    let until = claims.as_map().and_then(|map| map.get("exp")).and_then(Value::as_int);
    Ok(Token { until: until.unwrap_or(0), text })
}

fn call(method: &str, url: String) -> HttpCall {
    HttpCall {
        method: method.to_owned(),
        url,
        query: Vec::new(),
        headers: Vec::new(),
        body: None,
        timeout_ms: TIMEOUT_MILLIS,
        response_bytes_max: ANSWER_BYTES,
        auth: None,
        private_service_name: None,
        ca_certificate: None,
    }
}

async fn sent(http: &HttpClient, call: HttpCall) -> Result<HttpResponse, Fault> {
    let answer = http.call(call, "").await.map_err(|fault| self::fault(&fault.message))?;
    match answer.status {
        200..300 => Ok(answer),
        status => Err(fault(&format!("the answer has the status {status}"))),
    }
}

fn fault(why: &str) -> Fault {
    Fault::last("AuthError", format!("get a token from Google: {why}"))
}

#[cfg(test)]
pub(super) mod tests;
