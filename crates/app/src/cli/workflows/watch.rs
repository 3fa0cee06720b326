//! `jobmill workflows watch`: what an execution does, until it has ended.

use std::cell::RefCell;

use clap::Args;
use jobmill_model::{Span, Value};

use super::super::Failure;
use super::super::jobs::{show_result, watch};
use super::super::screen::{Screen, say};
use super::super::session::text;
use crate::client::Client;

/// How often a server is asked.
const STEP: Span = Span::from_millis(500);

/// Shows what an execution waits for until it has ended, then its result
#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// The execution's id, which is that of its job
    id: String,
}

impl Watch {
    pub(super) async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        let last = RefCell::new(String::new());
        let show = |job: &Value| {
            let now = match text(job, "waiting_for") {
                "" => text(job, "status").to_owned(),
                what => format!("{}, waits for {what}", text(job, "status")),
            };
            if *last.borrow() != now && !screen.is_json() {
                say(&now);
            }
            last.replace(now);
        };
        let ended = watch(client, &self.id, STEP, None, show).await?;
        show_result(client, screen, &ended).await
    }
}
