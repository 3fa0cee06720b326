//! Google's services as pure data: what their requests mean and what their answers look like.
//!
//! Nothing here touches a store, a network or a clock: state, time and chance are arguments.
//!
//! | module | what it knows |
//! |---|---|
//! | [`bigquery`] | tables: schemas, rows, a subset of SQL |
//! | [`discovery`] | the methods of the services: verbs, paths, parameters |
//! | [`firestore`] | documents: typed values, writes with preconditions and transforms, queries |
//! | [`limits`] | every number that bounds something |
//! | [`retry`] | which failures of a call may pass |
//! | [`wire`] | the shapes that all of Google's REST services share |

pub mod bigquery;
pub mod discovery;
pub mod firestore;
pub mod limits;
pub mod retry;
pub mod wire;
