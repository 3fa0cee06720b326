//! Path parameters: the id of a job, the name of something else.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use hyper::http::request::Parts;
use jobmill_model::JobId;
use jobmill_model::queue::Name;

use super::refusal::{Kind, Refusal};
use super::room::Room;

/// The id of a job from the path. Text that is no id is the id of no job.
pub(crate) struct JobPath(pub(crate) JobId);

impl FromRequestParts<Arc<Room>> for JobPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, room: &Arc<Room>) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, room).await;
        let params = params.map_err(|_| Refusal::no_job())?;
        let id = params.iter().next().and_then(|(_, text)| text.parse().ok());
        id.map(Self).ok_or_else(Refusal::no_job)
    }
}

/// A name from the path. Text that is no UTF-8 is the name of nothing.
pub(crate) struct NamePath(pub(crate) String);

impl FromRequestParts<Arc<Room>> for NamePath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, room: &Arc<Room>) -> Result<Self, Infallible> {
        let params = RawPathParams::from_request_parts(parts, room).await.ok();
        let name = params.and_then(|params| params.iter().next().map(|(_, text)| text.to_owned()));
        Ok(Self(name.unwrap_or_default()))
    }
}

/// The id of a job and the name of one of its steps from the path.
pub(crate) struct EffectPath(pub(crate) JobId, pub(crate) Name);

impl FromRequestParts<Arc<Room>> for EffectPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, room: &Arc<Room>) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, room).await;
        let params = params.map_err(|_| Refusal::no_job())?;
        let mut texts = params.iter().map(|(_, text)| text);
        let id = texts.next().and_then(|text| text.parse().ok()).ok_or_else(Refusal::no_job)?;
        let name = Name::new(texts.next().unwrap_or_default()).map_err(|error| {
            Refusal::new(Kind::NoEffect, format!("this cannot be the name of a step: {error}"))
        })?;
        Ok(Self(id, name))
    }
}
