//! Which crate of the house may import which, and which may not know an async runtime.

use super::findings::Findings;
use super::house::House;
use super::metadata::{Kind, Package};

pub(crate) const WHY: &str = "data walks one way through the house, and a crate that imports its \
    user can no longer be understood, tested or replaced without it.";

pub(crate) const RUNTIME_WHY: &str = "these crates decide and do not touch; without a runtime in \
    reach nobody can sleep, spawn or open a socket in them.";

/// A package and the packages of the house that it may import.
struct Room {
    package: &'static str,
    may_import: &'static [&'static str],
}

const ROOMS: [Room; 10] = [
    Room { package: "jobmill-model", may_import: &[] },
    Room { package: "jobmill-flow", may_import: &["jobmill-model"] },
    Room { package: "jobmill-google", may_import: &["jobmill-model"] },
    Room { package: "jobmill-llm", may_import: &["jobmill-model"] },
    Room { package: "jobmill-store", may_import: &["jobmill-model"] },
    Room { package: "jobmill-gcw", may_import: &["jobmill-model", "jobmill-google"] },
    Room { package: "jobmill-backends", may_import: &["jobmill-model", "jobmill-store"] },
    Room {
        package: "jobmill-engine",
        may_import: &[
            "jobmill-model",
            "jobmill-store",
            "jobmill-flow",
            "jobmill-google",
            "jobmill-llm",
        ],
    },
    Room {
        package: "jobmill",
        may_import: &[
            "jobmill-model",
            "jobmill-flow",
            "jobmill-google",
            "jobmill-llm",
            "jobmill-store",
            "jobmill-gcw",
            "jobmill-backends",
            "jobmill-engine",
        ],
    },
    Room { package: "xtask", may_import: &[] },
];

const WITHOUT_RUNTIME: [&str; 4] =
    ["jobmill-model", "jobmill-flow", "jobmill-google", "jobmill-gcw"];

const RUNTIMES: [&str; 3] = ["tokio", "async-std", "smol"];

pub(crate) fn check(house: &House, findings: &mut Findings) {
    let names: Vec<&str> = house.metadata.members().map(|it| it.name.as_str()).collect();
    for package in house.metadata.members() {
        let Some(room) = ROOMS.iter().find(|room| room.package == package.name) else {
            findings.violation(&package.name, "has no row in the import table of xtask");
            continue;
        };
        for import in imports(package).filter(|import| names.contains(import)) {
            if !room.may_import.contains(&import) {
                let may = if room.may_import.is_empty() {
                    "nothing of the house".to_owned()
                } else {
                    room.may_import.join(", ")
                };
                let text = format!("imports {import}; it may import {may}");
                findings.violation(&package.name, text);
            }
        }
    }
    findings.note("normal and build dependencies; dev-dependencies of tests are free");
}

fn imports(package: &Package) -> impl Iterator<Item = &str> {
    let shipped = package.dependencies.iter().filter(|it| it.kind != Some(Kind::Dev));
    shipped.map(|it| it.name.as_str())
}

pub(crate) fn check_runtimes(house: &House, findings: &mut Findings) {
    let pure = |package: &&Package| WITHOUT_RUNTIME.contains(&package.name.as_str());
    for package in house.metadata.members().filter(pure) {
        let linked = house.metadata.linked_by(package);
        for runtime in RUNTIMES.iter().filter(|runtime| linked.contains(**runtime)) {
            let text =
                format!("has {runtime} in its tree: `cargo tree -p {} -i {runtime}`", package.name);
            findings.violation(&package.name, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::findings::found;
    use super::super::metadata::Metadata;
    use super::*;

    fn house(packages: &[&str]) -> House {
        House { metadata: Metadata::of(packages), ..House::default() }
    }

    #[test]
    fn an_import_against_the_table_is_caught() {
        let upwards = house(&["jobmill-model -> jobmill-store", "jobmill-store"]);
        assert_eq!(
            found(check, &upwards),
            ["jobmill-model: imports jobmill-store; it may import nothing of the house"]
        );
        let sideways = house(&["jobmill-engine -> jobmill-gcw build", "jobmill-gcw"]);
        assert_eq!(found(check, &sideways).len(), 1);
    }

    #[test]
    fn dev_dependencies_and_foreign_crates_are_free() {
        let free = house(&["jobmill-flow -> jobmill-store dev, serde", "jobmill-store", "serde"]);
        assert!(found(check, &free).is_empty());
    }

    #[test]
    fn a_crate_without_a_row_is_caught() {
        assert_eq!(found(check, &house(&["jobmill-attic"])).len(), 1);
    }

    #[test]
    fn every_row_imports_rows() {
        let known = |name: &&&str| ROOMS.iter().any(|room| room.package == **name);
        assert!(ROOMS.iter().all(|room| room.may_import.iter().all(|name| known(&name))));
    }

    #[test]
    fn a_runtime_deep_in_the_tree_is_caught() {
        let deep = house(&["jobmill-gcw -> helper", "helper -> tokio", "tokio"]);
        assert_eq!(found(check_runtimes, &deep).len(), 1);
        let tests_only = house(&["jobmill-gcw -> tokio dev", "tokio"]);
        assert!(found(check_runtimes, &tests_only).is_empty());
        let elsewhere = house(&["jobmill-engine -> tokio", "tokio"]);
        assert!(found(check_runtimes, &elsewhere).is_empty());
    }
}
