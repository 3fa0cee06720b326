//! Every statement that the store prepares, by name; the texts are in `sql/`.

macro_rules! queries {
    ($($name:ident => $file:literal),* $(,)?) => {
        /// A statement of the store.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Query {
            $($name),*
        }

        impl Query {
            /// Every statement.
            pub(super) const ALL: &[Self] = &[$(Self::$name),*];

            /// Its text.
            pub(super) fn text(self) -> &'static str {
                match self {
                    $(Self::$name => include_str!(concat!("sql/", $file, ".sql"))),*
                }
            }
        }
    };
}

queries! {
    AttemptDelete => "attempt_delete",
    AttemptInsert => "attempt_insert",
    AttemptList => "attempt_list",
    BacklogDelete => "backlog_delete",
    BacklogPut => "backlog_put",
    BacklogRead => "backlog_read",
    ChunkAny => "chunk_any",
    ChunkAppended => "chunk_appended",
    ChunkClear => "chunk_clear",
    ChunkInsert => "chunk_insert",
    ChunkSweep => "chunk_sweep",
    EffectCount => "effect_count",
    EffectDelete => "effect_delete",
    EffectGet => "effect_get",
    EffectInsert => "effect_insert",
    EffectList => "effect_list",
    FlowCount => "flow_count",
    FlowDelete => "flow_delete",
    FlowGet => "flow_get",
    FlowList => "flow_list",
    FlowPut => "flow_put",
    DefinitionDelete => "definition_delete",
    DefinitionGet => "definition_get",
    DefinitionList => "definition_list",
    DefinitionPut => "definition_put",
    GapAfter => "gap_after",
    GapBefore => "gap_before",
    GapPut => "gap_put",
    GapRead => "gap_read",
    DocumentDelete => "document_delete",
    DocumentGet => "document_get",
    DocumentList => "document_list",
    DocumentListBelow => "document_list_below",
    DocumentPut => "document_put",
    IdempotencyDelete => "idempotency_delete",
    IdempotencyGet => "idempotency_get",
    IdempotencyInsert => "idempotency_insert",
    IdempotencyPast => "idempotency_past",
    JobAdmit => "job_admit",
    JobChildren => "job_children",
    JobClaim => "job_claim",
    JobComplete => "job_complete",
    JobDelete => "job_delete",
    JobDue => "job_due",
    JobGet => "job_get",
    JobHead => "job_head",
    JobHeld => "job_held",
    JobInputDelete => "job_input_delete",
    JobInputInsert => "job_input_insert",
    JobInsert => "job_insert",
    JobLeased => "job_leased",
    JobList => "job_list",
    JobListState => "job_list_state",
    JobListTag => "job_list_tag",
    JobMove => "job_move",
    JobNextDue => "job_next_due",
    JobProgress => "job_progress",
    JobReady => "job_ready",
    JobRemains => "job_remains",
    JobState => "job_state",
    JobTagDelete => "job_tag_delete",
    JobTagInsert => "job_tag_insert",
    JournalDelete => "journal_delete",
    JournalExtend => "journal_extend",
    JournalInsert => "journal_insert",
    JournalRead => "journal_read",
    KeyNext => "key_next",
    KeyTaken => "key_taken",
    LeaseDelete => "lease_delete",
    LeaseDue => "lease_due",
    LeaseExtend => "lease_extend",
    LeaseGet => "lease_get",
    LeaseInsert => "lease_insert",
    LeaseNext => "lease_next",
    LeaseRenew => "lease_renew",
    LeaseToken => "lease_token",
    LitterClear => "litter_clear",
    LitterDelete => "litter_delete",
    LitterInsert => "litter_insert",
    LitterNext => "litter_next",
    OutputExtent => "output_extent",
    OutputRead => "output_read",
    PublicationDelete => "publication_delete",
    PublicationFrom => "publication_from",
    PublicationInsert => "publication_insert",
    QueueDelete => "queue_delete",
    QueueLeased => "queue_leased",
    QueuePut => "queue_put",
    QueueRead => "queue_read",
    RevisionDelete => "revision_delete",
    RevisionList => "revision_list",
    RevisionPut => "revision_put",
    RowInsert => "row_insert",
    RowKnown => "row_known",
    RowList => "row_list",
    RowSetDelete => "row_set_delete",
    RowSetGet => "row_set_get",
    RowSetPut => "row_set_put",
    RowSweep => "row_sweep",
    SignalConsume => "signal_consume",
    SignalCount => "signal_count",
    SignalDelete => "signal_delete",
    SignalInsert => "signal_insert",
    SignalNewer => "signal_newer",
    SignalRead => "signal_read",
    TotalPut => "total_put",
    TotalRead => "total_read",
}
