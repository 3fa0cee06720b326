//! `events.*`

use super::{Body, EffectKind, Function, optional, required};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "events.create_callback_endpoint",
        params: &[optional("http_callback_method")],
        doc: "Opens an address that waits for a request of this method; answers {url}. [D]",
        examples: &[],
        body: Body::Effect(EffectKind::CreateCallback),
    },
    Function {
        name: "events.await_callback",
        params: &[required("callback"), optional("timeout")],
        doc: "Waits for a request at such an address, 43200 seconds unless told otherwise; \
              TimeoutError when none comes. [D]",
        examples: &[],
        body: Body::Effect(EffectKind::AwaitCallback),
    },
];
