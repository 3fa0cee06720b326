//! The README is true: its sessions run as they stand there, and it names every command.

use std::path::Path;
use std::process::Command;

use crate::server::{Ended, Server, folder, is_there, jobmill, run};

const README: &str = include_str!("../../../../README.md");

/// A line behind a prompt, and what comes after it.
struct Typed {
    command: String,
    answer: String,
}

/// What is typed in the blocks of a terminal, in order.
fn session() -> Vec<Typed> {
    let blocks = README.split("```console\n").skip(1).map(|rest| rest.split("```").next());
    let mut session: Vec<Typed> = Vec::new();
    for line in blocks.flatten().flat_map(str::lines) {
        match (line.strip_prefix("$ "), session.last_mut()) {
            (Some(command), _) => {
                session.push(Typed { command: command.to_owned(), answer: String::new() });
            }
            (None, Some(typed)) => typed.answer.extend([line, "\n"]),
            (None, None) => panic!("an answer to nothing: {line}"),
        }
    }
    session
}

/// What differs from one run to the next, and the names that it has in the README.
#[derive(Default)]
struct Names {
    written: Vec<String>,
    real: Vec<String>,
}

impl Names {
    /// The command as it is typed here and now.
    fn typed(&self, command: &str, server: &Server) -> String {
        let address = server.url.trim_start_matches("http://");
        let command = command.replace("localhost:8080", address);
        let names = self.written.iter().zip(&self.real);
        names.fold(command, |text, (written, real)| text.replace(written, real))
    }

    /// Whether an answer is the one of the README, in which `…` stands for anything.
    fn fits(&mut self, written: &str, real: &str) -> bool {
        let (written, real) = (plain(written, &mut self.written), plain(real, &mut self.real));
        let mut parts = written.split('…');
        let Some(mut rest) = parts.next().and_then(|first| real.strip_prefix(first)) else {
            return false;
        };
        for part in parts {
            let at = if part.is_empty() { Some(rest.len()) } else { rest.find(part) };
            let Some(at) = at else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.is_empty()
    }
}

/// A text in which ids have numbers, in the order in which they came, and times, revisions and
/// sizes are all alike.
fn plain(text: &str, ids: &mut Vec<String>) -> String {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || "-:.".contains(c);
    let mut words = text.split_inclusive(|c| !is_inner(c)).peekable();
    let mut plain = String::new();
    while let Some(whole) = words.next() {
        let length = whole.trim_end_matches(|c: char| !c.is_alphanumeric()).len();
        let (word, after) = whole.split_at(length);
        let dashes: Vec<usize> = word.match_indices('-').map(|(at, _)| at).collect();
        if word.len() == 36 && dashes == [8, 13, 18, 23] {
            let known = ids.iter().position(|id| id == word);
            let number = known.unwrap_or(ids.len());
            ids.resize_with(ids.len().max(number + 1), || word.to_owned());
            plain.push_str(&format!("ID{number}"));
        } else if word.len() == 24 && word.ends_with('Z') {
            plain.push_str("TIME");
        } else if word.len() == 10 && word.starts_with("00000") && dashes == [6] {
            plain.push_str("REVISION");
        } else if words.peek().is_some_and(|next| next.trim_end() == "bytes") {
            plain.push_str("SIZE");
        } else {
            plain.push_str(word);
        }
        plain.push_str(after);
    }
    plain
}

#[test]
fn the_sessions_of_the_readme_run_as_they_stand_there() {
    if !["curl", "sqlite3"].into_iter().all(is_there) {
        return;
    }
    let folder = folder();
    // On a terminal, `curl` shows no progress.
    std::fs::write(folder.path().join(".curlrc"), "silent\n").unwrap();
    let mut serve = jobmill(folder.path());
    serve.args(["serve", "--listen", "127.0.0.1:0"]);
    let server = Server::of(serve);
    let programs = Path::new(env!("CARGO_BIN_EXE_jobmill")).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", programs.display());
    let mut names = Names::default();
    let typed: Vec<Typed> = session();
    assert!(typed.len() > 20, "the README has lost its sessions");
    for Typed { command, answer } in typed.iter().filter(|it| !it.command.starts_with("cargo ")) {
        if let Some(file) = command.strip_prefix("cat ") {
            std::fs::write(folder.path().join(file), answer).unwrap();
        }
        let mut shell = Command::new("sh");
        // Both outputs, in the order of a terminal.
        let typed = format!("{{ {}\n}} 2>&1", names.typed(command, &server));
        shell.args(["-c", &typed]).current_dir(folder.path()).env_clear().env("PATH", &path);
        shell.env("HOME", folder.path()).env("JOBMILL_SERVER", &server.url);
        let ended = Ended::from(shell.output().unwrap()).with(0);
        // `curl` writes no newline after the answer.
        let (written, real) = (answer.trim_end(), ended.out.trim_end());
        assert!(names.fits(written, real), "{command}\n{real}\nnot\n{written}");
    }
}

#[test]
fn the_readme_names_every_command() {
    let (_, table) = README.split_once("## Command line").unwrap();
    let table = table.split("\n## ").next().unwrap();
    let folder = folder();
    for command in commands(&run(folder.path(), &["--help"]).with(0)) {
        let lines: Vec<&str> =
            table.lines().filter(|it| it.contains(&format!("`jobmill {command}"))).collect();
        assert!(!lines.is_empty(), "jobmill {command} is not in the README");
        for verb in commands(&run(folder.path(), &[&command, "--help"]).with(0)) {
            let names = |line: &&str| {
                let mut words = line.split(|c: char| !c.is_ascii_lowercase());
                words.any(|word| word == verb)
            };
            assert!(lines.iter().any(names), "jobmill {command} {verb} is not in the README");
        }
    }
}

/// The commands that a help text lists.
fn commands(help: &Ended) -> Vec<String> {
    let listed = help.out.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}
