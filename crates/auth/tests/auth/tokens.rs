//! Unsigned, forged, changed and malformed tokens, beside valid ones.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm::{HS256, HS384, HS512, PS256, PS384, PS512, RS256, RS384, RS512};
use roomcast_auth::TokenError::{Expired, Invalid, Missing};
use roomcast_auth::{Identity, KeySource, MAX_TOKEN_BYTES, Reason, TokenError, UserTokens, Verifier, bearer};
use serde_json::{Value, json};

use crate::issuer::{Issuer, NOW, SECRET, Time, alice, alice_but, pem, users};

fn secret() -> KeySource {
    KeySource::secret(SECRET).expect("long enough")
}

fn public(name: &str) -> KeySource {
    KeySource::public_key_pem(&pem(name)).expect("a public key")
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(header), part(claims))
}

#[tokio::test]
async fn every_algorithm_of_the_contract_is_accepted_with_its_type_of_key() {
    let secrets = [HS256, HS384, HS512].map(|alg| (secret(), Issuer::with_secret(alg, SECRET)));
    let rsa = [RS256, PS256].map(|alg| (public("rsa.pub.pem"), Issuer::with_rsa(alg, "rsa.pem")));
    let others = [
        (public("ec.pub.pem"), Issuer::with_ec()),
        (public("ed.pub.pem"), Issuer::with_ed()),
    ];
    for (source, issuer) in secrets.into_iter().chain(rsa).chain(others) {
        let identity = users(source, &Time::new()).verify(&issuer.token()).await;
        assert_eq!(
            identity,
            Ok(Identity {
                subject: "alice".to_owned(),
                expires_at: NOW + 60
            })
        );
    }
}

#[tokio::test]
async fn a_key_accepts_only_the_algorithms_of_its_type() {
    let time = Time::new();
    for algorithm in [RS384, RS512, PS384, PS512] {
        let token = Issuer::with_rsa(algorithm, "rsa.pem").token();
        let result = users(public("rsa.pub.pem"), &time).verify(&token).await;
        assert_eq!(result, Err(Invalid(Reason::WrongAlgorithm)), "{algorithm:?}");
    }
    for source in [secret(), public("ec.pub.pem"), public("ed.pub.pem")] {
        let result = users(source, &time)
            .verify(&Issuer::with_rsa(RS256, "rsa.pem").token())
            .await;
        assert_eq!(result, Err(Invalid(Reason::WrongAlgorithm)));
    }
}

#[tokio::test]
async fn a_public_key_is_never_used_as_a_shared_secret() {
    let time = Time::new();
    for name in ["rsa.pub.pem", "ec.pub.pem", "ed.pub.pem"] {
        for algorithm in [HS256, HS384, HS512] {
            let forged = Issuer::with_secret(algorithm, &pem(name)).token();
            assert_eq!(
                users(public(name), &time).verify(&forged).await,
                Err(Invalid(Reason::WrongAlgorithm))
            );
            let both =
                Verifier::users([secret(), public(name)], UserTokens::default(), time.clock()).unwrap();
            assert_eq!(both.verify(&forged).await, Err(Invalid(Reason::WrongKey)));
        }
    }
}

#[tokio::test]
async fn several_sources_are_tried_together() {
    let sources = [secret(), public("rsa.pub.pem"), public("ed.pub.pem")];
    let verifier = Verifier::users(sources, UserTokens::default(), Time::new().clock()).unwrap();
    for issuer in [
        Issuer::with_secret(HS256, SECRET),
        Issuer::with_rsa(PS256, "rsa.pem"),
        Issuer::with_ed(),
    ] {
        assert!(
            verifier
                .verify(&issuer.kid("ignored for a configured key").token())
                .await
                .is_ok()
        );
    }
}

