//! What a control plane is configured with. The binary defines the flags.

use std::time::Duration;

use roomcast_auth::{Clock, Verifier};
use roomcast_core::limits;

use super::tls::Tls;

/// The configuration of a control plane.
#[derive(Debug, Clone)]
pub struct Config {
    /// The control plane's id in logs, different for each process: 1 to 128 visible ASCII characters.
    pub id: String,
    /// The program's version: 1 to 128 visible ASCII characters.
    pub version: String,
    /// The largest request, in bytes.
    pub max_request_bytes: usize,
    /// How long edges have in a drain to attach to another control plane before their links are closed.
    pub drain_grace: Duration,
    /// How the service tokens of calls are verified; `None`: calls need no token.
    pub tokens: Option<ApiTokens>,
    /// The server's certificate, and which clients may connect; `None`: no TLS.
    pub tls: Option<Tls>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            id: "control-plane".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            max_request_bytes: limits::DEFAULT_MAX_REQUEST_BYTES,
            drain_grace: Duration::from_secs(5),
            tokens: None,
            tls: None,
        }
    }
}

/// How service tokens are verified.
#[derive(Debug, Clone)]
pub struct ApiTokens {
    /// Made by [`Verifier::services`]. The control plane refreshes its keys while it serves.
    pub verifier: Verifier,
    /// The verifier's clock. A stream ends when its token expires.
    pub clock: Clock,
}
