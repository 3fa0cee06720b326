//! From the text's tree to expressions over the table's columns, with their types.

use jobmill_model::Value as Json;
use sqlparser::ast::{
    BinaryOperator, Expr as Tree, Ident, InTarget, OrderByExpr, OrderBySort, SelectItem,
    UnaryOperator, Value,
};

use super::expr::{Comparison, Expr};
use super::run::{Bound, Order, Output};
use super::{Statement, not_here, refused};
use crate::bigquery::cell::Cell;
use crate::bigquery::parameter::{Parameter, read_parameters};
use crate::bigquery::schema::{Column, Kind, Mode, Schema};
use crate::wire::read::Read;

/// An expression with its type; `NULL` has none.
struct Typed {
    expr: Expr,
    kind: Option<Kind>,
    mode: Mode,
}

impl Typed {
    fn literal(cell: Cell, kind: Kind) -> Self {
        Self { expr: Expr::Literal(cell), kind: Some(kind), mode: Mode::Nullable }
    }

    fn truth(expr: Expr) -> Self {
        Self { expr, kind: Some(Kind::Boolean), mode: Mode::Nullable }
    }

    fn type_name(&self) -> &'static str {
        self.kind.as_ref().map_or("NULL", Kind::name)
    }
}

struct Binder<'a> {
    schema: &'a Schema,
    alias: Option<&'a str>,
    parameters: Vec<Parameter>,
    /// How many `?` have been met.
    met: usize,
    now_micros: i64,
}

pub(super) fn bind(
    statement: &Statement,
    schema: &Schema,
    parameters: Option<&Json>,
    now_micros: i64,
) -> Read<Bound> {
    let parameters = read_parameters(parameters)?;
    let alias = statement.alias.as_deref();
    let mut binder = Binder { schema, alias, parameters, met: 0, now_micros };
    let counts = counts(&statement.projection)?;
    let outputs = match &counts {
        Some(name) => vec![Output {
            name: name.clone(),
            kind: Kind::Integer,
            mode: Mode::Nullable,
            expr: Expr::Literal(Cell::Null),
        }],
        None => binder.outputs(&statement.projection)?,
    };
    let filter = match &statement.filter {
        None => None,
        Some(tree) => Some(binder.condition(tree)?),
    };
    if counts.is_some() && !statement.orders.is_empty() {
        return Err(not_here("ORDER BY beside count(*)"));
    }
    let orders = statement.orders.iter().map(|order| binder.order(order, &outputs));
    let orders = orders.collect::<Read<_>>()?;
    let mut number = |tree: &Option<Tree>, what| match tree {
        None => Ok(None),
        Some(tree) => binder.number(tree, what).map(Some),
    };
    Ok(Bound {
        limit: number(&statement.limit, "LIMIT")?.unwrap_or(usize::MAX),
        skip: number(&statement.skip, "OFFSET")?.unwrap_or(0),
        counts: counts.is_some(),
        outputs,
        filter,
        orders,
    })
}

/// The name of the one output that counts rows, if that is what is asked for.
fn counts(projection: &[SelectItem]) -> Read<Option<String>> {
    let is_count = |tree: &Tree| tree.to_string().eq_ignore_ascii_case("count(*)");
    match projection {
        [SelectItem::UnnamedExpr(tree)] if is_count(tree) => Ok(Some("f0_".to_owned())),
        [SelectItem::ExprWithAlias { expr, alias }] if is_count(expr) => {
            Ok(Some(alias.value.clone()))
        }
        _ => Ok(None),
    }
}

