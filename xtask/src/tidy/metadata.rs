//! What cargo says about the packages: the parts of `cargo metadata` that laws read.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::failure::Failure;
use crate::process;

#[derive(Default, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_members: BTreeSet<String>,
    #[serde(default)]
    resolve: Resolve,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    /// Absent for path dependencies.
    pub(crate) source: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) dependencies: Vec<Declared>,
}

/// A dependency as the manifest declares it.
#[derive(Deserialize)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) kind: Option<Kind>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Dev,
    Build,
}

#[derive(Default, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
    features: Vec<String>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
struct EdgeKind {
    kind: Option<Kind>,
}

impl Metadata {
    /// Asks cargo, with the features that the tests select, for the platform of this machine.
    pub(crate) fn read() -> Result<Self, Failure> {
        let versions = process::read(&["rustc", "-vV"])?;
        let host = versions
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .ok_or_else(|| Failure::new("`rustc -vV` names no host"))?;
        let asked = ["cargo", "metadata", "--format-version", "1", "--all-features", "--locked"];
        let text = process::read(&[&asked[..], &["--filter-platform", host]].concat())?;
        serde_json::from_str(&text).map_err(Failure::of("reading `cargo metadata`"))
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The features that are switched on in the package.
    pub(crate) fn features(&self, package: &Package) -> &[String] {
        self.node(&package.id).map_or(&[], |node| &node.features)
    }

    /// The names of the packages that depend on this one directly.
    pub(crate) fn dependents(&self, package: &Package) -> BTreeSet<&str> {
        let names = self.names();
        let nodes = self.resolve.nodes.iter();
        nodes
            .filter(|node| node.deps.iter().any(|edge| edge.pkg == package.id))
            .filter_map(|node| names.get(node.id.as_str()).copied())
            .collect()
    }

    /// Whether the package is compiled for this platform at all.
    pub(crate) fn is_resolved(&self, package: &Package) -> bool {
        self.node(&package.id).is_some()
    }

    /// The names of all packages that this one links, however deep. Features are those of the
    /// whole workspace, so an optional dependency that another member switches on is among them.
    pub(crate) fn linked_by(&self, package: &Package) -> BTreeSet<&str> {
        let names = self.names();
        let mut seen = BTreeSet::new();
        let mut open = vec![package.id.as_str()];
        while let Some(node) = open.pop().and_then(|id| self.node(id)) {
            let linked = node.deps.iter().filter(|edge| edge.is_linked());
            open.extend(linked.map(|edge| edge.pkg.as_str()).filter(|id| seen.insert(*id)));
        }
        seen.into_iter().filter_map(|id| names.get(id).copied()).collect()
    }

    fn node(&self, id: &str) -> Option<&Node> {
        self.resolve.nodes.iter().find(|node| node.id == id)
    }

    fn names(&self) -> BTreeMap<&str, &str> {
        self.packages.iter().map(|it| (it.id.as_str(), it.name.as_str())).collect()
    }
}

impl Edge {
    fn is_linked(&self) -> bool {
        self.dep_kinds.iter().any(|it| it.kind.is_none())
    }
}

/// Tests of laws: an invented dependency graph.
#[cfg(test)]
impl Metadata {
    /// Every package is `name -> dependency, dependency dev, dependency build`; a package that
    /// starts with `jobmill` is a member of the workspace.
    pub(crate) fn of(packages: &[&str]) -> Self {
        let mut metadata = Self::default();
        for line in packages {
            let (name, dependencies) = line.split_once(" -> ").unwrap_or((line, ""));
            metadata.add(name, dependencies);
        }
        metadata
    }

    fn add(&mut self, name: &str, dependencies: &str) {
        let is_member = name.starts_with("jobmill");
        if is_member {
            self.workspace_members.insert(name.to_owned());
        }
        let declared: Vec<Declared> =
            dependencies.split(", ").filter(|it| !it.is_empty()).map(Declared::of).collect();
        let edge = |it: &Declared| Edge {
            pkg: it.name.clone(),
            dep_kinds: vec![EdgeKind { kind: it.kind }],
        };
        let deps = declared.iter().map(edge).collect();
        self.resolve.nodes.push(Node { id: name.to_owned(), deps, features: Vec::new() });
        self.packages.push(Package {
            id: name.to_owned(),
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            source: (!is_member).then(|| "registry+default".to_owned()),
            license: Some("MIT".to_owned()),
            dependencies: declared,
        });
    }

    pub(crate) fn with_feature(mut self, package: &str, feature: &str) -> Self {
        let node = self.resolve.nodes.iter_mut().find(|node| node.id == package);
        node.expect("the package is invented").features.push(feature.to_owned());
        self
    }
}

#[cfg(test)]
impl Declared {
    fn of(text: &str) -> Self {
        let (name, kind) = text.split_once(' ').unwrap_or((text, ""));
        let kind = match kind {
            "dev" => Some(Kind::Dev),
            "build" => Some(Kind::Build),
            _ => None,
        };
        Self { name: name.to_owned(), kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linking_follows_normal_edges_only() {
        let metadata = Metadata::of(&["jobmill-a -> b, c dev, d build", "b -> e", "c", "d", "e"]);
        let linked = metadata.linked_by(&metadata.packages[0]);
        assert_eq!(linked.into_iter().collect::<Vec<_>>(), ["b", "e"]);
    }

    #[test]
    fn dependents_are_direct() {
        let metadata = Metadata::of(&["jobmill-a -> b", "b -> c", "c"]);
        let dependents = metadata.dependents(&metadata.packages[2]);
        assert_eq!(dependents.into_iter().collect::<Vec<_>>(), ["b"]);
    }
}
