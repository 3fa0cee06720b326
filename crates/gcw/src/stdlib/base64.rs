//! `base64.*`

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Body, Function, optional, required};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "base64.decode",
        params: &[required("data"), optional("padding")],
        doc: "Bytes from base64 text; `padding` says whether the text is padded. [2]",
        examples: &[
            ("text.decode(base64.decode(\"aGk=\"))", "\"hi\""),
            ("text.decode(base64.decode(\"aGk\", false))", "\"hi\""),
            ("base64.decode(\"aGk\")", "!ValueError"),
            ("base64.decode(1)", "!TypeError"),
        ],
        body: Body::Pure(|args| {
            let text = args.text(0)?;
            let engine = engine(args.flag_or(1, true)?);
            engine.decode(&**text).map(Value::bytes).map_err(|error| args.invalid(0, error))
        }),
    },
    Function {
        name: "base64.encode",
        params: &[required("data"), optional("padding")],
        doc: "Base64 text of bytes. [2]",
        examples: &[
            ("base64.encode(text.encode(\"hi\"))", "\"aGk=\""),
            ("base64.encode(text.encode(\"hi\"), false)", "\"aGk\""),
            ("base64.encode(\"hi\")", "!TypeError"),
        ],
        body: Body::Pure(|args| {
            let bytes = args.bytes(0)?;
            Ok(engine(args.flag_or(1, true)?).encode(bytes).into())
        }),
    },
];

fn engine(is_padded: bool) -> GeneralPurpose {
    let mode = match is_padded {
        true => DecodePaddingMode::RequireCanonical,
        false => DecodePaddingMode::Indifferent,
    };
    let config =
        GeneralPurposeConfig::new().with_encode_padding(is_padded).with_decode_padding_mode(mode);
    GeneralPurpose::new(&STANDARD, config)
}
