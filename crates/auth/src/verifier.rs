//! The entry point of the crate: verifies a token and returns its identity.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::jwks_cache::MIN_FETCH_INTERVAL;
use crate::key_error::KeyError;
use crate::key_source::KeySource;
use crate::keyring::Keyring;
use crate::policy::{Identity, Policy, SERVICE_AUDIENCE, UserTokens};
use crate::signed_token::SignedToken;
use crate::token_error::TokenError;

/// How often each JWKS is fetched again in the background.
pub const REFRESH_INTERVAL: Duration = Duration::from_secs(300);

/// Verifies the tokens of one audience. Clones share the keys.
#[derive(Clone, Debug)]
pub struct Verifier {
    policy: Arc<Policy>,
    keyring: Arc<Keyring>,
    clock: Clock,
}

impl Verifier {
    /// A verifier of users' tokens. The sources may be of different kinds; a token is valid if a key of any source
    /// verifies it.
    ///
    /// # Errors
    /// There is no source, or the configured audience is [`SERVICE_AUDIENCE`].
    pub fn users(
        sources: impl IntoIterator<Item = KeySource>,
        tokens: UserTokens,
        clock: Clock,
    ) -> Result<Self, KeyError> {
        if tokens.audience.as_deref() == Some(SERVICE_AUDIENCE) {
            return Err(KeyError::ServiceAudience);
        }
        Self::new(sources, Policy::Users(tokens), clock)
    }

    /// A verifier of service tokens: their `aud` must contain [`SERVICE_AUDIENCE`], and their `sub` is the service's
    /// name.
    ///
    /// # Errors
    /// There is no source.
    pub fn services(sources: impl IntoIterator<Item = KeySource>, clock: Clock) -> Result<Self, KeyError> {
        Self::new(sources, Policy::Services, clock)
    }

    fn new(
        sources: impl IntoIterator<Item = KeySource>,
        policy: Policy,
        clock: Clock,
    ) -> Result<Self, KeyError> {
        Ok(Self {
            policy: Arc::new(policy),
            keyring: Arc::new(Keyring::new(sources)?),
            clock,
        })
    }

    /// Verifies a token at the current time. An empty string is [`TokenError::Missing`].
    ///
    /// It waits only if a JWKS does not contain the token's key and may be fetched again, at most 5 s for each JWKS. It
    /// is safe to cancel.
    ///
    /// # Errors
    /// The token is not valid, or the keys were never fetched.
    pub async fn verify(&self, token: &str) -> Result<Identity, TokenError> {
        let token = SignedToken::parse(token)?;
        self.keyring.verify(&token, &self.clock).await?;
        self.policy.identify(&token.claims()?, self.clock.now())
    }

    /// The clock that decides whether a token has expired.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Fetches every JWKS now and then about every `interval`, earlier after a failure. Never returns: its owner drops
    /// it. It does nothing for sources that never change.
    pub async fn keep_fresh(&self, interval: Duration) {
        loop {
            let all_fetched = self.keyring.refresh(&self.clock).await;
            let pause = if all_fetched {
                interval
            } else {
                interval.min(MIN_FETCH_INTERVAL)
            };
            // Jitter, so that many processes do not fetch at the same moment.
            tokio::time::sleep(pause.mul_f64(rand::random_range(0.9..1.1))).await;
        }
    }
}

/// The token in the value of an `authorization: Bearer …` header (RFC 6750, section 2.1). The scheme is
/// case-insensitive. `None` for another scheme.
#[must_use]
pub fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
