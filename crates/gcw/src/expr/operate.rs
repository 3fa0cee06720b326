//! What the operators do with values. Rules and marks: reference §5.

use std::cmp::Ordering;

use super::ast::BinaryOp;
use crate::fault::{Answer, Fault};
use crate::value::{Value, compare_mixed};

/// Any operator but `and` and `or`.
///
/// # Errors
/// `TypeError`, `ZeroDivisionError`, `ValueError` on overflow [?].
pub fn binary(op: BinaryOp, left: &Value, right: &Value) -> Answer {
    match op {
        BinaryOp::Equal => Ok(Value::Bool(left == right)),
        BinaryOp::NotEqual => Ok(Value::Bool(left != right)),
        BinaryOp::Less => compare(op, left, right, Ordering::is_lt),
        BinaryOp::LessEqual => compare(op, left, right, Ordering::is_le),
        BinaryOp::Greater => compare(op, left, right, Ordering::is_gt),
        BinaryOp::GreaterEqual => compare(op, left, right, Ordering::is_ge),
        BinaryOp::In => contains(left, right).map(Value::Bool),
        BinaryOp::Add => add(left, right),
        BinaryOp::Subtract | BinaryOp::Multiply => arithmetic(op, left, right),
        BinaryOp::Divide | BinaryOp::FloorDivide | BinaryOp::Remainder => divide(op, left, right),
        BinaryOp::And | BinaryOp::Or => Err(unsupported(op, left, right)),
    }
}

/// `-a`
///
/// # Errors
/// `TypeError` for what is no number, `ValueError` for the smallest integer.
pub fn negate(value: &Value) -> Answer {
    match value {
        Value::Int(number) => number.checked_neg().map(Value::Int).ok_or_else(overflow),
        Value::Double(number) => Ok(Value::Double(-number)),
        other => Err(Fault::of_type(format!(
            "unsupported operand type for -: '{}'",
            other.message_name()
        ))),
    }
}

/// A boolean operand of `and`, `or`, `not`, or a condition.
///
/// # Errors
/// `TypeError` for anything else.
pub fn truth(value: &Value, of: &str) -> Answer<bool> {
    match value {
        Value::Bool(value) => Ok(*value),
        other => {
            Err(Fault::of_type(format!("{of} must be a boolean, got: {}", other.message_name())))
        }
    }
}

/// `a in b`: a key of a map, an element of a list.
///
/// # Errors
/// `TypeError` for any other right side, in the words of the real service. \[R\]
pub fn contains(item: &Value, whole: &Value) -> Answer<bool> {
    match whole {
        Value::List(list) => Ok(list.items().contains(item)),
        Value::Map(map) => Ok(item.as_str().is_some_and(|key| map.get(key).is_some())
            || (item.as_str().is_none()
                && item.scalar_text().is_some_and(|key| map.get(&key).is_some()))),
        other => Err(Fault::tagged(
            format!(
                "The argument of 'in' must be a dict or an array; got: {}",
                other.message_name()
            ),
            &["TypeError"],
        )),
    }
}

/// `a.b`: a key of a map.
///
/// # Errors
/// `KeyError` for a missing key, `TypeError` for what is no map.
pub fn member<'a>(value: &'a Value, key: &str) -> Answer<&'a Value> {
    match value {
        Value::Map(map) => map.get(key).ok_or_else(|| Fault::missing_key(key)),
        other => Err(Fault::of_type(format!(
            "cannot read key '{key}' of a value of type {}",
            other.message_name()
        ))),
    }
}

/// `a[b]`: an element of a list or a key of a map.
///
/// # Errors
/// `IndexError`, `KeyError`, `TypeError`.
pub fn index<'a>(value: &'a Value, key: &Value) -> Answer<&'a Value> {
    match (value, key) {
        (Value::Map(map), key) => {
            let text = key_text(key)?;
            map.get(&text).ok_or_else(|| Fault::missing_key(&text))
        }
        (Value::List(list), Value::Int(at)) => {
            let place = usize::try_from(*at).ok();
            place
                .and_then(|at| list.items().get(at))
                .ok_or_else(|| out_of_range(*at, list.items().len()))
        }
        (Value::List(_), other) => Err(Fault::of_type(format!(
            "a list index must be an integer, got: {}",
            other.message_name()
        ))),
        (other, _) => Err(Fault::of_type(format!(
            "a value of type {} cannot be indexed",
            other.message_name()
        ))),
    }
}

