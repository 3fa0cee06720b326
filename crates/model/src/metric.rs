//! Instruments that count, and what they show. Each is read while it counts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::limits::METRIC_NAMES;
use crate::queue::Name;

/// What a family measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, but for a start of the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How many observations were at most so large.
    Histogram,
}

/// A label and its value.
pub type Label = (&'static str, String);

/// One number of a family.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// What is added to the family's name: `_bucket`, `_sum`, `_count`, or nothing.
    pub suffix: &'static str,
    /// The labels.
    pub labels: Vec<Label>,
    /// The number.
    pub value: f64,
}

/// Numbers of one name.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// The name.
    pub name: &'static str,
    /// What it counts, in one sentence.
    pub help: &'static str,
    /// What it measures.
    pub kind: Kind,
    /// The numbers, each with labels of its own.
    pub samples: Vec<Sample>,
}

impl Family {
    /// A family without a number yet.
    #[must_use]
    pub fn new(kind: Kind, name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind, samples: Vec::new() }
    }

    /// The family with one more number.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^53")]
    pub fn with(mut self, labels: impl Into<Vec<Label>>, value: u64) -> Self {
        self.put(labels, value as f64);
        self
    }

    /// Adds a number.
    pub fn put(&mut self, labels: impl Into<Vec<Label>>, value: f64) {
        self.samples.push(Sample { suffix: "", labels: labels.into(), value });
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts so many.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// What was counted.
    pub fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How observations are spread.
#[derive(Debug)]
pub struct Histogram {
    scale: Scale,
    /// Observations by the first bound that they do not exceed; the last has none.
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
}

/// The bounds of a histogram, in units of which so many make one.
#[derive(Debug)]
struct Scale {
    bounds: &'static [u64],
    units: f64,
}

/// From a tenth of a millisecond to an hour, in microseconds.
const TIMES: &[u64] = &[
    100,
    500,
    1_000,
    5_000,
    10_000,
    50_000,
    100_000,
    500_000,
    1_000_000,
    5_000_000,
    10_000_000,
    60_000_000,
    600_000_000,
    3_600_000_000,
];
const COUNTS: &[u64] = &[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

impl Histogram {
    /// Of durations, shown in seconds.
    #[must_use]
    pub fn of_times() -> Self {
        Self::new(Scale { bounds: TIMES, units: 1e6 })
    }

    /// Of counts.
    #[must_use]
    pub fn of_counts() -> Self {
        Self::new(Scale { bounds: COUNTS, units: 1.0 })
    }

    fn new(scale: Scale) -> Self {
        let counts = (0..=scale.bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { scale, counts, sum: AtomicU64::new(0) }
    }

    /// Takes a duration.
    pub fn took(&self, time: Duration) {
        self.observe(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// Takes a number.
    pub fn observe(&self, value: u64) {
        let place = self.scale.bounds.partition_point(|bound| *bound < value);
        self.counts[place].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Adds its numbers to a family.
    #[expect(clippy::cast_precision_loss, reason = "what is shown need not be exact to the last")]
    pub fn show(&self, family: &mut Family, labels: &[Label]) {
        let mut sum = 0;
        let mut put = |suffix, labels, value| family.samples.push(Sample { suffix, labels, value });
        for (place, count) in self.counts.iter().enumerate() {
            sum += count.load(Ordering::Relaxed);
            let bound = match self.scale.bounds.get(place) {
                Some(bound) => (*bound as f64 / self.scale.units).to_string(),
                None => "+Inf".to_owned(),
            };
            put("_bucket", [labels, &[("le", bound)]].concat(), sum as f64);
        }
        let total = self.sum.load(Ordering::Relaxed) as f64 / self.scale.units;
        put("_sum", labels.to_vec(), total);
        put("_count", labels.to_vec(), sum as f64);
    }
}

/// One instrument for each of the first [`METRIC_NAMES`] names, and one for all others.
#[derive(Debug)]
pub struct ByName<T> {
    named: RwLock<BTreeMap<Name, Arc<T>>>,
    others: Arc<T>,
    make: fn() -> T,
}

/// The label of what has no place of its own; no name has white space.
pub const OTHERS: &str = "all others";

impl<T> ByName<T> {
    /// Instruments that are made like this.
    #[must_use]
    pub fn new(make: fn() -> T) -> Self {
        Self { named: RwLock::default(), others: Arc::new(make()), make }
    }

    /// The instrument of a name.
    pub fn of(&self, name: &Name) -> Arc<T> {
        if let Some(known) = self.named.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return known.clone();
        }
        let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
        if named.len() >= METRIC_NAMES && !named.contains_key(name) {
            return self.others.clone();
        }
        named.entry(name.clone()).or_insert_with(|| Arc::new((self.make)())).clone()
    }

    /// Every instrument with its name.
    pub fn all(&self) -> Vec<(String, Arc<T>)> {
        let named = self.named.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> =
            named.iter().map(|(name, one)| (name.to_string(), one.clone())).collect();
        if named.len() >= METRIC_NAMES {
            all.push((OTHERS.to_owned(), self.others.clone()));
        }
        all
    }
}

/// The numbers of the largest names, at most [`METRIC_NAMES`], and the sum of all others.
#[must_use]
pub fn largest(mut numbers: Vec<(Name, u64)>) -> Vec<(String, u64)> {
    numbers.sort_by(|(one, a), (two, b)| b.cmp(a).then_with(|| one.cmp(two)));
    let others = numbers.split_off(numbers.len().min(METRIC_NAMES));
    let mut shown: Vec<_> =
        numbers.into_iter().map(|(name, count)| (name.to_string(), count)).collect();
    if !others.is_empty() {
        shown.push((OTHERS.to_owned(), others.iter().map(|(_, count)| count).sum()));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> Name {
        Name::new(&format!("n{number:03}")).unwrap()
    }

    #[test]
    fn the_buckets_of_a_histogram_add_up() {
        let times = Histogram::of_times();
        for micros in [0, 100, 101, 5_000_000, u64::MAX / 2] {
            times.took(Duration::from_micros(micros));
        }
        let mut family = Family::new(Kind::Histogram, "x", "");
        times.show(&mut family, &[("flow", "f".to_owned())]);
        let value = |suffix: &str, le: &str| {
            let is_it = |sample: &&Sample| {
                sample.suffix == suffix && sample.labels.iter().all(|(k, v)| *k != "le" || v == le)
            };
            family.samples.iter().find(is_it).unwrap().value
        };
        assert_eq!(value("_bucket", "0.0001"), 2.0);
        assert_eq!(value("_bucket", "0.0005"), 3.0);
        assert_eq!(value("_bucket", "5"), 4.0);
        assert_eq!(value("_bucket", "3600"), 4.0);
        assert_eq!((value("_bucket", "+Inf"), value("_count", "")), (5.0, 5.0));
    }

    #[test]
    fn however_many_names_there_are_few_are_shown() {
        let counters = ByName::new(Counter::default);
        (0..2 * METRIC_NAMES).for_each(|number| counters.of(&name(number)).add(1));
        let shown = counters.all();
        assert_eq!(shown.len(), METRIC_NAMES + 1);
        assert_eq!(shown.iter().map(|(_, one)| one.read()).sum::<u64>(), 2 * METRIC_NAMES as u64);
        let numbers = (0..2 * METRIC_NAMES).map(|number| (name(number), number as u64)).collect();
        let shown = largest(numbers);
        assert_eq!((shown.len(), &*shown[0].0), (METRIC_NAMES + 1, "n199"));
        assert_eq!(shown[METRIC_NAMES], (OTHERS.to_owned(), (0..100).sum()));
    }
}
