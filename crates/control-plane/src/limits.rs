//! Every limit and interval of this crate that is not an option of the program.

use std::time::Duration;

/// How long a unary call may take. A caller may set a shorter deadline.
pub(crate) const UNARY_DEADLINE: Duration = Duration::from_secs(10);
/// How long an edge may take to send its `Hello`.
pub(crate) const HELLO_DEADLINE: Duration = Duration::from_secs(5);
/// How long streams may continue in a drain where the caller reconnects by itself, such as a health watch.
pub(crate) const STREAM_GRACE: Duration = Duration::from_millis(500);
/// How often the store is pinged.
pub(crate) const PING_INTERVAL: Duration = Duration::from_secs(1);
/// How long a ping of the store may take. The store's own calls time out earlier.
pub(crate) const PING_DEADLINE: Duration = Duration::from_secs(3);
/// How often an idle connection is probed with an HTTP/2 ping.
pub(crate) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// How long the response to an HTTP/2 ping may take before the connection is closed.
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a TLS handshake may take.
pub(crate) const TLS_HANDSHAKE_DEADLINE: Duration = Duration::from_secs(5);
/// How many streams one connection may have open. Further calls wait at the caller.
pub(crate) const STREAMS_PER_CONNECTION: u32 = 512;

/// How many commands of one `StreamCommands` call may be pending, that is, received and not responded to. At the
/// limit, the stream reads no further batch, which then waits at the caller.
pub(crate) const PENDING_COMMANDS: usize = 1_024;
/// The largest batch, as a multiple of the largest request. The pending batches of one stream also have this limit:
/// when their bytes exceed it, the stream reads no further batch.
pub(crate) const REQUESTS_PER_BATCH: usize = 4;
/// How long a `StreamCommands` call has in a drain to respond to what it received.
pub(crate) const STREAM_COMMANDS_GRACE: Duration = Duration::from_secs(10);

/// Commands that wait for the hub's task. When the queue is full, the sender waits.
pub(crate) const HUB_QUEUE: usize = 1_024;
/// Updates that wait for one follower. When the queue is full, the follower is closed; its reader continues from its
/// last position on a new stream.
pub(crate) const FOLLOWER_QUEUE: usize = 4_096;
/// How many rooms one follower may be catching up in: from its interest until it has taken the last update that was read
/// for it. Further interests wait. The limit is smaller than [`FOLLOWER_QUEUE`], so that the queue has space for what is
/// appended in the meantime.
pub(crate) const ROOMS_CATCHING_UP: usize = 512;
/// How many reads of the store the hub may have in progress. Further reads wait.
pub(crate) const CONCURRENT_READS: usize = 64;
/// The first wait before a failed read is repeated is shorter than this.
pub(crate) const READ_BACKOFF_BASE: Duration = Duration::from_millis(50);
/// No wait before a failed read is repeated is longer than this, plus half of the base.
pub(crate) const READ_BACKOFF_MAX: Duration = Duration::from_secs(2);
