//! The claims of a correctly signed token: time, issuer, audience, subject.

use std::time::Duration;

use jsonwebtoken::Algorithm::HS256;
use roomcast_auth::TokenError::{Expired, Invalid};
use roomcast_auth::{
    DEV_SECRET, Identity, KeySource, MAX_TIME, MintClaims, Reason, SERVICE_AUDIENCE, TokenError, UserTokens,
    Verifier, mint,
};
use serde_json::{Value, json};

use crate::issuer::{Issuer, NOW, SECRET, Time, alice, alice_but, users};

fn secret() -> KeySource {
    KeySource::secret(SECRET).expect("long enough")
}

fn services() -> Verifier {
    Verifier::services([secret()], Time::new().clock()).expect("a source is given")
}

/// Signs these claims and verifies them with the test secret.
async fn verify(claims: &Value) -> Result<Identity, TokenError> {
    users(secret(), &Time::new())
        .verify(&Issuer::with_secret(HS256, SECRET).sign(claims))
        .await
}

async fn verify_for(tokens: UserTokens, claims: &Value) -> Result<Identity, TokenError> {
    let verifier = Verifier::users([secret()], tokens, Time::new().clock()).expect("a source is given");
    verifier
        .verify(&Issuer::with_secret(HS256, SECRET).sign(claims))
        .await
}

#[tokio::test]
async fn a_token_expires_exactly_at_its_expiry() {
    let time = Time::new();
    let (verifier, token) = (users(secret(), &time), Issuer::with_secret(HS256, SECRET).token());
    time.advance(59);
    assert!(verifier.verify(&token).await.is_ok());
    time.advance(1);
    assert_eq!(verifier.verify(&token).await, Err(Expired));
    for exp in [
        json!(NOW - 1),
        json!(NOW),
        json!(NOW as f64 + 0.9),
        json!(0),
        json!(-1),
    ] {
        assert_eq!(verify(&alice_but("exp", exp)).await, Err(Expired));
    }
}

#[tokio::test]
async fn a_token_without_a_valid_expiry_is_invalid() {
    assert_eq!(
        verify(&alice_but("exp", Value::Null)).await,
        Err(Invalid(Reason::NoExpiry))
    );
    for exp in [
        json!("1750000060"),
        json!(true),
        json!([NOW + 60]),
        json!({}),
        json!(NOW * 1000),
        json!(1e300),
        json!(u64::MAX),
    ] {
        assert_eq!(
            verify(&alice_but("exp", exp.clone())).await,
            Err(Invalid(Reason::BadTime)),
            "{exp}"
        );
    }
    assert!(verify(&alice_but("exp", json!(MAX_TIME))).await.is_ok());
    assert_eq!(
        verify(&alice_but("exp", json!(NOW as f64 + 60.7)))
            .await
            .unwrap()
            .expires_at,
        NOW + 60
    );
}

#[tokio::test]
async fn a_token_is_not_valid_earlier_than_five_seconds_before_its_nbf() {
    for nbf in [NOW + 6, NOW + 60, MAX_TIME] {
        assert_eq!(
            verify(&alice_but("nbf", json!(nbf))).await,
            Err(Invalid(Reason::NotYetValid))
        );
    }
    for nbf in [NOW + 5, NOW, 0] {
        assert!(verify(&alice_but("nbf", json!(nbf))).await.is_ok());
    }
    assert_eq!(
        verify(&alice_but("nbf", json!("soon"))).await,
        Err(Invalid(Reason::BadTime))
    );
}

#[tokio::test]
async fn the_configured_claim_must_contain_a_valid_user_id() {
    assert_eq!(
        verify(&alice_but("sub", Value::Null)).await,
        Err(Invalid(Reason::NoSubject))
    );
    let long = "x".repeat(129);
    for sub in [
        json!(""),
        json!("a b"),
        json!("a/b"),
        json!("ü"),
        json!("a\n"),
        json!(long),
        json!(42),
        json!(["alice"]),
        json!(true),
    ] {
        assert_eq!(
            verify(&alice_but("sub", sub.clone())).await,
            Err(Invalid(Reason::BadSubject)),
            "{sub}"
        );
    }

    let by_email = UserTokens {
        user_claim: "email".to_owned(),
        ..UserTokens::default()
    };
    let claims = alice_but("email", json!("alice@example.org"));
    assert_eq!(
        verify_for(by_email.clone(), &claims).await.unwrap().subject,
        "alice@example.org"
    );
    assert_eq!(
        verify_for(by_email, &alice()).await,
        Err(Invalid(Reason::NoSubject))
    );
}

