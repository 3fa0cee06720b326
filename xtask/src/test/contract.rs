//! Schemathesis, which tries the server against its OpenAPI document, in a Python environment of
//! its own under `target`.

use std::fs;
use std::path::Path;

use crate::failure::Failure;
use crate::process;

const USED_FOR: &str = "the test that tries the server against its OpenAPI document";
const FOLDER: &str = "target/python/contract";
const REQUIREMENTS: &str = "crates/app/tests/contract/requirements.txt";

/// Installs what the requirements name unless it is there; where that cannot be done the test
/// skips itself.
pub(super) fn provide() -> Result<(), Failure> {
    let root = process::workspace_root();
    let wanted = fs::read(root.join(REQUIREMENTS)).map_err(Failure::of(REQUIREMENTS))?;
    // The copy is written last, so that an installation that broke off is done again.
    let copy = root.join(FOLDER).join("requirements.txt");
    if fs::read(&copy).is_ok_and(|installed| installed == wanted) {
        println!("present: schemathesis in {FOLDER}");
        return Ok(());
    }
    match install(&root.join(FOLDER)) {
        Ok(()) => fs::write(&copy, wanted).map_err(Failure::of(FOLDER)),
        Err(obstacle) => {
            println!("skipped: {USED_FOR} (schemathesis is missing: {obstacle})");
            Ok(())
        }
    }
}

fn install(folder: &Path) -> Result<(), &'static str> {
    if !process::answers(&["python3", "--version"]) {
        return Err("installing it needs python3");
    }
    // What is left of another version would stay beside the new one.
    let _ = fs::remove_dir_all(folder);
    let path = folder.to_str().ok_or("the path of this folder is not text")?;
    process::run(&["python3", "-m", "venv", path])
        .map_err(|_| "python3 cannot make a virtual environment, see above")?;
    let pip = format!("{path}/bin/pip");
    process::run(&[&pip, "install", "--quiet", "--retries", "1", "--requirement", REQUIREMENTS])
        .map_err(|_| "pip failed, see above")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_are_pinned() {
        let text = fs::read_to_string(process::workspace_root().join(REQUIREMENTS)).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(lines.iter().any(|line| line.starts_with("schemathesis==")), "{lines:?}");
        assert!(lines.iter().all(|line| line.contains("==")), "{lines:?}");
    }
}
