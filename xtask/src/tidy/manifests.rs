//! Every member says in its manifest only what is its own.

use toml::{Table, Value};

use super::findings::Findings;
use super::house::House;

pub(crate) const WHY: &str = "one version of a dependency, one edition, one licence and one set of \
    lints for the whole house are changed in one place.";

const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "publish"];
const DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

pub(crate) fn check(house: &House, findings: &mut Findings) {
    for manifest in &house.manifests {
        let mut demand = |holds: bool, text: &str| {
            if !holds {
                findings.violation(&manifest.path, text);
            }
        };
        let table = &manifest.table;
        demand(inherits(table.get("lints")), "`[lints] workspace = true` is missing");
        for key in INHERITED {
            let value = table.get("package").and_then(|package| package.get(key));
            demand(inherits(value), &format!("`{key}.workspace = true` is missing"));
        }
        for (name, value) in dependencies(table) {
            demand(inherits(Some(value)), &format!("{name} is not `workspace = true`"));
        }
    }
}

fn inherits(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")) == Some(&Value::Boolean(true))
}

/// The dependencies of all kinds, and those for single platforms.
fn dependencies(manifest: &Table) -> Vec<(&String, &Value)> {
    let platforms = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let platforms = platforms.filter_map(|(_, platform)| platform.as_table());
    std::iter::once(manifest)
        .chain(platforms)
        .flat_map(|table| DEPENDENCIES.iter().filter_map(|kind| table.get(*kind)?.as_table()))
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::findings::found_in;
    use super::*;

    const GOOD: &str = "[package]\nname = \"a\"\nversion.workspace = true\n\
        edition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\n\
        publish.workspace = true\n[lints]\nworkspace = true\n[dependencies]\n";

    fn found(text: &str) -> Vec<String> {
        found_in(check, &[("crates/a/Cargo.toml", text)])
    }

    #[test]
    fn a_member_that_inherits_everything_is_fine() {
        assert!(found(GOOD).is_empty());
        assert!(found(&format!("{GOOD}b = {{ workspace = true, optional = true }}")).is_empty());
    }

    #[test]
    fn everything_that_is_not_inherited_is_named() {
        assert_eq!(found("[package]\nname = \"a\"").len(), 1 + INHERITED.len());
        let own_edition = GOOD.replace("edition.workspace = true", "edition = \"2021\"");
        assert_eq!(
            found(&own_edition),
            ["crates/a/Cargo.toml: `edition.workspace = true` is missing"]
        );
    }

    #[test]
    fn a_version_of_its_own_is_caught_in_every_table() {
        let text = format!(
            "{GOOD}b = \"1\"\n[dev-dependencies]\nc = {{ version = \"1\" }}\n\
             [target.'cfg(unix)'.dependencies]\nd = {{ path = \"../d\" }}"
        );
        assert_eq!(found(&text).len(), 3);
    }
}
