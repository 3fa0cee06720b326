//! The range report: what there is to say about the whole numbers from one to another.

use jobmill_model::{Fault, Problem, Value};

use crate::flow::{Flow, Work, invalid};
use crate::output::write_value;
use crate::schema;

/// The name under which [`RangeReport`] is registered.
pub const RANGE_REPORT: &str = "range_report";

/// The largest whole number up to which a double has all of them.
const LARGEST: i64 = 1 << 53;
/// The furthest that end may lie above start.
const APART: i64 = 10_000_000;

const FIELDS: [&str; 2] = ["start", "end"];
/// Fields of a submission that names its flow; without one, they land in the input.
const SUBMISSION: [&str; 5] = ["flow", "input", "params", "queue", "priority"];

/// Reports on the whole numbers `start` to `end`, both included.
///
/// The result is `{"start","end","count","sum","mean","min","max","median","variance"}`.
/// `count` is exact, `sum` too within 64 bits, else the nearest double. `mean`, `median` and
/// `variance` (of the whole range, so divided by `count`) are the nearest doubles.
///
/// ```
/// use jobmill_flow::{RangeReport, local};
/// use jobmill_model::Value;
///
/// let input = Value::from_json(br#"{"start":1,"end":4}"#)?;
/// let report = local::run(&RangeReport, &input, &Value::Null)?;
/// assert_eq!(
///     report.to_string(),
///     r#"{"start":1,"end":4,"count":4,"sum":10,"mean":2.5,"min":1,"max":4,"median":2.5,"#
///         .to_owned() + r#""variance":1.25}"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct RangeReport;

impl Flow for RangeReport {
    fn name(&self) -> &str {
        RANGE_REPORT
    }

    fn about(&self) -> &str {
        "Reports on the whole numbers from start to end."
    }

    fn input_schema(&self) -> Value {
        schema::read(include_str!("../schemas/range_report_input.json"))
    }

    fn params_schema(&self) -> Value {
        schema::no_params()
    }

    fn check(&self, input: &Value, params: &Value) -> Vec<Problem> {
        let mut problems = range(input).err().unwrap_or_default();
        problems.extend(schema::check_no_params(params));
        problems
    }

    fn run(&self, work: Work<'_>) -> Result<(), Fault> {
        let (start, end) = range(work.input).map_err(|problems| invalid(&problems))?;
        write_value(work.output, &report(start, end))
    }
}

/// The two numbers of an input, or everything that is wrong with it.
fn range(input: &Value) -> Result<(i64, i64), Vec<Problem>> {
    let Value::Map(map) = input else {
        let message = format!(
            "expected an object such as {{\"start\": 1, \"end\": 2}}, not {}",
            input.kind()
        );
        return Err(vec![Problem::new("/input", message)]);
    };
    let mut problems = schema::check_fields(map, &FIELDS, &SUBMISSION);
    let ends = FIELDS.map(|name| match number(map.get(name)) {
        Ok(number) => Some(number),
        Err(message) => {
            problems.push(Problem::new(format!("/input/{name}"), message));
            None
        }
    });
    if let [Some(start), Some(end)] = ends {
        if start > end {
            problems.push(Problem::new("/input/end", "must not be below \"start\""));
        } else if end - start > APART {
            let message = format!("must be at most {APART} above \"start\"");
            problems.push(Problem::new("/input/end", message));
        } else if problems.is_empty() {
            return Ok((start, end));
        }
    }
    Err(problems)
}

fn number(value: Option<&Value>) -> Result<i64, String> {
    let value = value.ok_or("is missing; expected a whole number")?;
    let number = schema::whole(value)
        .ok_or_else(|| format!("expected a whole number, not {}", value.kind()))?;
    if (-LARGEST..=LARGEST).contains(&number) {
        Ok(number)
    } else {
        Err(format!("expected a whole number from -{LARGEST} to {LARGEST}"))
    }
}

