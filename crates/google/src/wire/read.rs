//! Reads JSON as protocol buffers write it: numbers may be text, enums may be numbers, and what
//! is unknown is passed over.

use jobmill_model::{Map, Value};

use super::Error;

/// What a reader answers.
pub type Read<T> = Result<T, Error>;

fn wrong(what: &str, expected: &str, got: &Value) -> Error {
    Error::invalid(format!("Invalid value at '{what}': expected {expected}, got {}", got.kind()))
}

/// An object.
///
/// # Errors
/// Anything else.
pub fn object<'a>(value: &'a Value, what: &str) -> Read<&'a Map> {
    value.as_map().ok_or_else(|| wrong(what, "an object", value))
}

/// Refuses what an object says beyond these: to pass over it would do something else than was
/// asked for.
///
/// # Errors
/// A name that is none of them.
pub fn only(map: &Map, names: &[&str], what: &str) -> Read<()> {
    match map.keys().find(|key| !names.contains(&&***key)) {
        None => Ok(()),
        Some(key) => Err(Error::invalid(format!(
            "Unknown name {key:?} at '{what}'; it has {}",
            names.join(", ")
        ))),
    }
}

/// An array; `null` and nothing are an empty one.
///
/// # Errors
/// Anything else.
pub fn list<'a>(value: Option<&'a Value>, what: &str) -> Read<&'a [Value]> {
    match value {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::List(items)) => Ok(items),
        Some(other) => Err(wrong(what, "an array", other)),
    }
}

/// Text.
///
/// # Errors
/// Anything else.
pub fn text<'a>(value: &'a Value, what: &str) -> Read<&'a str> {
    value.as_str().ok_or_else(|| wrong(what, "a string", value))
}

/// Text that may be left out.
///
/// # Errors
/// Anything else.
pub fn text_or<'a>(value: Option<&'a Value>, what: &str) -> Read<Option<&'a str>> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => text(value, what).map(Some),
    }
}

/// A Boolean, also as text, which Python's clients begin with a capital.
///
/// # Errors
/// Anything else.
pub fn boolean(value: &Value, what: &str) -> Read<bool> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) if matches!(&**text, "true" | "True") => Ok(true),
        Value::String(text) if matches!(&**text, "false" | "False") => Ok(false),
        other => Err(wrong(what, "a boolean", other)),
    }
}

/// A Boolean that may be left out, and then is false.
///
/// # Errors
/// Anything else.
pub fn flag(value: Option<&Value>, what: &str) -> Read<bool> {
    match value {
        None | Some(Value::Null) => Ok(false),
        Some(value) => boolean(value, what),
    }
}

/// A whole number, also as text.
///
/// # Errors
/// Anything else, and numbers beyond 64 bits.
pub fn integer(value: &Value, what: &str) -> Read<i64> {
    let whole = |double: f64| double.fract() == 0.0 && double.abs() < 9.0e18;
    match value {
        Value::Int(number) => Ok(*number),
        Value::Double(double) if whole(*double) => Ok(*double as i64),
        Value::String(text) => {
            let as_double = || text.parse().ok().filter(|it| whole(*it)).map(|it| it as i64);
            let number = text.parse().ok().or_else(as_double);
            number.ok_or_else(|| wrong(what, "a 64-bit whole number", value))
        }
        other => Err(wrong(what, "a whole number", other)),
    }
}

/// A whole number that may be left out.
///
/// # Errors
/// Anything else.
pub fn integer_or(value: Option<&Value>, what: &str) -> Read<Option<i64>> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => integer(value, what).map(Some),
    }
}

/// A number, with `NaN` and the infinities as text.
///
/// # Errors
/// Anything else.
pub fn double(value: &Value, what: &str) -> Read<f64> {
    match value {
        Value::Int(number) => Ok(*number as f64),
        Value::Double(double) => Ok(*double),
        Value::String(text) => match &**text {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            text => text.parse().map_err(|_| wrong(what, "a number", value)),
        },
        other => Err(wrong(what, "a number", other)),
    }
}

/// A double as JSON: what JSON cannot write is text.
#[must_use]
pub fn double_value(double: f64) -> Value {
    if double.is_nan() {
        "NaN".into()
    } else if double.is_infinite() {
        if double > 0.0 { "Infinity".into() } else { "-Infinity".into() }
    } else {
        double.into()
    }
}

/// One of an enum, by its name or its number.
///
/// # Errors
/// A name or a number that is none of them.
pub fn choice<T: Copy>(value: &Value, choices: &[(&str, i64, T)], what: &str) -> Read<T> {
    let found = match value {
        Value::String(text) => choices.iter().find(|(name, ..)| *name == &**text),
        Value::Int(number) => choices.iter().find(|(_, known, _)| known == number),
        _ => None,
    };
    found.map(|(.., choice)| *choice).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, ..)| *name).collect();
        Error::invalid(format!(
            "Invalid value at '{what}': {value} is none of {}",
            names.join(", ")
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_be_text() {
        assert_eq!(integer(&"-9223372036854775808".into(), "n"), Ok(i64::MIN));
        assert_eq!(integer(&Value::Double(2.0), "n"), Ok(2));
        assert!(integer(&"9223372036854775808".into(), "n").is_err());
        assert!(integer(&Value::Double(2.5), "n").is_err());
        assert!(double(&"NaN".into(), "d").is_ok_and(f64::is_nan));
        assert_eq!(double_value(f64::NEG_INFINITY), "-Infinity".into());
    }

    #[test]
    fn booleans_may_be_text() {
        assert_eq!(boolean(&"True".into(), "b"), Ok(true));
        assert_eq!(boolean(&"false".into(), "b"), Ok(false));
        assert!(boolean(&"yes".into(), "b").is_err());
    }

    #[test]
    fn a_choice_is_taken_by_name_or_number() {
        let choices = [("EQUAL", 5, 'e'), ("IN", 8, 'i')];
        assert_eq!(choice(&"IN".into(), &choices, "op"), Ok('i'));
        assert_eq!(choice(&Value::Int(5), &choices, "op"), Ok('e'));
        let error = choice(&"LIKE".into(), &choices, "op").unwrap_err();
        assert_eq!(error.message, "Invalid value at 'op': \"LIKE\" is none of EQUAL, IN");
    }
}
