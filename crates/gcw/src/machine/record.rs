//! What became of steps: a fold of the journal with a recorder tells it again, so nothing of it
//! is stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use jobmill_model as model;
use jobmill_model::limits::{MESSAGE_BYTES, PAGE_BYTES, VARIABLE_BYTES};
use jobmill_model::machine::{Asked, History, StepEntry, StepName, StepState};
use jobmill_model::{Map, Timestamp};

use super::Machine;
use super::branch::{Activation, Branch};
use crate::program::{Op, ParallelWork, Program};
use crate::value::Value;

/// Something that happened to a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepEvent {
    /// The step: its place in [`Program::steps`](crate::program::Program::steps).
    pub step: u32,
    /// How many routines were open in the branch.
    pub depth: usize,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: StepEventKind,
}

/// What happened to a step.
#[derive(Debug, Clone, PartialEq)]
pub enum StepEventKind {
    /// It began.
    Began,
    /// An error arose in it: the JSON text of the error.
    Failed(Arc<str>),
}

/// Keeps the first steps with what became of them; the rest are counted.
#[derive(Debug)]
pub(super) struct Recorder {
    asked: Asked,
    now: Timestamp,
    kept: Vec<StepEntry>,
    count: u64,
    /// The steps that are open in each branch, innermost last.
    open: BTreeMap<usize, Vec<Open>>,
    /// The error on its way through each branch.
    failing: BTreeMap<usize, Arc<str>>,
    visits: BTreeMap<u32, u64>,
    ways: BTreeMap<(u32, u32), u64>,
    /// What happened since somebody last took it, if somebody watches.
    events: Option<Vec<StepEvent>>,
    /// What errors and variables may still take.
    room_bytes: usize,
}

#[derive(Debug)]
struct Open {
    step: u32,
    depth: usize,
    /// Its place among the kept, if it is.
    entry: Option<usize>,
}

impl Recorder {
    fn new(asked: Asked) -> Self {
        Self {
            asked,
            now: Timestamp::EPOCH,
            kept: Vec::new(),
            count: 0,
            open: BTreeMap::new(),
            failing: BTreeMap::new(),
            visits: BTreeMap::new(),
            ways: BTreeMap::new(),
            events: None,
            room_bytes: PAGE_BYTES,
        }
    }

    fn note(&mut self, step: u32, depth: usize, kind: StepEventKind) {
        let at = self.now;
        if let Some(events) = &mut self.events {
            events.push(StepEvent { step, depth, at, kind });
        }
    }

    /// A step begins: what was open in its branch has ended, but for what the step is part of.
    fn began(&mut self, program: &Program, step: u32, at: Where, variables: Option<Map>) {
        let Where { branch, depth, from, within } = at;
        self.close(branch, |open| {
            open.depth > depth || open.depth == depth && !is_part(program, step, open.step)
        });
        self.failing.remove(&branch);
        *self.visits.entry(step).or_default() += 1;
        if program.steps.get(from as usize).is_some() {
            *self.ways.entry((from, step)).or_default() += 1;
        }
        self.note(step, depth, StepEventKind::Began);
        self.count += 1;
        let last = |branch| self.open.get(&branch).and_then(|open: &Vec<Open>| open.last());
        let parent = last(branch).or_else(|| within.and_then(last)).and_then(|open| open.entry);
        let info = &program.steps[step as usize];
        let entry = (self.kept.len() < self.asked.most).then_some(self.kept.len());
        if entry.is_some() {
            self.kept.push(StepEntry {
                name: name(program, step),
                kind: info.kind,
                branch,
                parent,
                state: StepState::Active,
                began_at: self.now,
                ended_at: None,
                error: None,
                variables: variables.map(model::Value::from),
            });
        }
        self.open.entry(branch).or_default().push(Open { step, depth, entry });
    }