impl Binder<'_> {
    fn outputs(&mut self, projection: &[SelectItem]) -> Read<Vec<Output>> {
        let mut outputs = Vec::new();
        for item in projection {
            match item {
                item if item.to_string() == "*" => {
                    if self.alias.is_none() {
                        return Err(refused("SELECT * must have a FROM clause"));
                    }
                    let all = self.schema.columns.iter().enumerate();
                    outputs.extend(all.map(|(place, column)| Output {
                        name: column.name.clone(),
                        kind: column.kind.clone(),
                        mode: column.mode,
                        expr: Expr::Column(vec![place]),
                    }));
                }
                SelectItem::UnnamedExpr(tree) => {
                    let named = match tree {
                        Tree::Identifier(ident) => Some(ident),
                        Tree::CompoundIdentifier(idents) => idents.last(),
                        _ => None,
                    };
                    let number = outputs.len();
                    let name = named.map_or(format!("f{number}_"), |ident| ident.value.clone());
                    outputs.push(self.output(tree, name)?);
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    outputs.push(self.output(expr, alias.value.clone())?);
                }
                other => return Err(not_here(format_args!("{other} in SELECT"))),
            }
        }
        Ok(outputs)
    }

    fn output(&mut self, tree: &Tree, name: String) -> Read<Output> {
        let Typed { expr, kind, mode } = self.typed(tree)?;
        Ok(Output { name, kind: kind.unwrap_or(Kind::Integer), mode, expr })
    }

    fn order(&mut self, order: &OrderByExpr, outputs: &[Output]) -> Read<Order> {
        let falls = match &order.options.sort {
            None | Some(OrderBySort::Asc) => false,
            Some(OrderBySort::Desc) => true,
            Some(OrderBySort::Using(_)) => return Err(not_here("ORDER BY … USING")),
        };
        let nulls_first = order.options.nulls_first.unwrap_or(!falls);
        let alias = |ident: &Ident| {
            outputs.iter().find(|output| output.name.eq_ignore_ascii_case(&ident.value))
        };
        let (expr, kind, mode) = match &order.expr {
            Tree::Identifier(ident) if let Some(output) = alias(ident) => {
                (output.expr.clone(), Some(output.kind.clone()), output.mode)
            }
            Tree::Value(value) if let Value::Number(text, _) = &value.value => {
                let place = text.parse::<usize>().ok().and_then(|place| place.checked_sub(1));
                let output = place.and_then(|place| outputs.get(place)).ok_or_else(|| {
                    refused(format!("ORDER BY column number item is out of range: {text}"))
                })?;
                (output.expr.clone(), Some(output.kind.clone()), output.mode)
            }
            tree => {
                let Typed { expr, kind, mode } = self.typed(tree)?;
                (expr, kind, mode)
            }
        };
        let sorts = !matches!(kind, Some(Kind::Json | Kind::Record(_))) && mode != Mode::Repeated;
        match sorts {
            true => Ok(Order { expr, falls, nulls_first }),
            false => Err(refused("ORDER BY does not support expressions of this type")),
        }
    }

    fn number(&mut self, tree: &Tree, what: &str) -> Read<usize> {
        match self.typed(tree)?.expr {
            Expr::Literal(Cell::Int(number)) => usize::try_from(number).ok(),
            _ => None,
        }
        .ok_or_else(|| refused(format!("{what} expects a whole number that is not negative")))
    }

    fn condition(&mut self, tree: &Tree) -> Read<Expr> {
        let typed = self.typed(tree)?;
        match typed.kind {
            None | Some(Kind::Boolean) if typed.mode != Mode::Repeated => Ok(typed.expr),
            _ => Err(refused(format!(
                "a condition should be of type BOOL, but {tree} is of type {}",
                typed.type_name()
            ))),
        }
    }

    fn typed(&mut self, tree: &Tree) -> Read<Typed> {
        match tree {
            Tree::Nested(inner) => self.typed(inner),
            Tree::Value(value) => self.value(&value.value),
            Tree::Identifier(ident) if ident.value.starts_with('@') => self.parameter(&ident.value),
            Tree::Identifier(ident) => self.column(std::slice::from_ref(ident)),
            Tree::CompoundIdentifier(idents) => self.column(idents),
            Tree::TypedString(typed) => {
                let kind = Kind::named(&typed.data_type.to_string());
                let text = typed.value.value.clone().into_string();
                let cell =
                    kind.as_ref().zip(text).and_then(|(kind, text)| Cell::parse(kind, &text));
                let bad = || refused(format!("Invalid literal: {tree}"));
                Ok(Typed::literal(cell.ok_or_else(bad)?, kind.ok_or_else(bad)?))
            }
            Tree::IsNull(inner) => self.is_null(inner),
            Tree::IsNotNull(inner) => self.is_null(inner).map(not),
            Tree::UnaryOp { op: UnaryOperator::Not, expr } => {
                Ok(Typed::truth(Expr::Not(Box::new(self.condition(expr)?))))
            }
            Tree::UnaryOp { op: UnaryOperator::Minus, expr } => self.negative(expr),
            Tree::BinaryOp { left, op, right } => self.operation(left, op, right),
            Tree::Between { expr, negated, low, high } => {
                let low = self.compare(expr, Comparison::GreaterOrEqual, low)?;
                let high = self.compare(expr, Comparison::LessOrEqual, high)?;
                Ok(not_if(*negated, Typed::truth(Expr::All(vec![low, high]))))
            }
            Tree::In { expr, target, negated, .. } => {
                Ok(not_if(*negated, self.within(expr, target)?))
            }
            Tree::Like { negated, any: false, expr, pattern, escape_char: None } => {
                let (expr, pattern) = (self.text(expr)?, self.text(pattern)?);
                let like = Expr::Like(Box::new(expr), Box::new(pattern));
                Ok(not_if(*negated, Typed::truth(like)))
            }
            Tree::Function(_)
                if tree.to_string().to_uppercase().starts_with("CURRENT_TIMESTAMP") =>
            {
                Ok(Typed::literal(Cell::Instant(self.now_micros), Kind::Timestamp))
            }
            other => Err(not_here(format_args!("the expression {other}"))),
        }
    }

    fn value(&mut self, value: &Value) -> Read<Typed> {
        Ok(match value {
            Value::Null => {
                Typed { expr: Expr::Literal(Cell::Null), kind: None, mode: Mode::Nullable }
            }
            Value::Boolean(value) => Typed::literal(Cell::Bool(*value), Kind::Boolean),
            Value::Number(text, _) => match text.parse() {
                Ok(number) => Typed::literal(Cell::Int(number), Kind::Integer),
                Err(_) => {
                    let double =
                        text.parse().map_err(|_| refused(format!("Invalid number: {text}")));
                    Typed::literal(Cell::Float(double?), Kind::Float)
                }
            },
            Value::Placeholder(text) => self.parameter(text)?,
            Value::SingleQuotedString(text)
            | Value::DoubleQuotedString(text)
            | Value::TripleSingleQuotedString(text)
            | Value::TripleDoubleQuotedString(text)
            | Value::SingleQuotedRawStringLiteral(text)
            | Value::DoubleQuotedRawStringLiteral(text) => {
                Typed::literal(Cell::Text(text.clone()), Kind::String)
            }
            other => return Err(not_here(format_args!("the literal {other}"))),
        })
    }

    fn parameter(&mut self, text: &str) -> Read<Typed> {
        let found = match text.strip_prefix('@') {
            Some(name) => self.parameters.iter().find(|parameter| {
                parameter.name.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(name))
            }),
            None => {
                self.met += 1;
                let mut positional = self.parameters.iter().filter(|known| known.name.is_none());
                positional.nth(self.met - 1)
            }
        };
        let parameter =
            found.ok_or_else(|| refused(format!("Query parameter {text:?} not found")))?;
        let mode = match parameter.cell {
            Cell::List(_) => Mode::Repeated,
            _ => Mode::Nullable,
        };
        let (cell, kind) = (parameter.cell.clone(), parameter.kind.clone());
        Ok(Typed { mode, ..Typed::literal(cell, kind) })
    }

    fn column(&self, idents: &[Ident]) -> Read<Typed> {
        let is_table = |ident: &Ident| {
            self.alias.is_some_and(|alias| alias.eq_ignore_ascii_case(&ident.value))
        };
        let idents = match idents {
            [first, rest @ ..] if !rest.is_empty() && is_table(first) => rest,
            all => all,
        };
        let mut schema = self.schema;
        let mut path = Vec::new();
        let mut found: Option<&Column> = None;
        for ident in idents {
            let place = schema.position(&ident.value);
            let place =
                place.ok_or_else(|| refused(format!("Unrecognized name: {}", ident.value)))?;
            let column = &schema.columns[place];
            path.push(place);
            found = Some(column);
            match &column.kind {
                Kind::Record(inner) if column.mode != Mode::Repeated => schema = inner,
                _ => schema = const { &Schema { columns: Vec::new() } },
            }
        }
        let column = found.ok_or_else(|| refused("a column without a name"))?;
        Ok(Typed { expr: Expr::Column(path), kind: Some(column.kind.clone()), mode: column.mode })
    }

    fn is_null(&mut self, inner: &Tree) -> Read<Typed> {
        Ok(Typed::truth(Expr::IsNull(Box::new(self.typed(inner)?.expr))))
    }

    fn negative(&mut self, inner: &Tree) -> Read<Typed> {
        let typed = self.typed(inner)?;
        let cell = match typed.expr {
            Expr::Literal(Cell::Int(number)) => Cell::Int(-number),
            Expr::Literal(Cell::Float(double)) => Cell::Float(-double),
            _ => return Err(not_here("arithmetic")),
        };
        Ok(Typed { expr: Expr::Literal(cell), ..typed })
    }

    fn operation(&mut self, left: &Tree, op: &BinaryOperator, right: &Tree) -> Read<Typed> {
        use BinaryOperator as Op;
        let comparison = match op {
            Op::And | Op::Or => return self.junction(left, op, right),
            Op::Eq => Comparison::Equal,
            Op::NotEq => Comparison::NotEqual,
            Op::Lt => Comparison::Less,
            Op::LtEq => Comparison::LessOrEqual,
            Op::Gt => Comparison::Greater,
            Op::GtEq => Comparison::GreaterOrEqual,
            other => return Err(not_here(format_args!("the operator {other}"))),
        };
        self.compare(left, comparison, right).map(Typed::truth)
    }

    /// A chain of the same operator leans to the left: it is walked, not descended.
    fn junction(&mut self, left: &Tree, op: &BinaryOperator, right: &Tree) -> Read<Typed> {
        let mut trees = vec![right];
        let mut rest = left;
        while let Tree::BinaryOp { left, op: other, right } = rest
            && other == op
        {
            trees.push(right);
            rest = left;
        }
        trees.push(rest);
        let parts = trees.into_iter().rev().map(|tree| self.condition(tree));
        let parts = parts.collect::<Read<_>>()?;
        Ok(Typed::truth(match op {
            BinaryOperator::And => Expr::All(parts),
            _ => Expr::Any(parts),
        }))
    }

    fn compare(&mut self, left: &Tree, comparison: Comparison, right: &Tree) -> Read<Expr> {
        let (left, right) = (self.typed(left)?, self.typed(right)?);
        let (left, right) = matched(left, right)?;
        Ok(Expr::Compare(Box::new(left), comparison, Box::new(right)))
    }

    fn within(&mut self, inner: &Tree, target: &InTarget) -> Read<Typed> {
        let mut items = Vec::new();
        match target {
            InTarget::List(trees) => {
                for tree in trees {
                    let (left, right) = (self.typed(inner)?, self.typed(tree)?);
                    items.push(matched(left, right)?.1);
                }
            }
            InTarget::Unnest(tree) => {
                let list = self.typed(tree)?;
                let (Expr::Literal(Cell::List(cells)), Some(kind)) = (list.expr, list.kind) else {
                    return Err(not_here("IN UNNEST of what is no parameter"));
                };
                for cell in cells {
                    let left = self.typed(inner)?;
                    items.push(matched(left, Typed::literal(cell, kind.clone()))?.1);
                }
            }
            _ => return Err(not_here("IN with a query")),
        }
        let inner = self.typed(inner)?.expr;
        Ok(Typed::truth(Expr::In(Box::new(inner), items)))
    }

    fn text(&mut self, tree: &Tree) -> Read<Expr> {
        let typed = self.typed(tree)?;
        match typed.kind {
            None | Some(Kind::String) if typed.mode != Mode::Repeated => Ok(typed.expr),
            _ => Err(refused(format!("LIKE needs STRING, but {tree} is {}", typed.type_name()))),
        }
    }
}

