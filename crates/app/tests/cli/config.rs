//! `jobmill config`: where each value comes from, and what is wrong with it.

use std::path::Path;

use jobmill_model::Value;

use crate::server::{Ended, folder, jobmill, text};

fn config(folder: &Path, variables: &[(&str, &str)], args: &[&str]) -> Ended {
    let mut command = jobmill(folder);
    command.arg("config").args(args).envs(variables.iter().copied());
    command.output().unwrap().into()
}

#[track_caller]
fn found(ended: &Ended, name: &str) -> (String, String) {
    let json = ended.json();
    let settings = json.as_map().and_then(|map| map.get("settings")?.as_list()).unwrap();
    let setting = settings.iter().find(|setting| text(setting, "name") == name).unwrap();
    (text(setting, "value").to_owned(), text(setting, "from").to_owned())
}

#[test]
fn the_later_of_default_file_environment_and_flag_wins() {
    let folder = folder();
    let file = [("jobmill.toml", "grace = \"2s\"\nworkers = 2\nlog = \"warn\"\n")];
    let environment = [("JOBMILL_GRACE", "3s"), ("JOBMILL_WORKERS", "3")];
    let flags = ["--json", "--grace", "4s"];
    std::fs::write(folder.path().join(file[0].0), file[0].1).unwrap();
    let ended = config(folder.path(), &environment, &flags).with(0);
    let table = [
        ("grace", "4s", "--grace"),
        ("workers", "3", "JOBMILL_WORKERS"),
        ("log", "warn", "jobmill.toml:3"),
        ("listen", "127.0.0.1:8080", "default"),
    ];
    for (name, value, from) in table {
        assert_eq!(found(&ended, name), (value.to_owned(), from.to_owned()));
    }
}

#[test]
fn another_file_can_be_named_by_flag_and_by_variable() {
    let folder = folder();
    std::fs::write(folder.path().join("a.toml"), "workers = 7\n").unwrap();
    std::fs::write(folder.path().join("b.toml"), "workers = 8\n").unwrap();
    let by_flag = config(folder.path(), &[], &["--json", "--config", "a.toml"]).with(0);
    assert_eq!(found(&by_flag, "workers").0, "7");
    let variables = [("JOBMILL_CONFIG", "b.toml")];
    assert_eq!(found(&config(folder.path(), &variables, &["--json"]), "workers").0, "8");
    let missing = config(folder.path(), &[], &["--config", "c.toml"]).with(2);
    assert!(missing.err.contains("c.toml cannot be read"), "{}", missing.err);
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_a_near_name() {
    let folder = folder();
    std::fs::write(folder.path().join("jobmill.toml"), "workers = 2\nlisten-on = \"x\"\n").unwrap();
    let ended = config(folder.path(), &[], &[]).with(2);
    assert_eq!(
        ended.err,
        "error: jobmill.toml:2: no setting is called `listen_on`; did you mean `listen`?\n"
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once_with_its_origin() {
    let folder = folder();
    std::fs::write(folder.path().join("jobmill.toml"), "data = \"\"\n").unwrap();
    let variables = [("JOBMILL_WORKERS", "1025"), ("JOBMILL_SERVER", "ftp://x")];
    let ended = config(folder.path(), &variables, &["--grace", "soon"]).with(2);
    insta::assert_snapshot!(ended.err);
}

#[test]
fn secrets_are_never_shown() {
    let folder = folder();
    let secret = "a-key-that-nobody-guesses";
    for args in [&[][..], &["--json"]] {
        let ended = config(folder.path(), &[("JOBMILL_API_KEY", secret)], args).with(0);
        assert!(ended.out.contains("(hidden)") && !ended.out.contains(secret), "{}", ended.out);
    }
    let short = config(folder.path(), &[("JOBMILL_API_KEY", "tooshort")], &[]).with(2);
    assert!(!short.err.contains("tooshort"), "{}", short.err);
}

#[test]
fn every_setting_has_its_name_in_four_places() {
    let ended = config(folder().path(), &[], &["--json"]).with(0);
    let json = ended.json();
    let settings = json.as_map().and_then(|map| map.get("settings")?.as_list()).unwrap();
    for setting in settings {
        let name = text(setting, "name");
        assert_eq!(text(setting, "variable"), format!("JOBMILL_{}", name.to_uppercase()));
        let flag = setting.as_map().and_then(|map| map.get("flag")).unwrap();
        if *flag != Value::Null {
            assert_eq!(flag.as_str(), Some(&*format!("--{}", name.replace('_', "-"))));
        }
    }
}

#[test]
fn the_readme_names_every_setting() {
    let readme = include_str!("../../../../README.md");
    let table = readme.split_once("## Configuration").unwrap().1;
    for setting in jobmill::config::SETTINGS {
        assert!(table.contains(&format!("`{}`", setting.name)), "{}", setting.name);
        if let jobmill::config::Fallback::Text(default) = setting.fallback {
            assert!(table.contains(&format!("`{default}`")), "{} of {}", default, setting.name);
        }
    }
}
