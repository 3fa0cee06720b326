//! The execution: a job that runs a definition, and what its params say.

use crate::definition::{CallLogLevel, HistoryLevel, Texts};
use crate::value::{Map, Value};

/// What the params of a job say that runs a definition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExecutionParams {
    /// The id of the revision that it runs, which never changes.
    pub revision: String,
    /// Names to find it by.
    pub labels: Texts,
    /// Which calls are logged; where nothing is said, as its definition says.
    pub call_log_level: CallLogLevel,
    /// How much of its history somebody wants to see.
    pub history_level: HistoryLevel,
}

impl ExecutionParams {
    /// The params as an object; what is empty is left out.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("revision", self.revision.as_str().into());
        if !self.labels.is_empty() {
            let labels = self.labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
            map.insert("labels", Value::map(labels.map(|(key, value)| (key, value.into()))));
        }
        if self.call_log_level != CallLogLevel::default() {
            map.insert("call_log_level", self.call_log_level.as_str().into());
        }
        if self.history_level != HistoryLevel::default() {
            map.insert("history_level", self.history_level.as_str().into());
        }
        map.into()
    }

    /// Reads the params of a job; what is not there or makes no sense is empty.
    #[must_use]
    pub fn from_value(params: &Value) -> Self {
        let text = |name: &str| params.as_map()?.get(name)?.as_str();
        let labels = params.as_map().and_then(|map| map.get("labels")).and_then(Value::as_map);
        let label = |(key, value): (&std::sync::Arc<str>, &Value)| {
            Some((key.to_string(), value.as_str()?.to_owned()))
        };
        Self {
            revision: text("revision").unwrap_or_default().to_owned(),
            labels: labels.into_iter().flat_map(Map::iter).filter_map(label).collect(),
            call_log_level: text("call_log_level").and_then(CallLogLevel::of).unwrap_or_default(),
            history_level: text("history_level").and_then(HistoryLevel::of).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn params_read_back_as_they_were_written() {
        let plain = ExecutionParams { revision: "000001-a4d".into(), ..Default::default() };
        assert_eq!(plain.to_value().to_string(), r#"{"revision":"000001-a4d"}"#);
        let whole = ExecutionParams {
            labels: Texts::from([("a".to_owned(), "b".to_owned())]),
            call_log_level: CallLogLevel::AllCalls,
            history_level: HistoryLevel::Basic,
            ..plain.clone()
        };
        for params in [plain, whole, ExecutionParams::default()] {
            assert_eq!(ExecutionParams::from_value(&params.to_value()), params);
        }
        assert_eq!(ExecutionParams::from_value(&Value::Null), ExecutionParams::default());
    }
}
