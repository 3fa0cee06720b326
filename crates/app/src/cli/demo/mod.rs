//! `jobmill demo`: a server in a temporary folder, and the documents' examples against it.

mod script;
mod teller;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use clap::Args;
use jobmill_model::Span;
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::screen::{line, say};
use super::{Context, Failure};
use crate::boot::{self, Server, Signals, StartError};
use crate::client::{Address, Client};
use crate::config::{self, Settings};
use teller::Teller;

/// Serves from a temporary folder, runs examples against itself and shows the results
#[derive(Debug, Args)]
#[command(after_help = "\
Every example is shown as the curl line that does the same, then the answer of the server. Then it
keeps serving, so that the lines can be pasted into another terminal. The folder is removed at the
end.")]
pub(crate) struct Demo {
    /// Where to listen; if nothing is said and 8080 is taken, on a free port
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Ends after the examples; the exit code is 1 if an answer was not as expected
    #[arg(long)]
    once: bool,
}

impl Demo {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let folder = tempfile::Builder::new().prefix("jobmill-demo-").tempdir()?;
        let mut settings = config::defaults();
        "warn".clone_into(&mut settings.log);
        settings.data = folder.path().join("data");
        settings.process_sleep = Span::from_secs(1);
        settings.listen = self.listen.unwrap_or(settings.listen);
        boot::start_logs(&settings);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let ended = runtime.block_on(self.serve(context, settings, &folder));
        drop(runtime);
        folder.close()?;
        ended
    }

    async fn serve(
        &self,
        context: &Context,
        settings: Settings,
        folder: &TempDir,
    ) -> Result<(), Failure> {
        let signals = Signals::listen()?;
        let server = self.start(settings).await?;
        let address = format!("http://{}", server.address());
        let data_file = server.data_file.clone();
        let address: Address = address.parse()?;
        say(&format!("listening on {address}, data in {}", data_file.display()));
        let (quit, quitting) = oneshot::channel::<()>();
        let stop = async {
            // A sender that is dropped means the same.
            let _ = quitting.await;
        };
        let serving = tokio::spawn(server.run(stop));
        let showing = self.show(context, address, folder.path(), &data_file);
        let shown = tokio::select! {
            shown = showing => shown,
            () = signals.first(|| say("stopping"), || say("stopped at once")) => Ok(()),
        };
        drop(quit);
        let served = serving.await.map_err(|error| Failure::Io(std::io::Error::other(error)))?;
        shown.and(served.map_err(Failure::from))
    }

    /// Starts on the usual port, or on a free one if that is taken and nobody asked for it.
    async fn start(&self, settings: Settings) -> Result<Server, Failure> {
        match Server::start(&settings).await {
            Err(StartError::Taken(taken)) if self.listen.is_none() => {
                say(&format!("{taken} is taken, so this takes a free port"));
                let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                Ok(Server::start(&Settings { listen, ..settings }).await?)
            }
            started => Ok(started?),
        }
    }

    async fn show(
        &self,
        context: &Context,
        address: Address,
        folder: &Path,
        data_file: &Path,
    ) -> Result<(), Failure> {
        let client = Client::new(address.clone(), None);
        let mut teller = Teller::new(client, context.screen);
        script::tell(&mut teller, folder).await?;
        if !context.screen.is_json() {
            teller.chapter("Look for yourself", "")?;
            pointers(&address, data_file)?;
        }
        teller.verdict()?;
        if !self.once {
            say(&format!("\nserving on {address} until Ctrl-C"));
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

/// Where to look.
fn pointers(address: &Address, data_file: &Path) -> std::io::Result<()> {
    let sqlite = format!("sqlite3 {}", data_file.display());
    line(&format!("  the page        {address}/"))?;
    line(&format!("  the API         {address}/docs"))?;
    let graph = "/workflows/backend_starter/graph.svg";
    line(&format!("  the workflow    {address}{graph}"))?;
    line(&format!("  the jobs        {sqlite} 'SELECT job_id, status FROM jobs'"))?;
    line(&format!("  the results     {sqlite} 'SELECT key, value FROM output LIMIT 10'"))
}