fn not(typed: Typed) -> Typed {
    Typed::truth(Expr::Not(Box::new(typed.expr)))
}

fn not_if(negated: bool, typed: Typed) -> Typed {
    if negated { not(typed) } else { typed }
}

/// Two expressions whose values can be compared; text that is written out becomes what it is
/// compared with.
fn matched(left: Typed, right: Typed) -> Read<(Expr, Expr)> {
    let names = (left.type_name(), right.type_name());
    let no_match = || {
        let text = "No matching signature for operator for argument types";
        refused(format!("{text}: {}, {}", names.0, names.1))
    };
    if left.mode == Mode::Repeated || right.mode == Mode::Repeated {
        return Err(no_match());
    }
    let (Some(left_kind), Some(right_kind)) = (&left.kind, &right.kind) else {
        return Ok((left.expr, right.expr));
    };
    let is_number = |kind: &Kind| {
        matches!(kind, Kind::Integer | Kind::Float | Kind::Numeric | Kind::BigNumeric)
    };
    let compares = |kind: &Kind| !matches!(kind, Kind::Json | Kind::Record(_));
    if left_kind == right_kind && compares(left_kind)
        || is_number(left_kind) && is_number(right_kind)
    {
        return Ok((left.expr, right.expr));
    }
    let written = |expr: Expr, kind: &Kind, wanted: &Kind| match expr {
        Expr::Literal(Cell::Text(text)) if *kind == Kind::String => {
            let bad =
                || refused(format!("Could not cast literal {text:?} to type {}", wanted.name()));
            Cell::parse(wanted, &text).map(Expr::Literal).ok_or_else(bad)
        }
        _ => Err(no_match()),
    };
    let dated =
        |kind: &Kind| matches!(kind, Kind::Timestamp | Kind::Date | Kind::Time | Kind::DateTime);
    match (dated(left_kind), dated(right_kind)) {
        (true, false) => {
            let right = written(right.expr, right_kind, left_kind)?;
            Ok((left.expr, right))
        }
        (false, true) => {
            let left = written(left.expr, left_kind, right_kind)?;
            Ok((left, right.expr))
        }
        _ => Err(no_match()),
    }
}
