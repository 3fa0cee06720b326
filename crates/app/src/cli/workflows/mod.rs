//! Workflows in the language of Google Cloud Workflows: checked and run right here, or deployed
//! to a server and run there.

mod check;
mod deploy;
mod graph;
mod local;
mod run;
mod watch;

use clap::{Args, Subcommand};

use super::screen::{Screen, say};
use super::session::{self, escaped, items, text};
use super::table::Table;
use super::{Context, Failure};
use crate::client::{Client, Request};
use crate::config::{Calling, Flags, load};

/// Checks workflows, runs them here, deploys them to a server and runs them there
#[derive(Debug, Args)]
pub(crate) struct Workflows {
    #[command(flatten)]
    flags: Flags<Calling>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Check(check::Check),
    Deploy(deploy::Deploy),
    /// Lists the workflows of a server
    List,
    /// Shows a workflow with its source
    Show {
        /// Its name
        name: String,
        /// The id of an older revision
        #[arg(long, value_name = "ID")]
        revision: Option<String>,
    },
    /// Deletes a workflow with all its revisions, and cancels what runs of it
    Delete {
        /// Its name
        name: String,
    },
    Graph(graph::Graph),
    Run(run::Run),
    Watch(watch::Watch),
}

impl Workflows {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Check(check) => check.run(context.screen),
            Verb::Graph(graph) => graph.run(),
            Verb::Run(run) if run.is_file() => {
                let settings = load(&context.sources(&self.flags))?.settings;
                local::run(&run, settings, context.screen)
            }
            verb => {
                let client = session::client(context, &self.flags)?;
                session::block_on(verb.ask(&client, context.screen))
            }
        }
    }
}

impl Verb {
    /// What a server is needed for.
    async fn ask(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        match self {
            Self::Check(check) => check.run(screen),
            Self::Graph(graph) => graph.run(),
            Self::Deploy(deploy) => deploy.run(client, screen).await,
            Self::List => list(client, screen).await,
            Self::Show { name, revision } => {
                let query = revision.map(|id| format!("?revision={}", escaped(&id)));
                let path = route(&name, &query.unwrap_or_default());
                let workflow = client.ask(&Request::get(path)).await?;
                Ok(screen.value(&workflow)?)
            }
            Self::Delete { name } => {
                client.send(&Request::delete(route(&name, ""))).await?.accepted().await?;
                say(&format!("workflow {name} is deleted"));
                Ok(())
            }
            Self::Run(run) => run.on_server(client, screen).await,
            Self::Watch(watch) => watch.run(client, screen).await,
        }
    }
}

async fn list(client: &Client, screen: Screen) -> Result<(), Failure> {
    let workflows = client.ask(&Request::get("/workflows?limit=1000")).await?;
    let mut table = Table::new(&["NAME", "REVISION", "REVISED", "DESCRIPTION"]);
    for workflow in items(&workflows) {
        let column = |name| text(workflow, name).to_owned();
        table.row(["name", "revision", "revised_at", "description"].map(column));
    }
    Ok(screen.table(&table, &workflows)?)
}

fn route(name: &str, rest: &str) -> String {
    format!("/workflows/{}{rest}", escaped(name))
}
