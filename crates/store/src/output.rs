//! Results as chunks, fenced by the token under which they were written.

use async_trait::async_trait;
use jobmill_model::output::{Chunk, Extent};
use jobmill_model::{JobId, Token, Value};

use crate::Result;
use crate::job::Swept;

/// An entry of a published result.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// Its number among all entries ever published, from 1.
    pub number: u64,
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Value,
}

/// A page of the entries of all published results that are there, in the order of their
/// publication.
#[derive(Debug, Clone, PartialEq)]
pub struct PairPage {
    /// The entries.
    pub pairs: Vec<Pair>,
    /// How many there are in all; a kept total.
    pub total: u64,
}

/// The verbs of the output.
#[async_trait]
pub trait Outputs: Send + Sync {
    /// Writes chunks of a result that is not published yet; answers whether the lease holds.
    ///
    /// Chunks of which the first begins at place 0 begin the result anew, here and in a
    /// settlement: what was appended under the lease before is gone. A settlement without chunks
    /// does so where its extent is empty. Chunks under an ended lease are never published and are
    /// swept.
    async fn output_append(&self, id: JobId, token: Token, chunks: Vec<Chunk>) -> Result<bool>;

    /// The measure of a published result.
    async fn output_extent(&self, id: JobId) -> Result<Option<Extent>>;

    /// The chunks of a published result: the one that holds place `from`, and those after it,
    /// until they come to about `bytes` (at least one, if there is one; none past the end).
    async fn output_read(&self, id: JobId, from: u64, bytes: usize) -> Result<Vec<Chunk>>;

    /// The entries of all published results after the first `skip`, at most `limit`.
    async fn pair_page(&self, skip: u64, limit: usize) -> Result<PairPage>;

    /// Removes at most `limit` chunks that will never be published: those under a lease that
    /// has ended in any other way than with
    /// [`Verdict::Complete`](jobmill_model::job::Verdict::Complete). When there are none, a store
    /// on disk may give freed room back, a little in each call.
    async fn output_sweep(&self, limit: usize) -> Result<Swept>;
}
