//! `projects/{project}/locations`: where workflows can live, which is anywhere.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use hyper::Uri;
use jobmill_google::wire::page::Sizes;
use jobmill_google::wire::{Error, LocationName};
use jobmill_model::Value;
use utoipa_axum::router::OpenApiRouter;

use super::super::reply::{self, Answer};
use super::super::room::{Room, Shared};
use super::asked::{Names, no_method};
use super::listing::Listing;

const SIZES: Sizes = Sizes { usual: 100, most: 1_000 };

pub(crate) fn routes(version: &str) -> OpenApiRouter<Arc<Room>> {
    let locations = format!("/{version}/projects/{{project}}/locations");
    OpenApiRouter::new()
        .route(&locations, get(list_locations))
        .route(&format!("{locations}/{{location}}"), get(get_location))
}

/// The location of this server is listed; any other can be used all the same.
async fn list_locations(State(room): Shared, Names([project]): Names<1>, uri: Uri) -> Answer {
    let listing = Listing::read("locations", &uri, &[], SIZES)?;
    let location = room.engine.home().map(|home| home.location.clone()).unwrap_or_default();
    let rows = match listing.skip()? {
        0 => vec![to_value(&LocationName { project, location })],
        _ => Vec::new(),
    };
    Ok(reply::json(&listing.answer("locations", rows, None)))
}

async fn get_location(names: Names<2>) -> Answer {
    if let (_, Some(verb)) = names.last() {
        return Err(no_method(verb));
    }
    let name = names.location();
    if name.location == "-" {
        return Err(Error::invalid("`-` stands for all locations and is none").into());
    }
    Ok(reply::json(&to_value(&name)))
}

fn to_value(name: &LocationName) -> Value {
    let labels = Value::map([("cloud.googleapis.com/region", name.location.as_str().into())]);
    Value::map([
        ("name", Value::from(name.to_string())),
        ("locationId", name.location.as_str().into()),
        ("displayName", name.location.as_str().into()),
        ("labels", labels),
    ])
}
