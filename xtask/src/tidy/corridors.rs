//! The one place where each way out of the process may be named.

use super::findings::Findings;
use super::house::House;
use super::lexemes::NamedPath;
use super::source::lives_in;

pub(crate) const WHY: &str = "every side effect goes through one corridor, where it is limited, \
    counted, journaled and cut off in tests; a second way out has none of that.";

pub(crate) const ASYNC_WHY: &str = "these crates take state, event and time and return what is to \
    be done; code that waits for something belongs to the engine.";

/// A path of a foreign crate and the modules that may name it outside tests.
struct Corridor {
    path: &'static [&'static str],
    may: &'static [&'static str],
}

/// The calls of the engine, the calls to language models, and the CLI's client of our own API.
const HTTP_OUT: &[&str] =
    &["crates/engine/src/ops", "crates/llm/src/transport", "crates/app/src/client", "xtask/src"];
const HTTP_IN: &[&str] = &["crates/app/src"];
const SQLITE: &[&str] = &["crates/backends/src/sqlite"];
const POSTGRES: &[&str] = &["crates/backends/src/postgres"];
const REDIS: &[&str] = &["crates/backends/src/redis"];

const CORRIDORS: [Corridor; 14] = [
    Corridor { path: &["reqwest"], may: HTTP_OUT },
    Corridor { path: &["ureq"], may: HTTP_OUT },
    Corridor { path: &["hyper", "client"], may: HTTP_OUT },
    Corridor { path: &["hyper_util", "client"], may: HTTP_OUT },
    Corridor { path: &["axum"], may: HTTP_IN },
    Corridor { path: &["tower_http"], may: HTTP_IN },
    Corridor { path: &["utoipa"], may: HTTP_IN },
    Corridor { path: &["utoipa_axum"], may: HTTP_IN },
    Corridor { path: &["rusqlite"], may: SQLITE },
    Corridor { path: &["libsqlite3_sys"], may: SQLITE },
    Corridor { path: &["tokio_postgres"], may: POSTGRES },
    Corridor { path: &["deadpool_postgres"], may: POSTGRES },
    Corridor { path: &["tokio_postgres_rustls"], may: POSTGRES },
    Corridor { path: &["redis"], may: REDIS },
];

const WITHOUT_ASYNC: [&str; 3] = ["crates/model/src/", "crates/google/src/", "crates/gcw/src/"];

pub(crate) fn check(house: &House, findings: &mut Findings) {
    for source in &house.sources {
        for named in source.lexemes.paths() {
            let corridor = CORRIDORS.iter().find(|corridor| corridor.is_named_by(&named));
            let Some(corridor) = corridor else { continue };
            let is_allowed = corridor.may.iter().any(|place| lives_in(&source.path, place));
            if !is_allowed && !source.is_test_line(named.line) {
                let (path, may) = (corridor.path.join("::"), corridor.may.join(", "));
                let text = format!("names {path}, which belongs to {may}");
                findings.violation_at(&source.path, named.line, text);
            }
        }
    }
}

pub(crate) fn check_async(house: &House, findings: &mut Findings) {
    for source in WITHOUT_ASYNC.iter().flat_map(|folder| house.sources_under(folder)) {
        for word in source.lexemes.words.iter().filter(|word| word.text == "async") {
            if !source.is_test_line(word.line) {
                findings.violation_at(&source.path, word.line, "is asynchronous");
            }
        }
    }
}

impl Corridor {
    /// A single name counts only in `use name;`, because elsewhere it may be a variable.
    fn is_named_by(&self, named: &NamedPath) -> bool {
        let starts = named.segments.len() >= self.path.len()
            && self.path.iter().zip(&named.segments).all(|(ours, theirs)| ours == theirs);
        starts && (named.is_import || named.segments.len() > 1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::findings::found_in;
    use super::*;

    const CALL: &str = "//! Calls.\nfn f() { reqwest::get(\"x\") }";

    #[test]
    fn outgoing_http_outside_its_corridor_is_caught() {
        let found = found_in(check, &[("crates/gcw/src/call.rs", CALL)]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("crates/gcw/src/call.rs:2: names reqwest"));
    }

    #[test]
    fn the_corridor_itself_and_tests_may() {
        let tests = "#[cfg(test)]\nmod tests { use reqwest::Client; }";
        let files = [
            ("crates/engine/src/ops/http.rs", CALL),
            ("crates/app/src/client.rs", CALL),
            ("crates/gcw/src/lib.rs", tests),
        ];
        assert!(found_in(check, &files).is_empty());
    }

    #[test]
    fn a_neighbour_with_a_longer_name_may_not() {
        assert_eq!(found_in(check, &[("crates/engine/src/operations.rs", CALL)]).len(), 1);
    }

    #[test]
    fn a_client_in_a_group_is_caught_and_the_server_is_not() {
        let client = "use hyper_util::{rt::TokioIo, client::legacy::Client};";
        let server = "use hyper_util::{rt::TokioIo, server::conn::auto};";
        assert_eq!(found_in(check, &[("crates/app/src/http.rs", client)]).len(), 1);
        assert!(found_in(check, &[("crates/app/src/http.rs", server)]).is_empty());
    }

    #[test]
    fn a_driver_outside_its_backend_is_caught() {
        let text = "use rusqlite::Connection;";
        assert_eq!(found_in(check, &[("crates/backends/src/postgres/job.rs", text)]).len(), 1);
        assert!(found_in(check, &[("crates/backends/src/sqlite/job.rs", text)]).is_empty());
    }

    #[test]
    fn a_module_of_ours_with_the_name_of_a_crate_is_free() {
        let text = "mod redis;\npub use crate::redis::Hints;\nfn f(redis: u8) {}";
        assert!(found_in(check, &[("crates/backends/src/lib.rs", text)]).is_empty());
    }

    #[test]
    fn asynchronous_thinking_is_caught() {
        let text = "//! Doc.\nasync fn f() {}";
        assert_eq!(found_in(check_async, &[("crates/gcw/src/a.rs", text)]).len(), 1);
        assert!(found_in(check_async, &[("crates/engine/src/a.rs", text)]).is_empty());
    }
}
