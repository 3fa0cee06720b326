//! Gives the room of deleted rows back to the file system, a little in each transaction.
//!
//! SQLite puts freed pages on a list and uses them again. Files made with `auto_vacuum`
//! (`open::writer`) can also move pages from the end into the free ones and then be cut.

use super::query::Query;
use super::row;
use super::txn::Txn;

/// Free pages that are kept for what comes next, 16 MiB; of a large file a quarter is.
const SPARE_PAGES: u64 = 4096;

/// Cuts the file by at most a megabyte (`sql/pages_give_back.sql`) if much of it is free;
/// answers whether there is more to cut.
pub(super) fn give_back(tx: &mut Txn<'_>) -> rusqlite::Result<bool> {
    let (free, all) = pages(tx)?;
    let spare = SPARE_PAGES.max(all / 4);
    if free <= spare {
        return Ok(false);
    }
    tx.all(Query::PagesGiveBack, [], |_| Ok(()))?;
    let (left, _) = pages(tx)?;
    // Nothing moves in a file that was made without `auto_vacuum`.
    Ok(left < free && left > spare)
}

fn pages(tx: &mut Txn<'_>) -> rusqlite::Result<(u64, u64)> {
    let read = |row: &rusqlite::Row<'_>| Ok((row::unsigned(row, 0)?, row::unsigned(row, 1)?));
    Ok(tx.first(Query::PagesFree, [], read)?.unwrap_or_default())
}
