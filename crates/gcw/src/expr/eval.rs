//! Evaluation of resolved expressions: pure, recursive, bounded by the height of the tree.

use std::sync::Arc;

use super::ast::BinaryOp;
use super::operate;
use crate::fault::{Answer, Fault};
use crate::program::{Expr, VarRef};
use crate::stdlib::{Args, Context};
use crate::value::{Map, Value};

/// Where variables are read.
pub trait Vars {
    /// The value of a variable; `null` before it is assigned. \[S\]
    fn get(&self, var: VarRef) -> &Value;
}

/// Evaluates an expression.
///
/// # Errors
/// Whatever the operators and functions raise; a value over its limits is a resource error.
pub fn eval(expr: &Expr, vars: &dyn Vars, context: &Context) -> Answer {
    match expr {
        Expr::Const(value) => Ok(value.clone()),
        Expr::Var(var) => Ok(vars.get(*var).clone()),
        Expr::Unknown(name) => Err(Fault::missing_key(name)),
        Expr::Member(..) | Expr::Index(..) => place(expr, vars, context).map(Found::take),
        Expr::Slice(parts) => {
            let whole = place(&parts.0, vars, context)?;
            let end =
                |end: &Option<Expr>| end.as_ref().map(|end| eval(end, vars, context)).transpose();
            operate::slice(whole.value(), end(&parts.1)?, end(&parts.2)?)
        }
        Expr::List(items) => {
            let items: Answer<Vec<Value>> =
                items.iter().map(|item| eval(item, vars, context)).collect();
            checked(Value::list(items?), context)
        }
        Expr::Map(entries) => map(entries, vars, context),
        Expr::Not(inner) => {
            let value = eval(inner, vars, context)?;
            Ok(Value::Bool(!operate::truth(&value, "the operand of 'not'")?))
        }
        Expr::Negate(inner) => operate::negate(&eval(inner, vars, context)?),
        Expr::Binary(BinaryOp::And, sides) => logic(sides, false, "and", vars, context),
        Expr::Binary(BinaryOp::Or, sides) => logic(sides, true, "or", vars, context),
        Expr::Binary(op, sides) => {
            let left = place(&sides.0, vars, context)?;
            let right = place(&sides.1, vars, context)?;
            context.worked(left.value().size_bytes() + right.value().size_bytes());
            let value = operate::binary(*op, left.value(), right.value())?;
            if *op == BinaryOp::Add { checked(value, context) } else { Ok(value) }
        }
        Expr::If(parts) => {
            let condition = eval(&parts.0, vars, context)?;
            let side = if is_true(&condition)? { &parts.1 } else { &parts.2 };
            eval(side, vars, context)
        }
        Expr::Call(function, args) => {
            let mut values = Vec::with_capacity(args.len());
            for arg in args {
                values.push(match arg {
                    Some(arg) => Some(eval(arg, vars, context)?),
                    None => None,
                });
            }
            let sizes = values.iter().flatten().map(Value::size_bytes);
            context.worked(sizes.sum());
            let answer = function.call(&Args::new(function, &values, context))?;
            context.worked(answer.size_bytes());
            checked(answer, context)
        }
        Expr::At(position, inner) => {
            eval(inner, vars, context).map_err(|fault| fault.at(*position))
        }
    }
}

/// The condition of `if()`: false or null choose the second side. \[D\]
///
/// # Errors
/// `TypeError` for anything but a boolean or null.
pub fn is_true(condition: &Value) -> Answer<bool> {
    match condition {
        Value::Null => Ok(false),
        other => operate::truth(other, "the condition of if()"),
    }
}

/// The value, unless it is over a limit.
///
/// # Errors
/// A resource error.
pub fn checked(value: Value, context: &Context) -> Answer {
    let limits = &context.limits;
    if u64::from(value.depth()) > limits.value_depth {
        let message = format!("a value nests deeper than {} levels", limits.value_depth);
        return Err(Fault::resource(message));
    }
    let size = value.size_bytes() as u64;
    match value {
        Value::String(_) if size > limits.string_bytes + 2 => {
            let message = format!("a string is longer than {} bytes", limits.string_bytes);
            Err(Fault::resource(message))
        }
        _ if size > limits.variables_bytes => {
            let message = format!("a value is larger than {} bytes", limits.variables_bytes);
            Err(Fault::resource(message))
        }
        _ => Ok(value),
    }
}

/// A value that is borrowed where it can be.
enum Found<'a> {
    Borrowed(&'a Value),
    Owned(Value),
}

impl Found<'_> {
    fn value(&self) -> &Value {
        match self {
            Self::Borrowed(value) => value,
            Self::Owned(value) => value,
        }
    }

    fn take(self) -> Value {
        match self {
            Self::Borrowed(value) => value.clone(),
            Self::Owned(value) => value,
        }
    }
}

/// Evaluates without copying what a variable holds.
fn place<'a>(expr: &'a Expr, vars: &'a dyn Vars, context: &Context) -> Answer<Found<'a>> {
    match expr {
        Expr::Const(value) => Ok(Found::Borrowed(value)),
        Expr::Var(var) => Ok(Found::Borrowed(vars.get(*var))),
        Expr::Member(inner, key) => match place(inner, vars, context)? {
            Found::Borrowed(value) => operate::member(value, key).map(Found::Borrowed),
            Found::Owned(value) => operate::member(&value, key).cloned().map(Found::Owned),
        },
        Expr::Index(sides) => {
            let whole = place(&sides.0, vars, context)?;
            let key = place(&sides.1, vars, context)?;
            match whole {
                Found::Borrowed(value) => operate::index(value, key.value()).map(Found::Borrowed),
                Found::Owned(value) => {
                    operate::index(&value, key.value()).cloned().map(Found::Owned)
                }
            }
        }
        other => eval(other, vars, context).map(Found::Owned),
    }
}

fn logic(
    sides: &(Expr, Expr),
    decides: bool,
    word: &str,
    vars: &dyn Vars,
    context: &Context,
) -> Answer {
    let operand = |expr| {
        let value = place(expr, vars, context)?;
        operate::truth(value.value(), &format!("an operand of '{word}'"))
    };
    if operand(&sides.0)? == decides {
        return Ok(Value::Bool(decides));
    }
    operand(&sides.1).map(Value::Bool)
}

fn map(entries: &[(Expr, Expr)], vars: &dyn Vars, context: &Context) -> Answer {
    let mut built: Vec<(Arc<str>, Value)> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let key = operate::key_text(&eval(key, vars, context)?)?;
        built.push((key, eval(value, vars, context)?));
    }
    checked(Value::from(built.into_iter().collect::<Map>()), context)
}
