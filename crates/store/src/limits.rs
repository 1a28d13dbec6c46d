//! What a store keeps, and for how long.

use roomcast_core::{Millis, limits};

/// Limits of a store. The defaults are those of [`roomcast_core::limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreLimits {
    /// How many entries a log keeps; at least 1.
    pub log_entries: u64,
    /// How many milliseconds a log keeps an entry and a response stays stored under its request id.
    pub log_retention: Millis,
    /// How many milliseconds a session, and the epoch and tail of a room, are kept after the last write.
    pub state_retention: Millis,
    /// The largest payload of an event as JSON, in bytes, inclusive.
    pub max_payload: usize,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self {
            log_entries: limits::DEFAULT_LOG_ENTRIES,
            log_retention: limits::DEFAULT_LOG_RETENTION,
            state_retention: limits::DEFAULT_STATE_RETENTION,
            max_payload: limits::DEFAULT_MAX_PAYLOAD_BYTES,
        }
    }
}