    /// An error arose in the step that is open in a branch.
    fn failed(&mut self, branch: usize, step: u32, depth: usize, error: &Value) {
        let text = error.to_string();
        let most = MESSAGE_BYTES.min(self.room_bytes);
        let text: Arc<str> = text[..text.floor_char_boundary(most)].into();
        self.room_bytes -= text.len();
        self.note(step, depth, StepEventKind::Failed(text.clone()));
        let entry = self.open.get(&branch).and_then(|open| open.last()?.entry);
        if let Some(entry) = entry {
            end(&mut self.kept[entry], Some(&text), self.now);
        }
        self.failing.insert(branch, text);
    }

    fn over(&mut self, branch: usize) {
        self.close(branch, |_| true);
        self.open.remove(&branch);
        self.failing.remove(&branch);
    }

    fn close(&mut self, branch: usize, has_ended: impl Fn(&Open) -> bool) {
        let error = self.failing.get(&branch);
        let Some(open) = self.open.get_mut(&branch) else { return };
        while let Some(last) = open.pop_if(|open| has_ended(open)) {
            if let Some(entry) = last.entry {
                end(&mut self.kept[entry], error, self.now);
            }
        }
    }

    /// Whether the variables of the next step are wanted.
    fn wants_variables(&self) -> bool {
        let at = self.kept.len();
        let is_asked = |(from, count): (usize, usize)| at >= from && at - from < count;
        at < self.asked.most && self.asked.variables.is_some_and(is_asked)
    }
}

/// Where a step begins.
struct Where {
    branch: usize,
    depth: usize,
    /// The step that was there before.
    from: u32,
    /// The branch that this one belongs to.
    within: Option<usize>,
}

fn end(entry: &mut StepEntry, error: Option<&Arc<str>>, now: Timestamp) {
    if entry.state == StepState::Active {
        entry.state = if error.is_some() { StepState::Failed } else { StepState::Succeeded };
        entry.ended_at = Some(now);
        entry.error = error.cloned();
    }
}

/// Whether a step stands within another.
fn is_part(program: &Program, step: u32, other: u32) -> bool {
    let parent = |step: &u32| program.steps.get(*step as usize)?.parent;
    std::iter::successors(parent(&step), parent).any(|above| above == other)
}

fn name(program: &Program, step: u32) -> StepName {
    let info = &program.steps[step as usize];
    StepName { routine: info.routine.clone(), step: info.name.clone() }
}

impl Machine {
    /// Remembers steps from here on.
    pub fn record(&mut self, asked: Asked) {
        self.recorder = Some(Box::new(Recorder::new(asked)));
    }

    /// Keeps what happens from here on, for [`take_events`](Self::take_events).
    pub fn watch(&mut self) {
        let recorder =
            self.recorder.get_or_insert_with(|| Box::new(Recorder::new(Asked::default())));
        recorder.events = Some(Vec::new());
    }

    /// What happened to steps since it was last asked.
    pub fn take_events(&mut self) -> Vec<StepEvent> {
        let events = self.recorder.as_mut().and_then(|recorder| recorder.events.as_mut());
        events.map(std::mem::take).unwrap_or_default()
    }

    pub(super) fn note_step(&mut self, id: usize, branch: &Branch, from: u32) {
        let Some(mut recorder) = self.recorder.take() else { return };
        if let Some(activation) = branch.stack.last() {
            let wants = recorder.wants_variables();
            let variables = wants.then(|| self.variables(branch, &mut recorder.room_bytes));
            let within = branch.group.and_then(|(group, _)| self.groups.get(group));
            let within = within.map(|group| group.parent);
            let at = Where { branch: id, depth: branch.stack.len(), from, within };
            recorder.began(&self.program, activation.step, at, variables);
        }
        self.recorder = Some(recorder);
    }

    pub(super) fn note_failure(&mut self, id: usize, branch: &Branch, error: &Value) {
        let Some(recorder) = &mut self.recorder else { return };
        let step = branch.stack.last().map_or(u32::MAX, |open| open.step);
        recorder.failed(id, step, branch.stack.len(), error);
    }

