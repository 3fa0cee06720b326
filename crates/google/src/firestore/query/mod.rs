//! A structured query: which documents of a collection, in which order, how many.

mod filter;
mod order;

use std::cmp::Ordering;

use jobmill_model::{Map, Value};

use self::filter::Filter;
use self::order::{Cursor, Order};
use super::document::{Document, Micros};
use super::name::{DocumentName, Parent};
use super::path::FieldPath;
use crate::limits::QUERY_BYTES;
use crate::wire::read::{self, Read};
use crate::wire::{Error, Status};

/// A structured query.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Where its collections are.
    pub parent: Parent,
    /// The id of its collections; of all of them if nothing is said.
    pub collection: String,
    /// Whether collections of this id further below count as well.
    pub descendants: bool,
    select: Option<Vec<FieldPath>>,
    filter: Option<Filter>,
    orders: Vec<Order>,
    start: Option<Cursor>,
    end: Option<Cursor>,
    skip: usize,
    limit: usize,
}

const PARTS: [&str; 9] =
    ["select", "from", "where", "orderBy", "startAt", "endAt", "offset", "limit", "findNearest"];

/// What a query has found so far.
#[derive(Debug)]
pub struct Found {
    query: Query,
    /// Each with the size of its text.
    documents: Vec<(DocumentName, Document, usize)>,
    bytes: usize,
}

impl Query {
    /// Reads the body of `documents:runQuery`.
    ///
    /// # Errors
    /// What is no query, or one that cannot be answered here, which is said.
    pub fn read(parent: Parent, body: &Value) -> Read<Self> {
        let body = read::object(body, "body")?;
        for other in ["transaction", "newTransaction", "explainOptions"] {
            if body.get(other).is_some_and(|value| *value != Value::Null) {
                return Err(Error::unimplemented(format!("{other} is not supported here")));
            }
        }
        let query = body.get("structuredQuery");
        let query = query.ok_or_else(|| Error::invalid("a query needs a structuredQuery"))?;
        Self::read_structured(parent, read::object(query, "structuredQuery")?)
    }

    fn read_structured(parent: Parent, query: &Map) -> Read<Self> {
        read::only(query, &PARTS, "structuredQuery")?;
        if query.get("findNearest").is_some_and(|value| *value != Value::Null) {
            return Err(Error::unimplemented("findNearest is not supported here"));
        }
        let (collection, descendants) = from(query)?;
        let filter = Filter::read_or(query.get("where"))?;
        let orders = order::orders(query.get("orderBy"), filter.as_ref())?;
        let cursor = |name: &str| Cursor::read(query.get(name), name, &orders);
        Ok(Self {
            start: cursor("startAt")?,
            end: cursor("endAt")?,
            select: selection(query.get("select"))?,
            skip: count(query.get("offset"), "offset")?.unwrap_or(0),
            limit: limit(query.get("limit"))?.unwrap_or(usize::MAX),
            parent,
            collection,
            descendants,
            filter,
            orders,
        })
    }

    /// The query that a list with an order makes, such as `n desc, s`.
    ///
    /// # Errors
    /// What is no order.
    pub fn listed(parent: Parent, collection: &str, order: &str) -> Read<Self> {
        Ok(Self {
            orders: order::listed(order)?,
            parent,
            collection: collection.to_owned(),
            descendants: false,
            select: None,
            filter: None,
            start: None,
            end: None,
            skip: 0,
            limit: usize::MAX,
        })
    }

    /// The same for another part of its answer.
    #[must_use]
    pub fn between(self, skip: usize, limit: usize) -> Self {
        Self { skip, limit, ..self }
    }

    /// Begins to look.
    #[must_use]
    pub fn run(&self) -> Found {
        Found { query: self.clone(), documents: Vec::new(), bytes: 0 }
    }

    fn matches(&self, name: &DocumentName, document: &Document) -> bool {
        let passes = self.filter.as_ref().is_none_or(|filter| filter.holds(name, document));
        passes
            && self.orders.iter().all(|order| order.has(document))
            && self.start.as_ref().is_none_or(|start| start.begins(&self.orders, name, document))
            && self.end.as_ref().is_none_or(|end| end.ends(&self.orders, name, document))
    }

