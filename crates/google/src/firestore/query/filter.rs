//! Which documents a query wants.

use jobmill_model::Value;

use crate::firestore::document::Document;
use crate::firestore::name::DocumentName;
use crate::firestore::path::FieldPath;
use crate::firestore::value::Field;
use crate::limits::{FILTER_VALUES, FILTERS};
use crate::wire::Error;
use crate::wire::read::{self, Read};

/// A condition on a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Unary(FieldPath, Unary),
    Field(FieldPath, Operator, Field),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unary {
    Nan,
    Null,
    NotNan,
    NotNull,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Contains,
    In,
    ContainsAny,
    NotIn,
}

const OPERATORS: [(&str, i64, Operator); 10] = [
    ("LESS_THAN", 1, Operator::Less),
    ("LESS_THAN_OR_EQUAL", 2, Operator::LessOrEqual),
    ("GREATER_THAN", 3, Operator::Greater),
    ("GREATER_THAN_OR_EQUAL", 4, Operator::GreaterOrEqual),
    ("EQUAL", 5, Operator::Equal),
    ("NOT_EQUAL", 6, Operator::NotEqual),
    ("ARRAY_CONTAINS", 7, Operator::Contains),
    ("IN", 8, Operator::In),
    ("ARRAY_CONTAINS_ANY", 9, Operator::ContainsAny),
    ("NOT_IN", 10, Operator::NotIn),
];

const UNARIES: [(&str, i64, Unary); 4] = [
    ("IS_NAN", 2, Unary::Nan),
    ("IS_NULL", 3, Unary::Null),
    ("IS_NOT_NAN", 4, Unary::NotNan),
    ("IS_NOT_NULL", 5, Unary::NotNull),
];

/// Reads `{"fieldPath": …}`.
pub(super) fn field_path(value: &Value) -> Read<FieldPath> {
    let path = read::object(value, "field")?.get("fieldPath");
    let path = read::text_or(path, "fieldPath")?;
    FieldPath::read(path.ok_or_else(|| Error::invalid("a field has a fieldPath"))?)
}

impl Filter {
    /// Reads a `where`; nothing is no condition.
    pub(super) fn read_or(value: Option<&Value>) -> Read<Option<Self>> {
        match value {
            None | Some(Value::Null) => Ok(None),
            Some(value) => Self::read(value, &mut FILTERS.clone()).map(Some),
        }
    }

    fn read(value: &Value, left: &mut usize) -> Read<Self> {
        *left = left
            .checked_sub(1)
            .ok_or_else(|| Error::invalid(format!("a query has at most {FILTERS} filters")))?;
        let map = read::object(value, "filter")?;
        let Some((kind, content)) = map.at(0).filter(|_| map.len() == 1) else {
            return Err(Error::invalid(
                "a filter is one of compositeFilter, fieldFilter and unaryFilter",
            ));
        };
        let content = read::object(content, kind)?;
        let operator = content.get("op").unwrap_or(&Value::Null);
        let field = || field_path(content.get("field").unwrap_or(&Value::Null));
        match &**kind {
            "compositeFilter" => {
                let filters = read::list(content.get("filters"), "filters")?;
                let all = read::choice(operator, &[("AND", 1, true), ("OR", 2, false)], "op")?;
                let filters =
                    filters.iter().map(|filter| Self::read(filter, left)).collect::<Read<_>>()?;
                Ok(if all { Self::All(filters) } else { Self::Any(filters) })
            }
            "unaryFilter" => Ok(Self::Unary(field()?, read::choice(operator, &UNARIES, "op")?)),
            "fieldFilter" => {
                let operator = read::choice(operator, &OPERATORS, "op")?;
                let value = Field::read(content.get("value").unwrap_or(&Value::Null))?;
                check_values(operator, &value)?;
                let path = field()?;
                if path.is_name() {
                    check_names(&value)?;
                }
                Ok(Self::Field(path, operator, value))
            }
            other => Err(Error::invalid(format!("unknown filter {other:?}"))),
        }
    }

