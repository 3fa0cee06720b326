//! Runs the language's specification: every example of `tests/spec/*.md` is a test.
//!
//! A `yaml` (or `json definition`) block is a definition; the blocks after it say what it gives:
//!
//! | block | meaning |
//! |---|---|
//! | `json argument` | the execution's argument |
//! | `json world` | answers to effects, in order: `http`, `connector`, `signal`, `fail` |
//! | `json result` | what the execution returns |
//! | `json error` | the payload of the uncaught error |
//! | `text context` | the context of the uncaught error |
//! | `text effects` | what the world was asked, one line an effect, clock readings left out |
//! | `text refused` | the findings, one a line: `line:column code: message` |
//! | `text shown` | the findings as people see them |
//! | `text deployment` | the sentence of the first error |
//! | `text warned` | the findings of a definition that is accepted |
//! | `expr` | lines `expression => JSON` or `expression => !Tag: message` |

#![allow(clippy::unwrap_used, reason = "a test stops where it is wrong")]

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jobmill_gcw::local::{self, QuietWorld, World};
use jobmill_gcw::value::Map;
use jobmill_gcw::{Checked, Failure, Limits, Workflow, check};
use jobmill_model::Value;
use jobmill_model::machine::{Effect, EffectNumber, HttpResponse, Outcome};

/// The header that every call has unless the workflow sets it; it is not shown.
const USUAL_AGENT: &str = "User-Agent";

struct Block {
    info: String,
    text: String,
    line: usize,
}

fn blocks(markdown: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in markdown.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(info), None) => {
                open = Some(Block { info: info.trim().into(), text: String::new(), line: at + 1 });
            }
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

/// Answers effects from a script; time passes in sleeps only.
#[derive(Default)]
struct Script {
    quiet: QuietWorld,
    answers: VecDeque<Value>,
    asked: String,
}

impl Script {
    fn describe(&self, effect: &Effect) -> Option<String> {
        let mut text = match effect {
            Effect::Clock => return None,
            Effect::Sleep { until } => {
                let millis = until.as_millis() - self.quiet.now.as_millis();
                format!("sleep {}", millis as f64 / 1000.0)
            }
            Effect::Signal { name, until } => {
                let until = until.map_or(0, |until| until.as_millis());
                format!("await {name} {}", (until - self.quiet.now.as_millis()) as f64 / 1000.0)
            }
            Effect::Http(call) => format!("{} {}", call.method, call.url),
            Effect::Log(entry) => format!("log {} {}", entry.severity, entry.payload),
            Effect::Callback(endpoint) => {
                format!("open {} {}", endpoint.name, endpoint.method)
            }
            Effect::Connector(call) => format!("{} {}", call.method, call.args),
            other => other.to_string(),
        };
        if let Effect::Http(call) = effect {
            for (name, value) in &call.query {
                let _ = write!(text, "\n  query {name}={value}");
            }
            for (name, value) in call.headers.iter().filter(|(name, _)| name != USUAL_AGENT) {
                let _ = write!(text, "\n  {name}: {value}");
            }
            if let Some(auth) = &call.auth {
                let _ = write!(text, "\n  auth {auth:?}");
            }
            if let Some(service) = &call.private_service_name {
                let _ = write!(text, "\n  service {service}");
            }
            if let Some(certificate) = &call.ca_certificate {
                let _ = write!(text, "\n  trusts {certificate}");
            }
            if call.timeout_ms != 300_000 {
                let _ = write!(text, "\n  timeout {} ms", call.timeout_ms);
            }
            if let Some(body) = &call.body {
                let _ = write!(text, "\n  body {}", String::from_utf8_lossy(body));
            }
        }
        Some(text)
    }

    fn scripted(&mut self, number: EffectNumber, effect: &Effect) -> Outcome {
        let wants = match effect {
            Effect::Http(_) => "http",
            Effect::Connector(_) => "connector",
            Effect::Signal { .. } => "signal",
            _ => return self.quiet.perform(number, effect),
        };
        let Some(answer) = self.answers.pop_front() else {
            return self.quiet.perform(number, effect);
        };
        let (kind, content) = answer.as_map().unwrap().at(0).unwrap();
        match &**kind {
            "fail" => Outcome::Failed {
                code: content.as_list().unwrap()[0].as_str().unwrap().into(),
                message: content.as_list().unwrap()[1].as_str().unwrap().into(),
            },
            kind if kind != wants => panic!("the script has {kind}, the machine wants {wants}"),
            "http" => Outcome::Done(http(content).to_value()),
            "signal" => Outcome::Signal(content.clone()),
            _ => Outcome::Done(content.clone()),
        }
    }
}

fn http(content: &Value) -> HttpResponse {
    let map = content.as_map().unwrap();
    let mut headers = Vec::new();
    for (name, value) in
        map.get("headers").and_then(Value::as_map).unwrap_or(&jobmill_model::Map::new()).iter()
    {
        headers.push((name.to_string(), value.as_str().unwrap().to_owned()));
    }
    let body = match (map.get("json"), map.get("text")) {
        (Some(json), _) => {
            headers.push(("content-type".into(), "application/json".into()));
            json.to_string().into_bytes()
        }
        (_, Some(text)) => text.as_str().unwrap().as_bytes().to_vec(),
        _ => Vec::new(),
    };
    let status = u16::try_from(map.get("status").and_then(Value::as_int).unwrap_or(200)).unwrap();
    HttpResponse { status, headers, body }
}

