//! What is submitted: the body of each job and what must come of it, by its number and the seed.

use std::net::SocketAddr;
use std::sync::LazyLock;

use jobmill_flow::{EXPAND_REDUCE_FLOW, ExpandReduceFlow, RANGE_REPORT, RangeReport, local};
use jobmill_model::{Map, Value};

use super::dice::Dice;
use super::flows::{BRANCHES, FAILS, LATE, LENT};

/// How many tries the failing flow has.
pub(super) const FAILING_TRIES: u32 = 3;
/// More tries than a late job can use up: each life of the server makes one of them late.
const LATE_TRIES: u32 = 1_000;

/// One job to submit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Work {
    /// Which one, from 0.
    pub(super) number: u64,
    /// What it does.
    pub(super) kind: Kind,
    /// Whether it is to be begun a while later.
    pub(super) is_delayed: bool,
    /// Whether it is cancelled right after its submission.
    pub(super) is_cancelled: bool,
    /// Whether it is submitted again although its answer came.
    pub(super) is_repeated: bool,
    /// Whether its end is looked at while the server is still being killed.
    pub(super) is_watched: bool,
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Multiplies two halves of a dictionary.
    Multiply,
    /// Reports on a range of numbers.
    Report,
    /// Calls the counting server from two branches.
    Branches,
    /// Fails at every try.
    Fails,
    /// Outlives its time limit once in each life of the server.
    Late,
    /// Is performed by a worker outside of the server.
    Lent,
}

impl Work {
    /// The `number`-th job under a seed.
    pub(super) fn of(seed: u64, number: u64) -> Self {
        let mut dice = Dice::of(seed, number);
        let kind = match dice.within(0..1_000) {
            0..620 => Kind::Multiply,
            620..750 => Kind::Report,
            750..800 => Kind::Lent,
            800..970 => Kind::Branches,
            970..995 => Kind::Fails,
            _ => Kind::Late,
        };
        Self {
            number,
            kind,
            is_delayed: dice.chance(30),
            is_cancelled: dice.chance(30),
            is_repeated: dice.chance(50),
            is_watched: dice.chance(50),
        }
    }

    /// The idempotency key, which is the job's tag as well.
    pub(super) fn key(&self) -> String {
        format!("selftest-{}", self.number)
    }

    /// The number of the job with this key.
    pub(super) fn number_of(key: &str) -> Option<u64> {
        key.strip_prefix("selftest-")?.parse().ok()
    }

    /// The body of the submission.
    pub(super) fn body(&self, counter: SocketAddr) -> String {
        let mut body = Map::new();
        body.insert("flow", self.flow().into());
        body.insert("input", self.input(counter));
        body.insert("tags", Value::list([self.key().as_str().into()]));
        if self.is_delayed {
            body.insert("delay", "300ms".into());
        }
        match self.kind {
            Kind::Fails => {
                body.insert("max_attempts", FAILING_TRIES.into());
                body.insert("backoff", "20ms".into());
            }
            Kind::Late => {
                body.insert("max_attempts", LATE_TRIES.into());
                body.insert("backoff", "5ms".into());
                body.insert("timeout", "30ms".into());
            }
            Kind::Multiply | Kind::Report | Kind::Branches | Kind::Lent => {}
        }
        Value::from(body).to_string()
    }

    /// The result, where it is known beforehand.
    pub(super) fn result(&self) -> Option<Value> {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        static MULTIPLY: LazyLock<ExpandReduceFlow> = LazyLock::new(ExpandReduceFlow::new);
        let input = self.input(nowhere);
        match self.kind {
            Kind::Multiply => local::run(&*MULTIPLY, &input, &Value::Null).ok(),
            Kind::Report => local::run(&RangeReport, &input, &Value::Null).ok(),
            Kind::Late => {
                let job = Value::from(self.key().as_str());
                Some(Value::map([("job", job), ("late", false.into())]))
            }
            Kind::Branches | Kind::Fails | Kind::Lent => None,
        }
    }

    fn flow(&self) -> &'static str {
        match self.kind {
            Kind::Multiply => EXPAND_REDUCE_FLOW,
            Kind::Report => RANGE_REPORT,
            Kind::Branches => BRANCHES,
            Kind::Fails => FAILS,
            Kind::Late => LATE,
            Kind::Lent => LENT,
        }
    }

    fn input(&self, counter: SocketAddr) -> Value {
        let number = i64::try_from(self.number).unwrap_or(i64::MAX);
        match self.kind {
            Kind::Multiply => Value::map([
                (format!("a{number}").as_str(), Value::from("1")),
                ("b", "2".into()),
                ("c", "3".into()),
                ("d", "4".into()),
            ]),
            Kind::Report => Value::map([
                ("start", Value::from(number)),
                ("end", Value::from(number.saturating_add(number % 50))),
            ]),
            Kind::Branches => Value::map([
                ("job", Value::from(self.key().as_str())),
                ("url", format!("http://{counter}/count").as_str().into()),
            ]),
            Kind::Fails | Kind::Late | Kind::Lent => self.key().as_str().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_depends_on_its_number_and_the_seed_alone_and_every_kind_comes_up() {
        let works: Vec<_> = (0..2_000).map(|number| Work::of(7, number)).collect();
        assert_eq!(works, (0..2_000).map(|number| Work::of(7, number)).collect::<Vec<_>>());
        for kind in
            [Kind::Multiply, Kind::Report, Kind::Branches, Kind::Fails, Kind::Late, Kind::Lent]
        {
            assert!(works.iter().any(|work| work.kind == kind), "{kind:?}");
        }
    }

    #[test]
    fn a_key_tells_its_number() {
        assert_eq!(Work::number_of(&Work::of(1, 42).key()), Some(42));
        assert_eq!(Work::number_of("other"), None);
    }

    #[test]
    fn what_can_be_known_beforehand_is() {
        for number in 0..500 {
            let work = Work::of(1, number);
            let known = !matches!(work.kind, Kind::Branches | Kind::Fails | Kind::Lent);
            assert_eq!(work.result().is_some(), known, "{work:?}");
        }
    }
}
