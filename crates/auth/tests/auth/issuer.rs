//! The actors: an issuer that signs tokens, a time that the test controls, and verifiers with one key.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use roomcast_auth::{Clock, KeySource, UserTokens, Verifier};
use serde_json::{Value, json};

/// The time at which every test starts, in seconds since the Unix epoch.
pub(crate) const NOW: i64 = 1_750_000_000;
pub(crate) const SECRET: &[u8] = b"a secret that only this test knows";

/// A time that changes only when the test advances it.
#[derive(Clone)]
pub(crate) struct Time(Arc<AtomicI64>);

impl Time {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(NOW)))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> Clock {
        let now = Arc::clone(&self.0);
        Clock::new(move || now.load(Ordering::SeqCst) * 1000)
    }
}

pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(name)
}

pub(crate) fn pem(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).expect("test keys are part of the repository")
}

/// One private key and its signature algorithm.
pub(crate) struct Issuer {
    key: EncodingKey,
    header: Header,
}

impl Issuer {
    fn new(algorithm: Algorithm, key: EncodingKey) -> Self {
        Self {
            key,
            header: Header::new(algorithm),
        }
    }

    pub(crate) fn with_secret(algorithm: Algorithm, secret: &[u8]) -> Self {
        Self::new(algorithm, EncodingKey::from_secret(secret))
    }

    pub(crate) fn with_rsa(algorithm: Algorithm, name: &str) -> Self {
        Self::new(
            algorithm,
            EncodingKey::from_rsa_pem(&pem(name)).expect("an RSA key"),
        )
    }

    pub(crate) fn with_ec() -> Self {
        Self::new(
            Algorithm::ES256,
            EncodingKey::from_ec_pem(&pem("ec.pem")).expect("an EC key"),
        )
    }

    pub(crate) fn with_ed() -> Self {
        Self::new(
            Algorithm::EdDSA,
            EncodingKey::from_ed_pem(&pem("ed.pem")).expect("an Ed25519 key"),
        )
    }

    pub(crate) fn kid(mut self, kid: &str) -> Self {
        self.header.kid = Some(kid.to_owned());
        self
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        jsonwebtoken::encode(&self.header, claims, &self.key).expect("these keys sign")
    }

    /// A token of Alice that is valid for a minute.
    pub(crate) fn token(&self) -> String {
        self.sign(&alice())
    }

    /// The public key as a member of a JWKS, without `alg`.
    pub(crate) fn jwk(&self) -> Value {
        let jwk = Jwk::from_encoding_key(&self.key, self.header.alg).expect("these keys have public keys");
        let mut jwk = serde_json::to_value(jwk).expect("a JWK is JSON");
        jwk["alg"].take();
        if let Some(kid) = &self.header.kid {
            jwk["kid"] = json!(kid);
        }
        jwk
    }
}

pub(crate) fn alice() -> Value {
    json!({ "sub": "alice", "exp": NOW + 60 })
}

/// Alice's claims with one of them changed, or removed if the value is null.
pub(crate) fn alice_but(claim: &str, value: Value) -> Value {
    let mut claims = alice();
    if value.is_null() {
        claims.as_object_mut().expect("an object").remove(claim);
    } else {
        claims[claim] = value;
    }
    claims
}

/// A verifier of users' tokens without further requirements.
pub(crate) fn users(source: KeySource, time: &Time) -> Verifier {
    Verifier::users([source], UserTokens::default(), time.clock()).expect("a source is given")
}
