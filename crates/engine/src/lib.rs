//! The wheel of Jobmill: submit, claim, perform, settle.
//!
//! [`Engine`] is the handle that the doors use. It knows the store only through its port, time
//! only through [`clock::Clock`] and chance only through [`chance::Chance`].
//!
//! The life of a job, file by file: `submit` accepts it, `claim` (or the submission itself, by
//! hand-over) leases it, `perform` runs it (`drive` if it is a machine), `settle` records its
//! end and `bus` wakes whoever waits. `services` do what is due by time.

pub mod callback;
pub mod chance;
pub mod clock;
pub mod definition;
pub mod engine;
pub mod execution;
pub mod graph;
pub mod history;
pub mod language;
pub mod performers;
pub mod registry;

mod bulk;
mod bus;
mod callers;
mod catalog;
mod claim;
mod drive;
mod events;
mod explain;
mod ids;
mod keys;
mod metrics;
mod observe;
mod ops;
pub mod outside;
mod perform;
mod places;
mod programs;
mod progress;
mod queue;
mod running;
mod schedule;
mod services;
mod settle;
mod submit;
mod unhurried;
mod upload;
mod webhook;

pub use bulk::{Bulk, BulkDone, BulkVerb};
pub use callback::{Callback, CalledBack};
pub use catalog::DeclareError;
pub use definition::{Deploy, DeployError, Deployment};
pub use engine::{Config, Engine, Standing};
pub use events::{Ending, Position, Scope, Told, Watch};
pub use execution::{Execute, ExecuteError};
pub use explain::Outlook;
pub use graph::Graph;
pub use history::{Chronicle, Kept};
pub use keys::{Admission, KeyError, Keys};
pub use language::{Checked, Finding, Language, Script, Workflows};
pub use observe::Counts;
pub use ops::gate::Gate;
pub use ops::google::credentials::Credentials;
pub use ops::google::remote::{Remote, Remotes};
pub use registry::{FlowCard, OpContext, Registry, RegistryError};
pub use schedule::{Put, ScheduleError};
pub use submit::{SubmitError, Submitted};
pub use upload::UploadError;
pub use webhook::WebhookKey;
