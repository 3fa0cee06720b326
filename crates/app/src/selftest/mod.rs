//! The self-test: a real server is worked hard, killed, frozen and started again, and everything
//! that it promised meanwhile is audited at the end.
//!
//! [`run`] is the story. `lives` says when the server is killed, `server` does it, `clients`
//! submit work all the while and keep a `ledger` of what they are told, `hands` are workers outside
//! of the server, `counter` counts the effects of machines, `gather` reads how everything stands at
//! the end, and [`audit`] compares.
//! The work, the kills and the slow answers derive from one seed; how they meet is up to the
//! machine, so a seed makes a violation likely to come back, not certain.

mod answer;
mod audit;
mod clients;
mod counter;
mod dice;
mod flows;
mod gather;
mod hands;
mod ledger;
mod lives;
mod report;
mod server;
mod work;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jobmill_engine::clock::{Clock, SystemClock};
use jobmill_model::{Span, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) use flows::with_flows;
pub(crate) use report::Report;

use crate::client::ClientError;
use audit::{Evidence, Rule, Violation, audit};
use clients::{Desk, Whereabouts};
use counter::Counter;
use gather::{Findings, Reader};
use hands::Hands;
use ledger::Ledger;
use lives::{FREEZE, Life};
use server::{Mill, Server};

/// The hidden flag of `serve` that adds the flows of the self-test.
pub(crate) const FLAG: &str = "selftest-flows";

/// A server that was frozen accepts work again within this time.
pub(crate) const GO_ON: Span = Span::from_secs(30);
/// So many workers may be lost under a job besides those that die with the server.
const SILENCES: u32 = 20;
/// How long a server is frozen that is killed before it goes on.
const CHILL: Span = Span::from_millis(50);

/// What to do.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// How often the server is killed.
    pub(crate) kills: u32,
    /// How many clients submit at once.
    pub(crate) clients: usize,
    /// What everything is drawn from.
    pub(crate) seed: u64,
    /// The program whose `serve` is tested.
    pub(crate) program: PathBuf,
    /// An empty folder.
    pub(crate) folder: PathBuf,
    /// How long a server may take to accept work again after a freeze.
    pub(crate) go_on: Span,
}

/// How far a self-test has come, in words.
pub(crate) type Teller<'a> = &'a (dyn Fn(u32, String) + Sync);

