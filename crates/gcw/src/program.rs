//! The compiled form of a definition: addresses resolved, variables in slots.
//!
//! A program is a flat list of operations. A routine, a branch and an iteration of `parallel for`
//! each run with a frame of slots; a variable is a slot of this frame or of one further up.

use std::sync::Arc;

use crate::expr::ast::BinaryOp;
use crate::limits::Limits;
use crate::source::place::Position;
use crate::stdlib::{EffectKind, Function};
use crate::value::Value;

/// The address of an operation.
pub type Addr = u32;

/// The address that is not known.
pub const NOWHERE: Addr = u32::MAX;

/// A checked definition, ready to run.
#[derive(Debug)]
pub struct Program {
    /// The operations of all routines.
    pub ops: Vec<Op>,
    /// All steps.
    pub steps: Vec<StepInfo>,
    /// All routines.
    pub routines: Vec<RoutineInfo>,
    /// Which routine is `main`.
    pub main: usize,
    /// The numbers in force.
    pub limits: Arc<Limits>,
}

/// A step as traces and step entries name it.
#[derive(Debug, Clone)]
pub struct StepInfo {
    /// Its name.
    pub name: Arc<str>,
    /// Its routine's name.
    pub routine: Arc<str>,
    /// What kind of step it is, as Google's step entries name it without `STEP_`.
    pub kind: &'static str,
    /// Where its name is.
    pub position: Position,
    /// The step that it stands in.
    pub parent: Option<u32>,
}

/// A routine.
#[derive(Debug, Clone)]
pub struct RoutineInfo {
    /// Its name.
    pub name: Arc<str>,
    /// Its parameters; they live in the first slots.
    pub params: Vec<ParamInfo>,
    /// Where it begins.
    pub entry: Addr,
    /// The names of its slots; made-up slots have none.
    pub slots: Vec<Option<Arc<str>>>,
}

/// A parameter.
#[derive(Debug, Clone)]
pub struct ParamInfo {
    /// Its name.
    pub name: Arc<str>,
    /// What it is when nothing is passed.
    pub default: Option<Expr>,
}

/// A variable: a slot of the frame that is `up` frames above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VarRef {
    /// How many branches up.
    pub up: u16,
    /// Which slot.
    pub slot: u16,
}

