//! No statement of the store looks at every row of a table that grows.

use futures::executor::block_on;
use jobmill_model::queue::Name;
use jobmill_store::{Jobs, Submission};
use rusqlite::{Connection, StatementStatus, params};

use super::stage::{at, store, submission};
use crate::sqlite::DATA_FILE;
use crate::sqlite::query::Query;
use crate::sqlite::row::{JOB_BEGUN, JOB_KEY, JOB_TOKEN};

fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let rows = statement.raw_query().mapped(|row| row.get("detail"));
    rows.collect::<Result<_, _>>().unwrap()
}

fn connection() -> (Connection, tempfile::TempDir) {
    let (store, folder) = store();
    store.close().unwrap();
    (Connection::open(folder.path().join(DATA_FILE)).unwrap(), folder)
}

#[test]
fn every_statement_finds_its_rows_by_an_index() {
    let (connection, _folder) = connection();
    for query in Query::ALL {
        let plan = plan(&connection, query.text());
        let goes_through_all: Vec<_> =
            plan.iter().filter(|step| step.starts_with("SCAN") && !bounded(*query, step)).collect();
        assert!(goes_through_all.is_empty(), "{query:?}: {plan:?}");
        let sorts = plan.iter().any(|step| step.contains("TEMP B-TREE"));
        assert!(!sorts, "{query:?}: {plan:?}");
    }
}

/// Steps that go through a small table, or in the order of an index up to a limit.
fn bounded(query: Query, step: &str) -> bool {
    match query {
        Query::TotalRead | Query::TotalPut => step == "SCAN total",
        Query::JobAhead | Query::JobChildrenCount => step.starts_with("SCAN (subquery"),
        Query::PagesFree => step.contains("pragma_"),
        Query::GapRead => step == "SCAN publication_gap",
        Query::BacklogRead => step == "SCAN backlog",
        Query::QueueRead => step == "SCAN queue",
        Query::LitterNext => step == "SCAN litter",
        // Once for each new schedule.
        Query::ScheduleCount => step.starts_with("SCAN schedule"),
        Query::FlowCount => step.starts_with("SCAN flow"),
        Query::FlowList => step == "SCAN flow",
        Query::KeyCount => step.starts_with("SCAN api_key"),
        Query::KeyList => step == "SCAN api_key",
        // After a start or a jump of the clock every lease is renewed.
        Query::LeaseRenew => step.starts_with("SCAN lease"),
        // For the metrics; as many rows as there are jobs under way outside.
        Query::LeaseCount => step.starts_with("SCAN lease USING COVERING INDEX"),
        Query::LeaseNext => step == "SCAN lease USING COVERING INDEX lease_expiry",
        Query::JobNextDue => step == "SCAN job USING COVERING INDEX job_due",
        Query::ScheduleHeld => step == "SCAN schedule USING COVERING INDEX schedule_held",
        _ => false,
    }
}

