//! The storage backends have the same rooms.

use std::collections::BTreeSet;

use super::findings::Findings;
use super::house::House;

pub(crate) const WHY: &str = "who has read one backend knows the others; a verb that lives in \
    another file there has to be searched for.";

const SIBLINGS: [&str; 2] = ["crates/backends/src/sqlite/", "crates/backends/src/postgres/"];

pub(crate) fn check(house: &House, findings: &mut Findings) {
    let rooms = SIBLINGS.map(|folder| file_names(house, folder));
    if rooms.iter().any(BTreeSet::is_empty) {
        findings.note("waits until both backends exist");
        return;
    }
    for (ours, theirs) in [(0, 1), (1, 0)] {
        for missing in rooms[theirs].difference(&rooms[ours]) {
            let text = format!("is missing, and {}{missing} exists", SIBLINGS[theirs]);
            findings.violation(format_args!("{}{missing}", SIBLINGS[ours]), text);
        }
    }
}

fn file_names<'a>(house: &'a House, folder: &'a str) -> BTreeSet<&'a str> {
    house.sources_under(folder).filter_map(|source| source.path.strip_prefix(folder)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::findings::found_in;
    use super::*;

    #[test]
    fn a_file_that_one_backend_lacks_is_caught() {
        let files = [
            ("crates/backends/src/sqlite/job.rs", ""),
            ("crates/backends/src/sqlite/queue.rs", ""),
            ("crates/backends/src/postgres/job.rs", ""),
        ];
        let found = found_in(check, &files);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("crates/backends/src/postgres/queue.rs: is missing"));
    }

    #[test]
    fn one_backend_alone_is_fine() {
        assert!(found_in(check, &[("crates/backends/src/sqlite/job.rs", "")]).is_empty());
    }
}
