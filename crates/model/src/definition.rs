//! The definition: a workflow's stored source, its revisions, and what is said about it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::fault::{Problem, pointer_below};
use crate::limits;
use crate::queue::Name;
use crate::time::Timestamp;

/// What the flow of an execution is called before the name of its definition.
pub const FLOW_PREFIX: &str = "workflow:";

/// The most characters of a definition's name.
const NAME_CHARS: usize = 64;

/// Text that maps to text, such as labels.
pub type Texts = BTreeMap<String, String>;

/// A text cannot be the name of a definition; says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionNameError(&'static str);

impl fmt::Display for DefinitionNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for DefinitionNameError {}

/// Takes text as the name of a definition, by Google's rules: 1 to 64 letters, digits, `_` and
/// `-`, a letter first, a letter or digit last.
///
/// # Errors
/// Any other text.
pub fn definition_name(text: &str) -> Result<Name, DefinitionNameError> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if text.is_empty() || text.len() > NAME_CHARS || !text.chars().all(is_word) {
        return Err(DefinitionNameError(
            "the name of a workflow has 1 to 64 letters, digits, `_` and `-`",
        ));
    }
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(DefinitionNameError("the name of a workflow begins with a letter"));
    }
    if !text.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(DefinitionNameError("the name of a workflow ends with a letter or a digit"));
    }
    Ok(Name::trusted(text))
}

/// The flow that executions of a definition run.
#[must_use]
pub fn flow_of(definition: &Name) -> Name {
    Name::trusted(format!("{FLOW_PREFIX}{definition}"))
}

/// The definition whose executions run this flow, if it is such a flow.
#[must_use]
pub fn definition_of(flow: &Name) -> Option<Name> {
    flow.as_str().strip_prefix(FLOW_PREFIX).filter(|name| !name.is_empty()).map(Name::trusted)
}

/// Google's names for where a definition lives; here they are no more than what its executions
/// are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The project.
    pub project: String,
    /// The location.
    pub location: String,
}

/// Which calls of a workflow are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallLogLevel {
    /// Nobody has said.
    #[default]
    Unspecified,
    /// Every call.
    AllCalls,
    /// Calls that fail.
    ErrorsOnly,
    /// None.
    Nothing,
}

impl CallLogLevel {
    /// Every level, in the order of Google's numbers.
    pub const ALL: [Self; 4] = [Self::Unspecified, Self::AllCalls, Self::ErrorsOnly, Self::Nothing];

    /// Google's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "CALL_LOG_LEVEL_UNSPECIFIED",
            Self::AllCalls => "LOG_ALL_CALLS",
            Self::ErrorsOnly => "LOG_ERRORS_ONLY",
            Self::Nothing => "LOG_NONE",
        }
    }

    /// The level of Google's word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }
}

/// How much of an execution's history somebody wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HistoryLevel {
    /// Nobody has said.
    #[default]
    Unspecified,
    /// The steps.
    Basic,
    /// The steps and the variables.
    Detailed,
}

impl HistoryLevel {
    /// Every level, in the order of Google's numbers.
    pub const ALL: [Self; 3] = [Self::Unspecified, Self::Basic, Self::Detailed];

    /// Google's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "EXECUTION_HISTORY_LEVEL_UNSPECIFIED",
            Self::Basic => "EXECUTION_HISTORY_BASIC",
            Self::Detailed => "EXECUTION_HISTORY_DETAILED",
        }
    }

    /// The level of Google's word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }
}

/// What somebody deploys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// The source, YAML or JSON. A change makes a new revision.
    pub source: Arc<str>,
    /// Whom its calls act for. A change makes a new revision.
    pub service_account: String,
    /// Variables that executions can read. A change makes a new revision.
    pub env: Texts,
    /// What it is for.
    pub description: String,
    /// Names to find it by; executions inherit them.
    pub labels: Texts,
    /// Which calls are logged, unless an execution says otherwise.
    pub call_log_level: CallLogLevel,
    /// How much of an execution's history somebody wants to see.
    pub history_level: HistoryLevel,
}

