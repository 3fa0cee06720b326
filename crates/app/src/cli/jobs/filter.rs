//! Which jobs: by their ids, or by a filter.

use clap::Args;
use jobmill_model::Value;

use super::super::Failure;
use super::super::screen::{Screen, say};
use super::super::session::{field, number, text};
use super::super::table::Table;
use crate::client::{Client, Query, Request};

/// Which jobs: by their ids, or by a filter.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The ids of the jobs
    #[arg(value_name = "ID")]
    pub(super) ids: Vec<String>,
    /// Only jobs with one of these states
    #[arg(long, value_name = "STATUS,…", conflicts_with = "ids")]
    status: Option<String>,
    /// Only jobs of this flow
    #[arg(long, conflicts_with = "ids")]
    flow: Option<String>,
    /// Only jobs of this queue
    #[arg(long, conflicts_with = "ids")]
    queue: Option<String>,
    /// Only jobs with this tag
    #[arg(long, conflicts_with = "ids")]
    tag: Option<String>,
    /// Only jobs submitted at this time or later, in RFC 3339
    #[arg(long, value_name = "TIME", conflicts_with = "ids")]
    since: Option<String>,
    /// Only jobs submitted before this time
    #[arg(long, value_name = "TIME", conflicts_with = "ids")]
    until: Option<String>,
    /// Every job that it is possible with
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Counts the jobs that match and changes nothing
    #[arg(long, conflicts_with = "ids")]
    dry_run: bool,
}

impl Which {
    /// Whether a filter is given.
    fn is_filter(&self) -> bool {
        let texts = [&self.status, &self.flow, &self.queue, &self.tag, &self.since, &self.until];
        self.all || texts.iter().any(|text| text.is_some())
    }

    /// Refuses what names no job.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.ids.is_empty() && !self.is_filter() {
            let text = "name jobs by their ids, or give a filter (--status, --flow, --queue, \
                        --tag, --since, --until), or --all";
            return Err(Failure::Usage(text.to_owned()));
        }
        Ok(())
    }

    fn query(&self, cursor: Option<&str>) -> Query {
        Query::default()
            .with_some("status", self.status.as_deref())
            .with_some("flow", self.flow.as_deref())
            .with_some("queue", self.queue.as_deref())
            .with_some("tag", self.tag.as_deref())
            .with_some("since", self.since.as_deref())
            .with_some("until", self.until.as_deref())
            .with_some("all", self.all.then_some(true))
            .with_some("dry_run", self.dry_run.then_some(true))
            .with_some("cursor", cursor)
    }

    /// Asks for it until the server has come to the last job, and shows the counts.
    pub(super) async fn all(
        &self,
        client: &Client,
        screen: Screen,
        request: impl Fn(Query) -> Request,
        done: &str,
    ) -> Result<(), Failure> {
        let (mut matched, mut changed) = (0, 0);
        let mut cursor: Option<String> = None;
        loop {
            let answer = client.ask(&request(self.query(cursor.as_deref()))).await?;
            matched += count(&answer, "matched");
            changed += count(&answer, "changed");
            match text(&answer, "next") {
                "" => break,
                next => cursor = Some(next.to_owned()),
            }
            if !screen.is_json() {
                say(&format!("{matched} so far"));
            }
        }
        let total = Value::map([
            ("dry_run", self.dry_run.into()),
            ("matched", matched.into()),
            ("changed", changed.into()),
        ]);
        let mut table = Table::new(&["MATCHED", done]);
        table.row([number(&total, "matched"), number(&total, "changed")]);
        Ok(screen.table(&table, &total)?)
    }
}

fn count(answer: &Value, name: &str) -> i64 {
    field(answer, name).and_then(Value::as_int).unwrap_or(0)
}
