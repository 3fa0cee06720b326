//! The tree of a definition as it was written: step kinds as a sum type, names unresolved,
//! every node with its place in the source.

use std::sync::Arc;

use crate::expr::ast::Expr;
use crate::source::place::Span;
use crate::value::Value;

/// A whole definition.
#[derive(Debug, Clone, Default)]
pub struct Definition {
    /// `main` and the subworkflows, in source order.
    pub routines: Vec<Routine>,
}

/// `main` or a subworkflow.
#[derive(Debug, Clone)]
pub struct Routine {
    /// Its name.
    pub name: Name,
    /// Its parameters in order.
    pub params: Vec<Param>,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// A name with its place.
#[derive(Debug, Clone)]
pub struct Name {
    /// The name.
    pub text: Arc<str>,
    /// Where it is.
    pub span: Span,
}

/// A parameter.
#[derive(Debug, Clone)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// What it is when nothing is passed.
    pub default: Option<Template>,
}

/// A step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name.
    pub name: Name,
    /// What it does.
    pub body: Body,
}

/// What a step, a switch entry or a `try` does.
#[derive(Debug, Clone)]
pub struct Body {
    /// The action.
    pub action: Action,
    /// Where control goes afterwards.
    pub next: Option<Next>,
}

/// The target of `next`.
#[derive(Debug, Clone)]
pub struct Next {
    /// The target.
    pub target: Jump,
    /// Where it is.
    pub span: Span,
}

/// Where control may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Jump {
    /// `end`
    End,
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// A step.
    Step(Arc<str>),
}

/// The action of a step.
#[derive(Debug, Clone)]
pub enum Action {
    /// Only a jump, or nothing.
    Nothing,
    /// `assign`
    Assign(Vec<Assignment>),
    /// `call`
    Call(Call),
    /// `switch`
    Switch(Vec<Case>),
    /// `for`
    For(Loop),
    /// `parallel`
    Parallel(Box<Parallel>),
    /// `steps`
    Steps(Vec<Step>),
    /// `try`
    Try(Box<Try>),
    /// `raise`
    Raise(Template),
    /// `return`
    Return(Template),
}

/// One entry of `assign`.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// What is written.
    pub target: Target,
    /// The value.
    pub value: Template,
}

/// Something that can be assigned: a variable, or a place inside its value.
#[derive(Debug, Clone)]
pub struct Target {
    /// The variable.
    pub name: Name,
    /// The way into its value.
    pub keys: Vec<TargetKey>,
}

/// One step of the way into a value.
#[derive(Debug, Clone)]
pub enum TargetKey {
    /// `.name`
    Name(Arc<str>),
    /// `[expr]`
    Expr(Expr),
}

/// A call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The function or subworkflow.
    pub function: Name,
    /// What it is given.
    pub args: Args,
    /// The variable that takes the answer.
    pub result: Option<Name>,
}

/// The arguments of a call.
#[derive(Debug, Clone)]
pub enum Args {
    /// None.
    None,
    /// By name.
    Named(Vec<(Name, Template)>),
    /// By position.
    Positional(Vec<Template>),
    /// An expression that gives a map or a list.
    Dynamic(Template),
}

/// One entry of `switch`.
#[derive(Debug, Clone)]
pub struct Case {
    /// When it is taken.
    pub condition: Template,
    /// What it does.
    pub body: Body,
    /// The place of the entry.
    pub span: Span,
}

/// A `for`.
#[derive(Debug, Clone)]
pub struct Loop {
    /// The variable of the item.
    pub value: Name,
    /// The variable of the item's place.
    pub index: Option<Name>,
    /// What is gone through.
    pub over: Over,
    /// The steps of one iteration.
    pub steps: Vec<Step>,
}

/// What a loop goes through.
#[derive(Debug, Clone)]
pub enum Over {
    /// `in`
    List(Template),
    /// `range`: both ends inclusive; a list of two items or an expression of one.
    Range(Template),
}

/// A `parallel`.
#[derive(Debug, Clone)]
pub struct Parallel {
    /// What runs at once.
    pub work: Work,
    /// The outer variables that may be written.
    pub shared: Vec<Name>,
    /// How many may be under way at once.
    pub concurrency_limit: Option<Template>,
    /// The place of the keyword's value.
    pub span: Span,
}

/// What runs at once.
#[derive(Debug, Clone)]
pub enum Work {
    /// Named branches.
    Branches(Vec<(Name, Vec<Step>)>),
    /// One branch an item.
    For(Loop),
}

/// A `try`.
#[derive(Debug, Clone)]
pub struct Try {
    /// What is tried.
    pub body: Body,
    /// When it is tried again.
    pub retry: Option<Retry>,
    /// What is done about an error.
    pub except: Option<Except>,
    /// The place of the tried block.
    pub span: Span,
}

/// A retry policy.
#[derive(Debug, Clone)]
pub enum Retry {
    /// `${http.default_retry}` and its like.
    Named(Expr),
    /// A policy spelled out.
    Policy(Box<RetryPolicy>),
}

/// A retry policy spelled out; what is missing was reported.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// The function that says whether an error is worth another try.
    pub predicate: Option<Expr>,
    /// How many tries after the first.
    pub max_retries: Option<Template>,
    /// The three delays as one expression that gives a map.
    pub backoff: Option<Expr>,
    /// Seconds before the first new try.
    pub initial_delay: Option<Template>,
    /// Seconds between tries at most.
    pub max_delay: Option<Template>,
    /// The factor from one delay to the next.
    pub multiplier: Option<Template>,
    /// The place of the policy.
    pub span: Span,
}

/// An `except`.
#[derive(Debug, Clone)]
pub struct Except {
    /// The variable of the error.
    pub name: Name,
    /// What is done.
    pub steps: Vec<Step>,
}

/// A value with expressions in it.
#[derive(Debug, Clone)]
pub struct Template {
    /// What it is.
    pub kind: TemplateKind,
    /// Where it is.
    pub span: Span,
}

/// What a template is.
#[derive(Debug, Clone)]
pub enum TemplateKind {
    /// A value without expressions.
    Literal(Value),
    /// `${…}`
    Expr(Expr),
    /// A list with expressions in it.
    List(Vec<Template>),
    /// A map with expressions in it.
    Map(Vec<(Key, Template)>),
}

/// A key of a map.
#[derive(Debug, Clone)]
pub enum Key {
    /// Text.
    Text(Arc<str>),
    /// `${…}`
    Expr(Expr, Span),
}
