//! A JWKS at a URL: it is cached, and fetched again for an unknown key, but never too often; good keys are never lost.

use std::time::Duration;

use jsonwebtoken::Algorithm::{HS256, PS256, RS256};
use roomcast_auth::TokenError::{Invalid, KeysUnavailable};
use roomcast_auth::{KeySource, MAX_JWKS_BYTES, MIN_FETCH_INTERVAL, Reason, UserTokens, Verifier};
use serde_json::json;
use tokio::task::JoinSet;

use crate::issuer::{Issuer, SECRET, Time, users};
use crate::server::JwksServer;

pub(crate) fn min_fetch_interval() -> i64 {
    i64::try_from(MIN_FETCH_INTERVAL.as_secs()).expect("a few seconds")
}

pub(crate) fn old() -> Issuer {
    Issuer::with_rsa(RS256, "rsa.pem").kid("old")
}

pub(crate) fn new() -> Issuer {
    Issuer::with_rsa(RS256, "other-rsa.pem").kid("new")
}

pub(crate) fn verifier_for(server: &JwksServer, time: &Time) -> Verifier {
    users(KeySource::jwks(&server.url()).expect("a loopback URL"), time)
}

#[tokio::test]
async fn the_first_token_fetches_the_keys_and_later_tokens_use_the_cache() {
    let (server, time) = (
        JwksServer::start(&[old().jwk(), Issuer::with_ec().kid("ec").jwk()]).await,
        Time::new(),
    );
    let verifier = verifier_for(&server, &time);
    assert_eq!(server.requests(), 0);
    assert!(verifier.verify(&old().token()).await.is_ok());
    assert_eq!(server.requests(), 1);
    assert!(
        verifier
            .verify(&Issuer::with_ec().kid("ec").token())
            .await
            .is_ok()
    );
    let same_key = Issuer::with_rsa(PS256, "rsa.pem").kid("old");
    assert!(verifier.verify(&same_key.token()).await.is_ok());
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn after_a_rotation_the_new_key_is_accepted_and_the_old_one_is_not() {
    let (server, time) = (JwksServer::start(&[old().jwk()]).await, Time::new());
    let verifier = verifier_for(&server, &time);
    assert!(verifier.verify(&old().token()).await.is_ok());
    server.publish(&[new().jwk()]);
    time.advance(min_fetch_interval());
    assert!(verifier.verify(&new().token()).await.is_ok());
    assert_eq!(server.requests(), 2);
    assert_eq!(
        verifier.verify(&old().token()).await,
        Err(Invalid(Reason::UnknownKey))
    );
}

#[tokio::test]
async fn unknown_keys_cause_at_most_one_fetch_in_the_minimum_interval() {
    let (server, time) = (JwksServer::start(&[old().jwk()]).await, Time::new());
    let verifier = verifier_for(&server, &time);
    for attempt in 0..50 {
        let stranger = Issuer::with_rsa(RS256, "rsa.pem").kid(&format!("stranger-{attempt}"));
        assert_eq!(
            verifier.verify(&stranger.token()).await,
            Err(Invalid(Reason::UnknownKey))
        );
    }
    assert_eq!(server.requests(), 1);
    time.advance(min_fetch_interval() - 1);
    let _ = verifier.verify(&new().token()).await;
    assert_eq!(server.requests(), 1);
    time.advance(1);
    let _ = verifier.verify(&new().token()).await;
    assert_eq!(server.requests(), 2);
    time.advance(-1000);
    let _ = verifier.verify(&new().token()).await;
    assert_eq!(
        server.requests(),
        3,
        "a clock that was set back does not block fetches"
    );
}

#[tokio::test]
async fn a_forged_token_with_a_known_kid_causes_no_fetch() {
    let (server, time) = (JwksServer::start(&[old().jwk()]).await, Time::new());
    let verifier = verifier_for(&server, &time);
    assert!(verifier.verify(&old().token()).await.is_ok());
    time.advance(min_fetch_interval());
    let forged = Issuer::with_rsa(RS256, "other-rsa.pem").kid("old");
    assert_eq!(
        verifier.verify(&forged.token()).await,
        Err(Invalid(Reason::WrongKey))
    );
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn concurrent_callers_wait_for_one_fetch() {
    let (server, time) = (JwksServer::start(&[old().jwk()]).await, Time::new());
    let verifier = verifier_for(&server, &time);
    server.hold(true);
    let mut callers = JoinSet::new();
    for _ in 0..20 {
        let verifier = verifier.clone();
        callers.spawn(async move { verifier.verify(&old().token()).await });
    }
    server.wait_for_requests(1).await;
    server.hold(false);
    while let Some(result) = callers.join_next().await {
        assert!(result.unwrap().is_ok());
    }
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_fetch_survives_the_cancellation_of_its_caller() {
    let (server, time) = (JwksServer::start(&[old().jwk()]).await, Time::new());
    let verifier = verifier_for(&server, &time);
    server.hold(true);
    let cancelled = tokio::spawn({
        let verifier = verifier.clone();
        async move { verifier.verify(&old().token()).await }
    });
    server.wait_for_requests(1).await;
    cancelled.abort();
    assert!(cancelled.await.unwrap_err().is_cancelled());
    server.hold(false);
    assert!(verifier.verify(&old().token()).await.is_ok());
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn until_the_keys_are_fetched_a_token_is_neither_valid_nor_invalid() {
    let (server, time) = (JwksServer::start(&[old().jwk()]).await, Time::new());
    let verifier = verifier_for(&server, &time);
    server.respond("503 Service Unavailable", "");
    assert_eq!(verifier.verify(&old().token()).await, Err(KeysUnavailable));
    assert_eq!(verifier.verify("garbage").await, Err(Invalid(Reason::Malformed)));
    let forged = Issuer::with_secret(HS256, SECRET).token();
    assert_eq!(
        verifier.verify(&forged).await,
        Err(Invalid(Reason::WrongAlgorithm))
    );

    server.publish(&[old().jwk()]);
    assert_eq!(verifier.verify(&old().token()).await, Err(KeysUnavailable));
    time.advance(min_fetch_interval());
    assert!(verifier.verify(&old().token()).await.is_ok());
}

#[tokio::test]
async fn a_failed_fetch_keeps_the_previous_keys() {
    let (server, time) = (JwksServer::start(&[old().jwk()]).await, Time::new());
    let verifier = verifier_for(&server, &time);
    assert!(verifier.verify(&old().token()).await.is_ok());
    let oversized = json!({ "keys": [new().jwk()], "padding": "x".repeat(MAX_JWKS_BYTES) }).to_string();
    let redirected = json!({ "keys": [new().jwk()] }).to_string();
    let failures = [
        ("500 Internal Server Error", "oh"),
        ("302 Found", redirected.as_str()),
        ("200 OK", "<html>"),
        ("200 OK", "{}"),
        ("200 OK", oversized.as_str()),
    ];
    for (index, (status, body)) in failures.into_iter().enumerate() {
        server.respond(status, body);
        time.advance(min_fetch_interval());
        // Long-lived, because the test advances the time.
        let token =
            |issuer: Issuer| issuer.sign(&json!({ "sub": "alice", "exp": crate::issuer::NOW + 9999 }));
        assert_eq!(
            verifier.verify(&token(new())).await,
            Err(Invalid(Reason::UnknownKey)),
            "{status} {index}"
        );
        assert_eq!(server.requests(), index + 2);
        assert!(verifier.verify(&token(old())).await.is_ok(), "{status}");
    }
}

#[tokio::test]
async fn an_issuer_may_withdraw_every_key() {
    let (server, time) = (JwksServer::start(&[old().jwk()]).await, Time::new());
    let verifier = verifier_for(&server, &time);
    assert!(verifier.verify(&old().token()).await.is_ok());
    server.publish(&[]);
    time.advance(min_fetch_interval());
    let _ = verifier.verify(&new().token()).await;
    assert_eq!(
        verifier.verify(&old().token()).await,
        Err(Invalid(Reason::WrongAlgorithm))
    );
}

#[tokio::test]
async fn keys_are_refreshed_in_the_background() {
    let (server, time) = (JwksServer::start(&[old().jwk()]).await, Time::new());
    let verifier = verifier_for(&server, &time);
    let rotation = async {
        server.wait_for_requests(1).await;
        server.publish(&[new().jwk()]);
        time.advance(min_fetch_interval());
        // The third request follows only after the second response was processed.
        server.wait_for_requests(2).await;
        time.advance(min_fetch_interval());
        server.wait_for_requests(3).await;
    };
    tokio::select! {
        () = verifier.keep_fresh(Duration::from_millis(1)) => unreachable!("never returns"),
        () = rotation => {}
    }
    assert!(verifier.verify(&new().token()).await.is_ok());
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn several_jwks_and_a_secret_work_together() {
    let time = Time::new();
    let first = JwksServer::start(&[old().jwk()]).await;
    let second = JwksServer::start(&[new().jwk()]).await;
    let sources = [
        KeySource::secret(SECRET).unwrap(),
        KeySource::jwks(&first.url()).unwrap(),
        KeySource::jwks(&second.url()).unwrap(),
    ];
    let verifier = Verifier::users(sources, UserTokens::default(), time.clock()).unwrap();
    for issuer in [Issuer::with_secret(HS256, SECRET), old(), new()] {
        assert!(verifier.verify(&issuer.token()).await.is_ok());
    }
    assert_eq!((first.requests(), second.requests()), (1, 1));
    first.respond("500 Internal Server Error", "");
    time.advance(min_fetch_interval());
    assert!(verifier.verify(&new().token()).await.is_ok());
    assert_eq!(
        (first.requests(), second.requests()),
        (1, 1),
        "cached keys are tried before any fetch"
    );
}
