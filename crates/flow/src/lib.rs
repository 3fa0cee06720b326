//! Op, node and flow for Rust authors: expand, map and reduce over key-values.
//!
//! Everything here is a function of its arguments: no clock, no chance, no IO, no async. A flow
//! reads its input, writes its result entry by entry and looks now and then at its watch.
//!
//! | module | noun |
//! |---|---|
//! | [`flow`] | a named kind of work, and who watches it |
//! | [`output`] | where a flow writes its result: in chunks, or as one value |
//! | [`node`], [`op`], [`graph`] | ordered dictionaries, the steps between them, their lineage |
//! | [`expand`], [`map`], [`reduce`] | the ops |
//! | [`expand_reduce`], [`range_report`] | the flows that are always there |
//! | [`local`] | a flow run right here, without a store |

pub mod builtin;
mod collide;
pub mod expand;
pub mod expand_reduce;
mod fingerprint;
pub mod flow;
pub mod graph;
pub mod local;
pub mod map;
pub mod node;
pub mod op;
pub mod output;
mod params;
mod product;
pub mod range_report;
pub mod reduce;
mod schema;
mod tally;

pub use builtin::builtin;
pub use expand::{ExpandOp, Split};
pub use expand_reduce::{EXPAND_REDUCE_FLOW, ExpandReduceFlow};
pub use flow::{Flow, Unwatched, Watch, Work};
pub use graph::Lineage;
pub use map::MapOp;
pub use node::{Node, NodeId};
pub use op::Op;
pub use output::Output;
pub use range_report::{RANGE_REPORT, RangeReport};
pub use reduce::{Collision, Conflict, Merge, ReduceOp, Uneven};
