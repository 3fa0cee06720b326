//! The one factory of HTTP clients: certificates, protocol versions, no proxies, no cookies.
//!
//! A client trusts the platform's certificates. Where there are none, as in an empty container,
//! it trusts those of Mozilla that are built in; a client that cannot be built would be a server
//! that cannot call anybody.
//!
//! There is no proxy, also not from the environment: a proxy resolves names itself, and then the
//! gate has nothing to judge.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use jobmill_model::Fault;
use parking_lot::Mutex;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder};

use super::resolve::GatedResolver;

/// This many clients are kept with their open connections, one for each certificate in use.
const KEPT: usize = 8;

pub(super) struct Clients {
    resolver: Arc<GatedResolver>,
    lacks_roots: OnceLock<bool>,
    kept: Mutex<VecDeque<(Option<String>, Client)>>,
}

impl Clients {
    pub(super) fn new(resolver: GatedResolver) -> Self {
        let (lacks_roots, kept) = (OnceLock::new(), Mutex::default());
        Self { resolver: Arc::new(resolver), lacks_roots, kept }
    }

    /// A client that trusts this certificate besides the usual ones.
    pub(super) fn trusting(&self, certificate: Option<&str>) -> Result<Client, Fault> {
        let mut kept = self.kept.lock();
        let found = kept.iter().find(|(trusted, _)| trusted.as_deref() == certificate);
        if let Some((_, client)) = found {
            return Ok(client.clone());
        }
        let client = self.build(certificate)?;
        kept.truncate(KEPT - 1);
        kept.push_front((certificate.map(str::to_owned), client.clone()));
        Ok(client)
    }

    fn build(&self, certificate: Option<&str>) -> Result<Client, Fault> {
        let more = certificate.map_or(Ok(Vec::new()), read)?;
        let lacks_roots = self.lacks_roots.get_or_init(|| self.builder().build().is_err());
        let builder = match lacks_roots {
            true => self.builder().tls_certs_only(built_in().chain(more)),
            false => self.builder().tls_certs_merge(more),
        };
        let broken = |error: reqwest::Error| {
            let text = "prepare a TLS connection; check the certificate of the call";
            Fault::last("ValueError", text).with_inner(error.to_string())
        };
        builder.build().map_err(broken)
    }

    fn builder(&self) -> ClientBuilder {
        Client::builder()
            .user_agent(concat!("jobmill/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(self.resolver.clone())
            .redirect(Policy::none())
            .no_proxy()
    }
}

fn read(certificate: &str) -> Result<Vec<Certificate>, Fault> {
    let read = Certificate::from_pem_bundle(certificate.as_bytes()).unwrap_or_default();
    if read.is_empty() {
        let text = "read `ca_certificate`: it holds no certificate in PEM form";
        return Err(Fault::last("ValueError", text));
    }
    Ok(read)
}

fn built_in() -> impl Iterator<Item = Certificate> {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    roots.filter_map(|root| Certificate::from_der(root).ok())
}

#[cfg(test)]
mod tests {
    use super::super::resolve;
    use super::*;
    use crate::ops::gate::Gate;

    fn clients() -> Clients {
        let lookup = Arc::new(resolve::system);
        Clients::new(GatedResolver { gate: Some(Gate::default()), lookup })
    }

    #[test]
    fn a_machine_without_certificates_uses_the_built_in_ones() {
        let bare = Clients { lacks_roots: OnceLock::from(true), ..clients() };
        assert!(built_in().count() > 50);
        assert!(bare.trusting(None).is_ok());
    }

    #[test]
    fn a_text_that_is_no_certificate_is_refused() {
        let hollow = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in ["", "trust me", hollow] {
            let fault = clients().trusting(Some(text)).unwrap_err();
            assert_eq!(fault.code, "ValueError", "{text}");
        }
    }

    #[test]
    fn few_clients_are_kept() {
        let clients = clients();
        let rcgen = |name: String| rcgen::generate_simple_self_signed([name]).unwrap().cert.pem();
        for number in 0..KEPT + 2 {
            clients.trusting(Some(&rcgen(format!("{number}.test")))).unwrap();
        }
        assert_eq!(clients.kept.lock().len(), KEPT);
    }
}
