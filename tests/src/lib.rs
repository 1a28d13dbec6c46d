//! Actors for the end-to-end tests: the real binary as processes, a real Redis, backends over gRPC and grpcurl, and
//! stock Socket.IO clients.
//!
//! A test waits for a condition, never for a time ([`within`], [`eventually`]). That a socket does not receive an event
//! is shown by the next event that it does receive.

mod backend;
mod bridge;
mod browser;
mod browsers;
mod cluster;
mod driver;
mod fixture;
mod grpcurl;
mod http;
mod process;
mod proxy;
mod redis;
mod token;
mod wait;

use std::time::Duration;

pub use backend::{Backend, participants, publish_when_available, reason, session, structure};
pub use bridge::Bridge;
pub use browser::Browser;
pub use browsers::Browsers;
pub use cluster::Cluster;
pub use driver::Client;
pub use fixture::{TempDir, openssl};
pub use grpcurl::{Grpcurl, grpcurl, grpcurl_until};
pub use http::{Response, get, metric, send_request};
pub use process::{Process, roomcast};
pub use proxy::Proxy;
pub use redis::Redis;
pub use token::{claims, claims_json, expiring, signed, token, token_with};
pub use wait::{DEADLINE, eventually, within};

/// The median, the 99th percentile and the maximum.
///
/// # Panics
/// If there are no times.
pub fn quantiles(times: &mut [Duration]) -> [Duration; 3] {
    times.sort_unstable();
    [0.5, 0.99, 1.0].map(|part| times[((times.len() - 1) as f64 * part) as usize])
}
