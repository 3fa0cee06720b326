//! A service account of Google, which signs tokens itself.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jobmill_model::{Fault, Value};

/// How long a token holds, as long as Google allows.
const TOKEN_SECONDS: i64 = 3_600;
/// Where a key is exchanged that does not say where.
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// The key of a service account. It is never shown.
pub(super) struct ServiceAccount {
    email: String,
    key_id: String,
    key: RsaKeyPair,
    token_uri: String,
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount").field("email", &self.email).finish_non_exhaustive()
    }
}

impl ServiceAccount {
    /// Reads the JSON file of a key as Google hands it out.
    ///
    /// # Errors
    /// What is wrong with it, without anything of the key.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let value = Value::from_json(text.as_bytes()).map_err(|_| "it is no JSON".to_owned())?;
        let part = |name: &str| {
            let text = value.as_map().and_then(|map| map.get(name)).and_then(Value::as_str);
            text.map(str::to_owned).ok_or_else(|| format!("it has no text {name:?}"))
        };
        let kind = part("type")?;
        if kind != "service_account" {
            return Err(format!("it is of type {kind:?}; only \"service_account\" is supported"));
        }
        let lines: String =
            part("private_key")?.lines().filter(|line| !line.starts_with("-----")).collect();
        let broken = "its private_key is no RSA key in PKCS #8";
        let key = STANDARD.decode(lines.trim()).map_err(|_| broken.to_owned())?;
        let key = RsaKeyPair::from_pkcs8(&key).map_err(|_| broken.to_owned())?;
        let (email, key_id) = (part("client_email")?, part("private_key_id").unwrap_or_default());
        let token_uri = part("token_uri").unwrap_or_else(|_| TOKEN_URI.to_owned());
        Ok(Self { email, key_id, key, token_uri })
    }

    /// Where identity tokens are to be had for what this account signs.
    pub(super) fn token_uri(&self) -> &str {
        &self.token_uri
    }

    /// A token with these claims, and the second in which it ends.
    ///
    /// # Errors
    /// A key that cannot sign.
    pub(super) fn signed<const N: usize>(
        &self,
        now: i64,
        claims: [(&str, Value); N],
    ) -> Result<(i64, String), Fault> {
        let until = now + TOKEN_SECONDS;
        let header = Value::map([
            ("alg", Value::from("RS256")),
            ("typ", "JWT".into()),
            ("kid", self.key_id.as_str().into()),
        ]);
        let who = [("iss", self.email.as_str().into()), ("sub", self.email.as_str().into())];
        let when = [("iat", now.into()), ("exp", until.into())];
        let claims = Value::map(who.into_iter().chain(claims).chain(when));
        let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encoded(&header), encoded(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let signed = self.key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            message.as_bytes(),
            &mut signature,
        );
        let text = "the service account's key does not sign";
        signed.map_err(|_| Fault::last("AuthError", text))?;
        Ok((until, format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_says_what_is_missing() {
        for (text, why) in [
            ("x", "no JSON"),
            ("{}", "no text \"type\""),
            (r#"{"type":"authorized_user"}"#, "only \"service_account\""),
            (r#"{"type":"service_account","private_key":"AAAA"}"#, "no RSA key"),
        ] {
            let error = ServiceAccount::read(text).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
