//! Packages of Python and Node that tests drive: each set in an environment of its own under
//! `target`.

use std::fs;
use std::path::Path;

use crate::failure::Failure;
use crate::process;

/// Packages that are installed together.
struct Set {
    used_for: &'static str,
    folder: &'static str,
    /// What is wanted, with versions; a copy of it in the folder says that it is there.
    requirements: &'static str,
    install: fn(&Path, &Path) -> Result<(), &'static str>,
}

const SETS: [Set; 3] = [
    Set {
        used_for: "the test that tries the server against its OpenAPI document",
        folder: "target/python/contract",
        requirements: "crates/app/tests/contract/requirements.txt",
        install: with_pip,
    },
    Set {
        used_for: "the tests that drive Google's clients for Python",
        folder: "target/python/google",
        requirements: "crates/app/tests/google/requirements.txt",
        install: with_pip,
    },
    Set {
        used_for: "the test that drives Google's client for Node",
        folder: "target/node/google",
        requirements: "crates/app/tests/google/package.json",
        install: with_npm,
    },
];

/// Installs what the requirements name unless it is there; where that cannot be done the tests
/// skip themselves.
pub(super) fn provide() -> Result<(), Failure> {
    SETS.iter().try_for_each(provide_set)
}

fn provide_set(set: &Set) -> Result<(), Failure> {
    let root = process::workspace_root();
    let requirements = root.join(set.requirements);
    let wanted = fs::read(&requirements).map_err(Failure::of(set.requirements))?;
    let folder = root.join(set.folder);
    // The copy is written last, so that an installation that broke off is done again.
    let name = requirements.file_name().unwrap_or_default();
    let copy = folder.join(name);
    if fs::read(&copy).is_ok_and(|installed| installed == wanted) {
        println!("present: {}", set.folder);
        return Ok(());
    }
    // What is left of another version would stay beside the new one.
    let _ = fs::remove_dir_all(&folder);
    match (set.install)(&folder, &requirements) {
        Ok(()) => fs::write(&copy, wanted).map_err(Failure::of(set.folder)),
        Err(obstacle) => {
            println!("skipped: {} ({} is missing: {obstacle})", set.used_for, set.folder);
            Ok(())
        }
    }
}

const NO_TEXT: &str = "the path of this folder is not text";

fn with_pip(folder: &Path, requirements: &Path) -> Result<(), &'static str> {
    if !process::answers(&["python3", "--version"]) {
        return Err("installing it needs python3");
    }
    let (folder, requirements) = folder.to_str().zip(requirements.to_str()).ok_or(NO_TEXT)?;
    process::run(&["python3", "-m", "venv", folder])
        .map_err(|_| "python3 cannot make a virtual environment, see above")?;
    let pip = format!("{folder}/bin/pip");
    process::run(&[&pip, "install", "--quiet", "--retries", "1", "--requirement", requirements])
        .map_err(|_| "pip failed, see above")
}

fn with_npm(folder: &Path, requirements: &Path) -> Result<(), &'static str> {
    if !process::answers(&["node", "--version"]) || !process::answers(&["npm", "--version"]) {
        return Err("installing it needs node and npm");
    }
    let make = |_| "the folder cannot be made";
    fs::create_dir_all(folder).map_err(make)?;
    // npm wants the file under this name beside what it installs; it is no sign of success yet.
    let listed = folder.join("wanted");
    fs::create_dir_all(&listed).map_err(make)?;
    fs::copy(requirements, listed.join("package.json")).map_err(make)?;
    let prefix = listed.to_str().ok_or(NO_TEXT)?;
    let flags = ["--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"];
    process::run(&[&["npm", "install", "--prefix", prefix][..], &flags].concat())
        .map_err(|_| "npm failed, see above")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_are_pinned() {
        for set in SETS.iter().filter(|set| set.requirements.ends_with(".txt")) {
            let text = fs::read_to_string(process::workspace_root().join(set.requirements));
            let text = text.unwrap();
            let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
            assert!(lines.len() > 1 && lines.iter().all(|line| line.contains("==")), "{lines:?}");
        }
        let path = process::workspace_root().join("crates/app/tests/google/package.json");
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains("@google-cloud/workflows") && !text.contains(['^', '~']), "{text}");
    }

    #[test]
    fn every_set_has_a_folder_of_its_own_under_target() {
        for (at, set) in SETS.iter().enumerate() {
            assert!(set.folder.starts_with("target/"), "{}", set.folder);
            assert!(SETS[..at].iter().all(|other| other.folder != set.folder));
        }
    }
}
