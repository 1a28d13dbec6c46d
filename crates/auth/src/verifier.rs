//! The one thing that the rest of the program asks: whose token is this?

use std::sync::Arc;
use std::time::Duration;

use crate::claims::{Identity, Policy, SERVICE_AUDIENCE, UserTokens};
use crate::clock::Clock;
use crate::error::TokenError;
use crate::jwks::REFRESH_GAP;
use crate::keyring::Keyring;
use crate::source::{KeyError, KeySource};
use crate::token::SignedToken;

/// How often JWKS are fetched again without an occasion.
pub const REFRESH_INTERVAL: Duration = Duration::from_secs(300);

/// Verifies the tokens of one audience. Clones share the keys.
#[derive(Clone, Debug)]
pub struct Verifier {
    policy: Arc<Policy>,
    keyring: Arc<Keyring>,
    clock: Clock,
}

impl Verifier {
    /// For users' tokens. Sources may be of several kinds; a token is good if a key of any of them signed it.
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

    /// For service tokens: their audience must contain [`SERVICE_AUDIENCE`], their subject (`sub`) is the
    /// service's name.
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

    /// Whose token this is, at this moment. An empty string is [`TokenError::Missing`].
    ///
    /// It waits only where a JWKS does not know the token's key and may be fetched again, at most
    /// [`FETCH_TIMEOUT`](crate::FETCH_TIMEOUT) for each JWKS. It may be cancelled at any point.
    ///
    /// # Errors
    /// The token gives no identity, or its keys could not be fetched yet.
    pub async fn verify(&self, token: &str) -> Result<Identity, TokenError> {
        let token = SignedToken::parse(token)?;
        self.keyring.check(&token, &self.clock).await?;
        self.policy.identify(&token.claims()?, self.clock.now())
    }

    /// Whether every JWKS was fetched at least once, so that no token is [`TokenError::KeysUnavailable`].
    #[must_use]
    pub fn has_keys(&self) -> bool {
        self.keyring.is_complete()
    }

    /// Fetches every JWKS now, and then about every `interval` (sooner after a failure). Never returns: its
    /// owner drops it. Nothing happens here for sources that never change.
    pub async fn keep_fresh(&self, interval: Duration) {
        loop {
            let all_fetched = self.keyring.refresh(&self.clock).await;
            let pause = if all_fetched {
                interval
            } else {
                interval.min(REFRESH_GAP)
            };
            // Spread, so that the processes of a fleet do not all ask at once.
            tokio::time::sleep(pause.mul_f64(rand::random_range(0.9..1.1))).await;
        }
    }
}

/// The token of an `authorization: Bearer …` header's value (RFC 6750, section 2.1); the scheme's case does
/// not matter.
#[must_use]
pub fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
