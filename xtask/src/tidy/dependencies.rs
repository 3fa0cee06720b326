//! The foreign packages: which may be there, with which features, licences and sources.
//!
//! The lists stand in `deny.toml`, where cargo-deny reads them too. This law reads the part of
//! that file that the house uses and needs no other program.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::findings::Findings;
use super::house::House;
use super::licences::is_met;
use super::metadata::{Metadata, Package};

pub(crate) const WHY: &str = "a dependency of a dependency can bring a second TLS stack, a licence \
    or a feature that changes every crate of the house, and nobody sees it in a diff.";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Rules {
    bans: Bans,
    licenses: Licences,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Bans {
    deny: Vec<Ban>,
    features: Vec<FeatureBan>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    /// The packages that may depend on it all the same.
    #[serde(default)]
    wrappers: Vec<String>,
    reason: String,
}

#[derive(Deserialize)]
struct FeatureBan {
    #[serde(rename = "crate")]
    name: String,
    deny: Vec<String>,
    reason: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Licences {
    allow: Vec<String>,
    exceptions: Vec<LicenceException>,
}

#[derive(Deserialize)]
struct LicenceException {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

pub(crate) fn check(house: &House, findings: &mut Findings) {
    let rules: Rules = match house.deny.clone().try_into() {
        Ok(rules) => rules,
        Err(error) => return findings.violation("deny.toml", error),
    };
    let metadata = &house.metadata;
    for package in metadata.packages.iter().filter(|package| metadata.is_resolved(package)) {
        let mut violation = |text: String| {
            findings.violation(format_args!("{} {}", package.name, package.version), text);
        };
        rules.bans.check(metadata, package, &mut violation);
        rules.licenses.check(package, &mut violation);
    }
    check_sources(metadata, findings);
}

impl Bans {
    fn check(&self, metadata: &Metadata, package: &Package, violation: &mut dyn FnMut(String)) {
        for ban in self.deny.iter().filter(|ban| ban.name == package.name) {
            for user in metadata.dependents(package) {
                if !ban.wrappers.iter().any(|wrapper| wrapper == user) {
                    violation(format!("is banned and {user} uses it: {}", ban.reason));
                }
            }
        }
        for ban in self.features.iter().filter(|ban| ban.name == package.name) {
            let features = metadata.features(package);
            for feature in ban.deny.iter().filter(|feature| features.contains(feature)) {
                violation(format!("has the feature {feature}: {}", ban.reason));
            }
        }
    }
}

impl Licences {
    fn check(&self, package: &Package, violation: &mut dyn FnMut(String)) {
        let excepted = self.exceptions.iter().filter(|it| it.name == package.name);
        let excepted: Vec<&String> = excepted.flat_map(|it| &it.allow).collect();
        let allowed = |licence: &str| {
            self.allow.iter().chain(excepted.iter().copied()).any(|it| it == licence)
        };
        match &package.license {
            None => violation("names no licence".to_owned()),
            Some(licence) if is_met(licence, allowed) => {}
            Some(licence) => violation(format!("has the licence {licence}, see deny.toml")),
        }
    }
}

/// One registry and nothing else.
fn check_sources(metadata: &Metadata, findings: &mut Findings) {
    let mut registries = BTreeSet::new();
    for package in &metadata.packages {
        match &package.source {
            Some(source) if source.starts_with("registry+") => {
                registries.insert(source);
            }
            Some(source) => findings.violation(&package.name, format_args!("is from {source}")),
            None if metadata.workspace_members.contains(&package.id) => {}
            None => findings.violation(&package.name, "is a path outside the workspace"),
        }
    }
    if registries.len() > 1 {
        findings.violation("packages", format_args!("are from several registries: {registries:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::findings::found;
    use super::*;

    const DENY: &str = r#"
        [bans]
        deny = [
            { crate = "openssl-sys", reason = "one TLS stack" },
            { crate = "chrono", wrappers = ["croner"], reason = "jiff" },
        ]
        [[bans.features]]
        crate = "serde_json"
        deny = ["preserve_order"]
        reason = "changes every crate"
        [licenses]
        allow = ["MIT"]
        exceptions = [{ crate = "tls", allow = ["OpenSSL"] }]
    "#;

    fn violations(metadata: Metadata) -> Vec<String> {
        let deny = DENY.parse().unwrap();
        found(check, &House { metadata, deny, ..House::default() })
    }

    fn with_package(name: &str, change: impl FnOnce(&mut Package)) -> Vec<String> {
        let mut metadata = Metadata::of(&[name]);
        change(&mut metadata.packages[0]);
        violations(metadata)
    }

    #[test]
    fn a_banned_package_is_caught_with_its_user() {
        let banned = Metadata::of(&["jobmill -> http", "http -> openssl-sys", "openssl-sys"]);
        assert_eq!(
            violations(banned),
            ["openssl-sys 1.0.0: is banned and http uses it: one TLS stack"]
        );
    }

    #[test]
    fn a_wrapper_may_use_what_others_may_not() {
        let wrapped = Metadata::of(&["jobmill -> croner", "croner -> chrono", "chrono"]);
        assert!(violations(wrapped).is_empty());
        let direct = Metadata::of(&["jobmill -> chrono", "chrono"]);
        assert_eq!(violations(direct).len(), 1);
    }

    #[test]
    fn a_banned_feature_is_caught() {
        let metadata = Metadata::of(&["jobmill -> serde_json", "serde_json"]);
        let metadata = metadata.with_feature("serde_json", "preserve_order");
        assert_eq!(violations(metadata).len(), 1);
    }

    #[test]
    fn a_licence_outside_the_list_is_caught() {
        let openssl = |package: &mut Package| package.license = Some("MIT AND OpenSSL".into());
        assert_eq!(with_package("other", openssl).len(), 1);
        assert!(with_package("tls", openssl).is_empty());
        assert_eq!(with_package("other", |package| package.license = None).len(), 1);
    }

    #[test]
    fn other_sources_are_caught() {
        let git = |package: &mut Package| package.source = Some("git+ssh://a/b".into());
        assert_eq!(with_package("other", git).len(), 1);
        assert_eq!(with_package("other", |package| package.source = None).len(), 1);
        let mut two = Metadata::of(&["a", "b"]);
        two.packages[0].source = Some("registry+other".into());
        assert_eq!(violations(two).len(), 1);
    }
}
