//! Minting: what `roomcast token` and `roomcast dev` need. Deployments mint their users' tokens themselves.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

/// The published secret of `roomcast dev`: everybody knows it, so whatever listens beyond loopback must
/// refuse it.
pub const DEV_SECRET: &str = "roomcast-dev-secret-known-to-everybody-never-deploy-it";

/// Whether a configured secret is the published one.
#[must_use]
pub fn is_dev_secret(secret: &[u8]) -> bool {
    secret == DEV_SECRET.as_bytes()
}

/// What a minted token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MintClaims {
    /// `sub`: the user's id or the service's name. Not checked here; the verifier checks it.
    pub subject: String,
    /// `aud`: [`SERVICE_AUDIENCE`](crate::SERVICE_AUDIENCE) for a service, the configured audience (or none)
    /// for a user.
    pub audience: Option<String>,
    /// `iss`, where one is configured.
    pub issuer: Option<String>,
    /// `iat`, in seconds since the Unix epoch.
    pub issued_at: i64,
    /// How long after `issued_at` the token is good, cut to whole seconds.
    pub ttl: Duration,
}

/// Mints an HS256 token.
///
/// # Panics
/// Never: HMAC takes any key, and these claims are always JSON.
#[must_use]
pub fn mint(secret: &[u8], claims: &MintClaims) -> String {
    #[derive(Serialize)]
    struct Claims<'a> {
        sub: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        aud: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        iss: Option<&'a str>,
        iat: i64,
        exp: i64,
    }
    let ttl = i64::try_from(claims.ttl.as_secs()).unwrap_or(i64::MAX);
    let claims = Claims {
        sub: &claims.subject,
        aud: claims.audience.as_deref(),
        iss: claims.issuer.as_deref(),
        iat: claims.issued_at,
        exp: claims.issued_at.saturating_add(ttl),
    };
    jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        &claims,
        &EncodingKey::from_secret(secret),
    )
    .expect("HMAC takes any key and these claims are always JSON")
}
