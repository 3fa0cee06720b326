//! A service account of Google: tokens that it signs itself, for one service each.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jobmill_model::{Fault, Timestamp, Value};
use parking_lot::Mutex;

/// How long a token holds, as long as Google allows.
const TOKEN_SECONDS: i64 = 3_600;
/// A token is used no more when it holds no longer than this.
const SPARE_SECONDS: i64 = 300;

/// The key of a service account. It is never shown.
pub struct ServiceAccount {
    email: String,
    key_id: String,
    key: RsaKeyPair,
    /// The token for each audience, and until when it holds.
    tokens: Mutex<BTreeMap<String, (i64, String)>>,
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
    pub fn read(text: &str) -> Result<Self, String> {
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
        Ok(Self { email, key_id, key, tokens: Mutex::default() })
    }

    /// A token for the service at this address.
    ///
    /// # Errors
    /// A key that cannot sign.
    pub(super) fn token(&self, audience: &str, now: Timestamp) -> Result<String, Fault> {
        let now = now.as_millis() / 1_000;
        let mut tokens = self.tokens.lock();
        if let Some((until, token)) = tokens.get(audience)
            && (now + SPARE_SECONDS..=now + TOKEN_SECONDS).contains(until)
        {
            return Ok(token.clone());
        }
        let until = now + TOKEN_SECONDS;
        let token = self.signed(audience, now, until)?;
        tokens.insert(audience.to_owned(), (until, token.clone()));
        Ok(token)
    }

    fn signed(&self, audience: &str, now: i64, until: i64) -> Result<String, Fault> {
        let header = Value::map([
            ("alg", Value::from("RS256")),
            ("typ", "JWT".into()),
            ("kid", self.key_id.as_str().into()),
        ]);
        let claims = Value::map([
            ("iss", Value::from(self.email.as_str())),
            ("sub", self.email.as_str().into()),
            ("aud", audience.into()),
            ("iat", now.into()),
            ("exp", until.into()),
        ]);
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
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    fn file(key: &KeyPair) -> String {
        let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
        let lines = STANDARD.encode(der.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n");
        Value::map([
            ("type", Value::from("service_account")),
            ("client_email", "a@p.iam.gserviceaccount.com".into()),
            ("private_key_id", "k1".into()),
            ("private_key", pem.into()),
        ])
        .to_string()
    }

    #[test]
    fn a_token_is_signed_for_one_service_and_used_again_while_it_holds() {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let account = ServiceAccount::read(&file(&key)).unwrap();
        let audience = "https://firestore.googleapis.com/";
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let token = account.token(audience, at(1_000)).unwrap();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref())
            .verify(message.as_bytes(), &signature)
            .unwrap();
        let claims = URL_SAFE_NO_PAD.decode(message.split_once('.').unwrap().1).unwrap();
        assert_eq!(
            String::from_utf8(claims).unwrap(),
            concat!(
                r#"{"iss":"a@p.iam.gserviceaccount.com","sub":"a@p.iam.gserviceaccount.com","#,
                r#""aud":"https://firestore.googleapis.com/","iat":1000,"exp":4600}"#
            )
        );
        assert_eq!(account.token(audience, at(4_300)).unwrap(), token);
        assert_ne!(account.token(audience, at(4_301)).unwrap(), token);
        assert_ne!(account.token("https://bigquery.googleapis.com/", at(1_000)).unwrap(), token);
        assert!(!format!("{account:?}").contains("PRIVATE"));
    }

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
