//! The sizes of the test, which environment variables select.

use std::time::Duration;

/// The approximate number of pages per session.
const PAGES_PER_SESSION: usize = 20;

pub(crate) struct Plan {
    /// The seed of the schedule of faults.
    pub(crate) seed: u64,
    /// The number of random faults.
    pub(crate) faults: u64,
    /// The number of pages.
    pub(crate) pages: usize,
}

impl Plan {
    pub(crate) fn from_environment() -> Self {
        Self {
            seed: number("ROOMCAST_CHAOS_SEED", 1),
            faults: number("ROOMCAST_CHAOS_FAULTS", 12),
            pages: usize::try_from(number("ROOMCAST_CHAOS_SOCKETS", 40)).unwrap(),
        }
    }

    /// Half the number of sessions: each page is in two sessions.
    fn half(&self) -> usize {
        (self.pages / PAGES_PER_SESSION / 2).max(1)
    }

    /// The number of sessions.
    pub(crate) fn sessions(&self) -> usize {
        2 * self.half()
    }

    /// Whether this page is in this session.
    pub(crate) fn is_in(&self, page: usize, session: usize) -> bool {
        (page + session).is_multiple_of(self.half())
    }

    /// The time between two publishes to a session: the number of deliveries per second is about the same with any number of
    /// pages.
    pub(crate) fn publish_interval(&self) -> Duration {
        Duration::from_millis(self.pages as u64 / 2).max(Duration::from_millis(20))
    }
}

/// The number in an environment variable.
fn number(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(default, |value| value.parse().expect("a number"))
}
