//! How many tests passed, read from the closing lines of the test runners.
//!
//! A summary that cannot be read is an error: a count nobody understood is worse than none.

use std::fmt;

use crate::failure::Failure;

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

impl Tally {
    pub(crate) fn plus(&self, other: &Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }

    /// Reads `Summary [ 0.1s] 3 tests run: 2 passed (1 slow), 1 timed out, 4 skipped`.
    pub(crate) fn of_nextest(lines: &[String]) -> Result<Self, Failure> {
        let summary = lines
            .iter()
            .rev()
            .find_map(|line| line.trim_start().strip_prefix("Summary [")?.split_once(']'))
            .ok_or_else(|| unreadable("nextest printed no summary line"))?
            .1;
        let (run, outcomes) =
            summary.split_once(" run: ").ok_or_else(|| unreadable(summary.trim()))?;
        let mut tally = Self::default();
        for part in without_brackets(outcomes).split(',') {
            match count_and_word(part)? {
                (count, "passed") => tally.passed += count,
                (count, "skipped") => tally.skipped += count,
                // Failed, timed out, could not be started: no test that ran did well.
                (count, _) => tally.failed += count,
            }
        }
        tally.checked_against(run)
    }

    /// Adds up every `test result: ok. 3 passed; 0 failed; 1 ignored; …` of `cargo test`.
    pub(crate) fn of_libtest(lines: &[String]) -> Result<Self, Failure> {
        let results: Vec<&str> =
            lines.iter().filter_map(|line| line.strip_prefix("test result: ")).collect();
        if results.is_empty() {
            return Err(unreadable("cargo test printed no `test result:` line"));
        }
        results.into_iter().try_fold(Self::default(), |sum, result| {
            let (_, counts) = result.split_once(". ").ok_or_else(|| unreadable(result))?;
            Ok(sum.plus(&Self::of_counts(counts)?))
        })
    }

    fn of_counts(counts: &str) -> Result<Self, Failure> {
        let mut tally = Self::default();
        for part in counts.split(';').filter(|part| !part.contains("finished in")) {
            match count_and_word(part)? {
                (count, "passed" | "measured") => tally.passed += count,
                (count, "failed") => tally.failed += count,
                (count, "ignored" | "filtered out") => tally.skipped += count,
                _ => return Err(unreadable(counts)),
            }
        }
        Ok(tally)
    }

    /// Compares with `3 tests`, or `3/5 tests` where the runner stopped early.
    fn checked_against(self, run: &str) -> Result<Self, Failure> {
        let (count, _) = run.trim().split_once(' ').ok_or_else(|| unreadable(run))?;
        let (ran, planned) = count.split_once('/').unwrap_or((count, count));
        if ran != planned {
            return Err(
                Failure::new(format!("only {ran} of {planned} tests ran")).with_last_line(self)
            );
        }
        if ran.parse() == Ok(self.passed + self.failed) {
            return Ok(self);
        }
        Err(unreadable(&format!("{ran} tests ran, but the summary adds up to {self}")))
    }
}

fn count_and_word(part: &str) -> Result<(u64, &str), Failure> {
    let (count, word) = part.trim().split_once(' ').ok_or_else(|| unreadable(part))?;
    Ok((count.parse().map_err(|_| unreadable(part))?, word.trim()))
}

/// Drops remarks such as `(1 slow, 1 flaky)`, which count tests a second time.
fn without_brackets(text: &str) -> String {
    let mut depth = 0_usize;
    text.chars()
        .filter(|&character| {
            if character == ')' {
                depth = depth.saturating_sub(1);
                return false;
            }
            depth += usize::from(character == '(');
            depth == 0
        })
        .collect()
}

fn unreadable(what: &str) -> Failure {
    Failure::new(format!("cannot count the tests, the runner's summary is not understood: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u64, failed: u64, skipped: u64) -> Tally {
        Tally { passed, failed, skipped }
    }

    fn nextest(summary: &str) -> Result<Tally, Failure> {
        Tally::of_nextest(&["   PASS a".to_owned(), summary.to_owned()])
    }

    fn libtest(results: &[&str]) -> Result<Tally, Failure> {
        Tally::of_libtest(&results.iter().map(|&line| line.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_plain_nextest_summary_is_read() {
        let read = nextest("     Summary [   0.004s] 1 test run: 1 passed, 0 skipped").unwrap();
        assert_eq!(read, tally(1, 0, 0));
    }

    #[test]
    fn every_way_to_fail_counts_as_failed_and_remarks_count_once() {
        let read = nextest(
            "Summary [ 9.1s] 9 tests run: 5 passed (1 slow, 2 flaky), 2 failed, \
             1 exec failed, 1 timed out, 7 skipped",
        );
        assert_eq!(read.unwrap(), tally(5, 4, 7));
    }

    #[test]
    fn a_run_that_stopped_early_is_no_success() {
        let read = nextest("Summary [ 1s] 2/5 tests run: 2 passed, 0 skipped");
        assert_eq!(read.unwrap_err().message(), "only 2 of 5 tests ran");
    }

    #[test]
    fn a_summary_that_does_not_add_up_is_refused() {
        assert!(nextest("Summary [ 1s] 5 tests run: 2 passed, 0 skipped").is_err());
        assert!(nextest("Summary [ 1s] all good").is_err());
        assert!(nextest("nothing").is_err());
    }

    #[test]
    fn cargo_test_results_are_summed_over_binaries() {
        let read = libtest(&[
            "running 4 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; \
             finished in 0.00s",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 5 filtered out; \
             finished in 1.20s",
        ]);
        assert_eq!(read.unwrap(), tally(4, 2, 6));
    }

    #[test]
    fn cargo_test_without_a_result_or_with_new_words_is_refused() {
        assert!(libtest(&["error: could not compile"]).is_err());
        assert!(libtest(&["test result: ok. 3 passed; 1 vanished"]).is_err());
    }

    #[test]
    fn the_closing_line_is_plain() {
        assert_eq!(tally(4, 2, 6).to_string(), "4 passed, 2 failed, 6 skipped");
    }
}
