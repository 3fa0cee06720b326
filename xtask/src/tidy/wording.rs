//! What may and may not stand in a file: docs, width, names, open marks, panics, excuses, paths.

use super::findings::Findings;
use super::house::House;

pub(crate) const DOC_WHY: &str = "a stranger opens a file and reads in its first line what it is \
    for.";
pub(crate) const WIDTH_WHY: &str = "two files fit beside each other; rustfmt keeps code narrow but \
    not comments and strings.";
pub(crate) const NAME_WHY: &str = "a drawer with such a name collects everything and explains \
    nothing; put the thing beside its one user, or name the idea.";
pub(crate) const MARK_WHY: &str = "one open question is one issue; a mark without a number is \
    forgotten in the heart of the code.";
pub(crate) const UNWRAP_WHY: &str = "a panic names no reason; return a fault, or use `expect` with \
    the invariant as its text.";
pub(crate) const EXCUSE_WHY: &str = "an exception to a rule is fine where the next reader finds \
    the reason at the line: `#[expect(lint, reason = \"…\")]`.";
pub(crate) const PATH_WHY: &str = "the tree builds anywhere; a folder of one machine means nothing \
    to a reader and breaks on every other machine.";

const WIDTH: usize = 100;

const DRAWERS: [&str; 7] = ["util", "utils", "common", "helper", "helpers", "misc", "types"];

/// Put together here, so that this file does not hold what it looks for.
const MARKS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];
const MACHINE_PATHS: [&str; 2] = [concat!("/wo", "rk/"), concat!("/fa", "rm/")];

pub(crate) fn check_docs(house: &House, findings: &mut Findings) {
    for source in &house.sources {
        if !source.text.starts_with("//! ") {
            findings.violation_at(&source.path, 1, "does not start with a module doc (`//! …`)");
        }
    }
}

pub(crate) fn check_width(house: &House, findings: &mut Findings) {
    for source in &house.sources {
        for (line, text) in numbered(&source.text) {
            let width = text.chars().count();
            let is_data = source.lexemes.long_literals.iter().any(|it| it.contains(&line));
            // An address cannot be broken.
            if width > WIDTH && !is_data && !text.contains("://") {
                let text = format!("has {width} characters, the limit is {WIDTH}");
                findings.violation_at(&source.path, line, text);
            }
        }
    }
}

pub(crate) fn check_names(house: &House, findings: &mut Findings) {
    for source in &house.sources {
        let parts = source.path.trim_end_matches(".rs").split('/');
        for part in parts.filter(|part| DRAWERS.contains(part)) {
            findings.violation(&source.path, format_args!("`{part}` is a drawer, not a name"));
        }
    }
}

pub(crate) fn check_marks(house: &House, findings: &mut Findings) {
    for source in &house.sources {
        for (line, text) in numbered(&source.text) {
            let mark = MARKS.iter().find(|mark| has_word(text, mark));
            if let Some(mark) = mark.filter(|_| !names_issue(text)) {
                let text = format!("{mark} without the number of an issue (`#123`)");
                findings.violation_at(&source.path, line, text);
            }
        }
    }
}

pub(crate) fn check_unwrap(house: &House, findings: &mut Findings) {
    for source in &house.sources {
        let calls = source.lexemes.words.windows(6).filter(|words| words[0].text == ".");
        for call in calls.filter(|words| !source.is_test_line(words[1].line)) {
            let words: Vec<&str> = call[1..].iter().map(|word| word.text.as_str()).collect();
            let text = match words[..] {
                ["unwrap", "(", ")", ..] => "`unwrap` outside tests".to_owned(),
                // A parser has an `expect` of its own, which answers a `Result`.
                ["expect", "(", _, ")", "?"] => continue,
                ["expect", "(", text, ")", _] if text.starts_with('"') && !text.contains(' ') => {
                    format!("`expect({text})` does not say the invariant")
                }
                _ => continue,
            };
            findings.violation_at(&source.path, call[1].line, text);
        }
    }
}

pub(crate) fn check_excuses(house: &House, findings: &mut Findings) {
    let mut places = Vec::new();
    for source in &house.sources {
        let excuses = source.excuses.iter().filter(|excuse| !source.is_test_line(excuse.line));
        for excuse in excuses {
            if !excuse.has_reason {
                let text = format!("excuses {} without a reason", excuse.text);
                findings.violation_at(&source.path, excuse.line, text);
            }
            if excuse.text.contains("disallowed_methods") {
                places.push(source.path.as_str());
            }
        }
    }
    places.dedup();
    findings.note(format!("clock, sleep, chance or environment are used in: {}", listed(&places)));
}

pub(crate) fn check_machine_paths(house: &House, findings: &mut Findings) {
    for file in &house.files {
        for (line, text) in numbered(&file.text) {
            for path in MACHINE_PATHS.iter().filter(|path| has_absolute(text, path)) {
                findings.violation_at(&file.path, line, format_args!("names {path}"));
            }
        }
    }
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines())
}

