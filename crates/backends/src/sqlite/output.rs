//! Results as chunks, fenced by the token under which they were written.

use async_trait::async_trait;
use jobmill_model::output::{Chunk, Extent};
use jobmill_model::{JobId, State, Token, Value};
use jobmill_store::{Outputs, Pair, PairPage, Result, Swept};
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::head::Head;
use super::query::Query;
use super::reader::prepare;
use super::room;
use super::row::{self, Key};
use super::trouble::Outcome;
use super::txn::Txn;

/// The most tokens whose chunks one sweep looks at.
const SWEEP_TOKENS: i64 = 1_024;

#[async_trait]
impl Outputs for SqliteStore {
    async fn output_append(&self, id: JobId, token: Token, chunks: Vec<Chunk>) -> Result<bool> {
        let bytes = chunks.iter().map(|chunk| chunk.text.len()).sum();
        self.ask((id, token, chunks), append, bytes).await
    }

    async fn output_extent(&self, id: JobId) -> Result<Option<Extent>> {
        self.readers.read(|connection| Ok(published(connection, id)?.map(|(_, extent)| extent)))
    }

    async fn output_read(&self, id: JobId, from: u64, bytes: usize) -> Result<Vec<Chunk>> {
        self.readers.read(|connection| {
            let Some((token, _)) = published(connection, id)? else { return Ok(Vec::new()) };
            let mut page = Vec::new();
            let mut sum = 0;
            each_chunk(connection, id, token, from, |chunk| {
                let fits = sum == 0 || sum + chunk.text.len() <= bytes;
                sum += chunk.text.len();
                page.extend(fits.then_some(chunk));
                Ok(fits)
            })?;
            Ok(page)
        })
    }

    async fn pair_page(&self, skip: u64, limit: usize) -> Result<PairPage> {
        self.readers.read(|connection| pairs(connection, skip, limit))
    }

    async fn output_sweep(&self, limit: usize) -> Result<Swept> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.ask(limit, sweep, 0).await
    }
}

fn append(tx: &mut Txn<'_>, (id, token, chunks): &(JobId, Token, Vec<Chunk>)) -> Outcome<bool> {
    let Some(head) = tx.leased(*id, *token)? else { return Ok(false) };
    begin_anew(tx, &head, chunks, false)?;
    write_chunks(tx, *id, *token, chunks)?;
    if !head.appended && !chunks.is_empty() {
        tx.execute(Query::ChunkAppended, [Key::of(*id)])?;
    }
    Ok(true)
}

/// Removes what was appended under the lease if these chunks begin the result anew, or if there
/// is nothing to it.
pub(super) fn begin_anew(
    tx: &mut Txn<'_>,
    head: &Head,
    chunks: &[Chunk],
    is_empty: bool,
) -> rusqlite::Result<()> {
    if head.appended && (is_empty || chunks.first().is_some_and(|chunk| chunk.first == 0)) {
        let of_token = params![Key::of(head.id), row::token_column(head.token)];
        tx.execute(Query::ChunkRestart, of_token)?;
    }
    Ok(())
}

/// Writes chunks under a token.
pub(super) fn write_chunks(
    tx: &mut Txn<'_>,
    id: JobId,
    token: Token,
    chunks: &[Chunk],
) -> rusqlite::Result<()> {
    for Chunk { first, len, text } in chunks {
        let (token, first, len) =
            (row::token_column(token), row::signed(*first), row::signed(*len));
        tx.execute(Query::ChunkInsert, params![Key::of(id), token, first, len, text])?;
    }
    Ok(())
}

/// The token and the extent of a published result.
fn published(connection: &Connection, id: JobId) -> rusqlite::Result<Option<(Token, Extent)>> {
    let mut statement = prepare(connection, Query::OutputExtent)?;
    let mut rows = statement.query([Key::of(id)])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let extent = Extent { shape: row::shape(row, 0)?, len: row::unsigned(row, 1)? };
    Ok(Some((row::token(row, 2)?, extent)))
}

/// The chunk that holds place `from` and those after it, until `take` wants no more.
fn each_chunk(
    connection: &Connection,
    id: JobId,
    token: Token,
    from: u64,
    mut take: impl FnMut(Chunk) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    let mut statement = prepare(connection, Query::OutputRead)?;
    let values = params![Key::of(id), row::token_column(token), row::signed(from)];
    let mut rows = statement.query(values)?;
    while let Some(row) = rows.next()? {
        let chunk = row::chunk(row)?;
        if chunk.first + chunk.len > from && !take(chunk)? {
            break;
        }
    }
    Ok(())
}

