//! The drawing as SVG: frames, then lines, then boxes with their texts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use jobmill_model::machine::{History, StepName, StepState};

use super::layout::{CHAR, LINE, PAD, lane_at};
use super::tree::{Area, Box, Column, Drawing, Kind, Leap, Look};

/// Colours and strokes; `taken` is the way of an execution, `idle` what it left out.
const STYLE: &str = "\
text{font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#1f2933}\
.name{font-weight:700}.label{fill:#52606d}.title{font-size:15px;font-weight:700}\
.box{fill:#fff;stroke:#52606d;stroke-width:1.2}.frame{fill:#f5f7fa;stroke:#9aa5b1}\
.call{fill:#e3f2fd;stroke:#2b6cb0}.switch{fill:#fff8e1;stroke:#b7791f}\
.loop{fill:#f3f0ff;stroke:#6b46c1}.parallel{fill:#e6fffa;stroke:#2c7a7b}\
.try{fill:#f7fafc;stroke:#718096}.return{fill:#edf2f7;stroke:#2d3748}\
.raise{fill:#fff5f5;stroke:#c53030}.except{fill:#fff5f5;stroke:#feb2b2}\
.line{fill:none;stroke:#7b8794;stroke-width:1.3}.fault{stroke:#c53030;stroke-dasharray:4 3}\
.routine{fill:#fff;stroke:#cbd2d9}.idle{opacity:.38}\
.taken{stroke:#2f855a;stroke-width:2.6}.active{stroke:#2b6cb0;stroke-width:3.4}\
.failed{stroke:#c53030;stroke-width:2.8}line.taken,path.taken{stroke:#2f855a;stroke-width:2.4}\
.count{fill:#2f855a;font-weight:700}";

/// What an execution did with each step.
struct Way<'a> {
    history: &'a History,
    active: BTreeSet<&'a StepName>,
    failed: BTreeSet<&'a StepName>,
}

impl<'a> Way<'a> {
    fn new(history: &'a History) -> Self {
        let mut last = BTreeMap::new();
        for step in &history.steps {
            last.insert(&step.name, step.state);
        }
        let failed = last.into_iter().filter(|(_, state)| *state == StepState::Failed);
        Self {
            history,
            active: history.current.iter().collect(),
            failed: failed.map(|(name, _)| name).collect(),
        }
    }

    fn visits(&self, step: &StepName) -> u64 {
        self.history.visits.get(step).copied().unwrap_or(0)
    }

    fn class(&self, step: &StepName) -> &'static str {
        match self.visits(step) {
            0 => " idle",
            _ if self.active.contains(step) => " active",
            _ if self.failed.contains(step) => " failed",
            _ => " taken",
        }
    }
}

struct Pen<'a> {
    text: String,
    way: Option<Way<'a>>,
}

/// Writes the drawing.
pub(super) fn write(drawing: &Drawing, way: Option<&History>) -> String {
    let mut pen = Pen { text: String::new(), way: way.map(Way::new) };
    let (width, height) = (drawing.width.ceil(), drawing.height.ceil());
    pen.put(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\"><style>{STYLE}</style>"
    ));
    for (id, colour) in
        [("arrow", "#7b8794"), ("arrow-taken", "#2f855a"), ("arrow-fault", "#c53030")]
    {
        pen.put(format_args!(
            "<defs><marker id=\"{id}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" \
             markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">\
             <path d=\"M0 0L8 4L0 8z\" fill=\"{colour}\"/></marker></defs>"
        ));
    }
    pen.put(format_args!("<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>"));
    for routine in &drawing.routines {
        pen.frames(routine);
    }
    for routine in &drawing.routines {
        pen.order(routine);
        pen.jumps(routine, &drawing.jumps);
    }
    for routine in &drawing.routines {
        pen.boxes(routine);
    }
    pen.text.push_str("</svg>\n");
    pen.text
}

