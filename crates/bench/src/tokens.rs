//! Users' tokens: HS256 with the published dev secret, which Roomcast's edges and Centrifugo verify.

use std::time::{Duration, Instant};

use roomcast_auth::{Clock, DEV_SECRET, KeySource, MintClaims, UserTokens, Verifier, mint};
use tokio::runtime::Runtime;

use crate::error::BenchResult;

/// How many tokens are verified to measure the cost of one.
const VERIFICATIONS: usize = 20_000;
/// How long a token is valid: longer than any run.
const TTL: Duration = Duration::from_secs(24 * 3600);

/// A token for each user.
pub(crate) fn mint_for(users: &[String]) -> Vec<String> {
    let issued_at = Clock::system().now();
    let token = |user: &String| {
        let claims = MintClaims {
            subject: user.clone(),
            audience: None,
            issuer: None,
            issued_at,
            ttl: TTL,
        };
        mint(DEV_SECRET.as_bytes(), &claims)
    };
    users.iter().map(token).collect()
}

/// The time that the verification of one token takes, in microseconds.
pub(crate) fn verification_cost_us(runtime: &Runtime) -> BenchResult<f64> {
    let key = KeySource::secret(DEV_SECRET.as_bytes())?;
    let verifier = Verifier::users([key], UserTokens::default(), Clock::system())?;
    let token = mint_for(&["alice".to_owned()]).concat();
    let begin = Instant::now();
    for _ in 0..VERIFICATIONS {
        runtime.block_on(verifier.verify(&token))?;
    }
    Ok(begin.elapsed().as_secs_f64() * 1e6 / VERIFICATIONS as f64)
}