/// A page of entries: finds the publication that holds the first by one seek, and the chunk
/// within it by another.
fn pairs(connection: &Connection, skip: u64, limit: usize) -> rusqlite::Result<PairPage> {
    let total = prepare(connection, Query::TotalRead)?.query_row([], |row| {
        let column = State::ALL.len();
        Ok(row::unsigned(row, column)?.saturating_sub(row::unsigned(row, column + 1)?))
    })?;
    let mut page = PairPage { pairs: Vec::new(), total };
    if skip >= total {
        return Ok(page);
    }
    let skip = number_after(connection, skip)? - 1;
    let mut statement = prepare(connection, Query::PublicationFrom)?;
    let mut rows = statement.query([row::signed(skip + 1)])?;
    while page.pairs.len() < limit
        && let Some(row) = rows.next()?
    {
        let (before, id, token) =
            (row::unsigned(row, 0)? - 1, row::id(row, 2)?, row::token(row, 3)?);
        each_chunk(connection, id, token, skip.saturating_sub(before), |chunk| {
            take_pairs(&mut page.pairs, &chunk, before, skip, limit)?;
            Ok(page.pairs.len() < limit)
        })?;
    }
    Ok(page)
}

/// The number of the entry after the first `skip` that are there.
fn number_after(connection: &Connection, skip: u64) -> rusqlite::Result<u64> {
    let mut number = skip + 1;
    let mut statement = prepare(connection, Query::GapRead)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if row::unsigned(row, 0)? > number {
            break;
        }
        number += row::unsigned(row, 1)?;
    }
    Ok(number)
}

/// Takes a publication back; answers how many chunks of it it removed, at most `chunks`. The rest
/// is left to the sweep.
pub(super) fn retract(
    tx: &mut Txn<'_>,
    id: JobId,
    token: Token,
    publication: Option<(u64, u64)>,
    chunks: usize,
) -> rusqlite::Result<usize> {
    if let Some((first, len)) = publication {
        tx.execute(Query::PublicationDelete, [row::signed(first)])?;
        tx.totals.retract(len);
        keep_gap(tx, first, len)?;
    }
    let most = i64::try_from(chunks).unwrap_or(i64::MAX);
    let of_token = params![Key::of(id), row::token_column(token)];
    let removed =
        tx.execute(Query::ChunkSweep, params![Key::of(id), row::token_column(token), most])?;
    if removed == chunks && tx.first(Query::ChunkAny, of_token, |_| Ok(()))?.is_some() {
        tx.execute(Query::LitterInsert, of_token)?;
    }
    Ok(removed)
}

/// Notes that these numbers stand for nothing any more, as one range with those beside them.
fn keep_gap(tx: &mut Txn<'_>, mut first: u64, mut len: u64) -> rusqlite::Result<()> {
    let before = tx.first(Query::GapBefore, [row::signed(first)], |row| {
        Ok((row::unsigned(row, 0)?, row::unsigned(row, 1)?))
    })?;
    let after = row::signed(first + len);
    if let Some(more) = tx.first(Query::GapAfter, [after], |row| row::unsigned(row, 0))? {
        len += more;
    }
    if let Some((start, more)) = before.filter(|(start, more)| start + more == first) {
        (first, len) = (start, len + more);
    }
    tx.execute(Query::GapPut, params![row::signed(first), row::signed(len)])?;
    Ok(())
}

/// Adds those of a chunk's entries that belong to the page; `before` entries were published
/// before the chunk's result.
fn take_pairs(
    pairs: &mut Vec<Pair>,
    chunk: &Chunk,
    before: u64,
    skip: u64,
    limit: usize,
) -> rusqlite::Result<()> {
    let object = Value::from_json(chunk.text.as_bytes());
    let object = object.map_err(|error| row::text_error(2, error))?;
    let entries = object.as_map().into_iter().flat_map(|map| map.iter());
    for (place, (key, value)) in entries.enumerate() {
        let number = before + chunk.first + place as u64 + 1;
        if number > skip && pairs.len() < limit {
            pairs.push(Pair { number, key: key.to_string(), value: value.clone() });
        }
    }
    Ok(())
}

fn sweep(tx: &mut Txn<'_>, limit: &i64) -> Outcome<Swept> {
    let mut left = *limit;
    let litter = tx.all(Query::LitterNext, [limit.saturating_add(1).min(SWEEP_TOKENS)], |row| {
        Ok((row::id(row, 0)?, row::token(row, 1)?))
    })?;
    for (id, token) in litter {
        let of_token = params![Key::of(id), row::token_column(token)];
        if left > 0 {
            let values = params![Key::of(id), row::token_column(token), left];
            left -= tx.execute(Query::ChunkSweep, values)? as i64;
        }
        if tx.first(Query::ChunkAny, of_token, |_| Ok(()))?.is_some() {
            return Ok(Swept { rows: (limit - left) as usize, more: true });
        }
        tx.execute(Query::LitterDelete, of_token)?;
    }
    let more = match tx.first(Query::LitterNext, [1], |_| Ok(()))? {
        Some(()) => true,
        None => room::give_back(tx)?,
    };
    Ok(Swept { rows: (limit - left) as usize, more })
}
