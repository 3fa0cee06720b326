//! The help texts, as they are shown.

use crate::server::{folder, run};

#[test]
fn every_command_explains_itself() {
    let commands = [
        "",
        "serve",
        "worker",
        "demo",
        "run",
        "flows",
        "flows list",
        "flows show",
        "schedules",
        "schedules list",
        "schedules show",
        "schedules put",
        "schedules delete",
        "schedules pause",
        "schedules resume",
        "schedules trigger",
        "workflows",
        "workflows check",
        "workflows deploy",
        "workflows list",
        "workflows show",
        "workflows delete",
        "workflows graph",
        "workflows run",
        "workflows watch",
        "keys",
        "keys create",
        "keys list",
        "keys revoke",
        "backup",
        "restore",
        "queues",
        "queues list",
        "queues show",
        "queues set",
        "queues pause",
        "queues resume",
        "config",
        "selftest",
        "jobs",
        "jobs submit",
        "jobs list",
        "jobs show",
        "jobs wait",
        "jobs results",
        "jobs errors",
        "jobs watch",
        "jobs explain",
        "jobs cancel",
        "jobs retry",
        "jobs delete",
    ];
    let folder = folder();
    for command in commands {
        let args: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let ended = run(folder.path(), &args).with(0);
        assert_eq!(ended.err, "", "help is data");
        let name = format!("help {command}");
        insta::assert_snapshot!(name.trim_end().replace(' ', "_"), ended.out);
    }
}

#[test]
fn a_misspelt_command_is_a_usage_error_with_a_near_one() {
    let folder = folder();
    let ended = run(folder.path(), &["job", "list"]).with(2);
    assert!(ended.err.contains("jobs"), "{}", ended.err);
    assert_eq!(ended.out, "");
}

#[test]
fn the_version_is_shown() {
    let ended = run(folder().path(), &["--version"]).with(0);
    assert_eq!(ended.out, concat!("jobmill ", env!("CARGO_PKG_VERSION"), "\n"));
}
