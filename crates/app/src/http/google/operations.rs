//! `…/operations`: what was deployed and deleted, read from the revisions of the workflows.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use hyper::Uri;
use jobmill_google::wire::operation::{Done, FIELDS, Operation, Verb};
use jobmill_google::wire::page::Sizes;
use jobmill_google::wire::{Error, LocationName};
use jobmill_model::definition::definition_name;
use jobmill_model::{Definition, Value, limits};
use jobmill_store::StoreError;
use utoipa_axum::router::OpenApiRouter;

use super::super::refusal::Refusal;
use super::super::reply::{self, Answer};
use super::super::room::{Room, Shared};
use super::asked::{Names, no_method};
use super::listing::Listing;

const SIZES: Sizes = Sizes { usual: 100, most: 1_000 };

/// Revisions of one workflow that are read at once; each comes with its source.
const REVISIONS: usize = 20;

pub(crate) fn routes(location: &str) -> OpenApiRouter<Arc<Room>> {
    let one = get(get_operation).delete(delete_operation).merge(post(post_operation));
    OpenApiRouter::new()
        .route(&format!("{location}/operations"), get(list_operations))
        .route(&format!("{location}/operations/{{operation}}"), one)
}

/// An operation as it was answered when it was done, in one of these words.
pub(crate) fn done(parent: LocationName, verb: Verb, definition: &Definition) -> Value {
    let done = Done::of(verb, definition);
    Operation { parent, done, definition: Some(definition) }.to_value()
}

/// An operation that has deleted a workflow.
pub(crate) fn deleted(parent: LocationName, done: Done) -> Value {
    Operation { parent, done, definition: None }.to_value()
}

async fn get_operation(State(room): Shared, names: Names<3>) -> Answer {
    match names.last() {
        (id, None) => Ok(reply::json(&find(&room, names.location(), id).await?)),
        (_, Some(verb)) => Err(no_method(verb)),
    }
}

/// Every operation is done, so waiting for one is reading it.
async fn post_operation(State(room): Shared, names: Names<3>) -> Answer {
    match names.last() {
        (id, Some("wait")) => Ok(reply::json(&find(&room, names.location(), id).await?)),
        (id, Some("cancel")) => {
            find(&room, names.location(), id).await?;
            Ok(reply::json(&Value::map::<&str>([])))
        }
        (_, verb) => Err(no_method(verb.unwrap_or("post"))),
    }
}

/// Says that nobody is interested in the operation any more, which changes nothing here.
async fn delete_operation(State(room): Shared, names: Names<3>) -> Answer {
    match names.last() {
        (id, None) => {
            find(&room, names.location(), id).await?;
            Ok(reply::json(&Value::map::<&str>([])))
        }
        (_, Some(verb)) => Err(no_method(verb)),
    }
}

async fn find(room: &Room, parent: LocationName, id: &str) -> Result<Value, Refusal> {
    let refusal = || Error::not_found(format!("operation {} was not found", parent.operation(id)));
    let done = Done::read(id).ok_or_else(refusal)?;
    let name = definition_name(&done.workflow).map_err(|_| refusal())?;
    if done.verb == Verb::Delete {
        let present = room.engine.definition(&name, None).await?;
        // What is there now must have come after it was deleted.
        let is_gone = present.is_none_or(|present| present.created_at >= done.at);
        let known = is_gone && done.at <= room.engine.now();
        return if known { Ok(deleted(parent, done)) } else { Err(refusal().into()) };
    }
    let before = done.number.checked_add(1);
    let revisions = room.engine.revisions(&name, before, 1).await?;
    let definition = revisions.into_iter().find(|revision| done.led_to(revision));
    let definition = definition.ok_or_else(refusal)?;
    Ok(Operation { parent, done, definition: Some(&definition) }.to_value())
}

/// The operations that led to the revisions that are there, by workflow, newest first.
async fn list_operations(State(room): Shared, names: Names<2>, uri: Uri) -> Answer {
    let parent = names.location();
    let listing = Listing::read(&format!("{parent}/operations"), &uri, FIELDS, SIZES)?;
    let skip = listing.skip()?;
    let (revisions, is_all) = revisions(&room, skip, listing.size).await?;
    let operations = revisions.iter().map(|revision| of(&parent, revision));
    let passing = operations.filter(|operation| listing.filter.matches(operation));
    let rows = passing.map(|operation| operation.to_value()).collect();
    let next = (!is_all).then(|| (skip + revisions.len()).to_string());
    Ok(reply::json(&listing.answer("operations", rows, next)))
}

/// Revisions after the first `skip`, and whether these are the last ones. Fewer than `most` when
/// their sources are long.
async fn revisions(
    room: &Room,
    mut skip: usize,
    most: usize,
) -> Result<(Vec<Definition>, bool), StoreError> {
    let (mut found, mut bytes, mut after) = (Vec::new(), 0, None);
    loop {
        let page = room.engine.definitions(after.as_ref(), limits::PAGE_ROWS).await?;
        for definition in &page.definitions {
            let mut before = Some(definition.number + 1);
            while let Some(number) = before.filter(|number| *number > 1) {
                let some = room.engine.revisions(&definition.name, Some(number), REVISIONS).await?;
                before = some.last().map(|revision| revision.number);
                for revision in some {
                    if skip > 0 {
                        skip -= 1;
                    } else if found.len() == most || bytes > limits::PAGE_BYTES {
                        return Ok((found, false));
                    } else {
                        bytes += revision.content.source.len();
                        found.push(revision);
                    }
                }
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok((found, true));
        }
    }
}

fn of<'a>(parent: &LocationName, revision: &'a Definition) -> Operation<'a> {
    let verb = if revision.number == 1 { Verb::Create } else { Verb::Update };
    let done = Done { at: revision.revised_at, ..Done::of(verb, revision) };
    Operation { parent: parent.clone(), done, definition: Some(revision) }
}
