//! Users' tokens: HS256 with the published dev secret, as Roomcast's edges and Centrifugo verify them.

use std::time::{Duration, Instant};

use roomcast_auth::{Clock, DEV_SECRET, KeySource, MintClaims, UserTokens, Verifier, mint};
use tokio::runtime::Runtime;

use crate::error::Outcome;

/// Tokens that are verified to see what that costs.
const VERIFIED: usize = 20_000;

/// A token for each user, good for a day.
pub(crate) fn of(users: &[String]) -> Vec<String> {
    let issued_at = Clock::system().now();
    let token = |user: &String| {
        let claims = MintClaims {
            subject: user.clone(),
            audience: None,
            issuer: None,
            issued_at,
            ttl: Duration::from_secs(24 * 3600),
        };
        mint(DEV_SECRET.as_bytes(), &claims)
    };
    users.iter().map(token).collect()
}

/// What it costs to verify a token, in microseconds.
pub(crate) fn cost(runtime: &Runtime) -> Outcome<f64> {
    let key = KeySource::secret(DEV_SECRET.as_bytes())?;
    let verifier = Verifier::users([key], UserTokens::default(), Clock::system())?;
    let token = of(&["alice".to_owned()]).concat();
    let begin = Instant::now();
    for _ in 0..VERIFIED {
        runtime.block_on(verifier.verify(&token))?;
    }
    Ok(begin.elapsed().as_secs_f64() * 1e6 / VERIFIED as f64)
}
