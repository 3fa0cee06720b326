//! The SQLite store sits the exam of the port, and keeps the promises that are its own.

mod backup;
mod failures;
mod folder;
mod full;
mod plans;
mod random;
mod rates;
mod room;
mod stage;
mod views;

use std::sync::Arc;

use jobmill_store::Store;
use tempfile::TempDir;

/// A store in a folder of its own.
fn fresh() -> (Arc<dyn Store>, TempDir) {
    let (store, folder) = stage::store();
    (Arc::new(store), folder)
}

mod exam {
    use super::fresh;

    jobmill_store::exam!(fresh);
}