impl World for Script {
    fn perform(&mut self, number: EffectNumber, effect: &Effect) -> Outcome {
        if let Some(text) = self.describe(effect) {
            self.asked.push_str(&text);
            self.asked.push('\n');
        }
        self.scripted(number, effect)
    }
}

fn env() -> Map {
    [("GOOGLE_CLOUD_LOCATION", "local"), ("GOOGLE_CLOUD_PROJECT_ID", "demo")]
        .into_iter()
        .map(|(name, value)| (name.into(), jobmill_gcw::Value::from(value)))
        .collect()
}

struct Example<'a> {
    definition: &'a Block,
    rest: &'a [Block],
    limits: Limits,
}

impl Example<'_> {
    fn part(&self, info: &str) -> Option<&str> {
        self.rest.iter().find(|block| block.info == info).map(|block| block.text.as_str())
    }

    fn json(&self, info: &str) -> Option<Value> {
        self.part(info).map(|text| {
            Value::from_json(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
        })
    }

    /// What went otherwise than the specification says.
    fn differences(&self) -> Vec<String> {
        let checked = check(&self.definition.text, &self.limits);
        let mut found = self.check_findings(&checked);
        if let Some(program) = checked.program {
            let runs = ["json result", "json error", "text context", "text effects"];
            if runs.iter().any(|info| self.part(info).is_some()) {
                found.extend(self.check_run(&Workflow { program, env: Arc::new(env()) }));
            }
        } else if ["text refused", "text deployment", "text shown"]
            .iter()
            .all(|info| self.part(info).is_none())
        {
            found.push(format!("refused:\n{}", findings(&checked)));
        }
        found
    }

    fn check_findings(&self, checked: &Checked) -> Vec<String> {
        let mut found = Vec::new();
        for (info, refused) in [("text refused", true), ("text warned", false)] {
            let Some(expected) = self.part(info) else { continue };
            let got = findings(checked);
            if got != expected || checked.program.is_none() != refused {
                found.push(format!("{info}, expected:\n{expected}got:\n{got}"));
            }
        }
        if let Some(expected) = self.part("text shown") {
            let all: Vec<String> = checked.diagnostics.iter().map(ToString::to_string).collect();
            let got = all.join("\n");
            if got.trim_end() != expected.trim_end() {
                found.push(format!("shown, expected:\n{expected}got:\n{got}"));
            }
        }
        if let Some(expected) = self.part("text deployment") {
            let first = checked.diagnostics.iter().find(|finding| finding.is_error());
            let got = first.map(|finding| finding.deployment()).unwrap_or_default();
            if got != expected.trim_end() {
                found.push(format!("deployment, expected:\n{expected}got:\n{got}"));
            }
        }
        found
    }

    fn check_run(&self, workflow: &Workflow) -> Vec<String> {
        let mut world = Script::default();
        if let Some(Value::List(answers)) = self.json("json world") {
            world.answers = answers.iter().cloned().collect();
        }
        let argument = self.json("json argument").unwrap_or_default();
        let run = local::run(workflow, argument.clone(), &mut world).unwrap();
        let mut found = Vec::new();
        let mut expect = |what: &str, expected: Option<String>, got: String| {
            if let Some(expected) = expected
                && expected.trim_end() != got.trim_end()
            {
                found.push(format!("{what}, expected:\n{expected}\ngot:\n{got}"));
            }
        };
        let failure = run.end.as_ref().err().map(|fault| Failure::from_fault(fault).unwrap());
        let shown = |failure: &Failure| format!("uncaught: {}", failure.context());
        let result = match &failure {
            Some(failure) => shown(failure),
            None => run.end.clone().unwrap().to_string(),
        };
        expect("result", self.json("json result").map(|value| value.to_string()), result.clone());
        let payload = failure.as_ref().map_or(result.clone(), |failure| failure.payload.clone());
        expect("error", self.json("json error").map(|value| value.to_string()), payload);
        let context = failure.as_ref().map_or(result, Failure::context);
        expect("context", self.part("text context").map(str::to_owned), context);
        expect("effects", self.part("text effects").map(str::to_owned), world.asked.clone());
        let expected = ["json error", "text context", "json result"];
        if let Some(failure) = &failure
            && expected.iter().all(|info| self.part(info).is_none())
        {
            found.push(shown(failure));
        }
        let (fold, effects) = local::refold(workflow, argument, &run.journal).unwrap();
        if fold.end() != Some(&run.end) || effects != run.effects {
            found.push("folding the journal again gave something else".to_owned());
        }
        found
    }
}

fn findings(checked: &Checked) -> String {
    let mut text = String::new();
    for finding in &checked.diagnostics {
        let at = finding.position;
        let _ = writeln!(text, "{}:{} {}: {}", at.line, at.column, finding.code, finding.message);
    }
    text
}

