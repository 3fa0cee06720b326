//! A headline, the work, and how long it took.

use std::time::Instant;

use crate::failure::Failure;

/// Runs one step of a task between a headline and its elapsed time.
pub(crate) fn step<T>(
    headline: &str,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    println!("\n== {headline}");
    let started = now();
    let result = work();
    let seconds = now().duration_since(started).as_secs_f64();
    let verdict = if result.is_ok() { "done in" } else { "failed after" };
    println!("-- {headline}: {verdict} {seconds:.1} s");
    result.map_err(|failure| failure.during(headline))
}

#[expect(clippy::disallowed_methods, reason = "the elapsed time is shown, nothing depends on it")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_step_names_itself() {
        let failure = step("format", || Err::<(), _>(Failure::new("no"))).unwrap_err();
        assert_eq!(failure.message(), "format: no");
    }
}
