//! Everything the laws look at, read once.

use std::fs;
use std::path::Path;

use super::metadata::Metadata;
use super::source::Source;
use crate::failure::Failure;
use crate::process::{read, workspace_root};

/// A file of the tree; `text` is empty for binary files.
pub(crate) struct TreeFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

pub(crate) struct Manifest {
    pub(crate) path: String,
    pub(crate) table: toml::Table,
}

#[derive(Default)]
pub(crate) struct House {
    pub(crate) files: Vec<TreeFile>,
    /// The Rust files under `crates/*/src` and `xtask/src`.
    pub(crate) sources: Vec<Source>,
    /// The manifests of the workspace members.
    pub(crate) manifests: Vec<Manifest>,
    /// The bans and licences of `deny.toml`.
    pub(crate) deny: toml::Table,
    pub(crate) metadata: Metadata,
}

impl House {
    /// Reads the working tree.
    pub(crate) fn read() -> Result<Self, Failure> {
        let root = workspace_root();
        let files = tree_paths(root)?
            .iter()
            .map(|path| TreeFile::read(root, path))
            .collect::<Result<Vec<_>, _>>()?;
        Self::new(files, Metadata::read()?)
    }

    pub(crate) fn new(files: Vec<TreeFile>, metadata: Metadata) -> Result<Self, Failure> {
        let mut sources = Vec::new();
        let mut manifests = Vec::new();
        let mut deny = toml::Table::new();
        for TreeFile { path, text } in &files {
            if is_source(path) {
                sources.push(Source::parse(path, text)?);
            } else if is_member_manifest(path) {
                manifests.push(Manifest { path: path.clone(), table: toml_table(path, text)? });
            } else if path == "deny.toml" {
                deny = toml_table(path, text)?;
            }
        }
        Source::mark_test_modules(&mut sources);
        Ok(Self { files, sources, manifests, deny, metadata })
    }

    /// The sources whose path starts so, such as `crates/store/src/`.
    pub(crate) fn sources_under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Source> {
        self.sources.iter().filter(move |source| source.path.starts_with(prefix))
    }
}

impl TreeFile {
    fn read(root: &Path, path: &str) -> Result<Self, Failure> {
        let bytes = fs::read(root.join(path)).map_err(Failure::of(path))?;
        let text = String::from_utf8(bytes).unwrap_or_default();
        Ok(Self { path: path.to_owned(), text })
    }
}

/// What git tracks, and new files that it does not ignore; an unpacked archive is all tree.
fn tree_paths(root: &Path) -> Result<Vec<String>, Failure> {
    let mut paths = Vec::new();
    if root.join(".git").exists() {
        let listed =
            read(&["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
        paths.extend(listed.split_terminator('\0').map(str::to_owned));
        paths.retain(|path| root.join(path).is_file());
    } else {
        walk(root, "", &mut paths)?;
    }
    Ok(without_caches(paths))
}

/// Leaves out build folders whatever their name: cargo marks each with a `CACHEDIR.TAG`.
fn without_caches(mut paths: Vec<String>) -> Vec<String> {
    let tags = paths.iter().filter_map(|path| path.strip_suffix("CACHEDIR.TAG"));
    let caches: Vec<String> = tags.map(str::to_owned).collect();
    paths.retain(|path| !caches.iter().any(|cache| path.starts_with(cache)));
    paths
}

fn walk(root: &Path, folder: &str, paths: &mut Vec<String>) -> Result<(), Failure> {
    for entry in fs::read_dir(root.join(folder)).map_err(Failure::of(folder))? {
        let entry = entry.map_err(Failure::of(folder))?;
        let path = format!("{folder}{}", entry.file_name().to_string_lossy());
        if entry.path().is_file() {
            paths.push(path);
        } else {
            walk(root, &format!("{path}/"), paths)?;
        }
    }
    Ok(())
}

fn is_source(path: &str) -> bool {
    let inside = match path.strip_prefix("crates/") {
        Some(member) => member.split_once('/').map(|(_, inside)| inside),
        None => path.strip_prefix("xtask/"),
    };
    inside.is_some_and(|inside| inside.starts_with("src/") && inside.ends_with(".rs"))
}

fn is_member_manifest(path: &str) -> bool {
    let folder = path.strip_suffix("/Cargo.toml").unwrap_or_default();
    folder == "xtask" || folder.strip_prefix("crates/").is_some_and(|member| !member.contains('/'))
}

fn toml_table(path: &str, text: &str) -> Result<toml::Table, Failure> {
    text.parse().map_err(Failure::of(path))
}

#[cfg(test)]
impl House {
    /// An invented tree without packages.
    pub(crate) fn of_files(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|&(path, text)| TreeFile { path: path.to_owned(), text: text.to_owned() })
            .collect();
        Self::new(files, Metadata::default()).expect("the invented tree parses")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_member_sources_are_sources() {
        assert!(is_source("crates/store/src/memory/job.rs"));
        assert!(is_source("xtask/src/main.rs"));
        assert!(!is_source("crates/store/tests/exam.rs"));
        assert!(!is_source("crates/store/src/sql/job.sql"));
        assert!(!is_source("docs/src/a.rs"));
    }

    #[test]
    fn only_member_manifests_are_manifests() {
        assert!(is_member_manifest("crates/store/Cargo.toml"));
        assert!(is_member_manifest("xtask/Cargo.toml"));
        assert!(!is_member_manifest("Cargo.toml"));
        assert!(!is_member_manifest("crates/app/templates/Cargo.toml"));
    }

    #[test]
    fn an_archive_without_git_is_walked() {
        let mut paths = Vec::new();
        walk(&workspace_root().join("xtask"), "", &mut paths).unwrap();
        assert!(paths.iter().any(|path| path == "src/tidy/house.rs"));
    }

    #[test]
    fn build_folders_are_no_part_of_the_tree() {
        let paths = ["a.rs", "out/CACHEDIR.TAG", "out/debug/b.rs", "outside.rs"];
        let kept = without_caches(paths.map(str::to_owned).to_vec());
        assert_eq!(kept, ["a.rs", "outside.rs"]);
    }

    #[test]
    fn a_file_that_does_not_parse_is_named() {
        let file = TreeFile { path: "crates/a/src/lib.rs".into(), text: "fn (".into() };
        let failure = House::new(vec![file], Metadata::default()).err();
        assert!(failure.is_some_and(|it| it.message().starts_with("crates/a/src/lib.rs:1")));
    }
}
