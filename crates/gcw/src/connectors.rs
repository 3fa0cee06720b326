//! The names of connectors: `googleapis.SERVICE.VERSION.RESOURCE.METHOD` and `gke.METHOD`.
//!
//! Connectors of every service pass the checks; whether one can run is the engine's matter.

/// A connector's name, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connector<'a> {
    /// The service, such as `firestore`.
    pub service: &'a str,
    /// Its version; empty for `gke`.
    pub version: &'a str,
    /// The rest: resources and method.
    pub method: &'a str,
}

const GKE_METHODS: [&str; 4] = ["request", "create_job", "await_job", "delete_job"];

/// Takes a connector's name apart; `None` for a name that is none.
#[must_use]
pub fn parse(name: &str) -> Option<Connector<'_>> {
    if let Some(method) = name.strip_prefix("gke.") {
        let known = GKE_METHODS.contains(&method);
        return known.then_some(Connector { service: "gke", version: "", method });
    }
    let mut parts = name.strip_prefix("googleapis.")?.splitn(3, '.');
    let connector =
        Connector { service: parts.next()?, version: parts.next()?, method: parts.next()? };
    let is_word = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let is_version = connector.version.starts_with('v') || connector.version.starts_with("alpha");
    let is_whole = is_word(connector.service)
        && is_word(connector.version)
        && is_version
        && connector.method.split('.').all(is_word)
        && connector.method.contains('.');
    is_whole.then_some(connector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_connectors_are_told_from_others() {
        let parsed = parse("googleapis.bigquery.v2.jobs.query").unwrap();
        assert_eq!(
            (parsed.service, parsed.version, parsed.method),
            ("bigquery", "v2", "jobs.query")
        );
        assert!(parse("gke.request").is_some());
        for name in ["googleapis.bigquery", "googleapis.x.v1.query", "gke.fly", "http.get", ""] {
            assert!(parse(name).is_none(), "{name}");
        }
    }
}
