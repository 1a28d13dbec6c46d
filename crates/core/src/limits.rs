//! Every limit and its default. Sizes are in bytes, times in milliseconds, and every bound is inclusive.

use crate::Millis;

/// The maximum size of a session's status.
pub const MAX_STATUS_BYTES: usize = 128;
/// The maximum size of the reason of a `DisconnectUser`.
pub const MAX_REASON_BYTES: usize = 256;
/// The maximum size of a gRPC request.
pub const DEFAULT_MAX_REQUEST_BYTES: usize = 256 * 1024;
/// The maximum size of an event's payload as JSON.
pub const DEFAULT_MAX_PAYLOAD_BYTES: usize = 64 * 1024;
/// The number of entries that a room's log keeps.
pub const DEFAULT_LOG_ENTRIES: u64 = 1_000;
/// How long a room's log keeps an entry, and how long a request id is remembered.
pub const DEFAULT_LOG_RETENTION: Millis = 24 * 3600 * 1000;
/// How long a session, and a room's epoch and tail, are kept after the last write.
pub const DEFAULT_STATE_RETENTION: Millis = 30 * 24 * 3600 * 1000;
/// The number of sessions that one socket can have joined at the same time.
pub const DEFAULT_SESSIONS_PER_SOCKET: usize = 32;
/// The maximum number of entries that one read of a log returns.
pub const READ_ENTRIES: usize = 256;
/// A read of a log stops after this many bytes of entries, by the store's own measure. It returns at least one entry.
pub const READ_BYTES: usize = 1024 * 1024;
/// The number of recent entries that an edge keeps for each room.
pub const WINDOW_ENTRIES: usize = 128;
/// The number of entries that a feed holds while it waits for a read. It drops later ones and reads them again.
pub const HELD_ENTRIES: usize = 256;
/// The interval at which the tail of each room of interest is compared with the log.
pub const COMPARE_INTERVAL: Millis = 2_000;
/// The number of batches, evenly spaced over the interval, in which many rooms are compared. A single batch would block
/// the store for its whole duration.
pub const COMPARE_BATCHES: usize = 100;
/// The minimum size of a batch, in rooms.
pub const MIN_COMPARE_BATCH: usize = 64;
/// The maximum number of rooms in one request for tails.
pub const MAX_TAILS: usize = 512;
/// How long a join waits for its room's feed, and for each read of its replay.
pub const JOIN_TIMEOUT: Millis = 5_000;
