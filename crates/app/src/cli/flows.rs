//! `jobmill flows`: what a server can do.

use clap::{Args, Subcommand};
use jobmill_model::Value;

use super::screen::Screen;
use super::session::{self, items, text};
use super::table::Table;
use super::{Context, Failure};
use crate::client::{Client, Request};
use crate::config::{Calling, Flags};

/// Shows the flows of a server
#[derive(Debug, Args)]
pub(crate) struct Flows {
    #[command(flatten)]
    flags: Flags<Calling>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Lists the flows
    List,
    /// Shows a flow with the JSON Schemas of its input and params
    Show {
        /// The name of the flow
        name: String,
    },
}

impl Flows {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let client = session::client(context, &self.flags)?;
        session::block_on(self.verb.run(&client, context.screen))
    }
}

impl Verb {
    async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        match self {
            Self::List => list(client, screen).await,
            Self::Show { name } => {
                let path = format!("/flows/{}", session::escaped(&name));
                let flow = client.ask(&Request::get(path)).await?;
                Ok(screen.value(&flow)?)
            }
        }
    }
}

async fn list(client: &Client, screen: Screen) -> Result<(), Failure> {
    let flows: Value = client.ask(&Request::get("/flows")).await?;
    let mut table = Table::new(&["NAME", "ABOUT"]);
    for flow in items(&flows) {
        table.row([text(flow, "name").to_owned(), text(flow, "about").to_owned()]);
    }
    Ok(screen.table(&table, &flows)?)
}