    pub(super) fn note_over(&mut self, id: usize) {
        if let Some(recorder) = &mut self.recorder {
            recorder.over(id);
        }
    }

    /// The variables that a step sees and that hold something.
    fn variables(&self, branch: &Branch, room_bytes: &mut usize) -> Map {
        let mut map = Map::new();
        let mut branch = Some(branch);
        while let Some(one) = branch {
            if let Some(activation) = one.stack.last() {
                self.collect(one, activation, room_bytes, &mut map);
            }
            let own = one.stack.len() == 1;
            let group = one.group.filter(|_| own).and_then(|(group, _)| self.groups.get(group));
            branch = group.and_then(|group| self.branches.get(group.parent));
        }
        map
    }

    fn collect(&self, branch: &Branch, open: &Activation, room_bytes: &mut usize, map: &mut Map) {
        let Some(frame) = self.frames.get(open.frame) else { return };
        for (name, value) in self.names(branch, open).iter().zip(&frame.slots) {
            let Some(name) = name.as_ref().filter(|name| map.get(name).is_none()) else { continue };
            if *value == Value::Null {
                continue;
            }
            let size = value.size_bytes();
            let is_small = size <= VARIABLE_BYTES.min(*room_bytes);
            let json = if is_small { value.to_json().ok() } else { None };
            *room_bytes -= if json.is_some() { size } else { 0 };
            let shown = json.unwrap_or_else(|| format!("({size} bytes, not shown)").into());
            map.insert(name.clone(), shown);
        }
    }

    /// The names of the slots of an open routine or branch.
    fn names(&self, branch: &Branch, open: &Activation) -> &[Option<Arc<str>>] {
        let own = branch.group.filter(|_| branch.stack.len() == 1);
        if let Some((group, place)) = own {
            let op = self.groups.get(group).and_then(|it| self.program.ops.get(it.op as usize));
            return match op {
                Some(Op::Parallel(parallel)) => match &parallel.work {
                    ParallelWork::Branches(all) => all.get(place).map_or(&[], |it| &it.1.slots),
                    ParallelWork::For(_, info) => &info.slots,
                },
                _ => &[],
            };
        }
        let step = self.program.steps.get(open.step as usize);
        let routine = step.and_then(|step| {
            self.program.routines.iter().find(|routine| routine.name == step.routine)
        });
        routine.map_or(&[], |routine| &routine.slots)
    }
}

impl model::machine::Remembering for Machine {
    fn set_time(&mut self, now: Timestamp) {
        if let Some(recorder) = &mut self.recorder {
            recorder.now = now;
        }
    }

    fn history(&self) -> History {
        let Some(recorder) = &self.recorder else { return History::default() };
        let program = &self.program;
        let mut steps = recorder.kept.clone();
        if let Some(end) = &self.end {
            let error = end.as_ref().err().map(|failure| Arc::from(failure.payload.as_str()));
            steps.iter_mut().for_each(|step| self::end(step, error.as_ref(), recorder.now));
        }
        let visits = recorder.visits.iter().map(|(step, count)| (name(program, *step), *count));
        let way = |((from, to), count): (&(u32, u32), &u64)| {
            ((name(program, *from), name(program, *to)), *count)
        };
        History {
            steps,
            count: recorder.count,
            current: if self.end.is_some() { Vec::new() } else { self.places() },
            visits: visits.collect(),
            ways: recorder.ways.iter().map(way).collect(),
            is_over: self.end.is_some(),
        }
    }
}

impl Machine {
    /// Where each branch is that does not wait for branches of its own.
    fn places(&self) -> Vec<StepName> {
        let parents: Vec<usize> = self.groups.iter().map(|group| group.parent).collect();
        let waits = self.branches.numbered().filter(|(id, _)| !parents.contains(id));
        let at = waits.filter_map(|(_, branch)| branch.stack.last());
        let known = at.filter(|open| self.program.steps.get(open.step as usize).is_some());
        known.map(|open| name(&self.program, open.step)).collect()
    }
}