impl Pen<'_> {
    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.text.write_fmt(text);
    }

    fn rect(&mut self, class: &str, area: Area, round: f64) {
        let Area { x, y, width, height } = area;
        self.put(format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{height:.1}\" rx=\"{round}\"/>"
        ));
    }

    fn write(&mut self, class: &str, x: f64, y: f64, text: &str) {
        let text = escaped(text);
        self.put(format_args!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"));
    }

    fn class_of(&self, step: Option<&StepName>) -> &'static str {
        match (&self.way, step) {
            (Some(way), Some(step)) => way.class(step),
            _ => "",
        }
    }

    /// The grounds that everything stands on.
    fn frames(&mut self, column: &Column) {
        match column.kind {
            Kind::Steps => {}
            Kind::Except => self.rect("except", grown(column.area, 7.0), 6.0),
            Kind::Routine => self.rect("routine", grown(column.area, 12.0), 8.0),
        }
        for one in &column.boxes {
            if !one.columns.is_empty() {
                let class = format!("frame {}{}", look(one.look), self.class_of(one.step.as_ref()));
                self.rect(&class, one.area, 7.0);
            }
            one.columns.iter().for_each(|column| self.frames(column));
        }
    }

    /// The arrows from each box to the one below it, and into blocks.
    fn order(&mut self, column: &Column) {
        for pair in column.boxes.windows(2) {
            if pair[0].falls {
                let [from, to] = [middle(pair[0].area), middle(pair[1].area)];
                let top = pair[0].area.y + pair[0].area.height;
                let is_taken = self.leads(&pair[0], &pair[1]);
                self.arrow((from, top), (to, pair[1].area.y), is_taken, false);
            }
        }
        for one in &column.boxes {
            for column in &one.columns {
                if let Some(first) = column.boxes.first() {
                    let is_taken = self.enters(one, first);
                    let x = middle(first.area);
                    let (top, end) = (one.area.y + one.head, first.area.y);
                    let is_fault = column.kind == Kind::Except;
                    let start = if column.label.is_empty() { top + 2.0 } else { end - 14.0 };
                    self.arrow((x, start), (x, end), is_taken, is_fault);
                }
                self.order(column);
            }
        }
    }

    fn arrow(&mut self, from: (f64, f64), to: (f64, f64), is_taken: bool, is_fault: bool) {
        let (class, marker) = strokes(is_taken, is_fault, self.way.is_some());
        self.put(format_args!(
            "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" \
             marker-end=\"url(#{marker})\"/>",
            from.0, from.1, to.0, to.1
        ));
    }

    /// The lines of the jumps that stay in a column or in one below it.
    fn jumps(&mut self, column: &Column, jumps: &[Leap]) {
        for leap in jumps.iter().filter(|leap| leap.column == column.id()) {
            let (Some(from), Some(to)) = (find(column, leap.from), find(column, leap.to)) else {
                continue;
            };
            let left = column.boxes.iter().map(|one| one.area.x).fold(f64::MAX, f64::min);
            let x = left + lane_at(column, leap.lane);
            let y = from.area.y + 0.45 * PAD + LINE * (leap.line as f64 + 0.5);
            let end = to.area.y + LINE * 0.5;
            let is_taken = self.goes(leap);
            let (class, marker) = strokes(is_taken, false, self.way.is_some());
            let (start, stop) = (from.area.x + from.area.width, to.area.x + to.area.width);
            let bend = if end > y { 5.0 } else { -5.0 };
            self.put(format_args!(
                "<path class=\"{class}\" d=\"M{start:.1} {y:.1}H{:.1}q5 0 5 {bend}V{:.1}\
                 q0 {bend} -5 {bend}H{stop:.1}\" marker-end=\"url(#{marker})\"/>",
                x - 5.0,
                end - bend,
            ));
        }
        for one in &column.boxes {
            one.columns.iter().for_each(|column| self.jumps(column, jumps));
        }
    }

    fn boxes(&mut self, column: &Column) {
        let Area { x, y, .. } = column.area;
        if !column.label.is_empty() {
            let class = if column.kind == Kind::Routine { "title" } else { "label" };
            self.write(class, x, y + 13.0, &column.label);
        }
        for one in &column.boxes {
            let class = self.class_of(one.step.as_ref().or(one.owner.as_ref()));
            if one.columns.is_empty() {
                let round = if one.look == Look::Return { one.area.height / 2.0 } else { 5.0 };
                self.rect(&format!("box {}{class}", look(one.look)), one.area, round);
            }
            self.lines(one, class);
            one.columns.iter().for_each(|column| self.boxes(column));
        }
    }

    fn lines(&mut self, one: &Box, class: &str) {
        let dim = if class == " idle" { " idle" } else { "" };
        for (at, line) in one.lines.iter().enumerate() {
            let y = one.area.y + 0.45 * PAD + LINE * (at as f64 + 0.75);
            let kind = if at == 0 && one.step.is_some() { "name" } else { "" };
            self.write(&format!("{kind}{dim}"), one.area.x + PAD, y, line);
        }
        let visits = self.way.as_ref().zip(one.step.as_ref()).map(|(way, step)| way.visits(step));
        if let Some(count) = visits.filter(|count| *count > 1) {
            let text = format!("×{count}");
            let x = one.area.x + one.area.width - text.chars().count() as f64 * CHAR - 3.0;
            self.write("count", x, one.area.y - 4.0, &text);
        }
    }

    /// Whether an execution went from one box, or from within it, to the one below.
    fn leads(&self, one: &Box, below: &Box) -> bool {
        let Some((way, to)) = self.way.as_ref().zip(below.step.as_ref()) else { return false };
        let mut steps = Vec::new();
        collect(one, &mut steps);
        steps.into_iter().any(|from| way.history.ways.contains_key(&(from.clone(), to.clone())))
    }

    fn enters(&self, one: &Box, first: &Box) -> bool {
        let Some(way) = &self.way else { return false };
        match (&one.step, &first.step) {
            (_, Some(first)) => way.visits(first) > 0,
            (Some(step), None) => way.visits(step) > 0 && one.look == Look::Try,
            (None, None) => false,
        }
    }

    fn goes(&self, leap: &Leap) -> bool {
        let (from, to) = &leap.way;
        let key = from.clone().map(|from| (from, to.clone()));
        self.way.as_ref().zip(key).is_some_and(|(way, key)| way.history.ways.contains_key(&key))
    }
}

