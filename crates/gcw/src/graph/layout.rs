//! Where everything is: sizes from the inside out, then places from the outside in.

use super::tree::{Area, Box, Column, Drawing, Kind, Leap};

/// A character's width and a line's height; the font is one of fixed width.
pub(super) const CHAR: f64 = 7.3;
pub(super) const LINE: f64 = 17.0;
/// From a box's edge to its text.
pub(super) const PAD: f64 = 10.0;
/// Between two boxes, for the arrow.
const GAP: f64 = 26.0;
/// Between two columns.
const AISLE: f64 = 22.0;
/// Of one lane for jumps.
const LANE: f64 = 11.0;
/// Of a column's label.
const LABEL: f64 = 30.0;
/// Around the whole.
const MARGIN: f64 = 20.0;
/// Between two routines.
const BETWEEN: f64 = 44.0;
/// More lanes share the last one.
const LANES: usize = 24;

/// Gives everything its place.
pub(super) fn arrange(drawing: &mut Drawing) {
    let Drawing { routines, jumps, .. } = drawing;
    for routine in routines.iter_mut() {
        take_lanes(routine, jumps);
        measure(routine);
    }
    let height = routines.iter().map(|routine| routine.area.height).fold(0.0, f64::max);
    // Below each other while they are no higher than the highest one, then beside each other.
    let (mut x, mut y, mut width) = (MARGIN, MARGIN, 0.0_f64);
    for routine in routines.iter_mut() {
        if y > MARGIN && y + routine.area.height > MARGIN + height {
            (x, y, width) = (x + width + BETWEEN, MARGIN, 0.0);
        }
        place(routine, x, y);
        y += routine.area.height + BETWEEN;
        width = width.max(routine.area.width);
    }
    drawing.width = x + width + MARGIN;
    drawing.height = height + 2.0 * MARGIN;
}

/// Gives the jumps of a column lanes in which they do not meet; answers the numbers below it.
fn take_lanes(column: &mut Column, jumps: &mut [Leap]) -> (usize, usize) {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for one in &mut column.boxes {
        let inner = one.columns.iter_mut().map(|column| take_lanes(column, jumps));
        let all = inner.fold((one.id, one.id), |all, (from, to)| (all.0.min(from), all.1.max(to)));
        spans.push(all);
    }
    let holds = |column: &Column, id: usize, spans: &[(usize, usize)]| {
        let own = column.boxes.iter().position(|one| one.id == id);
        own.or_else(|| spans.iter().position(|(from, to)| (*from..=*to).contains(&id)))
    };
    let own = jumps.iter_mut().filter(|leap| leap.column == column.id());
    let mut own: Vec<(usize, usize, &mut Leap)> = own
        .filter_map(|leap| {
            let from = holds(column, leap.from, &spans)?;
            let to = holds(column, leap.to, &spans)?;
            Some((from.min(to), from.max(to), leap))
        })
        .collect();
    own.sort_by_key(|(from, to, leap)| (to - from, *from, leap.from));
    let mut lanes: Vec<Vec<(usize, usize)>> = Vec::new();
    for (from, to, leap) in own {
        let is_free = |taken: &Vec<(usize, usize)>| {
            taken.iter().all(|(start, end)| to < *start || from > *end)
        };
        let lane = lanes.iter().position(is_free).unwrap_or(lanes.len()).min(LANES - 1);
        if lane == lanes.len() {
            lanes.push(Vec::new());
        }
        lanes[lane].push((from, to));
        leap.lane = lane;
    }
    column.lanes = lanes.len();
    let last = spans.iter().map(|(_, to)| *to).max();
    (column.id(), last.unwrap_or(column.id()))
}

/// How much room a column's lanes take.
fn lanes_width(column: &Column) -> f64 {
    if column.lanes == 0 { 0.0 } else { LANE * column.lanes as f64 + LANE }
}

/// The distance of a lane from the right edge of a column's boxes.
pub(super) fn lane_at(column: &Column, lane: usize) -> f64 {
    boxes_width(column) + LANE * (lane as f64 + 1.0)
}

fn boxes_width(column: &Column) -> f64 {
    column.boxes.iter().map(|one| one.area.width).fold(0.0, f64::max)
}

fn label_height(column: &Column) -> f64 {
    match (column.kind, column.label.is_empty()) {
        (Kind::Routine, _) => LABEL,
        (_, true) => 0.0,
        _ => LABEL,
    }
}

fn measure(column: &mut Column) {
    column.boxes.iter_mut().for_each(measure_box);
    let heights: f64 = column.boxes.iter().map(|one| one.area.height).sum();
    let gaps = GAP * column.boxes.len().saturating_sub(1) as f64;
    // The title of a routine is larger.
    let letter = if column.kind == Kind::Routine { 1.27 * CHAR } else { CHAR };
    let label = column.label.chars().count() as f64 * letter;
    column.area.width = (boxes_width(column) + lanes_width(column)).max(label);
    column.area.height = heights + gaps + label_height(column);
}

fn measure_box(one: &mut Box) {
    let longest = one.lines.iter().map(|line| line.chars().count()).max().unwrap_or(1);
    one.head = LINE * one.lines.len().max(1) as f64 + 0.9 * PAD;
    one.area = Area { width: longest as f64 * CHAR + 2.0 * PAD, height: one.head, x: 0.0, y: 0.0 };
    if one.columns.is_empty() {
        return;
    }
    one.columns.iter_mut().for_each(measure);
    let widths: f64 = one.columns.iter().map(|column| column.area.width).sum();
    let aisles = AISLE * (one.columns.len() - 1) as f64;
    let height = one.columns.iter().map(|column| column.area.height).fold(0.0, f64::max);
    one.area.width = one.area.width.max(widths + aisles + 2.4 * PAD);
    one.area.height = one.head + height + GAP * 0.7 + PAD;
}

fn place(column: &mut Column, x: f64, y: f64) {
    (column.area.x, column.area.y) = (x, y);
    let width = boxes_width(column).max(column.area.width - lanes_width(column));
    let inner = boxes_width(column);
    let shift = if column.lanes == 0 { (width - inner) / 2.0 } else { 0.0 };
    let mut top = y + label_height(column);
    for one in &mut column.boxes {
        let left = x + shift + (inner - one.area.width) / 2.0;
        place_box(one, left, top);
        top += one.area.height + GAP;
    }
}

fn place_box(one: &mut Box, x: f64, y: f64) {
    (one.area.x, one.area.y) = (x, y);
    let widths: f64 = one.columns.iter().map(|column| column.area.width).sum();
    let aisles = AISLE * one.columns.len().saturating_sub(1) as f64;
    let mut left = x + (one.area.width - widths - aisles) / 2.0;
    for column in &mut one.columns {
        place(column, left, y + one.head + GAP * 0.7);
        left += column.area.width + AISLE;
    }
}
