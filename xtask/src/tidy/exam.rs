//! Every verb of the storage port is examined.

use super::findings::Findings;
use super::house::House;
use super::source::{Source, lives_in};

pub(crate) const WHY: &str = "the exam is the contract of the storage port; what it does not ask, \
    backends answer differently.";

const PORT: &str = "crates/store/src/";
const EXAM: &str = "crates/store/src/exam";
const ORACLE: &str = "crates/store/src/memory";

pub(crate) fn check(house: &House, findings: &mut Findings) {
    let (exams, others): (Vec<&Source>, Vec<&Source>) =
        house.sources_under(PORT).partition(|source| lives_in(&source.path, EXAM));
    let port = others.into_iter().filter(|source| !lives_in(&source.path, ORACLE));
    for source in port {
        for verb in &source.trait_verbs {
            if !exams.iter().any(|exam| exam.lexemes.name(&verb.name)) {
                let text = format!("{} is named in no file of {EXAM}/", verb.name);
                findings.violation_at(&source.path, verb.line, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::findings::found_in;
    use super::*;

    const PORT_FILE: (&str, &str) =
        ("crates/store/src/job.rs", "trait Jobs { async fn job_claim(&self); }");

    #[test]
    fn a_verb_without_an_exam_is_caught() {
        let talk = "//! job_claim is only talked about here.\nfn f() { \"job_claim\"; }";
        let found = found_in(check, &[PORT_FILE, ("crates/store/src/exam/job.rs", talk)]);
        assert_eq!(
            found,
            ["crates/store/src/job.rs:1: job_claim is named in no file of crates/store/src/exam/"]
        );
    }

    #[test]
    fn a_verb_that_an_exam_calls_is_fine() {
        let exam = "async fn claims(store: &S) { assert!(store.job_claim().await.is_ok()); }";
        assert!(found_in(check, &[PORT_FILE, ("crates/store/src/exam/job.rs", exam)]).is_empty());
    }
}
