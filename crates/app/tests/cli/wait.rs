//! `jobmill jobs wait`: the exit code says how the job ended.

use crate::server::{Server, UNEVEN, folder};

#[test]
fn the_exit_code_says_how_the_job_ended() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let good = server.submit(&["range_report", "--input", r#"{"start":1,"end":2}"#]);
    let bad = server.submit(&UNEVEN);
    let later =
        server.submit(&["range_report", "--input", r#"{"start":1,"end":2}"#, "--delay", "1h"]);
    assert!(server.run(&["jobs", "wait", &good]).with(0).out.contains("completed"));
    assert!(server.run(&["jobs", "wait", &bad]).with(1).err.contains("UnevenParts"));
    let unfinished = server.run(&["jobs", "wait", &later, "--timeout", "50ms"]).with(4);
    assert!(unfinished.err.contains("it is scheduled"), "{}", unfinished.err);
    server.run(&["jobs", "cancel", &later]).with(0);
    assert!(server.run(&["jobs", "wait", &later]).with(1).err.contains("cancelled"));
}