#[test]
fn each_verb_uses_the_index_that_was_made_for_it() {
    let (connection, _folder) = connection();
    for (query, index) in [
        (Query::JobGet, "SEARCH job USING PRIMARY KEY (id=?)"),
        (Query::JobHead, "SEARCH job USING PRIMARY KEY (id=?)"),
        (
            Query::JobReady,
            "SEARCH job USING COVERING INDEX job_claimable (queue=? AND flow=? AND rank>?)",
        ),
        (Query::LeaseDue, "SEARCH lease USING COVERING INDEX lease_expiry (expires_at<?)"),
        (Query::EffectList, "SEARCH effect USING PRIMARY KEY (job=? AND name>?)"),
        (Query::PlaceTaken, "SEARCH job USING INDEX job_key_taken (queue=? AND key=?)"),
        (Query::HeldNext, "SEARCH job USING COVERING INDEX job_key_held (queue=? AND key>?)"),
        (Query::JobHeld, "SEARCH job USING INDEX job_key_held (queue=? AND key=? AND held>?)"),
        (Query::QueueLeased, "SEARCH job USING INDEX job_open (state=?)"),
        (Query::JobDue, "SEARCH job USING COVERING INDEX job_due (due_at>? AND due_at<?)"),
        (Query::JobList, "SEARCH job USING PRIMARY KEY (id>? AND id<?)"),
        (Query::JobListState, "SEARCH job USING INDEX job_open (state=? AND id>? AND id<?)"),
        (Query::JobListParent, "SEARCH job USING INDEX job_child (parent=? AND id>? AND id<?)"),
        (Query::JobLeased, "SEARCH job USING INDEX job_open (state=?)"),
        (
            Query::JobChildren,
            "SEARCH job USING COVERING INDEX job_child_state (parent=? AND state<?)",
        ),
        (
            Query::ChildOpen,
            "SEARCH job USING COVERING INDEX job_child_state (parent=? AND state<?)",
        ),
        (Query::MarkOpen, "SEARCH job USING INDEX job_mark (mark=?)"),
        (
            Query::MarkLate,
            "SEARCH job USING COVERING INDEX job_mark_late (mark=? AND mark_until>?)",
        ),
        (Query::OutputRead, "SEARCH chunk USING PRIMARY KEY (job=? AND token=? AND first>?)"),
        (Query::ScheduleDue, "SEARCH schedule USING COVERING INDEX schedule_due (next_at<?)"),
        (Query::ScheduleNext, "SEARCH schedule USING COVERING INDEX schedule_due (next_at>?)"),
        (
            Query::DocumentList,
            "SEARCH document USING PRIMARY KEY (collection=? AND parent=? AND id>?)",
        ),
        (
            Query::DocumentListBelow,
            "SEARCH document USING PRIMARY KEY (collection=? AND (parent,id)>(?,?) AND parent<?)",
        ),
        (Query::RowList, "SEARCH table_row USING PRIMARY KEY (set_name=? AND number>?)"),
        (Query::PublicationFrom, "SEARCH publication USING INTEGER PRIMARY KEY (rowid>?)"),
    ] {
        let plan = plan(&connection, query.text());
        assert!(plan.iter().any(|step| step == index), "{query:?}: {plan:?}");
    }
}

#[test]
fn a_call_for_jobs_of_a_small_queue_passes_over_none_of_a_huge_one() {
    let (store, folder) = store();
    for (numbers, queue) in [(1..5_001, "huge"), (5_001..5_002, "small")] {
        let job = |number| {
            let mut job = submission(number, "1").jobs.remove(0);
            job.spec.queue = Name::trusted(queue);
            job
        };
        let jobs = numbers.map(job).collect();
        let submission = Submission { jobs, idempotency: None, at: at(0), offer: None };
        block_on(store.job_insert(submission)).unwrap();
    }
    store.close().unwrap();
    let connection = Connection::open(folder.path().join(DATA_FILE)).unwrap();
    let mut statement = connection.prepare(Query::JobReady.text()).unwrap();
    let found = statement.query_map(params!["small", "f", 100], |row| row.get::<_, i64>(0));
    assert_eq!(found.unwrap().count(), 1);
    let steps = statement.get_status(StatementStatus::VmStep);
    assert!(steps < 100, "{steps} steps of the machine for one row");
}

#[test]
fn the_views_find_a_job_by_its_key() {
    let (connection, _folder) = connection();
    for view in ["jobs", "output"] {
        let plan = plan(&connection, &format!("SELECT * FROM {view} WHERE job_id = 'x'"));
        let key = "SEARCH job USING PRIMARY KEY (id=?)";
        assert!(plan.iter().any(|step| step == key), "{view}: {plan:?}");
        assert!(!plan.iter().any(|step| step.contains("SCAN job")), "{view}: {plan:?}");
    }
}

/// The columns of a job's row are read by their place.
#[test]
fn the_columns_of_a_job_are_where_they_are_read() {
    let (connection, _folder) = connection();
    let statement = connection.prepare(Query::JobGet.text()).unwrap();
    let names: Vec<_> = statement.column_names().collect();
    assert_eq!((names[JOB_TOKEN], names[JOB_BEGUN]), ("token", "begun"));
    assert_eq!(names[JOB_KEY], "key");
    assert_eq!((names[0], names[5], names[19]), ("id", "run_at", "options"));
}
