//! What the lists have in common: filter, order, page size and page token of a query.

use hyper::Uri;
use jobmill_google::wire::field::{Field, Record};
use jobmill_google::wire::page::{self, Sizes};
use jobmill_google::wire::{Error, Filter, Order};
use jobmill_model::Value;

use crate::wire::query::Query;

/// How many rows one request looks at before it answers what it has found: a page may be shorter
/// than asked for, and its token leads on.
pub(crate) const LOOKED_AT: usize = 10_000;

/// The most rows that are put into another order than the usual one.
pub(crate) const ORDERED: usize = 10_000;

/// A page that somebody asks for.
pub(crate) struct Listing {
    pub(crate) filter: Filter,
    pub(crate) order: Order,
    pub(crate) size: usize,
    /// Where the page begins; empty at the beginning of the list.
    pub(crate) cursor: String,
    /// What the token has to agree with.
    asked: [String; 3],
}

impl Listing {
    /// Reads a query. `list` tells the lists of a server apart.
    pub(crate) fn read(
        list: &str,
        uri: &Uri,
        fields: &'static [Field],
        sizes: Sizes,
    ) -> Result<Self, Error> {
        let query = Query::lenient(uri.query());
        let text = |camel, snake| query.text(camel).or_else(|| query.text(snake));
        let filter = query.text("filter").unwrap_or_default();
        let order = text("orderBy", "order_by").unwrap_or_default();
        let asked = [list.to_owned(), filter.to_owned(), order.to_owned()];
        let asked_texts = asked.each_ref().map(String::as_str);
        let cursor = match text("pageToken", "page_token") {
            Some(token) => page::cursor(token, &asked_texts)?.to_owned(),
            None => String::new(),
        };
        Ok(Self {
            filter: Filter::read(filter, fields)?,
            order: Order::read(order, fields)?,
            size: sizes.read(text("pageSize", "page_size"))?,
            cursor,
            asked,
        })
    }

    /// The cursor of a list that counts rows.
    pub(crate) fn skip(&self) -> Result<usize, Error> {
        match self.cursor.as_str() {
            "" => Ok(0),
            text => text.parse().map_err(|_| self.bad_cursor()),
        }
    }

    /// The refusal of a cursor that no answer of this server had.
    pub(crate) fn bad_cursor(&self) -> Error {
        Error::invalid("invalid page_token: take the next_page_token of the page before")
    }

    /// The answer: the rows under their name and, if there are more, where they begin.
    pub(crate) fn answer(&self, rows: &str, items: Vec<Value>, next: Option<String>) -> Value {
        let asked = self.asked.each_ref().map(String::as_str);
        let mut fields = vec![(rows, Value::from(items))];
        fields.extend(next.map(|next| ("nextPageToken", page::token(&next, &asked).into())));
        Value::map(fields)
    }

    /// The page of rows that are all there, put into the order that was asked for, and where
    /// the next one begins.
    pub(crate) fn ordered<R: Record>(
        &self,
        mut rows: Vec<R>,
    ) -> Result<(Vec<R>, Option<String>), Error> {
        rows.sort_by(|one, two| self.order.compare(one, two));
        let skip = self.skip()?;
        let end = skip.saturating_add(self.size);
        let next = (rows.len() > end).then(|| end.to_string());
        Ok((rows.into_iter().skip(skip).take(self.size).collect(), next))
    }

    /// The refusal of an order that would need too many rows.
    pub(crate) fn too_many_to_order() -> Error {
        Error::new(
            jobmill_google::wire::Status::ResourceExhausted,
            format!(
                "order_by can order at most {ORDERED} rows; narrow them with a filter, or leave \
                 order_by out"
            ),
        )
    }
}