/// A resolved expression.
#[derive(Debug, Clone)]
pub enum Expr {
    /// A value.
    Const(Value),
    /// A variable.
    Var(VarRef),
    /// A name that nothing assigns; reading it is a `KeyError`.
    Unknown(Arc<str>),
    /// `a.b`
    Member(Box<Expr>, Arc<str>),
    /// `a[b]`
    Index(Box<(Expr, Expr)>),
    /// `a[b:c]`
    Slice(Box<(Expr, Option<Expr>, Option<Expr>)>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{"a": b}`
    Map(Vec<(Expr, Expr)>),
    /// `not a`
    Not(Box<Expr>),
    /// `-a`
    Negate(Box<Expr>),
    /// `a + b` and its like.
    Binary(BinaryOp, Box<(Expr, Expr)>),
    /// `if(a, b, c)`: only the chosen side is evaluated.
    If(Box<(Expr, Expr, Expr)>),
    /// A function without effects.
    Call(&'static Function, Vec<Option<Expr>>),
    /// An expression with the place that its errors name.
    At(Position, Box<Expr>),
}

/// One step of the way into a value.
#[derive(Debug, Clone)]
pub enum PathKey {
    /// A known key.
    Name(Arc<str>),
    /// A key or place to be computed.
    Expr(Expr),
}

/// What a call is given.
#[derive(Debug, Clone)]
pub enum CallArgs {
    /// One expression a parameter, in order of the parameters.
    Fixed(Vec<Option<Expr>>),
    /// A map by name or a list by position, known only when it is evaluated.
    Dynamic(Expr),
}

/// One operation.
#[derive(Debug, Clone)]
pub enum Op {
    /// A step begins: counts, and is what traces name.
    Step(u32),
    /// Writes a variable.
    Assign(VarRef, Expr, Position),
    /// Adds an item to the list in a variable: `x: ${list.concat(x, item)}` without the copy.
    Append(VarRef, Expr, Position),
    /// Writes a place inside a variable.
    AssignPath(Box<(VarRef, Vec<PathKey>, Expr)>, Position),
    /// Goes on elsewhere, with this many open blocks left.
    Jump(Addr, u16),
    /// Goes on elsewhere unless the condition is true.
    Unless(Expr, Addr, Position),
    /// Evaluates for the errors only.
    Evaluate(Expr, Position),
    /// Calls a routine.
    Call(Box<RoutineCall>),
    /// Asks the world.
    Effect(Box<EffectCall>),
    /// Calls a connector.
    Connector(Box<ConnectorOp>),
    /// Reads the clock, in seconds.
    Clock(VarRef, Position),
    /// Ends the routine with a value.
    Return(Expr, Position),
    /// Fails.
    Raise(Expr, Position),
    /// Opens a `try`: errors go to the handler, the error's value to the slot.
    TryEnter(Addr, VarRef),
    /// Closes the `try`.
    TryLeave,
    /// Decides whether a caught error may be tried again at all; if not, goes elsewhere.
    RetryCheck(Box<RetryOp>, Addr),
    /// Counts the next try and sleeps for its delay.
    RetryDelay(Box<RetryOp>),
    /// Leaves the handler with its error handled.
    CatchLeave,
    /// Leaves the handler and raises its error again.
    Rethrow,
    /// Opens a loop.
    LoopEnter(Box<LoopOp>),
    /// Takes the next item, or closes the loop and goes elsewhere.
    LoopNext(Box<LoopOp>, Addr),
    /// Runs branches.
    Parallel(Box<ParallelOp>),
    /// Ends a branch.
    BranchEnd,
}

/// A call of a routine.
#[derive(Debug, Clone)]
pub struct RoutineCall {
    /// Which.
    pub routine: usize,
    /// With what.
    pub args: CallArgs,
    /// Where the answer goes.
    pub result: Option<VarRef>,
    /// The place of the call.
    pub position: Position,
}

/// A call that asks the world.
#[derive(Debug, Clone)]
pub struct EffectCall {
    /// The function.
    pub function: &'static Function,
    /// What it asks for.
    pub kind: EffectKind,
    /// With what.
    pub args: CallArgs,
    /// Where the answer goes.
    pub result: Option<VarRef>,
    /// The place of the call.
    pub position: Position,
}

/// A call of a connector.
#[derive(Debug, Clone)]
pub struct ConnectorOp {
    /// The dotted name.
    pub name: Arc<str>,
    /// A map by name, or a list by position.
    pub args: Expr,
    /// Where the answer goes.
    pub result: Option<VarRef>,
    /// The place of the call.
    pub position: Position,
}

/// The numbers of a retry policy.
#[derive(Debug, Clone)]
pub struct RetryOp {
    /// The made-up variable that counts the retries.
    pub count: VarRef,
    /// How many tries after the first.
    pub max_retries: Expr,
    /// Seconds before the first new try.
    pub initial_delay: Expr,
    /// Seconds between tries at most.
    pub max_delay: Expr,
    /// The factor from one delay to the next.
    pub multiplier: Expr,
    /// The place of the policy.
    pub position: Position,
}

/// A loop.
#[derive(Debug, Clone)]
pub struct LoopOp {
    /// What is gone through.
    pub over: Expr,
    /// Whether that is a range.
    pub is_range: bool,
    /// The variable of the item.
    pub value: VarRef,
    /// The variable of the item's place.
    pub index: Option<VarRef>,
    /// The slots that are emptied before each iteration and at the end.
    pub locals: Vec<u16>,
    /// The place of what is gone through.
    pub position: Position,
}

/// A `parallel`.
#[derive(Debug, Clone)]
pub struct ParallelOp {
    /// What runs at once.
    pub work: ParallelWork,
    /// How many may be under way at once.
    pub concurrency_limit: Option<Expr>,
    /// The place of the keyword.
    pub position: Position,
}

/// What runs at once.
#[derive(Debug, Clone)]
pub enum ParallelWork {
    /// Named branches.
    Branches(Vec<(Arc<str>, BranchInfo)>),
    /// One branch an item; `value` and `index` are slots of the branch.
    For(LoopOp, BranchInfo),
}

/// The code of a branch.
#[derive(Debug, Clone)]
pub struct BranchInfo {
    /// Where it begins.
    pub entry: Addr,
    /// The names of its slots.
    pub slots: Vec<Option<Arc<str>>>,
}
