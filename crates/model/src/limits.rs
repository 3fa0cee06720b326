//! Every number that bounds something: its name ends in its unit, its doc says why.
//!
//! Those that an operator may change are settings whose defaults stand here.

/// The largest request body; a dictionary of a hundred thousand short entries fits well.
pub const BODY_BYTES: usize = 16 * 1024 * 1024;
/// The most jobs in one bulk submission: one commit of about this size stays below a second.
pub const BULK_JOBS: usize = 10_000;
/// The deepest nest of a JSON body, as the reader enforces it.
pub const JSON_DEPTH_LEVELS: usize = 127;
/// The most entries that one expand-reduce result may have.
pub const RESULT_ENTRIES: u64 = 10_000_000;
/// The largest result of one job: what a client can sensibly fetch.
pub const RESULT_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// A result is cut into chunks of about this size: large enough to be cheap, small enough that
/// a thousand readers hold little memory.
pub const CHUNK_BYTES: usize = 64 * 1024;
/// The longest name of a flow, a queue or a tag.
pub const NAME_BYTES: usize = 128;
/// The most tags on one job.
pub const TAGS: usize = 32;
/// The most warnings that one job carries.
pub const WARNINGS: usize = 32;
/// The longest message of an error or of progress; longer text is cut.
pub const MESSAGE_BYTES: usize = 8 * 1024;
/// The longest trace of a failed attempt; longer text is cut.
pub const TRACE_BYTES: usize = 32 * 1024;
/// The most attempts that a submission may ask for.
pub const MAX_ATTEMPTS: u32 = 1_000;
/// Attempts when the submission does not say: the first and two more.
pub const DEFAULT_ATTEMPTS: u32 = 3;
/// How many workers may be lost under one job before it is given up.
pub const MAX_CRASHES: u32 = 20;
/// The highest and, negated, the lowest priority.
pub const PRIORITY: i32 = 1_000;
/// One step of priority is worth this much waiting time, so that no job waits for ever.
pub const PRIORITY_STEP_MILLIS: i64 = 60_000;
/// The most jobs that a queue's concurrency limit may allow: more than a server has at work.
pub const QUEUE_CONCURRENCY: u32 = 1_000_000;
/// The most starts that a queue's rate limit may allow in its time.
pub const RATE_COUNT: u32 = 1_000_000;
/// The longest time that a rate limit may speak of: thirty days.
pub const RATE_MILLIS: u64 = 30 * 86_400_000;
/// The most jobs of one key at once that a queue may allow: a claim counts up to so many rows.
pub const KEY_LIMIT: u32 = 1_000;
/// Jobs of one key at once where the queue does not say: one after the other.
pub const DEFAULT_KEY_LIMIT: u32 = 1;
/// The furthest a job may be scheduled ahead: ten years.
pub const DELAY_MILLIS: u64 = 10 * 365 * 86_400_000;
/// The longest time limit of one attempt: thirty days.
pub const TIMEOUT_MILLIS: u64 = 30 * 86_400_000;
/// The longest time after its submission that a unique job is in the way: a year.
pub const UNIQUE_MILLIS: u64 = 365 * 86_400_000;
/// How long an idempotency key is kept at least: seven days.
pub const IDEMPOTENCY_MILLIS: u64 = 7 * 86_400_000;
/// The longest idempotency key.
pub const IDEMPOTENCY_KEY_BYTES: usize = 255;
/// How long a worker outside this process keeps a job without a heartbeat.
pub const LEASE_MILLIS: u64 = 30_000;
/// The shortest lease: a heartbeat must have time to arrive.
pub const LEASE_MIN_MILLIS: u64 = 1_000;
/// The longest lease: a lost worker is to be noticed within a day.
pub const LEASE_MAX_MILLIS: u64 = 86_400_000;
/// The most jobs that one call for work takes, and that one batch of answers ends.
pub const LEASE_JOBS: usize = 1_000;
/// The most flows that one call for work names.
pub const LEASE_FLOWS: usize = 256;
/// A call for work takes no more jobs once their inputs and params come to this size.
pub const LEASE_BYTES: usize = 4 * 1024 * 1024;
/// The most declared flows.
pub const DECLARED_FLOWS: usize = 10_000;
/// The largest JSON Schema of a declared flow.
pub const SCHEMA_BYTES: usize = 64 * 1024;
/// The most steps in the ledger of one run of a job.
pub const LEDGER_EFFECTS: u64 = 10_000;
/// The largest result of one step in the ledger.
pub const EFFECT_BYTES: usize = 1024 * 1024;
/// The most flows, and the most queues, that metrics tell apart; the rest is summed up.
pub const METRIC_NAMES: usize = 100;
/// Rows of a page when the reader does not say.
pub const PAGE_ROWS: usize = 50;
/// The most rows of one page.
pub const PAGE_ROWS_MAX: usize = 1_000;
/// A page of jobs ends early when their inputs come to this size.
pub const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// Rows that are counted at most to explain why a job waits.
pub const SITUATION_ROWS: u64 = 10_000;
/// The most event streams that are open at once.
pub const EVENT_STREAMS: usize = 256;
/// The longest that a reader may wait for a result in one request.
pub const WAIT_MILLIS: u64 = 60_000;
/// The most entries of one job's journal.
pub const JOURNAL_ENTRIES: u64 = 1_000_000;
/// A run that ends keeps its journal, for its history, up to this many entries.
pub const HISTORY_ENTRIES: u64 = 10_000;
/// And up to this size of their outcomes.
pub const HISTORY_BYTES: u64 = 2 * 1024 * 1024;
/// The first steps of a run are shown one by one; those after them are counted.
pub const HISTORY_STEPS: usize = 10_000;
/// The most steps of a definition that is drawn.
pub const GRAPH_STEPS: usize = 2_000;
/// Histories that are told at once: each folds a journal again.
pub const HISTORIES_AT_ONCE: usize = 2;
/// A variable of a step is shown up to this size.
pub const VARIABLE_BYTES: usize = 64 * 1024;
/// The most effects that one machine may have under way at once.
pub const EFFECTS_UNDER_WAY: usize = 1_024;
/// Steps that a machine may take before it lets others have a turn.
pub const TURN_STEPS: u64 = 10_000;
/// The longest source of a definition; four megabytes are more than anybody can read.
pub const SOURCE_BYTES: usize = 4 * 1024 * 1024;
/// The longest description of a definition.
pub const DESCRIPTION_CHARS: usize = 1_000;
/// The most labels of a definition or an execution.
pub const LABELS: usize = 64;
/// The longest key or value of a label.
pub const LABEL_CHARS: usize = 63;
/// The most variables that a definition gives its executions.
pub const ENV_VARIABLES: usize = 100;
/// The longest value of such a variable.
pub const ENV_BYTES: usize = 4 * 1024;
/// Programs that stay compiled, so that executions need not wait for the compiler.
pub const PROGRAMS_KEPT: usize = 256;
/// Machines that one process drives at once; parked ones do not count.
pub const MACHINES_AT_ONCE: usize = 1_000;
/// The most API keys.
pub const KEYS: usize = 1_000;
/// The most requests that the rate of an API key allows in a minute.
pub const KEY_RATE: u32 = 1_000_000;
/// The longest that an API key is good when its end is given as a duration: ten years.
pub const KEY_LIFE_MILLIS: u64 = 10 * 365 * 86_400_000;
/// The longest URL of a completion webhook.
pub const WEBHOOK_URL_BYTES: usize = 2_048;
/// How often a completion webhook is tried: over about a day, with the waits below.
pub const WEBHOOK_ATTEMPTS: u32 = 12;
/// The wait after the first try of a webhook; each wait is four times the one before.
pub const WEBHOOK_FIRST_WAIT_MILLIS: u64 = 1_000;
/// The longest wait between two tries of a webhook.
pub const WEBHOOK_LAST_WAIT_MILLIS: u64 = 6 * 3_600_000;
/// How long the receiver of a webhook may take to answer.
pub const WEBHOOK_TIMEOUT_MILLIS: u64 = 15_000;
/// The most schedules.
pub const SCHEDULES: usize = 10_000;
/// The longest name of a schedule, so that `schedule:NAME` can be the tag of its jobs.
pub const SCHEDULE_NAME_BYTES: usize = 100;
/// The longest cron expression.
pub const CRON_BYTES: usize = 512;
/// A tick that is found later than this was missed.
pub const TICK_LATE_MILLIS: u64 = 60_000;
/// The most missed ticks of one schedule that are made up for.
pub const TICKS_MISSED: u32 = 1_000;
/// Missed ticks that are made up for when the schedule does not say how many.
pub const DEFAULT_TICKS_MISSED: u32 = 100;
/// The most ticks of one schedule that wait for the job before to end.
pub const TICKS_QUEUED: usize = 1_000;
/// Ticks to come that a schedule shows.
pub const TICKS_SHOWN: usize = 5;
