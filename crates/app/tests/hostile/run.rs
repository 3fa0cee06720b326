//! The loop: attacks from several threads, and the checks between and after them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::answer::{self, Answer};
use crate::corpus::{self, Jobs, Valid};
use crate::dice::Dice;
use crate::draft::Draft;
use crate::exchange;
use crate::json;
use crate::judge::Judge;
use crate::mutate;
use crate::server::Server;

const SEED: u64 = 20_261_121;
const EXCHANGES: u64 = 6_000;
const SECONDS: u64 = 20;
/// Most of the time a thread waits for a time limit of the server.
const THREADS: usize = 12;
/// Short limits, so that what is left unfinished is soon closed; a small body, so that it is
/// cheap to send a larger one.
const FLAGS: [&str; 8] = [
    "--header-timeout",
    "400ms",
    "--request-timeout",
    "1s",
    "--body-limit",
    "64KiB",
    "--log",
    "warn",
];
/// The limits come to less than two seconds; the rest is for a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(15);
/// A request that asks to wait may do so for a minute; nobody listens that long.
const SHORT_PATIENCE: Duration = Duration::from_millis(300);
/// Between so many exchanges the server is looked at.
const ROUND: u64 = 250;
const MOST_MIB: u64 = 256;

/// One run: what is the same for all of its threads.
struct Run {
    seed: u64,
    most: u64,
    until: Instant,
    server: Server,
    judge: Judge,
    valid: Vec<Valid>,
    next: AtomicU64,
}

#[test]
fn hostile_requests_do_no_harm() {
    let begun = now();
    let seconds = number("JOBMILL_HOSTILE_SECONDS");
    let (server, judge) = (Server::start(&FLAGS, &[]), Judge::default());
    let valid = corpus::valid(&first_jobs(&server, &judge));
    let run = Run {
        seed: number("JOBMILL_HOSTILE_SEED").unwrap_or(SEED),
        most: if seconds.is_some() { u64::MAX } else { EXCHANGES },
        until: begun + Duration::from_secs(seconds.unwrap_or(SECONDS)),
        server,
        judge,
        valid,
        next: AtomicU64::new(0),
    };
    println!("JOBMILL_HOSTILE_SEED={}", run.seed);
    run.greet();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| run.attack());
        }
    });
    let count = run.next.load(Ordering::Relaxed).min(run.most);
    println!("{count} exchanges in {:.1} s", now().duration_since(begun).as_secs_f64());
    run.end();
}

impl Run {
    /// Every request from which the others are made is answered as it should be.
    fn greet(&self) {
        for Valid { draft, statuses } in &self.valid {
            let answer = ask(&self.server, draft.clone());
            let target = draft.target.escape_ascii();
            let told = answer.body.escape_ascii();
            assert!(statuses.contains(&answer.status), "{target}: {} {told}", answer.status);
            self.judge.count(&answer);
        }
    }

    /// What one thread does.
    fn attack(&self) {
        while now() < self.until {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.most {
                break;
            }
            let attack = mutate::attack(&mut Dice::of(self.seed, number), &self.valid);
            let patience = if attack.waits { SHORT_PATIENCE } else { PATIENCE };
            match exchange::talk(self.server.address, attack.pieces(), patience) {
                Ok(heard) => self.judge.hear(number, &attack, &heard),
                Err(error) => self.judge.blame(format!("exchange {number}: {error}")),
            }
            if number.is_multiple_of(ROUND) {
                self.look();
            }
        }
    }

    /// Looks whether the server is well.
    fn look(&self) {
        let answer = ask(&self.server, Draft::new("GET", "/healthz"));
        if answer.status != 200 {
            self.judge.blame(format!("/healthz answers {}", answer.status));
        }
        if let Some(mib) = self.server.resident_mib().filter(|mib| *mib > MOST_MIB) {
            self.judge.blame(format!("the server holds {mib} MiB"));
        }
    }

    fn end(mut self) {
        self.look();
        let memory = self.server.resident_mib().map_or("?".to_owned(), |mib| mib.to_string());
        println!("{memory} MiB, {}", self.judge.summary());
        let counts = ask(&self.server, Draft::new("GET", "/jobs/counts"));
        let counts = String::from_utf8(counts.body).expect("counts are text");
        let accepted = self.judge.accepted();
        println!("{accepted} jobs accepted, counted {counts}");
        if !counts.ends_with(&format!(r#""total":{accepted}}}"#)) {
            self.judge.blame(format!("accepted were {accepted} jobs, counted {counts}"));
        }
        assert!(self.server.lives(), "the server ended");
        self.server.end().into_iter().for_each(|line| self.judge.blame(line));
        let violations = self.judge.violations();
        assert!(violations.is_empty(), "seed {}:\n{}", self.seed, violations.join("\n"));
    }
}

/// The jobs that the requests name, in the states in which they are needed.
fn first_jobs(server: &Server, judge: &Judge) -> Jobs {
    let [completed, failed, delayed] = corpus::FIRST_JOBS.map(|body| {
        let answer = ask(server, Draft::new("POST", "/jobs").json(body));
        assert_eq!(answer.status, 202, "{}", answer.body.escape_ascii());
        judge.count(&answer);
        json::job_ids(&answer.body).expect("a job").remove(0)
    });
    for (id, state) in [(&completed, "completed"), (&failed, "failed")] {
        let outcome = ask(server, Draft::new("GET", &format!("/jobs/{id}/results?wait=30s")));
        let outcome = String::from_utf8(outcome.body).expect("an outcome is text");
        assert!(outcome.contains(&format!(r#""status":"{state}""#)), "{outcome}");
    }
    Jobs { completed, failed, delayed }
}

/// The answer to one sound request.
fn ask(server: &Server, draft: Draft) -> Answer {
    let bytes = draft.header("Connection", "close").write();
    let heard = exchange::talk(server.address, [&bytes[..]], PATIENCE).expect("it listens");
    let (mut answers, end) = answer::read_all(&heard.bytes);
    assert_eq!((answers.len(), end), (1, Ok(())), "{}", bytes.escape_ascii());
    answers.remove(0)
}

#[expect(clippy::disallowed_methods, reason = "how long a run takes is asked for from outside")]
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

#[expect(clippy::disallowed_methods, reason = "a run on real sockets ends by the real clock")]
fn now() -> Instant {
    Instant::now()
}
