//! The service token of a call: `authorization: Bearer TOKEN`.

use std::time::Duration;

use http::{HeaderMap, header::AUTHORIZATION};
use roomcast_auth::TokenError;
use roomcast_proto::{Failure, TokenFault};
use tracing::{info, warn};

use crate::grpc::config::ApiTokens;

/// A limit for timers, longer than any process runs.
const MAX_REMAINING_SECONDS: u64 = 366 * 24 * 3600;

/// Verifies the call's token, and returns how long it remains valid.
pub(super) async fn verify(tokens: &ApiTokens, headers: &HeaderMap) -> Result<Duration, Failure> {
    let value = headers
        .get(AUTHORIZATION)
        .ok_or(Failure::Token(TokenFault::Missing))?;
    let token = value
        .to_str()
        .ok()
        .and_then(roomcast_auth::bearer)
        .ok_or(Failure::Token(TokenFault::Invalid))?;
    let identity = tokens.verifier.verify(token).await.map_err(failure)?;
    let remaining = identity.expires_at.saturating_sub(tokens.clock.now());
    Ok(Duration::from_secs(
        u64::try_from(remaining).unwrap_or(0).min(MAX_REMAINING_SECONDS),
    ))
}

fn failure(error: TokenError) -> Failure {
    match error {
        TokenError::KeysUnavailable => {
            warn!(%error, "could not verify a service token");
            Failure::KeysUnavailable
        }
        TokenError::Missing => Failure::Token(TokenFault::Missing),
        TokenError::Expired => Failure::Token(TokenFault::Expired),
        TokenError::Invalid(reason) => {
            info!(%reason, "denied a call: its service token is invalid");
            Failure::Token(TokenFault::Invalid)
        }
    }
}
