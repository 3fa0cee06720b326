//! The external programs that tests call, installed where that is possible.

use crate::failure::Failure;
use crate::process;

struct Program {
    name: &'static str,
    version_flag: &'static str,
    used_for: &'static str,
}

/// The Debian package of each program has the program's name.
const PROGRAMS: [Program; 4] = [
    Program {
        name: "strace",
        version_flag: "-V",
        used_for: "the tests that trace an fdatasync before the answer to a submission",
    },
    Program {
        name: "sqlite3",
        version_flag: "-version",
        used_for: "the tests that read the store with the stock SQLite shell",
    },
    Program {
        name: "curl",
        version_flag: "--version",
        used_for: "the tests that run the example worker for the shell",
    },
    Program {
        name: "jq",
        version_flag: "--version",
        used_for: "the tests that run the example worker for the shell",
    },
];

/// Installs what is missing; what cannot be installed is named, and its tests skip themselves.
pub(crate) fn provide() -> Result<(), Failure> {
    let missing = missing();
    if missing.is_empty() {
        println!("all present: {}", names(&PROGRAMS.iter().collect::<Vec<_>>()));
        return Ok(());
    }
    let obstacle = match install(&missing) {
        Ok(()) => "the installation did not bring it".to_owned(),
        Err(reason) => reason,
    };
    for program in self::missing() {
        println!("skipped: {} ({} is missing: {obstacle})", program.used_for, program.name);
    }
    Ok(())
}

fn missing() -> Vec<&'static Program> {
    PROGRAMS.iter().filter(|it| !process::answers(&[it.name, it.version_flag])).collect()
}

fn install(programs: &[&Program]) -> Result<(), String> {
    let is_root = process::read(&["id", "-u"]).is_ok_and(|id| id.trim() == "0");
    if !is_root || !process::answers(&["apt-get", "--version"]) {
        return Err("installing it needs root and apt-get".to_owned());
    }
    let apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"];
    let update = [&apt[..], &["-o", "Acquire::Retries=1", "update"]].concat();
    let wanted: Vec<&str> = programs.iter().map(|program| program.name).collect();
    let fetch = [&apt[..], &["install", "-y", "--no-install-recommends"], &wanted].concat();
    let ran = process::run(&update).and_then(|()| process::run(&fetch));
    ran.map_err(|_| "apt-get failed, see above".to_owned())
}

fn names(programs: &[&Program]) -> String {
    programs.iter().map(|program| program.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_says_what_it_is_for() {
        assert!(PROGRAMS.iter().all(|program| program.used_for.starts_with("the tests that")));
        assert_eq!(names(&[&PROGRAMS[0], &PROGRAMS[1]]), "strace, sqlite3");
    }
}
