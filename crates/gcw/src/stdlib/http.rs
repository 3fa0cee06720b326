//! `http.*`: the calls, and the retry predicates.

use jobmill_google::retry::{IDEMPOTENT, NON_IDEMPOTENT};

use super::retry::may_pass;
use super::{Body, EffectKind, Function, Param, optional, required};

/// The parameters of every call; a body of `get` is not documented, but found in the wild.
const WITH_BODY: &[Param] = &[
    required("url"),
    optional("timeout"),
    optional("body"),
    optional("headers"),
    optional("query"),
    optional("auth"),
    optional("private_service_name"),
    optional("ca_certificate"),
];

const fn call(name: &'static str, method: &'static str, doc: &'static str) -> Function {
    Function {
        name,
        params: WITH_BODY,
        doc,
        examples: &[],
        body: Body::Effect(EffectKind::Http(Some(method))),
    }
}

pub(super) const FUNCTIONS: &[Function] = &[
    call("http.get", "GET", "Makes a GET call; answers {body, code, headers}. [D]"),
    call("http.post", "POST", "Makes a POST call; answers {body, code, headers}. [D]"),
    call("http.put", "PUT", "Makes a PUT call; answers {body, code, headers}. [D]"),
    call("http.patch", "PATCH", "Makes a PATCH call; answers {body, code, headers}. [D]"),
    call("http.delete", "DELETE", "Makes a DELETE call; answers {body, code, headers}. [D]"),
    Function {
        name: "http.request",
        params: &[
            required("method"),
            required("url"),
            optional("timeout"),
            optional("body"),
            optional("headers"),
            optional("query"),
            optional("auth"),
            optional("private_service_name"),
            optional("ca_certificate"),
        ],
        doc: "Makes a call of any of seven methods; answers {body, code, headers}. [D]",
        examples: &[],
        body: Body::Effect(EffectKind::Http(None)),
    },
    Function {
        name: "http.default_retry_predicate",
        params: &[required("e")],
        doc: "Whether an error is worth another try of an idempotent call. [D]",
        examples: &[
            ("http.default_retry_predicate({\"code\": 503})", "true"),
            ("http.default_retry_predicate({\"code\": 500})", "false"),
            ("http.default_retry_predicate({\"tags\": [\"ConnectionError\"]})", "true"),
            ("http.default_retry_predicate(\"text\")", "false"),
        ],
        body: Body::Pure(|args| may_pass(args, &IDEMPOTENT)),
    },
    Function {
        name: "http.default_retry_predicate_non_idempotent",
        params: &[required("e")],
        doc: "Whether an error is worth another try of any call. [D]",
        examples: &[
            ("http.default_retry_predicate_non_idempotent({\"code\": 429})", "true"),
            ("http.default_retry_predicate_non_idempotent({\"code\": 502})", "false"),
            (
                "http.default_retry_predicate_non_idempotent({\"tags\": [\"TimeoutError\"]})",
                "false",
            ),
        ],
        body: Body::Pure(|args| may_pass(args, &NON_IDEMPOTENT)),
    },
];
