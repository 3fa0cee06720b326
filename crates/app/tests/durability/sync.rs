//! Between the last write of a submission and its answer lies an fdatasync.
//!
//! A killed process alone does not show this: what it wrote is in the kernel's hands. So the
//! system calls of a real submission are traced.

use std::path::Path;
use std::process::Command;

use super::server::{Server, has_program};

/// A finished system call.
#[derive(Debug)]
struct Call {
    text: String,
    began: usize,
    ended: usize,
}

/// Reads a trace: calls of several threads, some of them told in two halves.
fn calls(trace: &str) -> Vec<Call> {
    let mut open: Vec<(String, Call)> = Vec::new();
    let mut done = Vec::new();
    for (place, line) in trace.lines().enumerate() {
        let Some((thread, text)) = line.split_once(' ') else { continue };
        let text = text.trim_start();
        if let Some(begin) = text.strip_suffix("<unfinished ...>") {
            let call = Call { text: begin.to_owned(), began: place, ended: 0 };
            open.push((thread.to_owned(), call));
        } else if text.starts_with("<...") {
            if let Some(found) = open.iter().position(|(owner, _)| owner == thread) {
                done.push(Call { ended: place, ..open.swap_remove(found).1 });
            }
        } else {
            done.push(Call { text: text.to_owned(), began: place, ended: place });
        }
    }
    done
}

fn traced_submission(folder: &Path) -> Option<Vec<Call>> {
    let trace = folder.join("trace");
    let mut strace = Command::new("strace");
    strace.args([
        "-f",
        "-y",
        "-s",
        "256",
        "-e",
        "trace=write,writev,pwrite64,sendto,fdatasync,fsync",
    ]);
    strace.arg("-o").arg(&trace).arg(env!("CARGO_BIN_EXE_jobmill"));
    if !has_program("strace") {
        return None;
    }
    let server = Server::start_as(strace, &folder.join("data"));
    let body = r#"{"flow":"expand_reduce_flow","input":{"a":"1","b":"2"},"delay":"1h"}"#;
    let (status, answer) = server.connect().post("/jobs", "", body).unwrap();
    assert_eq!(status, 202, "{answer}");
    // The tracer's own end flushes its file; the server under it ends with it.
    let tracer = server.child.id().to_string();
    let children = std::fs::read_to_string(format!("/proc/{tracer}/task/{tracer}/children"));
    for child in children.unwrap().split_whitespace() {
        assert!(Command::new("kill").args(["-TERM", child]).status().unwrap().success());
    }
    let mut server = server;
    server.child.wait().unwrap();
    Some(calls(&std::fs::read_to_string(trace).unwrap()))
}

#[test]
fn an_fdatasync_lies_between_the_last_write_of_a_submission_and_its_answer() {
    let folder = tempfile::tempdir().unwrap();
    let Some(calls) = traced_submission(folder.path()) else { return };
    let answer = calls
        .iter()
        .find(|call| call.text.contains("HTTP/1.1 202"))
        .expect("the trace shows the answer");
    let to_log = |call: &&Call| call.text.starts_with("pwrite64") && call.text.contains("db-wal");
    let written = calls
        .iter()
        .filter(to_log)
        .filter(|call| call.began < answer.began)
        .max_by_key(|call| call.ended)
        .expect("the trace shows the write to the log");
    let synced = calls.iter().any(|call| {
        (call.text.starts_with("fdatasync") || call.text.starts_with("fsync"))
            && call.text.contains("db-wal")
            && call.began > written.ended
            && call.ended < answer.began
    });
    assert!(synced, "no sync of the log between {written:?} and {answer:?}");
}