#[tokio::test]
async fn a_configured_issuer_is_required() {
    let tokens = UserTokens {
        issuer: Some("https://id.example".to_owned()),
        ..UserTokens::default()
    };
    assert!(
        verify_for(tokens.clone(), &alice_but("iss", json!("https://id.example")))
            .await
            .is_ok()
    );
    for iss in [
        Value::Null,
        json!("https://evil.example"),
        json!(["https://id.example"]),
        json!(1),
    ] {
        let result = verify_for(tokens.clone(), &alice_but("iss", iss)).await;
        assert_eq!(result, Err(Invalid(Reason::WrongIssuer)));
    }
    assert!(
        verify(&alice_but("iss", json!("https://any.example")))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_configured_audience_is_required() {
    let tokens = UserTokens {
        audience: Some("web".to_owned()),
        ..UserTokens::default()
    };
    for aud in [json!("web"), json!(["mobile", "web"])] {
        assert!(verify_for(tokens.clone(), &alice_but("aud", aud)).await.is_ok());
    }
    for aud in [
        Value::Null,
        json!("mobile"),
        json!([]),
        json!(1),
        json!(["web", 1]),
        json!(["web", SERVICE_AUDIENCE]),
    ] {
        let result = verify_for(tokens.clone(), &alice_but("aud", aud.clone())).await;
        assert_eq!(result, Err(Invalid(Reason::WrongAudience)), "{aud}");
    }
}

#[tokio::test]
async fn users_and_services_cannot_use_each_others_tokens() {
    let issuer = Issuer::with_secret(HS256, SECRET);
    for aud in [json!(SERVICE_AUDIENCE), json!(["other", SERVICE_AUDIENCE])] {
        let claims = alice_but("aud", aud);
        assert_eq!(verify(&claims).await, Err(Invalid(Reason::WrongAudience)));
        assert_eq!(
            services().verify(&issuer.sign(&claims)).await.unwrap().subject,
            "alice"
        );
    }
    for aud in [Value::Null, json!("web"), json!([]), json!(["roomcast-api "])] {
        let claims = alice_but("aud", aud);
        assert!(verify(&claims).await.is_ok());
        assert_eq!(
            services().verify(&issuer.sign(&claims)).await,
            Err(Invalid(Reason::WrongAudience))
        );
    }
}

#[tokio::test]
async fn the_name_of_a_service_is_visible_ascii() {
    let issuer = Issuer::with_secret(HS256, SECRET);
    let token = |sub: Value| issuer.sign(&json!({ "sub": sub, "aud": SERVICE_AUDIENCE, "exp": NOW + 60 }));
    assert!(
        services()
            .verify(&token(json!("spiffe://example/billing")))
            .await
            .is_ok()
    );
    for sub in [
        json!(""),
        json!("a b"),
        json!("ü"),
        json!("x".repeat(129)),
        json!(1),
    ] {
        assert_eq!(
            services().verify(&token(sub)).await,
            Err(Invalid(Reason::BadSubject))
        );
    }
}

#[tokio::test]
async fn a_minted_token_is_valid_for_its_audience() {
    let claims = MintClaims {
        subject: "billing".to_owned(),
        audience: Some(SERVICE_AUDIENCE.to_owned()),
        issuer: Some("roomcast".to_owned()),
        issued_at: NOW,
        ttl: Duration::from_secs(3600),
    };
    let source = || KeySource::secret(DEV_SECRET.as_bytes()).unwrap();
    let token = mint(DEV_SECRET.as_bytes(), &claims);
    let verifier = Verifier::services([source()], Time::new().clock()).unwrap();
    let billing = Identity {
        subject: "billing".to_owned(),
        expires_at: NOW + 3600,
    };
    assert_eq!(verifier.verify(&token).await, Ok(billing));
    let user = mint(
        DEV_SECRET.as_bytes(),
        &MintClaims {
            subject: "alice".to_owned(),
            audience: None,
            issuer: None,
            ..claims
        },
    );
    assert_eq!(
        users(source(), &Time::new()).verify(&user).await.unwrap().subject,
        "alice"
    );
}
