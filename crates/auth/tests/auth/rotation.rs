//! A JWKS at a URL: cached, fetched again when a key is not known, never too often, never lost.

use std::time::Duration;

use jsonwebtoken::Algorithm::{HS256, PS256, RS256};
use roomcast_auth::TokenError::{Invalid, KeysUnavailable};
use roomcast_auth::{KeySource, MAX_JWKS_BYTES, REFRESH_GAP, Reason, UserTokens, Verifier};
use serde_json::json;
use tokio::task::JoinSet;

use crate::issuer::{Issuer, SECRET, Time, users};
use crate::server::JwksServer;

pub(crate) fn gap() -> i64 {
    i64::try_from(REFRESH_GAP.as_secs()).expect("a few seconds")
}

pub(crate) fn old() -> Issuer {
    Issuer::with_rsa(RS256, "rsa.pem").kid("old")
}

pub(crate) fn new() -> Issuer {
    Issuer::with_rsa(RS256, "other-rsa.pem").kid("new")
}

pub(crate) fn of(server: &JwksServer, time: &Time) -> Verifier {
    users(KeySource::jwks(&server.url()).expect("a loopback URL"), time)
}

#[tokio::test]
async fn the_first_token_fetches_the_keys_and_later_ones_find_them() {
    let (server, time) = (
        JwksServer::start(&[old().jwk(), Issuer::with_ec().kid("ec").jwk()]).await,
        Time::new(),
    );
    let verifier = of(&server, &time);
    assert!(!verifier.has_keys());
    assert!(verifier.verify(&old().token()).await.is_ok());
    assert!(verifier.has_keys());
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
async fn a_rotated_key_is_taken_at_once_and_the_old_one_no_longer() {
    let (server, time) = (JwksServer::start(&[old().jwk()]).await, Time::new());
    let verifier = of(&server, &time);
    assert!(verifier.verify(&old().token()).await.is_ok());
    server.publish(&[new().jwk()]);
    time.advance(gap());
    assert!(verifier.verify(&new().token()).await.is_ok());
    assert_eq!(server.requests(), 2);
    assert_eq!(
        verifier.verify(&old().token()).await,
        Err(Invalid(Reason::UnknownKey))
    );
}

#[tokio::test]
async fn unknown_keys_do_not_fetch_more_often_than_once_in_the_gap() {
    let (server, time) = (JwksServer::start(&[old().jwk()]).await, Time::new());
    let verifier = of(&server, &time);
    for attempt in 0..50 {
        let stranger = Issuer::with_rsa(RS256, "rsa.pem").kid(&format!("stranger-{attempt}"));
        assert_eq!(
            verifier.verify(&stranger.token()).await,
            Err(Invalid(Reason::UnknownKey))
        );
    }
    assert_eq!(server.requests(), 1);
    time.advance(gap() - 1);
    let _ = verifier.verify(&new().token()).await;
    assert_eq!(server.requests(), 1);
    time.advance(1);
    let _ = verifier.verify(&new().token()).await;
    assert_eq!(server.requests(), 2);
    time.advance(-1000);
    let _ = verifier.verify(&new().token()).await;
    assert_eq!(server.requests(), 3, "a clock that is set back stops no fetch");
}

#[tokio::test]
async fn a_forged_token_under_a_known_kid_fetches_nothing() {
    let (server, time) = (JwksServer::start(&[old().jwk()]).await, Time::new());
    let verifier = of(&server, &time);
    assert!(verifier.verify(&old().token()).await.is_ok());
    time.advance(gap());
    let forged = Issuer::with_rsa(RS256, "other-rsa.pem").kid("old");
    assert_eq!(
        verifier.verify(&forged.token()).await,
        Err(Invalid(Reason::WrongKey))
    );
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn all_who_ask_at_the_same_time_wait_for_one_fetch() {
    let (server, time) = (JwksServer::start(&[old().jwk()]).await, Time::new());
    let verifier = of(&server, &time);
    server.hold(true);
    let mut callers = JoinSet::new();
    for _ in 0..20 {
        let verifier = verifier.clone();
        callers.spawn(async move { verifier.verify(&old().token()).await });
    }
    server.asked(1).await;
    server.hold(false);
    while let Some(verdict) = callers.join_next().await {
        assert!(verdict.unwrap().is_ok());
    }
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_take_the_fetch_along() {
    let (server, time) = (JwksServer::start(&[old().jwk()]).await, Time::new());
    let verifier = of(&server, &time);
    server.hold(true);
    let impatient = tokio::spawn({
        let verifier = verifier.clone();
        async move { verifier.verify(&old().token()).await }
    });
    server.asked(1).await;
    impatient.abort();
    assert!(impatient.await.unwrap_err().is_cancelled());
    server.hold(false);
    assert!(verifier.verify(&old().token()).await.is_ok());
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn keys_that_were_never_fetched_are_no_verdict_on_a_token() {
    let (server, time) = (JwksServer::start(&[old().jwk()]).await, Time::new());
    let verifier = of(&server, &time);
    server.answer("503 Service Unavailable", "");
    assert_eq!(verifier.verify(&old().token()).await, Err(KeysUnavailable));
    assert_eq!(verifier.verify("garbage").await, Err(Invalid(Reason::Malformed)));
    let forged = Issuer::with_secret(HS256, SECRET).token();
    assert_eq!(
        verifier.verify(&forged).await,
        Err(Invalid(Reason::WrongAlgorithm))
    );

    server.publish(&[old().jwk()]);
    assert_eq!(verifier.verify(&old().token()).await, Err(KeysUnavailable));
    time.advance(gap());
    assert!(verifier.verify(&old().token()).await.is_ok());
}

#[tokio::test]
async fn a_failed_fetch_keeps_the_keys_from_before() {
    let (server, time) = (JwksServer::start(&[old().jwk()]).await, Time::new());
    let verifier = of(&server, &time);
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
        server.answer(status, body);
        time.advance(gap());
        // Long-lived, since the time moves on.
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
    let verifier = of(&server, &time);
    assert!(verifier.verify(&old().token()).await.is_ok());
    server.publish(&[]);
    time.advance(gap());
    let _ = verifier.verify(&new().token()).await;
    assert_eq!(
        verifier.verify(&old().token()).await,
        Err(Invalid(Reason::WrongAlgorithm))
    );
}

#[tokio::test]
async fn keys_are_kept_fresh_in_the_background() {
    let (server, time) = (JwksServer::start(&[old().jwk()]).await, Time::new());
    let verifier = of(&server, &time);
    let rotation = async {
        server.asked(1).await;
        server.publish(&[new().jwk()]);
        time.advance(gap());
        // The third request comes after the second one's answer was taken.
        server.asked(2).await;
        time.advance(gap());
        server.asked(3).await;
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
    first.answer("500 Internal Server Error", "");
    time.advance(gap());
    assert!(verifier.verify(&new().token()).await.is_ok());
    assert_eq!(
        (first.requests(), second.requests()),
        (1, 1),
        "keys at hand are tried before any fetch"
    );
}
