//! A store over another one: it changes some verbs and passes the others on.

use std::ops::Deref;
use std::sync::Arc;

use async_trait::async_trait;
use jobmill_model::job::FailedAttempt;
use jobmill_model::key::ApiKey;
use jobmill_model::machine::Entry;
use jobmill_model::output::{Chunk, Extent};
use jobmill_model::queue::{Name, QueueRules};
use jobmill_model::{
    Declaration, Definition, InstanceId, Job, JobId, Json, Schedule, Timestamp, Token,
};

use crate::*;

/// Makes [`Layer`], with a method for every verb, and the traits of the port for every layer.
macro_rules! layer {
    ($($port:ident {
        $($way:ident $verb:ident($($input:ident: $kind:ty),*) -> $answer:ty;)*
    })*) => {
        /// A store over another one, of which it writes out only the verbs that it changes.
        ///
        /// Every layer is a [`Store`].
        #[async_trait]
        pub trait Layer: Send + Sync {
            /// The store beneath, for as long as one verb takes.
            type Beneath<'a>: Deref<Target: Store> + Send + Sync
            where
                Self: 'a;

            /// The store beneath, for a verb that only reads.
            async fn reads(&self) -> Result<Self::Beneath<'_>>;

            /// The store beneath, for a verb that may write.
            async fn writes(&self) -> Result<Self::Beneath<'_>>;

            /// As [`Events::events`].
            fn events(&self) -> Arc<Feed>;

            $($(
                #[doc = concat!("As [`", stringify!($port), "::", stringify!($verb), "`].")]
                async fn $verb(&self, $($input: $kind),*) -> Result<$answer> {
                    let beneath = self.$way().await?;
                    $port::$verb(&*beneath, $($input),*).await
                }
            )*)*
        }

        $(
            #[async_trait]
            impl<L: Layer> $port for L {
                $(
                    async fn $verb(&self, $($input: $kind),*) -> Result<$answer> {
                        Layer::$verb(self, $($input),*).await
                    }
                )*
            }
        )*

        impl<L: Layer> Events for L {
            fn events(&self) -> Arc<Feed> {
                Layer::events(self)
            }
        }
    };
}

layer! {
    Jobs {
        writes job_insert(submission: Submission) -> Inserted;
        reads job_get(ids: &[JobId]) -> Vec<Option<Job>>;
        reads job_situation(id: JobId) -> Option<Situation>;
        reads job_list(query: &JobQuery) -> JobPage;
        writes job_cancel(ids: &[JobId], now: Timestamp) -> Vec<Cancelled>;
        writes job_retry(ids: &[JobId], now: Timestamp) -> Vec<Retried>;
        writes job_delete(ids: &[JobId]) -> Vec<Deleted>;
        writes idempotency_sweep(now: Timestamp, limit: usize) -> Swept;
    }
    Leases {
        writes job_claim(claim: Claim) -> Vec<Claimed>;
        writes job_progress(notes: &[ProgressNote]) -> Vec<bool>;
        writes job_park(park: Park) -> Parked;
        writes job_settle(settles: Vec<Settle>) -> Vec<Settled>;
        writes job_release(leases: &[(JobId, Token)]) -> Vec<bool>;
        writes job_promote(now: Timestamp, limit: usize) -> Promoted;
        writes job_reclaim(alive: InstanceId, max_crashes: u32, now: Timestamp) -> Reclaimed;
    }
    Outside {
        writes job_lease(call: Call) -> Vec<Lent>;
        writes job_extend(beats: Vec<Extend>) -> Vec<Option<Timestamp>>;
        reads lease_get(ids: &[JobId]) -> Vec<Option<LeaseView>>;
        writes lease_expire(now: Timestamp, max_crashes: u32, chance: f64, limit: usize) -> Expired;
        writes lease_renew(now: Timestamp) -> Option<Timestamp>;
    }
    Ledgers {
        writes effect_put(put: EffectPut) -> Noted;
        reads effect_get(id: JobId, name: &Name) -> Option<Json>;
        reads effect_list(id: JobId, after: Option<&Name>, limit: usize) -> Vec<(Name, Json)>;
    }
    Flows {
        writes flow_put(declaration: Declaration) -> Declared;
        reads flow_list() -> Vec<Declaration>;
        writes flow_delete(name: &Name) -> bool;
    }
    Queues {
        writes queue_put(queue: &Name, rules: &QueueRules) -> ();
        writes queue_pause(queue: &Name, paused: bool) -> ();
        reads queue_get(queue: &Name, now: Timestamp) -> QueueStanding;
        reads queue_list(after: Option<&Name>, limit: usize, now: Timestamp) -> Vec<QueueStanding>;
        reads queue_refill(now: Timestamp) -> Option<Timestamp>;
        writes held_admit(now: Timestamp, limit: usize) -> Admitted;
    }
    Journals {
        writes job_journal(append: Append) -> Appended;
        reads journal_read(id: JobId, from: u64, limit: usize) -> Vec<Entry>;
        writes journal_delete(id: JobId) -> Deleted;
    }
    Signals {
        writes job_signal(id: JobId, name: &Name, payload: &Json) -> Signalled;
        reads signal_read(id: JobId, after: u64, limit: usize) -> Vec<Signal>;
    }
    Outputs {
        writes output_append(id: JobId, token: Token, chunks: Vec<Chunk>) -> bool;
        reads output_extent(id: JobId) -> Option<Extent>;
        reads output_read(id: JobId, from: u64, bytes: usize) -> Vec<Chunk>;
        reads pair_page(skip: u64, limit: usize) -> PairPage;
        writes output_sweep(limit: usize) -> Swept;
    }
    Attempts {
        reads attempt_list(query: &AttemptQuery) -> Vec<FailedAttempt>;
    }
    Tallies {
        reads tally_read() -> Tally;
    }
    Definitions {
        writes definition_put(put: DefinitionPut) -> Deployed;
        reads definition_get(name: &Name, revision: Option<&str>) -> Option<Definition>;
        reads definition_list(after: Option<&Name>, limit: usize) -> DefinitionPage;
        writes definition_delete(name: &Name) -> bool;
        reads revision_list(name: &Name, before: Option<u64>, limit: usize) -> Vec<Definition>;
    }
    Documents {
        reads document_get(names: &[DocumentName]) -> Vec<Option<Document>>;
        writes document_commit(commit: Commit) -> Committed;
        reads document_list(query: &DocumentQuery) -> DocumentPage;
    }
    Rows {
        writes row_insert(insert: RowInsert) -> RowsInserted;
        reads row_list(set: &str, after: u64, limit: usize, bytes: usize) -> Vec<StoredRow>;
        reads row_extent(set: &str) -> RowExtent;
        writes row_sweep(set: &str, limit: usize) -> Swept;
    }
    Schedules {
        writes schedule_write(writes: Vec<ScheduleWrite>) -> Vec<Written>;
        reads schedule_get(name: &Name) -> Option<Schedule>;
        reads schedule_list(after: Option<&Name>, limit: usize) -> Vec<Schedule>;
        writes schedule_delete(name: &Name) -> bool;
        reads schedule_due(now: Timestamp, limit: usize) -> SchedulesDue;
    }
    Keys {
        writes key_put(key: &ApiKey) -> KeyPut;
        reads key_list() -> Vec<ApiKey>;
        writes key_delete(name: &Name) -> bool;
        writes key_touch(uses: &[(Name, Timestamp)]) -> ();
    }
    Retention {
        reads job_oldest(query: &OldestQuery) -> OldestPage;
    }
}