    fn order(&self, a: (&DocumentName, &Document), b: (&DocumentName, &Document)) -> Ordering {
        let by = |order: &Order| order.compare(a, b);
        self.orders.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl Found {
    /// Looks at one more document.
    ///
    /// # Errors
    /// So many match that an answer cannot hold them.
    pub fn look(&mut self, name: DocumentName, document: Document, bytes: usize) -> Read<()> {
        if !self.query.matches(&name, &document) {
            return Ok(());
        }
        self.documents.push((name, document, bytes));
        self.bytes += bytes;
        // Sorting now and then keeps no more than what may be answered.
        let most = self.query.skip.saturating_add(self.query.limit);
        if self.documents.len() / 2 > most.max(512) || self.bytes > QUERY_BYTES {
            self.sort(most);
        }
        match self.bytes <= QUERY_BYTES {
            true => Ok(()),
            false => Err(Error::new(
                Status::ResourceExhausted,
                format!("the query matches more than {QUERY_BYTES} bytes; give it a limit"),
            )),
        }
    }

    fn sort(&mut self, most: usize) {
        let query = &self.query;
        self.documents.sort_by(|a, b| query.order((&a.0, &a.1), (&b.0, &b.1)));
        self.documents.truncate(most);
        self.bytes = self.documents.iter().map(|(.., bytes)| bytes).sum();
    }

    /// Whether nothing that comes can change the answer any more, when what is looked at comes in
    /// the order of its names.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let Query { skip, limit, descendants, ref orders, .. } = self.query;
        let is_in_order = !descendants && matches!(&orders[..], [order] if order.is_of_names());
        is_in_order && self.documents.len() >= skip.saturating_add(limit)
    }

    /// What is found, in order, behind what is skipped; and how many are skipped.
    #[must_use]
    pub fn documents(mut self) -> (Vec<(DocumentName, Document)>, usize) {
        let Query { skip, limit, .. } = self.query;
        self.sort(skip.saturating_add(limit));
        let skipped = skip.min(self.documents.len());
        let documents = self.documents.into_iter().skip(skipped);
        (documents.map(|(name, document, _)| (name, document)).collect(), skipped)
    }

    /// The answer: a list whose every item has one document.
    #[must_use]
    pub fn finish(self, at: Micros) -> Value {
        let select = self.query.select.clone();
        let (documents, skipped) = self.documents();
        let mut items: Vec<Value> = documents
            .iter()
            .map(|(name, document)| {
                let document = document.to_value(name, select.as_deref());
                Value::map([("document", document), ("readTime", at.to_value())])
            })
            .collect();
        let skipped = Some(skipped).filter(|skipped| *skipped > 0 && !items.is_empty());
        if items.is_empty() {
            items.push(Value::map([("readTime", at.to_value())]));
        }
        let skipped = skipped.map(|skipped| ("skippedResults", skipped.into()));
        extend(items.first_mut(), skipped);
        extend(items.last_mut(), Some(("done", true.into())));
        Value::from(items)
    }
}

fn extend(item: Option<&mut Value>, entry: Option<(&str, Value)>) {
    if let (Some(Value::Map(map)), Some((name, value))) = (item, entry) {
        let mut longer = (**map).clone();
        longer.insert(name, value);
        *map = longer.into();
    }
}

fn from(query: &Map) -> Read<(String, bool)> {
    let selector = match read::list(query.get("from"), "from")? {
        [] => &Value::map::<&str>([]),
        [selector] => selector,
        from => {
            let text = format!("a query is from one collection; got {}", from.len());
            return Err(Error::invalid(text));
        }
    };
    let selector = read::object(selector, "from")?;
    let collection = read::text_or(selector.get("collectionId"), "collectionId")?;
    let Some(collection) = collection.filter(|id| !id.is_empty()) else {
        return Err(Error::unimplemented("a query over all collections is not supported here"));
    };
    let descendants = read::flag(selector.get("allDescendants"), "allDescendants")?;
    Ok((collection.to_owned(), descendants))
}

fn selection(select: Option<&Value>) -> Read<Option<Vec<FieldPath>>> {
    let select = match select {
        None | Some(Value::Null) => return Ok(None),
        Some(select) => read::object(select, "select")?,
    };
    let fields = read::list(select.get("fields"), "fields")?;
    let paths = fields.iter().map(filter::field_path).collect::<Read<Vec<_>>>()?;
    Ok(Some(paths.into_iter().filter(|path| !path.is_name()).collect()))
}

fn count(value: Option<&Value>, what: &str) -> Read<Option<usize>> {
    let Some(number) = read::integer_or(value, what)? else { return Ok(None) };
    let count = usize::try_from(number);
    count.map(Some).map_err(|_| Error::invalid(format!("{what} is negative")))
}

/// A number, or an object around it.
fn limit(value: Option<&Value>) -> Read<Option<usize>> {
    match value {
        Some(Value::Map(wrapped)) => count(wrapped.get("value"), "limit"),
        other => count(other, "limit"),
    }
}

#[cfg(test)]
mod tests;
