//! Results as chunks, in memory.

use async_trait::async_trait;
use jobmill_model::output::{Chunk, Extent, Shape};
use jobmill_model::{JobId, Token, Value};

use super::{Data, MemoryStore, Row};
use crate::{Outputs, Pair, PairPage, Result, Swept};

#[async_trait]
impl Outputs for MemoryStore {
    async fn output_append(&self, id: JobId, token: Token, chunks: Vec<Chunk>) -> Result<bool> {
        let mut data = self.0.lock();
        let Some(row) = data.leased(id, token) else { return Ok(false) };
        row.write(token, chunks);
        Ok(true)
    }

    async fn output_extent(&self, id: JobId) -> Result<Option<Extent>> {
        let data = self.0.lock();
        Ok(data.rows.get(&id).and_then(|row| row.published).map(|(_, extent)| extent))
    }

    async fn output_read(&self, id: JobId, from: u64, bytes: usize) -> Result<Vec<Chunk>> {
        let data = self.0.lock();
        let published = data.rows.get(&id).map_or(&[][..], Row::published_chunks);
        let mut sum = 0;
        let wanted = published.iter().filter(|chunk| chunk.first + chunk.len > from);
        let page = wanted.take_while(|chunk| {
            let fits = sum == 0 || sum + chunk.text.len() <= bytes;
            sum += chunk.text.len();
            fits
        });
        Ok(page.cloned().collect())
    }

    async fn pair_page(&self, skip: u64, limit: usize) -> Result<PairPage> {
        let data = self.0.lock();
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let wanted = data.pairs.iter().skip(skip).take(limit).map(|(_, pair)| pair.clone());
        Ok(PairPage { pairs: wanted.collect(), total: data.pairs.len() as u64 })
    }

    async fn output_sweep(&self, limit: usize) -> Result<Swept> {
        let mut data = self.0.lock();
        let mut rows = 0;
        for row in data.rows.values_mut() {
            rows += row.sweep_chunks(limit - rows);
        }
        Ok(Swept { rows, more: data.rows.values().any(|row| row.ended_tokens().next().is_some()) })
    }
}

impl Row {
    fn published_chunks(&self) -> &[Chunk] {
        let token = self.published.map(|(token, _)| token);
        token.and_then(|token| self.chunks.get(&token)).map_or(&[], Vec::as_slice)
    }

    fn write(&mut self, token: Token, chunks: Vec<Chunk>) {
        let written = self.chunks.entry(token).or_default();
        if chunks.first().is_some_and(|chunk| chunk.first == 0) {
            written.clear();
        }
        written.extend(chunks);
    }

    /// The tokens of chunks that will never be published.
    fn ended_tokens(&self) -> impl Iterator<Item = Token> {
        let published = self.published.map(|(token, _)| token);
        let tokens = self.chunks.keys().copied();
        tokens.filter(move |token| !self.leased_under(*token) && published != Some(*token))
    }

    /// Removes at most `limit` of their chunks.
    fn sweep_chunks(&mut self, limit: usize) -> usize {
        let mut removed = 0;
        for token in self.ended_tokens().collect::<Vec<_>>() {
            let chunks = self.chunks.entry(token).or_default();
            let count = chunks.len().min(limit - removed);
            chunks.drain(..count);
            removed += count;
        }
        self.chunks.retain(|_, chunks| !chunks.is_empty());
        removed
    }
}

impl Data {
    /// Makes the chunks under a token the job's result.
    pub(super) fn publish(&mut self, id: JobId, token: Token, extent: Extent, last: Vec<Chunk>) {
        let row = self.rows.get_mut(&id).expect("only a stored job has a result");
        if extent.len == 0 {
            row.chunks.remove(&token);
        }
        row.write(token, last);
        row.published = Some((token, extent));
        if extent.shape == Shape::Object {
            for chunk in row.published_chunks() {
                let object = Value::from_json(chunk.text.as_bytes());
                let object = object.expect("a chunk of an object is JSON");
                for (key, value) in object.as_map().expect("and an object itself").iter() {
                    self.published += 1;
                    let (number, key) = (self.published, key.to_string());
                    self.pairs.push((id, Pair { number, key, value: value.clone() }));
                }
            }
        }
    }
}
