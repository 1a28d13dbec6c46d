//! What a JWKS may hold, and JWKS files.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jsonwebtoken::Algorithm::{HS256, RS256};
use roomcast_auth::TokenError::Invalid;
use roomcast_auth::{Clock, KeyError, KeySource, Reason, UserTokens, Verifier};
use serde_json::{Value, json};

use crate::issuer::{Issuer, NOW, SECRET, Time, users};
use crate::rotation::{gap, new, of, old};
use crate::server::JwksServer;

fn with(mut jwk: Value, member: &str, value: Value) -> Value {
    jwk[member] = value;
    jwk
}

/// A JWKS file of its own for each test.
struct JwksFile(PathBuf);

impl JwksFile {
    fn new(name: &str, keys: &[Value]) -> Self {
        let file = Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name));
        file.publish(keys);
        file
    }

    fn publish(&self, keys: &[Value]) {
        std::fs::write(&self.0, json!({ "keys": keys }).to_string()).expect("a writable directory");
    }

    fn source(&self) -> Result<KeySource, KeyError> {
        KeySource::jwks(self.0.to_str().expect("a UTF-8 path"))
    }
}

#[tokio::test]
async fn a_token_without_kid_must_leave_no_choice() {
    let (server, time) = (
        JwksServer::start(&[old().jwk(), Issuer::with_ec().kid("ec").jwk()]).await,
        Time::new(),
    );
    let verifier = of(&server, &time);
    let nameless = Issuer::with_rsa(RS256, "rsa.pem").token();
    assert!(verifier.verify(&nameless).await.is_ok());
    server.publish(&[old().jwk(), new().jwk()]);
    time.advance(gap());
    let _ = verifier.verify(&new().token()).await;
    assert_eq!(verifier.verify(&nameless).await, Err(Invalid(Reason::UnknownKey)));
}

#[tokio::test]
async fn a_jwk_is_used_only_as_it_says() {
    let jwks = |jwk: Value| async { JwksServer::start(&[jwk]).await };
    let time = Time::new();
    let cases = [
        (
            with(old().jwk(), "use", json!("enc")),
            Err(Invalid(Reason::WrongAlgorithm)),
        ),
        (
            with(old().jwk(), "alg", json!("PS256")),
            Err(Invalid(Reason::WrongAlgorithm)),
        ),
        (
            with(old().jwk(), "alg", json!("RSA-OAEP")),
            Err(Invalid(Reason::WrongAlgorithm)),
        ),
        (
            with(old().jwk(), "alg", json!("HS256")),
            Err(Invalid(Reason::WrongAlgorithm)),
        ),
        (
            with(old().jwk(), "key_ops", json!(["encrypt"])),
            Err(Invalid(Reason::WrongAlgorithm)),
        ),
        (
            with(old().jwk(), "kty", json!("new")),
            Err(Invalid(Reason::WrongAlgorithm)),
        ),
        (
            with(old().jwk(), "n", json!("AQAB")),
            Err(Invalid(Reason::WrongAlgorithm)),
        ),
        (with(old().jwk(), "alg", json!("RS256")), Ok("alice".to_owned())),
        (
            with(
                with(old().jwk(), "use", json!("sig")),
                "key_ops",
                json!(["verify"]),
            ),
            Ok("alice".to_owned()),
        ),
    ];
    for (jwk, expected) in cases {
        let server = jwks(jwk.clone()).await;
        let verdict = of(&server, &time).verify(&old().token()).await;
        assert_eq!(verdict.map(|identity| identity.subject), expected, "{jwk}");
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_used_does_not_spoil_the_others() {
    let keys = [
        json!({ "kty": "EC", "crv": "secp256k1", "kid": "a" }),
        json!(1),
        json!({ "kid": 7 }),
        old().jwk(),
    ];
    let (server, time) = (JwksServer::start(&keys).await, Time::new());
    assert!(of(&server, &time).verify(&old().token()).await.is_ok());
}

#[tokio::test]
async fn shared_secrets_are_taken_from_files_but_never_from_the_network() {
    let issuer = || Issuer::with_secret(HS256, SECRET).kid("shared");
    let (server, time) = (
        JwksServer::start(&[issuer().jwk(), old().jwk()]).await,
        Time::new(),
    );
    let verdict = of(&server, &time).verify(&issuer().token()).await;
    assert_eq!(verdict, Err(Invalid(Reason::WrongAlgorithm)));

    let file = JwksFile::new("shared.json", &[issuer().jwk()]);
    assert!(
        users(file.source().unwrap(), &time)
            .verify(&issuer().token())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_file_is_read_again_for_an_unknown_key() {
    let (file, time) = (JwksFile::new("rotated.json", &[old().jwk()]), Time::new());
    let verifier = users(file.source().unwrap(), &time);
    assert!(verifier.has_keys());
    assert!(verifier.verify(&old().token()).await.is_ok());
    file.publish(&[new().jwk()]);
    assert!(verifier.verify(&new().token()).await.is_ok());
    std::fs::remove_file(&file.0).unwrap();
    time.advance(gap());
    assert_eq!(
        verifier.verify(&old().token()).await,
        Err(Invalid(Reason::UnknownKey))
    );
    assert!(verifier.verify(&new().token()).await.is_ok());
}

#[test]
fn a_file_without_a_usable_key_is_refused() {
    let file = JwksFile::new("useless.json", &[with(old().jwk(), "use", json!("enc"))]);
    assert!(matches!(file.source(), Err(KeyError::NoUsableKey)));
}

/// How often the background looks at a JWKS file in 1,000 seconds, asked to every 300.
async fn looks_at(file: &JwksFile, source: KeySource) -> usize {
    let looks = Arc::new(AtomicUsize::new(0));
    let clock = Clock::new({
        let looks = Arc::clone(&looks);
        move || 1000 * (NOW + i64::try_from(100 * looks.fetch_add(1, Ordering::SeqCst)).expect("a few looks"))
    });
    let verifier = Verifier::users([source], UserTokens::default(), clock).expect("a source is given");
    let background = verifier.keep_fresh(Duration::from_secs(300));
    tokio::time::timeout(Duration::from_secs(1000), background)
        .await
        .expect_err("it never returns");
    assert!(verifier.has_keys(), "{}", file.0.display());
    looks.load(Ordering::SeqCst)
}

#[tokio::test(start_paused = true)]
async fn the_background_looks_as_often_as_asked_and_sooner_after_a_failure() {
    let file = JwksFile::new("background.json", &[old().jwk()]);
    assert_eq!(looks_at(&file, file.source().unwrap()).await, 4);
    let source = file.source().unwrap();
    std::fs::remove_file(&file.0).unwrap();
    let looks = looks_at(&file, source).await;
    assert!((90..=112).contains(&looks), "{looks}");
}
