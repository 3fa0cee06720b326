//! A message that Pub/Sub pushes, and the CloudEvent that a workflow gets for it.

use jobmill_model::{Map, Value};

use super::Error;
use super::body::Body;

/// What the mode of an event says before the topic.
const MODE: &str = "CUSTOM_PUBSUB_";

/// Reads the body of `triggerPubsubExecution`: the argument of the execution.
///
/// # Errors
/// `INVALID_ARGUMENT`: no message, or one that is empty.
pub fn argument(value: &Value) -> Result<Value, Error> {
    let body = Body::read(value)?;
    let message = body.value("message").and_then(Value::as_map).ok_or_else(missing)?;
    let fields = Body::read(body.value("message").unwrap_or(&Value::Null))?;
    let has_data = fields.text("data")?.is_some_and(|data| !data.is_empty());
    if !has_data && fields.texts("attributes")?.is_none_or(|texts| texts.is_empty()) {
        return Err(Error::invalid("message must have data or at least one attribute"));
    }
    let subscription = body.text("subscription")?.unwrap_or_default();
    let mode = body.text("GCPCloudEventsMode")?.unwrap_or_default();
    // The mode names the topic with its slashes escaped.
    let topic = mode.strip_prefix(MODE).map(|topic| topic.replace("%2F", "/"));
    let source = topic.filter(|it| !it.is_empty()).unwrap_or_else(|| subscription.to_owned());
    let mut event = Map::new();
    let data = Value::map([
        ("message", Value::from(message.clone())),
        ("subscription", subscription.into()),
    ]);
    event.insert("data", data);
    event.insert("datacontenttype", "application/json".into());
    if let Some(id) = fields.text("messageId")? {
        event.insert("id", id.into());
    }
    event.insert("source", format!("//pubsub.googleapis.com/{source}").into());
    event.insert("specversion", "1.0".into());
    if let Some(time) = fields.text("publishTime")? {
        event.insert("time", time.into());
    }
    event.insert("type", "google.cloud.pubsub.topic.v1.messagePublished".into());
    Ok(event.into())
}

fn missing() -> Error {
    Error::invalid("message is required: an object with data or attributes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_a_cloud_event() {
        let body = br#"{"subscription":"projects/p/subscriptions/s","message":{"data":"eA==",
            "messageId":"7","publishTime":"2026-01-01T00:00:00Z"},"deliveryAttempt":1,
            "GCPCloudEventsMode":"CUSTOM_PUBSUB_projects%2Fp%2Ftopics%2Ft"}"#;
        assert_eq!(
            argument(&Value::from_json(body).unwrap()).unwrap().to_string(),
            concat!(
                r#"{"data":{"message":{"data":"eA==","messageId":"7","#,
                r#""publishTime":"2026-01-01T00:00:00Z"},"#,
                r#""subscription":"projects/p/subscriptions/s"},"#,
                r#""datacontenttype":"application/json","id":"7","#,
                r#""source":"//pubsub.googleapis.com/projects/p/topics/t","specversion":"1.0","#,
                r#""time":"2026-01-01T00:00:00Z","#,
                r#""type":"google.cloud.pubsub.topic.v1.messagePublished"}"#
            )
        );
    }

    #[test]
    fn a_message_has_data_or_attributes() {
        for body in ["{}", r#"{"message":{}}"#, r#"{"message":{"data":""}}"#, r#"{"message":1}"#] {
            assert!(argument(&Value::from_json(body.as_bytes()).unwrap()).is_err(), "{body}");
        }
    }
}