fn report(start: i64, end: i64) -> Value {
    let count = end - start + 1;
    // Both bounded by the limits: a count of 2^24 at most, times numbers of 2^54 at most.
    let doubled_sum = i128::from(count) * i128::from(start + end);
    let sum = doubled_sum / 2;
    let mean = (start + end) as f64 / 2.0;
    let variance = (count * count - 1) as f64 / 12.0;
    Value::map([
        ("start", Value::from(start)),
        ("end", Value::from(end)),
        ("count", Value::from(count)),
        ("sum", i64::try_from(sum).map_or(Value::from(sum as f64), Value::from)),
        ("mean", Value::from(mean)),
        ("min", Value::from(start)),
        ("max", Value::from(end)),
        ("median", Value::from(mean)),
        ("variance", Value::from(variance)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local;
    use insta::assert_snapshot;
    use proptest::prelude::*;

    fn problems(input: &str) -> String {
        let input = Value::from_json(input.as_bytes()).unwrap();
        let problems = RangeReport.check(&input, &Value::Null);
        problems.iter().map(|problem| format!("{problem}\n")).collect()
    }

    fn report_on(start: i64, end: i64) -> Value {
        let input = Value::map([("start", Value::from(start)), ("end", Value::from(end))]);
        local::run(&RangeReport, &input, &Value::Null).unwrap()
    }

    fn lines(report: &Value) -> String {
        let fields = report.as_map().unwrap().iter();
        fields.map(|(name, value)| format!("{name} {value}\n")).collect()
    }

    #[test]
    fn the_document_s_job_is_reported_on() {
        assert_snapshot!(lines(&report_on(1, 2)), @r#"
        start 1
        end 2
        count 2
        sum 3
        mean 1.5
        min 1
        max 2
        median 1.5
        variance 0.25
        "#);
    }

    #[test]
    fn a_sum_beyond_64_bits_is_the_nearest_double() {
        assert_snapshot!(lines(&report_on(LARGEST - APART, LARGEST)), @r#"
        start 9007199244740992
        end 9007199254740992
        count 10000001
        sum 9.007200150460916e+22
        mean 9007199249740992.0
        min 9007199244740992
        max 9007199254740992
        median 9007199249740992.0
        variance 8333335000000.0
        "#);
        assert_snapshot!(lines(&report_on(-LARGEST, -LARGEST)), @r#"
        start -9007199254740992
        end -9007199254740992
        count 1
        sum -9007199254740992
        mean -9007199254740992.0
        min -9007199254740992
        max -9007199254740992
        median -9007199254740992.0
        variance 0.0
        "#);
    }

    #[test]
    fn whole_numbers_may_be_written_with_a_point() {
        assert_eq!(problems(r#"{"start": 1.0, "end": 2e3}"#), "");
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let all = [
            problems("null"),
            problems("{}"),
            problems(r#"{"start": "1", "end": 1.5, "flwo": "qa", "a/b": 1}"#),
            problems(r#"{"start": 2, "end": 1, "strat": 1}"#),
            problems(r#"{"start": 0, "end": 10000001}"#),
            problems(r#"{"start": -9007199254740993, "end": 1e300}"#),
        ];
        assert_snapshot!(all.concat(), @r#"
        /input: expected an object such as {"start": 1, "end": 2}, not null
        /input/start: is missing; expected a whole number
        /input/end: is missing; expected a whole number
        /input/flwo: this flow has no such field; did you mean "flow"?
        /input/a~1b: this flow has no such field
        /input/start: expected a whole number, not a string
        /input/end: expected a whole number, not a decimal number
        /input/strat: this flow has no such field; did you mean "start"?
        /input/end: must not be below "start"
        /input/end: must be at most 10000000 above "start"
        /input/start: expected a whole number from -9007199254740992 to 9007199254740992
        /input/end: expected a whole number from -9007199254740992 to 9007199254740992
        "#);
    }

    #[test]
    fn params_are_refused() {
        let input = Value::from_json(br#"{"start":1,"end":2}"#).unwrap();
        let problems = RangeReport.check(&input, &Value::map([("x", Value::Null)]));
        assert_eq!(problems, [Problem::new("/params/x", "this flow has no params")]);
        assert_eq!(RangeReport.check(&input, &Value::from(Vec::new())).len(), 1);
    }

    proptest! {
        #[test]
        fn the_closed_forms_agree_with_counting(start in -500_i64..500, len in 1_i64..200) {
            let end = start + len - 1;
            let numbers: Vec<i64> = (start..=end).collect();
            let sum: i64 = numbers.iter().sum();
            let mean = sum as f64 / len as f64;
            let squares: f64 = numbers.iter().map(|&it| (it as f64 - mean).powi(2)).sum();
            let median = {
                let middle = numbers.len() / 2;
                let before = (numbers.len() - 1) / 2;
                (numbers[middle] + numbers[before]) as f64 / 2.0
            };
            let report = report_on(start, end);
            let field = |name: &str| report.as_map().unwrap().get(name).cloned().unwrap();
            let double = |name: &str| match field(name) {
                Value::Double(double) => double,
                other => panic!("{name} is {other}"),
            };
            prop_assert_eq!(field("count"), Value::from(len));
            prop_assert_eq!(field("sum"), Value::from(sum));
            prop_assert_eq!(double("mean"), mean);
            prop_assert_eq!(double("median"), median);
            prop_assert!((double("variance") - squares / len as f64).abs() < 1e-6);
        }
    }
}
