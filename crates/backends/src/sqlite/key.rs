//! API keys, as hashes.

use async_trait::async_trait;
use jobmill_model::Timestamp;
use jobmill_model::job::Fingerprint;
use jobmill_model::key::{ApiKey, NewKey, Roles};
use jobmill_model::limits::KEYS;
use jobmill_model::queue::Name;
use jobmill_store::{KeyPut, Keys, Result};
use rusqlite::{Row, params};

use super::SqliteStore;
use super::query::Query;
use super::reader::prepare;
use super::row;
use super::trouble::Outcome;
use super::txn::Txn;

/// About what a key takes.
const ROW_BYTES: usize = 256;

#[async_trait]
impl Keys for SqliteStore {
    async fn key_put(&self, key: &ApiKey) -> Result<KeyPut> {
        self.ask(key.clone(), put, ROW_BYTES).await
    }

    async fn key_list(&self) -> Result<Vec<ApiKey>> {
        self.readers
            .read(|connection| prepare(connection, Query::KeyList)?.query_map([], key)?.collect())
    }

    async fn key_delete(&self, name: &Name) -> Result<bool> {
        let verb =
            |tx: &mut Txn<'_>, name: &Name| Ok(tx.execute(Query::KeyDelete, [name.as_str()])? > 0);
        self.ask(name.clone(), verb, ROW_BYTES).await
    }

    async fn key_touch(&self, uses: &[(Name, Timestamp)]) -> Result<()> {
        let verb = |tx: &mut Txn<'_>, uses: &Vec<(Name, Timestamp)>| {
            for (name, at) in uses {
                tx.execute(Query::KeyTouch, params![name.as_str(), at.as_millis()])?;
            }
            Ok(())
        };
        self.ask(uses.to_vec(), verb, uses.len() * ROW_BYTES).await
    }
}

fn put(tx: &mut Txn<'_>, key: &ApiKey) -> Outcome<KeyPut> {
    let ApiKey { new, hash, created_at, used_at } = key;
    let name = new.name.as_str();
    if tx.first(Query::KeyGet, [name], |_| Ok(()))?.is_some() {
        return Ok(KeyPut::Taken);
    }
    let count = tx.first(Query::KeyCount, [], |row| row::unsigned(row, 0))?;
    if count.unwrap_or(0) >= KEYS as u64 {
        return Ok(KeyPut::Full);
    }
    let values = params![
        name,
        hash.0,
        new.roles.bits(),
        new.rate_per_minute,
        created_at.as_millis(),
        new.expires_at.map(Timestamp::as_millis),
        used_at.map(Timestamp::as_millis),
    ];
    tx.execute(Query::KeyInsert, values)?;
    Ok(KeyPut::Done)
}

fn key(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    let new = NewKey {
        name: row::name(row, 0)?,
        roles: Roles::from_bits(row.get(2)?),
        rate_per_minute: row.get(3)?,
        expires_at: row::time_or_none(row, 5)?,
    };
    Ok(ApiKey {
        new,
        hash: Fingerprint(row.get(1)?),
        created_at: row::time(row, 4)?,
        used_at: row::time_or_none(row, 6)?,
    })
}
