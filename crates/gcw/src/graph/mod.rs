//! A definition as a drawing: routines side by side, steps from top to bottom, blocks as frames,
//! branches beside each other, jumps as lines in lanes at the right; with the way that an
//! execution took, where there is one.
//!
//! The language is structured, so a frame for each block reads better than a general layout of
//! layers: only `next` leaves the order of the steps.

mod layout;
mod svg;
mod tree;

use jobmill_model::limits::GRAPH_STEPS;
use jobmill_model::machine::History;

use crate::ast::{Action, Body, Definition, Step, Work};
use crate::source::place::Lines;

/// The drawing of a definition as SVG; `None` if it has more than [`GRAPH_STEPS`] steps.
#[must_use]
pub fn draw(source: &str, definition: &Definition, way: Option<&History>) -> Option<String> {
    let count: usize = definition.routines.iter().map(|routine| count(&routine.steps)).sum();
    if count > GRAPH_STEPS {
        return None;
    }
    let mut drawing = tree::plant(definition, &Lines::new(source));
    layout::arrange(&mut drawing);
    Some(svg::write(&drawing, way))
}

fn count(steps: &[Step]) -> usize {
    steps.iter().map(|step| 1 + within(&step.body)).sum()
}

fn within(body: &Body) -> usize {
    match &body.action {
        Action::Switch(cases) => cases.iter().map(|case| 1 + within(&case.body)).sum(),
        Action::For(one) => count(&one.steps),
        Action::Parallel(parallel) => match &parallel.work {
            Work::Branches(branches) => branches.iter().map(|(_, steps)| count(steps)).sum(),
            Work::For(one) => count(&one.steps),
        },
        Action::Steps(steps) => count(steps),
        Action::Try(tried) => {
            within(&tried.body) + tried.except.as_ref().map_or(0, |except| count(&except.steps))
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