fn listed(places: &[&str]) -> String {
    if places.is_empty() { "no file".to_owned() } else { places.join(", ") }
}

fn has_word(text: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    text.split(|character| !is_part(character)).any(|part| part == word)
}

fn names_issue(text: &str) -> bool {
    text.split('#').skip(1).any(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// Whether the path occurs where a path begins, so not in the middle of a longer one.
fn has_absolute(text: &str, path: &str) -> bool {
    text.match_indices(path).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        !before.is_some_and(|it| it.is_alphanumeric() || "_-.}>".contains(it))
    })
}

#[cfg(test)]
mod tests {
    use super::super::findings::found_in;
    use super::*;

    const PATH: &str = "crates/a/src/lib.rs";

    fn found(check: fn(&House, &mut Findings), text: &str) -> usize {
        found_in(check, &[(PATH, text)]).len()
    }

    #[test]
    fn a_file_without_module_doc_is_caught() {
        assert_eq!(found(check_docs, "/// Doc.\nfn f() {}"), 1);
        assert_eq!(found(check_docs, "//! Doc.\nfn f() {}"), 0);
    }

    #[test]
    fn a_wide_line_is_caught_unless_it_is_data_or_an_address() {
        let wide = "x".repeat(101);
        assert_eq!(found(check_width, &format!("// {}", "ä".repeat(97))), 0);
        assert_eq!(found(check_width, &format!("// {wide}")), 1);
        assert_eq!(found(check_width, &format!("const A: &str = \"\n{wide}\n\";")), 0);
        assert_eq!(found(check_width, &format!("// https://example.org/{wide}")), 0);
    }

    #[test]
    fn a_drawer_is_caught_as_file_and_as_folder() {
        let files = [("crates/a/src/utils.rs", ""), ("crates/a/src/common/mod.rs", "")];
        assert_eq!(found_in(check_names, &files).len(), 2);
        assert!(found_in(check_names, &[("crates/a/src/utility_bill.rs", "")]).is_empty());
    }

    #[test]
    fn a_mark_needs_the_number_of_an_issue() {
        for mark in MARKS {
            assert_eq!(found(check_marks, &format!("// {mark}: later")), 1);
            assert_eq!(found(check_marks, &format!("// {mark}(#12): later")), 0);
        }
        assert_eq!(found(check_marks, "const TODOS: u8 = 1;"), 0);
    }

    #[test]
    fn an_unwrap_is_caught_even_in_a_macro_but_not_in_tests() {
        assert_eq!(found(check_unwrap, "fn f() { x.unwrap(); }"), 1);
        assert_eq!(found(check_unwrap, "fn f() { assert!(x.unwrap()); }"), 1);
        assert_eq!(found(check_unwrap, "fn f() { x.unwrap_or(1); }\n/// x.unwrap()\nfn g() {}"), 0);
        assert_eq!(found(check_unwrap, "#[test]\nfn f() { x.unwrap(); }"), 0);
    }

    #[test]
    fn an_expect_says_its_invariant() {
        assert_eq!(found(check_unwrap, "fn f() { x.expect(\"\"); }"), 1);
        assert_eq!(found(check_unwrap, "fn f() { x.expect(\"the lock is not poisoned\"); }"), 0);
        assert_eq!(
            found(check_unwrap, "fn f() { parser.expect(Colon); parser.expect(\"]\")?; }"),
            0
        );
    }

    #[test]
    fn an_excuse_without_reason_is_caught() {
        assert_eq!(found(check_excuses, "#[allow(clippy::panic)]\nfn f() {}"), 1);
        assert_eq!(found(check_excuses, "#![allow(dead_code)]"), 1);
        assert_eq!(
            found(check_excuses, "#[expect(clippy::panic, reason = \"why\")]\nfn f() {}"),
            0
        );
        assert_eq!(found(check_excuses, "#[cfg(test)]\n#[allow(clippy::panic)]\nmod tests {}"), 0);
    }

    #[test]
    fn a_path_of_one_machine_is_caught_in_any_file() {
        let [one, other] = MACHINE_PATHS;
        let text = format!("see {one}main\n`{other}x`\nlocal{one}x and https://a.b{one}x");
        let found = found_in(check_machine_paths, &[("docs/a.md", &text)]);
        assert_eq!(found.len(), 2);
        assert!(found[1].starts_with("docs/a.md:2"));
    }

    #[test]
    fn the_house_does_not_hold_what_it_looks_for() {
        let own = include_str!("wording.rs");
        assert_eq!(found_in(check_machine_paths, &[("a.rs", own)]).len(), 0);
        assert_eq!(found_in(check_marks, &[("xtask/src/a.rs", own)]).len(), 0);
    }
}
