//! What a control plane is told at its start, and every cap of this crate. The binary owns the flags.

use std::time::Duration;

use roomcast_auth::{Clock, Verifier};
use roomcast_core::limits;

use crate::tls::Tls;

/// How long a unary call may take; a caller's own deadline may be shorter.
pub(crate) const UNARY_DEADLINE: Duration = Duration::from_secs(10);
/// How long an edge may take to say hello.
pub(crate) const HELLO_DEADLINE: Duration = Duration::from_secs(5);
/// How long streams that nobody has to move, such as a health watch, may go on in a drain.
pub(crate) const STREAM_GRACE: Duration = Duration::from_millis(500);
/// How often the store is asked whether it is there.
pub(crate) const PING_INTERVAL: Duration = Duration::from_secs(1);
/// How often an idle connection is probed, and how long the answer may take.
pub(crate) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a TLS handshake may take.
pub(crate) const TLS_HANDSHAKE_DEADLINE: Duration = Duration::from_secs(5);
/// Streams that one connection may have open at once; more wait at the caller.
pub(crate) const STREAMS_PER_CONNECTION: u32 = 512;

/// Commands of one stream that are taken and not answered: with so many it takes no further batch, which then waits at
/// its caller.
pub(crate) const COMMANDS_UNDER_WAY: usize = 1_024;
/// How many of the largest requests a batch is as large as at most; so many bytes are under way, too, before a stream
/// takes no further batch.
pub(crate) const BATCH_REQUESTS: usize = 4;
/// How long a stream of commands has in a drain to answer what it took.
pub(crate) const COMMANDS_GRACE: Duration = Duration::from_secs(10);

/// Commands to the hub that wait; whoever has more waits with them.
pub(crate) const HUB_QUEUE: usize = 1_024;
/// Items that wait for one follower. Full: its stream is ended, and it goes on from its position elsewhere.
pub(crate) const FOLLOWER_QUEUE: usize = 4_096;
/// Rooms that one follower is behind in at once, from its interest until it has taken what was read for it; its further
/// interests wait their turn. With less than a queue's length there is room for what is appended meanwhile.
pub(crate) const ROOMS_BEHIND: usize = 512;
/// Reads of the store that the hub has under way at once; more wait their turn.
pub(crate) const READS_UNDER_WAY: usize = 64;
/// Waits between attempts of a read while the store is away: the first is below the base, none above the cap.
pub(crate) const READ_BACKOFF_BASE: Duration = Duration::from_millis(50);
pub(crate) const READ_BACKOFF_CAP: Duration = Duration::from_secs(2);

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
