//! The part of JSON Schema (2020-12) that declared flows may use: checked in bounded time.
//!
//! A schema is read once. A keyword that would not be obeyed is refused then, so that nobody
//! relies on a check that does not happen; keywords that only describe are passed over.

use crate::fault::{Problem, pointer_below};
use crate::suggest::nearest;
use crate::value::{Map, Value};

/// Problems beyond this number are not looked for.
const MOST_PROBLEMS: usize = 100;

/// Keywords that only describe.
const DESCRIBES: [&str; 12] = [
    "$schema",
    "$id",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "example",
    "format",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// Keywords that are obeyed.
const OBEYED: [&str; 20] = [
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "minProperties",
    "maxProperties",
    "items",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "allOf",
    "anyOf",
    "oneOf",
];

const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

/// A schema that has been read.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    All,
    Nothing,
    Rules(Vec<Rule>),
}

#[derive(Debug, Clone, PartialEq)]
enum Rule {
    Type(Vec<&'static str>),
    OneOf(Vec<Value>),
    Properties(Vec<(String, Schema)>),
    Required(Vec<String>),
    Others { known: Vec<String>, schema: Schema },
    Count { what: Counted, least: Option<u64>, most: Option<u64> },
    Items(Schema),
    Number { bound: f64, holds: Bound },
    Each(Vec<Schema>),
    Any(Vec<Schema>),
    Single(Vec<Schema>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Entries,
    Items,
    Characters,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    AtLeast,
    AtMost,
    Above,
    Below,
}

impl Schema {
    /// Reads a schema; everything that is wrong with it is said.
    ///
    /// # Errors
    /// What is no schema, or asks for a check that is not made, with the place below `pointer`.
    pub fn read(value: &Value, pointer: &str) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let schema = read(value, pointer, &mut problems);
        if problems.is_empty() { Ok(schema) } else { Err(problems) }
    }

    /// What is wrong with a value, with places below `pointer`.
    #[must_use]
    pub fn check(&self, value: &Value, pointer: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.look(value, pointer, &mut problems);
        problems
    }

    fn fits(&self, value: &Value) -> bool {
        self.check(value, "").is_empty()
    }

    fn look(&self, value: &Value, pointer: &str, problems: &mut Vec<Problem>) {
        match &self.0 {
            Kind::All => {}
            Kind::Nothing => problems.push(Problem::new(pointer, "no value is allowed here")),
            Kind::Rules(rules) => {
                for rule in rules {
                    if problems.len() >= MOST_PROBLEMS {
                        return;
                    }
                    rule.look(value, pointer, problems);
                }
            }
        }
    }
}

impl Rule {
    fn look(&self, value: &Value, pointer: &str, problems: &mut Vec<Problem>) {
        match self {
            Self::Properties(known) => {
                let Some(map) = value.as_map() else { return };
                for (key, schema) in known {
                    if let Some(value) = map.get(key) {
                        schema.look(value, &pointer_below(pointer, key), problems);
                    }
                }
            }
            Self::Required(names) => {
                let Some(map) = value.as_map() else { return };
                let missing = names.iter().filter(|name| !map.contains(name));
                problems.extend(missing.map(|name| {
                    Problem::new(pointer_below(pointer, name), "this field is required")
                }));
            }
            Self::Others { known, schema } => look_others(known, schema, value, pointer, problems),
            Self::Items(schema) => {
                let items = value.as_list().unwrap_or_default();
                for (index, item) in items.iter().enumerate() {
                    if problems.len() >= MOST_PROBLEMS {
                        return;
                    }
                    schema.look(item, &pointer_below(pointer, index), problems);
                }
            }
            Self::Each(schemas) => {
                schemas.iter().for_each(|schema| schema.look(value, pointer, problems));
            }
            single => {
                if let Some(message) = single.complaint(value) {
                    problems.push(Problem::new(pointer, message));
                }
            }
        }
    }

