//! The flows that are always there.

use std::sync::Arc;

use crate::expand_reduce::ExpandReduceFlow;
use crate::flow::Flow;
use crate::range_report::RangeReport;

/// The flows that are always there, each with its own name.
///
/// ```
/// let names: Vec<_> = jobmill_flow::builtin().iter().map(|flow| flow.name().to_owned()).collect();
/// assert_eq!(names, ["expand_reduce_flow", "range_report"]);
/// ```
#[must_use]
pub fn builtin() -> Vec<Arc<dyn Flow>> {
    vec![Arc::new(ExpandReduceFlow::new()), Arc::new(RangeReport)]
}