/// `a[b:c]`: from a place up to, not with, another; ends beyond the value are cut.
///
/// # Errors
/// `TypeError` for what is neither list nor string, or an end that is no integer.
pub fn slice(value: &Value, from: Option<Value>, to: Option<Value>) -> Answer {
    let end = |end: Option<Value>, default: i64, len: i64| match end {
        None => Ok(default),
        Some(Value::Int(at)) => Ok(if at < 0 { at.saturating_add(len) } else { at }.clamp(0, len)),
        Some(other) => Err(Fault::of_type(format!(
            "the end of a slice must be an integer, got: {}",
            other.message_name()
        ))),
    };
    let range = |len: usize| -> Answer<(usize, usize)> {
        let len = len as i64;
        let (from, to) = (end(from, 0, len)?, end(to, len, len)?);
        Ok((from as usize, (to - from).max(0) as usize))
    };
    match value {
        Value::List(list) => {
            let (from, count) = range(list.items().len())?;
            Ok(Value::list(list.items().iter().skip(from).take(count).cloned().collect()))
        }
        Value::String(text) => {
            let (from, count) = range(text.chars().count())?;
            Ok(text.chars().skip(from).take(count).collect::<String>().into())
        }
        other => Err(Fault::of_type(format!(
            "a value of type {} cannot be sliced",
            other.message_name()
        ))),
    }
}

/// The key of a map that a value stands for; numbers and booleans are their text. \[S\]
///
/// # Errors
/// `TypeError` for what has no text.
pub fn key_text(key: &Value) -> Answer<std::sync::Arc<str>> {
    key.scalar_text().ok_or_else(|| {
        Fault::of_type(format!("a map key must be a string, got: {}", key.message_name()))
    })
}

/// `IndexError` for a place outside a list.
#[must_use]
pub fn out_of_range(at: i64, len: usize) -> Box<Fault> {
    Fault::index(format!("index out of range: {at} (length {len})"))
}

fn overflow() -> Box<Fault> {
    Fault::of_value("integer overflow")
}

fn unsupported(op: BinaryOp, left: &Value, right: &Value) -> Box<Fault> {
    Fault::of_type(format!(
        "unsupported operand types for {}: '{}' and '{}'",
        op.symbol(),
        left.message_name(),
        right.message_name()
    ))
}

fn add(left: &Value, right: &Value) -> Answer {
    if let (Value::String(_), _) | (_, Value::String(_)) = (left, right)
        && let (Some(a), Some(b)) = (left.scalar_text(), right.scalar_text())
    {
        let mut text = String::with_capacity(a.len() + b.len());
        text.push_str(&a);
        text.push_str(&b);
        return Ok(Value::from(text));
    }
    arithmetic(BinaryOp::Add, left, right)
}

fn arithmetic(op: BinaryOp, left: &Value, right: &Value) -> Answer {
    if let (Value::Int(a), Value::Int(b)) = (left, right) {
        let answer = match op {
            BinaryOp::Add => a.checked_add(*b),
            BinaryOp::Subtract => a.checked_sub(*b),
            _ => a.checked_mul(*b),
        };
        return answer.map(Value::Int).ok_or_else(overflow);
    }
    let (Some(a), Some(b)) = (left.as_number(), right.as_number()) else {
        return Err(unsupported(op, left, right));
    };
    Ok(Value::Double(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        _ => a * b,
    }))
}

fn divide(op: BinaryOp, left: &Value, right: &Value) -> Answer {
    let (Some(a), Some(b)) = (left.as_number(), right.as_number()) else {
        return Err(unsupported(op, left, right));
    };
    if b == 0.0 {
        return Err(Fault::zero_division(left, op.symbol(), right));
    }
    match (op, left, right) {
        (BinaryOp::Divide, ..) => Ok(Value::Double(a / b)),
        (BinaryOp::FloorDivide, Value::Int(a), Value::Int(b)) => {
            let quotient = a.checked_div(*b).ok_or_else(overflow)?;
            let is_below = a % b != 0 && ((a < &0) != (b < &0));
            Ok(Value::Int(quotient - i64::from(is_below)))
        }
        (BinaryOp::FloorDivide, ..) => Ok(Value::Double((a / b).floor())),
        (_, Value::Int(a), Value::Int(b)) => Ok(Value::Int(a.wrapping_rem(*b))),
        _ => Ok(Value::Double(a % b)),
    }
}

fn compare(op: BinaryOp, left: &Value, right: &Value, test: fn(Ordering) -> bool) -> Answer {
    let order = match (left, right) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Double(b)) => compare_mixed(*a, *b),
        (Value::Double(a), Value::Int(b)) => compare_mixed(*b, *a).map(Ordering::reverse),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => return Err(unsupported(op, left, right)),
    };
    Ok(Value::Bool(order.is_some_and(test)))
}
