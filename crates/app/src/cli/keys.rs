//! `jobmill keys`: who may ask, of a server or of its data folder.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jobmill_model::{Problem, Value};

use super::screen::{Screen, line, say};
use super::session::{self, field, items, number, object, text};
use super::table::Table;
use super::{Context, Failure};
use crate::boot::offline;
use crate::client::{Client, Request};
use crate::config::{Calling, Flags};
use crate::wire::key;

/// Makes, lists and revokes API keys
///
/// A server asks for keys wherever others than this machine can come in; its first key, in the
/// file api-key of its data folder, may do everything.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  jobmill keys create ci --role submit --rate-per-minute 600 --expires-in 30d
  jobmill keys create worker-7 --role work
  jobmill keys revoke ci
  jobmill keys create rescue --role admin --data /var/lib/jobmill   # no server runs there

Roles: `read` every GET but that of keys, `submit` also to submit work, `work` to lease work and
bring its outcome, `admin` everything.")]
pub(crate) struct Keys {
    #[command(flatten)]
    flags: Flags<Calling>,
    /// Works on the data folder of a server that does not run, instead of asking one
    #[arg(long, global = true, value_name = "FOLDER")]
    data: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Create(Create),
    /// Lists the keys by name, never the keys themselves
    List,
    /// Revokes a key: it opens nothing any more
    Revoke {
        /// The name of the key
        name: String,
    },
}

/// Makes a key and prints it, this once
#[derive(Debug, Args)]
struct Create {
    /// What the key is called
    name: String,
    /// What it allows: read, submit, work or admin; may be given several times
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<String>,
    /// How many requests it may make in a minute
    #[arg(long, value_name = "N")]
    rate_per_minute: Option<i64>,
    /// How long it is good, such as 30d
    #[arg(long, value_name = "DURATION")]
    expires_in: Option<String>,
    /// Until when it is good, in RFC 3339
    #[arg(long, value_name = "TIME", conflicts_with = "expires_in")]
    expires_at: Option<String>,
}

impl Keys {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let screen = context.screen;
        match &self.data {
            Some(folder) => session::block_on(self.verb.on_folder(folder, screen)),
            None => {
                let client = session::client(context, &self.flags)?;
                session::block_on(self.verb.on_server(&client, screen))
            }
        }
    }
}

impl Verb {
    async fn on_server(&self, client: &Client, screen: Screen) -> Result<(), Failure> {
        match self {
            Self::Create(create) => {
                let request = Request::post("/keys").json(&create.body());
                show_new(screen, &client.ask(&request).await?)
            }
            Self::List => show_list(screen, &client.ask(&Request::get("/keys")).await?),
            Self::Revoke { name } => {
                let path = format!("/keys/{}", session::escaped(name));
                let revoked = client.ask(&Request::delete(path)).await?;
                Ok(screen.value(&revoked)?)
            }
        }
    }

    async fn on_folder(&self, folder: &Path, screen: Screen) -> Result<(), Failure> {
        let keys = offline::Keys::open(folder).await?;
        let done = match self {
            Self::Create(create) => {
                let created = keys.create(&create.body()).await?;
                created.map_err(|problems| wrong(&problems)).and_then(|key| show_new(screen, &key))
            }
            Self::List => show_list(screen, &keys.list().await?),
            Self::Revoke { name } => match keys.revoke(name).await? {
                true => Ok(screen.value(&shown(&key::Revoked { name, revoked: true }))?),
                false => Err(Failure::Ended(format!("no key is called {name:?}"))),
            },
        };
        keys.close()?;
        done
    }
}

fn shown(answer: &impl serde::Serialize) -> Value {
    serde_json::to_vec(answer)
        .ok()
        .and_then(|text| Value::from_json(&text).ok())
        .unwrap_or_default()
}

fn wrong(problems: &[Problem]) -> Failure {
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Failure::Usage(format!("this key cannot be made:\n  {}", said.join("\n  ")))
}

impl Create {
    /// The body of `POST /keys`.
    fn body(&self) -> Value {
        let given = |text: &Option<String>| text.as_deref().map(Value::from);
        object([
            ("name", Some(self.name.as_str().into())),
            ("roles", Some(Value::list(self.roles.iter().map(|role| role.as_str().into())))),
            ("rate_per_minute", self.rate_per_minute.map(Value::from)),
            ("expires_in", given(&self.expires_in)),
            ("expires_at", given(&self.expires_at)),
        ])
    }
}

fn show_new(screen: Screen, key: &Value) -> Result<(), Failure> {
    if screen.is_json() {
        return Ok(screen.value(key)?);
    }
    line(text(key, "key"))?;
    say("this is the only time that the key is shown");
    Ok(())
}

fn show_list(screen: Screen, page: &Value) -> Result<(), Failure> {
    let mut table = Table::new(&["NAME", "ROLES", "PER MINUTE", "CREATED", "EXPIRES", "USED"]);
    for key in items(page) {
        let roles = field(key, "roles").and_then(Value::as_list).unwrap_or_default();
        let roles: Vec<&str> = roles.iter().filter_map(Value::as_str).collect();
        let name = text(key, "name").to_owned();
        let times = ["created_at", "expires_at", "used_at"].map(|it| text(key, it).to_owned());
        let first = [name, roles.join(","), number(key, "rate_per_minute")];
        table.row(first.into_iter().chain(times));
    }
    Ok(screen.table(&table, page)?)
}