    /// What a rule says that looks at the value as a whole.
    fn complaint(&self, value: &Value) -> Option<String> {
        match self {
            Self::Type(types) => {
                let fits = types.iter().any(|name| is_of_type(value, name));
                (!fits).then(|| format!("expected {}, got {}", types.join(" or "), value.kind()))
            }
            Self::OneOf(values) => (!values.contains(value)).then(|| {
                let texts: Vec<String> = values.iter().map(Value::to_string).collect();
                format!("expected one of {}", texts.join(", "))
            }),
            Self::Count { what, least, most } => {
                let (count, noun) = what.count(value)?;
                if least.is_some_and(|least| count < least) {
                    return Some(format!("at least {} {noun}, got {count}", least.unwrap_or(0)));
                }
                let over = most.filter(|most| count > *most);
                over.map(|most| format!("at most {most} {noun}, got {count}"))
            }
            Self::Number { bound, holds } => {
                let number = number(value)?;
                (!holds.holds(number, *bound))
                    .then(|| format!("expected a number {} {bound}, got {number}", holds.word()))
            }
            Self::Any(schemas) => (!schemas.iter().any(|schema| schema.fits(value)))
                .then(|| "it fits none of the forms that are allowed here".to_owned()),
            Self::Single(schemas) => {
                let fitting = schemas.iter().filter(|schema| schema.fits(value)).count();
                (fitting != 1).then(|| {
                    format!(
                        "it fits {fitting} of the forms that are allowed here, and must fit one"
                    )
                })
            }
            _ => None,
        }
    }
}

fn look_others(
    known: &[String],
    schema: &Schema,
    value: &Value,
    pointer: &str,
    problems: &mut Vec<Problem>,
) {
    let Some(map) = value.as_map() else { return };
    for (key, value) in map.iter().filter(|(key, _)| !known.iter().any(|it| **it == ***key)) {
        if problems.len() >= MOST_PROBLEMS {
            return;
        }
        let place = pointer_below(pointer, key);
        if schema.0 == Kind::Nothing {
            let message = match nearest(key, known.iter().map(String::as_str)) {
                Some(near) => format!("unknown field {:?}; did you mean {near:?}?", &**key),
                None => format!("unknown field {:?}", &**key),
            };
            problems.push(Problem::new(place, message));
        } else {
            schema.look(value, &place, problems);
        }
    }
}

impl Counted {
    fn count(self, value: &Value) -> Option<(u64, &'static str)> {
        let (count, noun) = match self {
            Self::Entries => (value.as_map()?.len(), "fields"),
            Self::Items => (value.as_list()?.len(), "items"),
            Self::Characters => (value.as_str()?.chars().count(), "characters"),
        };
        Some((count as u64, noun))
    }
}

impl Bound {
    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Self::AtLeast => number >= bound,
            Self::AtMost => number <= bound,
            Self::Above => number > bound,
            Self::Below => number < bound,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::AtLeast => "of at least",
            Self::AtMost => "of at most",
            Self::Above => "above",
            Self::Below => "below",
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Double(number) => Some(*number),
        _ => None,
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::Int(_) => matches!(name, "integer" | "number"),
        Value::Double(number) => name == "number" || (name == "integer" && number.fract() == 0.0),
        Value::String(_) => name == "string",
        Value::List(_) => name == "array",
        Value::Map(_) => name == "object",
    }
}

fn read(value: &Value, pointer: &str, problems: &mut Vec<Problem>) -> Schema {
    let map = match value {
        Value::Bool(true) => return Schema(Kind::All),
        Value::Bool(false) => return Schema(Kind::Nothing),
        Value::Map(map) => map,
        other => {
            let message = format!("a schema is an object or a boolean, not {}", other.kind());
            problems.push(Problem::new(pointer, message));
            return Schema(Kind::All);
        }
    };
    let mut rules = Vec::new();
    for (key, value) in map.iter() {
        let place = pointer_below(pointer, key);
        if DESCRIBES.contains(&&**key) {
            continue;
        }
        match read_rule(key, value, map, &place, problems) {
            Ok(rule) => rules.extend(rule),
            Err(message) => problems.push(Problem::new(place, message)),
        }
    }
    if rules.is_empty() { Schema(Kind::All) } else { Schema(Kind::Rules(rules)) }
}

