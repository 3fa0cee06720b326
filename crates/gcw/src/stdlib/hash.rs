//! `hash.*`

use hmac::{Hmac, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::digest::{Digest, KeyInit};
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::{Args, Body, Function, required};
use crate::fault::Answer;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "hash.compute_checksum",
        params: &[required("data"), required("algorithm")],
        doc: "The checksum of bytes: MD5, SHA1, SHA224, SHA256, SHA384 or SHA512. [D]",
        examples: &[
            (
                "base64.encode(hash.compute_checksum(text.encode(\"abc\"), \"MD5\"))",
                "\"kAFQmDzST7DWlj99KOF/cg==\"",
            ),
            (
                "base64.encode(hash.compute_checksum(text.encode(\"abc\"), \"SHA256\"))",
                "\"ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=\"",
            ),
            ("hash.compute_checksum(text.encode(\"abc\"), \"CRC\")", "!ValueError"),
            ("hash.compute_checksum(\"abc\", \"MD5\")", "!TypeError"),
        ],
        body: Body::Pure(checksum),
    },
    Function {
        name: "hash.compute_hmac",
        params: &[required("key"), required("data"), required("algorithm")],
        doc: "The keyed hash of bytes with the same algorithms. [D]",
        examples: &[
            (
                "base64.encode(hash.compute_hmac(text.encode(\"k\"), text.encode(\"abc\"), \
                 \"SHA1\"))",
                "\"+b7wkf4A2fUShZODbbqZ4ZPwgXQ=\"",
            ),
            ("hash.compute_hmac(\"k\", text.encode(\"a\"), \"SHA1\")", "!TypeError"),
        ],
        body: Body::Pure(hmac),
    },
];

fn checksum(args: &Args<'_>) -> Answer {
    let data = args.bytes(0)?;
    Ok(Value::bytes(match &**args.text(1)? {
        "MD5" => Md5::digest(data).to_vec(),
        "SHA1" => Sha1::digest(data).to_vec(),
        "SHA224" => Sha224::digest(data).to_vec(),
        "SHA256" => Sha256::digest(data).to_vec(),
        "SHA384" => Sha384::digest(data).to_vec(),
        "SHA512" => Sha512::digest(data).to_vec(),
        other => return Err(args.invalid(1, format!("unknown algorithm {other:?}"))),
    }))
}

fn hmac(args: &Args<'_>) -> Answer {
    let (key, data) = (args.bytes(0)?, args.bytes(1)?);
    let signed = match &**args.text(2)? {
        "MD5" => sign::<Hmac<Md5>>(key, data),
        "SHA1" => sign::<Hmac<Sha1>>(key, data),
        "SHA224" => sign::<Hmac<Sha224>>(key, data),
        "SHA256" => sign::<Hmac<Sha256>>(key, data),
        "SHA384" => sign::<Hmac<Sha384>>(key, data),
        "SHA512" => sign::<Hmac<Sha512>>(key, data),
        other => return Err(args.invalid(2, format!("unknown algorithm {other:?}"))),
    };
    signed.map(Value::bytes).ok_or_else(|| args.invalid(0, "the key cannot be used"))
}

fn sign<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
    mac.update(data);
    Some(mac.finalize().into_bytes().to_vec())
}