/// Why a self-test could not be carried through.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The server does not start, or the system does not let it be handled.
    #[error("life {0} of the server: {1}; its words are in {2}")]
    Server(u32, #[source] io::Error, PathBuf),
    /// No counting server can be had.
    #[error("the counting server: {0}")]
    Counter(#[source] io::Error),
    /// The server cannot be asked although nobody kills it.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Carries out the plan. `tell` hears of each kill.
///
/// # Errors
/// See [`Trouble`]. That a promise was broken is no error but in the report.
pub(crate) async fn run(plan: &Plan, tell: Teller<'_>) -> Result<Report, Trouble> {
    let mut test = Test::begin(plan).await?;
    let began = test.clock.now();
    let submit = || tokio::spawn(clients::run(test.desk.clone(), test.whereabouts.subscribe()));
    let hands = Hands::start(plan.seed, &test.whereabouts);
    let clients: Vec<_> = (0..plan.clients.max(1)).map(|_| submit()).collect();
    for (number, life) in (1..).zip(lives::draw(plan.seed, plan.kills)) {
        let said = *test.desk.acknowledged().borrow();
        tell(number - 1, format!("{said} jobs acknowledged"));
        test.live(number, life).await?;
    }
    let evidence = test.last_life(clients, &hands, tell).await?;
    Ok(test.report(&evidence, began))
}

/// A self-test under way.
struct Test<'a> {
    plan: &'a Plan,
    mill: Mill,
    counter: Counter,
    desk: Arc<Desk>,
    whereabouts: watch::Sender<Whereabouts>,
    clock: SystemClock,
    violations: Vec<Violation>,
    freezes: u32,
}

impl<'a> Test<'a> {
    async fn begin(plan: &'a Plan) -> Result<Self, Trouble> {
        let counter = Counter::start(plan.seed).await.map_err(Trouble::Counter)?;
        let desk = Arc::new(Desk::new(plan.seed, counter.address()));
        let (program, folder) = (plan.program.clone(), plan.folder.clone());
        let mill = Mill { program, folder, max_crashes: plan.kills.saturating_add(SILENCES) };
        mill.declare().map_err(|error| Trouble::Server(1, error, mill.log()))?;
        let (whereabouts, clock) = (watch::Sender::default(), SystemClock::default());
        Ok(Self {
            plan,
            mill,
            counter,
            desk,
            whereabouts,
            clock,
            violations: Vec::new(),
            freezes: 0,
        })
    }

    /// One life, from the start of the server until nothing of it is left.
    async fn live(&mut self, number: u32, life: Life) -> Result<(), Trouble> {
        self.counter.begin_life(number);
        let log = self.mill.log();
        let trouble = |error| Trouble::Server(number, error, log.clone());
        let mut server = self.mill.spawn(number).map_err(trouble)?;
        self.suffer(&mut server, life).await.map_err(trouble)?;
        if let Some(status) = server.has_ended().map_err(trouble)? {
            let what = format!("it ended by itself: {status}; see {}", log.display());
            self.violations.push(Violation::new(Rule::Ended, format!("life {number}"), what));
        }
        self.whereabouts.send_replace(Whereabouts::default());
        server.kill().map_err(trouble)?;
        self.counter.settle().await?;
        Ok(())
    }

    /// What a server goes through before it is killed.
    async fn suffer(&mut self, server: &mut Server, life: Life) -> io::Result<()> {
        if let Life::Stillborn(span) = life {
            self.rest(span).await;
            return Ok(());
        }
        self.serve(server).await?;
        match life {
            Life::Stillborn(span) | Life::Short(span) => self.rest(span).await,
            Life::Frozen(span) => {
                self.rest(span).await;
                self.freeze(server).await?;
                self.rest(span).await;
            }
            Life::Cold(span) => {
                self.rest(span).await;
                server.freeze()?;
                self.freezes += 1;
                self.rest(CHILL).await;
            }
        }
        Ok(())
    }

    /// Lets the clients know where the server is, once it serves.
    async fn serve(&self, server: &mut Server) -> io::Result<SocketAddr> {
        let address = server.serves().await?;
        self.whereabouts.send_replace(Whereabouts { address: Some(address), is_over: false });
        Ok(address)
    }

    /// Freezes the server for a while; afterwards it must take on work again.
    async fn freeze(&mut self, server: &Server) -> io::Result<()> {
        server.freeze()?;
        self.freezes += 1;
        self.rest(FREEZE).await;
        let mut acknowledged = self.desk.acknowledged();
        let before = *acknowledged.borrow();
        server.thaw()?;
        let (over, limit) = (self.clock.now().after(self.plan.go_on), self.plan.go_on);
        tokio::select! {
            // An error would mean that the desk is gone, which this test owns.
            _ = acknowledged.wait_for(|count| *count > before) => {}
            () = self.clock.sleep_until(over) => {
                let what = format!("after a freeze it accepted nothing for {limit}");
                self.violations.push(Violation::new(Rule::Frozen, "the server", what));
            }
        }
        Ok(())
    }

    /// The life that is not cut short: everything ends, is read, and the server stops in order.
    async fn last_life(
        &mut self,
        clients: Vec<JoinHandle<Ledger>>,
        hands: &Hands,
        tell: Teller<'_>,
    ) -> Result<Evidence, Trouble> {
        let (number, seed) = (self.plan.kills + 1, self.plan.seed);
        self.counter.begin_life(number);
        let log = self.mill.log();
        let trouble = |error| Trouble::Server(number, error, log.clone());
        let mut server = self.mill.spawn(number).map_err(trouble)?;
        let address = self.serve(&mut server).await.map_err(trouble)?;
        let whereabouts = Whereabouts { address: Some(address), is_over: true };
        self.whereabouts.send_replace(whereabouts);
        let ledgers = futures::future::try_join_all(clients).await;
        let ledgers = ledgers.map_err(|error| trouble(io::Error::other(error)))?;
        let mut ledger = Ledger::merged(ledgers);
        let reader = Reader::new(address);
        reader.until_idle(|left| tell(number - 1, format!("{left} jobs left"))).await?;
        let told = hands.stop();
        tell(number - 1, "auditing".to_owned());
        reader.resend(&self.desk, seed, &mut ledger).await?;
        let findings: Findings = reader.gather(self.plan.clients).await?;
        let status = server.stop().await.map_err(trouble)?;
        if !status.success() {
            let what = format!("after SIGTERM it ended with {status}; see {}", log.display());
            self.violations.push(Violation::new(Rule::Ended, "the last life", what));
        }
        Ok(Evidence { seed, ledger, findings, performed: self.counter.performed(), told })
    }

    fn report(mut self, evidence: &Evidence, began: Timestamp) -> Report {
        self.violations.extend(audit(evidence));
        let took = self.clock.now().since(began);
        let run = report::Run { kills: self.plan.kills, freezes: self.freezes, took };
        Report::of(run, evidence, self.violations)
    }

    async fn rest(&self, span: Span) {
        self.clock.sleep_until(self.clock.now().after(span)).await;
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// The rules that are broken by one life of a program that is this shell script.
    async fn broken_by(script: &str, life: Life) -> Vec<Rule> {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("server.sh");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).unwrap();
        let (path, go_on) = (folder.path().to_owned(), Span::from_millis(20));
        let plan = Plan { kills: 1, clients: 1, seed: 1, program, folder: path, go_on };
        let mut test = Test::begin(&plan).await.unwrap();
        test.live(1, life).await.unwrap();
        test.violations.iter().map(|violation| violation.rule).collect()
    }

    const LISTENS: &str = "echo 'listening on http://127.0.0.1:9' >&2";

    #[tokio::test]
    async fn a_server_that_ends_by_itself_is_found() {
        let life = Life::Short(Span::from_millis(500));
        assert_eq!(broken_by(&format!("{LISTENS}; exit 3"), life).await, [Rule::Ended]);
        let stays = format!("{LISTENS}; exec sleep 1000");
        assert_eq!(broken_by(&stays, Life::Short(Span::from_millis(1))).await, []);
    }

    #[tokio::test]
    async fn a_server_that_does_not_go_on_after_a_freeze_is_found() {
        let life = Life::Frozen(Span::from_millis(1));
        let script = format!("{LISTENS}; exec sleep 1000");
        assert_eq!(broken_by(&script, life).await, [Rule::Frozen]);
    }
}