/// One expression: its JSON, or `!Tag: message`.
fn evaluate(expression: &str) -> String {
    let scalar = format!("${{{expression}}}").replace('\'', "''");
    let text = format!("- done:\n    return: '{scalar}'\n");
    let checked = check(&text, &Limits::lifted());
    let Some(program) = checked.program else {
        return format!("refused: {}", checked.diagnostics[0].message);
    };
    let workflow = Workflow { program, env: Arc::new(env()) };
    let run = local::run(&workflow, Value::Null, &mut QuietWorld::default()).unwrap();
    match run.end {
        Ok(value) => value.to_string(),
        Err(fault) => format!("!{}", fault.message),
    }
}

fn expr_differences(block: &Block) -> Vec<String> {
    let lines = block.text.lines().filter(|line| !line.trim().is_empty());
    lines
        .filter_map(|line| {
            let (expression, expected) = line.rsplit_once(" => ").unwrap_or((line, "?"));
            let got = evaluate(expression.trim());
            (got != expected.trim()).then(|| format!("{expression} => {got}, expected {expected}"))
        })
        .collect()
}

fn is_definition(block: &Block) -> bool {
    block.info.starts_with("yaml") || block.info == "json definition"
}

fn file_differences(path: &Path) -> (usize, Vec<String>) {
    let blocks = blocks(&std::fs::read_to_string(path).unwrap());
    let mut count = 0;
    let mut found = Vec::new();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    for (at, block) in blocks.iter().enumerate() {
        let differences = if block.info == "expr" {
            count += block.text.lines().count();
            expr_differences(block)
        } else if is_definition(block) {
            count += 1;
            let rest = &blocks[at + 1..];
            let end = rest.iter().position(|next| is_definition(next) || next.info == "expr");
            let limits =
                if block.info.contains("google") { Limits::google() } else { Limits::lifted() };
            Example { definition: block, rest: &rest[..end.unwrap_or(rest.len())], limits }
                .differences()
        } else {
            continue;
        };
        found.extend(differences.into_iter().map(|what| format!("{name}:{}: {what}", block.line)));
    }
    (count, found)
}

#[test]
fn every_example_of_the_specification_holds() {
    let files = files();
    let (mut count, mut found) = (0, Vec::new());
    for file in &files {
        let (examples, differences) = file_differences(file);
        assert!(examples > 0, "{} has no example", file.display());
        count += examples;
        found.extend(differences);
    }
    assert!(found.is_empty(), "{} of {count} differ:\n\n{}", found.len(), found.join("\n\n"));
    println!("{count} examples in {} files", files.len());
}

/// The files of the specification.
fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|file| file.extension().is_some_and(|end| end == "md")).collect();
    files.sort();
    files
}

/// A rule says how it is known: by Google's documentation `[D]`, its interfaces `[P]`, a test on
/// the wire `[T]`, the real service's output `[R]`, its samples `[S]`, others' reading `[2]`, memory
/// `[M]`; it is open `[?]`, or it is this engine's own `[own]`.
const MARKS: [&str; 9] = ["D", "P", "T", "R", "S", "2", "M", "?", "own"];

#[test]
fn every_rule_bears_the_mark_of_its_evidence() {
    let bare = |paragraph: &str| {
        let is_mark = |text: &str| MARKS.iter().any(|mark| text.starts_with(mark));
        !paragraph.starts_with('#') && !paragraph.split('[').skip(1).any(is_mark)
    };
    for file in files() {
        let (name, text) = (file.display(), std::fs::read_to_string(&file).unwrap());
        let outside = text.split("```").step_by(2);
        let paragraphs = outside.flat_map(|part| part.split("\n\n")).map(str::trim);
        let bare: Vec<&str> = paragraphs.filter(|it| !it.is_empty() && bare(it)).collect();
        assert!(bare.is_empty(), "{name}: {bare:?}");
    }
}

#[test]
fn every_step_kind_and_part_of_the_expression_language_has_its_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec");
    for name in [
        "assign",
        "call",
        "switch",
        "for",
        "parallel",
        "steps",
        "next",
        "return",
        "raise",
        "try",
        "subworkflows",
        "source",
        "checks",
        "scope",
        "literals",
        "operators",
        "access",
        "functions",
        "types",
        "http",
        "errors",
        "events",
        "sys",
        "connectors",
        "limits",
    ] {
        assert!(folder.join(format!("{name}.md")).is_file(), "{name}.md is missing");
    }
}

/// The examples of the standard library stand beside its functions.
#[test]
fn every_example_of_the_standard_library_holds() {
    let mut found = Vec::new();
    for function in jobmill_gcw::stdlib::functions() {
        for (expression, expected) in function.examples {
            let got = evaluate(expression);
            let holds = match expected.strip_prefix('!') {
                Some(tag) => got.starts_with(&format!("!{tag}: ")),
                None => got == *expected,
            };
            if !holds {
                found.push(format!("{expression} => {got}, expected {expected}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
