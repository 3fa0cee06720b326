//! Firestore, from the store.

use jobmill_google::discovery::Operation;
use jobmill_google::firestore::{
    Action, Document, DocumentName, Expect, FieldPath, Fields, Found, Micros, Parent, Plan, Query,
    Ran, Write, document_fields, field_mask,
};
use jobmill_google::limits::{BATCH_DOCUMENTS, QUERY_BYTES};
use jobmill_google::wire::read::{self, Read};
use jobmill_google::wire::{Error, Status};
use jobmill_model::{Timestamp, Value};
use jobmill_store as store;

use super::{Asked, aside, check_time, documents, of_store, receipt};
use crate::engine::Shared;

/// Documents are read in pages of at most so many, and of about so much text.
const PAGE: usize = 1_000;
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// Documents that one step of a `batchGet` reads, each of which may be large.
const READ_AT_ONCE: usize = 32;
/// The documents of a list when the caller does not say, and at most.
const LISTED: u64 = 100;
const LISTED_MOST: u64 = 300;

pub(super) async fn answer(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let call = asked.call;
    for other in ["readTime", "transaction"] {
        if call.params.contains(other) {
            return Err(Error::unimplemented(format!("{other} is not supported here")));
        }
    }
    match call.method.operation {
        Operation::DocumentGet => get(shared, asked).await,
        Operation::DocumentBatchGet => batch_get(shared, asked).await,
        Operation::DocumentList => list(shared, asked).await,
        Operation::DocumentQuery => query(shared, asked).await,
        Operation::DocumentCreate => create(shared, asked).await,
        Operation::DocumentPatch => patch(shared, asked).await,
        Operation::DocumentDelete => {
            let name = DocumentName::read(call.needed("name")?)?;
            write(shared, asked, name, Action::Delete, condition(asked)?).await?;
            Ok(Value::map::<&str>([]))
        }
        Operation::DocumentCommit => {
            let plan = Plan::read(&call.body, call.needed("database")?, asked.now)?;
            run(shared, asked, plan, Ran::to_value).await
        }
        _ => Err(Error::new(Status::Internal, "the method belongs to another service")),
    }
}

fn key(name: &DocumentName) -> store::DocumentName {
    store::DocumentName {
        collection: name.collection.clone(),
        parent: name.parent.as_str().to_owned(),
        id: name.id.clone(),
    }
}

fn name(key: store::DocumentName) -> DocumentName {
    let store::DocumentName { collection, parent, id } = key;
    DocumentName { parent: Parent::trusted(parent), collection, id }
}

fn read(document: &store::Document) -> Read<Document> {
    let (created, updated) = (Micros(document.created), Micros(document.updated));
    Document::kept(&document.content, created, updated)
        .map_err(|error| Error::new(Status::Internal, error.message))
}

fn read_all(documents: &[Option<store::Document>]) -> Read<Vec<Option<Document>>> {
    documents.iter().map(|document| document.as_ref().map(read).transpose()).collect()
}

fn micros(now: Timestamp) -> Micros {
    Micros(now.as_millis() * 1_000)
}

/// The mask of a call's parameter.
fn mask(asked: &Asked<'_>, name: &str) -> Read<Option<Vec<FieldPath>>> {
    let Some(paths) = asked.call.list(name)? else { return Ok(None) };
    paths.into_iter().map(FieldPath::read).collect::<Read<_>>().map(Some)
}

fn condition(asked: &Asked<'_>) -> Read<Option<Expect>> {
    let params = &asked.call.params;
    let part = |long: &str, short| Some((short, params.get(long)?.clone()));
    let parts = [
        part("currentDocument.exists", "exists"),
        part("currentDocument.updateTime", "updateTime"),
    ];
    Expect::read(Some(&Value::map(parts.into_iter().flatten())))
}

/// Runs a plan, once for each call of a machine, and answers what it came to.
async fn run(
    shared: &Shared,
    asked: &Asked<'_>,
    plan: Plan,
    answer: impl Fn(&Ran) -> Value + Clone + Send + Sync + 'static,
) -> Read<Value> {
    let receipt = receipt::name(asked);
    let (now, count, has_receipt) = (asked.now, plan.names().len(), receipt.is_some());
    let names = plan.names().iter().map(key).chain(receipt).collect();
    let (within, told) = (plan.clone(), answer.clone());
    let before = documents::commit(shared, names, move |present| {
        if present.get(count).is_some_and(Option::is_some) {
            return Ok(present.to_vec());
        }
        let ran = within.run(&read_all(&present[..count])?)?;
        let receipt = has_receipt.then(|| Some(documents::new(&told(&ran), now)));
        let keep = |document: Document| store::Document {
            content: document.content(),
            created: document.created.0,
            updated: document.updated.0,
        };
        Ok(ran.after.into_iter().map(|document| document.map(keep)).chain(receipt).collect())
    });
    let before = before.await?;
    if let Some(Some(receipt)) = before.get(count) {
        return Ok(receipt::answer(receipt));
    }
    // The same function says again what it came to.
    Ok(answer(&plan.run(&read_all(&before[..count])?)?))
}

