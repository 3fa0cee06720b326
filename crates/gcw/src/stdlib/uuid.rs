//! `uuid.*`

use super::{Body, Function};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[Function {
    name: "uuid.generate",
    params: &[],
    doc: "A version 4 UUID, the same again when the journal is folded again. [D]",
    examples: &[("len(uuid.generate())", "36")],
    body: Body::Pure(|args| {
        let draw = args.context.draws.get();
        args.context.draws.set(draw + 1);
        // Effects' keys count up from 0; chance counts down from the other end.
        Ok(Value::from(version4(args.context.seed.bytes(u64::MAX - draw))))
    }),
}];

fn version4(mut bytes: [u8; 16]) -> String {
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
