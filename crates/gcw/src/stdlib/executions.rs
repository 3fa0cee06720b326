//! `experimental.executions.*`, deprecated by Google but still in use.

use super::{Body, EffectKind, Function, optional, required};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "experimental.executions.run",
        params: &[
            required("workflow_id"),
            optional("location"),
            optional("project_id"),
            optional("argument"),
        ],
        doc: "Runs another workflow and waits for its result. [D]",
        examples: &[],
        body: Body::Effect(EffectKind::Executions),
    },
    Function {
        name: "experimental.executions.map",
        params: &[
            required("workflow_id"),
            required("arguments"),
            optional("location"),
            optional("project_id"),
        ],
        doc: "Runs another workflow once an argument; results keep the arguments' order. [D]",
        examples: &[],
        body: Body::Effect(EffectKind::Executions),
    },
];