/// Writes one document; answers it as it is afterwards.
async fn write(
    shared: &Shared,
    asked: &Asked<'_>,
    name: DocumentName,
    action: Action,
    expect: Option<Expect>,
) -> Read<Value> {
    let mask = mask(asked, "mask.fieldPaths")?;
    let write = Write { name: name.clone(), action, transforms: Vec::new(), expect };
    run(shared, asked, Plan::new(vec![write], asked.now)?, move |ran| {
        let document = ran.after.first().and_then(Option::as_ref);
        document.map(|document| document.to_value(&name, mask.as_deref())).unwrap_or_default()
    })
    .await
}

async fn get(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let name = DocumentName::read(asked.call.needed("name")?)?;
    let mask = mask(asked, "mask.fieldPaths")?;
    match documents::get(shared, &key(&name)).await? {
        Some(document) => Ok(read(&document)?.to_value(&name, mask.as_deref())),
        None => Err(Error::not_found(format!("Document \"{name}\" not found."))),
    }
}

async fn batch_get(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let body = read::object(&asked.call.body, "body")?;
    let names = read::list(body.get("documents"), "documents")?;
    if names.len() > BATCH_DOCUMENTS {
        let text =
            format!("{} documents at once; at most {BATCH_DOCUMENTS} are possible", names.len());
        return Err(Error::invalid(text));
    }
    let names = names.iter().map(|name| DocumentName::read(read::text(name, "documents")?));
    let names = names.collect::<Read<Vec<_>>>()?;
    let mask = field_mask(body.get("mask"))?;
    let at = micros(asked.now).to_value();
    let (mut items, mut bytes) = (Vec::with_capacity(names.len()), 0);
    for names in names.chunks(READ_AT_ONCE) {
        let keys: Vec<_> = names.iter().map(key).collect();
        let found = shared.store.document_get(&keys).await.map_err(|error| of_store(&error))?;
        let text = |document: &store::Document| document.content.as_str().len();
        bytes += found.iter().flatten().map(text).sum::<usize>();
        if bytes > QUERY_BYTES {
            let text = format!("the documents have more than {QUERY_BYTES} bytes; ask for fewer");
            return Err(Error::new(Status::ResourceExhausted, text));
        }
        let (names, mask, at) = (names.to_vec(), mask.clone(), at.clone());
        items.extend(aside(move || shown(&names, &found, mask.as_deref(), &at)).await?);
    }
    Ok(Value::from(items))
}

fn shown(
    names: &[DocumentName],
    found: &[Option<store::Document>],
    mask: Option<&[FieldPath]>,
    at: &Value,
) -> Read<Vec<Value>> {
    let item = |(name, document): (&DocumentName, &Option<store::Document>)| {
        let part = match document {
            Some(document) => ("found", self::read(document)?.to_value(name, mask)),
            None => ("missing", name.to_string().into()),
        };
        Ok(Value::map([part, ("readTime", at.clone())]))
    };
    names.iter().zip(found).map(item).collect()
}

async fn list(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let call = asked.call;
    let parent = Parent::read(call.needed("parent")?)?;
    let mask = mask(asked, "mask.fieldPaths")?;
    if read::flag(call.params.get("showMissing"), "showMissing")? {
        return Err(Error::unimplemented("showMissing is not supported here"));
    }
    let wanted = call.number("pageSize")?.filter(|size| *size > 0).unwrap_or(LISTED);
    let wanted = wanted.min(LISTED_MOST) as usize;
    let token = call.text("pageToken")?.filter(|token| !token.is_empty());
    let by_name = |order: &&str| matches!(*order, "" | "__name__" | "__name__ asc");
    if let Some(order) = call.text("orderBy")?.filter(|order| !by_name(order)) {
        let query = Query::listed(parent, call.needed("collectionId")?, order)?;
        return list_in_order(shared, asked, query, token, wanted).await;
    }
    let query = store::DocumentQuery {
        collection: call.needed("collectionId")?.to_owned(),
        after: token.map(|id| (parent.as_str().to_owned(), id.to_owned())),
        parent: parent.as_str().to_owned(),
        descendants: false,
        limit: wanted + 1,
        bytes: PAGE_BYTES,
    };
    let page = shared.store.document_list(&query).await.map_err(|error| of_store(&error))?;
    let shown = page.len().min(wanted);
    let next = page[..shown].last().map(|(name, _)| name.id.clone());
    // A page may be short because of its size.
    let is_last = page.len() < wanted && page_bytes(&page) < PAGE_BYTES / 2;
    let documents = aside(move || {
        let shown = page.into_iter().take(shown);
        let value = |(key, document): (_, store::Document)| {
            Ok(self::read(&document)?.to_value(&name(key), mask.as_deref()))
        };
        shown.map(value).collect::<Read<Vec<_>>>()
    });
    Ok(listed(documents.await?, next.filter(|_| !is_last)))
}

