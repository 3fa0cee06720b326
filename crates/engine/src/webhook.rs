//! Delivers completion webhooks: a signed `POST` for each end of a job that asked for it.
//!
//! Signatures are those of [Standard Webhooks](https://www.standardwebhooks.com): HMAC-SHA256 over
//! `id.timestamp.body`, under a secret that is written `whsec_` and base64. The id is that of the
//! delivering job, the same for every try, and the timestamp is that of the try. While a secret is
//! exchanged for another there are several, and each signs.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use jobmill_model::limits::WEBHOOK_TIMEOUT_MILLIS;
use jobmill_model::machine::{HttpCall, HttpResponse};
use jobmill_model::{Class, Fault, Json, Span, Value};
use sha2::Sha256;

use crate::drive::chunks_of;
use crate::engine::Shared;
use crate::perform::{Task, end};
use crate::places::Kind;
use crate::running::Handle;
use crate::settle::Ending;

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// The least and the most bytes of a secret.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The most secrets at once: the old, the new, and some that somebody forgot.
const SECRETS: usize = 10;

/// The secrets that messages are signed with, at least one.
#[derive(Clone)]
pub struct WebhookKey(Arc<[Vec<u8>]>);

impl fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl WebhookKey {
    /// Reads a secret, or several with white space between.
    ///
    /// # Errors
    /// What is expected of one.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let secret = |text: &str| {
            let bytes = text.strip_prefix(PREFIX).and_then(|digits| BASE64.decode(digits).ok());
            bytes.filter(|bytes| BYTES.contains(&bytes.len()))
        };
        match text.split_whitespace().map(secret).collect::<Option<Vec<_>>>() {
            Some(secrets) if (1..=SECRETS).contains(&secrets.len()) => Ok(Self(secrets.into())),
            _ => Err("`whsec_` and the base64 of 24 to 64 bytes, or up to 10 such secrets with \
                      spaces between"),
        }
    }

    /// The text of a new secret.
    #[must_use]
    pub fn text(random: [u8; 32]) -> String {
        format!("{PREFIX}{}", BASE64.encode(random))
    }

    /// The signatures of a message, that of the first secret first.
    fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let message = format!("{id}.{timestamp}.{body}");
        let sign = |secret: &Vec<u8>| {
            let mac = Hmac::<Sha256>::new_from_slice(secret);
            let mac = mac.expect("a key of any length will do").chain_update(message.as_bytes());
            format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
        };
        self.0.iter().map(sign).collect::<Vec<_>>().join(" ")
    }
}

/// Performs a job that delivers. Its place is held already.
pub(crate) async fn run(shared: &Arc<Shared>, key: &WebhookKey, mut task: Task, handle: &Handle) {
    let told = match task.documents() {
        Ok((input, _)) => tokio::select! {
            biased;
            () = until_stopped(handle) => None,
            told = deliver(shared, key, &task, &input) => Some(told),
        },
        Err(fault) => Some(Err(fault)),
    };
    shared.release_places(Kind::Machine, 1);
    match told {
        Some(told) => end(shared, &task, told.and_then(|value| chunks_of(&value)), None),
        None if handle.is_given_back() => {
            shared.settler.send(Ending::HandBack(task.id, task.token));
        }
        None => shared.running.leave(task.id, task.token),
    }
}

/// Returns when the job is cancelled or taken away.
async fn until_stopped(handle: &Handle) {
    while !handle.is_stopped() {
        handle.until_poked().await;
    }
}

async fn deliver(
    shared: &Shared,
    key: &WebhookKey,
    task: &Task,
    input: &Value,
) -> Result<Value, Fault> {
    let field = |name| input.as_map().and_then(|map| map.get(name));
    let (Some(url), Some(event)) = (field("url").and_then(Value::as_str), field("event")) else {
        return Err(Fault::last("ValueError", "a delivery has a `url` and an `event`"));
    };
    let (id, body) = (task.id.to_string(), event.to_json());
    let call = message(key, &id, shared.clock.now().as_millis() / 1_000, url, &body);
    let answer = shared.http.knock(call, &id).await?;
    judge(&answer)?;
    Ok(Value::map([("status", u32::from(answer.status).into())]))
}

/// The message as a call.
fn message(key: &WebhookKey, id: &str, timestamp: i64, url: &str, body: &Json) -> HttpCall {
    let signature = key.sign(id, timestamp, body.as_str());
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signature),
    ];
    HttpCall {
        method: "POST".to_owned(),
        url: url.to_owned(),
        query: Vec::new(),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        body: Some(body.as_str().as_bytes().into()),
        timeout_ms: WEBHOOK_TIMEOUT_MILLIS,
        response_bytes_max: 0,
        auth: None,
        private_service_name: None,
        ca_certificate: None,
    }
}

/// Whether the receiver has taken the message. `410` says that it never will.
fn judge(answer: &HttpResponse) -> Result<(), Fault> {
    let text = format!("deliver the webhook: the receiver answered {}", answer.status);
    match answer.status {
        200..300 => Ok(()),
        410 => Err(Fault::last("WebhookGone", text)),
        _ => {
            let fault = Fault::retry("WebhookRefused", text);
            Err(Fault { class: Class::Retry { not_before: retry_after(answer) }, ..fault })
        }
    }
}

/// How long the receiver asks to be left alone, at most a day.
fn retry_after(answer: &HttpResponse) -> Option<Span> {
    let mut headers = answer.headers.iter();
    let (_, value) = headers.find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    value.trim().parse().ok().map(|secs: u64| Span::from_secs(secs.min(86_400)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's libraries.
    #[test]
    fn a_signature_is_that_of_standard_webhooks() {
        let key = WebhookKey::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed =
            key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(format!("{key:?}"), "(hidden)");
    }

    #[test]
    fn every_secret_signs_while_one_is_exchanged_for_another() {
        let (old, new) = (WebhookKey::text([7; 32]), WebhookKey::text([8; 32]));
        let sign = |text: &str| WebhookKey::read(text).unwrap().sign("id", 1, "{}");
        assert_eq!(sign(&format!("{new} {old}")), format!("{} {}", sign(&new), sign(&old)));
        let too_many = vec![old; SECRETS + 1].join(" ");
        assert!(WebhookKey::read(&too_many).is_err());
        assert!(WebhookKey::read(&format!("{new} whsec_c2hvcnQ=")).is_err());
    }

    #[test]
    fn a_secret_reads_back_and_a_weak_one_is_refused() {
        assert!(WebhookKey::read(&WebhookKey::text([7; 32])).is_ok());
        for bad in ["", "whsec_", "whsec_c2hvcnQ=", "c2hvcnQ=", "whsec_???"] {
            assert!(WebhookKey::read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_the_receiver_answers_decides_whether_it_is_asked_again() {
        let answer = |status, headers: &[(&str, &str)]| {
            let headers = headers.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
            HttpResponse { status, headers: headers.collect(), body: Vec::new() }
        };
        assert_eq!(judge(&answer(204, &[])), Ok(()));
        assert_eq!(judge(&answer(410, &[])).unwrap_err().class, Class::Final);
        for status in [301, 400, 404, 500] {
            let class = judge(&answer(status, &[])).unwrap_err().class;
            assert_eq!(class, Class::Retry { not_before: None }, "{status}");
        }
        let busy = judge(&answer(429, &[("Retry-After", "120")])).unwrap_err();
        assert_eq!(busy.class, Class::Retry { not_before: Some(Span::from_secs(120)) });
    }
}