#[tokio::test]
async fn an_unsigned_token_is_invalid() {
    for alg in ["none", "None", "NONE", "", "HS257"] {
        let token = unsigned(&json!({ "alg": alg, "typ": "JWT" }), &alice());
        let result = users(secret(), &Time::new()).verify(&token).await;
        assert_eq!(result, Err(Invalid(Reason::WrongAlgorithm)), "{alg}");
    }
    let signature_cut_off = unsigned(&json!({ "alg": "HS256" }), &alice());
    let result = users(secret(), &Time::new()).verify(&signature_cut_off).await;
    assert_eq!(result, Err(Invalid(Reason::WrongKey)));
}

#[tokio::test]
async fn a_token_with_another_key_or_a_changed_payload_is_invalid() {
    let (verifier, time) = (users(secret(), &Time::new()), Time::new());
    let other = Issuer::with_secret(HS256, b"the secret of another deployment....").token();
    assert_eq!(verifier.verify(&other).await, Err(Invalid(Reason::WrongKey)));

    let bob = unsigned(
        &json!({ "alg": "HS256", "typ": "JWT" }),
        &alice_but("sub", json!("bob")),
    );
    let token = Issuer::with_secret(HS256, SECRET).token();
    let (_, signature) = token.rsplit_once('.').unwrap();
    assert_eq!(
        verifier.verify(&format!("{bob}{signature}")).await,
        Err(Invalid(Reason::WrongKey))
    );

    let other = Issuer::with_rsa(RS256, "other-rsa.pem").token();
    assert_eq!(
        users(public("rsa.pub.pem"), &time).verify(&other).await,
        Err(Invalid(Reason::WrongKey))
    );
}

#[tokio::test]
async fn text_that_is_not_a_token_is_missing_malformed_or_too_long() {
    let verifier = users(secret(), &Time::new());
    assert_eq!(verifier.verify("").await, Err(Missing));
    for text in [
        " ",
        "null",
        "a.b",
        "a.b.c",
        "..",
        "a.b.c.d",
        "ü.ü.ü",
        "eyJhbGciOiJIUzI1NiJ9",
        "e30.e30.e30",
        "W10.e30.AA",
    ] {
        assert_eq!(
            verifier.verify(text).await,
            Err(Invalid(Reason::Malformed)),
            "{text}"
        );
    }
    let padded = Issuer::with_secret(HS256, SECRET).token() + "=";
    assert_eq!(verifier.verify(&padded).await, Err(Invalid(Reason::WrongKey)));
    let critical = unsigned(&json!({ "alg": "HS256", "crit": ["exp"] }), &alice());
    assert_eq!(
        verifier.verify(&critical).await,
        Err(Invalid(Reason::CriticalHeader))
    );
    let no_object = Issuer::with_secret(HS256, SECRET).sign(&json!("alice"));
    assert_eq!(verifier.verify(&no_object).await, Err(Invalid(Reason::Malformed)));

    let longest = "x".repeat(MAX_TOKEN_BYTES);
    assert_eq!(verifier.verify(&longest).await, Err(Invalid(Reason::Malformed)));
    assert_eq!(
        verifier.verify(&(longest + "x")).await,
        Err(Invalid(Reason::TooLong))
    );
    let long =
        Issuer::with_secret(HS256, SECRET).sign(&alice_but("padding", json!("x".repeat(MAX_TOKEN_BYTES))));
    assert_eq!(verifier.verify(&long).await, Err(Invalid(Reason::TooLong)));
}

#[test]
fn a_bearer_header_contains_a_token() {
    assert_eq!(bearer("Bearer abc"), Some("abc"));
    assert_eq!(bearer("bearer  abc "), Some("abc"));
    assert_eq!(bearer("Basic abc"), None);
    assert_eq!(bearer("Bearer"), None);
}

#[test]
fn the_codes_are_those_of_the_browser_contract() {
    assert_eq!(Missing.code(), Some("token_missing"));
    assert_eq!(Invalid(Reason::WrongKey).code(), Some("token_invalid"));
    assert_eq!(Expired.code(), Some("token_expired"));
    assert_eq!(TokenError::KeysUnavailable.code(), None);
}