/// What to change of a definition; the rest stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// See [`Content::source`].
    pub source: Option<Arc<str>>,
    /// See [`Content::service_account`].
    pub service_account: Option<String>,
    /// See [`Content::env`].
    pub env: Option<Texts>,
    /// See [`Content::description`].
    pub description: Option<String>,
    /// See [`Content::labels`].
    pub labels: Option<Texts>,
    /// See [`Content::call_log_level`].
    pub call_log_level: Option<CallLogLevel>,
    /// See [`Content::history_level`].
    pub history_level: Option<HistoryLevel>,
}

impl Change {
    /// Everything that is wrong with it but for the source, which the language judges.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.source.as_ref().is_some_and(|source| source.len() > limits::SOURCE_BYTES) {
            let most = limits::SOURCE_BYTES;
            problems.push(Problem::new("/source", format!("at most {most} bytes")));
        }
        let description = self.description.as_deref().unwrap_or_default();
        if description.chars().count() > limits::DESCRIPTION_CHARS {
            let most = limits::DESCRIPTION_CHARS;
            problems.push(Problem::new("/description", format!("at most {most} characters")));
        }
        problems.extend(self.labels.iter().flat_map(label_problems));
        problems.extend(self.env.iter().flat_map(env_problems));
        problems
    }
}

/// What is wrong with labels.
#[must_use]
pub fn label_problems(labels: &Texts) -> Vec<Problem> {
    let mut problems = Vec::new();
    if labels.len() > limits::LABELS {
        let text = format!("at most {} labels, got {}", limits::LABELS, labels.len());
        problems.push(Problem::new("/labels", text));
    }
    let fits = |text: &str| text.chars().count() <= limits::LABEL_CHARS;
    for (key, _) in labels.iter().filter(|(key, value)| !fits(key) || !fits(value)) {
        let text = format!("key and value have at most {} characters", limits::LABEL_CHARS);
        let key: String = key.chars().take(limits::LABEL_CHARS).collect();
        problems.push(Problem::new(pointer_below("/labels", key), text));
    }
    if labels.contains_key("") {
        problems.push(Problem::new("/labels/", "the key of a label may not be empty"));
    }
    problems
}

fn env_problems(env: &Texts) -> Vec<Problem> {
    let mut problems = Vec::new();
    if env.len() > limits::ENV_VARIABLES {
        let text = format!("at most {} variables, got {}", limits::ENV_VARIABLES, env.len());
        problems.push(Problem::new("/env", text));
    }
    for (name, value) in env {
        let mut refuse = |text: String| {
            problems.push(Problem::new(pointer_below("/env", name), text));
        };
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            || !name.chars().all(is_word)
        {
            refuse("a variable's name has letters, digits and `_`, no digit first".to_owned());
        }
        if name.starts_with("GOOGLE") || name.starts_with("WORKFLOWS") {
            refuse("names that begin with GOOGLE or WORKFLOWS are the server's own".to_owned());
        }
        if value.len() > limits::ENV_BYTES {
            refuse(format!("at most {} bytes, got {}", limits::ENV_BYTES, value.len()));
        }
    }
    problems
}

/// One revision of a definition. Executions stay on the one they began with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Its name, unique on a server.
    pub name: Name,
    /// Where Google's clients see it; fixed when it is created.
    pub place: Place,
    /// The number of the revision, from 1.
    pub number: u64,
    /// The revision's id, such as `000001-a4d`.
    pub revision: String,
    /// What was deployed.
    pub content: Content,
    /// When the first revision was deployed.
    pub created_at: Timestamp,
    /// When something of this revision changed last.
    pub updated_at: Timestamp,
    /// When this revision was made.
    pub revised_at: Timestamp,
}

impl Content {
    fn take(&mut self, change: &Change) {
        fn put<T: Clone>(field: &mut T, change: &Option<T>) {
            if let Some(value) = change {
                field.clone_from(value);
            }
        }
        put(&mut self.source, &change.source);
        put(&mut self.service_account, &change.service_account);
        put(&mut self.env, &change.env);
        put(&mut self.description, &change.description);
        put(&mut self.labels, &change.labels);
        put(&mut self.call_log_level, &change.call_log_level);
        put(&mut self.history_level, &change.history_level);
    }

