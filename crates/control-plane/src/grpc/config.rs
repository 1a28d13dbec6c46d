//! What a control plane is told at its start. The binary owns the flags.

use std::time::Duration;

use roomcast_auth::{Clock, Verifier};
use roomcast_core::limits;

use super::tls::Tls;

/// What a control plane is told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its name for logs, new at each start: 1 to 128 visible ASCII characters.
    pub id: String,
    /// Its version, for logs: 1 to 128 visible ASCII characters.
    pub version: String,
    /// The largest request, in bytes.
    pub max_request_bytes: usize,
    /// How long edges have in a drain to attach elsewhere before their links are ended.
    pub drain_grace: Duration,
    /// Whose tokens calls need; `None`: they need none.
    pub tokens: Option<ApiTokens>,
    /// The server's certificate, and who may connect; `None`: no TLS.
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

/// How service tokens are checked.
#[derive(Debug, Clone)]
pub struct ApiTokens {
    /// Checks them; made by [`Verifier::services`]. The control plane keeps its keys fresh while it serves.
    pub verifier: Verifier,
    /// The verifier's clock: a stream ends when its token does.
    pub clock: Clock,
}
