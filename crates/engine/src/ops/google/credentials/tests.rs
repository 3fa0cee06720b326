//! Tokens, against stand-ins for Google on loopback.

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::clock::SystemClock;

/// A service account's key whose tokens are exchanged there.
fn file(key: &KeyPair, token_uri: &str) -> String {
    let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let lines = STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n");
    Value::map([
        ("type", Value::from("service_account")),
        ("client_email", "a@p.iam.gserviceaccount.com".into()),
        ("private_key_id", "k1".into()),
        ("private_key", pem.into()),
        ("token_uri", token_uri.into()),
    ])
    .to_string()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn client() -> HttpClient {
    HttpClient::ungated(Arc::new(SystemClock::default()))
}

/// The claims of a token that the key has signed.
#[track_caller]
fn claims(key: &KeyPair, token: &str) -> String {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref())
        .verify(message.as_bytes(), &signature)
        .unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    let text = |part| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    assert_eq!(text(header), r#"{"alg":"RS256","typ":"JWT","kid":"k1"}"#);
    text(claims)
}

/// A server that answers each request in turn with one of these, and tells what it heard.
pub(in super::super) async fn stand_in(
    answers: Vec<(u16, String)>,
) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let mut heard = Vec::new();
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut text, mut bytes) = (String::new(), [0; 4_096]);
            while !is_whole(&text) {
                let length = stream.read(&mut bytes).await.unwrap();
                assert!(length > 0, "{text}");
                text.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
            }
            heard.push(text);
            let length = body.len();
            let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
            let answer = format!("{head}Content-Length: {length}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        heard
    });
    (url, heard)
}

fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.to_lowercase().split("content-length: ").nth(1).map_or(0, |rest| {
        rest.split("\r\n").next().and_then(|length| length.parse().ok()).unwrap()
    });
    body.len() >= length
}

#[tokio::test]
async fn a_key_signs_a_token_for_one_service_and_it_is_used_while_it_holds() {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let credentials = Credentials::of_key(&file(&key, "http://127.0.0.1:1")).unwrap();
    let (http, firestore) = (client(), "https://firestore.googleapis.com/");
    let purpose = Purpose::Service(firestore.to_owned());
    let token = credentials.token(&http, &purpose, at(1_000)).await.unwrap();
    assert_eq!(
        claims(&key, &token),
        concat!(
            r#"{"iss":"a@p.iam.gserviceaccount.com","sub":"a@p.iam.gserviceaccount.com","#,
            r#""aud":"https://firestore.googleapis.com/","iat":1000,"exp":4600}"#
        )
    );
    assert_eq!(credentials.token(&http, &purpose, at(4_299)).await.unwrap(), token);
    assert_ne!(credentials.token(&http, &purpose, at(4_300)).await.unwrap(), token);
    let other = Purpose::Service("https://bigquery.googleapis.com/".to_owned());
    assert_ne!(credentials.token(&http, &other, at(1_000)).await.unwrap(), token);
    assert!(!format!("{credentials:?}").contains("PRIVATE"));
}

#[tokio::test]
async fn a_key_signs_a_token_with_scopes() {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let credentials = Credentials::of_key(&file(&key, "http://127.0.0.1:1")).unwrap();
    let purpose = Purpose::from(HttpAuth::OAuth2 { scopes: vec!["s1".into(), "s2".into()] });
    let token = credentials.token(&client(), &purpose, at(1_000)).await.unwrap();
    assert_eq!(
        claims(&key, &token),
        concat!(
            r#"{"iss":"a@p.iam.gserviceaccount.com","sub":"a@p.iam.gserviceaccount.com","#,
            r#""scope":"s1 s2","iat":1000,"exp":4600}"#
        )
    );
}

/// A token that says it ends then.
fn identity_until(exp: i64) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(format!(r#"{{"exp":{exp}}}"#)))
}

#[tokio::test]
async fn a_key_is_exchanged_for_an_identity_token() {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let answers = vec![
        (200, format!(r#"{{"id_token":"{}"}}"#, identity_until(5_000))),
        (400, r#"{"error":"invalid_grant"}"#.to_owned()),
    ];
    let (url, heard) = stand_in(answers).await;
    let credentials = Credentials::of_key(&file(&key, &url)).unwrap();
    let (http, purpose) = (client(), Purpose::Audience("https://run.example/".to_owned()));
    let token = credentials.token(&http, &purpose, at(1_000)).await.unwrap();
    assert_eq!(token, identity_until(5_000));
    assert_eq!(credentials.token(&http, &purpose, at(4_000)).await.unwrap(), token);
    let refused = credentials.token(&http, &purpose, at(4_900)).await.unwrap_err();
    assert_eq!(refused.code, "AuthError");
    assert_eq!(refused.message, "get a token from Google: the answer has the status 400");

    let heard = heard.await.unwrap();
    let (head, form) = heard[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST / HTTP/1.1"), "{head}");
    assert!(head.contains("content-type: application/x-www-form-urlencoded"), "{head}");
    let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    let claims = claims(&key, form.strip_prefix(grant).unwrap());
    let expected = format!(r#""aud":"{url}","target_audience":"https://run.example/","iat":1000,"#);
    assert!(claims.contains(&expected), "{claims}");
}

#[tokio::test]
async fn the_metadata_server_hands_out_tokens_of_every_kind() {
    let access = |text: &str| (200, format!(r#"{{"access_token":"{text}","expires_in":600}}"#));
    let answers = vec![access("plain"), access("scoped"), (200, identity_until(5_000))];
    let (url, heard) = stand_in(answers).await;
    let (http, credentials) = (client(), Credentials::of_metadata(url));
    let service = Purpose::Service("https://firestore.googleapis.com/".to_owned());
    assert_eq!(credentials.token(&http, &service, at(0)).await.unwrap(), "plain");
    assert_eq!(credentials.token(&http, &service, at(299)).await.unwrap(), "plain");
    let scopes = Purpose::Scopes(vec!["s1".to_owned(), "s2".to_owned()]);
    assert_eq!(credentials.token(&http, &scopes, at(0)).await.unwrap(), "scoped");
    let audience = Purpose::Audience("https://run.example/?a=b".to_owned());
    assert_eq!(credentials.token(&http, &audience, at(0)).await.unwrap(), identity_until(5_000));

    let path = "GET /computeMetadata/v1/instance/service-accounts/default";
    let expected = [
        format!("{path}/token HTTP/1.1"),
        format!("{path}/token?scopes=s1%2Cs2 HTTP/1.1"),
        format!(
            "{path}/identity?audience=https%3A%2F%2Frun.example%2F%3Fa%3Db&format=full HTTP/1.1"
        ),
    ];
    let heard = heard.await.unwrap();
    for (heard, line) in heard.iter().zip(&expected) {
        assert_eq!(heard.split("\r\n").next(), Some(&**line));
        assert!(heard.contains("metadata-flavor: Google\r\n"), "{heard}");
    }
    let gone = credentials.token(&http, &service, at(400)).await.unwrap_err();
    assert_eq!(gone.code, "AuthError");
    assert!(gone.message.starts_with("get a token from Google: connect to "), "{}", gone.message);
}
