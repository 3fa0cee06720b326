//! How long files and functions may be.

use super::findings::Findings;
use super::house::House;

pub(crate) const WHY: &str = "a file one can read in one sitting and a function one can see at \
    once are understood; the p90 keeps the many small, the limit keeps the few bearable.";

/// A limit for each, and one for nine of ten.
struct Limit {
    what: &'static str,
    each: usize,
    p90: usize,
}

const FILE: Limit = Limit { what: "files", each: 800, p90: 400 };
const FUNCTION: Limit = Limit { what: "functions", each: 70, p90: 30 };

pub(crate) fn check(house: &House, findings: &mut Findings) {
    let mut files = Vec::new();
    let mut functions = Vec::new();
    for source in &house.sources {
        let length = source.length();
        files.push(length);
        if length > FILE.each {
            let text = format!("has {length} lines without tests, the limit is {}", FILE.each);
            findings.violation(&source.path, text);
        }
        for function in source.shipped_functions() {
            functions.push(function.length);
            if function.length > FUNCTION.each {
                let (name, length, limit) = (&function.name, function.length, FUNCTION.each);
                let text = format!("fn {name} has {length} lines, the limit is {limit}");
                findings.violation_at(&source.path, function.line, text);
            }
        }
    }
    FILE.check_all(files, findings);
    FUNCTION.check_all(functions, findings);
}

impl Limit {
    fn check_all(&self, mut lengths: Vec<usize>, findings: &mut Findings) {
        lengths.retain(|&length| length > 0);
        lengths.sort_unstable();
        let (Some(median), Some(p90)) = (rank(&lengths, 50), rank(&lengths, 90)) else { return };
        let longest = lengths[lengths.len() - 1];
        let (what, count) = (self.what, lengths.len());
        findings.note(format!("{count} {what}: median {median}, p90 {p90}, longest {longest}"));
        if p90 > self.p90 {
            let text = format!("nine of ten may have up to {} lines, p90 is {p90}", self.p90);
            findings.violation(format_args!("all {what}"), text);
        }
    }
}

/// The nearest-rank percentile of sorted numbers.
fn rank(sorted: &[usize], percent: usize) -> Option<usize> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::super::findings::found_in;
    use super::*;

    const PATH: &str = "crates/a/src/lib.rs";

    fn function(lines: usize) -> String {
        format!("fn f() {{\n{}}}\n", "    g();\n".repeat(lines - 2))
    }

    #[test]
    fn a_long_function_is_caught() {
        let long = format!("{}{}", function(71), function(2).repeat(20));
        assert_eq!(
            found_in(check, &[(PATH, &long)]),
            ["crates/a/src/lib.rs:1: fn f has 71 lines, the limit is 70"]
        );
        let fine = format!("{}{}", function(70), function(2).repeat(20));
        assert!(found_in(check, &[(PATH, &fine)]).is_empty());
    }

    #[test]
    fn a_long_file_is_caught_and_its_tests_are_left_out() {
        let short = "crates/a/src/short.rs";
        let code = "const A: u8 = 1;\n".repeat(801);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{code}}}\n");
        let paths: Vec<String> = (0..20).map(|number| format!("{short}{number}.rs")).collect();
        let mut files: Vec<(&str, &str)> =
            paths.iter().map(|path| (path.trim_end_matches(".rs"), "")).collect();
        files.extend(paths.iter().map(|path| (path.as_str(), "fn f() {}")));
        files.push((PATH, &code));
        assert_eq!(found_in(check, &files).len(), 1);
        files.pop();
        files.push((PATH, &tests));
        assert!(found_in(check, &files).is_empty());
    }

    #[test]
    fn many_middling_functions_are_caught() {
        let text = function(31).repeat(5);
        let found = found_in(check, &[(PATH, &text)]);
        assert_eq!(found, ["all functions: nine of ten may have up to 30 lines, p90 is 31"]);
    }

    #[test]
    fn ranks_are_nearest_ranks() {
        let ten: Vec<usize> = (1..=10).collect();
        assert_eq!((rank(&ten, 50), rank(&ten, 90), rank(&[], 90)), (Some(5), Some(9), None));
        assert_eq!(rank(&[7], 90), Some(7));
    }
}