    /// What executions depend on.
    fn runs_as(&self) -> (&str, &str, &Texts) {
        (&self.source, &self.service_account, &self.env)
    }
}

impl Definition {
    /// The first revision. `suffix` is three random characters.
    #[must_use]
    pub fn first(
        name: &Name,
        place: &Place,
        change: &Change,
        suffix: &str,
        now: Timestamp,
    ) -> Self {
        let mut content = Content::default();
        content.take(change);
        Self {
            name: name.clone(),
            place: place.clone(),
            number: 1,
            revision: revision_id(1, suffix),
            content,
            created_at: now,
            updated_at: now,
            revised_at: now,
        }
    }

    /// The definition after a change: the next revision if executions would notice, else the
    /// same one with other words about it.
    #[must_use]
    pub fn changed(&self, change: &Change, suffix: &str, now: Timestamp) -> Self {
        let mut next = self.clone();
        next.content.take(change);
        if next.content != self.content {
            next.updated_at = now;
        }
        if next.content.runs_as() != self.content.runs_as() {
            next.number += 1;
            next.revision = revision_id(next.number, suffix);
            next.revised_at = now;
        }
        next
    }
}

fn revision_id(number: u64, suffix: &str) -> String {
    format!("{number:06}-{suffix}")
}

/// The number that a revision's id begins with.
#[must_use]
pub fn revision_number(revision: &str) -> Option<u64> {
    let (number, _) = revision.split_once('-')?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first() -> Definition {
        let place = Place { project: "p".into(), location: "l".into() };
        let change = Change { source: Some("a".into()), ..Change::default() };
        Definition::first(&Name::trusted("w"), &place, &change, "a4d", Timestamp::EPOCH)
    }

    #[test]
    fn names_follow_googles_rules() {
        for name in ["a", "order-flow_2", &"x".repeat(64)] {
            assert!(definition_name(name).is_ok(), "{name}");
        }
        for name in ["", "2a", "a-", "a b", "ä", "a/b", &"x".repeat(65)] {
            assert!(definition_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_flow_names_its_definition() {
        let flow = flow_of(&Name::trusted("orders"));
        assert_eq!(flow.as_str(), "workflow:orders");
        assert_eq!(definition_of(&flow), Some(Name::trusted("orders")));
        assert_eq!(definition_of(&Name::trusted("orders")), None);
    }

    #[test]
    fn everything_that_is_wrong_with_a_change_is_said_at_once() {
        let texts = |pairs: &[(&str, &str)]| -> Texts {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let change = Change {
            description: Some("x".repeat(1_001)),
            labels: Some(texts(&[("", "x"), ("long", &"x".repeat(64))])),
            env: Some(texts(&[("GOOGLE_X", ""), ("1a", ""), ("ok", &"x".repeat(4_097))])),
            ..Change::default()
        };
        let pointers: Vec<_> = change.problems().into_iter().map(|it| it.pointer).collect();
        assert_eq!(
            pointers,
            ["/description", "/labels/long", "/labels/", "/env/1a", "/env/GOOGLE_X", "/env/ok"]
        );
        assert_eq!(Change::default().problems(), []);
    }

    #[test]
    fn only_what_executions_notice_makes_a_revision() {
        let (one, later) = (first(), Timestamp::from_millis(9));
        assert_eq!(
            (one.revision.as_str(), revision_number(&one.revision)),
            ("000001-a4d", Some(1))
        );
        let words = Change { description: Some("x".into()), ..Change::default() };
        let same = one.changed(&words, "bbb", later);
        assert_eq!((same.number, same.updated_at, same.revised_at), (1, later, one.revised_at));
        let nothing = one.changed(&Change::default(), "bbb", later);
        assert_eq!(nothing, one);
        let env = Some(Texts::from([("A".to_owned(), "b".to_owned())]));
        for change in [
            Change { source: Some("b".into()), ..Change::default() },
            Change { service_account: Some("me".into()), ..Change::default() },
            Change { env, ..Change::default() },
        ] {
            let next = one.changed(&change, "bbb", later);
            assert_eq!((next.revision.as_str(), next.revised_at), ("000002-bbb", later));
            assert_eq!(next.created_at, one.created_at);
        }
    }
}
