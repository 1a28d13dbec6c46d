//! What the load generator counts.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The counts of one call of `Generator::run`, and of the drain after it.
#[derive(Clone, Debug)]
pub(crate) struct WindowCounts {
    pub(crate) deliveries: u64,
    /// Events that all sockets of their rooms have received.
    pub(crate) completed_events: u64,
    /// The latency of each delivery, from the time at which its event was due, in nanoseconds.
    pub(crate) latency: Histogram<u64>,
    /// The length of the window.
    pub(crate) duration: Duration,
}

impl WindowCounts {
    pub(super) fn new() -> Self {
        // Up to 100 s with three significant digits: these bounds are valid.
        let latency = Histogram::new_with_bounds(1_000, 100_000_000_000, 3).expect("bounds of a histogram");
        Self {
            deliveries: 0,
            completed_events: 0,
            latency,
            duration: Duration::ZERO,
        }
    }
}
