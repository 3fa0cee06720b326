//! Resolves names for the client and keeps only the addresses that the gate lets through.
//!
//! The client dials what comes out of here and resolves nothing itself, so what was checked is
//! what is dialled.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::ops::gate::Gate;

/// Asks for the addresses of a name.
pub(super) type Lookup =
    dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync;

/// Asks the system.
pub(super) fn system(name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
    async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) }.boxed()
}

/// A resolver whose answers have passed the gate.
pub(super) struct GatedResolver {
    pub(super) gate: Option<Gate>,
    pub(super) lookup: Arc<Lookup>,
}

impl Resolve for GatedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (gate, lookup) = (self.gate, self.lookup.clone());
        Box::pin(async move {
            let found = lookup(name.as_str().to_owned()).await?;
            let (mut allowed, mut refused) = (Vec::new(), None);
            for address in found {
                match gate.map_or(Ok(()), |gate| gate.check(name.as_str(), address.ip())) {
                    Ok(()) => allowed.push(address),
                    Err(refusal) => refused = refused.or(Some(refusal)),
                }
            }
            match (allowed.is_empty(), refused) {
                (true, Some(refusal)) => Err(refusal.into()),
                (true, None) => Err("the name has no address".into()),
                (false, _) => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}
