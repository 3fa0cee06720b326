//! The nouns as they look on the wire, and the reading of what senders write.
//!
//! Answers are serialised twins of the model's nouns, one file per noun; JSON that is stored
//! goes out as it is, without being read. Requests are read by [`reader`] and [`query`], which
//! collect everything that is wrong before they give up.

pub(crate) mod attempt;
pub(crate) mod batch;
pub(crate) mod bulk;
pub(crate) mod counts;
pub(crate) mod document_000;
pub(crate) mod document_001;
pub(crate) mod document_002;
pub(crate) mod effect;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod explanation;
pub(crate) mod flow;
pub(crate) mod id;
pub(crate) mod job;
pub(crate) mod key;
pub(crate) mod lease;
pub(crate) mod metric;
pub(crate) mod moment;
pub(crate) mod near;
pub(crate) mod page;
pub(crate) mod pair;
pub(crate) mod probe;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod queue;
pub(crate) mod reader;
pub(crate) mod result;
pub(crate) mod schedule;
pub(crate) mod state;
pub(crate) mod step;
pub(crate) mod submission;
pub(crate) mod workflow;
