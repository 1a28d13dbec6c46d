//! Actors for the end-to-end tests: the real binary as processes, a real Redis, backends over gRPC and grpcurl, and
//! stock Socket.IO clients.
//!
//! Nothing here waits for a time: it waits for a condition, with a deadline that only a failure reaches. That
//! somebody is told nothing is shown by what they are told next.

mod backend;
mod bridge;
mod browser;
mod cluster;
mod fixture;
mod grpcurl;
mod http;
mod process;
mod proxy;
mod redis;
mod token;

use std::time::Duration;

pub use backend::{Backend, participants, reason, session, structure};
pub use bridge::Bridge;
pub use browser::{Browser, Browsers, Client};
pub use cluster::Cluster;
pub use fixture::{TempDir, openssl};
pub use grpcurl::{Grpcurl, grpcurl};
pub use http::{Answer, ask, get, metric};
pub use process::{Process, roomcast};
pub use proxy::Proxy;
pub use redis::Redis;
pub use token::{claims, claims_json, expiring, signed, token, token_with};

/// What only a failure waits for.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// The median, the 99th percentile and the longest.
///
/// # Panics
/// Where there is none.
pub fn quantiles(times: &mut [Duration]) -> [Duration; 3] {
    times.sort_unstable();
    [0.5, 0.99, 1.0].map(|part| times[((times.len() - 1) as f64 * part) as usize])
}

/// Waits for something, and says what it was when it does not come.
///
/// # Panics
/// After [`DEADLINE`].
pub async fn within<T>(what: &str, it: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, it).await {
        Ok(it) => it,
        Err(_) => panic!("{what}: not within {DEADLINE:?}"),
    }
}

/// Asks again and again until the answer is there.
///
/// # Panics
/// After [`DEADLINE`].
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    within(what, async {
        loop {
            if let Some(it) = ask().await {
                return it;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}
