//! Mints tokens for `roomcast token` and `roomcast dev`. In a deployment, the application mints its users' tokens.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

/// The published secret of `roomcast dev`. Anyone can sign with it, so it is not allowed for a server that other machines
/// can reach.
pub const DEV_SECRET: &str = "roomcast-dev-secret-known-to-everybody-never-deploy-it";

/// Whether a configured secret is [`DEV_SECRET`].
#[must_use]
pub fn is_dev_secret(secret: &[u8]) -> bool {
    secret == DEV_SECRET.as_bytes()
}

/// The claims of a token to mint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MintClaims {
    /// `sub`: the user's id or the service's name. It is checked by the verifier, not here.
    pub subject: String,
    /// `aud`: [`SERVICE_AUDIENCE`](crate::SERVICE_AUDIENCE) for a service; for a user the configured audience, or `None`.
    pub audience: Option<String>,
    /// `iss`, or `None` for a token without it.
    pub issuer: Option<String>,
    /// `iat`, in seconds since the Unix epoch.
    pub issued_at: i64,
    /// The time from `issued_at` to the expiry; a fraction of a second is ignored.
    pub ttl: Duration,
}

/// Mints an HS256 token.
///
/// # Panics
/// Never: HMAC accepts any key, and these claims are always valid JSON.
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
    .expect("HMAC accepts any key, and these claims are always valid JSON")
}
