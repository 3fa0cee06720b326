//! The base address of a server, such as `http://127.0.0.1:8080`.

use std::fmt;
use std::str::FromStr;

/// Where a server is: host, port, and the path before its routes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
    base: String,
}

/// The text is not an address that can be called; says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressError(String);

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AddressError {}

impl Address {
    /// Host and port, as a connection needs them.
    #[must_use]
    pub fn target(&self) -> (&str, u16) {
        (self.host.trim_start_matches('[').trim_end_matches(']'), self.port)
    }

    /// Host and port, as the `Host` header has them.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The path of a route on this server.
    #[must_use]
    pub fn path(&self, route: &str) -> String {
        format!("{}{route}", self.base)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}{}", self.host, self.port, self.base)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let error = |why: &str| AddressError(format!("{text:?} is not a server's address: {why}"));
        let uri: hyper::Uri = text.parse().map_err(|_| error("it is not a URL"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(error("the command line speaks http, not https")),
            _ => return Err(error("it does not begin with http://")),
        }
        let host = uri.host().ok_or_else(|| error("it has no host"))?.to_owned();
        let base = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { host, port: uri.port_u16().unwrap_or(80), base })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_have_a_host_a_port_and_perhaps_a_path() {
        assert_eq!(address("http://localhost").target(), ("localhost", 80));
        assert_eq!(address("http://[::1]:8080").target(), ("::1", 8080));
        assert_eq!(address("http://[::1]:8080").authority(), "[::1]:8080");
        assert_eq!(address("http://h:1/jobmill/").path("/jobs"), "/jobmill/jobs");
        assert_eq!(address("http://h:1").to_string(), "http://h:1");
    }

    #[test]
    fn what_cannot_be_called_is_refused_with_a_reason() {
        for (text, why) in [("https://h", "https"), ("h:1", "http://"), ("http://", "URL")] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