/// The rule of one keyword; some are read with another one.
fn read_rule(
    key: &str,
    value: &Value,
    map: &Map,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<Option<Rule>, String> {
    let bound = |holds| {
        let bound = number(value).ok_or_else(|| format!("expected a number, got {}", value.kind()));
        bound.map(|bound| Some(Rule::Number { bound, holds }))
    };
    match key {
        "type" => read_types(value).map(|types| Some(Rule::Type(types))),
        "enum" => Ok(Some(Rule::OneOf(list(value)?.to_vec()))),
        "const" => Ok(Some(Rule::OneOf(vec![value.clone()]))),
        "properties" => {
            let properties = object(value)?.iter();
            let properties = properties.map(|(name, schema)| {
                (name.to_string(), read(schema, &pointer_below(place, name), problems))
            });
            Ok(Some(Rule::Properties(properties.collect())))
        }
        "required" => Ok(Some(Rule::Required(texts(value)?))),
        "additionalProperties" => {
            let known = map.get("properties").and_then(Value::as_map);
            let known = known.map(|known| known.keys().map(ToString::to_string).collect());
            let schema = read(value, place, problems);
            Ok(Some(Rule::Others { known: known.unwrap_or_default(), schema }))
        }
        "items" => Ok(Some(Rule::Items(read(value, place, problems)))),
        "minProperties" => count(Counted::Entries, value, true),
        "maxProperties" => count(Counted::Entries, value, false),
        "minItems" => count(Counted::Items, value, true),
        "maxItems" => count(Counted::Items, value, false),
        "minLength" => count(Counted::Characters, value, true),
        "maxLength" => count(Counted::Characters, value, false),
        "minimum" => bound(Bound::AtLeast),
        "maximum" => bound(Bound::AtMost),
        "exclusiveMinimum" => bound(Bound::Above),
        "exclusiveMaximum" => bound(Bound::Below),
        "allOf" => Ok(Some(Rule::Each(schemas(value, place, problems)?))),
        "anyOf" => Ok(Some(Rule::Any(schemas(value, place, problems)?))),
        "oneOf" => Ok(Some(Rule::Single(schemas(value, place, problems)?))),
        _ => Err(match nearest(key, OBEYED) {
            Some(near) => format!("{key:?} is not checked here; did you mean {near:?}?"),
            None => format!("{key:?} is not checked here; known are {}", OBEYED.join(", ")),
        }),
    }
}

fn count(what: Counted, value: &Value, is_least: bool) -> Result<Option<Rule>, String> {
    let bound = value.as_int().and_then(|bound| u64::try_from(bound).ok());
    let bound = bound.ok_or_else(|| "expected a whole number from 0 on".to_owned())?;
    let (least, most) = if is_least { (Some(bound), None) } else { (None, Some(bound)) };
    Ok(Some(Rule::Count { what, least, most }))
}

fn read_types(value: &Value) -> Result<Vec<&'static str>, String> {
    let names = match value {
        Value::String(name) => vec![name.to_string()],
        other => texts(other)?,
    };
    let known = |name: &String| {
        let found = TYPES.into_iter().find(|known| known == name);
        found.ok_or_else(|| format!("unknown type {name:?}; known are {}", TYPES.join(", ")))
    };
    names.iter().map(known).collect()
}

fn schemas(value: &Value, place: &str, problems: &mut Vec<Problem>) -> Result<Vec<Schema>, String> {
    let items = list(value)?.iter().enumerate();
    Ok(items.map(|(index, item)| read(item, &pointer_below(place, index), problems)).collect())
}