fn strokes(is_taken: bool, is_fault: bool, has_way: bool) -> (&'static str, &'static str) {
    match (is_taken, is_fault) {
        (true, _) => ("line taken", "arrow-taken"),
        (false, true) if has_way => ("line fault idle", "arrow-fault"),
        (false, true) => ("line fault", "arrow-fault"),
        (false, false) if has_way => ("line idle", "arrow"),
        (false, false) => ("line", "arrow"),
    }
}

/// The steps of a box and of everything in it.
fn collect<'a>(one: &'a Box, steps: &mut Vec<&'a StepName>) {
    steps.extend(one.step.as_ref());
    for column in &one.columns {
        column.boxes.iter().for_each(|one| collect(one, steps));
    }
}

/// A box of a column or of one below it.
fn find(column: &Column, id: usize) -> Option<&Box> {
    column.boxes.iter().find_map(|one| {
        let inner = || one.columns.iter().find_map(|column| find(column, id));
        if one.id == id { Some(one) } else { inner() }
    })
}

fn look(look: Look) -> &'static str {
    match look {
        Look::Plain => "plain",
        Look::Call => "call",
        Look::Switch => "switch",
        Look::Loop => "loop",
        Look::Parallel => "parallel",
        Look::Try => "try",
        Look::Return => "return",
        Look::Raise => "raise",
    }
}

fn middle(area: Area) -> f64 {
    area.x + area.width / 2.0
}

fn grown(area: Area, by: f64) -> Area {
    let Area { x, y, width, height } = area;
    Area { x: x - by, y: y - by, width: width + 2.0 * by, height: height + 2.0 * by }
}

/// Text as XML takes it; what it cannot take at all is shown as a replacement.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            letter if letter.is_control() => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}
