//! For tests: a run in which all went well, to be spoilt.

use super::super::counter::Performed;
use super::super::flows::{FAILURE, SHAPE};
use super::super::gather::{Findings, Found};
use super::super::hands::Told;
use super::super::ledger::{End, Entry, Ledger};
use super::super::work::{Kind, Work};
use super::{Evidence, Rule, audit};

const JOBS: u64 = 600;

pub(super) struct World {
    pub(super) evidence: Evidence,
}

/// The rules that are broken, one for each violation.
pub(super) fn rules(world: &World) -> Vec<Rule> {
    audit(&world.evidence).iter().map(|violation| violation.rule).collect()
}

impl World {
    pub(super) fn new() -> Self {
        let (ledger, findings) = (Ledger::default(), Findings::default());
        let (performed, told) = (Vec::new(), Told::default());
        let evidence = Evidence { seed: 5, ledger, findings, performed, told };
        let mut world = Self { evidence };
        (0..JOBS).for_each(|number| world.add(&Work::of(5, number)));
        world.evidence.findings.listed.reverse();
        world.recount();
        world
    }

    /// A job of this kind that nobody has cancelled.
    pub(super) fn number(&self, kind: Kind) -> u64 {
        let works = (0..JOBS).map(|number| Work::of(self.evidence.seed, number));
        let fit = works.into_iter().find(|work| work.kind == kind && !work.is_cancelled);
        fit.expect("every kind comes up").number
    }

    /// What was told of a job and what is found of it.
    pub(super) fn job(&mut self, number: u64) -> (&mut Entry, &mut Found) {
        let key = Work::of(self.evidence.seed, number).key();
        let found = self.evidence.findings.listed.iter_mut().find(|found| found.tag == key);
        (self.evidence.ledger.entry(number), found.expect("every job is listed"))
    }

    /// Takes a job out of the list.
    pub(super) fn forget(&mut self, number: u64) {
        let key = Work::of(self.evidence.seed, number).key();
        self.evidence.findings.listed.retain(|found| found.tag != key);
        self.recount();
    }

    /// Makes the counts those of the list.
    pub(super) fn recount(&mut self) {
        let Findings { listed, counts } = &mut self.evidence.findings;
        counts.clear();
        for found in listed.iter() {
            *counts.entry(found.end.status.clone()).or_default() += 1;
        }
        counts.insert("total".into(), listed.len() as u64);
    }

    fn add(&mut self, work: &Work) {
        let id = format!("id-{:06}", work.number);
        let (status, outcome, tries) = match work.kind {
            _ if work.is_cancelled => ("cancelled", r#"{"type":"Cancelled"}"#.to_owned(), vec![]),
            Kind::Fails => {
                let tries = [1, 2, 3].map(|attempt| (attempt, FAILURE.to_owned()));
                ("failed", format!("{{\"type\":\"{FAILURE}\"}}"), tries.to_vec())
            }
            Kind::Branches => ("completed", self.perform(work), vec![]),
            Kind::Late => ("completed", known(work), vec![(1, "Timeout".to_owned())]),
            Kind::Lent => ("completed", self.lend(work, &id), vec![]),
            _ => ("completed", known(work), vec![]),
        };
        let attempt = match status {
            "failed" => 3,
            _ => tries.len() as u32 + 1,
        };
        let finished_at = "2026-01-01T00:00:00.000Z".to_owned();
        let end = End { status: status.to_owned(), finished_at, attempt, outcome };
        let entry = self.evidence.ledger.entry(work.number);
        entry.ids.push(id.clone());
        entry.cancelled = work.is_cancelled.then_some(true);
        entry.seen.push(end.clone());
        self.evidence.findings.listed.push(Found { id, tag: work.key(), end, tries });
    }

    /// Performs a job outside; its result.
    fn lend(&mut self, work: &Work, id: &str) -> String {
        let result = format!("{{\"job\":\"{}\",\"step\":\"hand 1\",\"token\":1}}", work.key());
        let told = &mut self.evidence.told;
        told.steps.insert(id.to_owned(), vec!["\"hand 1\"".to_owned(); 2]);
        told.completed.push((id.to_owned(), result.clone()));
        result
    }

    /// Performs a machine's calls, the second one of every branch in two lives; its result.
    fn perform(&mut self, work: &Work) -> String {
        let performed = &mut self.evidence.performed;
        let mut branches = Vec::new();
        for branch in 0..SHAPE.len() {
            let mut after: Vec<u64> = Vec::new();
            for place in 0..super::effects::calls(branch) {
                let effect = format!("{}/{branch}/{place}", work.key());
                let (key, body) = (format!("key of {effect}"), format!("{after:?}"));
                let lives = if place == 1 { 1..=2 } else { 2..=2 };
                for life in lives {
                    let (effect, key, body) = (effect.clone(), key.clone(), body.clone());
                    performed.push(Performed { effect, key, body, after: after.clone(), life });
                }
                after.push(performed.len() as u64);
            }
            branches.push(after);
        }
        format!("{{\"job\":\"{}\",\"branches\":{branches:?}}}", work.key())
    }
}

fn known(work: &Work) -> String {
    work.result().expect("the result of this kind is known").to_string()
}
