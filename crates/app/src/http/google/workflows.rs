//! `…/workflows`: Workflows v1, each handler one call of the engine's definitions.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use hyper::Uri;
use jobmill_engine::{Deploy, DeployError, Deployment, Finding};
use jobmill_google::wire::operation::{Done, Verb};
use jobmill_google::wire::page::Sizes;
use jobmill_google::wire::workflow::{self, FIELDS, Workflow};
use jobmill_google::wire::{Error, LocationName, Status, WorkflowName};
use jobmill_model::definition::{Definition, Place, definition_name};
use jobmill_model::queue::Name;
use jobmill_model::{Value, limits};
use jobmill_store::PutMode;
use utoipa_axum::router::OpenApiRouter;

use super::super::body::Posted;
use super::super::refusal::Refusal;
use super::super::reply::{self, Answer};
use super::super::room::{Room, Shared};
use super::asked::{Names, definition, no_method, no_workflow};
use super::listing::{LOOKED_AT, Listing, ORDERED};
use super::{executions, operations};
use crate::wire::query::Query;

const SIZES: Sizes = Sizes { usual: 500, most: 1_000 };
const REVISION_SIZES: Sizes = Sizes { usual: 20, most: 100 };

pub(crate) fn routes(location: &str) -> OpenApiRouter<Arc<Room>> {
    let workflows = format!("{location}/workflows");
    let one = get(get_workflow).patch(patch_workflow).delete(delete_workflow);
    OpenApiRouter::new()
        .route(&workflows, get(list_workflows).post(create_workflow))
        .route(&format!("{workflows}/{{workflow}}"), one.merge(post(post_workflow)))
}

async fn get_workflow(State(room): Shared, names: Names<3>, uri: Uri) -> Answer {
    let name = names.workflow();
    match names.last().1 {
        None => {
            let query = Query::lenient(uri.query());
            let revision = query.text("revisionId").or_else(|| query.text("revision_id"));
            let definition = find(&room, &name, revision).await?;
            Ok(reply::json(&Workflow { name, definition: &definition }.to_value()))
        }
        Some("listRevisions") => list_revisions(&room, &name, &uri).await,
        Some(verb) => Err(no_method(verb)),
    }
}

async fn post_workflow(room: Shared, names: Names<3>, posted: Posted) -> Answer {
    match names.last().1 {
        Some("triggerPubsubExecution") => executions::trigger(room, names, posted).await,
        verb => Err(no_method(verb.unwrap_or("post"))),
    }
}

/// The definition of a workflow, at its present revision or at this one.
pub(crate) async fn find(
    room: &Room,
    name: &WorkflowName,
    revision: Option<&str>,
) -> Result<Definition, Refusal> {
    let definition = definition(name)?;
    let found = room.engine.definition(&definition, revision).await?;
    match (found, revision) {
        (Some(found), _) => Ok(found),
        (None, Some(revision)) if room.engine.definition(&definition, None).await?.is_some() => {
            let message = format!("workflow {name} has no revision {revision:?}");
            Err(Error::not_found(message).into())
        }
        (None, _) => Err(no_workflow(name)),
    }
}

async fn create_workflow(State(room): Shared, names: Names<2>, uri: Uri, posted: Posted) -> Answer {
    let parent = names.location();
    if parent.location == "-" {
        let message = "a workflow lives in one location; `-` stands for all of them";
        return Err(Error::invalid(message).into());
    }
    let query = Query::lenient(uri.query());
    let id = query.text("workflowId").or_else(|| query.text("workflow_id"));
    let id = id.ok_or_else(|| Error::invalid("workflow_id must be given in the query"))?;
    let name = definition_name(id)
        .map_err(|error| Error::invalid(format!("invalid workflow_id {id:?}: {error}")))?;
    let change = workflow::created(&posted.any_json().await?)?;
    let place = Place { project: parent.project.clone(), location: parent.location.clone() };
    let deploy = Deploy { name, place: Some(place), change, mode: PutMode::Create };
    answer_deployed(&room, parent, Verb::Create, deploy).await
}

async fn patch_workflow(State(room): Shared, names: Names<3>, uri: Uri, posted: Posted) -> Answer {
    if let Some(verb) = names.last().1 {
        return Err(no_method(verb));
    }
    let name = definition(&names.workflow())?;
    let query = Query::lenient(uri.query());
    let mask = query.text("updateMask").or_else(|| query.text("update_mask"));
    let change = workflow::patched(&posted.any_json().await?, mask)?;
    let deploy = Deploy { name, place: None, change, mode: PutMode::Update };
    answer_deployed(&room, names.location(), Verb::Update, deploy).await
}

async fn answer_deployed(room: &Room, parent: LocationName, verb: Verb, deploy: Deploy) -> Answer {
    let name = parent.workflow(deploy.name.as_str());
    match room.engine.deploy(deploy).await {
        Ok(Deployment { definition, .. }) => {
            Ok(reply::json(&operations::done(parent, verb, &definition)))
        }
        Err(error) => Err(refused(error, &name)),
    }
}

fn refused(error: DeployError, name: &WorkflowName) -> Refusal {
    match error {
        DeployError::Refused(findings) => failed_to_build(&findings).into(),
        DeployError::Invalid(problems) => {
            let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Error::invalid(format!("the workflow is not valid: {}", texts.join("; "))).into()
        }
        DeployError::Exists => {
            let message = format!("workflow {name} exists already");
            Error::new(Status::AlreadyExists, message).into()
        }
        DeployError::Unknown => no_workflow(name),
        DeployError::Draining => Refusal::closing(),
        DeployError::Store(error) => error.into(),
    }
}

