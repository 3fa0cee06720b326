//! The storage port: what the engine may ask of a store, as a short list of atomic verbs.
//!
//! Each verb is one atomic, durable step: when it answers `Ok`, what it did is on disk; when it
//! answers `Err`, or a crash comes first, nothing of it happened, unless its doc says otherwise.
//! There is no transaction handle. Verbs carry the noun first, take slices and answer vectors of
//! the same order and length.
//!
//! | trait | noun |
//! |---|---|
//! | [`Jobs`] | a job from its submission on: insert, get, list, cancel, retry, delete |
//! | [`Leases`] | the right to perform a job: claim, progress, park, settle, release, reclaim |
//! | [`Outside`] | leases of workers outside: lease, extend, expire |
//! | [`Ledgers`] | the results of the steps of workers outside |
//! | [`Flows`] | flows that workers outside perform, as declared |
//! | [`Queues`] | what waits in a queue and what holds it back |
//! | [`Journals`] | the committed outcomes of a machine |
//! | [`Signals`] | what was sent to a running machine |
//! | [`Outputs`] | results as chunks |
//! | [`Attempts`] | failed attempts |
//! | [`Tallies`] | kept totals |
//! | [`Documents`] | small texts under names, written by pure functions |
//! | [`Rows`] | rows of tables, appended |
//! | [`Events`] | what has changed of late |
//! | [`Definitions`] | stored workflows and their revisions |
//! | [`Schedules`] | schedules, and the jobs that their ticks make |
//! | [`Retention`] | which of the jobs that have ended are the oldest |
//! | [`Keys`] | API keys, as hashes |
//!
//! [`memory`] is the reference: the oracle that every backend is compared with.
//! [`exam`](mod@exam) is the contract in executable form. [`layer`] is for a store over another
//! one, which changes a few verbs of it.

pub mod attempt;
pub mod definition;
pub mod document;
pub mod error;
pub mod event;
pub mod exam;
pub mod flow;
pub mod job;
pub mod journal;
pub mod key;
pub mod layer;
pub mod lease;
pub mod ledger;
pub mod memory;
pub mod output;
pub mod outside;
pub mod queue;
pub mod retention;
pub mod schedule;
pub mod signal;
pub mod table_row;
pub mod tally;

pub use attempt::{AttemptQuery, Attempts};
pub use definition::{DefinitionPage, DefinitionPut, Definitions, Deployed, PutMode};
pub use document::{
    After, Commit, Committed, Document, DocumentName, DocumentPage, DocumentQuery, Documents,
    Rewrite,
};
pub use error::StoreError;
pub use event::{Change, Events, Feed};
pub use flow::{Declared, Flows};
pub use job::{
    Cancelled, Deleted, Inserted, JobInsert, JobPage, JobQuery, Jobs, Lodged, Offer, Retried,
    Situation, Submission, Swept,
};
pub use journal::{Append, Appended, Journals};
pub use key::{KeyPut, Keys};
pub use lease::{
    Claim, Claimed, Leases, Park, Parked, ProgressNote, Promoted, Reclaimed, Settle, Settled,
};
pub use ledger::{EffectPut, Ledgers, Noted};
pub use output::{Outputs, Pair, PairPage};
pub use outside::{Call, Expired, Extend, Hold, LeaseView, Lent, Outside};
pub use queue::{Admitted, QueueStanding, Queues};
pub use retention::{OldestPage, OldestQuery, Retention};
pub use schedule::{ScheduleWrite, Schedules, SchedulesDue, Written};
pub use signal::{Signal, Signalled, Signals};
pub use table_row::{NewRow, RowExtent, RowInsert, Rows, RowsInserted, StoredRow};
pub use tally::{Tallies, Tally};

macro_rules! store {
    ($($port:ident)*) => {
        /// Everything that the engine needs of a store.
        pub trait Store: $($port +)* {}

        impl<T> Store for T where T: $($port +)* {}
    };
}

store! {
    Jobs Leases Outside Ledgers Flows Queues Journals Signals Outputs Attempts Tallies Definitions
    Documents Rows Schedules Keys Retention Events
}

/// What a verb answers.
pub type Result<T> = std::result::Result<T, StoreError>;
