//! Brings the schema of a data file up to date.

use jobmill_model::job::Fingerprint;
use rusqlite::{Connection, params};

use super::open::OpenError;

/// One step of the schema: applied once, in order, never changed after its release.
struct Migration {
    name: &'static str,
    sql: &'static str,
}

/// Their numbers are their places, from 1.
const MIGRATIONS: &[Migration] = &[
    Migration { name: "001_jobs", sql: include_str!("migrations/001_jobs.sql") },
    Migration { name: "002_outside", sql: include_str!("migrations/002_outside.sql") },
    Migration { name: "003_definitions", sql: include_str!("migrations/003_definitions.sql") },
    Migration { name: "004_deletion", sql: include_str!("migrations/004_deletion.sql") },
    Migration { name: "005_documents", sql: include_str!("migrations/005_documents.sql") },
    Migration { name: "006_schedules", sql: include_str!("migrations/006_schedules.sql") },
    Migration { name: "007_keys", sql: include_str!("migrations/007_keys.sql") },
    Migration { name: "008_history", sql: include_str!("migrations/008_history.sql") },
    Migration { name: "009_queues", sql: include_str!("migrations/009_queues.sql") },
    Migration { name: "010_marks", sql: include_str!("migrations/010_marks.sql") },
    Migration { name: "011_batches", sql: include_str!("migrations/011_batches.sql") },
];

/// `JMil`: what `file` and we know our data files by.
const APPLICATION_ID: i64 = 0x4a4d_696c;

/// Applies the migrations that are missing, each in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    let version = known_version(connection)?;
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(version) {
        apply(connection, index + 1, migration)?;
    }
    Ok(())
}

/// Makes sure that a file holds data of this program, of this version or an older one.
pub(super) fn verify(connection: &Connection) -> Result<(), OpenError> {
    match known_version(connection)? {
        0 => Err(OpenError::Foreign),
        _ => Ok(()),
    }
}

/// The migrations that have been applied, each of which is known.
fn known_version(connection: &Connection) -> Result<usize, OpenError> {
    let version = pragma::<u32>(connection, "user_version")? as usize;
    check_owner(connection, version)?;
    if version > MIGRATIONS.len() {
        return Err(OpenError::Newer { found: version, known: MIGRATIONS.len() });
    }
    for (index, migration) in MIGRATIONS.iter().enumerate().take(version) {
        check(connection, index + 1, migration)?;
    }
    Ok(version)
}

fn check_owner(connection: &Connection, version: usize) -> Result<(), OpenError> {
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let fresh = version == 0 && tables == 0;
    if fresh || pragma::<i64>(connection, "application_id")? == APPLICATION_ID {
        return Ok(());
    }
    Err(OpenError::Foreign)
}

fn check(connection: &Connection, version: usize, migration: &Migration) -> Result<(), OpenError> {
    let sql = "SELECT checksum FROM migration WHERE version = ?1";
    let found: String = connection.query_row(sql, [version as i64], |row| row.get(0))?;
    if found == checksum(migration.sql) {
        return Ok(());
    }
    Err(OpenError::Changed { name: migration.name })
}

fn apply(
    connection: &mut Connection,
    version: usize,
    migration: &Migration,
) -> Result<(), OpenError> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS migration (
            version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL
        ) STRICT",
    )?;
    transaction.execute_batch(migration.sql)?;
    transaction.execute(
        "INSERT INTO migration (version, name, checksum) VALUES (?1, ?2, ?3)",
        params![version as i64, migration.name, checksum(migration.sql)],
    )?;
    transaction.pragma_update(None, "user_version", version as i64)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()?;
    tracing::info!(name = migration.name, "applied a migration");
    Ok(())
}

fn checksum(sql: &str) -> String {
    Fingerprint::of(sql.as_bytes()).0.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn pragma<T: rusqlite::types::FromSql>(connection: &Connection, name: &str) -> rusqlite::Result<T> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}
