//! Retention of a flawed store.

use async_trait::async_trait;

use super::FlawedStore;
use crate::{OldestPage, OldestQuery, Result, Retention};

#[async_trait]
impl Retention for FlawedStore {
    async fn job_oldest(&self, query: &OldestQuery) -> Result<OldestPage> {
        self.inner.job_oldest(query).await
    }
}
