//! Users' tokens: HS256 with the published dev secret, as Roomcast's edges and Centrifugo verify them.

use std::time::Duration;

use roomcast_auth::{Clock, DEV_SECRET, MintClaims, mint};

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
