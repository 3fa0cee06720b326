//! What a drawing promises.

use std::sync::Arc;

use jobmill_model::machine::{Asked, Begin};

use super::*;
use crate::{Limits, Workflow, check, local};

const SAMPLE: &str = "
main:
  params: [args]
  steps:
    - look:
        switch:
          - condition: ${args < 3}
            next: small
          - condition: ${args < \"<&\"}
            next: large
    - small: {return: '${args}'}
    - large:
        call: sub
        result: x
        next: small
sub:
  steps:
    - only: {return: 1}
";

fn drawn(source: &str, way: Option<&History>) -> String {
    let checked = check(source, &Limits::lifted());
    assert!(checked.program.is_some(), "{:?}", checked.diagnostics);
    draw(source, &checked.definition.unwrap(), way).unwrap()
}

#[test]
fn a_drawing_names_every_step_and_escapes_the_source() {
    let svg = drawn(SAMPLE, None);
    for name in ["look", "small", "large", "only", "main (args)", "sub"] {
        assert!(svg.contains(&format!(">{name}</text>")), "{name}");
    }
    assert!(svg.contains("if args &lt; 3 → small") && svg.contains("&lt;&amp;"), "{svg}");
    assert_eq!(svg.matches("<path class=\"line\"").count(), 3, "three jumps");
}

#[test]
fn the_way_of_an_execution_is_told_from_what_it_left_out() {
    let program = check(SAMPLE, &Limits::lifted()).program.unwrap();
    let workflow = Workflow { program, env: Arc::default() };
    let input = jobmill_model::Value::from(1);
    let begin = Begin { input, params: jobmill_model::Value::Null, seed: local::seed() };
    let asked = Asked { most: 10, variables: None };
    let (_, history) = local::trace(&workflow, begin, &[], asked);
    let svg = drawn(SAMPLE, Some(&history));
    assert_eq!(svg.matches("<rect class=\"box switch taken\"").count(), 1, "{svg}");
    assert_eq!(svg.matches("<rect class=\"box return taken\"").count(), 1, "{svg}");
    assert_eq!(svg.matches("<rect class=\"box call idle\"").count(), 1, "{svg}");
    assert_eq!(svg.matches("<path class=\"line taken\"").count(), 1, "{svg}");
}

#[test]
fn a_definition_of_too_many_steps_is_not_drawn() {
    let steps: String =
        (0..=GRAPH_STEPS).map(|n| format!("- s{n}: {{assign: [x: 1]}}\n")).collect();
    let definition = check(&steps, &Limits::lifted()).definition.unwrap();
    assert_eq!(draw(&steps, &definition, None), None);
}
