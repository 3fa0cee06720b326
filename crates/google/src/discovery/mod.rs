//! The methods of Google's services: their names as connectors, their verbs, paths and parameters.
//!
//! One table serves three readers: a connector's name and arguments become a [`Call`], and so does
//! an HTTP request; and a call becomes the HTTP request that Google or an emulator is sent.

mod call;
mod table;
mod template;

pub use call::Call;
pub use table::{METHODS, Method, Operation, Service};

use crate::wire::Error;

/// The method of a connector such as `googleapis.bigquery.v2.jobs.query`.
///
/// # Errors
/// A service that has no connector here, and a method that the service's connector has not; the
/// text names both.
pub fn connector(name: &str) -> Result<&'static Method, Error> {
    if let Some(method) = METHODS.iter().find(|method| method.is_named(name)) {
        return Ok(method);
    }
    let rest = name.strip_prefix("googleapis.").unwrap_or(name);
    let mut pieces = rest.splitn(3, '.');
    let (service, version) = (pieces.next().unwrap_or(rest), pieces.next().unwrap_or_default());
    let known = Service::ALL.into_iter().find(|known| known.name() == service);
    Err(Error::unimplemented(match known {
        None => {
            let here: Vec<_> = Service::ALL.iter().map(|service| service.name()).collect();
            format!(
                "there is no connector for the service {service:?} here, so {name} cannot be \
                 called; connectors exist for {}",
                here.join(" and ")
            )
        }
        Some(known) if known.version() != version => {
            format!("the connector for {service} is of version {}, not {version}", known.version())
        }
        Some(_) => format!("the connector for {service} has no method {name:?} here"),
    }))
}

#[cfg(test)]
mod tests;
