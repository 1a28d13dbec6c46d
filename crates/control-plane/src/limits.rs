//! Every limit of this crate.

use std::time::Duration;

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