fn list(value: &Value) -> Result<&[Value], String> {
    value.as_list().ok_or_else(|| format!("expected an array, got {}", value.kind()))
}

fn object(value: &Value) -> Result<&Map, String> {
    value.as_map().ok_or_else(|| format!("expected an object, got {}", value.kind()))
}

fn texts(value: &Value) -> Result<Vec<String>, String> {
    let text = |item: &Value| {
        let text = item.as_str().map(str::to_owned);
        text.ok_or_else(|| format!("expected strings, got {}", item.kind()))
    };
    list(value)?.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        Value::from_json(text.as_bytes()).unwrap()
    }

    fn wrong(schema: &str, with: &str) -> Vec<String> {
        let schema = Schema::read(&value(schema), "").unwrap();
        schema.check(&value(with), "/input").iter().map(ToString::to_string).collect()
    }

    #[test]
    fn everything_that_is_wrong_is_said_with_its_place() {
        let schema = r#"{"type":"object","required":["url","size"],"additionalProperties":false,
            "properties":{"url":{"type":"string","minLength":3},"size":{"type":"integer"},
            "tags":{"type":"array","maxItems":1,"items":{"enum":["a","b"]}}}}"#;
        assert_eq!(wrong(schema, r#"{"url":"abc","size":1.0,"tags":["b"]}"#), [""; 0]);
        assert_eq!(
            wrong(schema, r#"{"url":"é","tags":["c","a"],"sise":1}"#),
            [
                "/input/size: this field is required",
                "/input/sise: unknown field \"sise\"; did you mean \"size\"?",
                "/input/url: at least 3 characters, got 1",
                "/input/tags: at most 1 items, got 2",
                "/input/tags/0: expected one of \"a\", \"b\"",
            ]
        );
        assert_eq!(wrong(schema, "7"), ["/input: expected object, got a whole number"]);
    }

    #[test]
    fn numbers_have_bounds_and_forms_can_be_chosen() {
        let schema = r#"{"anyOf":[{"type":"null"},{"type":"number","minimum":0,
            "exclusiveMaximum":1}]}"#;
        for fine in ["null", "0", "0.5"] {
            assert_eq!(wrong(schema, fine), [""; 0], "{fine}");
        }
        for bad in ["1", "-1", "\"x\""] {
            assert_eq!(wrong(schema, bad).len(), 1, "{bad}");
        }
        let one = r#"{"oneOf":[{"type":"integer"},{"minimum":5}]}"#;
        assert_eq!(wrong(one, "3"), [""; 0]);
        assert!(wrong(one, "7")[0].contains("fits 2 of the forms"));
        assert_eq!(wrong("false", "1"), ["/input: no value is allowed here"]);
        assert_eq!(wrong("true", "1"), [""; 0]);
    }

    #[test]
    fn a_check_that_is_not_made_is_refused() {
        let refused = |schema: &str| {
            let problems = Schema::read(&value(schema), "/input_schema").unwrap_err();
            problems.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let said = refused(r#"{"properties":{"a":{"pattern":"^x"}},"requird":[],"title":"T"}"#);
        assert!(said[0].starts_with("/input_schema/properties/a/pattern: \"pattern\" is not"));
        assert!(said[1].ends_with("did you mean \"required\"?"), "{said:?}");
        assert_eq!(
            refused("3"),
            ["/input_schema: a schema is an object or a boolean, not a whole number"]
        );
        assert!(refused(r#"{"type":"strin"}"#)[0].contains("unknown type"));
    }

    #[test]
    fn no_more_problems_are_looked_for_than_somebody_reads() {
        let schema = Schema::read(&value(r#"{"items":false}"#), "").unwrap();
        let many = Value::list((0..10_000).map(Value::from));
        assert_eq!(schema.check(&many, "").len(), MOST_PROBLEMS);
    }
}
