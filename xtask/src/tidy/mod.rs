//! `cargo xtask tidy`: the laws of the house, as code.
//!
//! A law is a name, a reason and a function from the [`House`] to [`Findings`]; none of them
//! touches a file, so each is tested on a few lines of invented tree.

mod corridors;
mod dependencies;
mod exam;
mod findings;
mod house;
mod imports;
mod lengths;
mod lexemes;
mod licences;
mod manifests;
mod metadata;
mod siblings;
mod source;
mod wording;

use crate::failure::Failure;
use findings::Findings;
use house::House;

struct Law {
    name: &'static str,
    why: &'static str,
    check: fn(&House, &mut Findings),
}

const LAWS: [Law; 16] = [
    Law { name: "imports", why: imports::WHY, check: imports::check },
    Law { name: "no runtime", why: imports::RUNTIME_WHY, check: imports::check_runtimes },
    Law { name: "corridors", why: corridors::WHY, check: corridors::check },
    Law { name: "no async", why: corridors::ASYNC_WHY, check: corridors::check_async },
    Law { name: "siblings", why: siblings::WHY, check: siblings::check },
    Law { name: "exam", why: exam::WHY, check: exam::check },
    Law { name: "lengths", why: lengths::WHY, check: lengths::check },
    Law { name: "module docs", why: wording::DOC_WHY, check: wording::check_docs },
    Law { name: "line width", why: wording::WIDTH_WHY, check: wording::check_width },
    Law { name: "file names", why: wording::NAME_WHY, check: wording::check_names },
    Law { name: "open marks", why: wording::MARK_WHY, check: wording::check_marks },
    Law { name: "unwrap", why: wording::UNWRAP_WHY, check: wording::check_unwrap },
    Law { name: "excuses", why: wording::EXCUSE_WHY, check: wording::check_excuses },
    Law { name: "machine paths", why: wording::PATH_WHY, check: wording::check_machine_paths },
    Law { name: "manifests", why: manifests::WHY, check: manifests::check },
    Law { name: "dependencies", why: dependencies::WHY, check: dependencies::check },
];

/// Checks every law and prints what was found, each violation under the law it breaks.
pub(crate) fn run() -> Result<(), Failure> {
    let house = House::read()?;
    let broken = LAWS.iter().filter(|law| !holds(law, &house)).count();
    if broken == 0 {
        println!("all {} house laws hold", LAWS.len());
        return Ok(());
    }
    Err(Failure::new(format!("{broken} of {} house laws are broken, see above", LAWS.len())))
}

fn holds(law: &Law, house: &House) -> bool {
    let mut findings = Findings::default();
    (law.check)(house, &mut findings);
    let verdict = if findings.violations.is_empty() { "ok" } else { "BROKEN" };
    println!("{verdict:>6}  {}", law.name);
    for note in &findings.notes {
        println!("        {note}");
    }
    for violation in &findings.violations {
        println!("        {violation}");
    }
    if !findings.violations.is_empty() {
        println!("        why this law: {}", law.why);
    }
    findings.violations.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_law_gives_its_reason_in_a_sentence() {
        assert!(LAWS.iter().all(|law| law.why.len() > 40 && law.why.ends_with('.')));
    }

    #[test]
    fn an_empty_house_breaks_no_law() {
        let house = House::default();
        assert!(LAWS.iter().all(|law| holds(law, &house)));
    }
}