/// A page of a list in an order of its own; its token says how many were listed before.
async fn list_in_order(
    shared: &Shared,
    asked: &Asked<'_>,
    query: Query,
    token: Option<&str>,
    wanted: usize,
) -> Read<Value> {
    let bad = |_| Error::invalid("the page token does not belong to this list");
    let skip = token.map_or(Ok(0), str::parse::<usize>).map_err(bad)?;
    let mask = mask(asked, "mask.fieldPaths")?;
    let query = query.between(skip, wanted.saturating_add(1));
    let (mut documents, _) = look(shared, asked, &query).await?.documents();
    let next = (documents.len() > wanted).then(|| skip.saturating_add(wanted).to_string());
    documents.truncate(wanted);
    let documents =
        documents.iter().map(|(name, document)| document.to_value(name, mask.as_deref()));
    Ok(listed(documents.collect(), next))
}

/// A page of a list as it is answered: what is empty is left out.
fn listed(documents: Vec<Value>, next: Option<String>) -> Value {
    let documents = (!documents.is_empty()).then(|| ("documents", Value::from(documents)));
    let next = next.map(|next| ("nextPageToken", next.into()));
    Value::map([documents, next].into_iter().flatten())
}

fn page_bytes(page: &store::DocumentPage) -> usize {
    page.iter().map(|(_, document)| document.content.as_str().len()).sum()
}

async fn query(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let parent = Parent::read(asked.call.needed("parent")?)?;
    let query = Query::read(parent, &asked.call.body)?;
    let (found, at) = (look(shared, asked, &query).await?, micros(asked.now));
    aside(move || Ok(found.finish(at))).await
}

/// Looks at the documents of a query's collection, page by page.
async fn look(shared: &Shared, asked: &Asked<'_>, query: &Query) -> Read<Found> {
    let mut next = store::DocumentQuery {
        collection: query.collection.clone(),
        parent: query.parent.as_str().to_owned(),
        descendants: query.descendants,
        after: None,
        limit: PAGE,
        bytes: PAGE_BYTES,
    };
    let _turn = shared.queries.acquire().await;
    let mut found = query.run();
    while !found.is_full() {
        check_time(shared, asked)?;
        let page = shared.store.document_list(&next).await.map_err(|error| of_store(&error))?;
        let Some((last, _)) = page.last() else { break };
        next.after = Some((last.parent.clone(), last.id.clone()));
        found = aside(move || {
            for (key, document) in page {
                let bytes = document.content.as_str().len();
                found.look(name(key), self::read(&document)?, bytes)?;
            }
            Ok(found)
        })
        .await?;
    }
    Ok(found)
}

async fn create(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let call = asked.call;
    let parent = Parent::read(call.needed("parent")?)?;
    let fields = fields(&call.body)?;
    let given = call.text("documentId")?.filter(|id| !id.is_empty());
    let id = given.map_or_else(|| made_up(shared, asked), str::to_owned);
    let name = parent.document(call.needed("collectionId")?, &id)?;
    let (action, expect) = match given {
        Some(_) => (Action::Update { fields, mask: None }, Some(Expect::Exists(false))),
        // A repetition makes up the same id, and finds what was created before.
        None => (Action::CreateOnce(fields), None),
    };
    write(shared, asked, name, action, expect).await
}

async fn patch(shared: &Shared, asked: &Asked<'_>) -> Read<Value> {
    let name = DocumentName::read(asked.call.needed("name")?)?;
    let update = mask(asked, "updateMask.fieldPaths")?;
    let action = Action::Update { fields: fields(&asked.call.body)?, mask: update };
    write(shared, asked, name, action, condition(asked)?).await
}

fn fields(body: &Value) -> Read<Fields> {
    match body {
        Value::Null => Ok(Fields::new()),
        body => document_fields(read::object(body, "body")?),
    }
}

/// An id that nobody else has; a repetition has the same.
fn made_up(shared: &Shared, asked: &Asked<'_>) -> String {
    asked.key.map_or_else(|| drawn(shared), |key| key.replace('-', ""))
}

/// Thirty-two random digits.
pub(super) fn drawn(shared: &Shared) -> String {
    let mut bytes = [0; 16];
    shared.chance.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