/// Every error of a definition: a sentence each in the message, in the words of Google's
/// deployment, and each with its place and its excerpt in the details.
fn failed_to_build(findings: &[Finding]) -> Error {
    let errors = || findings.iter().filter(|finding| finding.is_error);
    let sentences: Vec<&str> = errors().map(|finding| &*finding.deployment).collect();
    let violations = errors().map(|finding| {
        let Finding { line, column, excerpt, suggestion, .. } = finding;
        let help = suggestion.as_ref().map(|it| format!("\nhelp: {it}")).unwrap_or_default();
        let text = format!("{line}:{column}: {}\n{excerpt}{help}", finding.message);
        Value::map([("field", "workflow.source_contents".into()), ("description", text.into())])
    });
    let detail = Value::map([
        ("@type", "type.googleapis.com/google.rpc.BadRequest".into()),
        ("fieldViolations", Value::list(violations)),
    ]);
    Error { details: vec![detail], ..Error::invalid(sentences.join("\n")) }
}

async fn delete_workflow(State(room): Shared, names: Names<3>) -> Answer {
    if let Some(verb) = names.last().1 {
        return Err(no_method(verb));
    }
    let name = names.workflow();
    if !room.engine.undeploy(&definition(&name)?).await? {
        return Err(no_workflow(&name));
    }
    let at = room.engine.now();
    let done = Done { verb: Verb::Delete, workflow: name.workflow, number: 0, at };
    Ok(reply::json(&operations::deleted(name.parent, done)))
}

async fn list_revisions(room: &Room, name: &WorkflowName, uri: &Uri) -> Answer {
    let listing = Listing::read(&format!("{name}:listRevisions"), uri, &[], REVISION_SIZES)?;
    let before = match listing.cursor.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| listing.bad_cursor())?),
    };
    let definition = definition(name)?;
    let revisions = room.engine.revisions(&definition, before, listing.size).await?;
    if revisions.is_empty() {
        find(room, name, None).await?;
    }
    let last = revisions.last().map(|revision| revision.number);
    let next = last.filter(|number| *number > 1 && revisions.len() == listing.size);
    let to_value = |definition| Workflow { name: name.clone(), definition }.to_value();
    let rows = revisions.iter().map(to_value).collect();
    let next = next.map(|number| number.to_string());
    Ok(reply::json(&listing.answer("workflows", rows, next)))
}

async fn list_workflows(State(room): Shared, names: Names<2>, uri: Uri) -> Answer {
    let parent = names.location();
    let listing = Listing::read(&format!("{parent}/workflows"), &uri, FIELDS, SIZES)?;
    let (definitions, next) = match listing.order.first() {
        None => by_name(&room, &parent, &listing).await?,
        Some(_) => in_order(&room, &parent, &listing).await?,
    };
    let rows = definitions
        .iter()
        .map(|definition| Workflow { name: shown_as(&parent, definition), definition }.to_value());
    Ok(reply::json(&listing.answer("workflows", rows.collect(), next)))
}

/// In a list of all locations each workflow has the one that it was created in.
fn shown_as(parent: &LocationName, definition: &Definition) -> WorkflowName {
    let location = match parent.location.as_str() {
        "-" => &definition.place.location,
        _ => &parent.location,
    };
    let (project, location) = (parent.project.clone(), location.clone());
    LocationName { project, location }.workflow(definition.name.as_str())
}

/// The next page by name: what passes the filter, until it is full, long, or enough was looked
/// at.
async fn by_name(
    room: &Room,
    parent: &LocationName,
    listing: &Listing,
) -> Result<(Vec<Definition>, Option<String>), Refusal> {
    let mut after = match listing.cursor.as_str() {
        "" => None,
        text => Some(definition_name(text).map_err(|_| listing.bad_cursor())?),
    };
    let (mut found, mut bytes, mut seen) = (Vec::new(), 0, 0);
    loop {
        let wanted = (listing.size - found.len()).min(limits::PAGE_ROWS);
        let page = room.engine.definitions(after.as_ref(), wanted).await?;
        seen += page.definitions.len();
        for definition in page.definitions {
            let name = shown_as(parent, &definition);
            if listing.filter.matches(&Workflow { name, definition: &definition }) {
                bytes += definition.content.source.len();
                found.push(definition);
            }
        }
        let is_enough =
            found.len() == listing.size || bytes >= limits::PAGE_BYTES || seen >= LOOKED_AT;
        match page.next {
            Some(name) if is_enough => return Ok((found, Some(name.to_string()))),
            Some(name) => after = Some(name),
            None => return Ok((found, None)),
        }
    }
}

/// The next page in another order: all that pass the filter, without their sources, are put
/// into it, and those of the page are read again.
async fn in_order(
    room: &Room,
    parent: &LocationName,
    listing: &Listing,
) -> Result<(Vec<Definition>, Option<String>), Refusal> {
    let (mut kept, mut after) = (Vec::<Definition>::new(), None::<Name>);
    loop {
        let page = room.engine.definitions(after.as_ref(), limits::PAGE_ROWS).await?;
        for mut definition in page.definitions {
            let name = shown_as(parent, &definition);
            if listing.filter.matches(&Workflow { name, definition: &definition }) {
                definition.content.source = Arc::from("");
                kept.push(definition);
            }
        }
        if kept.len() > ORDERED {
            return Err(Listing::too_many_to_order().into());
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let rows =
        kept.iter().map(|definition| Workflow { name: shown_as(parent, definition), definition });
    let (rows, next) = listing.ordered(rows.collect())?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        found.extend(room.engine.definition(&row.definition.name, None).await?);
    }
    Ok((found, next))
}