    pub(super) fn holds(&self, name: &DocumentName, document: &Document) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.holds(name, document)),
            Self::Any(filters) => filters.iter().any(|filter| filter.holds(name, document)),
            Self::Unary(path, unary) => {
                path.get(&document.fields).is_some_and(|field| unary.holds(field))
            }
            Self::Field(path, operator, value) if path.is_name() => {
                operator.holds(&Field::Reference(name.to_string()), value)
            }
            Self::Field(path, operator, value) => {
                path.get(&document.fields).is_some_and(|field| operator.holds(field, value))
            }
        }
    }

    /// The fields that are compared for order; a query is sorted by them first.
    pub(super) fn inequalities<'f>(&'f self, into: &mut Vec<&'f FieldPath>) {
        use Operator::{Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual, NotIn};
        match self {
            Self::All(filters) | Self::Any(filters) => {
                filters.iter().for_each(|filter| filter.inequalities(into));
            }
            Self::Field(
                path,
                Less | LessOrEqual | Greater | GreaterOrEqual | NotEqual | NotIn,
                _,
            )
            | Self::Unary(path, Unary::NotNan | Unary::NotNull)
                if !into.contains(&path) =>
            {
                into.push(path);
            }
            _ => {}
        }
    }
}

/// `null` and `NaN` are found by unary filters alone: they are equal to nothing.
fn is_comparable(value: &Field) -> bool {
    *value != Field::Null && !value.is_nan()
}

fn equals(field: &Field, value: &Field) -> bool {
    is_comparable(value) && field.same(value)
}

fn check_values(operator: Operator, value: &Field) -> Read<()> {
    use Operator::{ContainsAny, In, NotIn};
    if !matches!(operator, In | NotIn | ContainsAny) {
        return Ok(());
    }
    match value {
        Field::List(items) if (1..=FILTER_VALUES).contains(&items.len()) => Ok(()),
        Field::List(items) => Err(Error::invalid(format!(
            "the filter has {} values; between 1 and {FILTER_VALUES} are possible",
            items.len()
        ))),
        _ => Err(Error::invalid("the filter needs an arrayValue")),
    }
}

fn check_names(value: &Field) -> Read<()> {
    match value {
        Field::Reference(name) => DocumentName::read(name).map(drop),
        Field::List(items) => items.iter().try_for_each(check_names),
        _ => Err(Error::invalid("__name__ is compared with a referenceValue")),
    }
}

impl Unary {
    fn holds(self, field: &Field) -> bool {
        match self {
            Self::Nan => field.is_nan(),
            Self::Null => *field == Field::Null,
            Self::NotNan => !field.is_nan() && *field != Field::Null,
            Self::NotNull => *field != Field::Null,
        }
    }
}

impl Operator {
    fn holds(self, field: &Field, value: &Field) -> bool {
        let items = |field: &Field| match field {
            Field::List(items) => items.clone(),
            _ => Vec::new(),
        };
        // Only values of one type are before or after each other.
        let order = (field.rank() == value.rank() && is_comparable(field) && is_comparable(value))
            .then(|| field.order(value));
        match self {
            Self::Less => order.is_some_and(|order| order.is_lt()),
            Self::LessOrEqual => order.is_some_and(|order| order.is_le()),
            Self::Greater => order.is_some_and(|order| order.is_gt()),
            Self::GreaterOrEqual => order.is_some_and(|order| order.is_ge()),
            Self::Equal => equals(field, value),
            Self::NotEqual => {
                *field != Field::Null && *value != Field::Null && !equals(field, value)
            }
            Self::Contains => items(field).iter().any(|item| equals(item, value)),
            Self::In => items(value).iter().any(|item| equals(field, item)),
            Self::ContainsAny => {
                let wanted = items(value);
                items(field).iter().any(|item| wanted.iter().any(|value| equals(item, value)))
            }
            Self::NotIn => {
                let unwanted = items(value);
                *field != Field::Null
                    && !unwanted.contains(&Field::Null)
                    && !unwanted.iter().any(|item| equals(field, item))
            }
        }
    }
}
