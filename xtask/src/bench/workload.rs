//! The workloads and their names.

use crate::failure::Failure;

/// What is done to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Small jobs posted over so many connections.
    Submit(usize),
    /// A small job posted and its result awaited, over so many connections.
    Complete(usize),
    /// The same, one at a time, for its latency.
    Result,
    /// Jobs looked at over so many connections.
    Read(usize),
    /// One job with millions of entries, read back in pages.
    Product,
    /// Jobs leased and completed by one worker outside, so many at a time.
    Lease(usize),
    /// Nothing.
    Idle,
    /// A workflow.
    Workflow(Flow),
}

/// What a workflow does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// A million steps without a call.
    Steps,
    /// Ten local calls each, so many executions at once.
    Calls(usize),
    /// Many executions asleep until one instant.
    Parked,
    /// Ten thousand calls in parallel.
    Fan,
    /// A large definition is checked.
    Check,
}

/// What many jobs are stored beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// None.
    Nothing,
    /// Finished ones.
    Finished,
    /// Waiting ones of one key, which another job of that key holds up.
    Blocked,
}

impl Stored {
    pub(super) const ALL: [Self; 3] = [Self::Nothing, Self::Finished, Self::Blocked];

    /// What it adds to a workload's name.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Finished => "-filled",
            Self::Blocked => "-blocked",
        }
    }
}

/// A workload on a store that holds something already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Workload {
    pub(super) kind: Kind,
    pub(super) stored: Stored,
}

const KINDS: [Kind; 15] = [
    Kind::Submit(1),
    Kind::Submit(16),
    Kind::Submit(64),
    Kind::Complete(64),
    Kind::Result,
    Kind::Read(64),
    Kind::Product,
    Kind::Lease(100),
    Kind::Idle,
    Kind::Workflow(Flow::Steps),
    Kind::Workflow(Flow::Calls(1)),
    Kind::Workflow(Flow::Calls(64)),
    Kind::Workflow(Flow::Fan),
    Kind::Workflow(Flow::Parked),
    Kind::Workflow(Flow::Check),
];

impl Workload {
    pub(super) fn name(self) -> String {
        let name = match self.kind {
            Kind::Submit(connections) => format!("submit-{connections}"),
            Kind::Complete(connections) => format!("complete-{connections}"),
            Kind::Result => "result-1".to_owned(),
            Kind::Read(connections) => format!("read-{connections}"),
            Kind::Product => "product".to_owned(),
            Kind::Lease(batch) => format!("lease-{batch}"),
            Kind::Idle => "idle".to_owned(),
            Kind::Workflow(Flow::Steps) => "workflow-steps".to_owned(),
            Kind::Workflow(Flow::Calls(at_once)) => format!("workflow-calls-{at_once}"),
            Kind::Workflow(Flow::Parked) => "workflow-parked".to_owned(),
            Kind::Workflow(Flow::Fan) => "workflow-fan".to_owned(),
            Kind::Workflow(Flow::Check) => "workflow-check".to_owned(),
        };
        format!("{name}{}", self.stored.suffix())
    }
}

/// All of them, each but workflows beside its twins on fuller stores, so that they meet the
/// machine in the same mood.
fn all() -> impl Iterator<Item = Workload> {
    let each =
        KINDS.into_iter().flat_map(|kind| Stored::ALL.map(|stored| Workload { kind, stored }));
    each.filter(|it| it.stored == Stored::Nothing || !matches!(it.kind, Kind::Workflow(_)))
}

/// Those with these names, in the usual order; all of them without names.
pub(super) fn chosen(names: &[String]) -> Result<Vec<Workload>, Failure> {
    if let Some(unknown) = names.iter().find(|name| all().all(|known| known.name() != **name)) {
        let known: Vec<String> = all().map(Workload::name).collect();
        let known = known.join(", ");
        return Err(Failure::new(format!("no workload {unknown:?}; there are {known}")));
    }
    Ok(all().filter(|it| names.is_empty() || names.contains(&it.name())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_choose_and_no_names_choose_all() {
        let names = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            chosen(&names).map(|it| it.into_iter().map(Workload::name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["idle", "read-64-filled"]).unwrap(), ["read-64-filled", "idle"]);
        assert_eq!(names(&[]).unwrap().len(), 33);
        assert!(names(&["submit"]).unwrap_err().message().contains("submit-16-filled"));
    }
}
