//! Random input: every token and key gives a result, and nothing panics.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm::HS256;
use proptest::prelude::*;
use roomcast_auth::{KeySource, TokenError, Verifier};
use serde_json::Value;

use crate::issuer::{Issuer, SECRET, Time, pem, users};

fn verify(verifier: &Verifier, token: &str) -> Result<String, TokenError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime
        .block_on(verifier.verify(token))
        .map(|identity| identity.subject)
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,3}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn secret() -> Verifier {
    users(KeySource::secret(SECRET).expect("long enough"), &Time::new())
}

proptest! {
    #[test]
    fn random_text_is_not_a_valid_token(text in ".{0,200}") {
        prop_assert!(verify(&secret(), &text).is_err());
    }

    #[test]
    fn random_parts_are_not_a_valid_token(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 3)) {
        let parts: Vec<String> = parts.iter().map(|part| URL_SAFE_NO_PAD.encode(part)).collect();
        prop_assert!(verify(&secret(), &parts.join(".")).is_err());
    }

    #[test]
    fn random_headers_are_not_valid(alg in any_json(), kid in any_json(), signature in "[A-Za-z0-9_-]{0,90}") {
        let header = URL_SAFE_NO_PAD.encode(serde_json::json!({ "alg": alg, "kid": kid }).to_string());
        let token = format!("{header}.e30.{signature}");
        prop_assert!(verify(&secret(), &token).is_err());
    }

    #[test]
    fn random_signatures_are_not_valid_for_any_type_of_key(
        alg in prop::sample::select(vec!["HS256", "RS256", "PS256", "ES256", "EdDSA"]),
        signature in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let several = [pem("rsa.pub.pem"), pem("ec.pub.pem"), pem("ed.pub.pem")].concat();
        let verifier = users(KeySource::public_key_pem(&several).expect("good keys"), &Time::new());
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{alg}"}}"#));
        let token = format!("{header}.e30.{}", URL_SAFE_NO_PAD.encode(signature));
        prop_assert!(verify(&verifier, &token).is_err());
    }

    /// Signed claims of any shape give a result, and an identity only if the subject is a string.
    #[test]
    fn random_claims_give_a_result(sub in any_json(), exp in any_json(), nbf in any_json(), aud in any_json()) {
        let claims = serde_json::json!({ "sub": sub, "exp": exp, "nbf": nbf, "aud": aud });
        let result = verify(&secret(), &Issuer::with_secret(HS256, SECRET).sign(&claims));
        if let Ok(subject) = result {
            prop_assert_eq!(claims["sub"].as_str(), Some(subject.as_str()));
        }
    }

    #[test]
    fn random_text_is_not_a_key(text in ".{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(KeySource::public_key_pem(text.as_bytes()).is_err());
        prop_assert!(KeySource::public_key_pem(&bytes).is_err());
        let block = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            base64::engine::general_purpose::STANDARD.encode(&bytes));
        prop_assert!(KeySource::public_key_pem(block.as_bytes()).is_err());
        let _ = KeySource::jwks(&format!("https://{text}"));
    }
}
