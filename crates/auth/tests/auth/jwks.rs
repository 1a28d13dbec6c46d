//! The content of a JWKS, and JWKS files.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jsonwebtoken::Algorithm::{HS256, RS256};
use roomcast_auth::TokenError::Invalid;
use roomcast_auth::{Clock, KeyError, KeySource, Reason, UserTokens, Verifier};
use serde_json::{Value, json};

use crate::issuer::{Issuer, NOW, SECRET, Time, users};
use crate::rotation::{min_fetch_interval, new, old, verifier_for};
use crate::server::JwksServer;

fn with(mut jwk: Value, member: &str, value: Value) -> Value {
    jwk[member] = value;
    jwk
}

/// A JWKS file; each test uses its own name.
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
async fn a_token_without_a_kid_is_accepted_only_if_one_key_is_possible() {
    let (server, time) = (
        JwksServer::start(&[old().jwk(), Issuer::with_ec().kid("ec").jwk()]).await,
        Time::new(),
    );
    let verifier = verifier_for(&server, &time);
    let without_kid = Issuer::with_rsa(RS256, "rsa.pem").token();
    assert!(verifier.verify(&without_kid).await.is_ok());
    server.publish(&[old().jwk(), new().jwk()]);
    time.advance(min_fetch_interval());
    let _ = verifier.verify(&new().token()).await;
    assert_eq!(
        verifier.verify(&without_kid).await,
        Err(Invalid(Reason::UnknownKey))
    );
}

#[tokio::test]
async fn a_jwk_is_used_only_as_its_members_allow() {
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
        let result = verifier_for(&server, &time).verify(&old().token()).await;
        assert_eq!(result.map(|identity| identity.subject), expected, "{jwk}");
    }
}

#[tokio::test]
async fn an_unusable_key_does_not_affect_the_others() {
    let keys = [
        json!({ "kty": "EC", "crv": "secp256k1", "kid": "a" }),
        json!(1),
        json!({ "kid": 7 }),
        old().jwk(),
    ];
    let (server, time) = (JwksServer::start(&keys).await, Time::new());
    assert!(verifier_for(&server, &time).verify(&old().token()).await.is_ok());
}

#[tokio::test]
async fn shared_secrets_are_accepted_from_files_but_never_from_the_network() {
    let issuer = || Issuer::with_secret(HS256, SECRET).kid("shared");
    let (server, time) = (
        JwksServer::start(&[issuer().jwk(), old().jwk()]).await,
        Time::new(),
    );
    let result = verifier_for(&server, &time).verify(&issuer().token()).await;
    assert_eq!(result, Err(Invalid(Reason::WrongAlgorithm)));

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
    assert!(verifier.verify(&old().token()).await.is_ok());
    file.publish(&[new().jwk()]);
    assert!(verifier.verify(&new().token()).await.is_ok());
    std::fs::remove_file(&file.0).unwrap();
    time.advance(min_fetch_interval());
    assert_eq!(
        verifier.verify(&old().token()).await,
        Err(Invalid(Reason::UnknownKey))
    );
    assert!(verifier.verify(&new().token()).await.is_ok());
}

#[test]
fn a_file_without_a_usable_key_is_an_error() {
    let file = JwksFile::new("useless.json", &[with(old().jwk(), "use", json!("enc"))]);
    assert!(matches!(file.source(), Err(KeyError::NoUsableKey)));
}

/// How often the background task reads a JWKS file in 1,000 seconds at an interval of 300. Each read reads the clock
/// once, which is then 100 seconds later.
async fn background_reads(file: &JwksFile, source: KeySource) -> usize {
    let reads = Arc::new(AtomicUsize::new(0));
    let clock = Clock::new({
        let reads = Arc::clone(&reads);
        move || 1000 * (NOW + i64::try_from(100 * reads.fetch_add(1, Ordering::SeqCst)).expect("a few reads"))
    });
    let verifier = Verifier::users([source], UserTokens::default(), clock).expect("a source is given");
    let background = verifier.keep_fresh(Duration::from_secs(300));
    tokio::time::timeout(Duration::from_secs(1000), background)
        .await
        .expect_err("it never returns");
    let count = reads.load(Ordering::SeqCst);
    let token = old().sign(&json!({ "sub": "alice", "exp": NOW + 1_000_000 }));
    assert!(verifier.verify(&token).await.is_ok(), "{}", file.0.display());
    count
}

#[tokio::test(start_paused = true)]
async fn the_background_task_reads_at_its_interval_and_earlier_after_a_failure() {
    let file = JwksFile::new("background.json", &[old().jwk()]);
    assert_eq!(background_reads(&file, file.source().unwrap()).await, 4);
    let source = file.source().unwrap();
    std::fs::remove_file(&file.0).unwrap();
    let reads = background_reads(&file, source).await;
    assert!((90..=112).contains(&reads), "{reads}");
}
