//! Writing variables: values are copies, memory is accounted.

use std::sync::Arc;

use super::Machine;
use super::branch::{Activation, View, frame_of};
use crate::expr::eval::eval;
use crate::expr::operate::{key_text, out_of_range};
use crate::fault::{Answer, Fault};
use crate::program::{Expr, PathKey, VarRef};
use crate::value::{Map, Value};

impl Machine {
    pub(super) fn eval(&self, expr: &Expr, activation: &Activation) -> Answer {
        let view = View { frames: &self.frames, frame: activation.frame };
        eval(expr, &view, &self.context)
    }

    fn slot(&mut self, frame: usize, var: VarRef) -> Option<&mut Value> {
        let frame = frame_of(&self.frames, frame, var.up);
        self.frames.get_mut(frame)?.slots.get_mut(usize::from(var.slot))
    }

    /// Writes a whole variable.
    pub(super) fn write(&mut self, frame: usize, var: VarRef, value: Value) -> Answer<()> {
        let after = value.size_bytes() as u64;
        let Some(slot) = self.slot(frame, var) else { return Ok(()) };
        let before = std::mem::replace(slot, value).size_bytes() as u64;
        self.account(before, after)
    }

    /// Writes a variable that may be absent.
    pub(super) fn write_result(
        &mut self,
        frame: usize,
        var: Option<VarRef>,
        value: Value,
    ) -> Answer<()> {
        var.map_or(Ok(()), |var| self.write(frame, var, value))
    }

    pub(super) fn account(&mut self, before: u64, after: u64) -> Answer<()> {
        self.memory = (self.memory + after).saturating_sub(before);
        let most = self.context.limits.variables_bytes;
        if after > before && self.memory > most {
            let message = format!("all variables together are larger than {most} bytes");
            return Err(Fault::resource(message));
        }
        Ok(())
    }

    /// `x: ${list.concat(x, item)}`
    pub(super) fn append(&mut self, frame: usize, var: VarRef, item: Value) -> Answer<()> {
        let most = self.context.limits.value_depth;
        let Some(slot) = self.slot(frame, var) else { return Ok(()) };
        let before = slot.size_bytes() as u64;
        let Value::List(list) = slot else {
            return Err(Fault::of_type(format!(
                "argument 'objs' of list.concat() must be a list, got: {}",
                slot.message_name()
            )));
        };
        Arc::make_mut(list).push(item);
        let (after, depth) = (slot.size_bytes() as u64, slot.depth());
        check_depth(depth, most)?;
        self.account(before, after)
    }

    /// Writes a place inside a variable.
    pub(super) fn write_path(
        &mut self,
        activation: &Activation,
        var: VarRef,
        keys: &[PathKey],
        value: Value,
    ) -> Answer<()> {
        let mut path = Vec::with_capacity(keys.len());
        for key in keys {
            path.push(match key {
                PathKey::Name(name) => Value::String(name.clone()),
                PathKey::Expr(expr) => self.eval(expr, activation)?,
            });
        }
        let most = self.context.limits.value_depth;
        let Some(slot) = self.slot(activation.frame, var) else { return Ok(()) };
        let before = slot.size_bytes() as u64;
        let outcome = write_inside(slot, &path, value);
        let (after, depth) = (slot.size_bytes() as u64, slot.depth());
        let accounted = self.account(before, after);
        outcome?;
        check_depth(depth, most)?;
        accounted
    }
}

fn check_depth(depth: u32, most: u64) -> Answer<()> {
    if u64::from(depth) <= most {
        return Ok(());
    }
    Err(Fault::resource(format!("a value nests deeper than {most} levels")))
}

/// Missing maps on the way are made. \[2\]
fn write_inside(place: &mut Value, path: &[Value], value: Value) -> Answer<()> {
    let Some((key, rest)) = path.split_first() else {
        *place = value;
        return Ok(());
    };
    if let (Value::Null, Value::String(_)) = (&*place, key) {
        *place = Value::from(Map::default());
    }
    match place {
        Value::Map(map) => {
            let key = key_text(key)?;
            let map = Arc::make_mut(map);
            if map.get(&key).is_none() {
                map.insert(key.clone(), Value::Null);
            }
            map.update(&key, |inner| write_inside(inner, rest, value)).unwrap_or(Ok(()))
        }
        Value::List(list) => {
            let Value::Int(at) = key else {
                return Err(Fault::of_type(format!(
                    "a list index must be an integer, got: {}",
                    key.message_name()
                )));
            };
            let len = list.items().len();
            let Some(place) = usize::try_from(*at).ok().filter(|at| *at < len) else {
                return Err(out_of_range(*at, len));
            };
            Arc::make_mut(list)
                .update(place, |inner| write_inside(inner, rest, value))
                .unwrap_or(Ok(()))
        }
        other => Err(Fault::of_type(format!(
            "cannot assign into a value of type {}",
            other.message_name()
        ))),
    }
}
