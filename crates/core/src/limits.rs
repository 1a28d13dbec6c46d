//! Every cap and its default, in one place. Sizes are bytes, times milliseconds.

use crate::Millis;

/// The longest status of a session.
pub const MAX_STATUS_BYTES: usize = 128;
/// The longest reason of a `DisconnectUser`.
pub const MAX_REASON_BYTES: usize = 256;
/// The largest gRPC request.
pub const DEFAULT_MAX_REQUEST_BYTES: usize = 256 * 1024;
/// The largest payload of an event, as JSON.
pub const DEFAULT_MAX_PAYLOAD_BYTES: usize = 64 * 1024;
/// How many entries a room's log keeps.
pub const DEFAULT_LOG_ENTRIES: u64 = 1_000;
/// How long a room's log keeps an entry, and a request id is remembered.
pub const DEFAULT_LOG_RETENTION: Millis = 24 * 3600 * 1000;
/// How long a room's epoch and tail, and a session, outlive the last write.
pub const DEFAULT_STATE_RETENTION: Millis = 30 * 24 * 3600 * 1000;
/// How many sessions one socket can be in at once.
pub const DEFAULT_SESSIONS_PER_SOCKET: usize = 32;
/// How many entries one read of a log returns at most.
pub const READ_ENTRIES: usize = 256;
/// After how many bytes of entries one read of a log stops, by the store's own measure; one entry goes always.
pub const READ_BYTES: usize = 1024 * 1024;
/// How many recent entries an edge keeps of each room.
pub const WINDOW_ENTRIES: usize = 128;
/// How many entries a feed holds while it waits for a read; later ones are read again.
pub const HELD_ENTRIES: usize = 256;
/// How often the tail of each room of interest is compared with the log.
pub const COMPARE_INTERVAL: Millis = 2_000;
/// In how many turns of equal distance all rooms are compared, where there are many. All at once would keep the store
/// from everything else for that time.
pub const COMPARE_TURNS: usize = 100;
/// Up to so many rooms are one turn.
pub const COMPARE_FEW: usize = 64;
/// How many rooms one comparison of tails asks for at most.
pub const COMPARE_ROOMS: usize = 512;
/// How long a join waits for its room's feed, and for each part of its replay.
pub const JOIN_TIMEOUT: Millis = 5_000;
