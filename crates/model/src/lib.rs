//! The nouns of Jobmill and the rules that hold between them.
//!
//! Everything here is a pure function of its arguments: no clock, no randomness, no IO, no
//! async. Time and chance come in as values, so every rule can be tested by data in, data out.
//!
//! | module | noun |
//! |---|---|
//! | [`id`] | typed ids |
//! | [`time`] | instants and durations as they are written on the wire |
//! | [`value`] | an ordered JSON value and its text |
//! | [`fault`] | what went wrong, for the reader, for the log, and whether to try again |
//! | [`limits`] | every number that bounds something |
//! | [`flow`] | a flow that workers outside the server perform, as it was declared |
//! | [`definition`] | a workflow's stored source and its revisions |
//! | [`execution`] | a job that runs a definition |
//! | [`job`] | the job, its states, its verdict, its backoff, its uniqueness |
//! | [`queue`] | names that jobs wait under, the order in which they leave, what holds them |
//! | [`rate`] | so many starts in a time |
//! | [`machine`] | a job of many steps: effects, outcomes, the fold of the journal |
//! | [`schedule`] | a job to submit again and again: cron, zone, what becomes of missed ticks |
//! | [`key`] | API keys: roles, rates, secrets |
//! | [`output`] | a result as ordered chunks of text |
//! | [`retention`] | how long jobs that have ended are kept |
//! | [`schema`] | the part of JSON Schema that declared flows may use |
//! | [`webhook`] | the job that tells of the end of another |
//! | [`suggest`] | "did you mean …" |

pub mod definition;
pub mod execution;
pub mod fault;
pub mod flow;
pub mod id;
pub mod job;
pub mod key;
pub mod limits;
pub mod machine;
pub mod metric;
pub mod output;
pub mod queue;
pub mod rate;
pub mod retention;
pub mod schedule;
pub mod schema;
pub mod suggest;
pub mod time;
pub mod value;
pub mod webhook;

pub use definition::Definition;
pub use fault::{Class, Fault, Problem};
pub use flow::Declaration;
pub use id::{InstanceId, JobId, Token};
pub use job::{Job, NewJob, State};
pub use schedule::Schedule;
pub use schema::Schema;
pub use time::{Span, Timestamp};
pub use value::{Json, Map, Value};
