//! `jobmill run`: a flow in the terminal, without a server.

use std::io::{self, BufWriter, StdoutLock, Write};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget};
use jobmill_flow::{Flow, Output, Watch, local};
use jobmill_model::suggest::nearest;
use jobmill_model::{Fault, Value};

use super::screen::Screen;
use super::{Context, Failure, input};

/// Runs a flow right here, without a server, and prints its result
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is stored. The result is written as it is made, one entry a line; with --json on one line.

Examples:
  jobmill run expand_reduce_flow --input '{\"1\":\"2\",\"3\":\"4\",\"5\":\"6\",\"7\":\"8\"}'
  jobmill run expand_reduce_flow --input @big.json --params '{\"merge\":\"zip\"}' --json
  echo '{\"start\":1,\"end\":9}' | jobmill run range_report --input -

Exit codes: 0 done, 1 the flow failed, 2 the input does not fit the flow.")]
pub(crate) struct Run {
    /// The flow to run
    flow: String,
    /// What it works on: JSON, @FILE, or - for standard input
    #[arg(long, short, value_name = "JSON")]
    input: String,
    /// How it works: a JSON object, @FILE, or -
    #[arg(long, short, value_name = "JSON")]
    params: Option<String>,
}

impl Run {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let flows = jobmill_flow::builtin();
        let Some(flow) = flows.iter().find(|flow| flow.name() == self.flow) else {
            return Err(unknown(&self.flow, flows.iter().map(|flow| flow.name())));
        };
        let input = input::value("the input", &self.input)?;
        let params = self.params.as_deref().map(|it| input::value("the params", it));
        let params = params.transpose()?.unwrap_or_default();
        check(flow.as_ref(), &input, &params)?;
        let mut printer = Printer::new(context.screen);
        let watch = Bar::new(context.screen);
        let ended = local::run_into(flow.as_ref(), &input, &params, &mut printer, &watch);
        watch.0.finish_and_clear();
        match (printer.finish(), ended) {
            (Err(error), _) => Err(error.into()),
            (Ok(()), Err(fault)) => Err(Failure::Ended(fault.to_string())),
            (Ok(()), Ok(())) => Ok(()),
        }
    }
}

fn check(flow: &dyn Flow, input: &Value, params: &Value) -> Result<(), Failure> {
    let problems = flow.check(input, params);
    if problems.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
    Err(Failure::Usage(format!("this does not fit the flow:{}", lines.concat())))
}

pub(super) fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Failure {
    let hint = match nearest(name, known.clone()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there are: {}", known.collect::<Vec<_>>().join(", ")),
    };
    Failure::Usage(format!("no flow is called {name:?}; {hint}"))
}

/// Writes a result to standard output as it is made.
struct Printer {
    out: BufWriter<StdoutLock<'static>>,
    is_json: bool,
    in_list: bool,
    entries: u64,
    items: u64,
    broken: Option<io::Error>,
}

impl Printer {
    fn new(screen: Screen) -> Self {
        let out = BufWriter::new(io::stdout().lock());
        let is_json = screen.is_json();
        Self { out, is_json, in_list: false, entries: 0, items: 0, broken: None }
    }

    fn put(&mut self, text: &str) -> Result<(), Fault> {
        self.out.write_all(text.as_bytes()).map_err(|error| {
            let fault = Fault::last("OutputBroken", error.to_string());
            self.broken = Some(error);
            fault
        })
    }

    /// Begins a line for an entry or an item, with a comma after the one before.
    fn begin(&mut self, count: u64, depth: usize) -> Result<(), Fault> {
        let comma = if count == 0 { "" } else { "," };
        match self.is_json {
            true => self.put(comma),
            false => self.put(&format!("{comma}\n{:1$}", "", 2 * depth)),
        }
    }

    fn end(&mut self, count: u64, depth: usize, bracket: &str) -> Result<(), Fault> {
        if count > 0 && !self.is_json {
            self.put(&format!("\n{:1$}", "", 2 * depth))?;
        }
        self.put(bracket)
    }

    fn item(&mut self) -> Result<(), Fault> {
        if !self.in_list {
            return Ok(());
        }
        self.begin(self.items, 1)?;
        self.items += 1;
        Ok(())
    }

    fn depth(&self) -> usize {
        usize::from(self.in_list)
    }

    fn finish(mut self) -> io::Result<()> {
        match self.broken.take() {
            Some(error) => Err(error),
            None => {
                self.out.write_all(b"\n")?;
                self.out.flush()
            }
        }
    }
}

impl Output for Printer {
    fn begin_object(&mut self) -> Result<(), Fault> {
        self.item()?;
        self.entries = 0;
        self.put("{")
    }

    fn entry(&mut self, key: &str, value: &Value) -> Result<(), Fault> {
        self.begin(self.entries, self.depth() + 1)?;
        self.entries += 1;
        let colon = if self.is_json { ":" } else { ": " };
        self.put(&format!("{}{colon}{value}", Value::from(key)))
    }

    fn entry_text(&mut self, key: &str, value: &str) -> Result<(), Fault> {
        self.entry(key, &Value::from(value))
    }

    fn end_object(&mut self) -> Result<(), Fault> {
        self.end(self.entries, self.depth(), "}")
    }

    fn begin_list(&mut self) -> Result<(), Fault> {
        self.in_list = true;
        self.put("[")
    }

    fn end_list(&mut self) -> Result<(), Fault> {
        self.in_list = false;
        self.end(self.items, 0, "]")
    }

    fn value(&mut self, value: &Value) -> Result<(), Fault> {
        self.item()?;
        self.put(&value.to_string())
    }
}

/// A bar for whoever watches.
struct Bar(ProgressBar);

impl Bar {
    fn new(screen: Screen) -> Self {
        let target = match screen.is_watched() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        Self(ProgressBar::with_draw_target(Some(0), target))
    }
}

impl Watch for Bar {
    fn stopped(&self) -> bool {
        false
    }

    fn progress(&self, done: u64, total: u64, message: &str) {
        self.0.set_length(total);
        self.0.set_position(done);
        self.0.set_message(message.to_owned());
    }
}
